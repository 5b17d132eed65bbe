/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway does in each phase of an epoch: which map it takes, who is told of
 * members, what is done when somebody is lost or has slept.
 */
#include "gateway/reshard.h"

#include <criterion/criterion.h>

#include "gateway/claim.h"
#include "gateway/on_router.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/reshard_kit.h"

static void down(void)
{
	kit_stop(&kit);
}

TestSuite(reshard, .fini = down);

/* ---- maps */

Test(reshard, the_first_map_is_the_options_and_asks_for_nothing)
{
	start(BOTH);
	cr_expect(kit.gateway->reshard.is_done);
	cr_expect_eq(kit.metrics->shards_phase, SHARD_PHASE_STABLE);
	r1->shows_shards = true;
	fake_peer_renew(r1, 200);
	peer_expect(r1, "Shards 0 stable done; Replayed 0; ");
}

Test(reshard, a_resumed_link_is_told_again)
{
	start(BOTH);
	r1->shows_shards = true;
	fake_peer_down(r1);
	fake_peer_resume(r1);
	peer_expect(r1, "Shards 0 stable done; ");
}

Test(reshard, an_older_map_is_not_taken)
{
	start(ONE);
	grow(1, SHARD_PHASE_PREPARE);
	kit_shards(&kit, r1, 0, SHARD_PHASE_STABLE, ONE, "");
	cr_expect_eq(kit.gateway->routers.map.epoch, 1);
	cr_expect_eq(kit.gateway->routers.n, 2);
}

Test(reshard, a_map_that_is_none_is_counted)
{
	start(ONE);
	kit_shards(&kit, r1, 1, SHARD_PHASE_PREPARE, "=,=", "r2");
	kit_shards(&kit, r1, 1, SHARD_PHASE_NONE, ONE, "");
	cr_expect_eq(kit.metrics->shards_malformed_total, 2);
	cr_expect_eq(kit.gateway->routers.map.epoch, 0);
}

Test(reshard, presence_tells_maps_too_and_is_told)
{
	struct link_peer *presence;

	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2");
	kit_start(&kit);
	presence = kit.gateway->presence.peers[0];
	peer_handle(presence);
	presence->shows_shards = true;
	kit_shards(&kit, presence, 1, SHARD_PHASE_PREPARE, "r1=test:1",
		   "r1=test:1,r2=b:2");
	peer_expect(presence, "Shards 1 prepare; ");
	cr_expect_eq(kit.gateway->routers.n, 2);
}

Test(reshard, a_new_gateway_is_not_ready_before_it_was_told_by_all)
{
	kit_init(&kit);
	kit_set(&kit.conf->routers, ONE);
	conf_scoped_init(&gateway_conf_table, kit.conf);
	kit.gateway = gateway_proc_ops.start(&kit.proc);
	kit.metrics = &kit.gateway->metrics;
	r1 = router_named("r1")->peer;
	fake_peer_renew(r1, 100);
	cr_expect_not(gateway_is_known(kit.gateway));
	/* The option is old: another router runs hubs by now. */
	kit_shards(&kit, r1, 4, SHARD_PHASE_STABLE, BOTH, "");
	cr_expect_not(gateway_is_known(kit.gateway));
	cr_expect_eq(kit.metrics->shards_jumped_total, 0, "there is nothing to tell");
	r2 = router_named("r2")->peer;
	fake_peer_renew(r2, 100);
	kit_shards(&kit, r2, 4, SHARD_PHASE_STABLE, BOTH, "");
	cr_expect(gateway_is_known(kit.gateway));
}

/* ---- PREPARE */

Test(reshard, a_newcomer_is_replayed_to_as_the_second_owner)
{
	const char letter = mover();

	start(ONE);
	(void)kit_open(&kit, letter, NULL);
	kit_join(&kit, letter, moving_group(), false, 1);
	settle();
	grow(1, SHARD_PHASE_PREPARE);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups=$ standby; Member group $ @; "
	       "Replayed 1; ");
	cr_expect_not(kit.gateway->reshard.is_done);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(reshard, a_newcomer_is_not_told_of_who_has_closed)
{
	const char letter = mover();
	struct wire *wire;

	start(ONE);
	wire = kit_open(&kit, letter, NULL);
	settle();
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	grow(1, SHARD_PHASE_PREPARE);
	peer_expect(r2, "Replayed 0; ");
	settle();
	cr_expect_eq(kit.gateway->conns.count, 0);
}

