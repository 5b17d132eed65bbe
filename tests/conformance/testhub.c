/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hubs that suites for SignalR servers want to find behind a server: TestHub under
 * two names, one that needs a token, and one that refuses everybody; and one of our own
 * that tells who comes and goes. A file for hub_module.
 */
#include <string.h>

#include "router/hub.h"

/* ---- answers */

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

static void return_text(struct hub_call *call, struct slice text)
{
	hub_return(call, text.ptr != NULL ? hub_string(call, text) : hub_null(call));
}

static enum hub_rc get_caller_connection_id(struct hub_call *call)
{
	return_text(call, hub_connection_id(call));
	return HUB_OK;
}

static enum hub_rc get_num_redirects(struct hub_call *call)
{
	int64_t n;

	if (slice_to_int64(hub_request_query(call, "numRedirects"), &n) != OK)
		return hub_throw(call, "FormatException", "numRedirects is no number");
	hub_return(call, hub_int(call, n));
	return HUB_OK;
}

static enum hub_rc throw_exception(struct hub_call *call)
{
	return hub_throw(call, "InvalidOperationException", "%.*s",
			 SLICE_FMT(hub_arg_string(call, 0)));
}

static enum hub_rc get_active_transport_name(struct hub_call *call)
{
	return_text(call, slice_from_str(hub_transport(call)));
	return HUB_OK;
}

static enum hub_rc send_complex_object(struct hub_call *call)
{
	struct value *object = hub_map(call);
	struct value *numbers = hub_array(call);

	for (int64_t i = 1; i <= 3; i++)
		hub_add(numbers, hub_int(call, i));
	hub_set(object, "ByteArray", hub_bytes(call, SLICE("\x01\x02\x03")));
	hub_set(object, "DateTime", hub_string(call, SLICE("2000-01-01T00:00:00Z")));
	hub_set(object, "Guid",
		hub_string(call, SLICE("00010203-0405-0607-0706-050403020100")));
	hub_set(object, "IntArray", numbers);
	hub_set(object, "String", hub_string(call, SLICE("hello world")));
	hub_return(call, object);
	return HUB_OK;
}

/* ---- its request */

static enum hub_rc get_content_type_header(struct hub_call *call)
{
	return_text(call, hub_request_header(call, "Content-Type"));
	return HUB_OK;
}

static enum hub_rc get_header(struct hub_call *call)
{
	const struct slice name = hub_arg_string(call, 0);

	/* The NUL behind it is hub_printf()'s. */
	return_text(call, hub_request_header(
				  call, hub_printf(call, "%.*s", SLICE_FMT(name)).ptr));
	return HUB_OK;
}

static enum hub_rc get_cookie(struct hub_call *call)
{
	struct slice rest = hub_request_header(call, "Cookie");

	while (rest.ptr != NULL) {
		struct slice value = slice_trim(slice_cut(&rest, ';'));
		const struct slice name = slice_cut(&value, '=');

		if (!slice_equal(name, hub_arg_string(call, 0)))
			continue;
		return_text(call, value);
		return HUB_OK;
	}
	return HUB_OK;
}

/* ---- calls of the client */

static enum hub_rc send_to_caller(struct hub_call *call, struct slice event)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_copy(call, hub_arg(call, 0)));
	hub_send(call, hub_to_caller(), event, arguments);
	return HUB_OK;
}

static enum hub_rc invoke_with_string(struct hub_call *call)
{
	return send_to_caller(call, SLICE("Message"));
}

static enum hub_rc send_custom_object(struct hub_call *call)
{
	return send_to_caller(call, SLICE("CustomObject"));
}

static enum hub_rc client_result(struct hub_call *call)
{
	const struct value *result;
	const enum hub_rc rc =
		hub_await_client(call, hub_arg_string(call, 0), SLICE("Result"),
				 hub_array(call), 0, &result);

	if (rc != HUB_OK)
		return rc;
	if (result->type != VALUE_INT)
		return hub_fail(call, "The client's result is no integer.");
	hub_return(call, hub_copy(call, result));
	return HUB_OK;
}

/* ---- streams */

