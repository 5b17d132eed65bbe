/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a method knows of its caller: roles, claims, transport, the request that opened
 * the connection, the headers of the message; and the caller's own protocol.
 */
#include "proto/wire/hub_message.h"
#include "router/hub_event.h"
#include "router/hub_steps.h"
#include "tests/unit/router/hub_kit.h"

static struct kit *kit;

static enum hub_rc admit(struct hub_call *call)
{
	hub_return(call, hub_bool(call, true));
	return HUB_OK;
}

static enum hub_rc claim(struct hub_call *call)
{
	const struct slice name = hub_arg_string(call, 0);
	const struct value *value =
		hub_claim(call, hub_printf(call, "%.*s", SLICE_FMT(name)).ptr);
	struct value *told = hub_array(call);

	hub_add(told, hub_bool(call, hub_claims(call) != NULL));
	hub_add(told, value != NULL ? hub_copy(call, value)
				    : hub_string(call, SLICE("absent")));
	hub_return(call, told);
	return HUB_OK;
}

static struct value *text_or_null(struct hub_call *call, struct slice text)
{
	return text.ptr != NULL ? hub_string(call, text) : hub_null(call);
}

static enum hub_rc request(struct hub_call *call)
{
	struct value *told = hub_array(call);

	hub_add(told, text_or_null(call, hub_request_header(call, "x-one")));
	hub_add(told, text_or_null(call, hub_request_header(call, "X-TWO")));
	hub_add(told, text_or_null(call, hub_request_header(call, "x-none")));
	hub_add(told, text_or_null(call, hub_request_query(call, "a")));
	hub_add(told, text_or_null(call, hub_request_query(call, "empty")));
	hub_add(told, text_or_null(call, hub_request_query(call, "bad")));
	hub_add(told, text_or_null(call, hub_request_query(call, "none")));
	hub_return(call, told);
	return HUB_OK;
}

static enum hub_rc headers(struct hub_call *call)
{
	struct value *told = hub_array(call);

	hub_add(told, text_or_null(call, hub_header(call, "TraceParent")));
	hub_add(told, text_or_null(call, hub_header(call, "number")));
	hub_add(told, text_or_null(call, hub_header(call, "none")));
	hub_return(call, told);
	return HUB_OK;
}

static enum hub_rc transport(struct hub_call *call)
{
	hub_return(call, hub_string(call, slice_from_str(hub_transport(call))));
	return HUB_OK;
}

static enum hub_rc half(struct hub_call *call)
{
	hub_return(call, hub_double(call, hub_arg_number(call, 0) / 2));
	return HUB_OK;
}

static enum hub_rc throws(struct hub_call *call)
{
	hub_return(call, hub_int(call, 1)); /* does not count */
	return hub_throw(call, "InvalidOperationException", "%s", "because");
}

static enum hub_rc nap(struct hub_call *call)
{
	return hub_await_sleep(call, hub_arg_int(call, 0));
}

static enum hub_rc wait_cancel(struct hub_call *call)
{
	hub_return(call, hub_int(call, hub_await_cancel(call, hub_arg_int(call, 0))));
	return HUB_OK;
}

static enum hub_rc send_but(struct hub_call *call)
{
	const struct slice but[] = { SLICE("c7"), SLICE("c8") };

	hub_send(call, hub_to_all_except(but, 2), SLICE("e"), hub_array(call));
	hub_send(call, hub_to_group_except(SLICE("g"), but, 1), SLICE("e"),
		 hub_array(call));
	hub_send(call, hub_to_all_except(NULL, 0), SLICE("e"), hub_array(call));
	return HUB_OK;
}

/* To all but as many as the argument says. */
static enum hub_rc send_but_many(struct hub_call *call)
{
	static struct slice but[HUB_EXCLUDED_MAX + 1];

	for (size_t i = 0; i <= HUB_EXCLUDED_MAX; i++)
		but[i] = SLICE("c7");
	hub_send(call, hub_to_all_except(but, (size_t)hub_arg_int(call, 0)), SLICE("e"),
		 hub_array(call));
	return HUB_OK;
}

static enum hub_rc send_bytes(struct hub_call *call)
{
	struct value *arguments = hub_array(call);
	struct value *map = hub_map(call);

