/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a method can know and make, and what its client is told: arguments by their
 * letters, results, and errors as SignalR words them.
 */
#include "router/hub_runtime.h"

#include <stdlib.h>

#include "tests/unit/router/hub_kit.h"

static struct kit *kit;

static enum hub_rc count(struct hub_call *call)
{
	hub_return(call, hub_int(call, (int64_t)hub_args_n(call)));
	return HUB_OK;
}

static enum hub_rc typed(struct hub_call *call)
{
	struct value *list = hub_array(call);

	hub_add(list, hub_string(call, hub_arg_string(call, 0)));
	hub_add(list, hub_int(call, hub_arg_int(call, 1)));
	hub_add(list, hub_bool(call, hub_arg_bool(call, 2)));
	hub_add(list, hub_null(call));
	hub_return(call, list);
	return HUB_OK;
}

static enum hub_rc who(struct hub_call *call)
{
	struct value *map = hub_map(call);

	hub_set(map, "id", hub_string(call, hub_user_id(call)));
	hub_set(map, "name", hub_string(call, hub_user_name(call)));
	hub_set(map, "conn", hub_string(call, hub_connection_id(call)));
	hub_set(map, "admin", hub_bool(call, hub_has_role(call, SLICE("admin"))));
	hub_return(call, map);
	return HUB_OK;
}

static enum hub_rc fail_text(struct hub_call *call)
{
	hub_return(call, hub_int(call, 1)); /* does not count */
	return hub_fail(call, "No: %.*s", SLICE_FMT(hub_arg_string(call, 0)));
}

static enum hub_rc fail_code(struct hub_call *call)
{
	return (enum hub_rc)hub_arg_int(call, 0);
}

static enum hub_rc recode(struct hub_call *call)
{
	const struct value *value = hub_decode(call, hub_arg_string(call, 0));

	hub_return(call, value == NULL ? hub_string(call, SLICE("no JSON"))
				       : hub_string(call, hub_encode(call, value)));
	return HUB_OK;
}

static enum hub_rc make_ids(struct hub_call *call)
{
	const struct slice a = hub_new_id(call);
	const struct slice b = hub_new_id(call);
	const struct slice time = hub_timestamp(call);
	const bool is_fine = a.len == 22 && !slice_equal(a, b) && time.len == 24 &&
			     time.ptr[10] == 'T' && time.ptr[19] == '.' &&
			     time.ptr[23] == 'Z' &&
			     hub_unix_ms(call) % 1000 == strtol(time.ptr + 20, NULL, 10);

	hub_return(call, hub_bool(call, is_fine));
	return HUB_OK;
}

static enum hub_rc print_long(struct hub_call *call)
{
	const struct slice text = hub_printf(call, "%01000d", 7);

	hub_return(call, hub_int(call, (int64_t)text.len));
	return HUB_OK;
}

static enum hub_rc repeat(struct hub_call *call)
{
	const size_t len = (size_t)hub_arg_int(call, 0);
	char *text = arena_alloc(&kit->arena, len);

	memset(text, 'x', len);
	hub_return(call, hub_string(call, slice_make(text, len)));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "None", .fn = count, .arguments = "" },
	{ .name = "String", .fn = count, .arguments = "s" },
	{ .name = "Integer", .fn = count, .arguments = "i" },
	{ .name = "Number", .fn = count, .arguments = "n" },
	{ .name = "Bool", .fn = count, .arguments = "b" },
	{ .name = "Array", .fn = count, .arguments = "a" },
	{ .name = "Map", .fn = count, .arguments = "m" },
	{ .name = "Any", .fn = count, .arguments = "v" },
	{ .name = "Open", .fn = count, .arguments = "si*" },
	{ .name = "AllOpen", .fn = count, .arguments = "*" },
	{ .name = "Typed", .fn = typed, .arguments = "sib" },
	{ .name = "Who", .fn = who, .arguments = "" },
	{ .name = "FailText", .fn = fail_text, .arguments = "s" },
	{ .name = "FailCode", .fn = fail_code, .arguments = "i" },
	{ .name = "Recode", .fn = recode, .arguments = "s" },
	{ .name = "MakeIds", .fn = make_ids, .arguments = "" },
	{ .name = "PrintLong", .fn = print_long, .arguments = "" },
	{ .name = "Repeat", .fn = repeat, .arguments = "i" },
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

TestSuite(hub_call, .init = setup, .fini = teardown);

static void expect_result(const char *target, const char *arguments, const char *result)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   (unsigned)kit->last_invoke, result);
}

static void expect_error(const char *target, const char *arguments, const char *error)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"%s\"}",
		   (unsigned)kit->last_invoke, error);
}

/* The error of the call, without details and with them. */
static void expect_detail(const char *target, const char *arguments, const char *error,
			  const char *detail)
{
	kit_hub_conf(kit)->is_detailed = false;
	expect_error(target, arguments, error);
	kit_hub_conf(kit)->is_detailed = true;
	expect_error(target, arguments, kit_text(kit, "%s%s", error, detail));
	kit_hub_conf(kit)->is_detailed = false;
}

