/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router or presence that comes back knows nothing: it is told again what it owns of
 * this gateway's connections and memberships, and then that this was all.
 */
#ifndef GATEWAY_REPLAY_H
#define GATEWAY_REPLAY_H

#include "gateway/gateway.h"

void replay_to_router(struct gateway *gateway, struct gateway_router *router);

/* To one that becomes the home, behind its Lease. */
void replay_to_presence(struct gateway *gateway, struct link_peer *home);

/*
 * A router that gave this gateway up after a lease of silence has served others since:
 * its clients have missed messages and cannot know. They are closed, and told to
 * reconnect.
 */
void replay_on_fence(struct loop_flush *flush);
void replay_fence_now(struct gateway *gateway);

/* The same of one that is new, and had taken its table for whole without us. */
void replay_fence(struct gateway *gateway, const struct gateway_router *router);

#endif
