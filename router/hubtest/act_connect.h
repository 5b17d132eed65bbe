/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "connect NAME user=ann name="Ann Lee" role=ops claims={"dept":"x"} ...": a player
 * comes.
 */
#ifndef ROUTER_HUBTEST_ACT_CONNECT_H
#define ROUTER_HUBTEST_ACT_CONNECT_H

#include "router/hubtest/world.h"

/* ERR_MALFORMED: `why` has the reason. */
MUST_CHECK enum err act_connect(struct world *world, const struct slice *words, size_t n,
				struct buf *why);

#endif
