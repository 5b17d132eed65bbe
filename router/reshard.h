/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routers come and go while messages flow: docs/LINK.md, "Shards that change". A router
 * takes each newer map that a peer tells it, tells all peers of it, and does what the
 * phase asks: in COMMIT what it sends to keys that move is held until all has arrived
 * that went by the old map (reshard_hold.h), and the state of hubs moves
 * (state/state_move.h); in STABLE it forgets what it does not own (reshard_drop.h).
 */
#ifndef ROUTER_RESHARD_H
#define ROUTER_RESHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/link/link.h"
#include "router/topology.h"

struct router;
struct router_gateway;

/* A gateway has handled all that other routers had us deliver to it before PREPARE: those
 * sends nobody waits for. */
struct reshard_fence {
	struct router *router; /* borrowed */
	struct session_ticket ticket;
	bool is_passed; /* in this phase */
};

/* Sends that wait for their turn; part of the reshard. */
struct reshard_hold {
	struct list sends; /* of struct held_send */
	size_t bytes;
};

/* What is gone through in pieces when it is to be forgotten. */
enum reshard_walk {
	RESHARD_GROUPS,
	RESHARD_CONNS,
	RESHARD_CLAIMS,
	RESHARD_WALKED,
};

/* Part of the router. */
struct reshard {
	struct timer timer; /* the next piece, or the next look */
	bool is_done;	    /* all that this phase asks of us */
	enum reshard_walk walk;
	uint64_t cursor;
	bool is_short; /* something of this table is left behind the cursor */
	struct reshard_hold hold;
	struct topology topology; /* names the routers that are waited for */
};

void reshard_init(struct router *router);
void reshard_stop(struct router *router);
void reshard_gateway_init(struct router *router, struct router_gateway *gateway);
void reshard_gateway_fini(struct router_gateway *gateway);

/* First of all that a peer is told: which map we go by. */
void reshard_on_up(struct router *router, struct link_peer *peer, bool is_new);
void reshard_on_lost(struct router *router, const struct link_peer *peer);

/* Routers that presence does not name are not waited for. */
void reshard_on_topology(struct router *router, const struct link_peer *presence,
			 const Link__Topology *topology);
void reshard_on_shards(struct router *router, struct link_peer *peer,
		       const Link__Shards *shards);

/* Something that a phase waits for has, perhaps, ended. */
void reshard_look(struct router *router);

#endif
