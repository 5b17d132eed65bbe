/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTTP request does to a connection that is held here, wherever the request came
 * in: the status table of docs/WIRE.md. It opens no connection.
 */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include "gateway/gateway.h"
#include "gateway/reply.h"

/* The answer to an id that is not ours, another user's, or nowhere. */
#define REQUEST_ID_UNKNOWN "No Connection with that ID"

/* The connection's id is known here: it is open, or still has something to say. */
bool request_is_here(const struct gateway *gateway, const struct hub *hub,
		     struct slice id);

/* It is here, but has not arrived: its next socket is to wait. */
bool request_is_early(const struct gateway *gateway, struct slice id);

/* The id has been opened here by a token that is fresh until that second: it opens no
 * other connection. */
void request_spend_id(struct gateway *gateway, struct slice id, int64_t fresh_until_s);

/* Another gateway has answered for it. When that one is lost together with the router
 * that knew, nobody else remembers that its token has opened a connection. */
void request_saw_elsewhere(struct gateway *gateway, struct slice id,
			   int64_t fresh_until_s);
bool request_was_elsewhere(const struct gateway *gateway, struct slice id);

/*
 * Handles a POLL, POST, DELETE, EVENTS or WEB_SOCKET for it; `body` is copied when it has
 * to wait. The reply is answered now or later. 404 when the id is not here. An EVENTS or
 * WEB_SOCKET can only be refused: who is here has a transport.
 */
void request_handle(struct gateway *gateway, struct hub *hub, struct slice id,
		    Link__RequestKind kind, struct slice body, struct reply *reply);

#endif
