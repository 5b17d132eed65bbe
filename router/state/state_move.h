/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs in memory goes where its keys go: in COMMIT each router sends what it
 * keeps under keys that it no longer owns to those who do, and holds what it is asked of
 * keys that it owns from now on until their old owner has sent all. With Redis there is
 * nothing to move. docs/LINK.md, "Shards that change".
 */
#ifndef ROUTER_STATE_STATE_MOVE_H
#define ROUTER_STATE_STATE_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/link/link.h"
#include "router/state/state.h"

struct router;
struct shard_link;

/* Part of the router. */
struct state_move {
	struct list held; /* of struct held_state: questions */
	size_t held_bytes;
	uint64_t cursor;
	bool is_sending;
};

/* The other router has handled all that it was sent. */
struct state_moved {
	struct router *router; /* borrowed */
	struct session_ticket ticket;
	bool is_taken;
};

void state_move_init(struct router *router);
void state_move_stop(struct router *router); /* while the links are there */
void state_move_fini(struct router *router);
void state_moved_init(struct router *router, struct state_moved *moved);

/* COMMIT begins. */
void state_move_begin(struct router *router);

/* COMMIT is over, however it was: nothing is waited for any more. */
void state_move_end(struct router *router);

/* Sends the next piece. Returns the time until the one behind it. */
int64_t state_move_piece(struct router *router);

/* All is sent and taken, and all has come; at once when it is in Redis. */
bool state_move_is_over(const struct router *router);

/* A router came back as another process: there is nothing for it, which it has to hear.
 */
void state_move_on_new(const struct router *router, struct shard_link *link);

void state_move_on_message(struct router *router, struct shard_link *from,
			   const Link__StateMove *message);

/* What a router had is lost with it, or it has sent all. */
void state_move_look(struct router *router);

/*
 * Keeps a copy of the question until what is kept under the key has come, and answers it
 * then. False: it need not wait. `origin` NULL: this router asks.
 */
MUST_CHECK bool state_move_hold(struct router *router, struct link_peer *origin,
				const Link__State *message);

#endif
