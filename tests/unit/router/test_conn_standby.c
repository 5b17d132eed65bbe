/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that two routers know while its owner changes: where its hub's code runs,
 * when the one lets go of it, and what it hands over.
 */
#include <criterion/criterion.h>

#include "proto/link/link_private.h"
#include "router/conn_standby.h"
#include "router/on_peer.h"
#include "tests/unit/router/hub_kit.h"

#define SAID "{\"type\":1,\"target\":\"said\",\"arguments\":[]}"

static struct kit *kit;

/* ---- a hub */

static enum hub_rc say(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("said"), hub_array(call));
	return HUB_OK;
}

static enum hub_rc keep(struct hub_call *call)
{
	return hub_item_set(call, "kept", hub_arg(call, 0));
}

static enum hub_rc kept(struct hub_call *call)
{
	const struct value *item = hub_item(call, "kept");

	hub_return(call, hub_string(call, item != NULL ? item->bytes : SLICE("none")));
	return HUB_OK;
}

/* A stream that lasts. */
static enum hub_rc stream(struct hub_call *call)
{
	return hub_await_sleep(call, 60000);
}

static int connected_n;
static int disconnected_n;

static enum hub_rc on_connected(struct hub_call *call)
{
	(void)call;
	connected_n++;
	return HUB_OK;
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	(void)call;
	disconnected_n++;
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Say", .fn = say, .arguments = "" },
	{ .name = "Keep", .fn = keep, .arguments = "s" },
	{ .name = "Kept", .fn = kept, .arguments = "" },
	{ .name = "Wait", .fn = stream, .arguments = "" },
	{ .name = "Stream", .fn = stream, .arguments = "", .is_stream = true },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = on_connected,
	.on_disconnected = on_disconnected,
};

static void set_up(void)
{
	kit = kit_new(&hub);
}

static void tear_down(void)
{
	kit_free(kit);
}

TestSuite(conn_standby, .init = set_up, .fini = tear_down, .timeout = 60);

static void connect_again(const char *id, bool is_standby, const char *kept_value)
{
	Link__Connected connected = LINK__CONNECTED__INIT;
	Link__User user = LINK__USER__INIT;
	Link__Item item = LINK__ITEM__INIT;
	Link__Item *items = &item;

	user.id = link_bytes(SLICE("ann"));
	connected.hub = link_bytes(SLICE("hub"));
	connected.connection = link_bytes(slice_from_str(id));
	connected.user = &user;
	connected.protocol = kit->protocol;
	connected.is_resumed = !is_standby;
	connected.is_standby = is_standby;
	item.name = link_bytes(SLICE("kept"));
	item.value = link_bytes(slice_from_str(kept_value));
	connected.items = &items;
	connected.n_items = kept_value != NULL;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_turn(kit);
}

static void release(const char *id)
{
	Link__Release message = LINK__RELEASE__INIT;

	message.hub = link_bytes(SLICE("hub"));
	message.connection = link_bytes(slice_from_str(id));
	kit_hear_release(kit, kit->g1, &message);
	kit_turn(kit);
}

/* The router before never said that on_connected had run. */
Test(conn_standby, one_that_has_not_begun_begins_here)
{
	connect_again("c1", true, NULL);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	cr_expect_eq(connected_n, 1);
	cr_expect_eq(kit->router->metrics.standbys, 0);
}

Test(conn_standby, on_standby_nothing_runs_until_it_is_told_again)
{
	connect_again("c1", true, NULL);
	cr_expect_eq(connected_n, 0);
	cr_expect_eq(kit->router->metrics.standbys, 1);
	connect_again("c1", true, NULL);
	cr_expect_eq(kit->router->metrics.standbys, 1);
	kit_expect_silence(kit, kit->g1);
	/* What another router kept of it comes along. */
	connect_again("c1", false, "\xa5hello");
	cr_expect_eq(connected_n, 0, "that was there");
	cr_expect_eq(kit->router->metrics.standbys, 0);
	cr_expect_eq(kit->router->metrics.activated_total, 1);
	kit_invoke(kit, kit->g1, "c1", "7", "Kept", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 "
		   "{\"type\":3,\"invocationId\":\"7\",\"result\":\"hello\"}");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 1);
}

Test(conn_standby, on_standby_its_end_is_silent)
{
	connect_again("c1", true, NULL);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 0);
	cr_expect_eq(kit->router->conns.count, 0);
	cr_expect_eq(kit->router->metrics.standbys, 0);
	cr_expect_eq(kit->router->metrics.calls, 0);
}

/* Its gateway did not wait for it to be released. */
Test(conn_standby, who_is_told_that_another_runs_it_is_on_standby)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_stream(kit, kit->g1, "c1", "s", "Stream", "[]");
	kit_turn(kit);
	cr_expect_eq(connected_n, 1);
	connect_again("c1", true, NULL);
	cr_expect_eq(kit->router->metrics.standbys, 1);
	kit_expect_silence(kit, kit->g1);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 0, "it is the other router's to say so");
}

