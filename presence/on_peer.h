/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over the links, one switch a role: gateways, routers.
 */
#ifndef PRESENCE_ON_PEER_H
#define PRESENCE_ON_PEER_H

#include "proto/link/link.h"

extern const struct link_ops presence_link_ops;

#endif
