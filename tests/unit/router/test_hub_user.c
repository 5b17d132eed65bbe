/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hubs do when users come and go: who runs it, in which order, and what a call can
 * do that has a user and no connection.
 */

#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

#define TOLD(what, argument)                                                             \
	"deliver all {\"type\":1,\"target\":\"" what "\",\"arguments\":[\"" argument     \
	"\"]}"

static void tell_all(struct hub_call *call, const char *event, struct slice text)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_string(call, text));
	hub_send(call, hub_to_all(), slice_from_str(event), arguments);
}

static enum hub_rc say_online(struct hub_call *call)
{
	tell_all(call, "online", hub_user_id(call));
	return HUB_OK;
}

static enum hub_rc say_offline(struct hub_call *call)
{
	tell_all(call, "offline", hub_user_id(call));
	return HUB_OK;
}

static const struct hub_module polite = {
	.api_version = HUB_API_VERSION,
	.name = "polite",
	.on_user_online = say_online,
	.on_user_offline = say_offline,
};

static void online(struct kit *kit, const char *id, const char *user)
{
	kit_user(kit, id, LINK__CHANGE__CHANGE_ONLINE, user, "");
}

static void offline(struct kit *kit, const char *id, const char *user)
{
	kit_user(kit, id, LINK__CHANGE__CHANGE_OFFLINE, user, "");
}

/* ---- who runs it */

Test(hub_user, a_hub_hears_who_comes_and_goes)
{
	struct kit *kit = kit_new(&polite);

	online(kit, "01", "ann");
	offline(kit, "02", "ann");
	kit_turn(kit);
	kit_expect(kit, kit->g1, TOLD("online", "ann"));
	kit_expect(kit, kit->g1, TOLD("offline", "ann"));
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.user_call_total, 2);
	cr_expect_eq(kit->router->metrics.calls, 0);
	cr_expect_eq(kit->router->hubs->user_calls_n, 0);
	kit_free(kit);
}

Test(hub_user, another_routers_user_is_its_own)
{
	struct router_conf conf = kit_conf();
	char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct kit *kit;

	conf.routers = routers;
	kit = kit_new_conf(&polite, &conf);
	online(kit, "01", kit_name(kit, LINK__KIND__KIND_USER, false));
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.user_call_total, 0);
	online(kit, "02", kit_name(kit, LINK__KIND__KIND_USER, true));
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.user_call_total, 1);
	kit_free(kit);
}

static const struct hub_module goodbye = {
	.api_version = HUB_API_VERSION,
	.name = "goodbye",
	.on_user_offline = say_offline,
};

Test(hub_user, a_hub_may_want_to_know_the_one_alone)
{
	struct kit *kit = kit_new(&goodbye);

	online(kit, "01", "ann");
	offline(kit, "02", "ann");
	kit_turn(kit);
	kit_expect(kit, kit->g1, TOLD("offline", "ann"));
	cr_expect_eq(kit->router->metrics.user_call_total, 1);
	kit_free(kit);
}

/* ---- order */

static enum hub_rc sleep_then_say(struct hub_call *call)
{
	const enum hub_rc rc = hub_await_sleep(call, 1);

	tell_all(call, "online", hub_user_id(call));
	return rc;
}

static bool is_said;

static enum hub_rc say_offline_last(struct hub_call *call)
{
	is_said = true;
	return say_offline(call);
}

static const struct hub_module slow = {
	.api_version = HUB_API_VERSION,
	.name = "slow",
	.on_user_online = sleep_then_say,
	.on_user_offline = say_offline_last,
};

Test(hub_user, what_one_user_does_is_told_in_order)
{
	struct kit *kit = kit_new(&slow);

	online(kit, "01", "ann");
	offline(kit, "02", "ann");
	offline(kit, "03", "bob");
	kit_turn(kit);
	kit_expect(kit, kit->g1, TOLD("offline", "bob"));
	is_said = false;
	kit_turn_until(kit, &is_said);
	kit_turn(kit);
	kit_expect(kit, kit->g1, TOLD("online", "ann"));
	kit_expect(kit, kit->g1, TOLD("offline", "ann"));
	kit_free(kit);
}

/* ---- what the call can do */

static enum hub_rc look_around(struct hub_call *call)
{
	const struct value *arguments = hub_array(call);
	const struct hub_member *members;
	size_t n = 9;

