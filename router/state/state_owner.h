/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs as this router has it: asks the store that there is, and keeps the
 * keys that are this shard's when that is the routers' own memory.
 */
#ifndef ROUTER_STATE_STATE_OWNER_H
#define ROUTER_STATE_STATE_OWNER_H

#include "proto/link/link.h"
#include "router/shard_links.h"
#include "router/state/state_table.h"

struct ask;
struct router;

struct state_owner {
	struct state_table table;
	struct timer timer; /* when it has to look for those whose time is over */
};

void state_owner_init(struct router *router, uint64_t seed);
void state_owner_fini(struct router *router);

/* The ask is answered in any case, perhaps before this returns. */
void state_ask(struct router *router, const struct state_question *question,
	       struct ask *ask);

void state_on_state(struct router *router, struct link_peer *origin,
		    const Link__State *message);
void state_on_done(struct router *router, const Link__StateDone *message);

/* What Redis has answered to `owner`, a router (state_redis.h). */
void state_on_redis(void *owner, uint64_t call, const struct state_question *question,
		    const struct state_answer *answer);

/* ---- for state_change.c */

/* Who owns the key. */
struct shard_owner state_owner_of(const struct router *router,
				  const struct state_question *question);

/* Something is kept: its time is looked after. */
void state_owner_watch(struct router *router);

/* Answers a question about a key of ours. */
void state_answer_own(struct router *router, const struct state_question *question,
		      struct arena *arena, struct state_answer *answer);

/* To who asked; NULL: this router. */
void state_answer_to(struct router *router, struct link_peer *origin, uint64_t call,
		     const struct state_answer *answer);

#endif
