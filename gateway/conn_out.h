/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection sends, to whatever transport it has.
 */
#ifndef GATEWAY_CONN_OUT_H
#define GATEWAY_CONN_OUT_H

#include "gateway/conn.h"

/* One whole frame of a counted type (invocation, item, completion) in the connection's
 * protocol; copied. */
void conn_send(struct conn *conn, struct slice frame);

/* The same from conn->ops->wrap(), shared by all its receivers. Closes the connection as
 * slow when its queue is over the limit. */
void conn_send_wrapped(struct conn *conn, struct blob *wrapped);

/* Of a type that is not counted: lost when there is no transport. */
void conn_send_control(struct conn *conn, struct slice frame);

/* As conn_send(), of a stream: its shard is told when the client does not keep up. */
void conn_send_paced(struct conn *conn, struct slice frame);

/* From the transport: all that was queued has left. Never calls it back. */
void conn_on_drained(struct conn *conn);

/* The memory that what is not sent, or not acknowledged, takes for this client. */
size_t conn_held_bytes(const struct conn *conn);

#endif
