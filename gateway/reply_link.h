/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that another gateway passes on for a connection that is held here, and replies
 * that go back to it through the router. What waits is bounded by the connections: each
 * has one poll and a few POSTs.
 */
#ifndef GATEWAY_REPLY_LINK_H
#define GATEWAY_REPLY_LINK_H

#include <stdint.h>

#include "gateway/reply.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

struct gateway;
struct gateway_router;

/* Frees those whose answer is not confirmed; none may wait for its answer. */
void replies_fini(struct gateway *gateway);

void reply_link_on_request(struct gateway *gateway, struct gateway_router *router,
			   const Link__Request *request);

/* It passes on no more after this epoch: polls that came through it are answered, so that
 * their clients poll through another one. */
void replies_on_leaving(struct gateway_router *router);

/* Nobody waits for what came through this router. */
void replies_on_lost(struct gateway_router *router);

#endif
