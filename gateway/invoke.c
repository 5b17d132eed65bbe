/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls hang in two lists: their connection's, oldest first, where a Complete finds its
 * call at or near the front, and their router's.
 */
#include "gateway/invoke.h"

#include <assert.h>

#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/conn_work.h"
#include "gateway/drain.h"
#include "gateway/upload.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct call {
	struct list conn_node;
	struct list router_node;
	struct conn *conn;	       /* borrowed */
	struct gateway_router *router; /* borrowed; that runs it */
	uint64_t number; /* no other call of this gateway has it: a connection id may come
			  * back while a router still runs calls of the first one */
	struct session_ticket ticket;
	bool is_handled; /* the router has it: only its Complete is missing */
	bool is_lost;	 /* ... and is gone */
	bool is_left;	 /* its connection has moved to another router */
	int64_t started_us;
	struct slice invocation_id; /* these point into bytes */
	struct slice target;
	char bytes[];
};

static void call_free(struct call *call)
{
	struct conn *conn = call->conn;

	uploads_close(conn, call->number);
	session_ticket_cancel(&call->ticket);
	list_remove(&call->conn_node);
	list_remove(&call->router_node);
	conn->calls_n--;
	conn->gateway->metrics.invocations--;
	if (call->is_left) {
		conn->gateway->reshard.left_n--;
		reshard_look(conn->gateway);
	}
	mem_free(call);
}

/* Reads on when there is room for another call. */
static void calls_settle(struct conn *conn)
{
	drain_on_call_over(conn);
	if (conn->state == CONN_OPEN &&
	    conn->calls_n < (size_t)conn->gateway->conf->invocations_max)
		conn_unpause(conn, CONN_PAUSE_CALLS);
	conn_work_free_when_idle(conn);
}

/* Ends the call with an error: `before` the target, `after` it. */
static void call_fail(struct call *call, const char *before, const char *after)
{
	struct conn *conn = call->conn;
	struct buf text = BUF_INIT;
	struct buf frame = BUF_INIT;

	if (call->invocation_id.len > 0) {
		buf_appendf(&text, "%s '", before);
		buf_append_slice(&text, call->target); /* it may have NULs */
		buf_appendf(&text, "' %s", after);
		hub_encode_error(conn->codec, &frame, call->invocation_id,
				 buf_slice(&text));
	}
	call_free(call);
	if (frame.len > 0)
		conn_send(conn, buf_slice(&frame));
	buf_fini(&frame);
	buf_fini(&text);
	calls_settle(conn);
}

/* It certainly did not run. Whoever waits for no answer must not believe that it did. */
static void call_refused(struct call *call, enum err rc)
{
	struct conn *conn = call->conn;
	const bool is_answered = call->invocation_id.len > 0;

	conn->gateway->metrics.invoke_refused_total++;
	call_fail(call, "Failed to invoke",
		  rc == ERR_CLOSED
			  ? "due to an error on the server. HubException: It was "
			    "not run: its router is away."
			  : "due to an error on the server. HubException: The "
			    "server is busy.");
	if (!is_answered)
		conn_close(conn, CONN_CLOSE_BUSY, NULL);
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
	else if (rc == ERR_CLOSED)
		call_refused(call, rc);
	else
		call_lost(call);
}

static struct call *call_new(struct conn *conn, struct gateway_router *router,
			     const struct hub_message *message)
{
	const size_t id_len = message->has_invocation_id ? message->invocation_id.len : 0;
	struct call *call = mem_zalloc(sizeof(*call) + id_len + message->target.len);

	call->conn = conn;
	call->router = router;
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
	list_append(&conn_work_need(conn)->calls, &call->conn_node);
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
	ProtobufCBinaryData ids[HUB_STREAM_IDS_MAX];
	Link__Invoke out = LINK__INVOKE__INIT;

	out.hub = link_bytes(slice_from_str(conn->hub->name));
	out.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	out.call = call->number;
	out.invocation_id = link_bytes(call->invocation_id);
	out.target = link_bytes(call->target);
	out.protocol = conn->codec->protocol;
	out.arguments = link_bytes(message->arguments);
	out.is_stream = message->type == HUB_MESSAGE_STREAM_INVOCATION;
	out.headers = link_bytes(message->headers);
	out.stream_ids = ids;
	for (size_t i = 0; i < message->stream_ids_n; i++)
		ids[out.n_stream_ids++] = link_bytes(message->stream_ids[i]);
	return link_send_invoke(peer, &out, ticket);
}

