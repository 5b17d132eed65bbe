/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router while routers come and go: which map it goes by and tells of, what each phase
 * makes it wait for, how what it sends keeps its order, and what it forgets.
 */
#include <criterion/criterion.h>

#include "proto/link/link_private.h"
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

#define GROUP LINK__KIND__KIND_GROUP
#define CONNECTION LINK__KIND__KIND_CONNECTION
#define PREPARE LINK__SHARD_PHASE__SHARD_PHASE_PREPARE
#define COMMIT LINK__SHARD_PHASE__SHARD_PHASE_COMMIT
#define STABLE LINK__SHARD_PHASE__SHARD_PHASE_STABLE

#define ONE "r1=ipc://r1"
#define TWO "r1=ipc://r1,r2=ipc://r2"
#define THEIRS "r2=ipc://r2"

static struct kit *kit;

/* ---- a hub */

static enum hub_rc say(struct hub_call *call)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_string(call, hub_arg_string(call, 1)));
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("said"), arguments);
	return HUB_OK;
}

static int disconnected_n;

static enum hub_rc on_disconnected(struct hub_call *call)
{
	(void)call;
	disconnected_n++;
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Say", .fn = say, .arguments = "ss" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_disconnected = on_disconnected,
};

/* ---- the rig */

static void hear(struct link_peer *peer, uint64_t epoch, Link__ShardPhase phase,
		 const char *routers, const char *next)
{
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = epoch;
	shards.phase = phase;
	shards.routers = link_bytes(slice_from_str(routers));
	shards.next = link_bytes(slice_from_str(next));
	kit_hear_shards(kit, peer, &shards);
	kit_turn(kit);
}

/* r1 learns of r2, which is up and goes by the same map. */
static void prepare(const char *routers, const char *next)
{
	hear(kit->presence, 1, PREPARE, routers, next);
	kit->r2 = shard_link_find(kit->router, SLICE("r2"))->peer;
	kit->r2->incarnation = 2;
}

/* Until the phase is done, or should be. */
static void work(void)
{
	for (int i = 0; i < 200 && !kit->router->reshard.is_done; i++)
		loop_turn(kit->loop, 50);
}

/* ... and PREPARE is done. */
static void prepared(const char *routers, const char *next)
{
	prepare(routers, next);
	hear(kit->r2, 1, PREPARE, routers, next);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	work();
	cr_assert(kit->router->reshard.is_done);
}

static void set_up(void)
{
	kit = kit_new(&hub);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_skip(kit, kit->presence);
}

static void tear_down(void)
{
	kit_free(kit);
}

TestSuite(reshard, .init = set_up, .fini = tear_down, .timeout = 60);

/* Of the names that r1 and r2 share one that is r2's, or stays r1's. */
static const char *name_of(Link__Kind kind, bool is_own)
{
	struct shards two;
	const char *name = "";
	bool found = false;

	cr_assert_eq(shards_parse(&two, TWO), OK);
	for (int i = 0; i < 1000 && !found; i++) {
		name = kit_text(kit, "n%d", i);
		found = (shards_owner(&two, SLICE("hub"), (int)kind,
				      slice_from_str(name)) == 0) == is_own;
	}
	shards_fini(&two);
	return name;
}

static void expect_map(uint64_t epoch, enum shard_phase phase)
{
	cr_expect_eq(kit->router->shards.map.epoch, epoch);
	cr_expect_eq(kit->router->shards.map.phase, phase);
}

/* ---- maps */

Test(reshard, every_peer_is_told_of_the_map_first)
{
	struct link_peer *g3;

	kit->is_of_shards = true;
	g3 = kit_gateway(kit, "g3");
	kit_expect(kit, g3, "shards 0.3 done");
}

Test(reshard, a_greater_map_is_taken_and_told)
{
	kit->is_of_shards = true;
	prepare(ONE, TWO);
	expect_map(1, SHARD_PHASE_PREPARE);
	kit_expect(kit, kit->g1, "shards 1.1");
	kit_expect(kit, kit->presence, "shards 1.1");
	cr_expect_eq(kit->router->metrics.shards_epoch, 1);
	cr_expect_eq(kit->router->metrics.shards_phase, 1);
	cr_expect_eq(kit->router->metrics.shards_jumped_total, 0);
}

