/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench hub of bench/HUB.md, as a file for hub_module. It does what each method says
 * and nothing more: what is measured is the broker.
 */
#include "router/hub.h"

/* As long as a hub message of a client may be. */
#define ITEM_BYTES_MAX 32768

static enum hub_rc echo(struct hub_call *call)
{
	hub_return(call, hub_copy(call, hub_arg(call, 0)));
	return HUB_OK;
}

/* ---- sends */

static const struct value *payload(struct hub_call *call, size_t argument)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, hub_copy(call, hub_arg(call, argument)));
	return arguments;
}

static enum hub_rc broadcast(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("Receive"), payload(call, 0));
	return HUB_OK;
}

static enum hub_rc send_to_group(struct hub_call *call)
{
	hub_send(call, hub_to_group(hub_arg_string(call, 0)), SLICE("Receive"),
		 payload(call, 1));
	return HUB_OK;
}

static enum hub_rc send_to_user(struct hub_call *call)
{
	hub_send(call, hub_to_user(hub_arg_string(call, 0)), SLICE("Receive"),
		 payload(call, 1));
	return HUB_OK;
}

static enum hub_rc send_to_connection(struct hub_call *call)
{
	hub_send(call, hub_to_connection(hub_arg_string(call, 0)), SLICE("Receive"),
		 payload(call, 1));
	return HUB_OK;
}

/* ---- groups */

static enum hub_rc join_group(struct hub_call *call)
{
	return hub_await_join(call, hub_arg_string(call, 0));
}

static enum hub_rc leave_group(struct hub_call *call)
{
	return hub_await_leave(call, hub_arg_string(call, 0));
}

/* ---- streams */

static enum hub_rc stream(struct hub_call *call)
{
	const int64_t count = hub_arg_int(call, 0);
	const int64_t size = hub_arg_int(call, 1);
	enum hub_rc rc = HUB_OK;

	if (count < 0 || size < 0 || size > ITEM_BYTES_MAX)
		return hub_fail(call, "No such stream: size is 0 to %d.", ITEM_BYTES_MAX);
	for (int64_t i = 0; rc == HUB_OK && i < count; i++) {
		hub_scratch(call);
		rc = hub_await_item(call,
				    hub_string(call, hub_printf(call, "%0*lld", (int)size,
								(long long)i)));
	}
	return rc;
}

static enum hub_rc upload(struct hub_call *call)
{
	const struct value *item;
	int64_t n = 0;
	enum hub_rc rc;

	while ((rc = hub_await_next(call, 0, &item)) == HUB_OK)
		n++;
	if (rc != HUB_END)
		return rc;
	hub_return(call, hub_int(call, n));
	return HUB_OK;
}

/* ---- questions to clients */

static enum hub_rc ask(struct hub_call *call)
{
	const struct value *answer;
	const enum hub_rc rc =
		hub_await_client(call, hub_arg_string(call, 0), SLICE("Answer"),
				 payload(call, 1), 0, &answer);

	if (rc == HUB_ENOTFOUND)
		return hub_fail(call, "No such connection.");
	if (rc == HUB_FAILED)
		return hub_fail(call, "The client answered with an error.");
	if (rc != HUB_OK)
		return rc;
	hub_return(call, hub_copy(call, answer));
	return HUB_OK;
}

/* ---- the hub */

static const struct hub_method methods[] = {
	{ .name = "Echo", .fn = echo, .arguments = "s" },
	{ .name = "Broadcast", .fn = broadcast, .arguments = "s" },
	{ .name = "SendToGroup", .fn = send_to_group, .arguments = "ss" },
	{ .name = "SendToUser", .fn = send_to_user, .arguments = "ss" },
	{ .name = "SendToConnection", .fn = send_to_connection, .arguments = "ss" },
	{ .name = "JoinGroup", .fn = join_group, .arguments = "s" },
	{ .name = "LeaveGroup", .fn = leave_group, .arguments = "s" },
	{ .name = "Stream", .fn = stream, .arguments = "ii", .is_stream = true },
	{ .name = "Upload", .fn = upload, .arguments = "~" },
	{ .name = "Ask", .fn = ask, .arguments = "ss" },
};

static const struct hub_module bench_hub = {
	.api_version = HUB_API_VERSION,
	.name = "bench",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

HUB_EXPORT(&bench_hub);
