/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table is made anew for each map, in the map's order; the routers in it stay where
 * they are. One that no map names any more is lost like one that died, with the
 * difference that nothing is kept for its next life.
 */
#include "gateway/routers.h"

#include "gateway/arriving.h"
#include "gateway/backlog.h"
#include "gateway/forward.h"
#include "gateway/gateway.h"
#include "gateway/handover.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/release.h"
#include "gateway/reply_link.h"
#include "gateway/transport_tunnel.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"

/* ---- one */

static void on_resync(struct loop_flush *flush)
{
	const struct gateway_router *router =
		CONTAINER_OF(flush, struct gateway_router, resync);

	link_peer_reset(router->peer);
}

void router_resync(struct gateway_router *router)
{
	loop_touch(router->gateway->loop, &router->resync);
}

/* A router that has been cut off for less than our lease may still know us: it is not
 * given up while a resume would lose nothing. */
static int64_t patience_ms(const struct gateway_conf *conf)
{
	return conf->invoke_timeout_ms > conf->link.lease_ms ? conf->invoke_timeout_ms
							     : conf->link.lease_ms;
}

static struct gateway_router *router_new(struct gateway *gateway,
					 const struct shard *shard)
{
	struct gateway_router *router = MEM_NEW(struct gateway_router);

	router->gateway = gateway;
	router->number = ++gateway->routers.last_number;
	list_init(&router->node);
	list_init(&router->calls);
	list_init(&router->forwards);
	list_init(&router->replies);
	list_init(&router->tunnels);
	list_init(&router->far_ends);
	loop_flush_init(&router->forward_flush, forward_on_flush);
	loop_flush_init(&router->flush, invoke_on_flush);
	loop_flush_init(&router->resync, on_resync);
	backlog_init(router);
	reshard_router_init(router);
	router->peer = link_dial(gateway->link, LINK__ROLE__ROLE_ROUTER, shard->name,
				 shard->url);
	link_peer_set_owner(router->peer, router);
	link_peer_set_patience(router->peer, patience_ms(gateway->conf));
	return router;
}

static void on_deferred(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct gateway_router, defer));
}

/* Flushes of this turn may still lead to it. */
static void router_free(struct gateway_router *router)
{
	backlog_fini(router);
	session_ticket_cancel(&router->handled);
	loop_untouch(&router->flush);
	loop_untouch(&router->resync);
	loop_untouch(&router->forward_flush);
	loop_defer_free(router->gateway->loop, &router->defer, on_deferred);
}

/* At the end of the turn, for it may be the one who has told us that it leaves. */
static void router_leave(struct gateway_router *router)
{
	log_info("router.left", "router=%s", link_peer_name(router->peer));
	joins_on_left(router);
	handovers_on_left(router);
	arrivings_on_left(router);
	/* Ends what it was asked (on_lost), and calls the tickets of the rest. */
	link_remove(router->peer);
	backlog_on_room(router);
	transport_tunnels_on_left(router);
	forwards_on_left(router);
	invoke_on_left(router);
	router_free(router);
}

/* ---- all */

static struct gateway_router *find(const struct routers *routers, const char *name)
{
	for (size_t i = 0; i < routers->n; i++) {
		if (strcmp(link_peer_name(routers->items[i]->peer), name) == 0)
			return routers->items[i];
	}
	LIST_EACH (node, &routers->leaving) {
		struct gateway_router *router =
			CONTAINER_OF(node, struct gateway_router, node);

		if (strcmp(link_peer_name(router->peer), name) == 0)
			return router;
	}
	return NULL;
}

/* Which list it is in: of the senders' now, of theirs after this phase. */
static bool has_place(const struct ring *ring, size_t index)
{
	for (size_t i = 0; i < ring->points_n; i++) {
		if (ring->points[i].member == index)
			return true;
	}
	return false;
}

static void router_mark(struct gateway_router *router, const struct shard_map *map,
			size_t index)
{
	const bool is_old = has_place(&map->old, index);

	router->is_sender = is_old || map->phase == SHARD_PHASE_COMMIT;
	router->is_next =
		map->phase == SHARD_PHASE_STABLE ? is_old : has_place(&map->fresh, index);
	router_said(router);
}

void router_said(struct gateway_router *router)
{
	const struct shard_map *map = &router->gateway->routers.map;

	router->is_behind = router->epoch < map->epoch ||
			    (router->epoch == map->epoch && router->phase < map->phase);
}

bool router_is_leaving(const struct gateway_router *router)
{
	return router->gateway->routers.map.phase == SHARD_PHASE_COMMIT &&
	       !router->is_next;
}

