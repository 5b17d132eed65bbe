/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls hang in two lists: their connection's, oldest first, where a Complete finds its
 * call at or near the front, and their router's.
 */
#include "gateway/invoke.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_json.h"

struct call {
	struct list conn_node;
	struct list router_node;
	struct conn *conn; /* borrowed */
	uint64_t number; /* no other call of this gateway has it: a connection id may come
			  * back while a router still runs calls of the first one */
	struct session_ticket ticket;
	bool is_handled; /* the router has it: only its Complete is missing */
	bool is_lost;	 /* ... and is gone */
	int64_t started_us;
	struct slice invocation_id; /* these point into bytes */
	struct slice target;
	char bytes[];
};

static void call_free(struct call *call)
{
	struct conn *conn = call->conn;

	session_ticket_cancel(&call->ticket);
	list_remove(&call->conn_node);
	list_remove(&call->router_node);
	conn->calls_n--;
	conn->gateway->metrics.invocations--;
	mem_free(call);
}

/* Ends the call with an error: `before` the target, `after` it. */
static void call_fail(struct call *call, const char *before, const char *after)
{
	struct conn *conn = call->conn;
	struct buf text = BUF_INIT;
	struct buf frame = BUF_INIT;

	if (call->invocation_id.len > 0) {
		buf_appendf(&text, "%s '%.*s' %s", before, SLICE_FMT(call->target),
			    after);
		hub_json_encode_error(&frame, call->invocation_id, buf_slice(&text));
	}
	call_free(call);
	if (frame.len > 0)
		conn_send(conn, buf_slice(&frame));
	buf_fini(&frame);
	buf_fini(&text);
	if (conn->state == CONN_OPEN)
		conn_on_complete(conn);
}

static void call_lost(struct call *call)
{
	call->conn->gateway->metrics.invoke_lost_total++;
	call_fail(call, "An unexpected error occurred invoking",
		  "on the server. HubException: The outcome is unknown: the router that "
		  "ran it was lost.");
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct call *call = CONTAINER_OF(ticket, struct call, ticket);

	if (rc == OK)
		call->is_handled = true;
	else
		call_lost(call);
}

static struct call *call_new(struct conn *conn, struct gateway_router *router,
			     const struct hub_message *message)
{
	const size_t id_len = message->has_invocation_id ? message->invocation_id.len : 0;
	struct call *call = mem_zalloc(sizeof(*call) + id_len + message->target.len);

	call->conn = conn;
	call->number = ++conn->gateway->last_call;
	call->started_us = loop_clock_us();
	session_ticket_init(&call->ticket, on_ticket);
	if (id_len > 0)
		memcpy(call->bytes, message->invocation_id.ptr, id_len);
	memcpy(call->bytes + id_len, message->target.ptr, message->target.len);
	call->invocation_id = slice_make(call->bytes, id_len);
	call->target = slice_make(call->bytes + id_len, message->target.len);
	list_init(&call->conn_node);
	list_init(&call->router_node);
	list_append(&conn->calls, &call->conn_node);
	list_append(&router->calls, &call->router_node);
	conn->calls_n++;
	conn->gateway->metrics.invocations++;
	return call;
}

static enum err send_invoke(const struct call *call, struct link_peer *peer,
			    const struct hub_message *message,
			    struct session_ticket *ticket)
{
	const struct conn *conn = call->conn;
	Link__Invoke out = LINK__INVOKE__INIT;

	out.hub = link_bytes(slice_from_str(conn->hub->name));
	out.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	out.call = call->number;
	out.invocation_id = link_bytes(call->invocation_id);
	out.target = link_bytes(call->target);
	out.protocol = conn->protocol;
	out.arguments = link_bytes(message->arguments);
	out.is_stream = message->type == HUB_MESSAGE_STREAM_INVOCATION;
	return link_send_invoke(peer, &out, ticket);
}

void invoke(struct conn *conn, const struct hub_message *message)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *router =
		gateway_owner(gateway, conn->hub, LINK__KIND__KIND_CONNECTION,
			      slice_make(conn->id, CONN_ID_LEN));
	struct call *call;

	if (message->invocation_id.len > (size_t)gateway->conf->invocation_id_bytes_max) {
		gateway->metrics.invocation_id_refused_total++;
		conn_close(conn, CONN_CLOSE_PROTOCOL,
			   " InvalidDataException: The invocation id is too long.");
		return;
	}
	call = call_new(conn, router, message);
	gateway->metrics.invoke_total++;
	if (send_invoke(call, router->peer, message, &call->ticket) != OK) {
		gateway->metrics.invoke_refused_total++;
		call_fail(call, "Failed to invoke",
			  "due to an error on the server. HubException: The server is "
			  "busy.");
		return;
	}
	if (conn->calls_n >= (size_t)gateway->conf->invocations_max) {
		gateway->metrics.invoke_paused_total++;
		conn_pause(conn);
	}
}

static struct call *call_find(const struct conn *conn, uint64_t number)
{
	LIST_EACH (node, &conn->calls) {
		struct call *call = CONTAINER_OF(node, struct call, conn_node);

		if (call->number == number)
			return call;
	}
	return NULL;
}

void invoke_on_complete(struct gateway *gateway, const Link__Complete *complete)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(complete->connection));
	struct call *call = conn != NULL ? call_find(conn, complete->call) : NULL;

	if (call == NULL) {
		/* Its client is gone, or was told that the outcome is unknown. */
		gateway->metrics.complete_unknown_total++;
		return;
	}
	gateway->metrics.complete_total++;
	histogram_add_us(&gateway->metrics.invoke_seconds,
			 (uint64_t)(loop_clock_us() - call->started_us));
	call_free(call);
	if (complete->frame.len > 0)
		conn_send(conn, link_slice(complete->frame));
	if (conn->state == CONN_OPEN)
		conn_on_complete(conn);
}

void invoke_forget(struct conn *conn)
{
	LIST_EACH (node, &conn->calls)
		call_free(CONTAINER_OF(node, struct call, conn_node));
}

void invoke_on_lost(struct gateway_router *router)
{
	LIST_EACH (node, &router->calls) {
		struct call *call = CONTAINER_OF(node, struct call, router_node);

		call->is_lost = call->is_handled;
	}
	loop_touch(router->gateway->loop, &router->flush);
}

void invoke_on_flush(struct loop_flush *flush)
{
	struct gateway_router *router = CONTAINER_OF(flush, struct gateway_router, flush);
	struct list calls;
	struct list *node;

	/* Telling a client may end it, which frees other calls of this list. */
	list_init(&calls);
	list_splice(&calls, &router->calls);
	while ((node = list_shift(&calls)) != NULL) {
		struct call *call = CONTAINER_OF(node, struct call, router_node);

		list_append(&router->calls, node);
		if (call->is_lost)
			call_lost(call);
	}
}
