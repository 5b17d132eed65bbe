/* SPDX-License-Identifier: Apache-2.0 */
/*
 * on_connected and on_disconnected among the other calls, and what is left when the
 * router stops.
 */
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

static enum hub_rc join(struct hub_call *call)
{
	return hub_await_join(call, hub_arg_string(call, 0));
}

static enum hub_rc join_twice(struct hub_call *call)
{
	const enum hub_rc rc = join(call);

	return rc == HUB_OK ? join(call) : rc;
}

static enum hub_rc say(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("said"), hub_array(call));
	return HUB_OK;
}

static enum hub_rc say_and_join(struct hub_call *call)
{
	say(call);
	return join(call);
}

static enum hub_rc say_hello(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("hello"), hub_array(call));
	if (slice_equal(hub_user_id(call), SLICE("banned")))
		return hub_fail(call, "You are not welcome.");
	return HUB_OK;
}

static enum hub_rc say_bye(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("bye"), hub_array(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Join", .fn = join, .arguments = "s" },
	{ .name = "JoinTwice", .fn = join_twice, .arguments = "s" },
	{ .name = "Say", .fn = say, .arguments = "" },
	{ .name = "SayAndJoin", .fn = say_and_join, .arguments = "s" },
};

static const struct hub_module polite = {
	.api_version = HUB_API_VERSION,
	.name = "polite",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = say_hello,
	.on_disconnected = say_bye,
};

#define TOLD(what) "deliver all {\"type\":1,\"target\":\"" what "\",\"arguments\":[]}"
#define HELLO TOLD("hello")
#define BYE TOLD("bye")
#define DONE(id) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":null}"

Test(hub_lifecycle, its_gateway_hears_when_on_connected_has_run)
{
	struct kit *kit = kit_new(&polite);

	kit->is_of_begins = true;
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, "began c1");
	kit_connect(kit, kit->g1, "c2", "banned");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, "abort c2 Connection closed with an error.");
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(hub_lifecycle, on_connected_runs_before_the_first_method)
{
	struct kit *kit = kit_new(&polite);

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", NULL, "Say", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, TOLD("said"));
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_free(kit);
}

Test(hub_lifecycle, a_connection_that_is_refused_runs_no_method)
{
	struct kit *kit = kit_new(&polite);

	kit_connect(kit, kit->g1, "c1", "banned");
	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, "abort c1 Connection closed with an error.");
	kit_expect(
		kit, kit->g1,
		"complete c1 1 {\"type\":3,\"invocationId\":\"a\",\"error\":\"Failed to "
		"invoke 'Say' because the connection was refused.\"}");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, BYE);
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(hub_lifecycle, what_was_sent_before_the_end_runs_and_then_on_disconnected_once)
{
	struct kit *kit = kit_new(&polite);

	kit_connect(kit, kit->g1, "c1", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Say", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_disconnect(kit, kit->g1, "c1");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, ERR_NOT_FOUND);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, TOLD("said"));
	kit_expect(kit, kit->g1, "complete c1 2 -");
	kit_expect(kit, kit->g1, BYE);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.calls, 0);
	kit_free(kit);
}

Test(hub_lifecycle, coming_and_going_waits_for_a_fiber)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hub_calls_max = 1;
	kit = kit_new_conf(&polite, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_turn(kit);
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_disconnect(kit, kit->g1, "c2");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " DONE("a"));
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, BYE);
	kit_free(kit);
}

/* The pool's own limit stands in for memory that is short. */
Test(hub_lifecycle, coming_without_memory_for_a_fiber_is_tried_again_later)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hub_calls_max = 1;
	kit = kit_new_conf(&polite, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, "join c1 g");
	kit->conf.hub_calls_max = 2;
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_turn(kit);
	cr_expect(timer_is_running(&kit->router->hubs->retry));
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	cr_expect_not(hub_runtime_is_idle(kit->router->hubs));
	while (timer_is_running(&kit->router->hubs->retry))
		loop_turn(kit->loop, 1000);
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_free(kit);
}

Test(hub_lifecycle, being_connected_does_not_count_against_connection_calls_max)
{
	struct kit *kit = kit_new(&polite);

	kit->conf.conn_calls_max = 1;
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_invoke(kit, kit->g1, "c1", NULL, "Say", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, HELLO);
	kit_expect(kit, kit->g1, TOLD("said"));
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_free(kit);
}

/* ---- stopping */

Test(hub_lifecycle, stopping_ends_what_waits)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hub_calls_max = 2;
	kit = kit_new_conf(&polite, &conf);
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_connect(kit, kit->g2, "c3", NULL);
	kit_turn(kit);
	kit_invoke(kit, kit->g1, "c1", "a", "JoinTwice", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c2", "b", "SayAndJoin", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c2", "c", "Say", "[]");
	kit_turn(kit);
	kit_invoke(kit, kit->g2, "c3", "d", "Say", "[]");
	kit_disconnect(kit, kit->g2, "c3");
	kit_connect(kit, kit->g2, "c4", NULL);
	kit_turn(kit);
	kit_gone(kit, kit->g2);
	cr_expect_not(hub_runtime_is_idle(kit->router->hubs));
	kit_free(kit);
}