	hub_set(map, "b", hub_bytes(call, SLICE("ab")));
	hub_add(arguments, map);
	hub_send(call, hub_to_all(), SLICE("e"), arguments);
	return HUB_OK;
}

static enum hub_rc scratch(struct hub_call *call)
{
	const struct value *kept = NULL;

	for (int64_t i = 0; i < 3; i++) {
		struct value *list;
		struct value *map;

		hub_scratch(call);
		list = hub_array(call);
		map = hub_map(call);
		hub_set(map, "n", hub_int(call, i));
		hub_set(map, "t", hub_string(call, hub_printf(call, "t%d", (int)i)));
		hub_add(list, map);
		hub_add(list, hub_copy(call, hub_arg(call, 0)));
		if (i == 1)
			kept = hub_keep(call, list);
	}
	hub_return(call, hub_copy(call, kept));
	return HUB_OK;
}

static enum hub_rc list_roles(struct hub_call *call)
{
	hub_return(call, hub_roles(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Roles", .fn = list_roles, .arguments = "" },
	{ .name = "Admins", .fn = admit, .arguments = "", .roles = "admin, ops" },
	{ .name = "Known", .fn = admit, .arguments = "", .roles = "*" },
	{ .name = "Anybody", .fn = admit, .arguments = "" },
	{ .name = "AdminsOne", .fn = admit, .arguments = "s", .roles = "admin" },
	{ .name = "Claim", .fn = claim, .arguments = "s" },
	{ .name = "Request", .fn = request, .arguments = "" },
	{ .name = "Headers", .fn = headers, .arguments = "" },
	{ .name = "Transport", .fn = transport, .arguments = "" },
	{ .name = "Half", .fn = half, .arguments = "n" },
	{ .name = "Throws", .fn = throws, .arguments = "" },
	{ .name = "Nap", .fn = nap, .arguments = "i" },
	{ .name = "WaitCancel", .fn = wait_cancel, .arguments = "i" },
	{ .name = "SendBut", .fn = send_but, .arguments = "" },
	{ .name = "SendButMany", .fn = send_but_many, .arguments = "i" },
	{ .name = "SendBytes", .fn = send_bytes, .arguments = "" },
	{ .name = "Scratch", .fn = scratch, .arguments = "v" },
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
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_caller, .init = setup, .fini = teardown);

static ProtobufCBinaryData bytes_of(const char *text)
{
	return link_bytes(slice_from_str(text));
}

/* A caller c1 with all that there is to know. */
static void connect_as(const char *user_id, const char *role, const char *claims,
		       Link__Transport by)
{
	Link__Connected connected = LINK__CONNECTED__INIT;
	Link__User user = LINK__USER__INIT;
	Link__Header parts[] = { LINK__HEADER__INIT, LINK__HEADER__INIT };
	Link__Header *pointers[] = { &parts[0], &parts[1] };
	ProtobufCBinaryData roles[] = { bytes_of("first"), bytes_of(role) };

	parts[0].name = bytes_of("X-One");
	parts[0].value = bytes_of("1");
	parts[1].name = bytes_of("X-Two");
	parts[1].value = bytes_of("");
	user.id = bytes_of(user_id);
	user.claims = bytes_of(claims);
	user.roles = roles;
	user.n_roles = role != NULL ? 2 : 0;
	connected.hub = bytes_of("hub");
	connected.connection = bytes_of("c1");
	connected.user = &user;
	connected.protocol = HUB_PROTOCOL_JSON;
	connected.transport = by;
	connected.headers = pointers;
	connected.n_headers = 2;
	connected.query = bytes_of("a=b%20c&empty=&bad=%zz");
	kit_hear_connected(kit, kit->g1, &connected);
}

#define WEB_SOCKETS LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS

static void expect_end(const char *end)
{
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 %u {\"type\":3,\"invocationId\":\"a\",%s}",
		   (unsigned)kit->last_invoke, end);
}

static void expect_result(const char *target, const char *arguments, const char *result)
{
	kit_invoke(kit, kit->g1, "c1", "a", target, arguments);
	expect_end(kit_text(kit, "\"result\":%s", result));
}

static void expect_error(const char *target, const char *arguments, const char *error)
{
	kit_invoke(kit, kit->g1, "c1", "a", target, arguments);
	expect_end(kit_text(kit, "\"error\":\"%s\"", error));
}

/* ---- roles */

Test(hub_caller, one_of_the_roles_is_enough)
{
	connect_as("ann", "ops", NULL, WEB_SOCKETS);
	expect_result("Admins", "[]", "true");
	expect_result("Known", "[]", "true");
	expect_result("Roles", "[]", "[\"first\",\"ops\"]");
}

Test(hub_caller, without_the_role_is_unauthorized)
{
	connect_as("ann", "adminx", NULL, WEB_SOCKETS);
	expect_error("Admins", "[]",
		     "Failed to invoke 'Admins' because user is unauthorized");
	expect_result("Known", "[]", "true");
	cr_expect_eq(kit->router->metrics.invoke_unauthorized_total, 1);
}

Test(hub_caller, whoever_is_not_known_is_unauthorized)
{
	connect_as(NULL, NULL, NULL, WEB_SOCKETS);
	expect_error("known", "[]",
		     "Failed to invoke 'known' because user is unauthorized");
	expect_result("Anybody", "[]", "true");
}

Test(hub_caller, a_token_without_an_id_is_known)
{
	connect_as(NULL, NULL, "{\"iss\":\"x\"}", WEB_SOCKETS);
	expect_result("Known", "[]", "true");
}

Test(hub_caller, the_unauthorized_learn_nothing_of_arguments)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_error("AdminsOne", "[1,2,3]",
		     "Failed to invoke 'AdminsOne' because user is unauthorized");
}

/* ---- claims, request, headers, transport */

Test(hub_caller, claims)
{
	connect_as("ann", NULL, "{\"tier\":{\"n\":2},\"x\":null}", WEB_SOCKETS);
	expect_result("Claim", "[\"tier\"]", "[true,{\"n\":2}]");
	expect_result("Claim", "[\"x\"]", "[true,null]");
	expect_result("Claim", "[\"Tier\"]", "[true,\"absent\"]");
}

Test(hub_caller, no_claims_or_no_map_of_them)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_result("Claim", "[\"tier\"]", "[false,\"absent\"]");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	connect_as("ann", NULL, "[1]", WEB_SOCKETS);
	expect_result("Claim", "[\"tier\"]", "[false,\"absent\"]");
}

