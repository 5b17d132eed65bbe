/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of a gateway that takes a connection over (docs/LINK.md, Handing over). It is
 * open from the first on, and has no transport: what comes for it is kept as for any
 * client that is to come back. When the rest of it has come, that is put in front, and
 * its client may attach.
 */
#ifndef GATEWAY_ARRIVING_H
#define GATEWAY_ARRIVING_H

#include "gateway/gateway.h"

/* Joins that may wait for it to arrive; more are refused. */
#define ARRIVING_JOINS_MAX 256

void arriving_on_handover(struct gateway *gateway, struct gateway_router *router,
			  const Link__Handover *handover);

void arriving_on_moved(struct gateway *gateway, struct gateway_router *router,
		       const Link__HandoverMoved *moved);

void arriving_on_rest(struct gateway *gateway, struct gateway_router *router,
		      const Link__HandoverRest *rest);

/* Its memberships are on their way: the join waits. ERR_LIMIT: too many do. */
MUST_CHECK enum err arriving_hold_join(struct conn *conn, struct gateway_router *router,
				       const Link__Join *join);

/* The connection ends before it has arrived. */
void arriving_on_end(struct conn *conn);

/* A router is lost, and what it knew of those that come. */
void arrivings_on_lost(const struct gateway_router *router);

/* ... and does not come back. */
void arrivings_on_left(const struct gateway_router *router);

#endif
