/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routers come and go while messages flow: docs/LINK.md, "Shards that change". A gateway
 * takes each newer map of shards that a peer tells it, tells all peers of it, and does
 * what the phase asks: PREPARE tells the second owners what they will own, COMMIT moves
 * connections (release.h), STABLE forgets.
 */
#ifndef GATEWAY_RESHARD_H
#define GATEWAY_RESHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/timer.h"
#include "proto/link/link.h"

struct gateway;
struct gateway_router;

/* What is gone through in pieces. */
enum reshard_walk { RESHARD_CONNS, RESHARD_CLAIMS, RESHARD_WALKED };

/* Part of the gateway. */
struct reshard {
	struct timer timer; /* the next piece; what found no room; the end of a phase */
	enum reshard_walk walk;
	uint64_t cursor;
	bool is_short; /* something of this walk found no room: once more */
	bool is_done;  /* all that this phase asks of us */
	bool is_forced;
	int64_t end_ms;	      /* COMMIT: until then others are waited for */
	uint64_t releasing_n; /* connections that a router is to let go of */
	uint64_t left_n;      /* streams at routers that their connections have left */
};

void reshard_init(struct gateway *gateway);
void reshard_fini(struct gateway *gateway);
void reshard_router_init(struct gateway_router *router);

/* ---- from the links; presence tells, too */

/* First of all that a peer is told: which map we go by. */
void reshard_on_up(struct gateway *gateway, struct link_peer *peer, bool is_new);
void reshard_on_shards(struct gateway *gateway, struct link_peer *peer,
		       const Link__Shards *shards);

/* It has been replayed to. */
void reshard_on_replayed(struct gateway_router *router);

/* All that it knew is void. */
void reshard_on_lost(struct gateway_router *router);

/* A connection has come over from another gateway. */
void reshard_on_arrived(struct gateway *gateway);

/* A message from a router that, by our map, does not own the key any more: it slept, and
 * does not know. It is started over with; nothing of this message may be done. */
bool reshard_is_fenced(struct gateway_router *router, const Link__Deliver *deliver);

/* Something that a phase waits for has ended. */
void reshard_look(struct gateway *gateway);

#endif
