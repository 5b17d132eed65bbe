/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply over the HTTP connection that the request came on.
 */
#ifndef GATEWAY_REPLY_HTTP_H
#define GATEWAY_REPLY_HTTP_H

#include "gateway/reply.h"
#include "proto/base/http_server.h"
#include "proto/base/sock.h"

/* Owes the answer to the request that `conn` is handling. `headers` are whole lines that
 * it will carry; copied. `is_events`: it asks for an event stream, and an answer of 500
 * or above is 404 to it. */
struct reply *reply_http_new(struct http_conn *conn, struct slice headers,
			     bool is_events);

/* Instead of an answer: as http_take_over(). Frees the reply. */
void reply_http_take_over(struct reply *reply, struct sock *sock, struct buf *rest);

/* The same with an answer that goes on until the socket's end: `head` is to be sent
 * first. `headers` are whole lines beside those that the reply has. */
void reply_http_stream(struct reply *reply, const char *content_type,
		       struct slice headers, struct buf *head, struct sock *sock);

/* For http_options: tells who keeps the reply that nobody waits any more. */
void reply_http_on_gone(struct http_conn *conn);

#endif
