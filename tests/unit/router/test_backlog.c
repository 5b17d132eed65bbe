/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends that wait for room: in their order, those of one key, and none of another; and
 * not for ever.
 */
#include "router/backlog.h"

#include "proto/link/link_private.h"
#include "tests/unit/router/hub_kit.h"

#define WINDOW 8192

static struct kit *kit;

/* Keys of our own. */
static char one[16];
static char two[16];
static char both[16];
static char ann[16];
static char c9[16];

static int noted_n;
static int disconnected_n;

static enum hub_rc note(struct hub_call *call)
{
	(void)call;
	noted_n++;
	return HUB_OK;
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	(void)call;
	disconnected_n++;
	return HUB_OK;
}

static enum hub_rc on_user_online(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("online"), hub_array(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Note", .fn = note, .arguments = "" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_disconnected = on_disconnected,
	.on_user_online = on_user_online,
};

static void own(char name[16], const char *prefix, Link__Kind kind)
{
	int i = 0;

	do
		(void)snprintf(name, 16, "%s%d", prefix, i++); /* it fits */
	while (!shard_owner_of(kit->router, slice_from_str(kit->hub), kind,
			       slice_from_str(name))
			.is_own);
}

static void set_up(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.link.window_bytes_max = WINDOW;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	own(one, "one", LINK__KIND__KIND_GROUP);
	own(two, "two", LINK__KIND__KIND_GROUP);
	own(both, "both", LINK__KIND__KIND_GROUP);
	own(ann, "ann", LINK__KIND__KIND_USER);
	own(c9, "c", LINK__KIND__KIND_CONNECTION);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, one, "c1", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, two, "c2", false);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, both, "c1", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, both, "c2", false);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
}

static void tear_down(void)
{
	kit_free(kit);
}

TestSuite(backlog, .init = set_up, .fini = tear_down, .timeout = 60);

/* From another router; `text` is the message. */
static void send_to(Link__Kind kind, const char *name, const char *text, uint64_t call)
{
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };
	Link__Send send = LINK__SEND__INIT;

	payload.protocol = 1;
	payload.frame = link_bytes(slice_from_str(text));
	send.hub = link_bytes(slice_from_str(kit->hub));
	send.kind = kind;
	send.name = link_bytes(slice_from_str(name));
	send.payloads = payloads;
	send.n_payloads = 1;
	send.call = call;
	kit_hear_send(kit, kit->r2, &send);
}

static void send_to_group(const char *name, const char *text, uint64_t call)
{
	send_to(LINK__KIND__KIND_GROUP, name, text, call);
}

/* Half of its window waits. */
static void crowd(struct link_peer *peer)
{
	static char text[WINDOW / 2];
	Link__Complete complete = LINK__COMPLETE__INIT;

	complete.frame = link_bytes(slice_make(text, sizeof(text)));
	cr_assert_eq(link_send_complete(peer, &complete, NULL), OK);
	cr_assert(link_peer_is_crowded(peer));
}

static void make_room(struct link_peer *peer)
{
	(void)kit_said(kit, peer); /* what crowd() sent */
	kit_ack(kit, peer);
	cr_assert_not(link_peer_is_crowded(peer));
}

static struct router_metrics *metrics(void)
{
	return &kit->router->metrics;
}

Test(backlog, a_send_to_a_crowded_gateway_waits_for_room)
{
	crowd(kit->g1);
	send_to_group(one, "{1}\x1e", 5);
	send_to_group(one, "{2}\x1e", 6);
	cr_expect_eq(metrics()->backlog, 2);
	kit_expect_silence(kit, kit->r2);
	make_room(kit->g1);
	cr_expect_eq(metrics()->backlog, 0);
	kit_expect(kit, kit->g1, "deliver group %s {1}", one);
	kit_expect(kit, kit->g1, "deliver group %s {2}", one);
	kit_expect_silence(kit, kit->r2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->r2, "sent OK");
	kit_expect(kit, kit->r2, "sent OK");
	cr_expect_eq(metrics()->backlog_total, 2);
}

