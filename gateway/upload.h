/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that a client sends to the methods it has invoked, and its answers to calls of
 * ours. Items go straight to the connection's shard; here it is only known which streams
 * there are and how many items their methods have not taken yet: at stream_capacity the
 * client is not read any more.
 */
#ifndef GATEWAY_UPLOAD_H
#define GATEWAY_UPLOAD_H

#include "gateway/gateway.h"
#include "proto/wire/hub_message.h"

/* Of a call at `router`. ERR_LIMIT: the connection would have more than streams_max.
 * ERR_EXISTS: one of the ids is in use. Then none is open. */
MUST_CHECK enum err uploads_open(struct conn *conn, uint64_t call,
				 struct gateway_router *router,
				 const struct hub_message *message);

/* The invocation is over, and what it reads with it. */
void uploads_close(struct conn *conn, uint64_t call);

/* For the gateway that takes the connection over; as invoke_tell(). */
void uploads_tell(const struct conn *conn, struct arena *arena,
		  Link__HandoverUpload ***uploads, size_t *n);

/* One of the streams of a connection that is taken over; how much of it waits is not
 * known yet. */
void upload_arrive(struct conn *conn, struct gateway_router *router,
		   const Link__HandoverUpload *from);

/* ... but now; those that are not in `rest` are over. May pause the connection. */
void uploads_arrived(struct conn *conn, const Link__HandoverRest *rest);

/* The connection is gone. */
void uploads_forget(struct conn *conn);

void upload_on_item(struct conn *conn, const struct hub_message *message);

/* Does a call under way read a stream of that id? */
bool upload_is_open(const struct conn *conn, struct slice id);

/* The end of a stream, or the answer to a call of ours. */
void upload_on_completion(struct conn *conn, const struct hub_message *message);

/* A method has taken items. */
void upload_on_credit(struct gateway *gateway, const Link__Credit *credit);

#endif