Test(reshard, a_router_that_gets_more_is_told_of_it)
{
	const char letter = mover();
	struct wire *wire;

	start(BOTH);
	wire = kit_open(&kit, letter, "ann");
	kit_join(&kit, letter, moving_group(), false, 1);
	(void)kit_open(&kit, 'a', NULL);
	settle();
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	kit_wait(&kit, 0);
	kit_wait(&kit, 0);
	cr_expect_eq(gateway_conn_owner(wire->conn)->peer, r2);
	cr_expect_not(kit.gateway->reshard.is_done);
	kit_settle(&kit);
	kit_wait(&kit, 20);
	cr_expect(kit.gateway->reshard.is_done);
	cr_expect_eq(kit.metrics->shards_jumped_total, 0);
}

Test(reshard, who_comes_meanwhile_is_told_to_both)
{
	const char letter = mover();

	start(ONE);
	grow(1, SHARD_PHASE_PREPARE);
	settle();
	wire_in(kit_dial(&kit, letter, NULL), HELLO);
	EXPECT(r1, letter, "Connected @ user= resumed=0 groups=; ");
	EXPECT(r2, letter, "Connected @ user= resumed=0 groups= standby; ");
}

Test(reshard, a_join_is_answered_when_both_have_it)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_PREPARE);
	kit_join(&kit, letter, moving_group(), true, 5);
	EXPECT(r1, letter, "Member group $ @ gone; ");
	EXPECT(r2, letter, "Member group $ @ gone; ");
	fake_peer_ack(r1);
	peer_expect(r1, "");
	fake_peer_ack(r2);
	EXPECT(r1, letter, "Joined @ call=5 rc=OK leave $ origin=rX; ");
}

Test(reshard, a_join_that_finds_no_room_at_the_second_changes_nothing)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_PREPARE);
	peer_fill(r2);
	kit_join(&kit, letter, moving_group(), true, 5);
	EXPECT(r1, letter,
	       "Member group $ @ gone; Member group $ @; "
	       "Joined @ call=5 rc=ERR_LIMIT leave $ origin=rX; ");
	cr_expect_eq(kit.metrics->memberships, 1);
}

Test(reshard, a_join_survives_the_loss_of_one)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_PREPARE);
	kit_join(&kit, letter, moving_group(), true, 5);
	EXPECT(r1, letter, "Member group $ @ gone; ");
	EXPECT(r2, letter, "Member group $ @ gone; ");
	fake_peer_ack(r1);
	fake_peer_renew(r2, 300);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=1 groups= standby; Replayed 1; "
	       "Member group $ @ gone; ");
	fake_peer_ack(r2);
	EXPECT(r1, letter, "Joined @ call=5 rc=OK leave $ origin=rX; ");
}

/* As its link does it: what is said again is refused. */
Test(reshard, a_join_survives_a_second_owner_that_is_given_up)
{
	const char letter = mover();
	struct session_kept kept;

	(void)one_in(letter, SHARD_PHASE_PREPARE);
	kit_join(&kit, letter, moving_group(), true, 5);
	EXPECT(r1, letter, "Member group $ @ gone; ");
	EXPECT(r2, letter, "Member group $ @ gone; ");
	fake_peer_ack(r1);
	r2->is_removed = true;
	session_reset(&r2->session, 0, &kept);
	session_restore(&r2->session, &kept);
	r2->is_removed = false;
	EXPECT(r1, letter, "Joined @ call=5 rc=OK leave $ origin=rX; ");
}