/* They are kept for as long as the call, and sent with all that belongs to it. */
static bool is_id_too_long(const struct conn *conn, const struct hub_message *message)
{
	const size_t bytes_max = (size_t)conn->gateway->conf->invocation_id_bytes_max;

	for (size_t i = 0; i < message->stream_ids_n; i++) {
		if (message->stream_ids[i].len > bytes_max)
			return true;
	}
	return message->invocation_id.len > bytes_max;
}

void invoke(struct conn *conn, const struct hub_message *message)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *router = gateway_conn_owner(conn);
	struct call *call;
	enum err rc;

	if (is_id_too_long(conn, message)) {
		gateway->metrics.invocation_id_refused_total++;
		conn_close(
			conn, CONN_CLOSE_PROTOCOL,
			" InvalidDataException: An invocation or stream id is too long.");
		return;
	}
	call = call_new(conn, router, message);
	gateway->metrics.invoke_total++;
	if (uploads_open(conn, call->number, router, message) != OK) {
		gateway->metrics.streams_refused_total++;
		call_fail(
			call, "Failed to invoke",
			"due to an error on the server. HubException: Too many streams, "
			"or one of that id.");
		return;
	}
	rc = router->is_overdue ? ERR_LIMIT
				: send_invoke(call, router->peer, message, &call->ticket);
	if (rc != OK) {
		call_refused(call, rc);
		return;
	}
	if (conn->calls_n >= (size_t)gateway->conf->invocations_max) {
		gateway->metrics.invoke_paused_total++;
		conn_pause(conn, CONN_PAUSE_CALLS);
	}
}

static struct call *call_find_id(const struct conn *conn, struct slice invocation_id)
{
	if (conn->calls_n == 0)
		return NULL;
	LIST_EACH (node, &conn->work->calls) {
		struct call *call = CONTAINER_OF(node, struct call, conn_node);

		if (slice_equal(call->invocation_id, invocation_id))
			return call;
	}
	return NULL;
}

bool invoke_is_under_way(const struct conn *conn, struct slice invocation_id)
{
	return call_find_id(conn, invocation_id) != NULL;
}

static enum err send_cancel(const struct call *call)
{
	const struct conn *conn = call->conn;
	Link__Cancel cancel = LINK__CANCEL__INIT;

	conn->gateway->metrics.cancel_total++;
	cancel.hub = link_bytes(slice_from_str(conn->hub->name));
	cancel.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	cancel.invocation_id = link_bytes(call->invocation_id);
	return link_send_cancel(call->router->peer, &cancel, NULL);
}

void invoke_cancel(struct conn *conn, const struct hub_message *message)
{
	const struct call *call = call_find_id(conn, message->invocation_id);

	/* NULL: of a stream that is over, or of none: the router has nothing to end. */
	if (call != NULL && send_cancel(call) != OK)
		conn_close(conn, CONN_CLOSE_BUSY, NULL);
}

static struct call *call_find(const struct conn *conn, uint64_t number)
{
	if (conn->calls_n == 0)
		return NULL;
	LIST_EACH (node, &conn->work->calls) {
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
	calls_settle(conn);
}

void invoke_on_push(struct gateway *gateway, const Link__Push *push)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(push->connection));

	gateway->metrics.push_total++;
	if (conn != NULL && conn->state == CONN_OPEN)
		conn_send_paced(conn, link_slice(push->frame));
}

/* ---- going over */

