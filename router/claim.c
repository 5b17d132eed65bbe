/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of ids. Its gateway alone ends a claim: a Disconnected does not, for the client
 * may still have to be told what was queued for it.
 */
#include "router/claim.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/router.h"
#include "router/shard.h"

struct claim {
	struct map_node node;		/* in claims->by_id */
	struct list list_node;		/* in gateway->claims, or claims->gone */
	struct router_gateway *gateway; /* borrowed; NULL: it is gone */
	int64_t end_ms;	 /* until when its token could open another connection */
	bool is_lost;	 /* gone with its gateway, which may only have started over */
	struct slice id; /* these point into bytes */
	struct slice hub;
	char bytes[];
};

void claims_init(struct claims *claims, uint64_t seed)
{
	map_init(&claims->by_id, seed);
	list_init(&claims->gone);
}

static void claim_free(struct claims *claims, struct claim *claim)
{
	map_remove(&claims->by_id, &claim->node);
	list_remove(&claim->list_node);
	mem_free(claim);
}

void claims_fini(struct claims *claims)
{
	struct map_node *node;

	while ((node = map_next(&claims->by_id, NULL)) != NULL)
		claim_free(claims, CONTAINER_OF(node, struct claim, node));
	map_fini(&claims->by_id);
}

static struct claim *claim_find(const struct router *router, ProtobufCBinaryData hub,
				ProtobufCBinaryData id)
{
	struct map_node *node = map_find(&router->claims.by_id, link_slice(id));
	struct claim *claim =
		node != NULL ? CONTAINER_OF(node, struct claim, node) : NULL;

	return claim != NULL && slice_equal(claim->hub, link_slice(hub)) ? claim : NULL;
}

struct router_gateway *claim_holder(const struct router *router, ProtobufCBinaryData hub,
				    ProtobufCBinaryData id)
{
	const struct claim *claim = claim_find(router, hub, id);
	const struct conn *conn;

	if (claim != NULL && claim->gateway != NULL)
		return claim->gateway;
	conn = conn_find(router, hub, id);
	return conn != NULL ? conn->gateway : NULL;
}

bool claim_is_gone(const struct router *router, ProtobufCBinaryData hub,
		   ProtobufCBinaryData id)
{
	const struct claim *claim = claim_find(router, hub, id);

	return claim != NULL && claim->gateway == NULL &&
	       loop_now_ms(router->loop) < claim->end_ms;
}

/* They come nearly in the order of their ends. */
void claims_forget(struct router *router)
{
	const int64_t now_ms = loop_now_ms(router->loop);

	LIST_EACH (node, &router->claims.gone) {
		struct claim *claim = CONTAINER_OF(node, struct claim, list_node);

		if (now_ms < claim->end_ms)
			return;
		claim_free(&router->claims, claim);
	}
}

enum err claim_add(struct router *router, struct router_gateway *gateway,
		   ProtobufCBinaryData hub, ProtobufCBinaryData id)
{
	const struct router_gateway *holder = claim_holder(router, hub, id);
	struct claim *claim;
	char *at;

	claims_forget(router);
	if (holder != NULL && holder != gateway)
		return ERR_EXISTS;
	/* Ids are random: one that is there under another hub is made up. */
	claim = claim_find(router, hub, id);
	if (claim != NULL && claim->gateway != NULL)
		return OK;
	if (map_find(&router->claims.by_id, link_slice(id)) != NULL)
		return ERR_EXISTS;
	if ((int64_t)router->claims.by_id.count >= router->conf->claims_max) {
		router->metrics.claim_refused_total++;
		return ERR_LIMIT;
	}
	claim = mem_zalloc(sizeof(*claim) + id.len + hub.len);
	at = claim->bytes;
	claim->id = link_take(&at, id);
	claim->hub = link_take(&at, hub);
	claim->gateway = gateway;
	list_init(&claim->list_node);
	list_append(&gateway->claims, &claim->list_node);
	map_add(&router->claims.by_id, &claim->node, claim->id);
	return OK;
}

static void claim_refuse(struct router_gateway *gateway, const Link__Claim *message,
			 const char *reason)
{
	Link__Abort abort_message = LINK__ABORT__INIT;

	log_warn("claim.refused", "gateway=%s reason=%s", link_peer_name(gateway->peer),
		 reason);
	abort_message.hub = message->hub;
	abort_message.connection = message->connection;
	abort_message.error = link_bytes(SLICE("Connection closed with an error."));
	if (link_send_abort(gateway->peer, &abort_message, NULL) != OK)
		router_resync(gateway);
}

/* Its id stays while the token is fresh. */
static void claim_retire(struct router *router, struct claim *claim)
{
	list_remove(&claim->list_node);
	claim->gateway = NULL;
	if (claim->end_ms > loop_now_ms(router->loop))
		list_append(&router->claims.gone, &claim->list_node);
	else
		claim_free(&router->claims, claim);
}

static void claim_revive(struct claim *claim, struct router_gateway *gateway)
{
	claim->is_lost = false;
	claim->gateway = gateway;
	list_remove(&claim->list_node);
	list_append(&gateway->claims, &claim->list_node);
}

static void on_claimed(struct router *router, struct router_gateway *gateway,
		       const Link__Claim *message)
{
	struct claim *claim = claim_find(router, message->hub, message->connection);
	enum err rc;

	if (claim != NULL && claim->is_lost)
		claim_revive(claim, gateway);
	rc = claim_add(router, gateway, message->hub, message->connection);
	if (rc != OK) {
		claim_refuse(gateway, message,
			     rc == ERR_EXISTS ? "duplicate" : "claims_max");
		return;
	}
	claim = claim_find(router, message->hub, message->connection);
	claim->end_ms = loop_now_ms(router->loop) + message->fresh_ms;
}

void claim_on_claim(struct router *router, struct router_gateway *gateway,
		    const Link__Claim *message)
{
	struct claim *claim;

	if (!message->is_gone) {
		if (message->connection.len > 0 &&
		    !shard_has_moved(router, message->hub, LINK__KIND__KIND_CONNECTION,
				     message->connection))
			on_claimed(router, gateway, message);
		return;
	}
	claims_forget(router);
	claim = claim_find(router, message->hub, message->connection);
	if (claim == NULL || claim->gateway != gateway)
		return;
	claim->end_ms = loop_now_ms(router->loop) + message->fresh_ms;
	claim_retire(router, claim);
}

bool claim_drop_moved(struct router *router, struct map_node *node)
{
	struct claim *claim = CONTAINER_OF(node, struct claim, node);

	if (shard_is_ours(router, claim->hub, LINK__KIND__KIND_CONNECTION, claim->id))
		return false;
	claim_free(&router->claims, claim);
	return true;
}

void claim_move(struct router *router, struct slice hub, struct slice id,
		struct router_gateway *to)
{
	struct claim *claim = claim_find(router, link_bytes(hub), link_bytes(id));

	if (claim == NULL || claim->gateway == NULL)
		return;
	claim->gateway = to;
	list_remove(&claim->list_node);
	list_append(&to->claims, &claim->list_node);
}

void claim_end(struct router *router, struct slice hub, struct slice id)
{
	struct claim *claim = claim_find(router, link_bytes(hub), link_bytes(id));

	if (claim != NULL && claim->gateway != NULL)
		claim_retire(router, claim);
}

void claims_on_gateway_lost(struct router *router, struct router_gateway *gateway)
{
	LIST_EACH (node, &gateway->claims) {
		struct claim *claim = CONTAINER_OF(node, struct claim, list_node);

		claim->is_lost = true;
		claim_retire(router, claim);
	}
}
