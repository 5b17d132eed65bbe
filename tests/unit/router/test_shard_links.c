/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router that no list has: it waits to be added, or has left. It owns nothing, so it
 * has nothing to make whole, and no gateway missed anything by it.
 */
#include "router/shard_links.h"

#include "tests/unit/router/hub_kit.h"

#define PREPARE LINK__SHARD_PHASE__SHARD_PHASE_PREPARE
#define COMMIT LINK__SHARD_PHASE__SHARD_PHASE_COMMIT
#define STABLE LINK__SHARD_PHASE__SHARD_PHASE_STABLE

#define TWO "r1=ipc://r1,r2=ipc://r2"
#define THEIRS "r2=ipc://r2"

static struct kit *kit;

static void hear(uint64_t epoch, Link__ShardPhase phase, const char *routers,
		 const char *next)
{
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = epoch;
	shards.phase = phase;
	shards.routers = link_bytes(slice_from_str(routers));
	shards.next = link_bytes(slice_from_str(next));
	kit_hear_shards(kit, kit->presence, &shards);
	kit_turn(kit);
}

static uint64_t gone[2]; /* incarnations of g1 and g2, which are no peers any more */

/* Presence, which is settled, names them. */
static void name_gone(void)
{
	static const char *const names[] = { "g1", "g2" };
	Link__Peer peers[] = { LINK__PEER__INIT, LINK__PEER__INIT };
	Link__Peer *pointers[] = { &peers[0], &peers[1] };
	Link__Topology topology = LINK__TOPOLOGY__INIT;

	for (size_t i = 0; i < 2; i++) {
		peers[i].role = LINK__ROLE__ROLE_GATEWAY;
		peers[i].name = link_bytes(slice_from_str(names[i]));
		peers[i].incarnation = gone[i];
	}
	topology.peers = pointers;
	topology.n_peers = 2;
	topology.is_settled = true;
	kit_hear_topology(kit, kit->presence, &topology);
}

static void set_up(void)
{
	static char routers[] = TWO;
	struct router_conf conf = kit_conf();

	/* As it is told to be started: with the list that is to be. */
	conf.routers = routers;
	kit_open_log();
	kit = kit_new_conf(NULL, &conf);
	gone[0] = link_peer_incarnation(kit->g1);
	gone[1] = link_peer_incarnation(kit->g2);
	kit_gone(kit, kit->g1);
	kit_gone(kit, kit->g2);
}

static void tear_down(void)
{
	kit_free(kit);
}

TestSuite(shard_links, .init = set_up, .fini = tear_down, .timeout = 60);

static bool is_done(void)
{
	return kit->router->rebuild.is_done;
}

static bool has_logged(const char *event)
{
	return strstr(kit_logged(kit), event) != NULL;
}

/* Presence names two gateways, of which none knows us. */
static void wait_outside(void)
{
	name_gone();
	hear(5, STABLE, THEIRS, "");
	kit->conf.rebuild_timeout_ms = 1;
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	kit->conf.rebuild_timeout_ms = 60000;
}

static struct link_peer *replay(struct link_peer *gateway)
{
	kit_member(kit, gateway, LINK__KIND__KIND_GROUP, "gg", "c1", false);
	kit_replayed(kit, gateway);
	kit_turn(kit);
	return gateway;
}

Test(shard_links, who_owns_nothing_waits_for_no_gateway)
{
	name_gone();
	kit_turn(kit);
	cr_assert_not(is_done());
	hear(5, STABLE, THEIRS, "");
	cr_expect(is_done());
	cr_expect_eq(kit->router->metrics.rebuilding, 0);
	cr_expect_not(timer_is_running(&kit->router->rebuild.timeout_timer));
	cr_expect(has_logged("why=unlisted"));
	/* One that has heard of us before we have. */
	(void)kit_gateway(kit, "g3");
	cr_expect(is_done());
}

Test(shard_links, who_was_never_in_a_list_waits_and_who_was_has_left)
{
	hear(5, STABLE, THEIRS, "");
	cr_expect(has_logged("shards.waiting"));
	hear(6, PREPARE, THEIRS, TWO);
	hear(7, STABLE, THEIRS, ""); /* given up */
	cr_expect_not(kit->router->shards.was_in);
	cr_expect_not(has_logged("shards.left"));
	hear(8, PREPARE, THEIRS, TWO);
	hear(8, COMMIT, THEIRS, TWO);
	cr_expect(kit->router->shards.was_in);
	hear(8, STABLE, TWO, "");
	hear(9, PREPARE, TWO, THEIRS);
	hear(9, COMMIT, TWO, THEIRS);
	cr_expect_not(has_logged("shards.left"));
	hear(9, STABLE, THEIRS, "");
	cr_expect(has_logged("shards.left"));
}

