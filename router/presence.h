/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this router and presence say to each other: that it lives, to all replicas.
 */
#ifndef ROUTER_PRESENCE_H
#define ROUTER_PRESENCE_H

#include "router/router.h"

/* router->presence, not yet opened. */
void presence_init(struct router *router);

#endif
