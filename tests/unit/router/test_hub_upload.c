/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that clients send up: their items, their ends, and the credit that goes back
 * for what was taken.
 */
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

#define UPLOAD_ITEMS_MAX 1024

static struct kit *kit;

static enum hub_rc concat(struct hub_call *call)
{
	struct slice all = SLICE("");
	const struct value *item;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK)
		all = hub_concat(call, all, item->bytes);
	if (rc != HUB_END)
		return rc;
	hub_return(call, hub_string(call, all));
	return HUB_OK;
}

/* One of each in turn; the result is what was kept of both. */
static enum hub_rc zip(struct hub_call *call)
{
	struct value *pairs = hub_array(call);
	const struct value *left;
	const struct value *right;

	hub_add(pairs, hub_copy(call, hub_arg(call, 0)));
	hub_add(pairs, hub_copy(call, hub_arg(call, 1)));
	while (hub_await_next(call, 0, &left) == HUB_OK &&
	       hub_await_next(call, 1, &right) == HUB_OK) {
		hub_add(pairs, hub_copy(call, hub_keep(call, left)));
		hub_add(pairs, hub_copy(call, hub_keep(call, right)));
	}
	hub_return(call, pairs);
	return HUB_OK;
}

static enum hub_rc take_one(struct hub_call *call)
{
	const struct value *item;
	const enum hub_rc rc = hub_await_next(call, 0, &item);

	if (rc == HUB_OK)
		hub_return(call, hub_copy(call, item));
	return rc;
}

static enum hub_rc say_and_leave(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("bye"), hub_array(call));
	return HUB_OK;
}

static enum hub_rc shrug_at_error(struct hub_call *call)
{
	const struct value *item;

	while (hub_await_next(call, 0, &item) == HUB_OK)
		;
	cr_expect_eq(hub_await_next(call, 0, &item),
		     hub_is_canceled(call) ? HUB_ECANCELED : HUB_FAILED);
	cr_expect_null(item);
	return HUB_OK;
}

static enum hub_rc echo_items(struct hub_call *call)
{
	const struct value *item;
	enum hub_rc rc = HUB_OK;

	while (rc == HUB_OK) {
		rc = hub_await_next(call, 0, &item);
		if (rc == HUB_OK)
			rc = hub_await_item(call, item);
	}
	return rc == HUB_END ? HUB_OK : rc;
}

static enum hub_rc sleep_on(struct hub_call *call)
{
	return hub_await_join(call, SLICE("g"));
}

static enum hub_rc plain(struct hub_call *call)
{
	(void)call; /* its void result is null */
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Concat", .fn = concat, .arguments = "~" },
	{ .name = "Zip", .fn = zip, .arguments = "~s~i" },
	{ .name = "TakeOne", .fn = take_one, .arguments = "~" },
	{ .name = "SayAndLeave", .fn = say_and_leave, .arguments = "~" },
	{ .name = "Shrug", .fn = shrug_at_error, .arguments = "~" },
	{ .name = "EchoItems", .fn = echo_items, .arguments = "~", .is_stream = true },
	{ .name = "SleepOn", .fn = sleep_on, .arguments = "~" },
	{ .name = "Wait", .fn = sleep_on, .arguments = "" },
	{ .name = "Plain", .fn = plain, .arguments = "" },
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

TestSuite(hub_upload, .init = setup, .fini = teardown);

#define RESULT(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":" what "}"
#define ERROR(id, what) "{\"type\":3,\"invocationId\":\"" id "\",\"error\":\"" what "\"}"
#define UNEXPECTED(target)                                                               \
	"An unexpected error occurred invoking '" target "' on the server."

static void upload(const char *target, const char *arguments, const char *stream_ids)
{
	kit_upload(kit, kit->g1, "c1", "a", target, arguments, stream_ids);
}

static void item(const char *stream_id, const char *raw)
{
	kit_item(kit, kit->g1, "c1", stream_id, raw);
}

static void end(const char *stream_id, const char *error)
{
	kit_completion(kit, kit->g1, "c1", stream_id, NULL, error);
}

/* ---- items and ends */

Test(hub_upload, items_come_in_order_and_then_the_end)
{
	upload("Concat", "[]", "u");
	kit_turn(kit);
	item("u", "\"a\"");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "credit c1 u 1");
	item("u", "\"b\"");
	item("u", "\"c\"");
	end("u", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "\"abc\""));
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.upload_item_total, 3);
}

