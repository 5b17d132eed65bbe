/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that stream beside others: their turn, the client's cancelling, and what the end
 * of the connection or the router does to them.
 */
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

#define ITEMS_MAX 16
#define BESIDE_MAX 64

static struct kit *kit;

static enum hub_rc count_to(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 1; rc == HUB_OK && i <= hub_arg_int(call, 0); i++) {
		hub_scratch(call);
		rc = hub_await_item(call, hub_int(call, i));
	}
	return rc;
}

static enum hub_rc for_ever(struct hub_call *call)
{
	enum hub_rc rc = hub_await_cancel(call, -1);

	cr_expect(hub_is_canceled(call));
	cr_expect_eq(hub_await_join(call, SLICE("g")), HUB_ECANCELED);
	cr_expect_eq(hub_await_sleep(call, 1), HUB_ECANCELED);
	cr_expect_eq(hub_await_cancel(call, 1), HUB_ECANCELED);
	cr_expect_eq(hub_await_item(call, hub_null(call)), HUB_ECANCELED);
	hub_send(call, hub_to_caller(), SLICE("canceled"), hub_array(call));
	return rc;
}

static enum hub_rc fail_when_canceled(struct hub_call *call)
{
	(void)hub_await_cancel(call, -1); /* it returns for one reason only */
	return hub_fail(call, "no clean end");
}

static enum hub_rc join_first(struct hub_call *call)
{
	return hub_await_join(call, SLICE("g"));
}

static enum hub_rc wait_plain(struct hub_call *call)
{
	return hub_await_join(call, SLICE("g"));
}

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

static enum hub_rc rest_plain(struct hub_call *call)
{
	return hub_await_cancel(call, -1);
}

static enum hub_rc say_bye(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("bye"), hub_array(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "CountTo", .fn = count_to, .arguments = "i", .is_stream = true },
	{ .name = "ForEver", .fn = for_ever, .arguments = "", .is_stream = true },
	{ .name = "FailWhenCanceled",
	  .fn = fail_when_canceled,
	  .arguments = "",
	  .is_stream = true },
	{ .name = "JoinFirst", .fn = join_first, .arguments = "", .is_stream = true },
	{ .name = "WaitPlain", .fn = wait_plain, .arguments = "" },
	{ .name = "Echo", .fn = echo, .arguments = "v" },
	{ .name = "RestPlain", .fn = rest_plain, .arguments = "" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_disconnected = say_bye,
};

static void setup(void)
{
	kit = kit_new(&hub);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_beside, .init = setup, .fini = teardown);

#define END(id) "{\"type\":3,\"invocationId\":\"" id "\"}"
#define RESULT(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":" what "}"
#define ERROR(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"" what "\"}"
#define BYE "deliver all {\"type\":1,\"target\":\"bye\",\"arguments\":[]}"
#define CANCELED                                                                         \
	"deliver connection c1 {\"type\":1,\"target\":\"canceled\",\"arguments\":[]}"

static void expect_items(int from, int to)
{
	for (int i = from; i <= to; i++)
		kit_expect(kit, kit->g1,
			   "push c1 {\"type\":2,\"invocationId\":\"s\",\"item\":%d}", i);
}

static void expect_error(const char *target, const char *arguments, const char *text)
{
	kit_stream(kit, kit->g1, "c1", "s", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"s\",\"error\":\"%s\"}",
		   (unsigned)kit->last_invoke, text);
	kit_expect_silence(kit, kit->g1);
}

/* ---- canceling */

Test(hub_beside, cancel_ends_it_without_an_error)
{
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, CANCELED);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 0);
}

Test(hub_beside, cancel_ends_an_item_that_rests)
{
	kit_flow(kit, kit->g1, "c1", true);
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[2]");
	kit_turn(kit);
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
}

Test(hub_beside, cancel_ends_an_await_of_an_answer)
{
	kit_stream(kit, kit->g1, "c1", "s", "JoinFirst", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
}

Test(hub_beside, cancel_finds_one_whose_turn_has_not_come)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[2]");
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "2"));
	kit_expect(kit, kit->g1, "complete c1 3 " END("s"));
}

Test(hub_beside, cancel_of_what_is_no_stream_is_passed_over)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_cancel(kit, kit->g1, "c1", "a");
	kit_cancel(kit, kit->g1, "c1", "unknown");
	kit_cancel(kit, kit->g1, "unknown", "s");
	kit_cancel(kit, kit->g2, "c1", "s");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
}

