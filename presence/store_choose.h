/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which store the options mean: one in memory, or in the Redis that they name.
 */
#ifndef PRESENCE_STORE_CHOOSE_H
#define PRESENCE_STORE_CHOOSE_H

#include <stdbool.h>

struct presence;
struct store;

/* Ends the program when a password cannot be read. The counters go to its metrics. */
struct store *store_choose(struct presence *presence);

/* Reads the passwords again; what will not do stays as it was: false. */
bool store_choose_reload(struct presence *presence);

#endif
