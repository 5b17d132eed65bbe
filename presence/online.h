/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gateways say about connections, taken to the store; what came of it is counted.
 */
#ifndef PRESENCE_ONLINE_H
#define PRESENCE_ONLINE_H

#include "proto/link/link.h"

struct presence;
struct process;

void online_on_opened(struct presence *presence, const struct process *gateway,
		      const Link__Opened *opened);
void online_on_closed(struct presence *presence, const struct process *gateway,
		      const Link__Closed *closed);
void online_on_gateway_lost(struct presence *presence, const struct process *gateway);

/* Brings the gauges up to date as soon as the store answers. */
void online_count(struct presence *presence);

#endif
