/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router starts with an empty group table that the gateways fill again. Until every
 * live gateway has replayed, what asks the tables (Send, ListMembers, a Join of a
 * connection that is not known, Commands) is held back, in order, bounded in bytes and
 * time. Presence names the live gateways; when it cannot,
 * because it is away or has just started itself, a fixed wait stands in.
 */
#ifndef ROUTER_REBUILD_H
#define ROUTER_REBUILD_H

#include <stdbool.h>

#include "proto/base/loop.h"
#include "proto/link/link.h"
#include "router/topology.h"

struct router;
struct router_gateway;

struct rebuild {
	struct router *router; /* borrowed */
	bool is_done;
	struct topology topology; /* names the gateways that must replay */
	uint64_t *missing; /* owned: incarnations whose members the timeout left out */
	size_t missing_n;
	struct list held;
	size_t held_bytes;
	struct timer wait_timer;
	struct timer timeout_timer;
	struct loop_flush flush; /* looks at the end of the turn whether it is done */
};

void rebuild_init(struct rebuild *rebuild, struct router *router);
void rebuild_fini(struct rebuild *rebuild);

/*
 * Keeps a copy until the table is whole and then handles it as if it came now; `origin`
 * NULL: from ourselves. ERR_LIMIT: over rebuild_bytes_max.
 */
MUST_CHECK enum err rebuild_hold_send(struct rebuild *rebuild, struct link_peer *origin,
				      const Link__Send *send);
MUST_CHECK enum err rebuild_hold_list(struct rebuild *rebuild, struct link_peer *origin,
				      const Link__ListMembers *list);
MUST_CHECK enum err rebuild_hold_join(struct rebuild *rebuild, struct link_peer *origin,
				      const Link__Join *join);
MUST_CHECK enum err rebuild_hold_command(struct rebuild *rebuild,
					 struct link_peer *origin,
					 const Link__Command *command);

/* A gateway came whose members are not known yet: what is sent before it has replayed
 * would miss them. */
void rebuild_again(struct rebuild *rebuild);

/* The map is another; `was_listed`: the one before had us. Who is in none has no table to
 * make whole, and whoever comes into one begins anew. */
void rebuild_on_map(struct rebuild *rebuild, bool was_listed);

/*
 * After a timeout: a gateway may hold members that the table does not know, so nobody may
 * be told that a send to a group, a user or all has reached everybody.
 */
bool rebuild_has_missing(const struct rebuild *rebuild);

/* The timeout left it out: sends have not been confirmed since. */
bool rebuild_is_missing(const struct rebuild *rebuild, uint64_t incarnation);

/* It is lost, and its members with it. */
void rebuild_not_missing(struct rebuild *rebuild, uint64_t incarnation);

/* It told of a member of a key that is not ours. */
void rebuild_on_passed_over(struct rebuild *rebuild, struct router_gateway *gateway);
void rebuild_on_replayed(struct rebuild *rebuild, struct router_gateway *gateway);

/* A gateway came or was lost; or a presence said who lives. */
void rebuild_on_gateway(struct rebuild *rebuild);
void rebuild_on_topology(struct rebuild *rebuild, const struct link_peer *presence,
			 const Link__Topology *topology);

#endif
