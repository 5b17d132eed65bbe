/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's calls. They wait in its queue until their turn comes: being connected
 * runs first and alone, being disconnected last and alone, plain calls as many at once as
 * the hub allows, and those that stream beside them. A call whose method is over makes
 * room at once; its Complete leaves when its sends are confirmed.
 */
#include <assert.h>

#include "proto/base/mem.h"
#include "router/conn_standby.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

/* Calls of one connection that stream at once, each of which takes a fiber. */
#define BESIDE_MAX 64

/* ---- a call's life */

static struct hub_call *call_new(struct conn *conn, enum hub_call_kind kind)
{
	struct arena arena;
	struct hub_call *call;

	arena_init(&arena);
	call = ARENA_NEW(&arena, struct hub_call);
	call->arena = arena;
	call->runtime = conn->router->hubs;
	call->conn = conn;
	call->kind = kind;
	arena_init(&call->scratch);
	list_init(&call->conn_node);
	list_init(&call->begun_node);
	list_init(&call->node);
	list_append(&conn->queue, &call->conn_node);
	conn->router->metrics.calls++;
	return call;
}

static void call_free(struct hub_call *call)
{
	struct arena arena = call->arena;

	assert(call->sends_left == 0 && call->fiber == NULL);
	assert(!call->is_asking && call->items_n == 0);
	call->runtime->router->metrics.calls--;
	list_remove(&call->node);
	list_remove(&call->conn_node);
	arena_fini(&call->scratch);
	arena_fini(&arena);
}

/* ---- turns */

/* Too many sends wait as it is. */
static bool is_held(const struct hub_call *call)
{
	return call->kind == HUB_CALL_INVOKE && call->conn->router->backlog.is_full &&
	       !call->runtime->is_stopping;
}

/* Whether the turn of the first in the queue has come. */
static bool may_begin(const struct hub_call *call)
{
	const struct conn *conn = call->conn;
	const struct hub_call *first;

	if (conn->begun_n == 0)
		return true;
	if (call->kind == HUB_CALL_DISCONNECTED)
		return false;
	first = CONTAINER_OF(conn->begun.next, struct hub_call, conn_node);
	if (first->kind == HUB_CALL_CONNECTED || hub_call_is_user(call))
		return false;
	return call->is_beside ||
	       conn->begun_n - conn->begun_beside_n <
		       (size_t)conn->hub->conf->invocations_parallel_max;
}

static void call_begin(struct hub_call *call)
{
	struct conn *conn = call->conn;

	list_remove(&call->node);
	list_remove(&call->conn_node);
	list_append(&conn->begun, &call->conn_node);
	list_append(&call->runtime->begun, &call->begun_node);
	conn->begun_n++;
	conn->begun_beside_n += call->is_beside;
	if (conn->begun_beside_n > BESIDE_MAX) {
		conn->router->metrics.stream_refused_total++;
		hub_call_refuse(call, "Failed to invoke",
				SLICE("due to an error on the server. "
				      "HubException: Too many streams are open."));
	}
	if (call->is_beside && call->runtime->is_draining)
		hub_call_cancel(call);
	hub_call_ready(call);
}

void hub_queue_advance(struct conn *conn)
{
	while (conn->before == NULL && !list_is_empty(&conn->queue)) {
		struct hub_call *call =
			CONTAINER_OF(conn->queue.next, struct hub_call, conn_node);

		if (is_held(call)) {
			if (!list_is_linked(&call->node))
				list_append(&call->runtime->held, &call->node);
			return;
		}
		if (!may_begin(call))
			return;
		call_begin(call);
	}
}

/* ---- the end of a call */

static void call_complete(struct hub_call *call)
{
	struct router *router = call->runtime->router;
	Link__Complete complete = LINK__COMPLETE__INIT;
	struct buf frame = BUF_INIT;

	if (call->conn == NULL || call->conn->gateway == NULL)
		return;
	if (call->is_answered)
		hub_call_encode(call, &frame);
	complete.hub = link_bytes(hub_served_name(call->conn->hub));
	complete.connection = link_bytes(call->conn->id);
	complete.call = call->number;
	complete.frame = link_bytes(buf_slice(&frame));
	if (link_send_complete(call->conn->gateway->peer, &complete, NULL) != OK)
		router_resync(call->conn->gateway);
	buf_fini(&frame);
	histogram_add_us(&router->metrics.invoke_seconds,
			 (uint64_t)(loop_clock_us() - call->started_us));
	if (hub_call_has_failed(call))
		router->metrics.invoke_failed_total++;
}

void hub_abort_conn(struct conn *conn, struct slice error)
{
	Link__Abort message = LINK__ABORT__INIT;

	if (conn->gateway == NULL)
		return;
	message.hub = link_bytes(hub_served_name(conn->hub));
	message.connection = link_bytes(conn->id);
	message.error = link_bytes(error);
	if (link_send_abort(conn->gateway->peer, &message, NULL) != OK)
		router_resync(conn->gateway);
}

void hub_abort(struct hub_call *call)
{
	hub_abort_conn(call->conn, SLICE_NONE);
}

static void tell_began(const struct conn *conn)
{
	Link__Began began = LINK__BEGAN__INIT;

	if (conn == NULL || conn->gateway == NULL)
		return;
	began.hub = link_bytes(hub_served_name(conn->hub));
	began.connection = link_bytes(conn->id);
	if (link_send_began(conn->gateway->peer, &began, NULL) == ERR_LIMIT)
		router_resync(conn->gateway);
}

