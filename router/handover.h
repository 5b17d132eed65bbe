/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection goes over from a gateway that leaves to another one (docs/LINK.md, Handing
 * over). The router that owns the connection chooses the successor and says which of the
 * two holds it at any time; every router moves the memberships that it owns.
 */
#ifndef ROUTER_HANDOVER_H
#define ROUTER_HANDOVER_H

#include "proto/link/link.h"

struct conn;
struct router;
struct router_gateway;

/* From the gateway that leaves, to be passed to one that this router chooses. */
void handover_on_handover(struct router *router, struct router_gateway *from,
			  const Link__Handover *handover);

/* From the successor: with the first the connection is its own. */
void handover_on_taken(struct router *router, struct router_gateway *to,
		       const Link__HandoverTaken *taken);

/* From the gateway that leaves: what it still has, or that it gives up. */
void handover_on_rest(struct router *router, struct router_gateway *from,
		      const Link__HandoverRest *rest);

/* ... and whose the memberships are from now on. */
void handover_on_move(struct router *router, struct router_gateway *from,
		      const Link__HandoverMove *move);

/* The connection has ended, or its struct is freed. */
void handover_forget(struct conn *conn);

void handovers_init(struct router_gateway *gateway);
void handovers_fini(struct router_gateway *gateway);

/* It may have ended in order: what it was asked to take, and has not yet, is for another
 * one at the end of the turn, if there is one. Its answer, if it lives, is a late one. */
void handovers_on_gateway_down(struct router *router, struct router_gateway *gateway);

/* Before the gateway's connections end. */
void handovers_on_gateway_lost(struct router_gateway *gateway);

#endif
