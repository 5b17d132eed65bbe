/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection leaves for g2: what the routers are told, and when its client's socket is
 * closed.
 */
#include "gateway/handover.h"

#include <criterion/criterion.h>

#include "gateway/claim.h"
#include "gateway/drain.h"
#include "gateway/join.h"
#include "gateway/moving.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

static struct kit kit;
static struct wire *wire;

static void setup(void)
{
	kit_up(&kit);
	wire = kit_open_stateful(&kit, 'A');
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(handover, .init = setup, .fini = teardown);

static void start(void)
{
	cr_assert(handover_may_start(wire->conn));
	cr_assert_eq(handover_start(wire->conn), OK);
}

static void take(unsigned call, enum err rc, bool is_done)
{
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	taken.connection = link_bytes(kit_id('A'));
	taken.call = call;
	taken.rc = rc;
	taken.is_done = is_done;
	taken.gateway = link_bytes(SLICE("g2"));
	handover_on_taken(kit.gateway, &taken);
}

/* Router `i` has moved the group, if there is one. */
static void cut(size_t i, const char *group)
{
	struct gateway_router *router = kit.gateway->routers.items[i];
	Link__HandoverKey key = LINK__HANDOVER_KEY__INIT;
	Link__HandoverKey *keys = &key;
	Link__HandoverMoved moved = LINK__HANDOVER_MOVED__INIT;

	key.kind = LINK__KIND__KIND_GROUP;
	if (group != NULL)
		key.name = link_bytes(slice_from_str(group));
	moved.connection = link_bytes(kit_id('A'));
	moved.call = 1;
	moved.keys = &keys;
	moved.n_keys = group != NULL ? 1 : 0;
	cr_expect(handover_on_moved(kit.gateway, router, &moved));
}

static void cut_all(void)
{
	for (size_t i = 0; i < kit.gateway->routers.n; i++)
		cut(i, NULL);
}

Test(handover, goes_over_and_only_then_closes_the_socket)
{
	kit_push(&kit, 'A', "one~");
	wire_expect(wire, "one~");
	start();
	peer_expect(kit.router, "Handover A call=1 user=; ");
	cr_expect(wire->is_paused);
	take(1, OK, false);
	peer_expect(kit.router, "Move A call=1 to=g2; ");
	cut_all();
	peer_expect(kit.router, "Rest A call=1 one~ last first=1 received=0; ");
	wire_expect_end(wire, "open");
	take(1, OK, true);
	wire_expect(wire, "");
	wire_expect_end(wire, "closed");
	peer_expect(kit.router, "");
	cr_expect_null(gateway_conn_find(kit.gateway, kit_id('A')));
	cr_expect_eq(kit.metrics->handover_done_total, 1);
	cr_expect_eq(kit.metrics->connections, 0);
	cr_expect_eq(kit.metrics->handovers, 0);
}

Test(handover, a_call_under_way_goes_along)
{
	wire_in(wire, "{\"type\":1,\"invocationId\":\"7\",\"target\":\"f\","
		      "\"arguments\":[]}~");
	kit_settle(&kit);
	start();
	peer_expect(kit.router, "Handover A call=1 user= 1:7; ");
	take(1, OK, false);
	cut_all();
	peer_expect(kit.router, "Move A call=1 to=g2; "
				"Rest A call=1 last first=1 received=1 1; ");
	take(1, OK, true);
	cr_expect_eq(kit.metrics->invocations, 0);
}

Test(handover, the_same_refused_goes_to_another_one)
{
	start();
	take(1, ERR_LIMIT, false);
	peer_expect(kit.router, "Handover A call=1 user=; Handover A call=2 user=; ");
	take(1, OK, false);
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->handover_late_total, 1);
	take(2, OK, false);
	peer_expect(kit.router, "Move A call=2 to=g2; ");
}

Test(handover, without_a_successor_the_client_is_told_to_come_again)
{
	start();
	take(1, ERR_NOT_FOUND, false);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	wire_expect_end(wire, "closed");
	cr_expect_eq(kit.metrics->handover_untaken_total, 1);
	cr_expect_eq(kit.metrics->handover_failed_total, 0);
}

Test(handover, five_refusals_are_enough)
{
	start();
	for (unsigned call = 1; call < 5; call++)
		take(call, ERR_LIMIT, false);
	wire_expect_end(wire, "open");
	take(5, ERR_LIMIT, false);
	wire_expect_end(wire, "closed");
}

Test(handover, one_without_an_answer_is_given_up)
{
	start();
	(void)kit_settle;
	kit_wait(&kit, 4999);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	peer_expect(kit.router, "Handover A call=1 user=; Rest A call=1 failed; "
				"Disconnected A error=; ");
	cr_expect_eq(kit.metrics->handover_failed_total, 1);
}

Test(handover, what_was_taken_and_fails_ends)
{
	start();
	take(1, OK, false);
	take(1, ERR_OUTCOME, false);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	cr_expect_eq(kit.metrics->handover_failed_total, 1);
}

Test(handover, waits_for_a_join)
{
	kit_join(&kit, 'A', "lobby", false, 9);
	start();
	take(1, OK, false);
	cr_expect_eq(kit.gateway->movings.leaving_n, 1);
	for (size_t i = 0; i < kit.gateway->routers.n; i++)
		fake_peer_ack(kit_router(&kit, i));
	kit_settle(&kit);
	cr_expect_not(join_is_under_way(kit.gateway, kit_id('A')));
	for (size_t i = 0; i < kit.gateway->routers.n; i++)
		cut(i, "lobby");
	take(1, OK, true);
	wire_expect_end(wire, "closed");
	cr_expect_eq(kit.metrics->memberships, 0);
}

