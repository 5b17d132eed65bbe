/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues and fibers: what runs when, when it completes, and what is refused. Coming,
 * going and stopping are in test_hub_lifecycle.c.
 */
#include "router/hub_runtime.h"

#include "tests/unit/router/hub_kit.h"

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

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
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_copy(call, hub_arg(call, 0)));
	hub_send(call, hub_to_all(), SLICE("said"), arguments);
	return HUB_OK;
}

static enum hub_rc say_and_join(struct hub_call *call)
{
	say(call);
	return join(call);
}

static enum hub_rc leave_us(struct hub_call *call)
{
	hub_abort(call);
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Echo", .fn = echo, .arguments = "v" },
	{ .name = "Join", .fn = join, .arguments = "s" },
	{ .name = "JoinTwice", .fn = join_twice, .arguments = "s" },
	{ .name = "Say", .fn = say, .arguments = "v" },
	{ .name = "SayAndJoin", .fn = say_and_join, .arguments = "s" },
	{ .name = "LeaveUs", .fn = leave_us, .arguments = "" },
};

static const struct hub_module quiet = {
	.api_version = HUB_API_VERSION,
	.name = "quiet",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

#define SAID(what) "deliver all {\"type\":1,\"target\":\"said\",\"arguments\":[" what "]}"
#define RESULT(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":" what "}"
#define ERROR(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"" what "\"}"
#define BUSY(id, target)                                                                 \
	ERROR(id, "Failed to invoke '" target "' due to an error on the "                \
		  "server. HubException: The server is busy.")
#define TOO_MANY(id, target)                                                             \
	ERROR(id, "Failed to invoke '" target "' due to an error on the "                \
		  "server. HubException: Too many invocations are waiting.")

static struct kit *kit_with_c1(const struct hub_module *module)
{
	struct kit *kit = kit_new(module);

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	return kit;
}

/* ---- serving */

Test(hub_runtime, serves_what_is_listed)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hubs = (char[]){ " Chat " };
	kit = kit_new_conf(NULL, &conf);
	cr_expect_not_null(hub_find(kit->router->hubs, SLICE("chat")));
	cr_expect_null(hub_find(kit->router->hubs, SLICE("relay")));
	kit_free(kit);
}

Test(hub_runtime, an_unknown_hub_ends_the_program, .exit_code = 1)
{
	struct router_conf conf = kit_conf();

	conf.hubs = (char[]){ "chat,chess" };
	kit_new_conf(NULL, &conf);
}

/* ---- order */

Test(hub_runtime, a_call_completes_with_its_result)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "7", "Echo", "[{\"a\":[1,null]}]");
	kit_expect_silence(kit, kit->g1);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("7", "{\"a\":[1,null]}"));
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(hub_runtime, a_call_nobody_waits_for_completes_without_a_frame)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", NULL, "Echo", "[1]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Unknown", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, "complete c1 2 -");
	kit_free(kit);
}

Test(hub_runtime, calls_of_one_connection_run_one_after_another)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_invoke(kit, kit->g1, "c1", "c", "Echo", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "2"));
	kit_expect(kit, kit->g1, "complete c1 3 " RESULT("c", "3"));
	kit_free(kit);
}

Test(hub_runtime, calls_of_two_connections_run_side_by_side)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_connect(kit, kit->g2, "c2", "bob");
	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_invoke(kit, kit->g2, "c2", "b", "Echo", "[2]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect(kit, kit->g2, "complete c2 2 " RESULT("b", "2"));
	kit_free(kit);
}

Test(hub_runtime, an_await_after_an_await_goes_on)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "JoinTwice", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_free(kit);
}

/* ---- confirmation */

Test(hub_runtime, completes_when_every_gateway_has_what_was_sent)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, SAID("1"));
	kit_expect(kit, kit->g2, SAID("1"));
	kit_ack(kit, kit->g1);
	kit_expect_silence(kit, kit->g1);
	kit_ack(kit, kit->g2);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_free(kit);
}

