/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway counts. A field's name is its metric's without the prefix "gateway_";
 * metrics.c has the table. Counting is `gateway->metrics.invoke_total++`.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdint.h>

#include "gateway/conn.h"
#include "proto/base/http_server.h"
#include "proto/base/metrics.h"
#include "proto/link/link_stats.h"

struct gateway_metrics {
	struct http_stats http; /* of the client listener */
	struct link_stats link;

	/* edge */
	uint64_t negotiate_total;
	uint64_t negotiate_refused_total;   /* answered with an error text */
	uint64_t auth_failed_total;	    /* a token was there and bad: 401 */
	uint64_t id_unknown_total;	    /* connection token bad: 404 */
	uint64_t id_expired_total;	    /* connection token too old: 404 */
	uint64_t id_taken_total;	    /* connection token in use here: 409 */
	uint64_t upgrade_refused_total;	    /* a WebSocket request that broke the rules */
	uint64_t connections_refused_total; /* connections_max: 503 */
	uint64_t dev_token_total;

	/* WebSocket */
	int64_t ws_sockets;
	uint64_t ws_malformed_total;	 /* closed with 1002, 1007 or 1008 */
	uint64_t ws_write_blocked_total; /* the kernel's buffer was full */
	uint64_t ws_send_timeout_total;	 /* ... for send_timeout: closed as slow */
	uint64_t ws_close_timeout_total; /* no Close came back in close_timeout */
	uint64_t in_bytes_total;
	uint64_t out_bytes_total;

	/* connections */
	int64_t connections;	     /* open */
	int64_t connections_waiting; /* closed, Disconnected not confirmed yet */
	uint64_t connections_total;  /* handshakes done */
	uint64_t handshake_failed_total;
	uint64_t handshake_timeout_total;
	uint64_t close_total[CONN_CLOSE_COUNT]; /* by reason */
	uint64_t messages_in_total;
	uint64_t messages_out_total; /* wrapped blobs given to transports */
	uint64_t pings_in_total;
	uint64_t pings_out_total;

	/* invocations */
	int64_t invocations; /* in flight */
	uint64_t invoke_total;
	uint64_t invoke_refused_total; /* link window full */
	uint64_t invoke_lost_total;    /* the router was lost: outcome unknown */
	uint64_t invoke_paused_total;  /* invocations_max: stopped reading the client */
	uint64_t invocation_id_refused_total; /* invocation_id_bytes_max */
	uint64_t complete_total;
	uint64_t complete_unknown_total; /* for a call that is not in flight any more */
	struct histogram invoke_seconds; /* Invoke to Complete */

	/* groups and delivery */
	int64_t memberships;
	uint64_t join_total;
	uint64_t leave_total;
	uint64_t join_unknown_total;	   /* no such connection */
	uint64_t groups_refused_total;	   /* groups_per_connection_max */
	uint64_t group_name_refused_total; /* group_name_bytes_max */
	uint64_t deliver_total;
	uint64_t deliveries_total;
	uint64_t deliver_empty_total; /* nobody here */
	uint64_t abort_total;
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	/* routers and presence */
	uint64_t replay_total;
	uint64_t replay_refused_total; /* a message was too long */
	uint64_t lease_refused_total;  /* presence link full */
};

extern const struct metrics_table gateway_metrics_table;

#endif
