/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Methods that answer with a stream: items, their pace, how they end, and who may ask for
 * them.
 */
#include "proto/link/link_private.h"
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

#define ITEMS_MAX 16

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

/* Items, then the end that its argument names. */
static enum hub_rc end_badly(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 0; rc == HUB_OK && i < hub_arg_int(call, 1); i++)
		rc = hub_await_item(call, hub_int(call, i));
	if (rc != HUB_OK)
		return rc;
	if (slice_equal(hub_arg_string(call, 0), SLICE("throw")))
		return hub_throw(call, "InvalidOperationException", "bad %d", 7);
	if (slice_equal(hub_arg_string(call, 0), SLICE("fail")))
		return hub_fail(call, "sorry");
	return HUB_EUNAVAILABLE;
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

static enum hub_rc long_item(struct hub_call *call)
{
	const size_t len = (size_t)hub_arg_int(call, 0);
	char *text = arena_alloc(&kit->arena, len);

	memset(text, 'x', len);
	return hub_await_item(call, hub_string(call, slice_make(text, len)));
}

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "CountTo", .fn = count_to, .arguments = "i", .is_stream = true },
	{ .name = "EndBadly", .fn = end_badly, .arguments = "si", .is_stream = true },
	{ .name = "ForEver", .fn = for_ever, .arguments = "", .is_stream = true },
	{ .name = "LongItem", .fn = long_item, .arguments = "i", .is_stream = true },
	{ .name = "Echo", .fn = echo, .arguments = "v" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
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

TestSuite(hub_stream, .init = setup, .fini = teardown);

#define END(id) "{\"type\":3,\"invocationId\":\"" id "\"}"
#define ERROR(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"" what "\"}"

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

/* ---- items and the end */

Test(hub_stream, items_then_a_completion_without_result)
{
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[3]");
	kit_turn(kit);
	expect_items(1, 3);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.item_total, 3);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 0);
}

Test(hub_stream, may_be_empty)
{
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[0]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
}

Test(hub_stream, an_error_before_the_first_item_is_that_of_the_method)
{
	expect_error("EndBadly", "[\"throw\",0]",
		     "An unexpected error occurred invoking 'EndBadly' on the server.");
	expect_error("EndBadly", "[\"fail\",0]",
		     "An unexpected error occurred invoking 'EndBadly' on the server. "
		     "HubException: sorry");
	expect_error("EndBadly", "[\"lost\",0]",
		     "An unexpected error occurred invoking 'EndBadly' on the server.");
	kit_hub_conf(kit)->is_detailed = true;
	expect_error("EndBadly", "[\"throw\",0]",
		     "An unexpected error occurred invoking 'EndBadly' on the server. "
		     "InvalidOperationException: bad 7");
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 4);
}

static void expect_late_error(const char *arguments, const char *text)
{
	kit_stream(kit, kit->g1, "c1", "s", "EndBadly", arguments);
	kit_turn(kit);
	expect_items(0, 0);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"s\",\"error\":\"%s\"}",
		   (unsigned)kit->last_invoke, text);
}

Test(hub_stream, an_error_behind_an_item_is_that_of_the_stream)
{
	expect_late_error("[\"throw\",1]",
			  "An error occurred on the server while streaming results.");
	expect_late_error("[\"lost\",1]",
			  "An error occurred on the server while streaming results.");
	expect_late_error("[\"fail\",1]",
			  "An error occurred on the server while streaming results. "
			  "HubException: sorry");
	kit_hub_conf(kit)->is_detailed = true;
	expect_late_error("[\"throw\",1]",
			  "An error occurred on the server while streaming results. "
			  "InvalidOperationException: bad 7");
}

Test(hub_stream, an_item_too_long_for_a_link_is_over_a_limit)
{
	kit_hub_conf(kit)->is_detailed = true;
	expect_error("LongItem", "[4194304]",
		     "An unexpected error occurred invoking 'LongItem' on the server. "
		     "HubException: Over a limit.");
}

/* The window is 1 MiB. */
Test(hub_stream, an_item_that_the_link_does_not_take_is_over_a_limit)
{
	kit_hub_conf(kit)->is_detailed = true;
	expect_error("LongItem", "[1048576]",
		     "An unexpected error occurred invoking 'LongItem' on the server. "
		     "HubException: Over a limit.");
}

/* ---- who asks for what */

Test(hub_stream, an_invocation_of_a_streaming_method_is_refused)
{
	kit_invoke(kit, kit->g1, "c1", "a", "countto", "[1]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", "The client attempted to invoke the "
					       "streaming 'countto' method with a "
					       "non-streaming invocation."));
}

Test(hub_stream, a_stream_of_a_plain_method_is_refused)
{
	expect_error("Echo", "[1]",
		     "The client attempted to invoke the non-streaming 'Echo' method "
		     "with a streaming invocation.");
}

Test(hub_stream, the_id_of_a_running_stream_is_taken)
{
	kit_stream(kit, kit->g1, "c1", "s", "ForEver", "[]");
	kit_turn(kit);
	expect_error("CountTo", "[1]", "Invocation ID 's' is already in use.");
	kit_stream(kit, kit->g1, "c1", "t", "CountTo", "[0]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 3 " END("t"));
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_stream(kit, kit->g1, "c2", "s", "CountTo", "[0]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c2 4 " END("s"));
}

Test(hub_stream, the_id_is_free_again_after_the_end)
{
	for (int i = 0; i < 2; i++) {
		kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1]");
		kit_turn(kit);
		expect_items(1, 1);
		kit_expect(kit, kit->g1, "complete c1 %d " END("s"), i + 1);
	}
}

/* ---- pace */

Test(hub_stream, rests_while_items_max_are_not_confirmed)
{
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[40]");
	kit_turn(kit);
	expect_items(1, ITEMS_MAX);
	kit_expect_silence(kit, kit->g1);
	kit_ack(kit, kit->g1);
	expect_items(ITEMS_MAX + 1, 2 * ITEMS_MAX);
	kit_expect_silence(kit, kit->g1);
	kit_ack(kit, kit->g1);
	expect_items(2 * ITEMS_MAX + 1, 40);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
}

Test(hub_stream, one_confirmation_lets_one_item_go)
{
	const uint64_t first = kit->g1->session.last_seq + 1;

	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[20]");
	kit_turn(kit);
	expect_items(1, ITEMS_MAX);
	cr_assert_eq(session_on_ack(&kit->g1->session, first), OK);
	kit_turn(kit);
	expect_items(ITEMS_MAX + 1, ITEMS_MAX + 1);
	kit_expect_silence(kit, kit->g1);
}

Test(hub_stream, rests_while_the_client_is_behind)
{
	kit_flow(kit, kit->g1, "c1", true);
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[2]");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_flow(kit, kit->g1, "c1", false);
	kit_turn(kit);
	expect_items(1, 2);
	kit_expect(kit, kit->g1, "complete c1 1 " END("s"));
}

Test(hub_stream, another_gateway_cannot_hold_it_up)
{
	kit_flow(kit, kit->g2, "c1", true);
	kit_stream(kit, kit->g1, "c1", "s", "CountTo", "[1]");
	kit_turn(kit);
	expect_items(1, 1);
}
