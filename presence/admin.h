/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API, on the operator's listener beside /healthz, /metrics and the dashboard
 * at "/". admin_route.c has the table of what it answers, presence/openapi.json describes
 * it, docs/API.md explains it. Errors are application/problem+json.
 */
#ifndef PRESENCE_ADMIN_H
#define PRESENCE_ADMIN_H

#include <stdbool.h>

struct admin;
struct presence;

/* Ends the program when the options do not go together or it cannot listen. */
struct admin *admin_open(struct presence *presence);

/* What is still asked is answered to nobody. NULL is legal. */
void admin_close(struct admin *admin);

/* After SIGHUP: the tokens and the certificate are read again; what will not do stays
 * as it was: false. */
bool admin_reload(struct admin *admin);

/* As it really listens, for the ready line. */
const char *admin_address(const struct admin *admin);

/* "127.0.0.1:8090", "localhost:0", "[::1]:8090"; anything else is taken for beyond. */
bool admin_is_loopback(const char *address);

#endif
