/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end that has the socket. It sends at the end of the turn; while the other end is
 * behind it does not read.
 */
#include "gateway/tunnel.h"

#include <assert.h>
#include <string.h>

#include "gateway/gateway.h"
#include "gateway/transport_tunnel.h"
#include "gateway/transport_ws.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct tunnel {
	struct ws_far far;
	struct map_node node;	       /* in gateway->tunnels, by call */
	struct list router_node;       /* in router->tunnels */
	struct gateway_router *router; /* borrowed */
	const struct hub *hub;	       /* borrowed */
	struct transport *transport;   /* owned */
	uint64_t call;
	struct buf out; /* for the connection, not sent */
	struct tunnel_flow flow;
	int64_t opened_ms;
	struct loop_flush flush;
	struct loop_defer defer;
	char id[CONN_ID_LEN];
	struct slice holder; /* points into bytes */
	char bytes[];
};

bool tunnel_flow_is_open(const struct tunnel_flow *flow)
{
	assert(flow->sent >= flow->sent_taken);
	return flow->sent - flow->sent_taken < TUNNEL_WINDOW_BYTES;
}

bool tunnel_flow_owes(const struct tunnel_flow *flow, size_t held)
{
	assert(flow->received >= flow->told + held);
	return flow->received - flow->told - held >= TUNNEL_WINDOW_BYTES / 4;
}

static struct gateway *gateway_of(const struct tunnel *tunnel)
{
	return tunnel->router->gateway;
}

static struct tunnel *far_tunnel(struct ws_far *far)
{
	return CONTAINER_OF(far, struct tunnel, far);
}

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct tunnel, defer));
}

/* Its transport is closed or aborted. */
static void tunnel_free(struct tunnel *tunnel)
{
	struct gateway *gateway = gateway_of(tunnel);

	map_remove(&gateway->tunnels, &tunnel->node);
	list_remove(&tunnel->router_node);
	loop_untouch(&tunnel->flush);
	buf_fini(&tunnel->out);
	gateway->metrics.tunnels--;
	loop_defer_free(gateway->loop, &tunnel->defer, on_defer);
}

/* ---- to the other end */

/* Bytes would be missing, or an end that nobody hears of. */
static void start_over(struct gateway_router *router)
{
	log_warn("tunnel.untold", "router=%s", link_peer_name(router->peer));
	loop_touch(router->gateway->loop, &router->resync);
}

static enum err tunnel_send(struct tunnel *tunnel, Link__Tunnel *message)
{
	enum err rc;

	message->hub = link_bytes(slice_from_str(tunnel->hub->name));
	message->connection = link_bytes(slice_make(tunnel->id, CONN_ID_LEN));
	message->call = tunnel->call;
	message->gateway = link_bytes(tunnel->holder);
	message->taken = tunnel->flow.told;
	rc = link_send_tunnel(tunnel->router->peer, message, NULL);
	if (rc != OK)
		start_over(tunnel->router);
	return rc;
}

/* As much as the window lets it, or, when it is the last, all. */
static enum err send_out(struct tunnel *tunnel, bool is_last)
{
	struct slice rest = buf_slice(&tunnel->out);
	enum err rc = OK;

	while (rc == OK && rest.len > 0 &&
	       (is_last || tunnel_flow_is_open(&tunnel->flow))) {
		Link__Tunnel message = LINK__TUNNEL__INIT;
		const size_t n = rest.len < TUNNEL_DATA_BYTES_MAX ? rest.len
								  : TUNNEL_DATA_BYTES_MAX;

		message.data = link_bytes(slice_make(rest.ptr, n));
		rc = tunnel_send(tunnel, &message);
		tunnel->flow.sent += n;
		rest = slice_from(rest, n);
	}
	buf_consume(&tunnel->out, tunnel->out.len - rest.len);
	return rc;
}

static void send_end(struct tunnel *tunnel, enum conn_close_reason reason)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;

	message.is_end = true;
	message.is_error = reason != CONN_CLOSE_CLIENT;
	message.is_malformed = reason == CONN_CLOSE_PROTOCOL;
	if (send_out(tunnel, true) == OK && tunnel_send(tunnel, &message) != OK)
		gateway_of(tunnel)->metrics.tunnel_lost_total++;
}