Test(reshard, an_older_one_and_one_that_is_none_are_not)
{
	prepare(ONE, TWO);
	hear(kit->g1, 0, STABLE, THEIRS, "");
	hear(kit->g1, 1, PREPARE, ONE, THEIRS);
	expect_map(1, SHARD_PHASE_PREPARE);
	cr_expect_eq(kit->router->metrics.shards_malformed_total, 0);
	hear(kit->g1, 2, STABLE, "what?", "");
	expect_map(1, SHARD_PHASE_PREPARE);
	cr_expect_eq(kit->router->metrics.shards_malformed_total, 1);
}

Test(reshard, routers_come_and_go_with_the_map)
{
	prepare(ONE, TWO);
	cr_expect_not_null(kit->r2);
	hear(kit->g1, 2, STABLE, ONE, "");
	cr_expect_null(shard_link_find(kit->router, SLICE("r2")));
	cr_expect_eq(kit->router->shards.n, 1);
}

struct again {
	struct ask ask;
	const struct link_peer *owner; /* when the ask was over */
};

static void ask_again(struct ask *ask, const struct ask_answer *answer)
{
	struct again *again = CONTAINER_OF(ask, struct again, ask);
	const struct shard_link *r3 = shard_link_find(kit->router, SLICE("r3"));

	cr_expect_eq(answer->rc, ERR_OUTCOME);
	again->owner = r3 != NULL ? r3->peer : NULL;
}

/* Whoever asked a router that goes and asks again at once finds those that stay. */
Test(reshard, the_owners_are_there_before_who_left_is_lost)
{
	const char *with_r2 = "r1=ipc://r1,r2=ipc://r2,r3=ipc://r3";
	const char *without = "r1=ipc://r1,r3=ipc://r3";
	struct again again = { .owner = NULL };
	const struct link_peer *r3;

	prepare(with_r2, without);
	r3 = shard_link_find(kit->router, SLICE("r3"))->peer;
	hear(kit->presence, 1, COMMIT, with_r2, without);
	ask_start(&again.ask, &kit->router->asks, 60000, ask_again);
	(void)ask_put_to(&again.ask, kit->r2); /* it has gone there */
	again.ask.is_handled = true;
	hear(kit->presence, 1, STABLE, without, "");
	cr_expect_not_null(again.owner);
	cr_expect_eq(again.owner, r3);
}

/* ---- PREPARE is done */

Test(reshard, prepare_waits_for_the_others_word_and_for_what_went_before)
{
	kit->is_of_shards = true;
	prepare(ONE, TWO);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_skip(kit, kit->presence);
	loop_turn(kit->loop, 50);
	loop_turn(kit->loop, 50);
	kit_expect_silence(kit, kit->g1);
	hear(kit->r2, 1, PREPARE, ONE, TWO);
	kit_turn(kit);
	/* What gateways had got before must be handled. */
	kit_expect(kit, kit->g1, "shards 1.1");
	kit_expect(kit, kit->g2, "shards 1.1");
	cr_expect_not(kit->router->reshard.is_done);
	kit_ack(kit, kit->g1);
	cr_expect_not(kit->router->reshard.is_done);
	kit_ack(kit, kit->g2);
	kit_turn(kit);
	cr_expect(kit->router->reshard.is_done);
	kit_expect(kit, kit->presence, "shards 1.1 done");
}

Test(reshard, prepare_does_not_wait_for_a_gateway_that_is_lost)
{
	prepare(ONE, TWO);
	hear(kit->r2, 1, PREPARE, ONE, TWO);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	cr_expect_not(kit->router->reshard.is_done);
	kit_gone(kit, kit->g2);
	work();
	cr_expect(kit->router->reshard.is_done);
}

/* ---- sends */

static void say_as(const char *id, const char *group, const char *text)
{
	kit_invoke(kit, kit->g1, id, NULL, "Say",
		   kit_text(kit, "[\"%s\",\"%s\"]", group, text));
	kit_turn(kit);
}

static void say_to(const char *group, const char *text)
{
	say_as("c1", group, text);
}

static void connect_c1(void)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_member(kit, kit->g2, GROUP, name_of(GROUP, false), "c2", false);
	kit_member(kit, kit->g2, GROUP, name_of(GROUP, true), "c2", false);
}

#define SAID(text) "{\"type\":1,\"target\":\"said\",\"arguments\":[\"" text "\"]}"