static void call_confirm(struct hub_call *call)
{
	if (call->kind == HUB_CALL_INVOKE) {
		call_complete(call);
		if (call->conn != NULL)
			call->conn->invokes_n--;
	} else if (call->kind == HUB_CALL_CONNECTED && call->rc == HUB_OK) {
		tell_began(call->conn);
	}
	call_free(call);
}

/* A connection whose last call is over is no more; calls that still wait for their sends
 * have nobody left to tell. */
static void conn_ended(struct conn *conn)
{
	struct conn *next;

	LIST_EACH (node, &conn->confirming) {
		CONTAINER_OF(node, struct hub_call, conn_node)->conn = NULL;
		list_remove(node);
	}
	next = conn_over(conn);
	if (next != NULL)
		hub_queue_advance(next);
}

/* It makes room for others. */
static void call_leave(struct hub_call *call)
{
	call->is_over = true;
	list_remove(&call->begun_node);
	list_remove(&call->conn_node);
	call->conn->begun_n--;
	call->conn->begun_beside_n -= call->is_beside;
	hub_items_forget(call);
	hub_uploads_close(call);
}

void hub_call_over(struct hub_call *call)
{
	struct conn *conn = call->conn;
	const bool is_last = call->kind == HUB_CALL_DISCONNECTED;
	const bool is_user = hub_call_is_user(call);

	if (call->kind == HUB_CALL_CONNECTED && call->rc != HUB_OK) {
		conn->is_refused = true;
		hub_abort_conn(conn, SLICE("Connection closed with an error."));
	}
	if (is_user)
		hub_user_call_over(call);
	call_leave(call);
	if (call->sends_left > 0) {
		call->runtime->confirming_n++;
		list_append(&conn->confirming, &call->conn_node);
	} else {
		call_confirm(call);
	}
	if (is_last) {
		conn_ended(conn);
		return;
	}
	hub_queue_advance(conn);
	if (is_user)
		hub_user_rest(conn);
	else
		conn_look_released(conn);
}

void hub_call_confirmed(struct hub_call *call, enum err rc)
{
	struct conn *conn = call->conn;

	assert(call->sends_left > 0);
	call->sends_left--;
	if (rc != OK)
		call->has_send_failed = true;
	if (call->sends_left == 0 && call->is_over) {
		call->runtime->confirming_n--;
		call_confirm(call);
		if (conn != NULL)
			conn_look_released(conn);
	}
}

/* ---- calls from the router */

void hub_connected(struct conn *conn)
{
	(void)call_new(conn, HUB_CALL_CONNECTED); /* the queue has it */
	hub_queue_advance(conn);
}

void hub_user_call(struct conn *conn, enum hub_call_kind kind)
{
	(void)call_new(conn, kind); /* the queue has it */
	hub_queue_advance(conn);
}

void hub_invoke(struct conn *conn, const Link__Invoke *invoke)
{
	struct hub_call *call = call_new(conn, HUB_CALL_INVOKE);

	conn->invokes_n++;
	call->number = invoke->call;
	call->is_stream = invoke->is_stream;
	call->is_answered = invoke->invocation_id.len > 0;
	call->invocation_id = arena_dup(&call->arena, link_slice(invoke->invocation_id));
	call->target = arena_dup(&call->arena, link_slice(invoke->target));
	call->raw_arguments = arena_dup(&call->arena, link_slice(invoke->arguments));
	call->raw_headers = arena_dup(&call->arena, link_slice(invoke->headers));
	call->method = hub_method_find(conn->hub->module, call->target);
	call->is_beside = invoke->is_stream || invoke->n_stream_ids > 0;
	hub_uploads_open(call, invoke);
	call->started_us = loop_clock_us();
	hub_queue_advance(conn);
}

void hub_call_cancel(struct hub_call *call)
{
	call->is_canceled = true;
	if (call->is_asking)
		hub_wait_cancel(call);
	if (call->fiber != NULL)
		hub_call_wake(call);
}

/* Streams end with their connection; plain calls may go on, but none waits for ever. */
static void calls_cancel(struct list *calls)
{
	LIST_EACH (node, calls) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, conn_node);

		call->is_unwanted = true;
		if (call->is_beside)
			hub_call_cancel(call);
		else if (call->fiber != NULL)
			hub_call_wake(call);
	}
}

void hub_disconnected(struct conn *conn, struct slice reason)
{
	struct hub_call *call;

	calls_cancel(&conn->queue);
	calls_cancel(&conn->begun);
	hub_questions_end(conn);
	call = call_new(conn, HUB_CALL_DISCONNECTED);
	call->reason = arena_dup(&call->arena, reason);
	hub_queue_advance(conn);
}

static struct hub_call *stream_find(struct list *calls, struct slice invocation_id)
{
	LIST_EACH (node, calls) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, conn_node);

		if (call->is_stream && slice_equal(call->invocation_id, invocation_id))
			return call;
	}
	return NULL;
}

void hub_cancel(struct conn *conn, struct slice invocation_id)
{
	struct hub_call *call = stream_find(&conn->begun, invocation_id);

	if (call == NULL)
		call = stream_find(&conn->queue, invocation_id);
	if (call == NULL)
		return;
	call->is_unwanted = true;
	hub_call_cancel(call);
}

void hub_flow(struct conn *conn, bool is_blocked)
{
	conn->is_blocked = is_blocked;
	if (is_blocked)
		return;
	LIST_EACH (node, &conn->begun) {
		struct hub_call *call = CONTAINER_OF(node, struct hub_call, conn_node);

		if (call->is_stream && call->fiber != NULL)
			hub_call_wake(call);
	}
}
