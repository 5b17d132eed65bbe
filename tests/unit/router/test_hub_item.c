/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of connections: what comes back is what was kept, for that connection alone, up
 * to the limit and not past it.
 */
#include "proto/wire/msgpack.h"
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

#define ITEM_BYTES 24 /* beside name and value */

/* Put(name, value) */
static enum hub_rc put(struct hub_call *call)
{
	return hub_item_set(
		call, hub_printf(call, "%.*s", SLICE_FMT(hub_arg_string(call, 0))).ptr,
		hub_arg(call, 1));
}

static enum hub_rc get(struct hub_call *call)
{
	const struct value *value = hub_item(
		call, hub_printf(call, "%.*s", SLICE_FMT(hub_arg_string(call, 0))).ptr);

	hub_return(call, value != NULL ? hub_copy(call, value)
				       : hub_string(call, SLICE("none")));
	return HUB_OK;
}

static enum hub_rc forget(struct hub_call *call)
{
	return hub_item_set(call, "a", NULL);
}

/* What was read stays as it was when the item changes. */
static enum hub_rc change(struct hub_call *call)
{
	const struct value *before;

	if (hub_item_set(call, "a", hub_string(call, SLICE("old"))) != HUB_OK)
		return HUB_FAILED;
	before = hub_item(call, "a");
	if (hub_item_set(call, "a", hub_string(call, SLICE("new"))) != HUB_OK)
		return HUB_FAILED;
	hub_return(call, hub_copy(call, before));
	return HUB_OK;
}

/* Bytes(n): that many under "b". */
static enum hub_rc bytes(struct hub_call *call)
{
	static char zeros[2048];

	return hub_item_set(
		call, "b",
		hub_bytes(call, slice_make(zeros, (size_t)hub_arg_int(call, 0))));
}

static enum hub_rc bytes_back(struct hub_call *call)
{
	const struct value *value = hub_item(call, "b");

	hub_return(call, hub_bool(call, value != NULL && value->type == VALUE_BINARY));
	return HUB_OK;
}

/* Deep(n): an array in an array, so many of them. */
static enum hub_rc deep(struct hub_call *call)
{
	struct value *value = hub_array(call);

	for (int64_t i = 1; i < hub_arg_int(call, 0); i++) {
		struct value *outer = hub_array(call);

		hub_add(outer, value);
		value = outer;
	}
	return hub_item_set(call, "a", value);
}

static enum hub_rc user_rc;

static enum hub_rc user_online(struct hub_call *call)
{
	user_rc = hub_item_set(call, "a", hub_int(call, 1));
	return hub_item(call, "a") == NULL ? HUB_OK : HUB_FAILED;
}

static const struct hub_method methods[] = {
	{ .name = "Put", .fn = put, .arguments = "sv" },
	{ .name = "Get", .fn = get, .arguments = "s" },
	{ .name = "Forget", .fn = forget, .arguments = "" },
	{ .name = "Change", .fn = change, .arguments = "" },
	{ .name = "Bytes", .fn = bytes, .arguments = "i" },
	{ .name = "BytesBack", .fn = bytes_back, .arguments = "" },
	{ .name = "Deep", .fn = deep, .arguments = "i" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_user_online = user_online,
};

static struct kit *kit;

static void setup(void)
{
	kit = kit_new(&hub);
	kit_hub_conf(kit)->is_detailed = true;
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_connect(kit, kit->g1, "c2", "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_item, .init = setup, .fini = teardown);

static void expect(const char *id, const char *target, const char *arguments,
		   const char *result)
{
	kit_invoke(kit, kit->g1, id, "7", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete %s %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}", id,
		   (unsigned)kit->last_invoke, result);
}

static void expect_over(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "Over a limit.\"}",
		   (unsigned)kit->last_invoke, target);
}

Test(hub_item, what_is_kept_comes_back_whole)
{
	static const char *const values[] = { "null",
					      "true",
					      "-9223372036854775808",
					      "1.5",
					      "\"\xc3\xa4\\u0000b\"",
					      "[1,[2,{\"a\":[]}],\"x\"]",
					      "{\"b\":{\"c\":null},\"a\":1}" };

	expect("c1", "Get", "[\"a\"]", "\"none\"");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect("c1", "Put", kit_text(kit, "[\"a\",%s]", values[i]), "null");
		expect("c1", "Get", "[\"a\"]", values[i]);
	}
	expect("c1", "Bytes", "[3]", "null");
	expect("c1", "BytesBack", "[]", "true");
}