Test(reshard, what_is_sent_does_not_overtake_what_went_the_old_way)
{
	const char *moving = name_of(GROUP, false);
	const char *staying = name_of(GROUP, true);

	connect_c1();
	prepared(ONE, TWO);
	say_to(moving, "one");
	kit_expect(kit, kit->g2, "deliver group %s " SAID("one"), moving);
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	say_to(moving, "two");
	say_to(moving, "three");
	kit_expect(kit, kit->r2, "state_move last");
	kit_expect_silence(kit, kit->r2);
	cr_expect_eq(kit->router->metrics.shards_held_total, 2);
	/* What does not move does not wait. */
	say_to(staying, "here");
	kit_expect(kit, kit->g2, "deliver group %s " SAID("here"), staying);
	kit_ack(kit, kit->g2);
	kit_turn(kit);
	kit_expect(kit, kit->r2, "send group %s " SAID("two"), moving);
	kit_expect(kit, kit->r2, "send group %s " SAID("three"), moving);
	cr_expect_eq(kit->router->asks.old_n, 0);
	say_to(moving, "four");
	kit_expect(kit, kit->r2, "send group %s " SAID("four"), moving);
}

Test(reshard, what_is_held_is_bounded)
{
	const char *moving = name_of(GROUP, false);

	connect_c1();
	prepared(ONE, TWO);
	say_to(moving, "one");
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	kit->conf.shards_hold_bytes_max = 1;
	say_to(moving, "two");
	cr_expect_eq(kit->router->metrics.shards_hold_refused_total, 1);
	cr_expect_eq(kit->router->reshard.hold.bytes, 0);
	kit->conf.shards_hold_bytes_max = 65536;
	say_to(moving, "three");
	kit->conf.shards_hold_bytes_max = 2 * (int64_t)kit->router->reshard.hold.bytes;
	say_to(moving, "fours");
	cr_expect_eq(kit->router->metrics.shards_hold_refused_total, 1);
	say_to(moving, "fives");
	cr_expect_eq(kit->router->metrics.shards_hold_refused_total, 2);
}

Test(reshard, a_jump_leaves_what_was_asked_with_an_unknown_outcome)
{
	const char *moving = name_of(GROUP, false);

	connect_c1();
	kit_invoke(kit, kit->g1, "c1", "7", "Say",
		   kit_text(kit, "[\"%s\",\"one\"]", moving));
	kit_turn(kit);
	hear(kit->presence, 4, STABLE, TWO, "");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.shards_jumped_total, 1);
	cr_expect_eq(kit->router->asks.by_number.count, 0);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 1);
}

/* Presence took us for dead in COMMIT and went on: the next phase is one step. */
Test(reshard, what_is_held_fails_when_the_others_have_gone_on)
{
	const char *c1 = name_of(CONNECTION, true);
	const char *moving = name_of(GROUP, false);

	kit_member(kit, kit->g2, GROUP, moving, "c2", false);
	kit_connect(kit, kit->g1, c1, "ann");
	prepared(ONE, TWO);
	say_as(c1, moving, "one");
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	say_as(c1, moving, "two");
	cr_assert_eq(kit->router->metrics.shards_held_total, 1);
	hear(kit->presence, 1, STABLE, TWO, "");
	cr_expect_eq(kit->router->metrics.shards_jumped_total, 1);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 2);
	cr_expect_eq(kit->router->reshard.hold.bytes, 0);
	kit_skip(kit, kit->r2);
	say_as(c1, moving, "three");
	kit_skip(kit, kit->g2);
	kit_turn(kit);
	/* "two" does not come behind it. */
	kit_expect(kit, kit->r2, "send group %s " SAID("three"), moving);
	kit_expect_silence(kit, kit->r2);
}

Test(reshard, an_epoch_that_is_given_up_fails_nothing)
{
	const char *moving = name_of(GROUP, false);

	connect_c1();
	prepare(ONE, TWO);
	say_to(moving, "one");
	hear(kit->presence, 2, STABLE, ONE, "");
	cr_expect_eq(kit->router->metrics.shards_jumped_total, 0);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 0);
	cr_expect_eq(kit->router->asks.by_number.count, 1);
}

Test(reshard, who_asks_for_what_moved_is_refused)
{
	Link__Send send = LINK__SEND__INIT;
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;

	prepared(ONE, TWO);
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	hear(kit->presence, 1, STABLE, TWO, "");
	kit_skip(kit, kit->r2);
	send.hub = list.hub = link_bytes(SLICE("hub"));
	send.kind = GROUP;
	send.name = list.group = link_bytes(slice_from_str(name_of(GROUP, false)));
	send.call = list.call = 5;
	kit_hear_send(kit, kit->r2, &send);
	kit_expect(kit, kit->r2, "sent ERR_MOVED");
	kit_hear_list_members(kit, kit->r2, &list);
	kit_expect(kit, kit->r2, "members ERR_MOVED");
	cr_expect_eq(kit->router->metrics.shards_moved_total, 2);
	/* A gateway that has not heard yet tells of members in vain. */
	kit_member(kit, kit->g1, GROUP, name_of(GROUP, false), "c1", false);
	cr_expect_eq(kit->router->metrics.shards_moved_total, 3);
	cr_expect_eq(kit->router->groups.members.count, 0);
}

