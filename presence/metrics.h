/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence counts. A field's name is its metric's without the prefix "presence_";
 * metrics.c has the table.
 */
#ifndef PRESENCE_METRICS_H
#define PRESENCE_METRICS_H

#include <stdint.h>

#include "proto/base/metrics.h"
#include "proto/link/link_stats.h"

struct presence_metrics {
	struct link_stats link;

	/* who is here */
	int64_t users;
	int64_t connections;
	uint64_t opened_total;
	uint64_t opened_refused_total; /* sessions_max, or text too long */
	uint64_t closed_total;
	uint64_t closed_unknown_total;
	uint64_t dropped_total; /* connections that went with their gateway */
	uint64_t online_total;
	uint64_t offline_total;
	uint64_t store_failed_total;

	/* processes */
	int64_t gateways;
	int64_t routers;
	int64_t settled;
	uint64_t lease_total;
	uint64_t lease_expired_total;
	uint64_t process_lost_total;
	uint64_t replayed_total;
	uint64_t topology_total;
	uint64_t topology_refused_total; /* the peer's window was full */
	uint64_t stalled_total;
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	/* admin API */
	uint64_t admin_total;
	uint64_t admin_denied_total;
};

extern const struct metrics_table presence_metrics_table;

#endif
