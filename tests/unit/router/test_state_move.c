/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs in memory when its owner changes: all of it goes, none of it is asked
 * of the wrong router, and nobody is answered before it is there.
 */
#include <criterion/criterion.h>

#include "proto/link/link_private.h"
#include "tests/unit/router/hub_kit.h"

#define PREPARE LINK__SHARD_PHASE__SHARD_PHASE_PREPARE
#define COMMIT LINK__SHARD_PHASE__SHARD_PHASE_COMMIT
#define STABLE LINK__SHARD_PHASE__SHARD_PHASE_STABLE

#define ONE "r1=ipc://r1"
#define TWO "r1=ipc://r1,r2=ipc://r2"
#define THEIRS "r2=ipc://r2"

static struct kit *kit;

/* ---- a hub */

static const struct hub_bounds bounds = { .entries_max = 100, .ttl_ms = 60000 };

static enum hub_rc append(struct hub_call *call)
{
	return hub_await_log_append(call, hub_arg_string(call, 0),
				    hub_arg_string(call, 1), &bounds, HUB_ANY, NULL);
}

static enum hub_rc count(struct hub_call *call)
{
	const struct hub_entry *entries;
	uint64_t last;
	size_t n;
	const enum hub_rc rc = hub_await_log_read(call, hub_arg_string(call, 0), 0, 0,
						  100, &entries, &n, &last);

	hub_return(call, hub_int(call, (int64_t)(n * 1000 + last)));
	return rc;
}

static enum hub_rc put(struct hub_call *call)
{
	uint64_t version;
	const enum hub_rc rc =
		hub_await_field_put(call, hub_arg_string(call, 0), SLICE("field"),
				    hub_arg_string(call, 1), &bounds, HUB_ANY, &version);

	hub_return(call, hub_int(call, (int64_t)version));
	return rc;
}

static enum hub_rc changes(struct hub_call *call)
{
	struct hub_changes news;
	const enum hub_rc rc =
		hub_await_changes(call, hub_arg_string(call, 0), 0, 30000, &news);

	hub_return(call, hub_int(call, (int64_t)news.n));
	return rc;
}

