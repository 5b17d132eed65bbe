/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for fields to change. A LIST with `wait_ms` goes to the shard that owns the
 * key, also when the fields are in Redis, and is answered there as soon as there is
 * something to list, or, when its time is up, with nothing. Who puts a field into Redis
 * tells that shard.
 */
#ifndef ROUTER_STATE_STATE_CHANGE_H
#define ROUTER_STATE_STATE_CHANGE_H

#include "proto/link/link.h"
#include "router/state/state.h"
#include "router/state/state_wait.h"

struct router;

void state_change_init(struct router *router, uint64_t seed);
/* Nobody waits any more, nothing is read. What comes after it finds nobody. */
void state_change_stop(struct router *router);
void state_change_fini(struct router *router);

/* ---- who waits */

/* The call that state_ask() took the question for was canceled: the owner need not answer
 * it any more. */
void state_change_cancel(struct router *router, const struct state_question *question,
			 uint64_t call);

/* A field of that key was put, perhaps: tells its owner. */
void state_change_tell(struct router *router, const struct state_question *question);

/* ---- the owner of the key; `origin` NULL: this router asks */

void state_change_on_wait(struct router *router, struct link_peer *origin, uint64_t call,
			  const struct state_question *question);
void state_change_on_end(struct router *router, struct link_peer *origin, uint64_t call);
void state_change_on_changed(struct router *router, struct slice hub, struct slice key);
/* Who waits for what is others' now asks them. */
void state_change_on_moved(struct router *router);

void state_change_on_lost(struct router *router, const struct link_peer *peer);

#endif
