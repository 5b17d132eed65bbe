/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients whose messages wait because too much waits for their router already. Nothing is
 * read from them meanwhile, so the wait reaches their sockets. When there has been no
 * room for invoke_timeout they are read again, and what they call fails until there is.
 */
#ifndef GATEWAY_BACKLOG_H
#define GATEWAY_BACKLOG_H

#include <stdbool.h>

struct conn;
struct gateway_router;

void backlog_init(struct gateway_router *router);
void backlog_fini(struct gateway_router *router); /* its clients are gone */

/* Whether the client's next message has to wait. Then the reading is paused. */
bool backlog_takes(struct conn *conn);

/* It is not to be read again. */
void backlog_leave(struct conn *conn);

/* There is room. */
void backlog_on_room(struct gateway_router *router);

#endif