void routers_follow(struct gateway *gateway)
{
	struct routers *routers = &gateway->routers;
	const struct shards *all = &routers->map.all;
	struct gateway_router **before = routers->items;
	const size_t before_n = routers->n;
	struct gateway_router **items =
		mem_zalloc(all->n * sizeof(struct gateway_router *));

	for (size_t i = 0; i < all->n; i++) {
		items[i] = find(routers, all->items[i].name);
		if (items[i] == NULL)
			items[i] = router_new(gateway, &all->items[i]);
		list_remove(&items[i]->node);
		router_mark(items[i], &routers->map, i);
	}
	routers->items = items;
	routers->n = all->n;
	for (size_t i = 0; i < before_n; i++) {
		if (shard_map_has(&routers->map,
				  slice_from_str(link_peer_name(before[i]->peer))))
			continue;
		list_append(&routers->leaving, &before[i]->node);
		loop_touch(gateway->loop, &routers->flush);
	}
	mem_free(before);
	for (size_t i = 0; i < routers->n; i++) {
		if (router_is_leaving(items[i]))
			replies_on_leaving(items[i]);
	}
}

static void on_flush(struct loop_flush *flush)
{
	struct routers *routers = CONTAINER_OF(flush, struct routers, flush);
	struct list *node;

	while ((node = list_shift(&routers->leaving)) != NULL)
		router_leave(CONTAINER_OF(node, struct gateway_router, node));
}

void routers_open(struct gateway *gateway)
{
	struct routers *routers = &gateway->routers;

	list_init(&routers->leaving);
	loop_flush_init(&routers->flush, on_flush);
	if (shard_map_init(&routers->map, gateway->conf->routers) != OK)
		fatal("routers = %s: not a list of name=url", gateway->conf->routers);
	routers_follow(gateway);
}

void routers_close(struct gateway *gateway)
{
	struct routers *routers = &gateway->routers;
	struct list *node;

	loop_untouch(&routers->flush);
	while ((node = list_shift(&routers->leaving)) != NULL)
		router_free(CONTAINER_OF(node, struct gateway_router, node));
	for (size_t i = 0; i < routers->n; i++)
		router_free(routers->items[i]);
	mem_free(routers->items);
	shard_map_fini(&routers->map);
}

void routers_reload(struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->routers.n; i++)
		link_peer_set_patience(gateway->routers.items[i]->peer,
				       patience_ms(gateway->conf));
}

bool gateway_is_known(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->routers.n; i++) {
		const struct gateway_router *router = gateway->routers.items[i];

		if (router->is_sender && (router->incarnation == 0 || !router->has_said))
			return false;
	}
	return true;
}

/* ---- owners */

struct gateway_router *gateway_owner(struct gateway *gateway, const struct hub *hub,
				     Link__Kind kind, struct slice name)
{
	const struct routers *routers = &gateway->routers;

	return routers->items[shard_map_owner(&routers->map, slice_from_str(hub->name),
					      (int)kind, name)];
}

size_t gateway_owners(struct gateway *gateway, const struct hub *hub, Link__Kind kind,
		      struct slice name, struct gateway_router *owners[2])
{
	const struct routers *routers = &gateway->routers;
	size_t at[2];
	const size_t n = shard_map_owners(&routers->map, slice_from_str(hub->name),
					  (int)kind, name, at);

	owners[0] = routers->items[at[0]];
	if (n == 2)
		owners[1] = routers->items[at[1]];
	return n;
}

struct gateway_router *gateway_untold_owner(struct gateway *gateway,
					    const struct hub *hub, Link__Kind kind,
					    struct slice name)
{
	struct gateway_router *owners[2];

	if (gateway_owners(gateway, hub, kind, name, owners) != 2 ||
	    owners[1]->is_replayed || owners[1]->incarnation == 0)
		return NULL;
	return owners[1];
}

bool gateway_router_owns(const struct gateway_router *router, const struct hub *hub,
			 Link__Kind kind, struct slice name)
{
	struct gateway_router *owners[2];
	const size_t n = gateway_owners(router->gateway, hub, kind, name, owners);

	return owners[0] == router || (n == 2 && owners[1] == router);
}

size_t gateway_conn_owners(const struct conn *conn, struct gateway_router *owners[2])
{
	struct gateway *gateway = conn->gateway;
	const size_t n = gateway_owners(gateway, conn->hub, LINK__KIND__KIND_CONNECTION,
					slice_make(conn->id, CONN_ID_LEN), owners);

	/* Where it was before, until that router has let go of it. */
	if (n == 2 && gateway->routers.map.phase == SHARD_PHASE_COMMIT &&
	    !release_is_over(conn)) {
		struct gateway_router *const next = owners[0];

		owners[0] = owners[1];
		owners[1] = next;
	}
	return n;
}

struct gateway_router *gateway_conn_owner(const struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *owners[2];

	if (gateway->routers.map.phase != SHARD_PHASE_COMMIT)
		return gateway_owner(gateway, conn->hub, LINK__KIND__KIND_CONNECTION,
				     slice_make(conn->id, CONN_ID_LEN));
	(void)gateway_conn_owners(conn, owners);
	return owners[0];
}
