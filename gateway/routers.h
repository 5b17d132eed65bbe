/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router shards as a gateway knows them, and which of them are told of a key. They
 * follow the map of shards (proto/link/shard_map.h), which changes while the gateway
 * runs: reshard.c.
 */
#ifndef GATEWAY_ROUTERS_H
#define GATEWAY_ROUTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/base/slice.h"
#include "proto/link/link.h"
#include "proto/link/shard_map.h"

struct conn;
struct gateway;
struct hub;

/* One router shard. */
struct gateway_router {
	struct gateway *gateway; /* borrowed */
	struct link_peer *peer;	 /* borrowed from the link */
	struct list node;	 /* in routers->leaving */
	uint64_t number;	 /* no other one of this gateway has had it */
	bool is_sender;		 /* hubs run there */
	bool is_next;		 /* ... and will after this epoch */
	bool has_said;		 /* which map it goes by, or is too old to say so */
	uint64_t epoch;		 /* what it has said */
	enum shard_phase phase;
	bool is_behind;	     /* that map is older than ours */
	struct list calls;   /* Invokes without a Complete, in the order they were sent */
	struct list backlog; /* backlog.c: conn_works that wait for room */
	struct timer backlog_timer; /* it has been crowded for too long then */
	bool is_overdue;	    /* ... and still is: calls fail at once */
	struct list forwards;	    /* forward.c: Requests without a Response */
	struct list replies;	    /* reply_link.c: Requests that came from it */
	struct list tunnels;	    /* tunnel.c: sockets of connections elsewhere */
	struct list far_ends;	    /* transport_tunnel.c: the other way round */
	uint64_t incarnation;	    /* that was replayed to; 0: none yet */
	bool was_empty;		    /* replay.c: there was no connection when it was */
	struct loop_flush flush;    /* invoke.c: tells clients of lost calls */
	struct loop_flush forward_flush; /* forward.c: tells clients of lost requests */
	struct loop_flush resync;	 /* join.c: an answer did not fit on the link */
	struct session_ticket handled;	 /* reshard.c: all that it was told so far */
	bool has_handled;
	bool is_replayed; /* since the map is as it is */
	struct loop_defer defer;
};

/* Part of the gateway. */
struct routers {
	struct shard_map map;
	struct gateway_router **items; /* owned; as map.all */
	size_t n;
	uint64_t last_number;
	struct list leaving; /* in no map any more: until the end of the turn */
	struct loop_flush flush;
};

/* Those of the option. */
void routers_open(struct gateway *gateway);
void routers_close(struct gateway *gateway);
void routers_reload(struct gateway *gateway); /* its options may have changed */

/* The map has changed: links come, and those of routers that it does not have end, and
 * what was under way there with them. */
void routers_follow(struct gateway *gateway);

/* To every router: one that never heard of this gateway confirms sends to all without
 * it, and one that it never heard may know of other routers. */
bool gateway_is_known(const struct gateway *gateway);

/* It has said which map it goes by: `epoch` and `phase`. */
void router_said(struct gateway_router *router);

/* COMMIT: it is in no list after this epoch. */
bool router_is_leaving(const struct gateway_router *router);

/* Something that it must know did not fit on its link: both sides start over, at the end
 * of the turn, for the session may just be in the making. */
void router_resync(struct gateway_router *router);

/* What came of telling the second owner of a key. One that has been given up needs not
 * be told: when it comes it is told everything. */
static inline enum err router_told(enum err rc)
{
	return rc == ERR_CLOSED ? OK : rc;
}

/* ---- owners */

/* The router that senders of the key go to. */
struct gateway_router *gateway_owner(struct gateway *gateway, const struct hub *hub,
				     Link__Kind kind, struct slice name);

/* All that are told of the key's members, 1 or 2, that one first. */
size_t gateway_owners(struct gateway *gateway, const struct hub *hub, Link__Kind kind,
		      struct slice name, struct gateway_router *owners[2]);

/* The second of them; NULL: there is none, or it is told all, now or when it comes. */
struct gateway_router *gateway_untold_owner(struct gateway *gateway,
					    const struct hub *hub, Link__Kind kind,
					    struct slice name);

/* Is it one of them? */
bool gateway_router_owns(const struct gateway_router *router, const struct hub *hub,
			 Link__Kind kind, struct slice name);

/* The router that runs its hub's code: where its calls go. */
struct gateway_router *gateway_conn_owner(const struct conn *conn);

/* All that are told of the connection, that one first. */
size_t gateway_conn_owners(const struct conn *conn, struct gateway_router *owners[2]);

#endif
