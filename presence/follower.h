/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router that watches: it hears of each change over its link. How far it has handled
 * them is remembered in the store, so that its next life goes on from there.
 */
#ifndef PRESENCE_FOLLOWER_H
#define PRESENCE_FOLLOWER_H

#include "proto/link/link.h"

struct follower;
struct process;

/* The router said so, perhaps not for the first time. */
void follower_on_watch(struct process *router, const Link__Watch *watch);

/* It is lost. */
void follower_end(struct process *router);

/* Another presence is its home. */
void follower_leave(struct process *router);

#endif
