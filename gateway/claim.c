/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of ids. A claim that a link has no room for makes both sides start over: the
 * replay says what holds then.
 */
#include "gateway/claim.h"

#include <assert.h>
#include <string.h>

#include "gateway/gateway.h"
#include "gateway/handover.h"
#include "gateway/request.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct claim {
	struct map_node node;  /* in gateway->claims */
	const struct hub *hub; /* borrowed */
	int64_t fresh_until_s;
	char id[CONN_ID_LEN];
};

/* The id is the claim's own. */
static Link__Claim message_of(const struct gateway *gateway, const struct claim *claim)
{
	const int64_t fresh_ms =
		claim->fresh_until_s * 1000 + 999 - loop_unix_ms(gateway->loop);
	Link__Claim message = LINK__CLAIM__INIT;

	message.hub = link_bytes(slice_from_str(claim->hub->name));
	message.connection = link_bytes(slice_make(claim->id, CONN_ID_LEN));
	message.fresh_ms = fresh_ms > 0 ? (uint32_t)fresh_ms : 0;
	return message;
}

static enum err tell(const struct gateway_router *router, const struct claim *claim)
{
	const Link__Claim message = message_of(router->gateway, claim);

	return link_send_claim(router->peer, &message, NULL);
}

/* Whoever cannot be told is started over with. */
static void send_all(struct gateway *gateway, const struct hub *hub,
		     const Link__Claim *message)
{
	struct gateway_router *owners[2];
	const size_t n = gateway_owners(gateway, hub, LINK__KIND__KIND_CONNECTION,
					link_slice(message->connection), owners);

	for (size_t i = 0; i < n; i++) {
		if (router_told(link_send_claim(owners[i]->peer, message, NULL)) == OK)
			continue;
		log_warn("claim.untold", "router=%s", link_peer_name(owners[i]->peer));
		router_resync(owners[i]);
	}
}

static struct claim *find(const struct gateway *gateway, struct slice id)
{
	struct map_node *node = map_find(&gateway->claims, id);

	return node != NULL ? CONTAINER_OF(node, struct claim, node) : NULL;
}

void claim_keep(struct gateway *gateway, const struct hub *hub, struct slice id,
		int64_t fresh_until_s)
{
	struct claim *claim;

	assert(id.len == CONN_ID_LEN && find(gateway, id) == NULL);
	claim = MEM_NEW(struct claim);
	claim->hub = hub;
	claim->fresh_until_s = fresh_until_s;
	memcpy(claim->id, id.ptr, CONN_ID_LEN);
	map_add(&gateway->claims, &claim->node, slice_make(claim->id, CONN_ID_LEN));
	gateway->metrics.claims++;
}

void claim_add(struct gateway *gateway, const struct hub *hub, struct slice id,
	       int64_t fresh_until_s)
{
	Link__Claim message;

	if (find(gateway, id) != NULL)
		return;
	claim_keep(gateway, hub, id, fresh_until_s);
	/* The router knows that it is ours, unless an earlier client of this id made us
	 * give it back; but not for how long its token is good. */
	message = message_of(gateway, find(gateway, id));
	send_all(gateway, hub, &message);
}

static void claim_free(struct gateway *gateway, struct claim *claim)
{
	map_remove(&gateway->claims, &claim->node);
	gateway->metrics.claims--;
	mem_free(claim);
}

int64_t claim_fresh_until_s(const struct gateway *gateway, struct slice id)
{
	const struct claim *claim = find(gateway, id);

	return claim != NULL ? claim->fresh_until_s : 0;
}

void claim_forget(struct gateway *gateway, struct slice id)
{
	struct claim *claim = find(gateway, id);

	if (claim != NULL)
		claim_free(gateway, claim);
}

void claims_fini(struct gateway *gateway)
{
	struct map_node *node;

	while ((node = map_next(&gateway->claims, NULL)) != NULL)
		claim_free(gateway, CONTAINER_OF(node, struct claim, node));
	map_fini(&gateway->claims);
}

void claim_on_end(struct gateway *gateway, const struct hub *hub, struct slice id)
{
	struct claim *claim = find(gateway, id);
	Link__Claim message;

	if (claim == NULL || request_is_here(gateway, hub, id))
		return;
	message = message_of(gateway, claim);
	message.is_gone = true;
	send_all(gateway, hub, &message);
	claim_free(gateway, claim);
}

void claim_give_back(struct gateway *gateway, const Link__Response *response)
{
	const struct slice id = link_slice(response->connection);
	const struct hub *hub = hubs_find(&gateway->hubs, link_slice(response->hub));
	Link__Claim message = LINK__CLAIM__INIT;

	if (hub == NULL || find(gateway, id) != NULL)
		return;
	message.hub = response->hub;
	message.connection = response->connection;
	message.is_gone = true;
	send_all(gateway, hub, &message);
}

static bool is_anothers(const struct gateway *gateway, struct slice id)
{
	const struct conn *conn = gateway_conn_find(gateway, id);

	return conn != NULL && handover_is_anothers(conn);
}

enum err claims_replay(struct gateway *gateway, struct gateway_router *router)
{
	enum err rc = OK;

	for (struct map_node *node = map_next(&gateway->claims, NULL);
	     node != NULL && rc == OK; node = map_next(&gateway->claims, node)) {
		const struct claim *claim = CONTAINER_OF(node, struct claim, node);

		if (!is_anothers(gateway, map_key(node)) &&
		    gateway_router_owns(router, claim->hub, LINK__KIND__KIND_CONNECTION,
					map_key(node)))
			rc = tell(router, claim);
	}
	return rc;
}

enum err claim_tell_other(struct gateway *gateway, struct map_node *node)
{
	const struct claim *claim = CONTAINER_OF(node, struct claim, node);
	const struct gateway_router *other = gateway_untold_owner(
		gateway, claim->hub, LINK__KIND__KIND_CONNECTION, map_key(node));

	return other != NULL ? router_told(tell(other, claim)) : OK;
}
