/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed connections whose end is not confirmed are replayed as well: their Disconnected
 * goes out again behind the replay, so that hubs see them leave.
 */
#include "gateway/replay.h"

#include <inttypes.h>

#include "gateway/claim.h"
#include "gateway/conn_private.h"
#include "gateway/handover.h"
#include "gateway/join.h"
#include "gateway/presence.h"
#include "proto/base/log.h"

/* The same process that has forgotten us has seen all our connections leave. */
static bool router_has_forgotten(const struct gateway_router *router)
{
	return router->incarnation == link_peer_incarnation(router->peer);
}

static bool is_told_to(const struct conn *conn, const struct gateway_router *router)
{
	return gateway_router_owns(router, conn->hub, LINK__KIND__KIND_CONNECTION,
				   slice_make(conn->id, CONN_ID_LEN));
}

static enum err replay_conns(struct gateway *gateway, struct gateway_router *router,
			     uint64_t *n)
{
	const bool is_forgotten = router_has_forgotten(router);
	enum err rc = OK;

	for (struct map_node *node = map_next(&gateway->conns, NULL);
	     node != NULL && rc == OK; node = map_next(&gateway->conns, node)) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		if (conn->state == CONN_HANDSHAKE || handover_is_anothers(conn) ||
		    !is_told_to(conn, router))
			continue;
		/* To who stands by it was nothing yet, and nobody would tell the end. */
		if (conn->state == CONN_CLOSED && gateway_conn_owner(conn) != router)
			continue;
		if (is_forgotten && gateway_conn_owner(conn) == router)
			conn->is_begun = false;
		rc = conn_announce_to(conn, router);
		arena_reset(&gateway->arena);
		(*n)++;
	}
	return rc;
}

static enum err replay_members(struct gateway *gateway,
			       const struct gateway_router *router)
{
	enum err rc = OK;

	for (struct map_node *node = map_next(&gateway->index.keys, NULL);
	     node != NULL && rc == OK; node = map_next(&gateway->index.keys, node)) {
		const struct index_key *key = CONTAINER_OF(node, struct index_key, node);

		if (gateway_router_owns(router, key->hub, (Link__Kind)key->kind,
					index_key_name(key)))
			rc = join_replay_key(key, router);
	}
	return rc;
}

static enum err replay_done(struct link_peer *peer, uint64_t connections)
{
	Link__Replayed replayed = LINK__REPLAYED__INIT;

	replayed.connections = connections;
	return link_send_replayed(peer, &replayed, NULL);
}

static void replay_over(struct gateway *gateway, const struct link_peer *peer,
			enum err rc, uint64_t connections)
{
	gateway->metrics.replay_total++;
	if (rc == OK) {
		log_info("replay.done", "peer=%s connections=%" PRIu64,
			 link_peer_name(peer), connections);
		return;
	}
	/* The window does not bound a replay, and what a message may hold bounds the
	 * options: only options that changed since can bring us here. */
	gateway->metrics.replay_refused_total++;
	log_error("replay.refused", "peer=%s", link_peer_name(peer));
}

void replay_to_router(struct gateway *gateway, struct gateway_router *router)
{
	uint64_t n = 0;
	enum err rc = claims_replay(gateway, router);

	if (rc == OK)
		rc = replay_conns(gateway, router, &n);
	if (rc == OK)
		rc = replay_members(gateway, router);
	if (rc == OK)
		rc = replay_done(router->peer, n);
	if (router_has_forgotten(router) &&
	    link_peer_away_ms(router->peer) >= gateway->conf->link.lease_ms)
		loop_touch(gateway->loop, &gateway->fence);
	router->incarnation = link_peer_incarnation(router->peer);
	router->was_empty = gateway->metrics.connections == 0;
	replay_over(gateway, router->peer, rc, n);
	reshard_on_replayed(router);
}

void replay_to_presence(struct gateway *gateway, struct link_peer *home)
{
	Link__Replayed replayed = LINK__REPLAYED__INIT;
	enum err rc = OK;

	for (struct map_node *node = map_next(&gateway->conns, NULL);
	     node != NULL && rc == OK; node = map_next(&gateway->conns, node)) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		if (conn->state != CONN_OPEN || conn_is_arriving(conn))
			continue;
		rc = presence_replay_opened(conn, home);
		replayed.connections++;
	}
	if (rc == OK)
		rc = presence_replayed(gateway, home, &replayed);
	replay_over(gateway, home, rc, replayed.connections);
}

void replay_fence_now(struct gateway *gateway)
{
	struct map_node *node = map_next(&gateway->conns, NULL);

	log_warn("gateway.fenced", "connections=%" PRId64, gateway->metrics.connections);
	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&gateway->conns, node);
		if (conn->state == CONN_OPEN)
			conn_close(conn, CONN_CLOSE_FENCED, NULL);
	}
}

void replay_on_fence(struct loop_flush *flush)
{
	replay_fence_now(CONTAINER_OF(flush, struct gateway, fence));
}

/* At once: what comes behind it would show a hole. */
void replay_fence(struct gateway *gateway, const struct gateway_router *router)
{
	if (!router->was_empty)
		replay_fence_now(gateway);
}
