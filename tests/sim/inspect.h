/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks into the programs' tables: each file is linked with one program, whose names the
 * others do not see. `state` is sim_node_owner().
 */
#ifndef TESTS_SIM_INSPECT_H
#define TESTS_SIM_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

/* What is left of clients that have all gone, as a text; NULL: nothing. */
const char *inspect_gateway_left(void *state);
const char *inspect_router_left(void *state);
const char *inspect_presence_left(void *state);

/* What is over its limit; NULL: nothing. */
const char *inspect_gateway_over(void *state);
const char *inspect_router_over(void *state);

/* Is it ready: up with all peers, and rebuilt? */
bool inspect_gateway_ready(void *state);
bool inspect_router_ready(void *state);

/* Begins to hear of users who come and go; again after each start. */
void inspect_presence_watch(void *state);

/* How many connections the user has in its store. */
size_t inspect_presence_connections(void *state, const char *user);

#endif