/* Released has not left, and must not: it is too late. */
Test(conn_standby, on_standby_nothing_is_released)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", "7", "Wait", "[]");
	release("c1");
	connect_again("c1", true, NULL);
	kit_expect_silence(kit, kit->g1);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"7\",\"result\":null}");
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.released_total, 0);
	cr_expect_eq(kit->router->metrics.standbys, 0);
}

Test(conn_standby, a_connection_is_released_with_what_is_kept_of_it)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", "7", "Keep", "[\"hello\"]");
	release("c1");
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"7\",\"result\":null}");
	kit_expect(kit, kit->g1, "released c1 kept");
	cr_expect_eq(kit->router->metrics.standbys, 1);
	cr_expect_eq(kit->router->metrics.released_total, 1);
	/* Again, and one that is not there: at once. */
	release("c1");
	kit_expect(kit, kit->g1, "released c1");
	release("c9");
	kit_expect(kit, kit->g1, "released c9");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 0, "it is the next router's to say so");
}

/* Also when the client does not await it, while shards change. */
Test(conn_standby, it_is_not_released_before_its_sends_have_arrived)
{
	Link__Shards shards = LINK__SHARDS__INIT;

	kit_connect(kit, kit->g1, "c1", "ann");
	shards.epoch = 1;
	shards.phase = LINK__SHARD_PHASE__SHARD_PHASE_PREPARE;
	shards.routers = link_bytes(SLICE("r1=ipc://r1"));
	shards.next = link_bytes(SLICE("r1=ipc://r1,r2=ipc://r2"));
	kit_hear_shards(kit, kit->presence, &shards);
	kit_invoke(kit, kit->g1, "c1", NULL, "Say", "[]");
	release("c1");
	kit_expect(kit, kit->g1, "deliver all " SAID);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.standbys, 0);
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, "released c1");
}

Test(conn_standby, streams_go_on_where_they_began)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_stream(kit, kit->g1, "c1", "s", "Stream", "[]");
	kit_turn(kit);
	release("c1");
	kit_expect(kit, kit->g1, "released c1");
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 {\"type\":3,\"invocationId\":\"s\"}");
}

/* ---- two routers */

#define TWO "r1=ipc://r1,r2=ipc://r2"

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

/* An id that r2 owns of the two, or r1 does. */
static const char *id_of(bool is_own)
{
	for (int i = 0;; i++) {
		const char *id = kit_text(kit, "c%d", i);

		if (shard_is_ours(kit->router, SLICE("hub"), LINK__KIND__KIND_CONNECTION,
				  slice_from_str(id)) == is_own)
			return id;
	}
}

static void claim(const char *id)
{
	Link__Claim message = LINK__CLAIM__INIT;

	message.hub = link_bytes(SLICE("hub"));
	message.connection = link_bytes(slice_from_str(id));
	message.fresh_ms = 60000;
	kit_hear_claim(kit, kit->g1, &message);
}

static void released(const char *id, const char *kept_value)
{
	Link__Released message = LINK__RELEASED__INIT;
	Link__Item item = LINK__ITEM__INIT;
	Link__Item *items = &item;

	message.hub = link_bytes(SLICE("hub"));
	message.connection = link_bytes(slice_from_str(id));
	item.name = link_bytes(SLICE("kept"));
	item.value = link_bytes(slice_from_str(kept_value));
	message.items = &items;
	message.n_items = 1;
	kit_hear_released(kit, kit->r2, &message);
	kit_turn(kit);
}

static struct link_peer *commit(const char *routers, const char *next)
{
	hear(1, LINK__SHARD_PHASE__SHARD_PHASE_PREPARE, routers, next);
	hear(1, LINK__SHARD_PHASE__SHARD_PHASE_COMMIT, routers, next);
	kit->r2 = shard_link_find(kit->router, SLICE("r2"))->peer;
	kit->r2->incarnation = 2;
	kit_skip(kit, kit->r2);
	return kit->r2;
}

/* ---- whose end it is */

Test(conn_standby, the_next_owner_hears_what_was_let_go_of)
{
	struct link_peer *r2;

	kit_connect(kit, kit->g1, "c1", "ann");
	r2 = commit("r1=ipc://r1", "r2=ipc://r2");
	release("c1");
	kit_expect(kit, kit->g1, "released c1");
	kit_expect(kit, r2, "released c1");
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 0, "it is the next owner's to end");
}

/* Else both would start over, and who is on standby would end without a word. */
Test(conn_standby, it_is_released_though_the_link_is_full)
{
	Link__HandoverRest fill = LINK__HANDOVER_REST__INIT;
	const char *said;

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	while (link_send_handover_rest(kit->g1, &fill, NULL) == OK)
		;
	release("c1");
	do
		said = kit_said(kit, kit->g1);
	while (strncmp(said, "rest", strlen("rest")) == 0);
	cr_expect_str_eq(said, "released c1");
	cr_expect_eq(kit->router->conns.count, 1);
}

