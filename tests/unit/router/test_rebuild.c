/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a start: what waits, until when, and how much of it.
 */
#include "router/rebuild.h"

#include "tests/unit/router/hub_kit.h"

static void send_text(struct kit *kit, struct link_peer *from, const char *text)
{
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };
	Link__Send send = LINK__SEND__INIT;

	payload.protocol = 1;
	payload.frame = link_bytes(slice_from_str(kit_text(kit, "%s\x1e", text)));
	send.hub = link_bytes(SLICE("chat"));
	send.kind = LINK__KIND__KIND_GROUP;
	send.name = link_bytes(SLICE("gg"));
	send.payloads = payloads;
	send.n_payloads = 1;
	send.call = 5;
	kit_hear_send(kit, from, &send);
}

static void list_members(struct kit *kit)
{
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;

	list.hub = link_bytes(SLICE("chat"));
	list.group = link_bytes(SLICE("gg"));
	list.call = 6;
	kit_hear_list_members(kit, kit->r2, &list);
}

static struct router_conf conf_of_two(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	return conf;
}

static struct kit *kit_rebuilding(void)
{
	const struct router_conf conf = conf_of_two();

	return kit_new_conf(NULL, &conf);
}

static bool is_done(const struct kit *kit)
{
	return kit->router->rebuild.is_done;
}

static void replay(struct kit *kit, struct link_peer *gateway, const char *id)
{
	kit_member(kit, gateway, LINK__KIND__KIND_GROUP, "gg", id, false);
	kit_replayed(kit, gateway);
	kit_turn(kit);
}

Test(rebuild, sends_wait_for_all_gateways_that_presence_names)
{
	struct kit *kit = kit_rebuilding();

	kit_topology(kit, true, kit->g1, kit->g2);
	send_text(kit, kit->r2, "one");
	replay(kit, kit->g1, "c1");
	cr_expect_not(is_done(kit));
	kit_expect_silence(kit, kit->g1);
	replay(kit, kit->g2, "c2");
	cr_expect(is_done(kit));
	kit_expect(kit, kit->g1, "deliver group gg one");
	kit_expect(kit, kit->g2, "deliver group gg one");
	kit_free(kit);
}

Test(rebuild, what_waited_keeps_its_order_and_goes_first)
{
	struct kit *kit = kit_rebuilding();

	send_text(kit, kit->r2, "one");
	list_members(kit);
	send_text(kit, kit->r2, "two");
	kit_topology(kit, true, kit->g1, kit->g2);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	send_text(kit, kit->r2, "three");
	kit_expect(kit, kit->g1, "deliver group gg one");
	kit_expect(kit, kit->g1, "deliver group gg two");
	kit_expect(kit, kit->g1, "deliver group gg three");
	kit_expect(kit, kit->r2, "members OK c1 user-of-c1 c2 user-of-c2");
	kit_free(kit);
}

Test(rebuild, every_gateway_that_is_here_must_replay_too)
{
	struct kit *kit = kit_rebuilding();

	kit_topology(kit, true, kit->g1, NULL);
	replay(kit, kit->g1, "c1");
	cr_expect_not(is_done(kit));
	replay(kit, kit->g2, "c2");
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, a_named_gateway_must_come)
{
	struct kit *kit = kit_rebuilding();
	struct link_peer *g3;

	g3 = kit_gateway(kit, "g3");
	kit_topology(kit, true, kit->g1, g3);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	kit_restart(kit, g3);
	replay(kit, g3, "c3");
	cr_expect_not(is_done(kit)); /* it is another process than the one named */
	kit_topology(kit, true, kit->g1, g3);
	kit_turn(kit);
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, a_lost_gateway_is_not_waited_for_once_presence_drops_it)
{
	struct kit *kit = kit_rebuilding();

	kit_topology(kit, true, kit->g1, kit->g2);
	replay(kit, kit->g1, "c1");
	kit_gone(kit, kit->g2);
	cr_expect_not(is_done(kit));
	kit_topology(kit, true, kit->g1, NULL);
	kit_turn(kit);
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, an_unsettled_topology_does_not_name_all)
{
	struct kit *kit = kit_rebuilding();

	kit_topology(kit, false, NULL, NULL);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	cr_expect_not(is_done(kit));
	kit_topology(kit, true, NULL, NULL);
	kit_turn(kit);
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, without_presence_the_wait_stands_in)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;

	conf.rebuild_wait_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	cr_expect_eq(kit->router->metrics.rebuild_timeout_total, 0);
	kit_free(kit);
}