/* The socket and the tunnel; the client comes back with another one. */
static void tunnel_drop(struct tunnel *tunnel)
{
	tunnel->transport->ops->abort(tunnel->transport);
	tunnel_free(tunnel);
}

/* ---- from the socket */

static void on_flush(struct loop_flush *flush)
{
	struct tunnel *tunnel = CONTAINER_OF(flush, struct tunnel, flush);

	if (send_out(tunnel, false) != OK) {
		gateway_of(tunnel)->metrics.tunnel_lost_total++;
		tunnel_drop(tunnel);
		return;
	}
	tunnel->transport->ops->pause(tunnel->transport,
				      !tunnel_flow_is_open(&tunnel->flow));
}

static void on_bytes(struct ws_far *far, struct slice bytes)
{
	struct tunnel *tunnel = far_tunnel(far);

	buf_append_slice(&tunnel->out, bytes);
	if (tunnel->out.len >= TUNNEL_WINDOW_BYTES)
		tunnel->transport->ops->pause(tunnel->transport, true);
	loop_touch(gateway_of(tunnel)->loop, &tunnel->flush);
}

/* All that came from the other end has left. */
static void on_drained(struct ws_far *far)
{
	struct tunnel *tunnel = far_tunnel(far);
	Link__Tunnel message = LINK__TUNNEL__INIT;

	if (!tunnel_flow_owes(&tunnel->flow, 0))
		return;
	tunnel->flow.told = tunnel->flow.received;
	/* When it does not fit both sides start over, and this tunnel ends. */
	(void)tunnel_send(tunnel, &message);
}

static void on_end(struct ws_far *far, enum conn_close_reason reason)
{
	struct tunnel *tunnel = far_tunnel(far);
	struct transport *transport = tunnel->transport;

	send_end(tunnel, reason);
	if (reason == CONN_CLOSE_TRANSPORT || reason == CONN_CLOSE_SLOW)
		transport->ops->abort(transport);
	else
		transport->ops->close(transport, reason != CONN_CLOSE_CLIENT);
	tunnel_free(tunnel);
}

static const struct ws_far_ops far_ops = {
	.on_bytes = on_bytes,
	.on_drained = on_drained,
	.on_end = on_end,
};

/* ---- from the other end */

static struct slice call_key(const uint64_t *call)
{
	return slice_make((const char *)call, sizeof(*call));
}

static struct tunnel *find(const struct gateway *gateway, const Link__Tunnel *message)
{
	struct map_node *node = map_find(&gateway->tunnels, call_key(&message->call));
	struct tunnel *tunnel =
		node != NULL ? CONTAINER_OF(node, struct tunnel, node) : NULL;

	/* The other gateway numbers its own alike. */
	return tunnel != NULL &&
			       slice_equal(slice_make(tunnel->id, CONN_ID_LEN),
					   link_slice(message->connection)) &&
			       slice_equal(tunnel->holder, link_slice(message->origin))
		       ? tunnel
		       : NULL;
}

static bool has_room(const struct tunnel *tunnel, size_t len)
{
	struct transport *transport = tunnel->transport;
	const size_t max = (size_t)gateway_of(tunnel)->conf->queue_bytes_max;

	/* A message without bytes makes nobody slow. */
	return len == 0 || transport->ops->has_room(transport, len, max);
}

static void on_data(struct tunnel *tunnel, struct slice data)
{
	struct blob *blob = blob_from(data);

	tunnel->flow.received += data.len;
	tunnel->transport->ops->send(tunnel->transport, blob);
	blob_unref(blob);
}

static void on_taken(struct tunnel *tunnel, uint64_t taken)
{
	if (taken <= tunnel->flow.sent_taken || taken > tunnel->flow.sent)
		return;
	tunnel->flow.sent_taken = taken;
	loop_touch(gateway_of(tunnel)->loop, &tunnel->flush);
}

