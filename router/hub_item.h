/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): items, what a hub remembers of a connection. The
 * router that runs the connection's calls keeps them until its last call is over. When
 * that router dies they are gone, while the connection may live on: what cannot be made
 * again belongs into hub_state.h.
 */
#ifndef ROUTER_HUB_ITEM_H
#define ROUTER_HUB_ITEM_H

#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* A copy of it; NULL: there is none. */
const struct value *hub_item(struct hub_call *call, const char *name);

/*
 * Keeps a copy; `value` NULL forgets it. HUB_ELIMIT: all of the connection's items would
 * be over connection_items_bytes_max, or the value is deeper than a client could send.
 * HUB_ENOTFOUND: no connection calls.
 */
enum hub_rc hub_item_set(struct hub_call *call, const char *name,
			 const struct value *value);

#endif
