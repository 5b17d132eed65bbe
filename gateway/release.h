/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection goes from the router that ran its hub's code to the one that does from
 * now on: no call of it begins until the first has let go of it, and says what its hub
 * keeps. Streams that began there end there.
 */
#ifndef GATEWAY_RELEASE_H
#define GATEWAY_RELEASE_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/link/link.h"

struct conn;
struct gateway;
struct gateway_router;

/* Has it moved in this epoch, or was it opened after the owners changed? */
bool release_is_over(const struct conn *conn);

/* A connection opens: it has nothing to leave. */
void release_skip(struct conn *conn);

/* Asks its router to let go of it, if it is to move and has not. ERR_LIMIT: the link is
 * full. */
MUST_CHECK enum err release_begin(struct conn *conn);

void release_on_released(struct gateway *gateway, const struct gateway_router *router,
			 const Link__Released *released);

/* The router has lost all it knew: if it was asked, it has to be asked again; or it has
 * been given up, and the connection moves without its answer. */
void release_on_lost(struct conn *conn, const struct gateway_router *router);

/* The epoch is over for it, in whatever way. */
void release_stop(struct conn *conn);

/* It has been waited for long enough: what it still does there has an unknown outcome. */
void release_force(struct conn *conn);

#endif