Test(rebuild, after_the_wait_those_who_are_here_must_have_replayed)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;

	conf.rebuild_wait_ms = 0;
	kit = kit_new_conf(NULL, &conf);
	while (timer_is_running(&kit->router->rebuild.wait_timer))
		loop_turn(kit->loop, 100);
	cr_expect_not(is_done(kit));
	replay(kit, kit->g1, "c1");
	kit_gone(kit, kit->g2);
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, after_the_wait_those_whom_an_unsettled_topology_names_are_missing)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;
	struct link_peer *g3;

	conf.rebuild_wait_ms = 0;
	kit = kit_new_conf(NULL, &conf);
	g3 = kit_gateway(kit, "g3");
	kit_topology(kit, false, kit->g1, g3);
	kit_gone(kit, g3);
	while (timer_is_running(&kit->router->rebuild.wait_timer))
		loop_turn(kit->loop, 100);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	cr_expect_not(is_done(kit));
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	cr_expect(is_done(kit));
	kit_free(kit);
}

Test(rebuild, goes_on_after_the_timeout)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;

	conf.rebuild_timeout_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "gg", "c1", false);
	send_text(kit, kit->r2, "one");
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	kit_expect(kit, kit->g1, "deliver group gg one");
	cr_expect_eq(kit->router->metrics.rebuild_timeout_total, 1);
	kit_free(kit);
}

/* ---- who was missing at the timeout */

static void expect_sent(struct kit *kit, const char *text, const char *what)
{
	send_text(kit, kit->r2, text);
	kit_expect(kit, kit->g1, "deliver group gg %s", text);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->r2, "sent %s", what);
}

/* g1 has replayed; g2 is named and has not. */
static struct kit *kit_timed_out(void)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;

	conf.rebuild_timeout_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	kit_topology(kit, true, kit->g1, kit->g2);
	replay(kit, kit->g1, "c1");
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	return kit;
}

Test(rebuild, no_send_is_confirmed_until_the_missing_gateway_has_replayed)
{
	struct kit *kit = kit_timed_out();

	expect_sent(kit, "one", "ERR_OUTCOME");
	kit_replayed(kit, kit->g2);
	expect_sent(kit, "two", "OK");
	kit_free(kit);
}

Test(rebuild, what_waited_is_not_confirmed_either)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;

	conf.rebuild_timeout_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	kit_topology(kit, true, kit->g1, kit->g2);
	send_text(kit, kit->r2, "one");
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	kit_expect(kit, kit->r2, "sent ERR_OUTCOME");
	kit_free(kit);
}

Test(rebuild, a_missing_gateway_that_is_lost_is_missed_no_more)
{
	struct kit *kit = kit_timed_out();

	kit_gone(kit, kit->g2);
	expect_sent(kit, "one", "OK");
	kit_free(kit);
}

/* Nobody else could tell whether it lives: a promise that cannot be kept is not made. */
Test(rebuild, without_presence_the_missing_are_missed_for_as_long_as_they_do_not_come)
{
	struct kit *kit = kit_timed_out();

	kit_restart(kit, kit->presence);
	expect_sent(kit, "one", "ERR_OUTCOME");
	router_count(kit->router);
	cr_expect_eq(kit->router->metrics.missing_gateways, 1);
	kit_replayed(kit, kit->g2);
	expect_sent(kit, "two", "OK");
	router_count(kit->router);
	cr_expect_eq(kit->router->metrics.missing_gateways, 0);
	kit_free(kit);
}

Test(rebuild, one_that_never_came_is_missed_until_presence_drops_it)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;
	struct link_peer *g3;

	conf.rebuild_timeout_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	g3 = kit_gateway(kit, "g3");
	kit_topology(kit, true, kit->g1, g3);
	kit_gone(kit, g3);
	replay(kit, kit->g1, "c1");
	kit_replayed(kit, kit->g2);
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	expect_sent(kit, "x", "ERR_OUTCOME");
	kit_topology(kit, false, kit->g1, kit->g2);
	expect_sent(kit, "x", "ERR_OUTCOME");
	kit_topology(kit, true, kit->g1, kit->g2);
	expect_sent(kit, "x", "OK");
	kit_free(kit);
}

/* ---- who was not waited for */

static struct kit *kit_rebuilt(void)
{
	struct kit *kit = kit_rebuilding();

	kit_topology(kit, true, kit->g1, kit->g2);
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	cr_assert(is_done(kit));
	return kit;
}

