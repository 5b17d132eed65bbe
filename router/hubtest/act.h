/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of a scenario: who comes and goes, what players do, how time passes.
 */
#ifndef ROUTER_HUBTEST_ACT_H
#define ROUTER_HUBTEST_ACT_H

#include "router/hubtest/world.h"

/* Does it; what follows from it has not run yet, unless time passed. ERR_MALFORMED: it is
 * no command, or cannot be done now, and `why` has the reason; ERR_LIMIT: the hub does
 * not come to rest. */
MUST_CHECK enum err act_run(struct world *world, struct slice line, struct buf *why);

#endif