Test(hub_upload, is_there_before_its_call_has_begun)
{
	kit_invoke(kit, kit->g1, "c1", NULL, "Wait", "[]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Plain", "[]");
	upload("Concat", "[]", "u");
	item("u", "\"a\"");
	end("u", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, "complete c1 2 -");
	kit_expect(kit, kit->g1, "complete c1 3 " RESULT("a", "\"a\""));
}

Test(hub_upload, may_be_empty)
{
	upload("Concat", "[]", "u");
	end("u", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "\"\""));
}

Test(hub_upload, streams_are_none_of_the_arguments)
{
	upload("Zip", "[\"x\",1]", "u,v");
	item("v", "{\"k\":[1,true,null,2.5]}");
	item("u", "[\"l\"]");
	item("u", "[]");
	end("u", NULL);
	end("v", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " RESULT("a", "[\"x\",1,[\"l\"],{\"k\":[1,true,null,"
						"2.5]}]"));
}

Test(hub_upload, runs_beside_a_plain_call)
{
	kit_invoke(kit, kit->g1, "c1", "w", "Wait", "[]");
	upload("Concat", "[]", "u");
	end("u", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("a", "\"\""));
}

Test(hub_upload, streams_go_both_ways)
{
	Link__Invoke message = LINK__INVOKE__INIT;
	ProtobufCBinaryData id = link_bytes(SLICE("u"));

	message.hub = link_bytes(SLICE("hub"));
	message.connection = link_bytes(SLICE("c1"));
	message.call = 9;
	message.invocation_id = link_bytes(SLICE("s"));
	message.target = link_bytes(SLICE("EchoItems"));
	message.arguments = link_bytes(SLICE("[]"));
	message.is_stream = true;
	message.stream_ids = &id;
	message.n_stream_ids = 1;
	kit_hear_invoke(kit, kit->g1, &message);
	item("u", "7");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "push c1 {\"type\":2,\"invocationId\":\"s\",\"item\":7}");
	kit_expect(kit, kit->g1, "credit c1 u 1");
	end("u", "sorry");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 9 " ERROR("s", "An error occurred on the server while "
					       "streaming results. HubException: sorry"));
}

/* ---- errors */

Test(hub_upload, the_error_of_the_client_is_passed_on)
{
	upload("Concat", "[]", "u");
	item("u", "\"a\"");
	end("u", "out of paper");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", UNEXPECTED("Concat") " HubException: out "
								    "of paper"));
}

Test(hub_upload, a_method_may_shrug_at_the_error)
{
	upload("Shrug", "[]", "u");
	end("u", "no matter");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
}

Test(hub_upload, an_item_that_cannot_be_read_ends_its_stream)
{
	upload("Concat", "[]", "u");
	item("u", "\"a\"");
	item("u", "nonsense");
	item("u", "\"b\"");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", UNEXPECTED("Concat") " HubException: "
								    "Failed to bind "
								    "Stream message."));
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 0);
}

Test(hub_upload, an_end_counts_once)
{
	upload("Concat", "[]", "u");
	end("u", NULL);
	item("u", "\"late\"");
	end("u", "late");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "\"\""));
}

/* ---- how many */

static void expect_mismatch(const char *target, const char *stream_ids, int sent,
			    int wanted)
{
	if (stream_ids != NULL)
		upload(target, "[]", stream_ids);
	else
		kit_invoke(kit, kit->g1, "c1", "a", target, "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"a\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "Client sent %d stream(s), Hub method expects %d.\"}",
		   (unsigned)kit->last_invoke, target, sent, wanted);
}

