/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"
#include "gateway/stateful.h"
#include "tests/sim/inspect.h"

/* Pongs and acknowledgements, which are not refused room. */
#define CONTROL_BYTES_MAX 8192

const char *inspect_gateway_left(void *state)
{
	const struct gateway *gateway = state;

	if (gateway->conns.count > 0)
		return "connections";
	if (gateway->claims.count > 0)
		return "claims";
	if (gateway->replies.count > 0)
		return "requests of other gateways";
	if (gateway->tunnels.count > 0)
		return "tunnels";
	if (gateway->forwards.pending.count > 0)
		return "forwarded requests";
	if (gateway->index.keys.count > 0 || gateway->index.memberships_n > 0)
		return "memberships";
	if (gateway->attaches.posts_n > 0)
		return "waiting requests";
	if (!list_is_empty(&gateway->joins))
		return "joins";
	for (size_t i = 0; i < gateway->routers.n; i++) {
		const struct gateway_router *router = gateway->routers.items[i];

		if (!list_is_empty(&router->calls))
			return "calls";
		if (link_peer_waiting_bytes(router->peer) > 0)
			return "bytes for a router";
	}
	return NULL;
}

const char *inspect_gateway_over(void *state)
{
	const struct gateway *gateway = state;
	const size_t window = (size_t)gateway->conf->link.window_bytes_max;
	struct map_node *node = NULL;

	for (size_t i = 0; i < gateway->routers.n; i++) {
		/* A replay may be longer. */
		if (link_peer_waiting_bytes(gateway->routers.items[i]->peer) > 2 * window)
			return "what waits for a router";
	}
	while ((node = map_next(&gateway->conns, node)) != NULL) {
		const struct conn *conn = CONTAINER_OF(node, struct conn, node);

		if (conn->calls_n > (uint32_t)gateway->conf->invocations_max)
			return "a client's calls";
		if (conn->transport != NULL &&
		    conn->ops->queued_bytes(conn->transport) >
			    (size_t)gateway->conf->queue_bytes_max + CONTROL_BYTES_MAX)
			return "what waits for a client";
		if (conn->stateful != NULL &&
		    stateful_kept_bytes(conn) > stateful_kept_bytes_max(conn))
			return "what is kept for a client";
	}
	return NULL;
}

bool inspect_gateway_ready(void *state)
{
	const struct gateway *gateway = state;

	for (size_t i = 0; i < gateway->routers.n; i++) {
		if (!link_peer_is_up(gateway->routers.items[i]->peer))
			return false;
	}
	return gateway_is_known(gateway);
}
