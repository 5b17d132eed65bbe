/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What belongs to other routers once a map is STABLE is forgotten, in pieces, so that a
 * table of millions does not stand in the way of a turn.
 */
#ifndef ROUTER_RESHARD_DROP_H
#define ROUTER_RESHARD_DROP_H

#include <stdint.h>

struct router;

/* The next piece. Returns the time until the one behind it. */
int64_t reshard_drop_piece(struct router *router);

#endif
