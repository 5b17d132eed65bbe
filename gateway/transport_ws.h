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

#include "gateway/metrics.h"
#include "gateway/transport.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"

struct ws_host;

struct ws_host_options {
	int64_t send_timeout_ms;
	int64_t close_timeout_ms;
	struct gateway_metrics *metrics; /* borrowed */
};

struct ws_host *ws_host_new(struct loop *loop, const struct ws_host_options *options);

/* Ends what is still closing; no transport may have a connection any more. */
void ws_host_free(struct ws_host *host);

/*
 * Takes `fd` and what was read behind the request, answers 101 and is ready for a
 * connection: set transport->conn, then start.
 */
struct transport *transport_ws_new(struct ws_host *host, int fd, struct buf *rest,
				   struct slice key);

/* Reads from the next turn on. */
void transport_ws_start(struct transport *transport);

extern const struct transport_ops transport_ws_ops;

#endif
