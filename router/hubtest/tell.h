/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the router says to the gateway, as lines of what players see and do by it. Joins
 * are answered on the spot.
 */
#ifndef ROUTER_HUBTEST_TELL_H
#define ROUTER_HUBTEST_TELL_H

#include "router/hubtest/world.h"

void tell_envelope(struct world *world, const Link__Envelope *envelope);

/* What hubs have counted since the last time: "counted poll.votes 1". */
void tell_counted(struct world *world);

/* What a hub has logged: "logged warn poll.full ...". False: it is not a hub's. */
bool tell_logged(struct world *world, enum log_level level, const char *id,
		 const char *pairs);

#endif