Test(shard_links, who_comes_into_a_list_waits_for_all_and_fences_nobody)
{
	struct link_peer *g1;
	struct link_peer *g2;

	wait_outside();
	hear(6, PREPARE, THEIRS, TWO);
	name_gone();
	kit_turn(kit);
	cr_expect_not(is_done());
	g1 = kit_gateway(kit, "g1");
	kit_expect_silence(kit, replay(g1));
	cr_expect_not(is_done(), "g2 is named");
	g2 = kit_gateway(kit, "g2");
	kit_expect_silence(kit, replay(g2));
	cr_expect(is_done());
	cr_expect_eq(kit->router->metrics.rebuild_timeout_total, 0);
}

/* They began with a list that has us, and we with one that has not. */
static void given(char *routers)
{
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	kit_free(kit);
	kit = kit_new_conf(NULL, &conf);
}

static void tell_anew(struct link_peer *gateway)
{
	kit_renew(kit, gateway);
	(void)replay(gateway);
}

Test(shard_links, what_was_passed_over_before_the_first_map_is_asked_for_again)
{
	static char theirs[] = THEIRS;

	given(theirs);
	kit_replayed(kit, kit->g1);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "gg", "c1", false);
	kit_turn(kit);
	cr_assert(is_done());
	hear(1, STABLE, TWO, "");
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	cr_expect_not(is_done());
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 2);
	tell_anew(kit->g1);
	cr_expect_not(is_done(), "g2 has not told anew");
	tell_anew(kit->g2);
	cr_expect(is_done());
	hear(2, PREPARE, TWO, THEIRS);
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 2);
}

/* Of two lists that both have us. */
Test(shard_links, sends_wait_for_what_was_passed_over)
{
	static char three[] = "r1=ipc://r1,r2=ipc://r2,r3=ipc://r3";

	given(three);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_replayed(kit, kit->g1);
	for (int i = 0; i < 20; i++)
		kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, kit_text(kit, "g%d", i),
			   "c1", false);
	kit_replayed(kit, kit->g2);
	kit_turn(kit);
	cr_assert(is_done());
	hear(1, STABLE, TWO, "");
	cr_expect_not(is_done());
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 1, "g2 alone");
	tell_anew(kit->g2);
	cr_expect(is_done());
}

Test(shard_links, without_a_settled_presence_the_wait_stands_in)
{
	wait_outside();
	kit_topology(kit, false, NULL, NULL);
	hear(6, PREPARE, THEIRS, TWO);
	cr_expect(timer_is_running(&kit->router->rebuild.wait_timer));
	cr_expect_not(is_done());
}

Test(shard_links, nobody_is_fenced_before_senders_use_the_new_list)
{
	struct link_peer *gateway;

	wait_outside();
	hear(6, PREPARE, THEIRS, TWO);
	kit_topology(kit, true, NULL, NULL);
	kit_turn(kit);
	cr_assert(is_done());
	cr_expect_not(shard_links_own(&kit->router->shards));
	gateway = kit_gateway(kit, "g3");
	kit_expect_silence(kit, replay(gateway));
	cr_assert(is_done());
	hear(6, COMMIT, THEIRS, TWO);
	cr_expect(shard_links_own(&kit->router->shards));
	kit_expect(kit, kit_gateway(kit, "g4"), "fence");
}

/* It may have been sent to by those who had not heard. */
Test(shard_links, who_leaves_fences_to_the_end)
{
	kit_topology(kit, true, NULL, NULL);
	kit_turn(kit);
	cr_assert(is_done());
	hear(1, PREPARE, TWO, THEIRS);
	kit_expect(kit, replay(kit_gateway(kit, "g3")), "fence");
	hear(1, COMMIT, TWO, THEIRS);
	kit_expect(kit, replay(kit_gateway(kit, "g4")), "fence");
	hear(1, STABLE, THEIRS, "");
	kit_expect_silence(kit, kit_gateway(kit, "g5"));
}

/* What it had is dropped: a gateway that it knows from then has to tell all again. */
Test(shard_links, who_comes_back_begins_anew)
{
	struct link_peer *gateway;

	gateway = replay(kit_gateway(kit, "g3"));
	kit_topology(kit, true, gateway, NULL);
	kit_turn(kit);
	cr_assert(is_done());
	hear(1, PREPARE, TWO, THEIRS);
	hear(1, COMMIT, TWO, THEIRS);
	hear(1, STABLE, THEIRS, "");
	hear(2, PREPARE, THEIRS, TWO);
	kit_topology(kit, true, gateway, NULL);
	kit_turn(kit);
	cr_expect_not(is_done());
	kit_skip(kit, gateway);
	kit_renew(kit, gateway);
	kit_expect_silence(kit, replay(gateway));
	cr_expect(is_done());
}
