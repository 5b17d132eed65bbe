/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there room for one client more? All transports ask here, at negotiation and again
 * when a connection is to open.
 */
#ifndef GATEWAY_ROOM_H
#define GATEWAY_ROOM_H

#include <stdbool.h>

struct gateway;

/* False: no connection may be opened now. */
bool room_is_there(const struct gateway *gateway);

/* One was refused for it, with 503. */
void room_count_refused(struct gateway *gateway);

#endif
