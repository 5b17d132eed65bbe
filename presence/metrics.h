/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence counts. A field's name is its metric's without the prefix "presence_";
 * metrics.c has the table.
 */
#ifndef PRESENCE_METRICS_H
#define PRESENCE_METRICS_H

#include <stdint.h>

#include "presence/store_redis_stats.h"
#include "proto/base/http_server.h"
#include "proto/base/metrics.h"
#include "proto/base/redis_stats.h"
#include "proto/base/reload_stats.h"
#include "proto/link/link_stats.h"

struct presence_metrics {
	struct link_stats link;
	struct reload_stats reload;

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
	uint64_t sweep_total;
	int64_t watchers;
	uint64_t events_total;
	uint64_t events_told_total;
	uint64_t events_reset_total;
	uint64_t marks_total;
	uint64_t store_failed_total;
	struct store_redis_stats store;
	struct redis_stats redis;

	/* processes */
	int64_t gateways;
	int64_t routers;
	int64_t settled;
	uint64_t lease_total;
	uint64_t lease_expired_total;
	uint64_t process_lost_total;
	uint64_t report_total;
	uint64_t report_cut_total; /* links and groups left out of one */
	uint64_t registered_total;
	uint64_t fenced_total; /* gateways that were made to begin anew */
	uint64_t replayed_total;
	uint64_t held_overrun_total; /* link_window */
	uint64_t homeless_total;     /* messages that are not for us */
	uint64_t topology_total;
	uint64_t topology_refused_total; /* the peer's window was full */
	uint64_t stalled_total;
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	/* routers that come and go */
	int64_t shards_epoch;
	int64_t shards_phase; /* enum shard_phase */
	int64_t shards_leader;
	uint64_t shards_told_total;
	uint64_t shards_malformed_total;
	uint64_t shards_steps_total;
	uint64_t shards_given_up_total;
	uint64_t shards_overtaken_total;

	/* commands */
	int64_t commands;
	uint64_t command_total;
	uint64_t command_failed_total;
	uint64_t command_timeout_total;
	uint64_t command_refused_total; /* commands_max, or the link is full */
	uint64_t command_late_total;	/* answers that nobody waited for any more */

	/* admin API */
	uint64_t admin_total;
	uint64_t admin_denied_total;
	uint64_t admin_acts_total;
	int64_t admin_tls_not_after_seconds;
	struct http_stats admin_http;
	int64_t admin_token_fingerprint;
	int64_t events_watchers;
	uint64_t events_refused_total; /* events_watchers_max */
	uint64_t events_slow_total;    /* closed: nothing moved */
};

extern const struct metrics_table presence_metrics_table;

#endif