	cr_expect_eq(hub_connection_id(call).len, 0);
	cr_expect(slice_equal(hub_user_id(call), SLICE("ann")));
	cr_expect(slice_equal(hub_user_name(call), SLICE("Ann")));
	cr_expect_not(hub_has_role(call, SLICE("admin")));
	cr_expect_null(hub_claims(call));
	cr_expect_null(hub_claim(call, "sub"));
	cr_expect_str_empty(hub_transport(call));
	cr_expect_null(hub_request_header(call, "Cookie").ptr);
	cr_expect_null(hub_request_query(call, "q").ptr);
	cr_expect_null(hub_header(call, "X").ptr);
	cr_expect_eq(hub_groups_n(call), 0);
	cr_expect_eq(hub_args_n(call), 0);
	cr_expect_not(hub_is_canceled(call));
	hub_send(call, hub_to_caller(), SLICE("nobody"), arguments);
	hub_send(call, hub_to_others(), SLICE("others"), arguments);
	hub_send(call, hub_to_user(hub_user_id(call)), SLICE("user"), arguments);
	hub_abort(call);
	hub_return(call, hub_null(call));
	cr_expect_eq(hub_await_join(call, SLICE("g")), HUB_ENOTFOUND);
	cr_expect_eq(hub_await_members(call, SLICE("g"), &members, &n), HUB_OK);
	cr_expect_eq(n, 0);
	cr_expect_eq(hub_await_log_append(call, SLICE("k"), SLICE("e"),
					  &(struct hub_bounds){ 10, 1000 }, HUB_ANY,
					  NULL),
		     HUB_OK);
	tell_all(call, "looked", SLICE("around"));
	return HUB_OK;
}

static const struct hub_module curious = {
	.api_version = HUB_API_VERSION,
	.name = "curious",
	.on_user_online = look_around,
};

Test(hub_user, it_has_a_user_and_no_connection)
{
	struct kit *kit = kit_new(&curious);

	kit_user(kit, "01", LINK__CHANGE__CHANGE_ONLINE, "ann", "Ann");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "deliver all {\"type\":1,\"target\":\"others\",\"arguments\":[]}");
	kit_expect(kit, kit->g1, TOLD("looked", "around"));
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.user_call_failed_total, 0);
	cr_expect_eq(kit->router->metrics.join_total, 1);
	kit_free(kit);
}

Test(hub_user, a_group_reaches_its_members)
{
	struct kit *kit = kit_new(&curious);

	kit_member(kit, kit->g2, LINK__KIND__KIND_USER, "ann", "c1", false);
	kit_user(kit, "01", LINK__CHANGE__CHANGE_ONLINE, "ann", "Ann");
	kit_turn(kit);
	kit_expect(kit, kit->g2,
		   "deliver all {\"type\":1,\"target\":\"others\",\"arguments\":[]}");
	kit_expect(kit, kit->g2,
		   "deliver user ann {\"type\":1,\"target\":\"user\",\"arguments\":[]}");
	kit_free(kit);
}

/* ---- failing, limits, the end */

static enum hub_rc fail(struct hub_call *call)
{
	return hub_fail(call, "I do not know %.*s.", SLICE_FMT(hub_user_id(call)));
}

static enum hub_rc never(struct hub_call *call)
{
	return hub_await_sleep(call, 1000000);
}

static const struct hub_module failing = {
	.api_version = HUB_API_VERSION,
	.name = "failing",
	.on_user_online = fail,
	.on_user_offline = never,
};

Test(hub_user, one_that_fails_is_counted)
{
	struct kit *kit = kit_new(&failing);

	online(kit, "01", "ann");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.user_call_failed_total, 1);
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(hub_user, past_user_calls_max_they_are_left_out)
{
	struct kit *kit = kit_new(&failing);

	kit->conf.user_calls_max = 2;
	offline(kit, "01", "ann");
	offline(kit, "02", "bob");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.user_call_refused_total, 0);
	offline(kit, "03", "cid");
	offline(kit, "04", "ann");
	cr_expect_eq(kit->router->metrics.user_call_refused_total, 2);
	cr_expect_eq(kit->router->hubs->user_calls_n, 2);
	kit_free(kit);
}

Test(hub_user, without_a_fiber_it_waits)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hub_calls_max = 1;
	kit = kit_new_conf(&slow, &conf);
	online(kit, "01", "ann");
	offline(kit, "02", "bob");
	kit_turn(kit);
	is_said = false;
	kit_turn_until(kit, &is_said);
	cr_expect_eq(kit->router->metrics.hub_busy_total, 0);
	kit_free(kit);
}

Test(hub_user, the_end_of_the_router_ends_them_all)
{
	struct kit *kit = kit_new(&failing);

	offline(kit, "01", "ann");
	kit_turn(kit);
	offline(kit, "02", "ann");
	offline(kit, "03", "bob");
	kit_free(kit);
}

Test(hub_user, a_draining_router_finishes_them)
{
	struct kit *kit = kit_new(&slow);

	online(kit, "01", "ann");
	kit_turn(kit);
	router_proc_ops.drain(NULL, kit->router);
	offline(kit, "02", "ann");
	is_said = false;
	kit_turn_until(kit, &is_said);
	loop_timer_stop(kit->loop, &kit->router->drain_timer);
	kit_free(kit);
}
