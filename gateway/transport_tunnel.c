/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end that has the connection. While the connection is paused what comes waits here,
 * bounded by the window, for it is not reported as taken.
 */
#include "gateway/transport_tunnel.h"

#include <assert.h>
#include <string.h>

#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/queue.h"
#include "gateway/stateful.h"
#include "gateway/transport_ws.h"
#include "gateway/tunnel.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define PEEK_BLOBS 64

struct far_end {
	struct transport transport;
	struct gateway *gateway;       /* borrowed */
	struct gateway_router *router; /* borrowed; NULL: is_over, and it has left */
	const struct hub *hub;	       /* borrowed */
	struct list router_node;       /* in router->far_ends */
	struct queue queue;
	struct buf in; /* waits for the end of a pause */
	struct tunnel_flow flow;
	struct loop_flush flush;
	struct loop_defer defer;
	uint64_t call;
	char id[CONN_ID_LEN];
	bool is_paused;
	bool is_over; /* the other end is gone, or cannot be told anything */
	enum conn_close_reason reason; /* ... for the connection */
	bool is_freed;
	struct slice origin; /* points into bytes */
	char bytes[];
};

static struct far_end *end_of(struct transport *transport)
{
	return CONTAINER_OF(transport, struct far_end, transport);
}

static struct gateway *gateway_of(const struct far_end *end)
{
	return end->gateway;
}

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct far_end, defer));
}

static void end_free(struct far_end *end)
{
	assert(!end->is_freed && end->transport.conn == NULL);
	end->is_freed = true;
	list_remove(&end->router_node);
	loop_untouch(&end->flush);
	queue_fini(&end->queue);
	buf_fini(&end->in);
	loop_defer_free(gateway_of(end)->loop, &end->defer, on_defer);
}

/* ---- to the other end */

static enum err end_send(struct far_end *end, Link__Tunnel *message)
{
	enum err rc;

	if (end->is_over)
		return ERR_CLOSED;
	message->hub = link_bytes(slice_from_str(end->hub->name));
	message->connection = link_bytes(slice_make(end->id, CONN_ID_LEN));
	message->call = end->call;
	message->gateway = link_bytes(end->origin);
	message->taken = end->flow.told;
	rc = link_send_tunnel(end->router->peer, message, NULL);
	if (rc == OK)
		return OK;
	log_warn("tunnel.untold", "router=%s", link_peer_name(end->router->peer));
	end->is_over = true;
	loop_touch(gateway_of(end)->loop, &end->router->resync);
	return rc;
}

/* Whole blobs: a frame must not be cut, for the socket's gateway puts its own between. */
static void take_queued(struct far_end *end, struct buf *data)
{
	struct iovec iov[PEEK_BLOBS];
	const int n = queue_peek(&end->queue, iov, PEEK_BLOBS);

	for (int i = 0; i < n; i++) {
		if (data->len > 0 && data->len + iov[i].iov_len > TUNNEL_DATA_BYTES_MAX)
			break;
		buf_append(data, iov[i].iov_base, iov[i].iov_len);
	}
	queue_consume(&end->queue, data->len);
}

static void send_queued(struct far_end *end, bool is_last)
{
	while (end->queue.n > 0 && !end->is_over &&
	       (is_last || tunnel_flow_is_open(&end->flow))) {
		Link__Tunnel message = LINK__TUNNEL__INIT;
		struct buf data = BUF_INIT;

		take_queued(end, &data);
		message.data = link_bytes(buf_slice(&data));
		if (end_send(end, &message) == OK)
			end->flow.sent += data.len;
		buf_fini(&data);
	}
}

static void tell_taken(struct far_end *end)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;

	if (!tunnel_flow_owes(&end->flow, end->in.len))
		return;
	end->flow.told = end->flow.received - end->in.len;
	/* When it does not fit the flush ends it. */
	(void)end_send(end, &message);
}

/* Some of what came is not handled yet. */
static bool is_behind(const struct far_end *end)
{
	return end->is_paused || end->in.len > 0;
}

/* A client that has left, or failed, did so behind all that it said. One whose socket
 * broke says it again. */
static bool is_at_its_end(const struct far_end *end)
{
	return end->is_over && (end->reason == CONN_CLOSE_TRANSPORT || !is_behind(end));
}

static void on_flush(struct loop_flush *flush)
{
	struct far_end *end = CONTAINER_OF(flush, struct far_end, flush);
	const bool was_waiting = end->queue.n > 0;

	if (!end->is_paused && end->in.len > 0) {
		struct buf in = end->in;

		buf_init(&end->in);
		conn_on_bytes(end->transport.conn, buf_slice(&in));
		buf_fini(&in);
	}
	if (end->is_freed)
		return;
	tell_taken(end);
	send_queued(end, false);
	if (is_at_its_end(end))
		conn_on_end(end->transport.conn, end->reason);
	else if (was_waiting && end->queue.n == 0)
		conn_on_drained(end->transport.conn);
}

/* ---- from the other end */

static struct far_end *find(const struct gateway *gateway, const Link__Tunnel *message)
{
	const struct conn *conn =
		gateway_conn_find(gateway, link_slice(message->connection));
	struct far_end *end;

	if (conn == NULL || conn->transport == NULL ||
	    conn->transport->ops != &transport_tunnel_ops)
		return NULL;
	end = end_of(conn->transport);
	return end->call == message->call &&
			       slice_equal(end->origin, link_slice(message->origin))
		       ? end
		       : NULL;
}

