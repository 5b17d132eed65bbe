/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebSocket transport: frames in and out of one socket (ws_frame.h has the rules).
 * All transports of a worker share a host, which lends them the read buffer, the limits
 * and the counters, and can end those that are still closing when their connection is
 * long gone.
 */
#ifndef GATEWAY_TRANSPORT_WS_H
#define GATEWAY_TRANSPORT_WS_H

#include <stdint.h>

#include "gateway/conn_close.h"
#include "gateway/outlet.h"
#include "gateway/transport.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/sock.h"

struct ws_host;

struct ws_host *ws_host_new(const struct outlet_host *outlets);

/* Ends what is still closing; no transport may have a connection any more. */
void ws_host_free(struct ws_host *host);

/*
 * Takes the socket and what was read behind the request, answers 101 and is ready for a
 * connection: set transport->conn, then start.
 */
struct transport *transport_ws_new(struct ws_host *host, struct sock *sock,
				   struct buf *rest, struct slice key);

/*
 * Whom it carries when that is no connection of this gateway: what a connection would be
 * called for. `on_end` closes or aborts the transport, as conn_on_end() does; `far` is
 * borrowed until then.
 */
struct ws_far;

struct ws_far_ops {
	void (*on_bytes)(struct ws_far *far, struct slice bytes);
	void (*on_drained)(struct ws_far *far);
	void (*on_end)(struct ws_far *far, enum conn_close_reason reason);
};

struct ws_far {
	const struct ws_far_ops *ops;
};

void transport_ws_set_far(struct transport *transport, struct ws_far *far);

/* Reads from the next turn on. */
void transport_ws_start(struct transport *transport);

extern const struct transport_ops transport_ws_ops;

#endif