void invoke_tell(const struct conn *conn, struct arena *arena,
		 Link__HandoverCall ***calls, size_t *n)
{
	*n = 0;
	*calls = arena_alloc(arena, conn->calls_n * sizeof(**calls));
	if (conn->calls_n == 0)
		return;
	LIST_EACH (node, &conn->work->calls) {
		const struct call *call = CONTAINER_OF(node, struct call, conn_node);
		Link__HandoverCall *to = ARENA_NEW(arena, Link__HandoverCall);

		link__handover_call__init(to);
		to->call = call->number;
		to->invocation_id = link_bytes(call->invocation_id);
		to->target = link_bytes(call->target);
		(*calls)[(*n)++] = to;
	}
}

void invoke_arrive(struct conn *conn, struct gateway_router *router,
		   const Link__HandoverCall *from)
{
	const struct hub_message message = {
		.has_invocation_id = from->invocation_id.len > 0,
		.invocation_id = link_slice(from->invocation_id),
		.target = link_slice(from->target),
	};
	struct call *call = call_new(conn, router, &message);
	struct gateway *gateway = conn->gateway;

	/* What the client calls later has higher numbers. */
	call->number = from->call;
	call->is_handled = true;
	if (gateway->last_call < from->call)
		gateway->last_call = from->call;
}

static bool has_call(const Link__HandoverRest *rest, uint64_t number)
{
	for (size_t i = 0; i < rest->n_calls; i++) {
		if (rest->calls[i]->call == number)
			return true;
	}
	return false;
}

void invoke_arrived(struct conn *conn, const Link__HandoverRest *rest)
{
	if (conn->calls_n == 0)
		return;
	LIST_EACH (node, &conn->work->calls) {
		struct call *call = CONTAINER_OF(node, struct call, conn_node);

		if (!has_call(rest, call->number))
			call_free(call);
	}
	if (conn->calls_n >= (size_t)conn->gateway->conf->invocations_max)
		conn_pause(conn, CONN_PAUSE_CALLS);
	conn_work_free_when_idle(conn);
}

void invoke_forget(struct conn *conn)
{
	if (conn->calls_n == 0)
		return;
	LIST_EACH (node, &conn->work->calls)
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

/* ---- another router takes over */

void invoke_leave(struct conn *conn, const struct gateway_router *owner)
{
	if (conn->calls_n == 0)
		return;
	LIST_EACH (node, &conn->work->calls) {
		struct call *call = CONTAINER_OF(node, struct call, conn_node);

		if (call->router == owner || call->is_left)
			continue;
		call->is_left = true;
		conn->gateway->reshard.left_n++;
	}
}

static void call_end(struct call *call)
{
	call->conn->gateway->metrics.invoke_ended_total++;
	if (call->invocation_id.len > 0 && send_cancel(call) != OK)
		log_warn("invoke.uncanceled", "router=%s",
			 link_peer_name(call->router->peer));
	call_fail(call, "An unexpected error occurred invoking",
		  "on the server. HubException: The outcome is unknown: another router "
		  "runs the hub now.");
}

/* Telling a client may end it, which frees other calls of the list. */
static void each_call(struct gateway_router *router, void (*fn)(struct call *call),
		      bool (*is_wanted)(const struct call *call))
{
	struct list calls;
	struct list *node;

	list_init(&calls);
	list_splice(&calls, &router->calls);
	while ((node = list_shift(&calls)) != NULL) {
		struct call *call = CONTAINER_OF(node, struct call, router_node);

		list_append(&router->calls, node);
		if (is_wanted(call))
			fn(call);
	}
}

static bool is_left(const struct call *call)
{
	return call->is_left;
}

static bool is_lost(const struct call *call)
{
	return call->is_lost;
}

static bool is_any(const struct call *call)
{
	(void)call;
	return true;
}

void invoke_end(struct conn *conn)
{
	struct list *node;

	while (conn->calls_n > 0) {
		node = conn->work->calls.next;
		call_end(CONTAINER_OF(node, struct call, conn_node));
	}
}

void invoke_end_left(struct gateway_router *router)
{
	each_call(router, call_end, is_left);
}

void invoke_on_left(struct gateway_router *router)
{
	each_call(router, call_lost, is_any);
}

void invoke_on_flush(struct loop_flush *flush)
{
	each_call(CONTAINER_OF(flush, struct gateway_router, flush), call_lost, is_lost);
}
