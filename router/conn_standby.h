/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the two routers that know a connection while its owner changes, one runs its hub's
 * code; at the other it is on standby. The gateway says which: docs/LINK.md, "Shards that
 * change".
 */
#ifndef ROUTER_CONN_STANDBY_H
#define ROUTER_CONN_STANDBY_H

#include <stdbool.h>

#include "proto/link/link.h"

struct conn;
struct router;
struct router_gateway;

void conn_set_standby(struct conn *conn, bool is_standby);

/* Connected of one that is there: this router is to run its hub from now on, or another
 * one is. False: it is not there, or is another's. */
bool conn_on_told_again(const struct router *router, const struct router_gateway *gateway,
			const Link__Connected *connected);

void conn_on_release(struct router *router, struct router_gateway *gateway,
		     const Link__Release *release);

/* A call of it is over, or its sends are confirmed: is it released? */
void conn_look_released(struct conn *conn);

/* The gateway's link goes on: what was not released meanwhile may be. */
void conns_on_gateway_up(struct router_gateway *gateway);

/* From the router that ran its hub: we are to, or to end it when its gateway is lost. */
void conn_on_released(struct router *router, const Link__Released *released);

/* Another router owns it now. On standby it leaves without a word, and what still runs
 * with it; what we had inherited goes to that router. Else its gateway did not release it
 * in time and tells the new owner of it as of a new one: here it ends like others. */
void conn_drop(struct conn *conn);

#endif