Test(reshard, claims_are_told_to_both)
{
	const char letter = mover();

	start(BOTH);
	claim_add(kit.gateway, &kit.gateway->hubs.items[0], kit_id(letter), 0);
	EXPECT(r2, letter, "Claim @ fresh=0; ");
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	kit_wait(&kit, 0);
	kit_wait(&kit, 0);
	EXPECT(r1, letter, "Claim @ fresh=0; ");
	settle();
	claim_on_end(kit.gateway, &kit.gateway->hubs.items[0], kit_id(letter));
	EXPECT(r1, letter, "Claim @ gone fresh=0; ");
	EXPECT(r2, letter, "Claim @ gone fresh=0; ");
}

Test(reshard, it_waits_for_room)
{
	const char letter = mover();

	start(BOTH);
	(void)kit_open(&kit, letter, NULL);
	peer_fill(r1);
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	kit_wait(&kit, 100);
	cr_expect_not(kit.gateway->reshard.is_done);
	peer_handle(r1);
	kit_wait(&kit, 20);
	kit_wait(&kit, 0);
	EXPECT(r1, letter, "Connected @ user= resumed=1 groups= standby; ");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(reshard, an_epoch_that_is_given_up_leaves_nothing)
{
	const char letter = mover();
	struct wire *wire;

	start(ONE);
	wire = kit_open(&kit, letter, NULL);
	grow(1, SHARD_PHASE_PREPARE);
	phase(2, SHARD_PHASE_STABLE, ONE, "");
	cr_expect(r2->is_removed);
	cr_expect_eq(kit.metrics->shards_jumped_total, 0);
	cr_expect(kit.gateway->reshard.is_done);
	wire_in(wire, CALL);
	EXPECT(r1, letter, "Invoke @ call=1 id=7 t[]; ");
}

/* ---- STABLE */

Test(reshard, a_router_in_no_list_is_left)
{
	const char letter = mover();
	struct wire *wire;

	start(BOTH);
	wire = kit_open(&kit, letter, NULL);
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	settle();
	phase(1, SHARD_PHASE_COMMIT, BOTH, ONE);
	released(r2, letter, NULL);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	phase(1, SHARD_PHASE_STABLE, ONE, "");
	cr_expect(r2->is_removed);
	cr_expect_eq(kit.gateway->routers.n, 1);
	cr_expect(kit.gateway->reshard.is_done);
	cr_expect_eq(kit.metrics->shards_jumped_total, 0);
	wire_in(wire, CALL);
	EXPECT(r1, letter, "Invoke @ call=1 id=7 t[]; ");
}

Test(reshard, the_next_epoch_moves_it_back)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_COMMIT);
	released(r1, letter, NULL);
	settle();
	grow(1, SHARD_PHASE_STABLE);
	settle();
	phase(2, SHARD_PHASE_PREPARE, BOTH, ONE);
	kit_wait(&kit, 0);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	phase(2, SHARD_PHASE_COMMIT, BOTH, ONE);
	EXPECT(r2, letter, "Release @; ");
	released(r2, letter, NULL);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
	phase(2, SHARD_PHASE_STABLE, ONE, "");
	cr_expect(r2->is_removed);
	cr_expect_eq(kit.metrics->conns_moved_total, 2);
}

/* ---- who slept */

Test(reshard, who_has_missed_a_phase_starts_over_with_all)
{
	const char letter = mover();

	start(BOTH);
	(void)kit_open(&kit, letter, NULL);
	phase(1, SHARD_PHASE_STABLE, BOTH, "");
	cr_expect_eq(r1->resets, 0, "the first map");
	phase(3, SHARD_PHASE_STABLE, BOTH, "");
	cr_expect_eq(r1->resets, 1);
	cr_expect_eq(r2->resets, 1);
	cr_expect_eq(kit.metrics->shards_jumped_total, 1);
}

Test(reshard, who_was_not_waited_for_starts_over_with_all)
{
	const char letter = mover();

	start(BOTH);
	(void)kit_open(&kit, letter, NULL);
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	phase(1, SHARD_PHASE_COMMIT, BOTH, ONE);
	cr_expect_eq(kit.metrics->shards_jumped_total, 1);
}

/* Senders go by the new map, and the second owners, which were not told, have confirmed
 * sends without its clients. */