Test(handover, a_membership_that_did_not_move_is_a_failure)
{
	kit_join(&kit, 'A', "lobby", false, 9);
	kit_settle(&kit);
	start();
	take(1, OK, false);
	cut_all();
	cr_expect_eq(kit.metrics->handover_failed_total, 1);
	wire_expect_end(wire, "closed");
}

/* What goes to all is this gateway's to give until the router has cut. */
Test(handover, what_goes_to_all_comes_until_the_cut)
{
	const struct gateway_router *router = kit.gateway->routers.items[0];
	Link__Deliver deliver = LINK__DELIVER__INIT;
	struct arena arena = ARENA_INIT;

	deliver.hub = link_bytes(slice_from_str(wire->conn->hub->name));
	deliver.kind = LINK__KIND__KIND_ALL;
	start();
	take(1, OK, false);
	cr_expect_eq(moving_deliver(kit.gateway, router, &deliver, &arena)->n_excluded,
		     0);
	cut(0, NULL);
	if (kit.gateway->movings.leaving_n > 0)
		cr_expect_eq(
			moving_deliver(kit.gateway, router, &deliver, &arena)->n_excluded,
			1);
	deliver.kind = LINK__KIND__KIND_GROUP;
	cr_expect_eq(moving_deliver(kit.gateway, router, &deliver, &arena), &deliver);
	arena_fini(&arena);
}

Test(handover, no_more_than_there_is_room_for)
{
	start();
	kit.gateway->movings.leaving_n = HANDOVERS_MAX;
	cr_expect_not(handover_may_start(kit_open_stateful(&kit, 'B')->conn));
	kit.gateway->movings.leaving_n = 1;
}

Test(handover, a_drain_counts_the_ticks_at_which_some_must_wait)
{
	kit.gateway->movings.leaving_n = HANDOVERS_MAX;
	gateway_proc_ops.drain(&kit.proc, kit.gateway);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->handover_full_total, 1);
	cr_expect_eq(kit.metrics->handover_total, 0);
	kit.gateway->movings.leaving_n = HANDOVERS_MAX - 1;
	kit_wait(&kit, 20);
	cr_expect_eq(kit.metrics->handover_total, 1);
	kit_wait(&kit, 20);
	cr_expect_eq(kit.metrics->handover_full_total, 1, "nobody waits");
	kit.gateway->movings.leaving_n = 1;
}

Test(handover, a_lost_router_gives_back_what_was_only_asked)
{
	start();
	handovers_on_lost(kit.gateway->routers.items[0]);
	kit_turn(&kit);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	cr_expect_eq(kit.metrics->handover_untaken_total, 1);
}

/* ---- routers change */

/* Would the router run the hub of A, if it came? */
static bool would_own(const char *routers, const char *name)
{
	struct shard_map map;
	size_t owner;
	bool is_owner;

	cr_assert_eq(shard_map_init(&map, routers), OK);
	owner = shard_map_owner(&map, slice_from_str(wire->conn->hub->name),
				LINK__KIND__KIND_CONNECTION, kit_id('A'));
	is_owner = strcmp(map.all.items[owner].name, name) == 0;
	shard_map_fini(&map);
	return is_owner;
}

/* For one that will own A, and has not been asked to move anything. */
static struct link_peer *prepare(void)
{
	char before[256];
	char after[300];
	char name[16];
	int n = 10;
	struct link_peer *fresh = NULL;

	(void)snprintf(before, sizeof(before), "%s", kit.gateway->routers.map.routers);
	do {
		(void)snprintf(name, sizeof(name), "r%d", n++); /* they fit */
		(void)snprintf(after, sizeof(after), "%s,%s=test:9", before, name);
	} while (!would_own(after, name));
	kit_shards(&kit, kit.router, 1, SHARD_PHASE_PREPARE, before, after);
	do
		fresh = link_peer_next(kit.gateway->link, fresh);
	while (strcmp(link_peer_name(fresh), name) != 0);
	return fresh;
}

Test(handover, what_a_new_router_would_have_to_move_ends)
{
	start();
	take(1, OK, false);
	peer_handle(kit.router);
	(void)prepare();
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	peer_expect(kit.router, "Rest A call=1 failed; Disconnected A error=; ");
	cr_expect_eq(kit.metrics->handover_failed_total, 1);
}

Test(handover, what_has_moved_is_for_the_successor_to_tell_a_new_router)
{
	struct link_peer *fresh;

	start();
	take(1, OK, false);
	cut_all();
	fresh = prepare();
	fake_peer_renew(fresh, 900);
	peer_expect(fresh, "Replayed 0; ");
	wire_expect_end(wire, "open");
	take(1, OK, true);
	wire_expect_end(wire, "closed");
	cr_expect_eq(kit.metrics->handover_done_total, 1);
}

/* That it leaves is not said of one that has lost its place: the router hears of its end.
 */
Test(handover, a_router_that_forgot_hears_of_one_that_fails)
{
	start();
	take(1, OK, false);
	cut_all();
	fake_peer_renew(kit.router, 901);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	kit_turn(&kit);
	peer_expect(kit.router, "Rest A call=1 failed; Disconnected A error=; ");
}

/* Two gateways with a claim would be taken for a clash. */
Test(handover, its_claim_is_for_the_successor_to_tell)
{
	struct link_peer *fresh;

	claim_add(kit.gateway, wire->conn->hub, kit_id('A'), 0);
	peer_handle(kit.router);
	start();
	take(1, OK, false);
	cut_all();
	fresh = prepare();
	fake_peer_renew(fresh, 900);
	peer_expect(fresh, "Replayed 0; ");
	take(1, OK, true);
	peer_expect(fresh, "");
	wire_expect_end(wire, "closed");
}
