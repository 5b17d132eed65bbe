/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of a gateway that leaves: a connection with stateful reconnect goes over to
 * another one with all it has, calls under way included (docs/LINK.md, Handing over). Its
 * client is not read meanwhile; then its socket is closed without a word of the hub's, by
 * which it comes back, and is led to the successor.
 */
#ifndef GATEWAY_HANDOVER_H
#define GATEWAY_HANDOVER_H

#include "gateway/gateway.h"

/* Could it go over, and is there room for one more? */
bool handover_may_start(const struct conn *conn);

/* One that nobody takes is given back by drain_evict(). ERR_LIMIT, ERR_UNSUPPORTED: its
 * router cannot be asked, and nothing has changed. */
MUST_CHECK enum err handover_start(struct conn *conn);

void handover_on_taken(struct gateway *gateway, const Link__HandoverTaken *message);

/* False: no connection that leaves is meant. */
bool handover_on_moved(struct gateway *gateway, const struct gateway_router *router,
		       const Link__HandoverMoved *moved);

/* A join or leave of the connection is answered: what waited for that goes on. */
void handover_on_joined(struct gateway *gateway, struct slice connection);

/* The connection ends while it leaves. */
void handover_on_end(struct conn *conn);

/* A router is lost, and what it knew of those that leave. */
void handovers_on_lost(const struct gateway_router *router);

/* ... and does not come back. */
void handovers_on_left(const struct gateway_router *router);

/* Routers come that were not asked to move anything: what they would have to be asked
 * ends. */
void handovers_on_map(struct gateway *gateway);

/* Another gateway tells routers of it, or will: it has not arrived, or all routers have
 * moved it. What both told would be taken for a clash. */
bool handover_is_anothers(const struct conn *conn);

#endif
