/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API, read only, on the operator's listener beside /healthz and /metrics:
 *
 *	GET /api/v1/stats
 *	GET /api/v1/users?limit=&cursor=
 *	GET /api/v1/users/{userId}
 *	GET /api/v1/connections/{connectionId}
 *	GET /api/v1/processes
 *
 * It asks for the bearer token when one is configured; without one it listens on loopback
 * only. Errors are application/problem+json.
 */
#ifndef PRESENCE_ADMIN_H
#define PRESENCE_ADMIN_H

#include <stdbool.h>

struct admin;
struct presence;

/* Ends the program when the options do not go together or it cannot listen. */
struct admin *admin_open(struct presence *presence);

/* What is still asked of the store is answered to nobody. NULL is legal. */
void admin_close(struct admin *admin);

/* As it really listens, for the ready line. */
const char *admin_address(const struct admin *admin);

/* "127.0.0.1:8090", "localhost:0", "[::1]:8090"; anything else is taken for beyond. */
bool admin_is_loopback(const char *address);

#endif