Test(hub_beside, a_method_may_fail_although_it_was_canceled)
{
	kit_stream(kit, kit->g1, "c1", "s", "FailWhenCanceled", "[]");
	kit_turn(kit);
	kit_cancel(kit, kit->g1, "c1", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("s", "An unexpected error occurred invoking "
					       "'FailWhenCanceled' on the server. "
					       "HubException: no clean end"));
}

/* ---- beside others */

Test(hub_beside, runs_beside_plain_calls_that_wait)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	expect_items(1, 1);
	kit_expect(kit, kit->g1, "complete c1 2 " END("s"));
}

Test(hub_beside, plain_calls_run_beside_it)
{
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_invoke(kit, kit->g1, "c1", "a", "Echo", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("a", "1"));
}

Test(hub_beside, begins_when_its_turn_comes)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_invoke(kit, kit->g1, "c1", "b", "Echo", "[2]");
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "2"));
	expect_items(1, 1);
}

Test(hub_beside, as_many_plain_calls_run_as_the_hub_allows_and_one_more_waits)
{
	kit_hub_conf(kit)->invocations_parallel_max = 2;
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_invoke(kit, kit->g1, "c1", "b", "WaitPlain", "[]");
	kit_invoke(kit, kit->g1, "c1", "c", "Echo", "[3]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "null"));
	kit_expect(kit, kit->g1, "complete c1 3 " RESULT("c", "3"));
}

Test(hub_beside, so_many_run_beside_each_other_and_one_more_is_refused)
{
	kit->conf.conn_calls_max = BESIDE_MAX + 1;
	for (int i = 0; i < BESIDE_MAX - 1; i++)
		kit_stream(kit, kit->g1, "c1", kit_text(kit, "f%d", i), "ForEver", "[]");
	kit_turn(kit);
	kit_stream(kit, kit->g1, "c1", "last", "CountTo", "[0]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 %d " END("last"), BESIDE_MAX);
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	expect_error("CountTo", "[0]",
		     "Failed to invoke 'CountTo' due to an error on the server. "
		     "HubException: Too many streams are open.");
	cr_expect_eq(kit->router->metrics.stream_refused_total, 1);
}

/* ---- the connection's end */

Test(hub_beside, the_end_of_the_connection_cancels_it_before_on_disconnected)
{
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
	kit_expect(kit, kit->g1, BYE);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	cr_expect_eq(kit->router->metrics.calls, 0);
}

Test(hub_beside, on_disconnected_waits_for_the_plain_call_under_way)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, ERR_NOT_FOUND);
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", "An unexpected error occurred invoking "
					       "'WaitPlain' on the server."));
	kit_expect(kit, kit->g1, BYE);
}

Test(hub_beside, no_plain_call_rests_beyond_the_end_of_the_connection)
{
	kit_invoke(kit, kit->g1, "c1", NULL, "RestPlain", "[]");
	kit_turn(kit);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, BYE);
}

Test(hub_beside, the_loss_of_the_gateway_cancels_it)
{
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1000]");
	kit_turn(kit);
	expect_items(1, ITEMS_MAX);
	kit_gone(kit, kit->g1);
	kit_skip(kit, kit->g2);
	cr_expect_eq(kit->router->metrics.calls, 0);
}

/* ---- the router's end */

Test(hub_beside, a_drain_cancels_it_with_an_error)
{
	kit_hub_conf(kit)->is_detailed = true;
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1000]");
	kit_turn(kit);
	expect_items(1, ITEMS_MAX);
	hub_runtime_drain(kit->router->hubs);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("s", "An error occurred on the server while "
					       "streaming results. HubException: The "
					       "router is going down."));
	cr_expect(hub_runtime_is_idle(kit->router->hubs));
}

/* One waits for its turn, the other is invoked later. */
Test(hub_beside, a_drain_cancels_what_begins_behind_it)
{
	kit_invoke(kit, kit->g1, "c1", "a", "WaitPlain", "[]");
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	hub_runtime_drain(kit->router->hubs);
	kit_stream(kit, kit->g1, "c1", "t", "CountTo", "[1]");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.calls, 0);
	cr_expect(hub_runtime_is_idle(kit->router->hubs));
}

/* teardown() stops the router. */
Test(hub_beside, a_router_that_stops_ends_whatever_rests)
{
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_stream(kit, kit->g1, "c1", "t", "CountTo", "[1000]");
	kit_invoke(kit, kit->g1, "c1", "a", "RestPlain", "[]");
	kit_invoke(kit, kit->g1, "c1", "b", "RestPlain", "[]");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.calls, 4);
}
