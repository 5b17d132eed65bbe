/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments that are not as they came in: bytes, which JSON has as base64; and JSON that
 * a hub passes on unread.
 */
#include "proto/wire/hub_message.h"
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

/* Size(bytes, text): how many bytes, and the two of them again. */
static enum hub_rc size(struct hub_call *call)
{
	struct value *all = hub_array(call);

	hub_add(all, hub_int(call, (int64_t)hub_arg_bytes(call, 0).len));
	hub_add(all, hub_bytes(call, hub_arg_bytes(call, 0)));
	hub_add(all, hub_string(call, hub_arg_string(call, 1)));
	hub_return(call, all);
	return HUB_OK;
}

static enum hub_rc pass_on(struct hub_call *call)
{
	hub_return(call, hub_raw(call, hub_arg_string(call, 0)));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Size", .fn = size, .arguments = "ys" },
	{ .name = "PassOn", .fn = pass_on, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;

static void start(enum hub_protocol protocol)
{
	kit = kit_new(&hub);
	kit->protocol = protocol;
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void expect_result(const char *target, const char *arguments, const char *result)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   (unsigned)kit->last_invoke, result);
}

static void expect_unbound(const char *arguments)
{
	const uint64_t before = kit->router->metrics.invoke_unbound_total;

	kit_invoke(kit, kit->g1, "c1", "7", "Size", arguments);
	kit_turn(kit);
	cr_expect_not_null(strstr(kit_said(kit, kit->g1), "Failed to invoke 'Size'"));
	cr_expect_eq(kit->router->metrics.invoke_unbound_total, before + 1);
}

Test(hub_bind, bytes_are_base64_in_json)
{
	start(HUB_PROTOCOL_JSON);
	expect_result("Size", "[\"YWI/\",\"YWI/\"]", "[3,\"YWI/\",\"YWI/\"]");
	expect_result("Size", "[\"/w==\",\"\"]", "[1,\"/w==\",\"\"]");
	expect_result("Size", "[\"\",\"\"]", "[0,\"\",\"\"]");
	kit_free(kit);
}

Test(hub_bind, what_is_no_base64_does_not_fit)
{
	start(HUB_PROTOCOL_JSON);
	expect_unbound("[\"/w\",\"\"]");
	expect_unbound("[\"_w==\",\"\"]");
	expect_unbound("[null,\"\"]");
	expect_unbound("[1,\"\"]");
	expect_unbound("[[1,2],\"\"]");
	kit_free(kit);
}

Test(hub_bind, bytes_are_bytes_in_messagepack)
{
	start(HUB_PROTOCOL_MSGPACK);
	kit_invoke(kit, kit->g1, "c1", "a", "Size", "\x92\xc4\x02\xff\x01\xa1x");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 0e950380a161039302c402ff01a178");
	/* A string is none. */
	kit_invoke(kit, kit->g1, "c1", "a", "Size", "\x92\xa4YWI/\xa1x");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.invoke_unbound_total, 1);
	kit_free(kit);
}

Test(hub_bind, json_that_is_passed_on_is_read_by_nobody)
{
	start(HUB_PROTOCOL_JSON);
	expect_result("PassOn", "[\"{\\\"a\\\": 1.50}\"]", "{\"a\": 1.50}");
	kit_free(kit);
}
