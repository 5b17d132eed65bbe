/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router or presence that comes back knows nothing: it is told again what it owns of
 * this gateway's connections and memberships, and then that this was all.
 */
#ifndef GATEWAY_REPLAY_H
#define GATEWAY_REPLAY_H

#include "gateway/gateway.h"

void replay_to_router(struct gateway *gateway, struct gateway_router *router);
void replay_to_presence(struct gateway *gateway);

#endif