Test(hub_runtime, a_confirmation_before_the_end_does_not_complete)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "SayAndJoin", "[\"g\"]");
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	kit_expect(kit, kit->g1, SAID("\"g\""));
	kit_expect(kit, kit->g1, "join c1 g");
	kit_ack(kit, kit->g1);
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_free(kit);
}

Test(hub_runtime, the_next_call_does_not_wait_for_confirmation)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[1]");
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, SAID("1"));
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "2"));
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_free(kit);
}

Test(hub_runtime, what_was_not_confirmed_in_time_is_an_error)
{
	struct kit *kit = kit_with_c1(&quiet);
	bool is_over;

	kit_hub_conf(kit)->await_timeout_ms = 1;
	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[1]");
	do {
		loop_turn(kit->loop, 100);
		is_over = kit->router->metrics.ask_timeout_total > 0;
	} while (!is_over);
	kit_expect(kit, kit->g1, SAID("1"));
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", "An unexpected error occurred invoking "
					       "'Say' on the server. HubException: Not "
					       "every receiver is known to have been "
					       "reached."));
	kit_free(kit);
}

/* ---- limits */

Test(hub_runtime, hub_calls_max_run_and_one_more_is_refused)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.hub_calls_max = 2;
	conf.rebuild_wait_ms = 0;
	kit = kit_new_conf(&quiet, &conf);
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_connect(kit, kit->g1, "c3", NULL);
	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c2", "b", "Join", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect(kit, kit->g1, "join c2 g");
	kit_invoke(kit, kit->g1, "c3", "c", "Echo", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c3 3 " BUSY("c", "Echo"));
	cr_expect_eq(kit->router->metrics.hub_busy_total, 1);
	kit_joined(kit, kit->g1, "c2", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c2 2 " RESULT("b", "null"));
	kit_invoke(kit, kit->g1, "c3", "d", "Echo", "[4]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c3 4 " RESULT("d", "4"));
	kit_free(kit);
}

Test(hub_runtime, connection_calls_max_wait_and_one_more_is_refused)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit->conf.conn_calls_max = 2;
	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_invoke(kit, kit->g1, "c1", "c", "Echo", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 3 " TOO_MANY("c", "Echo"));
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "2"));
	kit_free(kit);
}

Test(hub_runtime, a_call_to_be_confirmed_counts_against_connection_calls_max)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit->conf.conn_calls_max = 1;
	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[1]");
	kit_turn(kit);
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_expect(kit, kit->g1, SAID("1"));
	kit_expect(kit, kit->g1, "complete c1 2 " TOO_MANY("b", "Echo"));
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_skip(kit, kit->g1);
	kit_invoke(kit, kit->g1, "c1", "c", "Echo", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 3 " RESULT("c", "3"));
	kit_free(kit);
}

Test(hub_runtime, a_slow_method_is_counted)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit->conf.hub_slow_ms = 0;
	kit_invoke(kit, kit->g1, "c1", "a", "Echo", "[1]");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.hub_slow_total, 1);
	kit_free(kit);
}

/* ---- ends */

Test(hub_runtime, a_connection_may_end_before_its_sends_are_confirmed)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "Say", "[1]");
	kit_turn(kit);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, SAID("1"));
	cr_expect_not(hub_runtime_is_idle(kit->router->hubs));
	kit_ack(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_expect_silence(kit, kit->g1);
	cr_expect(hub_runtime_is_idle(kit->router->hubs));
	kit_free(kit);
}

Test(hub_runtime, abort_ends_the_connection)
{
	struct kit *kit = kit_with_c1(&quiet);

	kit_invoke(kit, kit->g1, "c1", "a", "LeaveUs", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "abort c1 ");
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_free(kit);
}

Test(hub_runtime, a_completion_that_does_not_fit_starts_over_with_the_gateway)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.link.window_bytes_max = 20;
	kit = kit_new_conf(&quiet, &conf);
	kit_connect(kit, kit->g1, "c1", NULL);
	kit_invoke(kit, kit->g1, "c1", "a", "Echo", "[1]");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 1);
	kit_free(kit);
}
