/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over the links, one switch a role: gateways, other routers, presence.
 */
#ifndef ROUTER_ON_PEER_H
#define ROUTER_ON_PEER_H

#include "proto/link/link.h"

extern const struct link_ops router_link_ops;

#endif