Test(hub_caller, the_request_that_opened_the_connection)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_result("Request", "[]", "[\"1\",\"\",null,\"b c\",\"\",null,null]");
}

Test(hub_caller, a_request_of_which_nothing_is_told)
{
	kit_connect(kit, kit->g1, "c1", "ann");
	expect_result("Request", "[]", "[null,null,null,null,null,null,null]");
}

static void expect_headers(const char *raw, const char *result)
{
	Link__Invoke message = LINK__INVOKE__INIT;

	message.hub = bytes_of("hub");
	message.connection = bytes_of("c1");
	message.call = ++kit->last_invoke;
	message.invocation_id = bytes_of("a");
	message.target = bytes_of("Headers");
	message.protocol = HUB_PROTOCOL_JSON;
	message.arguments = bytes_of("[]");
	message.headers = bytes_of(raw);
	kit_hear_invoke(kit, kit->g1, &message);
	expect_end(kit_text(kit, "\"result\":%s", result));
}

Test(hub_caller, headers_of_the_message)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_headers("{\"traceparent\":\"00-1\",\"number\":1}", "[\"00-1\",null,null]");
	expect_headers(NULL, "[null,null,null]");
	expect_headers("{nonsense", "[null,null,null]");
	expect_headers("[1]", "[null,null,null]");
}

Test(hub_caller, transports_by_their_names)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_result("Transport", "[]", "\"WebSockets\"");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	connect_as("ann", NULL, NULL, LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS);
	expect_result("Transport", "[]", "\"ServerSentEvents\"");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	connect_as("ann", NULL, NULL, LINK__TRANSPORT__TRANSPORT_LONG_POLLING);
	expect_result("Transport", "[]", "\"LongPolling\"");
}

/* ---- values and errors */

Test(hub_caller, numbers_may_be_integers)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_result("Half", "[3]", "1.5");
	expect_result("Half", "[0.5]", "0.25");
}

