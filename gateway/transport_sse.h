/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Server-Sent Events transport: an answer that does not end, each chunk of hub
 * messages an event in it. What the client sends comes by POST (inbox.h); its socket is
 * read only to notice its end.
 */
#ifndef GATEWAY_TRANSPORT_SSE_H
#define GATEWAY_TRANSPORT_SSE_H

#include <stdint.h>

#include "gateway/inbox.h"
#include "gateway/outlet.h"
#include "gateway/transport.h"
#include "proto/base/sock.h"

/* The answer's content type, and its header lines: nobody on the way may keep, pack or
 * hold back what comes. */
#define SSE_CONTENT_TYPE "text/event-stream"
#define SSE_HEADERS                                                                      \
	"Cache-Control: no-cache,no-store\r\n"                                           \
	"Pragma: no-cache\r\n"                                                           \
	"Content-Encoding: identity\r\n"                                                 \
	"X-Accel-Buffering: no\r\n"

struct sse_host;

/* `post_bytes_max`: of one client's POSTs that wait. */
struct sse_host *sse_host_new(const struct outlet_host *outlets, int64_t post_bytes_max);

/* Ends what is still closing; no transport may have a connection any more. NULL is legal.
 */
void sse_host_free(struct sse_host *host);

/* Takes the socket, and sends `head`, that of the answer, first: set transport->conn,
 * then start. */
struct transport *transport_sse_new(struct sse_host *host, struct sock *sock,
				    struct slice head);

/* Writes at the end of this turn, hears of the client's end from the next on. */
void transport_sse_start(struct transport *transport);

extern const struct transport_ops transport_sse_ops;

#endif