static void expect_unbound(const char *target, const char *arguments, const char *detail)
{
	expect_detail(target, arguments,
		      kit_text(kit,
			       "Failed to invoke '%s' due to an error on the server.",
			       target),
		      detail);
}

#define WRONG_TYPE                                                                       \
	" InvalidDataException: Error binding arguments. Make sure that the types of "   \
	"the "                                                                           \
	"provided values match the types of the hub method being invoked."
#define WRONG_COUNT(n, wanted)                                                           \
	" InvalidDataException: Invocation provides " n " argument(s) but "              \
	"target expects " wanted "."

/* ---- arguments */

Test(hub_call, each_letter_takes_its_kind_and_no_other)
{
	static const char *const values[] = { "\"x\"", "1",  "1.5", "true",
					      "[]",    "{}", "null" };
	static const struct {
		const char *target;
		const char *takes; /* one column a value */
	} rows[] = {
		{ "String", "y------" }, { "Integer", "-y-----" },
		{ "Number", "-yy----" }, { "Bool", "---y---" },
		{ "Array", "----y--" },	 { "Map", "-----y-" },
		{ "Any", "yyyyyyy" },
	};

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		for (size_t i = 0; rows[row].takes[i] != '\0'; i++) {
			const char *arguments = kit_text(kit, "[%s]", values[i]);

			if (rows[row].takes[i] == 'y')
				expect_result(rows[row].target, arguments, "1");
			else
				expect_unbound(rows[row].target, arguments, WRONG_TYPE);
		}
	}
}

Test(hub_call, one_argument_less_or_more_does_not_fit)
{
	expect_unbound("String", "[]", WRONG_COUNT("0", "1"));
	expect_unbound("String", "[\"a\",\"b\"]", WRONG_COUNT("2", "1"));
	expect_unbound("None", "[1]", WRONG_COUNT("1", "0"));
	expect_result("None", "[]", "0");
	cr_expect_eq(kit->router->metrics.invoke_unbound_total, 6);
}

Test(hub_call, an_open_end_takes_any_number_more)
{
	expect_unbound("Open", "[\"a\"]", WRONG_COUNT("1", "2"));
	expect_result("Open", "[\"a\",1]", "2");
	expect_result("Open", "[\"a\",1,null,{}]", "4");
	expect_unbound("Open", "[1,1,1]", WRONG_TYPE);
	expect_result("AllOpen", "[]", "0");
	expect_result("AllOpen", "[1,2]", "2");
}

Test(hub_call, arguments_that_are_no_array_do_not_bind)
{
	expect_unbound("Any", "{}", " InvalidDataException: Error binding arguments.");
	expect_unbound("Any", "[1", " InvalidDataException: Error binding arguments.");
	expect_unbound("Any", "", " InvalidDataException: Error binding arguments.");
}

Test(hub_call, arguments_are_read_as_typed_values)
{
	expect_result("Typed", "[\"a\\u00e9\",-9223372036854775808,true]",
		      "[\"a\xc3\xa9\",-9223372036854775808,true,null]");
}

/* ---- methods */

Test(hub_call, method_names_match_without_regard_to_case)
{
	expect_result("nONE", "[]", "0");
}

Test(hub_call, an_unknown_method_is_an_error_details_or_not)
{
	expect_detail("Nope", "[]",
		      "Failed to invoke 'Nope' due to an error on the server. "
		      "HubException: Method does not exist.",
		      "");
	cr_expect_eq(kit->router->metrics.invoke_unknown_total, 2);
}

Test(hub_call, a_name_with_a_nul_is_told_whole)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;

	invoke.hub = link_bytes(SLICE("hub"));
	invoke.connection = link_bytes(SLICE("c1"));
	invoke.call = 3;
	invoke.invocation_id = link_bytes(SLICE("7"));
	invoke.target = link_bytes(SLICE("a\0b"));
	invoke.arguments = link_bytes(SLICE("[]"));
	kit_hear_invoke(kit, kit->g1, &invoke);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 3 {\"type\":3,\"invocationId\":\"7\",\"error\":\"Failed "
		   "to invoke 'a\\u0000b' due to an error on the server. HubException: "
		   "Method does not exist.\"}");
}

Test(hub_call, lifecycle_is_not_callable)
{
	expect_error("on_connected", "[]",
		     "Failed to invoke 'on_connected' due to an error on the server. "
		     "HubException: Method does not exist.");
}

Test(hub_call, a_stream_of_a_plain_method_is_an_error)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;

	invoke.hub = link_bytes(SLICE("hub"));
	invoke.connection = link_bytes(SLICE("c1"));
	invoke.call = 3;
	invoke.invocation_id = link_bytes(SLICE("7"));
	invoke.target = link_bytes(SLICE("None"));
	invoke.arguments = link_bytes(SLICE("[]"));
	invoke.is_stream = true;
	kit_hear_invoke(kit, kit->g1, &invoke);
	kit_turn(kit);
	kit_expect(
		kit, kit->g1,
		"complete c1 3 {\"type\":3,\"invocationId\":\"7\",\"error\":\"The client "
		"attempted to invoke the non-streaming 'None' method with a streaming "
		"invocation.\"}");
}