static const struct hub_method methods[] = {
	{ .name = "Append", .fn = append, .arguments = "ss" },
	{ .name = "Count", .fn = count, .arguments = "s" },
	{ .name = "Put", .fn = put, .arguments = "ss" },
	{ .name = "Changes", .fn = changes, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

/* ---- the rig */

static void set_up(void)
{
	struct router_conf conf = kit_conf();

	conf.state_bytes_max = 64 << 20;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void tear_down(void)
{
	kit_free(kit);
}

TestSuite(state_move, .init = set_up, .fini = tear_down, .timeout = 60);

/* From presence, and from r2 if it is there. */
static void hear(uint64_t epoch, Link__ShardPhase phase, const char *routers,
		 const char *next)
{
	Link__Shards shards = LINK__SHARDS__INIT;
	struct shard_link *r2;

	shards.epoch = epoch;
	shards.phase = phase;
	shards.routers = link_bytes(slice_from_str(routers));
	shards.next = link_bytes(slice_from_str(next));
	kit_hear_shards(kit, kit->presence, &shards);
	r2 = shard_link_find(kit->router, SLICE("r2"));
	if (r2 != NULL) {
		kit->r2 = r2->peer;
		kit->r2->incarnation = 2;
		kit_hear_shards(kit, kit->r2, &shards);
	}
	kit_turn(kit);
}

/* From presence: r2 has another map. */
static void hear_without_r2(uint64_t epoch, Link__ShardPhase phase, const char *routers,
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

static void call(const char *method, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "7", method, arguments);
	kit_turn(kit);
	kit_turn(kit);
}

static void expect_result(const char *result)
{
	kit_expect(kit, kit->g1, "complete c1 %d {\"type\":3,\"invocationId\":\"7\",%s}",
		   (int)kit->last_invoke, result);
}

/* Until r2 is told of something. */
static const char *said_to_r2(void)
{
	const char *said = "";

	for (int i = 0; i < 100 && said[0] == '\0'; i++) {
		loop_turn(kit->loop, 20);
		said = kit_said(kit, kit->r2);
	}
	return said;
}

static void hear_moved(bool is_last, const char *value, uint64_t last)
{
	Link__StateMove move = LINK__STATE_MOVE__INIT;
	Link__StateEntry entry = LINK__STATE_ENTRY__INIT;
	Link__StateEntry *entries = &entry;

	move.is_last = is_last;
	move.hub = link_bytes(SLICE("hub"));
	move.key = link_bytes(SLICE("key"));
	move.is_log = true;
	move.last = last;
	move.life = 77;
	move.left_ms = 60000;
	entry.number = last;
	entry.value = link_bytes(slice_from_str(value));
	move.entries = &entries;
	move.n_entries = value != NULL;
	kit_hear_state_move(kit, kit->r2, &move);
	kit_turn(kit);
	kit_turn(kit);
}

/* ---- the old owner */

Test(state_move, all_that_is_kept_goes_and_then_the_last_word)
{
	call("Append", "[\"key\",\"a\"]");
	call("Append", "[\"key\",\"b\"]");
	call("Put", "[\"other\",\"c\"]");
	kit_skip(kit, kit->g1);
	hear(1, PREPARE, ONE, THEIRS);
	cr_expect_eq(kit->router->state.table.items.count, 2);
	hear(1, COMMIT, ONE, THEIRS);
	for (int i = 0; i < 2; i++) {
		const char *said = said_to_r2();

		cr_expect(strcmp(said, "state_move key log =a =b") == 0 ||
				  strcmp(said, "state_move other fields field=c") == 0,
			  "%s", said);
	}
	cr_expect_str_eq(said_to_r2(), "state_move last");
	cr_expect_eq(kit->router->state.table.items.count, 0);
	cr_expect_eq(kit->router->metrics.state_moved_total, 2);
	cr_expect_not(kit->router->reshard.is_done);
	/* Done when the other has taken it, and has nothing for us. */
	kit_ack(kit, kit->r2);
	hear_moved(true, NULL, 0);
	for (int i = 0; i < 100 && !kit->router->reshard.is_done; i++)
		loop_turn(kit->loop, 20);
	cr_expect(kit->router->reshard.is_done);
}

Test(state_move, a_router_that_begins_anew_hears_the_last_word_again)
{
	hear(1, PREPARE, ONE, THEIRS);
	hear(1, COMMIT, ONE, THEIRS);
	cr_expect_str_eq(said_to_r2(), "state_move last");
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	cr_expect_str_eq(said_to_r2(), "state_move last");
}

Test(state_move, a_long_key_goes_in_pieces)
{
	const size_t len = 400 << 10;
	struct buf text = BUF_INIT;

	buf_append_str(&text, "[\"key\",\"");
	for (size_t i = 0; i < len; i++)
		buf_append_byte(&text, 'x');
	buf_append(&text, "\"]", 3);
	for (int i = 0; i < 5; i++)
		call("Append", text.ptr);
	kit_skip(kit, kit->g1);
	hear(1, PREPARE, ONE, THEIRS);
	hear(1, COMMIT, ONE, THEIRS);
#define X "xxxxxxxxxxxxxxxxxxxx"
	cr_expect_str_eq(said_to_r2(), "state_move key log =" X " =" X " =" X " more");
	cr_expect_str_eq(said_to_r2(), "state_move key log =" X " =" X);
	/* The link was full. */
	cr_expect(kit->router->state_move.is_sending);
	kit_ack(kit, kit->r2);
	cr_expect_str_eq(said_to_r2(), "state_move last");
	buf_fini(&text);
}

Test(state_move, who_asks_the_old_owner_is_told_so_and_who_waits_there_too)
{
	Link__State state = LINK__STATE__INIT;

	hear(1, PREPARE, TWO, THEIRS);
	/* Of this router's, while senders go by the old list. */
	state.hub = link_bytes(SLICE("hub"));
	state.key =
		link_bytes(slice_from_str(kit_name(kit, LINK__KIND__KIND_GROUP, true)));
	state.op = LINK__STATE_OP__STATE_OP_LIST;
	state.call = 5;
	state.wait_ms = 30000;
	kit_hear_state(kit, kit->r2, &state);
	kit_expect_silence(kit, kit->r2);
	hear(1, COMMIT, TWO, THEIRS);
	kit_expect(kit, kit->r2, "state_done ERR_MOVED");
	cr_expect_str_eq(said_to_r2(), "state_move last");
	state.call = 6;
	kit_hear_state(kit, kit->r2, &state);
	kit_expect(kit, kit->r2, "state_done ERR_MOVED");
}

/* ---- the new owner */

Test(state_move, nobody_is_answered_before_it_has_come)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	call("Count", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	hear_moved(false, "a", 4);
	hear_moved(false, "b", 5);
	kit_expect_silence(kit, kit->g1);
	hear_moved(true, NULL, 0);
	expect_result("\"result\":1005");
	/* Numbers go on where they were. */
	call("Append", "[\"key\",\"c\"]");
	expect_result("\"result\":null");
	call("Count", "[\"key\"]");
	expect_result("\"result\":2006");
}

Test(state_move, what_waits_is_bounded)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	kit->conf.shards_hold_bytes_max = 1;
	call("Count", "[\"key\"]");
	cr_expect_eq(kit->router->metrics.shards_hold_refused_total, 1);
	kit_skip(kit, kit->g1);
}

Test(state_move, nobody_waits_for_a_router_that_is_lost_or_dead)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	call("Count", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	kit_restart(kit, kit->r2);
	kit_turn(kit);
	expect_result("\"result\":0");
}

Test(state_move, nor_for_one_that_presence_does_not_name)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	call("Count", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	kit_turn(kit);
	expect_result("\"result\":0");
}

static void hear_named(struct link_peer *presence, const struct link_peer *named)
{
	Link__Topology topology = LINK__TOPOLOGY__INIT;
	Link__Peer peer = LINK__PEER__INIT;
	Link__Peer *peers = &peer;

	peer.role = link_peer_role(named);
	peer.name = link_bytes(slice_from_str(link_peer_name(named)));
	peer.incarnation = link_peer_incarnation(named);
	topology.is_settled = true;
	topology.peers = &peers;
	topology.n_peers = 1;
	kit_hear_topology(kit, presence, &topology);
	kit_turn(kit);
	kit_turn(kit);
}

Test(state_move, but_for_one_that_a_replica_still_names)
{
	struct link_peer *p2 =
		link_expect(kit->router->link, LINK__ROLE__ROLE_PRESENCE, "p2");

	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	hear_named(p2, kit->r2);
	call("Count", "[\"key\"]");
	hear_named(kit->presence, kit->g1);
	kit_expect_silence(kit, kit->g1);
	hear_named(p2, kit->g1);
	expect_result("\"result\":0");
}

Test(state_move, nor_for_any_once_the_map_is_stable)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	call("Count", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	hear(1, STABLE, ONE, "");
	kit_turn(kit);
	expect_result("\"result\":0");
}

/* It has kept things since, and has them to move. */
Test(state_move, but_for_one_that_came_back_before)
{
	hear(1, PREPARE, THEIRS, ONE);
	kit_restart(kit, kit->r2);
	kit_turn(kit);
	hear(1, COMMIT, THEIRS, ONE);
	call("Count", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	hear_moved(false, "a", 4);
	kit_expect_silence(kit, kit->g1);
	hear_moved(true, NULL, 0);
	expect_result("\"result\":1004");
}

static void expect_late(uint64_t n)
{
	cr_expect_eq(kit->router->metrics.state_late_total, n);
}

/* r2 stands still, and is given up. */
static void lose_r2(void)
{
	hear(1, PREPARE, THEIRS, ONE);
	hear(1, COMMIT, THEIRS, ONE);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
}

Test(state_move, what_comes_too_late_does_not_undo_what_was_answered)
{
	lose_r2();
	call("Append", "[\"key\",\"new\"]");
	expect_result("\"result\":null");
	hear_moved(false, "old", 5);
	hear_moved(true, NULL, 0);
	expect_late(1);
	hear_without_r2(1, STABLE, ONE, "");
	call("Append", "[\"key\",\"newer\"]");
	expect_result("\"result\":null");
	call("Count", "[\"key\"]");
	expect_result("\"result\":2002");
}

Test(state_move, what_comes_before_anybody_was_answered_is_taken)
{
	lose_r2();
	hear_moved(false, "old", 5);
	expect_late(0);
	call("Count", "[\"key\"]");
	expect_result("\"result\":1005");
}

Test(state_move, what_comes_in_another_phase_or_epoch_is_not)
{
	hear(1, PREPARE, THEIRS, TWO);
	hear(1, COMMIT, THEIRS, TWO);
	hear_without_r2(1, STABLE, TWO, "");
	hear_moved(false, "old", 5);
	expect_late(1);
	hear_without_r2(2, PREPARE, TWO, ONE);
	hear_moved(false, "old", 5);
	expect_late(2);
	hear_without_r2(2, COMMIT, TWO, ONE);
	hear_moved(false, "old", 5);
	expect_late(3);
	/* Nor is its last word that of this epoch. */
	hear_moved(true, NULL, 0);
	cr_expect_not(shard_link_find(kit->router, SLICE("r2"))->has_moved_state);
	cr_expect_eq(kit->router->state.table.items.count, 0);
}

Test(state_move, who_was_answered_without_is_not_waited_for_when_it_is_back)
{
	lose_r2();
	call("Count", "[\"key\"]");
	expect_result("\"result\":0");
	kit_topology(kit, true, kit->g1, kit->r2);
	kit_turn(kit);
	kit_ack(kit, kit->r2);
	for (int i = 0; i < 100 && !kit->router->reshard.is_done; i++)
		loop_turn(kit->loop, 20);
	cr_expect(kit->router->reshard.is_done);
	call("Count", "[\"key\"]");
	expect_result("\"result\":0");
}

/* ---- who asks */

Test(state_move, who_asked_the_old_owner_asks_the_new_one)
{
	const char *key;
	const char *said;

	hear(1, PREPARE, THEIRS, ONE);
	key = "key";
	call("Append", kit_text(kit, "[\"%s\",\"a\"]", key));
	said = said_to_r2();
	cr_expect_eq(strncmp(said, "state append", 12), 0, "%s", said);
	hear(1, COMMIT, THEIRS, ONE);
	hear_moved(true, NULL, 0);
	{
		Link__StateDone done = LINK__STATE_DONE__INIT;

		done.call = kit->call;
		done.rc = ERR_MOVED;
		kit_hear_state_done(kit, kit->r2, &done);
	}
	kit_turn(kit);
	kit_turn(kit);
	expect_result("\"result\":null");
	call("Count", "[\"key\"]");
	expect_result("\"result\":1001");
}

Test(state_move, a_wait_goes_on_at_the_new_owner)
{
	hear(1, PREPARE, TWO, ONE);
	hear(1, COMMIT, TWO, ONE);
	hear_moved(true, NULL, 0);
	call("Changes", "[\"key\"]");
	kit_expect_silence(kit, kit->g1);
	hear(1, STABLE, ONE, "");
	kit_expect_silence(kit, kit->g1);
	kit_connect(kit, kit->g1, "c2", "bob");
	kit_invoke(kit, kit->g1, "c2", NULL, "Put", "[\"key\",\"x\"]");
	kit_turn(kit);
	kit_turn(kit);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c2 2 -");
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"7\",\"result\":1}");
}