Test(backlog, sends_elsewhere_go_their_way)
{
	crowd(kit->g1);
	send_to_group(both, "{1}\x1e", 0);
	send_to_group(two, "{2}\x1e", 0);
	kit_expect(kit, kit->g2, "deliver group %s {2}", two);
	kit_expect_silence(kit, kit->g2);
}

/* Also when it could go to those that it is for now. */
Test(backlog, nothing_overtakes_what_waits_for_its_key)
{
	crowd(kit->g1);
	send_to_group(both, "{1}\x1e", 0);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, both, "c1", true);
	send_to_group(both, "{2}\x1e", 0);
	kit_expect_silence(kit, kit->g2);
	make_room(kit->g1);
	kit_expect(kit, kit->g2, "deliver group %s {1}", both);
	kit_expect(kit, kit->g2, "deliver group %s {2}", both);
}

Test(backlog, every_kind_of_key_waits)
{
	kit_connect(kit, kit->g1, c9, ann);
	kit_member(kit, kit->g1, LINK__KIND__KIND_USER, ann, c9, false);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	crowd(kit->g1);
	send_to(LINK__KIND__KIND_USER, ann, "{u}\x1e", 0);
	send_to(LINK__KIND__KIND_CONNECTION, c9, "{c}\x1e", 0);
	send_to(LINK__KIND__KIND_ALL, "", "{a}\x1e", 0);
	cr_expect_eq(metrics()->backlog, 3);
	kit_expect_silence(kit, kit->g2);
	make_room(kit->g1);
	kit_expect(kit, kit->g1, "deliver user %s {u}", ann);
	kit_expect(kit, kit->g1, "deliver connection %s {c}", c9);
	kit_expect(kit, kit->g1, "deliver all {a}");
}

Test(backlog, room_for_one_lets_only_its_keys_go)
{
	crowd(kit->g1);
	crowd(kit->g2);
	send_to_group(one, "{1}\x1e", 0);
	send_to_group(two, "{2}\x1e", 0);
	send_to_group(both, "{3}\x1e", 0);
	make_room(kit->g2);
	kit_expect(kit, kit->g2, "deliver group %s {2}", two);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(metrics()->backlog, 2);
	make_room(kit->g1);
	kit_expect(kit, kit->g1, "deliver group %s {1}", one);
	kit_expect(kit, kit->g1, "deliver group %s {3}", both);
	kit_expect(kit, kit->g2, "deliver group %s {3}", both);
}

Test(backlog, a_gateway_that_is_lost_is_waited_for_no_more)
{
	crowd(kit->g1);
	send_to_group(both, "{1}\x1e", 7);
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	kit_expect(kit, kit->g2, "deliver group %s {1}", both);
	kit_ack(kit, kit->g2);
	kit_expect(kit, kit->r2, "sent OK");
}

/* Also when what it waits for comes meanwhile. */
Test(backlog, what_waits_for_a_rebuild_is_not_overtaken)
{
	struct link_peer *g3 = kit_gateway(kit, "g3");

	cr_assert_not(kit->router->rebuild.is_done, "a newcomer has yet to replay");
	send_to_group(one, "{1}\x1e", 0);
	crowd(kit->g1);
	send_to_group(one, "{2}\x1e", 0);
	cr_expect_eq(metrics()->backlog, 0);
	kit_replayed(kit, g3);
	kit_turn(kit);
	cr_expect_eq(metrics()->backlog, 2);
	make_room(kit->g1);
	kit_expect(kit, kit->g1, "deliver group %s {1}", one);
	kit_expect(kit, kit->g1, "deliver group %s {2}", one);
}

/* The other way round: the room is there before the rebuild is over. */
Test(backlog, what_waits_for_room_waits_for_a_rebuild_too)
{
	struct link_peer *g3;

	crowd(kit->g1);
	send_to_group(one, "{1}\x1e", 0);
	g3 = kit_gateway(kit, "g3");
	send_to_group(one, "{2}\x1e", 0);
	cr_expect_eq(metrics()->backlog, 1);
	make_room(kit->g1);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	send_to_group(one, "{3}\x1e", 0);
	kit_replayed(kit, g3);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "deliver group %s {1}", one);
	kit_expect(kit, kit->g1, "deliver group %s {2}", one);
	kit_expect(kit, kit->g1, "deliver group %s {3}", one);
	cr_expect_eq(metrics()->backlog, 0);
}