static enum hub_rc stream(struct hub_call *call)
{
	static const char *const items[] = { "a", "b", "c" };
	enum hub_rc rc = HUB_OK;

	for (size_t i = 0; i < 3 && rc == HUB_OK; i++)
		rc = hub_await_item(call, hub_string(call, slice_from_str(items[i])));
	return rc;
}

static enum hub_rc empty_stream(struct hub_call *call)
{
	(void)call; /* it returns at once */
	return HUB_OK;
}

static enum hub_rc stream_throw_exception(struct hub_call *call)
{
	return throw_exception(call);
}

static enum hub_rc infinite_stream(struct hub_call *call)
{
	const enum hub_rc rc = hub_await_cancel(call, -1);

	hub_send(call, hub_to_caller(), SLICE("StreamCanceled"), hub_array(call));
	return rc;
}

/* Not of the suites: as many items as wanted. */
static enum hub_rc count(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	for (int64_t i = 0; rc == HUB_OK && i < hub_arg_int(call, 0); i++) {
		hub_scratch(call);
		rc = hub_await_item(call, hub_int(call, i));
	}
	return rc;
}

/* Nor this: more than a client can take, as numbers with leading zeros. */
static enum hub_rc flood(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	for (int i = 0; rc == HUB_OK; i++) {
		hub_scratch(call);
		rc = hub_await_item(call,
				    hub_string(call, hub_printf(call, "%04096d", i)));
	}
	return rc;
}

/* Nor this: an item, then an error. */
static enum hub_rc throw_midway(struct hub_call *call)
{
	const enum hub_rc rc = hub_await_item(call, hub_string(call, SLICE("first")));

	return rc == HUB_OK ? throw_exception(call) : rc;
}

static enum hub_rc streaming_concat(struct hub_call *call)
{
	struct slice all = SLICE("");
	const struct value *item;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK) {
		if (item->type != VALUE_STRING)
			return hub_fail(call, "Not a string.");
		all = hub_concat(call, all, item->bytes);
	}
	if (rc != HUB_END)
		return rc;
	return_text(call, all);
	return HUB_OK;
}

/* Nor this: slow, so that the client is stopped. */
static enum hub_rc count_slowly(struct hub_call *call)
{
	const struct value *item;
	int64_t n = 0;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK) {
		n++;
		if (hub_await_sleep(call, hub_arg_int(call, 0)) != HUB_OK)
			return HUB_ECANCELED;
	}
	hub_return(call, hub_int(call, n));
	return rc == HUB_END ? HUB_OK : rc;
}

static enum hub_rc sleep_plain(struct hub_call *call)
{
	return hub_await_sleep(call, hub_arg_int(call, 0));
}

/* ---- the hubs */

static const struct hub_method methods[] = {
	{ .name = "Echo", .fn = echo, .arguments = "s" },
	{ .name = "GetCallerConnectionId",
	  .fn = get_caller_connection_id,
	  .arguments = "" },
	{ .name = "GetNumRedirects", .fn = get_num_redirects, .arguments = "" },
	{ .name = "ThrowException", .fn = throw_exception, .arguments = "s" },
	{ .name = "InvokeWithString", .fn = invoke_with_string, .arguments = "s" },
	{ .name = "SendCustomObject", .fn = send_custom_object, .arguments = "m" },
	{ .name = "Stream", .fn = stream, .arguments = "", .is_stream = true },
	{ .name = "InfiniteStream",
	  .fn = infinite_stream,
	  .arguments = "",
	  .is_stream = true },
	{ .name = "StreamingConcat", .fn = streaming_concat, .arguments = "~" },
	{ .name = "EmptyStream", .fn = empty_stream, .arguments = "", .is_stream = true },
	{ .name = "StreamThrowException",
	  .fn = stream_throw_exception,
	  .arguments = "s",
	  .is_stream = true },
	{ .name = "GetActiveTransportName",
	  .fn = get_active_transport_name,
	  .arguments = "" },
	{ .name = "EchoComplexObject", .fn = echo, .arguments = "m" },
	{ .name = "SendComplexObject", .fn = send_complex_object, .arguments = "" },
	{ .name = "GetContentTypeHeader",
	  .fn = get_content_type_header,
	  .arguments = "" },
	{ .name = "GetHeader", .fn = get_header, .arguments = "s" },
	{ .name = "GetCookie", .fn = get_cookie, .arguments = "s" },
	{ .name = "ClientResult", .fn = client_result, .arguments = "s" },
	{ .name = "Count", .fn = count, .arguments = "i", .is_stream = true },
	{ .name = "Flood", .fn = flood, .arguments = "", .is_stream = true },
	{ .name = "ThrowMidway",
	  .fn = throw_midway,
	  .arguments = "s",
	  .is_stream = true },
	{ .name = "CountSlowly", .fn = count_slowly, .arguments = "i~" },
	{ .name = "Sleep", .fn = sleep_plain, .arguments = "i" },
	{ .name = "ForAdmins",
	  .fn = get_caller_connection_id,
	  .arguments = "",
	  .roles = "admin,ops" },
};

