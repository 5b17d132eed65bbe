/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often hubs were told that a connection begins and ends (docs/HUBS.md), as the hub
 * sees it: `node` is the router that its code runs in.
 */
#ifndef TESTS_SIM_COMINGS_H
#define TESTS_SIM_COMINGS_H

#include "proto/base/slice.h"
#include "tests/sim/node.h"

/* on_connected, on_disconnected, and any method. */
void comings_connected(struct slice id, const struct sim_node *node);
void comings_disconnected(struct slice id, const struct sim_node *node);
void comings_ran(struct slice id, const struct sim_node *node);

/* All clients have left, and routers know of none: fails when a rule is broken. */
void comings_check(void);

#endif
