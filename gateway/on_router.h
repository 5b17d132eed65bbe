/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over the links: routers' messages, one switch, and what the coming and going
 * of a peer means.
 */
#ifndef GATEWAY_ON_ROUTER_H
#define GATEWAY_ON_ROUTER_H

#include "proto/link/link.h"

extern const struct link_ops gateway_link_ops;

#endif