Test(hub_item, each_connection_has_its_own_by_their_names)
{
	expect("c1", "Put", "[\"a\",1]", "null");
	expect("c1", "Put", "[\"b\",2]", "null");
	expect("c1", "Put", "[\"\",3]", "null");
	expect("c2", "Put", "[\"a\",4]", "null");
	expect("c1", "Get", "[\"a\"]", "1");
	expect("c1", "Get", "[\"b\"]", "2");
	expect("c1", "Get", "[\"\"]", "3");
	expect("c2", "Get", "[\"a\"]", "4");
	expect("c2", "Get", "[\"b\"]", "\"none\"");
}

Test(hub_item, what_is_forgotten_is_gone)
{
	expect("c1", "Forget", "[]", "null");
	expect("c1", "Put", "[\"a\",1]", "null");
	expect("c1", "Put", "[\"b\",2]", "null");
	expect("c1", "Forget", "[]", "null");
	expect("c1", "Get", "[\"a\"]", "\"none\"");
	expect("c1", "Get", "[\"b\"]", "2");
}

Test(hub_item, what_was_read_outlives_the_item)
{
	expect("c1", "Change", "[]", "\"old\"");
	expect("c1", "Get", "[\"a\"]", "\"new\"");
}

Test(hub_item, a_connections_items_end_with_it)
{
	expect("c1", "Put", "[\"a\",1]", "null");
	cr_expect_eq(kit->router->metrics.items_bytes, ITEM_BYTES + 1 + 1);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.items_bytes, 0);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	expect("c1", "Get", "[\"a\"]", "\"none\"");
}

/* The kit's limit is 1024; 256 and more bytes have a head of three. */
Test(hub_item, all_of_them_fit_the_limit_and_one_byte_more_does_not)
{
	const uint64_t *refused = &kit->router->metrics.items_refused_total;
	const int other = ITEM_BYTES + 1 + 1;
	const int room = 1024 - other - ITEM_BYTES - 1 - 3;

	expect("c1", "Put", "[\"a\",1]", "null");
	expect("c1", "Bytes", kit_text(kit, "[%d]", room), "null");
	cr_expect_eq(kit->router->metrics.items_bytes, 1024);
	/* In place of itself it is not counted twice. */
	expect("c1", "Bytes", kit_text(kit, "[%d]", room), "null");
	cr_expect_eq(*refused, 0);
	expect_over("Bytes", kit_text(kit, "[%d]", room + 1));
	cr_expect_eq(*refused, 1);
	expect("c1", "BytesBack", "[]", "true");
	expect_over("Put", "[\"c\",1]");
	expect("c2", "Put", "[\"c\",1]", "null");
}

Test(hub_item, what_could_not_be_read_back_is_not_kept)
{
	expect_over("Deep", kit_text(kit, "[%d]", MSGPACK_DEPTH_MAX + 1));
	expect("c1", "Get", "[\"a\"]", "\"none\"");
	cr_expect_eq(kit->router->metrics.items_refused_total, 1);
	expect("c1", "Deep", kit_text(kit, "[%d]", MSGPACK_DEPTH_MAX), "null");
}

Test(hub_item, a_user_without_connection_has_none)
{
	kit_user(kit, "1", LINK__CHANGE__CHANGE_ONLINE, "ann", "Ann");
	kit_turn(kit);
	cr_expect_eq(kit->router->metrics.user_call_total, 1);
	cr_expect_eq(kit->router->metrics.user_call_failed_total, 0);
	cr_expect_eq(user_rc, HUB_ENOTFOUND);
}
