/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the router counts. A field's name is its metric's without the prefix "router_";
 * metrics.c has the table.
 */
#ifndef ROUTER_METRICS_H
#define ROUTER_METRICS_H

#include <stdint.h>

#include "proto/base/metrics.h"
#include "proto/link/link_stats.h"

struct router_metrics {
	struct link_stats link;

	int64_t connections;
	int64_t gateways;
	uint64_t gateway_resync_total;
	uint64_t connected_total;
	uint64_t resumed_total;
	uint64_t disconnected_total;
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	/* hubs */
	int64_t calls;
	uint64_t invoke_total;
	uint64_t invoke_failed_total;
	uint64_t invoke_unknown_total; /* no such method */
	uint64_t invoke_unbound_total; /* wrong arguments */
	uint64_t invoke_refused_total; /* connection_calls_max, or a connection we do not
					  have */
	uint64_t hub_busy_total;       /* hub_calls_max were under way */
	uint64_t hub_slow_total;
	struct histogram invoke_seconds;
	uint64_t ask_timeout_total;

	/* groups */
	int64_t members;
	int64_t groups;
	uint64_t member_total;
	uint64_t send_total;
	uint64_t send_empty_total; /* no members */
	uint64_t send_failed_total;
	uint64_t deliver_total;
	uint64_t list_members_total;
	uint64_t join_total;

	/* rebuild */
	int64_t rebuilding;
	uint64_t rebuild_held_total;
	uint64_t rebuild_refused_total; /* rebuild_bytes_max */
	uint64_t rebuild_timeout_total; /* went on without a gateway that was expected */

	/* journal */
	int64_t journal_keys;
	int64_t journal_bytes;
	uint64_t journal_append_total;
	uint64_t journal_evicted_total;
	uint64_t lease_refused_total; /* presence link full */
};

extern const struct metrics_table router_metrics_table;

#endif