Test(reshard, who_was_not_waited_for_does_not_hold_its_clients_on)
{
	const char letter = mover();
	struct wire *wire;

	start(BOTH);
	wire = kit_open(&kit, letter, NULL);
	kit_join(&kit, letter, moving_group(), false, 1);
	settle();
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	cr_assert_not(kit.gateway->reshard.is_done);
	kit_shards(&kit, r1, 1, SHARD_PHASE_COMMIT, BOTH, ONE);
	cr_expect_not(wire_is_open(wire), "at once");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 1);
}

Test(reshard, nor_does_who_slept_over_a_whole_epoch)
{
	struct wire *wire;

	start(BOTH);
	phase(1, SHARD_PHASE_STABLE, BOTH, "");
	wire = kit_open(&kit, 'a', NULL);
	settle();
	phase(3, SHARD_PHASE_PREPARE, BOTH, ONE);
	cr_expect_not(wire_is_open(wire));
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 1);
}

/* All owners were told: what they confirm comes here. */
Test(reshard, who_sleeps_after_prepare_keeps_its_clients)
{
	struct wire *wire = one_in(mover(), SHARD_PHASE_PREPARE);

	grow(1, SHARD_PHASE_STABLE);
	cr_expect_eq(kit.metrics->shards_jumped_total, 1);
	cr_expect(wire_is_open(wire));
	grow(2, SHARD_PHASE_STABLE);
	cr_expect_eq(kit.metrics->shards_jumped_total, 2);
	cr_expect_not(wire_is_open(wire));
}

/* Who runs its hub from now on has never heard of it, and who did has seen it leave. */
Test(reshard, who_starts_over_comes_anew_to_a_router_that_is_new)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_PREPARE);
	grow(1, SHARD_PHASE_STABLE);
	fake_peer_renew(r2, 300);
	EXPECT(r2, letter,
	       "Connected @ user= resumed=0 groups=$; Member group $ @; Replayed 1; ");
}

Test(reshard, what_was_under_way_when_others_went_on_goes_on)
{
	const char letter = mover();
	struct wire *wire = one_in(letter, SHARD_PHASE_COMMIT);

	peer_handle(r1);
	wire_in(wire, CALL);
	grow(1, SHARD_PHASE_STABLE);
	cr_expect_eq(kit.metrics->shards_jumped_total, 1);
	cr_expect_eq(kit.gateway->reshard.releasing_n, 0);
	fake_peer_renew(r2, 100);
	kit_turn(&kit);
	/* Both have seen it leave. */
	EXPECT(r2, letter,
	       "Connected @ user= resumed=0 groups=$; Member group $ @; Replayed 1; "
	       "Invoke @ call=1 id=7 t[]; ");
}

Test(reshard, a_router_that_slept_is_not_believed)
{
	const char letter = mover();

	(void)one_in(letter, SHARD_PHASE_COMMIT);
	released(r1, letter, NULL);
	settle();
	kit_shards(&kit, r2, 1, SHARD_PHASE_STABLE, BOTH, "");
	deliver(r1, GROUP, moving_group());
	cr_expect_eq(kit.metrics->deliver_fenced_total, 1);
	cr_expect_eq(kit.metrics->deliver_total, 0);
	cr_expect_eq(r1->resets, 1);
	deliver(r2, GROUP, moving_group());
	cr_expect_eq(kit.metrics->deliver_total, 1);
}

Test(reshard, what_it_still_owns_it_may_say)
{
	(void)one_in(mover(), SHARD_PHASE_COMMIT);
	released(r1, mover(), NULL);
	settle();
	kit_shards(&kit, r2, 1, SHARD_PHASE_STABLE, BOTH, "");
	deliver(r1, GROUP, kit_name_of(&kit, GROUP, 0, "h"));
	deliver(r1, LINK__KIND__KIND_ALL, "");
	deliver(r1, (Link__Kind)1000, "no kind that there is");
	cr_expect_eq(kit.metrics->deliver_fenced_total, 0);
	cr_expect_eq(kit.metrics->deliver_total, 3);
}