static void on_data(struct far_end *end, struct slice data)
{
	end->flow.received += data.len;
	if (is_behind(end))
		buf_append_slice(&end->in, data);
	else
		conn_on_bytes(end->transport.conn, data);
	if (!end->is_freed)
		loop_touch(gateway_of(end)->loop, &end->flush);
}

static void on_taken(struct far_end *end, uint64_t taken)
{
	if (taken <= end->flow.sent_taken || taken > end->flow.sent)
		return;
	end->flow.sent_taken = taken;
	loop_touch(gateway_of(end)->loop, &end->flush);
}

static enum conn_close_reason reason_of(const Link__Tunnel *message)
{
	if (message->is_malformed)
		return CONN_CLOSE_PROTOCOL;
	return message->is_error ? CONN_CLOSE_TRANSPORT : CONN_CLOSE_CLIENT;
}

void transport_tunnel_on_message(struct gateway *gateway, const Link__Tunnel *message)
{
	struct far_end *end = find(gateway, message);

	if (end == NULL || end->is_over)
		return;
	on_taken(end, message->taken);
	if (message->data.len > 0)
		on_data(end, link_slice(message->data));
	if (end->is_freed || !message->is_end)
		return;
	end->is_over = true;
	end->reason = reason_of(message);
	if (is_at_its_end(end))
		conn_on_end(end->transport.conn, end->reason);
}

void transport_tunnels_on_lost(struct gateway_router *router)
{
	LIST_EACH (node, &router->far_ends) {
		struct far_end *end = CONTAINER_OF(node, struct far_end, router_node);

		/* One whose client has left needs no router. */
		if (end->is_over)
			continue;
		end->is_over = true;
		conn_on_end(end->transport.conn, CONN_CLOSE_TRANSPORT);
	}
}

void transport_tunnels_on_left(struct gateway_router *router)
{
	transport_tunnels_on_lost(router);
	LIST_EACH (node, &router->far_ends) {
		struct far_end *end = CONTAINER_OF(node, struct far_end, router_node);

		end->router = NULL;
		list_remove(&end->router_node);
	}
}

/* ---- what the connection asks for */

static struct blob *end_wrap(struct slice frames, bool is_text)
{
	return transport_ws_ops.wrap(frames, is_text);
}

static void end_queue(struct transport *transport, struct blob *wrapped)
{
	struct far_end *end = end_of(transport);

	if (end->is_over)
		return; /* nobody reads it */
	queue_add(&end->queue, wrapped);
	loop_touch(gateway_of(end)->loop, &end->flush);
}

static size_t end_queued_bytes(const struct transport *transport)
{
	const struct far_end *end = (const struct far_end *)(const void *)transport;

	/* As for a socket: what was not tried to be sent yet is no sign of slowness. */
	return tunnel_flow_is_open(&end->flow) ? 0 : end->queue.bytes;
}

static bool end_has_room(struct transport *transport, size_t len, size_t max)
{
	struct far_end *end = end_of(transport);

	if (transport_fits(end->queue.bytes, len, max))
		return true;
	send_queued(end, false);
	/* When it is over nobody reads, and nothing is queued. */
	return end->is_over || transport_fits(end->queue.bytes, len, max);
}

static void end_pause(struct transport *transport, bool is_paused)
{
	struct far_end *end = end_of(transport);

	end->is_paused = is_paused;
	if (!is_paused)
		loop_touch(gateway_of(end)->loop, &end->flush);
}

static void end_close(struct transport *transport, bool is_error)
{
	struct far_end *end = end_of(transport);
	Link__Tunnel message = LINK__TUNNEL__INIT;

	transport->conn = NULL;
	send_queued(end, true);
	message.is_end = true;
	message.is_error = is_error;
	/* One that does not fit makes both sides start over. */
	(void)end_send(end, &message);
	end_free(end);
}

static void end_abort(struct transport *transport)
{
	struct far_end *end = end_of(transport);
	Link__Tunnel message = LINK__TUNNEL__INIT;

	transport->conn = NULL;
	message.is_end = true;
	message.is_error = true;
	(void)end_send(end, &message); /* as above */
	end_free(end);
}

const struct transport_ops transport_tunnel_ops = {
	.kind = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS,
	.wrap = end_wrap,
	.send = end_queue,
	.queued_bytes = end_queued_bytes,
	.has_room = end_has_room,
	.pause = end_pause,
	.close = end_close,
	.abort = end_abort,
};

/* ---- the beginning */

static struct transport *end_new(const struct conn *conn, struct gateway_router *router,
				 const Link__Request *request)
{
	struct far_end *end = mem_zalloc(sizeof(*end) + request->origin.len);
	char *at = end->bytes;

	end->transport.ops = &transport_tunnel_ops;
	end->gateway = router->gateway;
	end->router = router;
	end->hub = conn->hub;
	end->call = request->call;
	end->reason = CONN_CLOSE_TRANSPORT;
	end->origin = link_take(&at, request->origin);
	memcpy(end->id, conn->id, CONN_ID_LEN);
	queue_init(&end->queue);
	loop_flush_init(&end->flush, on_flush);
	list_init(&end->router_node);
	list_append(&router->far_ends, &end->router_node);
	return &end->transport;
}

void transport_tunnel_accept(struct conn *conn, struct gateway_router *router,
			     const Link__Request *request)
{
	Link__Response response = LINK__RESPONSE__INIT;

	response.origin = request->origin;
	response.call = request->call;
	response.status = stateful_take_turn(conn) ? 101 : 429;
	if (link_send_response(router->peer, &response, NULL) != OK)
		router->gateway->metrics.reply_refused_total++;
	else if (response.status == 101)
		stateful_attach(conn, end_new(conn, router, request));
}