Test(hub_upload, more_or_fewer_streams_than_the_method_takes_are_refused)
{
	expect_mismatch("Concat", "u,v", 2, 1);
	expect_mismatch("Concat", NULL, 0, 1);
	expect_mismatch("Plain", "u", 1, 0);
}

Test(hub_upload, an_unknown_method_is_unknown_whatever_it_is_sent)
{
	upload("Nothing", "[]", "u");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 " ERROR("a", "Failed to invoke 'Nothing' due to an "
					       "error on the server. HubException: "
					       "Method does not exist."));
}

/* ---- credit */

Test(hub_upload, credit_is_for_what_was_taken)
{
	upload("SleepOn", "[]", "u");
	item("u", "1");
	item("u", "2");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect_silence(kit, kit->g1);
}

Test(hub_upload, credit_of_a_turn_goes_in_one)
{
	upload("Shrug", "[]", "u");
	item("u", "1");
	item("u", "2");
	item("u", "3");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "credit c1 u 3");
	end("u", "enough");
}

Test(hub_upload, items_behind_the_end_are_dropped_for_credit)
{
	upload("SleepOn", "[]", "u");
	end("u", NULL);
	item("u", "1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_expect(kit, kit->g1, "credit c1 u 1");
}

Test(hub_upload, items_of_an_unknown_stream_are_dropped_for_credit)
{
	item("unknown", "1");
	end("unknown", NULL);
	kit_item(kit, kit->g1, "unknown", "u", "1");
	kit_item(kit, kit->g2, "c1", "u", "1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "credit c1 unknown 1");
	kit_expect_silence(kit, kit->g1);
	kit_expect_silence(kit, kit->g2);
}

Test(hub_upload, so_many_items_wait_and_one_more_ends_the_stream)
{
	upload("SleepOn", "[]", "u");
	for (int i = 0; i < UPLOAD_ITEMS_MAX; i++)
		item("u", "1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	cr_expect_eq(kit->router->metrics.upload_refused_total, 0);
	item("u", "1");
	cr_expect_eq(kit->router->metrics.upload_refused_total, 1);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "credit c1 u 1");
}

Test(hub_upload, what_a_method_leaves_is_credited_before_its_sends_are_confirmed)
{
	upload("SayAndLeave", "[]", "u");
	item("u", "1");
	item("u", "2");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "deliver all {\"type\":1,\"target\":\"bye\",\"arguments\":[]}");
	kit_expect(kit, kit->g1, "credit c1 u 2");
	kit_expect_silence(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
}

/* ---- ends of other things */

Test(hub_upload, the_end_of_the_call_ends_the_stream)
{
	upload("TakeOne", "[]", "u");
	item("u", "1");
	item("u", "2");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "1"));
	item("u", "3");
	kit_expect(kit, kit->g1, "credit c1 u 1");
	cr_expect(list_is_empty(&CONTAINER_OF(map_find(&kit->router->conns, SLICE("c1")),
					      struct conn, node)
					 ->uploads));
}

Test(hub_upload, of_two_streams_with_one_id_the_newer_one_gets_the_items)
{
	upload("Concat", "[]", "u");
	kit_upload(kit, kit->g1, "c1", "b", "TakeOne", "[]", "u");
	item("u", "1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 2 " RESULT("b", "1"));
	item("u", "\"a\"");
	end("u", NULL);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "\"a\""));
}

Test(hub_upload, the_end_of_the_connection_cancels_it)
{
	upload("Concat", "[]", "u");
	kit_turn(kit);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " RESULT("a", "null"));
	cr_expect_eq(kit->router->metrics.calls, 0);
}

/* teardown() stops the router. */
Test(hub_upload, a_router_that_stops_ends_those_that_wait_for_items)
{
	upload("Concat", "[]", "u");
	kit_upload(kit, kit->g1, "c1", "b", "SleepOn", "[]", "v");
	item("v", "1");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.calls, 2);
}
