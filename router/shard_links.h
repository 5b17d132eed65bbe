/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routers of the cluster as this one knows them, and which of them owns a key. They
 * follow the map of shards (proto/link/shard_map.h), which changes while we run.
 */
#ifndef ROUTER_SHARD_LINKS_H
#define ROUTER_SHARD_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/link/link.h"
#include "proto/link/shard_map.h"
#include "router/state/state_move.h"

struct router;

/* We are in no list: other routers do not know us, and we own nothing. */
#define SHARD_LINKS_NOWHERE SIZE_MAX

/* Another router. */
struct shard_link {
	struct link_peer *peer; /* borrowed from the link */
	uint64_t epoch;		/* the map that it last told of */
	enum shard_phase phase;
	bool is_dead;		  /* presence does not name it */
	bool has_moved_state;	  /* in this epoch: all that it had to move has come */
	bool is_moving_state;	  /* ... and more of a key is coming */
	bool is_too_late;	  /* ... and somebody was answered: no more may come */
	uint64_t late_n;	  /* ... and did */
	struct state_moved moved; /* what it was to get from us */
};

/* Part of the router. */
struct shard_links {
	struct shard_map map;
	struct shard_link **items; /* owned; as map.all.items; NULL: no link */
	size_t n;
	size_t self; /* our index, or SHARD_LINKS_NOWHERE */
	char *name;  /* owned: ours */
	bool was_in; /* senders went by a list with us that somebody made */
};

/* Ends the program when `routers` is no list. No links yet. */
void shard_links_init(struct router *router, const char *routers, const char *name);
void shard_links_open(struct router *router);
void shard_links_fini(struct router *router);

/* The map has changed: links come, and those of routers that it does not have end, or all
 * when it does not have us. */
void shard_links_follow(struct router *router);

/* Is there anything that senders may have from us, or had? Who is in no list owns
 * nothing, and in PREPARE neither does who comes. */
bool shard_links_own(const struct shard_links *links);

/* NULL: not in the map. */
struct shard_link *shard_link_find(const struct router *router, struct slice name);

/* ---- owners */

struct shard_owner {
	struct link_peer *peer; /* NULL: we, or nobody that we are linked with */
	bool is_own;
};

/* Whom senders use now. */
struct shard_owner shard_owner_of(const struct router *router, struct slice hub,
				  Link__Kind kind, struct slice name);

/* Are we one of those that are told of its members? */
bool shard_is_ours(const struct router *router, struct slice hub, Link__Kind kind,
		   struct slice name);

bool shard_moves(const struct router *router, struct slice hub, Link__Kind kind,
		 struct slice name);

#endif
