/* SPDX-License-Identifier: Apache-2.0 */
#include "router/router.h"
#include "tests/sim/inspect.h"

const char *inspect_router_left(void *state)
{
	struct router *router = state;

	router_count(router); /* forgets what is due */
	if (router->conns.count > 0 || router->going.count > 0)
		return "connections";
	if (router->groups.groups.count > 0 || router->groups.members.count > 0)
		return "members";
	if (router->passes.by_call.count > 0)
		return "requests between gateways";
	if (router->asks.by_number.count > 0)
		return "questions";
	if (!list_is_empty(&router->rebuild.held))
		return "held messages";
	LIST_EACH (node, &router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (!list_is_empty(&gateway->claims))
			return "claims";
		if (link_peer_waiting_bytes(gateway->peer) > 0)
			return "bytes for a gateway";
	}
	return NULL;
}

const char *inspect_router_over(void *state)
{
	const struct router *router = state;
	const size_t window = (size_t)router->conf->link.window_bytes_max;

	if (router->rebuild.held_bytes > (size_t)router->conf->rebuild_bytes_max)
		return "what waits for the rebuild";
	LIST_EACH (node, &router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (link_peer_waiting_bytes(gateway->peer) > 2 * window)
			return "what waits for a gateway";
	}
	return NULL;
}

bool inspect_router_ready(void *state)
{
	const struct router *router = state;

	for (size_t i = 0; i < router->shards.n; i++) {
		if (router->shards.items[i] != NULL &&
		    !link_peer_is_up(router->shards.items[i]->peer))
			return false;
	}
	return router->rebuild.is_done;
}