static void on_message(struct tunnel *tunnel, const Link__Tunnel *message)
{
	struct transport *transport = tunnel->transport;

	on_taken(tunnel, message->taken);
	if (!has_room(tunnel, message->data.len)) {
		gateway_of(tunnel)->metrics.tunnel_slow_total++;
		send_end(tunnel, CONN_CLOSE_SLOW);
		tunnel_drop(tunnel);
		return;
	}
	if (message->data.len > 0)
		on_data(tunnel, link_slice(message->data));
	if (!message->is_end)
		return;
	transport->ops->close(transport, message->is_error);
	tunnel_free(tunnel);
}

void tunnel_on_message(struct gateway *gateway, const Link__Tunnel *message)
{
	struct tunnel *tunnel = find(gateway, message);

	if (tunnel != NULL)
		on_message(tunnel, message);
	else
		transport_tunnel_on_message(gateway, message);
}

/* ---- life */

void tunnel_open(struct gateway *gateway, const struct forward *forward,
		 struct slice holder, struct transport *transport)
{
	struct tunnel *tunnel = mem_zalloc(sizeof(*tunnel) + holder.len);
	char *at = tunnel->bytes;

	assert(forward->id.len == CONN_ID_LEN && transport->conn == NULL);
	tunnel->far.ops = &far_ops;
	tunnel->router = forward->router;
	tunnel->hub = forward->hub;
	tunnel->transport = transport;
	tunnel->call = forward->number;
	tunnel->opened_ms = loop_now_ms(gateway->loop);
	tunnel->holder = link_take(&at, link_bytes(holder));
	memcpy(tunnel->id, forward->id.ptr, CONN_ID_LEN);
	loop_flush_init(&tunnel->flush, on_flush);
	list_init(&tunnel->router_node);
	list_append(&tunnel->router->tunnels, &tunnel->router_node);
	map_add(&gateway->tunnels, &tunnel->node, call_key(&tunnel->call));
	gateway->metrics.tunnels++;
	gateway->metrics.tunnel_total++;
	transport_ws_set_far(transport, &tunnel->far);
	transport_ws_start(transport);
}

void tunnel_refuse(struct gateway_router *router, const Link__Response *response)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;

	message.hub = response->hub;
	message.connection = response->connection;
	message.call = response->call;
	message.gateway = response->gateway;
	message.is_end = true;
	message.is_error = true;
	if (link_send_tunnel(router->peer, &message, NULL) != OK)
		start_over(router);
}

void tunnels_on_lost(struct gateway_router *router)
{
	LIST_EACH (node, &router->tunnels) {
		router->gateway->metrics.tunnel_lost_total++;
		tunnel_drop(CONTAINER_OF(node, struct tunnel, router_node));
	}
}

/* The official client gives its connection up when a new socket breaks before it has said
 * all that it has to say again. */
static bool is_settled(const struct tunnel *tunnel)
{
	const int64_t now_ms = loop_now_ms(gateway_of(tunnel)->loop);

	return tunnel->flow.sent + tunnel->out.len > 0 &&
	       now_ms - tunnel->opened_ms >= TUNNEL_SETTLE_MS;
}

static void tunnel_close(struct tunnel *tunnel)
{
	send_end(tunnel, CONN_CLOSE_SHUTDOWN);
	tunnel->transport->ops->close(tunnel->transport, true);
	tunnel_free(tunnel);
}

void tunnels_close(struct gateway *gateway, size_t some)
{
	struct map_node *node = map_next(&gateway->tunnels, NULL);

	while (some > 0 && node != NULL) {
		struct tunnel *tunnel = CONTAINER_OF(node, struct tunnel, node);

		node = map_next(&gateway->tunnels, node);
		if (!is_settled(tunnel))
			continue;
		tunnel_close(tunnel);
		some--;
	}
}

void tunnels_close_all(struct gateway *gateway)
{
	struct map_node *node;

	while ((node = map_next(&gateway->tunnels, NULL)) != NULL)
		tunnel_close(CONTAINER_OF(node, struct tunnel, node));
}