Test(hub_caller, what_is_thrown_is_a_detail)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_error("Throws", "[]",
		     "An unexpected error occurred invoking 'Throws' on the server.");
	kit_hub_conf(kit)->is_detailed = true;
	expect_error("Throws", "[]",
		     "An unexpected error occurred invoking 'Throws' on the server. "
		     "InvalidOperationException: because");
}

Test(hub_caller, what_is_kept_outlives_the_scratch)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_result("Scratch", "[[{\"k\":[true,null,1.5,\"s\",[],{}]}]]",
		      "[{\"n\":1,\"t\":\"t1\"},[{\"k\":[true,null,1.5,\"s\",[],{}]}]]");
}

/* ---- time */

static void expect_in_time(const char *target, const char *result)
{
	bool is_over;

	kit_invoke(kit, kit->g1, "c1", "a", target, "[1]");
	do {
		loop_turn(kit->loop, 100);
		is_over = kit->router->metrics.calls == 0;
	} while (!is_over);
	expect_end(kit_text(kit, "\"result\":%s", result));
}

Test(hub_caller, a_sleep_ends)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_in_time("Nap", "null");
}

Test(hub_caller, a_wait_for_cancel_is_over_in_time)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_in_time("WaitCancel", kit_text(kit, "%d", HUB_ETIMEDOUT));
}

Test(hub_caller, a_sleep_ends_with_the_connection)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	kit_invoke(kit, kit->g1, "c1", NULL, "Nap", "[60000]");
	kit_turn(kit);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	cr_expect_eq(kit->router->metrics.calls, 0);
}

/* ---- sends */

#define EVENT "{\"type\":1,\"target\":\"e\",\"arguments\":[]}"

Test(hub_caller, sends_to_all_or_a_group_but_some)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "g", "c1", false);
	kit_invoke(kit, kit->g1, "c1", NULL, "SendBut", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "deliver all " EVENT " without c7 without c8");
	kit_expect(kit, kit->g1, "deliver group g " EVENT " without c7");
	kit_expect(kit, kit->g1, "deliver all " EVENT);
	kit_expect(kit, kit->g1, "complete c1 1 -");
}

Test(hub_caller, what_json_loses_is_sent_in_messagepack_too)
{
	const struct value text = { .type = VALUE_STRING, .bytes = SLICE("x") };
	const struct value bytes = { .type = VALUE_BINARY, .bytes = SLICE("x") };
	const struct value finite = { .type = VALUE_DOUBLE, .real = 1.5 };
	const struct value nan = { .type = VALUE_DOUBLE, .real = __builtin_nan("") };
	const struct value inf = { .type = VALUE_DOUBLE, .real = __builtin_inf() };

	cr_expect(hub_is_json_enough(&text));
	cr_expect(hub_is_json_enough(&finite));
	cr_expect_not(hub_is_json_enough(&bytes));
	cr_expect_not(hub_is_json_enough(&nan));
	cr_expect_not(hub_is_json_enough(&inf));
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	kit_invoke(kit, kit->g1, "c1", NULL, "SendBytes", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "deliver all {\"type\":1,\"target\":\"e\",\"arguments\":[{\"b\":"
		   "\"YWI=\"}]} and 0f960180c0a1659181a162c402616290");
}

/* ---- its own protocol */

Test(hub_caller, is_answered_in_messagepack)
{
	kit->protocol = HUB_PROTOCOL_MSGPACK;
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_invoke(kit, kit->g1, "c1", "a", "Half", "\x91\x03");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 0f950380a16103cb3ff8000000000000");
	kit_invoke(kit, kit->g1, "c1", "a", "Unknown", "\x91\x03");
	kit_turn(kit);
	cr_expect_not_null(strstr(kit_said(kit, kit->g1), "950380a16101d9"));
	kit_invoke(kit, kit->g1, "unknown", "a", "Half", "\x91\x03");
	kit_turn(kit);
	cr_expect_not_null(strstr(kit_said(kit, kit->g1), "950380a16101d9"));
}

Test(hub_caller, a_list_of_exceptions_over_the_limit_fails_the_call_alone)
{
	connect_as("ann", NULL, NULL, WEB_SOCKETS);
	expect_error("SendButMany", "[1001]",
		     "An unexpected error occurred invoking 'SendButMany' on the server. "
		     "HubException: Not every receiver is known to have been reached.");
}
