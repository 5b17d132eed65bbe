/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hubs that are built in: one file each, named in hub_runtime.c.
 */
#ifndef ROUTER_HUBS_HUBS_H
#define ROUTER_HUBS_HUBS_H

#include "router/hub.h"

extern const struct hub_module relay_hub;
extern const struct hub_module chat_hub;
extern const struct hub_module livedata_hub;
extern const struct hub_module collaboration_hub;
extern const struct hub_module notifications_hub;

#endif