Test(conn_standby, nothing_is_let_go_of_while_its_gateway_is_away)
{
	struct link_peer *r2;

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_connect(kit, kit->g1, "c2", "ann");
	r2 = commit("r1=ipc://r1", "r2=ipc://r2");
	router_gateway_of(kit->g1)->away_since_ms = 1;
	release("c1");
	kit_expect_silence(kit, kit->g1);
	kit_expect_silence(kit, r2);
	router_link_ops.on_up(kit->g1, false);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "released c1");
	kit_expect(kit, r2, "released c1");
	router_gateway_of(kit->g1)->away_since_ms = 1;
	release("c2");
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 1, "of c2, which went with its gateway");
	kit_expect_silence(kit, r2);
}

Test(conn_standby, who_inherits_sees_to_the_end_when_the_gateway_is_lost)
{
	(void)commit("r2=ipc://r2", "r1=ipc://r1");
	connect_again("c1", true, NULL);
	connect_again("c2", true, NULL);
	released("c1", "\xa5hello");
	cr_expect_eq(kit->router->metrics.inherited_total, 1);
	cr_expect_eq(kit->router->metrics.standbys, 2);
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 1, "the other one's old owner ends it");
	cr_expect_eq(kit->router->conns.count, 0);
	cr_expect_eq(kit->router->metrics.standbys, 0);
	released("c1", "\xa5hello");
	cr_expect_eq(kit->router->metrics.inherit_late_total, 1);
}

Test(conn_standby, who_has_inherited_ends_it_once)
{
	(void)commit("r2=ipc://r2", "r1=ipc://r1");
	connect_again("c1", true, NULL);
	released("c1", "\xa5hello");
	connect_again("c1", false, "\xa3two");
	released("c1", "\xa5hello");
	kit_invoke(kit, kit->g1, "c1", "7", "Kept", "[]");
	kit_turn(kit);
	kit_expect(
		kit, kit->g1,
		"complete c1 1 {\"type\":3,\"invocationId\":\"7\",\"result\":\"two\"}");
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 1);
}

/* The gateway's Connected did not come before the next change of the map. */
Test(conn_standby, what_was_inherited_and_moves_on_is_the_next_owners)
{
	struct map_node *node;
	struct link_peer *r2 = commit("r2=ipc://r2", "r1=ipc://r1");

	connect_again("c1", true, NULL);
	released("c1", "\xa5hello");
	hear(2, LINK__SHARD_PHASE__SHARD_PHASE_PREPARE, "r1=ipc://r1", "r2=ipc://r2");
	hear(2, LINK__SHARD_PHASE__SHARD_PHASE_COMMIT, "r1=ipc://r1", "r2=ipc://r2");
	kit_skip(kit, r2);
	node = map_next(&kit->router->conns, NULL);
	conn_drop(CONTAINER_OF(node, struct conn, node));
	kit_turn(kit);
	kit_expect(kit, r2, "released c1 kept");
	cr_expect_eq(disconnected_n, 0, "its client is still there");
	cr_expect_eq(kit->router->metrics.disconnected_total, 0);
	cr_expect_eq(kit->router->conns.count, 0);
	cr_expect_eq(kit->router->metrics.standbys, 0);
}

Test(conn_standby, what_went_back_is_inherited_no_more)
{
	(void)commit("r2=ipc://r2", "r1=ipc://r1");
	connect_again("c1", true, NULL);
	released("c1", "\xa5hello");
	connect_again("c1", true, NULL);
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	cr_expect_eq(disconnected_n, 0);
}

/* ---- who hears of STABLE late */

/* Its gateway will not say its end to who owns it no longer. */
Test(conn_standby, what_is_anothers_by_now_is_passed_over)
{
	const char *theirs;
	const char *ours;

	hear(1, LINK__SHARD_PHASE__SHARD_PHASE_STABLE, TWO, "");
	theirs = id_of(false);
	ours = id_of(true);
	connect_again(theirs, true, NULL);
	claim(theirs);
	cr_expect_eq(kit->router->conns.count, 0);
	cr_expect_eq(kit->router->claims.by_id.count, 0);
	cr_expect_eq(kit->router->metrics.standbys, 0);
	cr_expect_eq(kit->router->metrics.shards_moved_total, 2);
	kit_expect_silence(kit, kit->g1);
	connect_again(ours, true, NULL);
	claim(ours);
	cr_expect_eq(kit->router->conns.count, 1);
	cr_expect_eq(kit->router->claims.by_id.count, 1);
	cr_expect_eq(kit->router->metrics.shards_moved_total, 2);
	/* Who comes, or goes, is told in the other phases. */
	hear(2, LINK__SHARD_PHASE__SHARD_PHASE_PREPARE, TWO, "r1=ipc://r1");
	connect_again(theirs, true, NULL);
	cr_expect_eq(kit->router->conns.count, 2);
}
