/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hubs there are: those that are built in and those of the files that the option
 * hub_module names. Whatever is wrong with a file ends the program, which is starting.
 */
#ifndef ROUTER_HUB_MODULE_H
#define ROUTER_HUB_MODULE_H

#include "router/hub.h"

struct hub_modules;

/* `paths`: "a.so,b.so", or empty. */
struct hub_modules *hub_modules_new(const char *paths);

/* Nothing of the files may be in use any more. NULL is legal. */
void hub_modules_free(struct hub_modules *modules);

/* NULL: there is none of that name, matched without regard to case. */
const struct hub_module *hub_modules_find(const struct hub_modules *modules,
					  struct slice name);

/* The i-th of the files'; NULL: there are no more. */
const struct hub_module *hub_modules_loaded_at(const struct hub_modules *modules,
					       size_t i);

/* One of ours, without a file; NULL: there is none of that name. */
const struct hub_module *hub_module_builtin(struct slice name);

/* The i-th of ours; NULL: there are no more. */
const struct hub_module *hub_module_builtin_at(size_t i);

/* Its version is right. False: `why` says what is wrong, behind "it has ...". */
bool hub_module_is_sound(const struct hub_module *module, struct buf *why);

#endif