Test(rebuild, who_comes_when_it_is_done_is_told_before_anything_else)
{
	struct kit *kit = kit_rebuilt();
	struct link_peer *g3 = kit_gateway(kit, "g3");

	kit_expect(kit, g3, "fence");
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(rebuild, who_starts_over_was_here_all_the_time)
{
	struct kit *kit = kit_rebuilt();

	kit_renew(kit, kit->g1);
	kit_expect_silence(kit, kit->g1);
	kit_restart(kit, kit->g2);
	kit_expect_silence(kit, kit->g2); /* the table is not done with g1 */
	replay(kit, kit->g1, "c1");
	replay(kit, kit->g2, "c2");
	kit_restart(kit, kit->g2);
	kit_expect(kit, kit->g2, "fence");
	kit_free(kit);
}

Test(rebuild, who_was_given_up_is_told_when_it_comes_back)
{
	struct kit *kit = kit_rebuilt();
	struct link_peer *g3 = kit_gateway(kit, "g3");
	const uint64_t incarnation = link_peer_incarnation(g3);

	kit_skip(kit, g3);
	replay(kit, g3, "c3");
	kit_gone(kit, g3);
	g3 = kit_gateway(kit, "g3");
	cr_assert_eq(link_peer_incarnation(g3), incarnation);
	kit_expect(kit, g3, "fence");
	kit_free(kit);
}

Test(rebuild, no_send_was_confirmed_without_a_missing_gateway)
{
	struct router_conf conf = conf_of_two();
	struct kit *kit;
	struct link_peer *g3;

	conf.rebuild_timeout_ms = 1;
	kit = kit_new_conf(NULL, &conf);
	g3 = kit_gateway(kit, "g3");
	kit_topology(kit, true, kit->g1, g3);
	replay(kit, kit->g1, "c1");
	kit_replayed(kit, kit->g2);
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	kit->router->lost = 0;
	kit_renew(kit, g3);
	kit_expect_silence(kit, g3);
	kit_free(kit);
}

Test(rebuild, a_send_to_a_connection_does_not_ask_for_the_missing)
{
	struct kit *kit = kit_timed_out();
	Link__Send send = LINK__SEND__INIT;

	send.hub = link_bytes(SLICE("chat"));
	send.kind = LINK__KIND__KIND_CONNECTION;
	send.name = link_bytes(SLICE("nobody"));
	send.call = 5;
	kit_hear_send(kit, kit->r2, &send);
	kit_expect(kit, kit->r2, "sent OK");
	kit_free(kit);
}

/* The same send again and again; returns how many were kept. */
static size_t fill(struct kit *kit, size_t bytes_max)
{
	const struct rebuild *rebuild = &kit->router->rebuild;
	size_t one;

	send_text(kit, kit->r2, "one");
	one = rebuild->held_bytes;
	kit->conf.rebuild_bytes_max = (int64_t)(bytes_max * one);
	for (size_t i = 1; i < bytes_max; i++)
		send_text(kit, kit->r2, "one");
	return rebuild->held_bytes / one;
}

Test(rebuild, rebuild_bytes_max_wait_and_one_more_is_refused)
{
	struct kit *kit = kit_rebuilding();

	cr_expect_eq(fill(kit, 3), 3);
	kit_expect_silence(kit, kit->r2);
	send_text(kit, kit->r2, "one");
	kit_expect(kit, kit->r2, "sent ERR_LIMIT");
	list_members(kit);
	kit_expect(kit, kit->r2, "members ERR_LIMIT");
	cr_expect_eq(kit->router->metrics.rebuild_held_total, 3);
	cr_expect_eq(kit->router->metrics.rebuild_refused_total, 2);
	kit_free(kit);
}

Test(rebuild, our_own_hubs_sends_wait_as_well)
{
	const struct router_conf conf = kit_conf();
	struct kit *kit = kit_new_conf(NULL, &conf);

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", "a", "StartTyping", "[\"7\"]");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "room-7", "c2", false);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "deliver group room-7 {\"type\":1,\"target\":\"UserTyping\","
		   "\"arguments\":[{\"userId\":\"ann\",\"userName\":\"ann\","
		   "\"isTyping\":true}]} without c1");
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"a\",\"result\":null}");
	kit_free(kit);
}

Test(rebuild, may_be_under_way_when_the_router_stops)
{
	struct kit *kit = kit_rebuilding();

	send_text(kit, kit->r2, "one");
	list_members(kit);
	kit_free(kit);
}