/* Also of who has left the table meanwhile: its end is behind them. */
Test(backlog, calls_that_it_kept_from_beginning_run_when_there_is_room)
{
	static char text[1024];

	memset(text, 'x', sizeof(text) - 1);
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_connect(kit, kit->g2, "c2", "bob");
	kit_turn(kit);
	crowd(kit->g1);
	while (!kit->router->backlog.is_full)
		send_to_group(one, text, 0);
	kit_invoke(kit, kit->g2, "c1", NULL, "Note", "[]");
	kit_invoke(kit, kit->g2, "c2", NULL, "Note", "[]");
	kit_disconnect(kit, kit->g2, "c1");
	kit_turn(kit);
	cr_expect_eq(noted_n, 0);
	cr_expect_eq(metrics()->calls, 3);
	for (int i = 0; i < 100 && metrics()->calls > 0; i++) {
		kit_skip(kit, kit->g1);
		kit_turn(kit);
	}
	cr_expect_eq(noted_n, 2);
	cr_expect_eq(disconnected_n, 1);
	cr_expect_eq(metrics()->calls, 0);
}

/* Their connections are freed with them. */
Test(backlog, calls_that_it_kept_from_beginning_end_with_the_router)
{
	static char text[1024];

	memset(text, 'x', sizeof(text) - 1);
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_turn(kit);
	crowd(kit->g1);
	while (!kit->router->backlog.is_full)
		send_to_group(one, text, 0);
	kit_invoke(kit, kit->g2, "c1", NULL, "Note", "[]");
	kit_disconnect(kit, kit->g2, "c1");
	kit_turn(kit);
	cr_expect_eq(noted_n, 0);
}

/* At the limit it waits; one past it is told. */
Test(backlog, no_more_than_link_window_may_wait)
{
	char text[1024];
	uint64_t call = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	crowd(kit->g1);
	while (metrics()->backlog_refused_total == 0) {
		cr_expect_leq(kit->router->backlog.bytes, WINDOW);
		cr_assert_lt(call, 10);
		send_to_group(one, text, ++call);
	}
	cr_expect_eq(call, WINDOW / sizeof(text), "they are a little longer than that");
	kit_expect(kit, kit->r2, "sent ERR_LIMIT");
	kit_expect_silence(kit, kit->r2);
	cr_expect_eq(metrics()->send_failed_total, 1);
}

Test(backlog, what_finds_no_room_in_time_fails)
{
	struct backlog *backlog = &kit->router->backlog;

	crowd(kit->g1);
	send_to_group(one, "{1}\x1e", 5);
	cr_assert(timer_is_running(&backlog->timer));
	kit->conf.hub_await_timeout_ms = 0;
	backlog->timer.fn(&backlog->timer);
	kit_expect(kit, kit->r2, "sent ERR_TIMEOUT");
	cr_expect_eq(metrics()->backlog_overdue_total, 1);
	cr_expect_eq(metrics()->backlog, 0);
	cr_expect_not(timer_is_running(&backlog->timer));
	make_room(kit->g1);
	kit_expect_silence(kit, kit->g1);
}

Test(backlog, what_is_left_is_freed)
{
	crowd(kit->g1);
	send_to_group(one, "{1}\x1e", 5);
}

/* Who stands for the user is gone when the room is there. */
Test(backlog, a_call_for_a_user_does_not_wait)
{
	crowd(kit->g1);
	kit_user(kit, "01", LINK__CHANGE__CHANGE_ONLINE, ann, "");
	kit_turn(kit);
	cr_expect_eq(metrics()->backlog, 1);
	cr_expect_eq(metrics()->calls, 0);
	make_room(kit->g1);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_ack(kit, kit->g2);
	kit_turn(kit);
	cr_expect_eq(metrics()->backlog, 0);
}