/* ---- errors */

Test(hub_call, what_a_hub_says_reaches_the_client_details_or_not)
{
	expect_detail("FailText", "[\"\\\"why\\\"\"]",
		      "An unexpected error occurred invoking 'FailText' on the server. "
		      "HubException: No: \\\"why\\\"",
		      "");
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 2);
}

Test(hub_call, what_a_hub_says_is_not_cut)
{
	char text[1200];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_error("FailText", kit_text(kit, "[\"%s\"]", text),
		     kit_text(kit,
			      "An unexpected error occurred invoking 'FailText' on the "
			      "server. HubException: No: %s",
			      text));
}

Test(hub_call, a_code_is_told_in_details_only)
{
	static const struct {
		enum hub_rc rc;
		const char *detail;
	} rows[] = {
		{ HUB_FAILED, " HubException: The method failed." },
		{ HUB_ECANCELED, " HubException: The router is going down." },
		{ HUB_ETIMEDOUT, " HubException: An answer did not come in time." },
		{ HUB_EUNAVAILABLE,
		  " HubException: Another process was lost meanwhile." },
		{ HUB_ENOTFOUND, " HubException: The connection is gone." },
		{ HUB_ELIMIT, " HubException: Over a limit." },
		{ (enum hub_rc)7, " HubException: The method failed." },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_detail("FailCode", kit_text(kit, "[%d]", (int)rows[i].rc),
			      "An unexpected error occurred invoking 'FailCode' on the "
			      "server.",
			      rows[i].detail);
}

/* ---- knowing and making */

Test(hub_call, knows_its_caller)
{
	expect_result(
		"Who", "[]",
		"{\"id\":\"ann\",\"name\":\"ann\",\"conn\":\"c1\",\"admin\":false}");
}

Test(hub_call, knows_names_and_roles)
{
	ProtobufCBinaryData roles[] = { link_bytes(SLICE("adm")),
					link_bytes(SLICE("admin")) };
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	user.id = link_bytes(SLICE("bob"));
	user.name = link_bytes(SLICE("Bob"));
	user.roles = roles;
	user.n_roles = 2;
	connected.hub = link_bytes(SLICE("hub"));
	connected.connection = link_bytes(SLICE("c2"));
	connected.user = &user;
	connected.protocol = 1;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_invoke(kit, kit->g1, "c2", "7", "Who", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c2 1 {\"type\":3,\"invocationId\":\"7\",\"result\":{\"id\":"
		   "\"bob\",\"name\":\"Bob\",\"conn\":\"c2\",\"admin\":true}}");
}

Test(hub_call, reads_and_writes_json)
{
	expect_result("Recode", "[\"{ \\\"a\\\": [ 1 ] }\"]", "\"{\\\"a\\\":[1]}\"");
	expect_result("Recode", "[\"{\"]", "\"no JSON\"");
}

Test(hub_call, makes_ids_and_times)
{
	expect_result("MakeIds", "[]", "true");
}

Test(hub_call, prints_texts_of_any_length)
{
	expect_result("PrintLong", "[]", "1000");
}

/* ---- what a link can carry */

static void with_room(void)
{
	struct router_conf conf = kit_conf();

	kit_free(kit);
	conf.link.window_bytes_max = 4 * LINK_ENVELOPE_BYTES_MAX;
	kit = kit_new_conf(&hub, &conf);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

#define RESULT_HEAD "{\"type\":3,\"invocationId\":\"7\",\"result\":"
/* With the quotes, the brace and the end byte. */
#define RESULT_MAX (LINK_ENVELOPE_BYTES_MAX - 8192 - (sizeof(RESULT_HEAD) - 1) - 4)

Test(hub_call, a_result_may_be_as_long_as_a_message)
{
	with_room();
	kit_invoke(kit, kit->g1, "c1", "7", "Repeat",
		   kit_text(kit, "[%u]", (unsigned)RESULT_MAX));
	kit_turn(kit);
	cr_expect_eq(strncmp(kit_said(kit, kit->g1), "complete c1 1 " RESULT_HEAD "\"xxx",
			     sizeof("complete c1 1 " RESULT_HEAD "\"xxx") - 1),
		     0);
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 0);
}

Test(hub_call, a_longer_result_is_an_error)
{
	with_room();
	expect_error("Repeat", kit_text(kit, "[%u]", (unsigned)RESULT_MAX + 1),
		     "An unexpected error occurred invoking 'Repeat' on the server. "
		     "HubException: Over a limit.");
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 1);
	cr_expect_eq(kit->router->metrics.gateway_resync_total, 0);
}
