/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which gateway holds a connection: those that were claimed, because their clients'
 * requests may come in anywhere. A claim begins before the handshake and lasts as long as
 * the transport does; behind it its id is kept until its token is too old to open another
 * connection. The connections that no one had to claim are found in conn.h.
 */
#ifndef ROUTER_CLAIM_H
#define ROUTER_CLAIM_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

struct router;
struct router_gateway;

struct claims {
	struct map by_id;
	struct list gone; /* ended, while their token could still open another one */
};

void claims_init(struct claims *claims, uint64_t seed);
void claims_fini(struct claims *claims);

/* Claimed or connected; NULL: nobody that we know of. */
struct router_gateway *claim_holder(const struct router *router, ProtobufCBinaryData hub,
				    ProtobufCBinaryData id);

/* OK also when it is this gateway's already. ERR_EXISTS: another one holds it; ERR_LIMIT:
 * claims_max. */
MUST_CHECK enum err claim_add(struct router *router, struct router_gateway *gateway,
			      ProtobufCBinaryData hub, ProtobufCBinaryData id);

/* What a claim says of it is true of that gateway now. */
void claim_move(struct router *router, struct slice hub, struct slice id,
		struct router_gateway *to);

/* Its holder has nothing of it, and will not say so. */
void claim_end(struct router *router, struct slice hub, struct slice id);

/* It was held and has ended: nobody may claim it now. */
bool claim_is_gone(const struct router *router, ProtobufCBinaryData hub,
		   ProtobufCBinaryData id);

/* Those that have ended and whose tokens are too old now. New claims do it, too. */
void claims_forget(struct router *router);

/* One that cannot be had is refused by an Abort. */
void claim_on_claim(struct router *router, struct router_gateway *gateway,
		    const Link__Claim *message);

/* One of claims->by_id: is it another router's now? Then it is forgotten. */
bool claim_drop_moved(struct router *router, struct map_node *node);

void claims_on_gateway_lost(struct router *router, struct router_gateway *gateway);

#endif