#define METHODS_N (sizeof(methods) / sizeof(methods[0]))

static const struct hub_module testhub = {
	.api_version = HUB_API_VERSION,
	.name = "testhub",
	.methods = methods,
	.methods_n = METHODS_N,
};

static const struct hub_module no_web_sockets = {
	.api_version = HUB_API_VERSION,
	.name = "testhub-nowebsockets",
	.methods = methods,
	.methods_n = METHODS_N,
};

/* Only Echo, the first. */
static const struct hub_module authorized = {
	.api_version = HUB_API_VERSION,
	.name = "authorizedhub",
	.methods = methods,
	.methods_n = 1,
};

static enum hub_rc refuse(struct hub_call *call)
{
	return hub_fail(call, "This hub cannot be made.");
}

static const struct hub_module uncreatable = {
	.api_version = HUB_API_VERSION,
	.name = "uncreatable",
	.methods = methods,
	.methods_n = METHODS_N,
	.on_connected = refuse,
};

/* ---- visitors: tells all of its connections of every user of the cluster */

static const struct hub_bounds visits = { .entries_max = 100, .ttl_ms = 3600000 };

/* Through an await, as a hub does that keeps what it hears; the log is for VisitorLog. */
static enum hub_rc tell_visit(struct hub_call *call, const char *event)
{
	struct value *visit = hub_array(call);
	enum hub_rc rc;

	hub_add(visit, hub_string(call, hub_user_id(call)));
	hub_add(visit, hub_string(call, hub_user_name(call)));
	hub_add(visit, hub_string(call, hub_connection_id(call)));
	rc = hub_await_log_append(call, hub_user_id(call), slice_from_str(event), &visits,
				  HUB_ANY, NULL);
	hub_send(call, hub_to_all(), slice_from_str(event), visit);
	return rc;
}

static enum hub_rc visitor_online(struct hub_call *call)
{
	if (slice_equal(hub_user_id(call), SLICE("unwelcome")))
		return hub_fail(call, "Go away.");
	return tell_visit(call, "Online");
}

static enum hub_rc visitor_offline(struct hub_call *call)
{
	return tell_visit(call, "Offline");
}

/* What was told of that user. */
static enum hub_rc visitor_log(struct hub_call *call)
{
	struct value *list = hub_array(call);
	const struct hub_entry *entries;
	size_t n;
	enum hub_rc rc = hub_await_log_read(call, hub_arg_string(call, 0), 1, 0, 100,
					    &entries, &n, NULL);

	for (size_t i = 0; rc == HUB_OK && i < n; i++)
		hub_add(list, hub_string(call, entries[i].bytes));
	hub_return(call, list);
	return rc;
}

static const struct hub_method visitor_methods[] = {
	{ .name = "VisitorLog", .fn = visitor_log, .arguments = "s" },
};

static const struct hub_module visitors = {
	.api_version = HUB_API_VERSION,
	.name = "visitors",
	.methods = visitor_methods,
	.methods_n = sizeof(visitor_methods) / sizeof(visitor_methods[0]),
	.on_user_online = visitor_online,
	.on_user_offline = visitor_offline,
};

HUB_EXPORT(&testhub, &no_web_sockets, &authorized, &uncreatable, &visitors);
