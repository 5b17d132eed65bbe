/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub of typed.hub: it gives back what it is given.
 */
#ifndef TESTS_UNIT_ROUTER_TYPED_HUB_H
#define TESTS_UNIT_ROUTER_TYPED_HUB_H

#include "router/hub.h"

extern const struct hub_module typed_hub;

#endif
