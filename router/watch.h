/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this router hears from its home among the replicas of presence: which users come
 * and go. It asks for that only when it serves a hub that wants to know, and says where
 * it had got to, so that a move to another replica loses nothing and repeats nothing.
 */
#ifndef ROUTER_WATCH_H
#define ROUTER_WATCH_H

#include "proto/base/buf.h"
#include "proto/link/link.h"

struct router;

struct watch {
	struct buf last; /* owned: id of the last change that was taken; empty: none */
};

void watch_init(struct watch *watch);
void watch_fini(struct watch *watch);

/* A presence is the home, and has nothing of ours but a Lease. */
void watch_begin(struct router *router, struct link_peer *home);

void watch_on_change(struct router *router, const struct link_peer *presence,
		     const Link__UserChange *change);

#endif
