/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of two routers the one whose name comes first dials, for as long as both are in the
 * map.
 */
#include "router/shard_links.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/router.h"

bool shard_links_own(const struct shard_links *links)
{
	return links->self != SHARD_LINKS_NOWHERE &&
	       (links->map.phase != SHARD_PHASE_PREPARE ||
		shard_map_is_active(&links->map, links->self));
}

static void find_self(struct shard_links *links)
{
	const ptrdiff_t self = shards_find(&links->map.all, slice_from_str(links->name));

	links->self = self >= 0 ? (size_t)self : SHARD_LINKS_NOWHERE;
	links->was_in |= links->map.epoch > 0 && shard_links_own(links);
}

void shard_links_init(struct router *router, const char *routers, const char *name)
{
	struct shard_links *links = &router->shards;

	if (shard_map_init(&links->map, routers) != OK)
		fatal("routers = %s: not a list of name=url", routers);
	links->name = mem_dup(name, strlen(name));
	links->n = links->map.all.n;
	links->items = mem_zalloc(links->n * sizeof(*links->items));
	find_self(links);
}

static struct shard_link *link_new_shard(struct router *router, const struct shard *shard)
{
	struct shard_link *item = MEM_NEW(struct shard_link);

	if (strcmp(shard->name, router->shards.name) < 0)
		item->peer =
			link_expect(router->link, LINK__ROLE__ROLE_ROUTER, shard->name);
	else
		item->peer = link_dial(router->link, LINK__ROLE__ROLE_ROUTER, shard->name,
				       shard->url);
	link_peer_set_owner(item->peer, item);
	state_moved_init(router, &item->moved);
	return item;
}

/* Those of `from` that the map has are taken over. */
static void links_keep(struct shard_links *links, struct shard_link **from, size_t from_n)
{
	const struct shards *all = &links->map.all;

	for (size_t i = 0; i < from_n; i++) {
		ptrdiff_t at;

		if (from[i] == NULL)
			continue;
		at = shards_find(all, slice_from_str(link_peer_name(from[i]->peer)));
		if (at < 0)
			continue;
		links->items[at] = from[i];
		from[i] = NULL;
	}
}

/* Who had asked them is told, and may ask the owners that the map has now. */
static void links_remove(struct shard_link **from, size_t from_n)
{
	for (size_t i = 0; i < from_n; i++) {
		if (from[i] == NULL)
			continue;
		session_ticket_cancel(&from[i]->moved.ticket);
		link_remove(from[i]->peer);
		mem_free(from[i]);
	}
}

static void links_make(struct router *router, struct shard_link **from, size_t from_n)
{
	struct shard_links *links = &router->shards;
	const struct shards *all = &links->map.all;

	links->n = all->n;
	links->items = mem_zalloc(all->n * sizeof(*links->items));
	find_self(links);
	if (links->self != SHARD_LINKS_NOWHERE)
		links_keep(links, from, from_n);
	for (size_t i = 0; i < all->n && links->self != SHARD_LINKS_NOWHERE; i++) {
		if (i != links->self && links->items[i] == NULL)
			links->items[i] = link_new_shard(router, &all->items[i]);
	}
	links_remove(from, from_n);
}

/* No list has us. The one that we were given may have had: it says where we are to be. */
static void log_out(const struct shard_links *links)
{
	if (links->was_in)
		log_info("shards.left", "routers=%s", links->map.routers);
	else
		log_info("shards.waiting", "routers=%s", links->map.routers);
}

void shard_links_open(struct router *router)
{
	mem_free(router->shards.items);
	links_make(router, NULL, 0);
	if (router->shards.self == SHARD_LINKS_NOWHERE)
		log_out(&router->shards);
}

void shard_links_follow(struct router *router)
{
	struct shard_link **from = router->shards.items;
	const bool was_listed = router->shards.self != SHARD_LINKS_NOWHERE;

	links_make(router, from, router->shards.n);
	mem_free(from);
	if (was_listed && router->shards.self == SHARD_LINKS_NOWHERE)
		log_out(&router->shards);
}

struct shard_link *shard_link_find(const struct router *router, struct slice name)
{
	const ptrdiff_t at = shards_find(&router->shards.map.all, name);

	return at >= 0 ? router->shards.items[at] : NULL;
}

/* ---- owners */

struct shard_owner shard_owner_of(const struct router *router, struct slice hub,
				  Link__Kind kind, struct slice name)
{
	const struct shard_links *links = &router->shards;
	const struct shard_link *item;
	size_t owner;

	if (links->n == 0)
		return (struct shard_owner){ .is_own = false };
	owner = shard_map_owner(&links->map, hub, (int)kind, name);
	item = links->items[owner];
	return (struct shard_owner){
		.peer = item != NULL ? item->peer : NULL,
		.is_own = owner == links->self,
	};
}

bool shard_is_ours(const struct router *router, struct slice hub, Link__Kind kind,
		   struct slice name)
{
	return router->shards.self != SHARD_LINKS_NOWHERE &&
	       shard_map_is_owner(&router->shards.map, router->shards.self, hub,
				  (int)kind, name);
}

bool shard_moves(const struct router *router, struct slice hub, Link__Kind kind,
		 struct slice name)
{
	return router->shards.map.phase != SHARD_PHASE_STABLE &&
	       shard_map_moves(&router->shards.map, hub, (int)kind, name);
}

/* ---- the end */

void shard_links_fini(struct router *router)
{
	struct shard_links *links = &router->shards;

	for (size_t i = 0; i < links->n; i++)
		mem_free(links->items[i]);
	mem_free(links->items);
	mem_free(links->name);
	shard_map_fini(&links->map);
}