/* ---- STABLE */

static void release(const char *connection)
{
	Link__Release message = LINK__RELEASE__INIT;

	message.hub = link_bytes(SLICE("hub"));
	message.connection = link_bytes(slice_from_str(connection));
	kit_hear_release(kit, kit->g1, &message);
	kit_turn(kit);
}

/* Its gateway slept, and tells the new owner of it as of a new one. */
Test(reshard, a_connection_that_was_not_released_ends_in_order)
{
	kit_connect(kit, kit->g1, name_of(CONNECTION, true), "ann");
	kit_connect(kit, kit->g1, name_of(CONNECTION, false), "bob");
	kit_turn(kit);
	prepared(ONE, TWO);
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	hear(kit->presence, 1, STABLE, TWO, "");
	work();
	cr_expect(kit->router->reshard.is_done);
	kit_turn(kit);
	cr_expect_eq(kit->router->conns.count, 1);
	cr_expect_eq(disconnected_n, 1);
	cr_expect_eq(kit->router->metrics.standbys, 0);
	cr_expect_eq(kit->router->metrics.calls, 0);
}

Test(reshard, what_others_own_is_forgotten_and_the_rest_is_not)
{
	enum { N = 5000 };
	struct shards two;
	size_t ours = 0;

	cr_assert_eq(shards_parse(&two, TWO), OK);
	for (int i = 0; i < N; i++) {
		const char *name = kit_text(kit, "n%d", i);

		kit_member(kit, kit->g1, GROUP, name, "c1", false);
		ours += shards_owner(&two, SLICE("hub"), GROUP, slice_from_str(name)) ==
			0;
	}
	kit_connect(kit, kit->g1, name_of(CONNECTION, true), "ann");
	kit_connect(kit, kit->g1, name_of(CONNECTION, false), "bob");
	kit_turn(kit);
	prepared(ONE, TWO);
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	release(name_of(CONNECTION, false));
	hear(kit->presence, 1, STABLE, TWO, "");
	cr_expect_gt(kit->router->groups.groups.count, ours, "in pieces");
	work();
	cr_expect(kit->router->reshard.is_done);
	cr_expect_eq(kit->router->groups.groups.count, ours);
	cr_expect_eq(kit->router->conns.count, 1);
	cr_expect_eq(kit->router->metrics.shards_dropped_groups_total, N - ours);
	cr_expect_eq(kit->router->metrics.shards_dropped_conns_total, 1);
	cr_expect_eq(disconnected_n, 0, "it is another's now");
	shards_fini(&two);
}

Test(reshard, a_group_of_more_than_a_piece_goes_too)
{
	const char *moving = name_of(GROUP, false);

	for (int i = 0; i < 10000; i++)
		kit_member(kit, kit->g1, GROUP, moving, kit_text(kit, "c%d", i), false);
	prepared(ONE, TWO);
	hear(kit->presence, 1, COMMIT, ONE, TWO);
	hear(kit->presence, 1, STABLE, TWO, "");
	work();
	cr_expect_eq(kit->router->groups.members.count, 0);
	cr_expect_eq(kit->router->metrics.shards_dropped_groups_total, 1);
}

Test(reshard, who_is_in_no_list_owns_nothing_and_knows_nobody)
{
	kit_member(kit, kit->g1, GROUP, "a", "c1", false);
	prepared(ONE, THEIRS);
	hear(kit->presence, 1, COMMIT, ONE, THEIRS);
	hear(kit->presence, 1, STABLE, THEIRS, "");
	work();
	cr_expect_eq(kit->router->shards.self, SHARD_LINKS_NOWHERE);
	cr_expect(kit->router->shards.was_in);
	cr_expect_eq(kit->router->groups.groups.count, 0);
	cr_expect_null(shard_link_find(kit->router, SLICE("r2")));
	cr_expect_not(shard_is_ours(kit->router, SLICE("hub"), GROUP, SLICE("a")));
	/* A method that still runs sends in vain. */
	kit_connect(kit, kit->g1, "c1", "ann");
	say_to("a", "one");
	kit_expect(kit, kit->g1, "complete c1 1 -");
}
