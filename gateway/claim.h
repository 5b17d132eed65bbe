/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections that a router was asked for before they were opened here: their
 * requests may come in at any gateway, so the routers must know whose they are for as
 * long as their transports last, from before the handshake to behind the hub's Close.
 */
#ifndef GATEWAY_CLAIM_H
#define GATEWAY_CLAIM_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/link/link.h"

struct gateway;
struct gateway_router;
struct hub;
struct map_node;

void claims_fini(struct gateway *gateway);

/* It is about to be opened here, by a token that is fresh until that second; harmless
 * when repeated. */
void claim_add(struct gateway *gateway, const struct hub *hub, struct slice id,
	       int64_t fresh_until_s);

/* The same for one that the router knows to be here. */
void claim_keep(struct gateway *gateway, const struct hub *hub, struct slice id,
		int64_t fresh_until_s);

/* Until when its token may open a connection; 0: it is not claimed. */
int64_t claim_fresh_until_s(const struct gateway *gateway, struct slice id);

/* It is another gateway's. */
void claim_forget(struct gateway *gateway, struct slice id);

/* It, or its transport, has ended: the claim does too, if nothing is left of either. */
void claim_on_end(struct gateway *gateway, const struct hub *hub, struct slice id);

/* A router made us the holder for a client that went away meanwhile. */
void claim_give_back(struct gateway *gateway, const Link__Response *response);

/* One of gateway->claims, to the second owner of its id, if that moves. */
MUST_CHECK enum err claim_tell_other(struct gateway *gateway, struct map_node *node);

/* To a router that knows nothing. */
MUST_CHECK enum err claims_replay(struct gateway *gateway, struct gateway_router *router);

#endif
