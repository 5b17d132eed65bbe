/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last line of a router that dies of what a hub did: which hub and which method ran.
 */
#ifndef ROUTER_HUB_CRASH_H
#define ROUTER_HUB_CRASH_H

struct hub_runtime;

/* From now on, until it is closed; there is one runtime in a process. */
void hub_crash_open(const struct hub_runtime *runtime);
void hub_crash_close(void);

#endif
