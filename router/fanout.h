/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Send on its way to gateways: a Deliver for each, and when somebody waits for it, a
 * Sent back once every gateway has handled its own. A gateway that meanwhile came back as
 * another process took its receivers along and counts as served; of one that is merely
 * not heard of nobody knows, and the Sent says so.
 */
#ifndef ROUTER_FANOUT_H
#define ROUTER_FANOUT_H

#include "proto/link/link.h"

struct fanout;
struct router;
struct router_gateway;

/* `send` is borrowed until fanout_close(). */
struct fanout *fanout_new(struct router *router, struct link_peer *origin,
			  const Link__Send *send);

/* Whoever else gets it, it may have had receivers that are not known. */
void fanout_doubt(struct fanout *fanout);

/* There is nobody to deliver to, and there should be. */
void fanout_nobody(struct fanout *fanout);

void fanout_deliver(struct fanout *fanout, struct router_gateway *gateway);

/* No more gateways; the fanout frees itself when its last one is done, perhaps now. */
void fanout_close(struct fanout *fanout);

/* Tells whoever made the Send what became of it; call 0: nobody asked. */
void fanout_answer(struct router *router, struct link_peer *origin, uint64_t call,
		   enum err rc);

#endif
