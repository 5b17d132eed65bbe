/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Redis clients count, and the rows that put it into a program's metrics table. The
 * program has `struct redis_stats redis` in its metrics struct and REDIS_METRICS(struct
 * presence_metrics, redis, "presence_") in its table.
 */
#ifndef PROTO_BASE_REDIS_STATS_H
#define PROTO_BASE_REDIS_STATS_H

#include <stdint.h>

struct redis_stats {
	uint64_t commands_total; /* answered */
	uint64_t errors_total;	 /* of them, with an error of Redis's */
	uint64_t lost_total;	 /* sent, never answered: ERR_OUTCOME, ERR_TIMEOUT */
	uint64_t dropped_total;	 /* not carried out: ERR_CLOSED */
	uint64_t refused_total;	 /* ERR_LIMIT */
	uint64_t timeouts_total; /* connections left because nothing was answered */
	uint64_t ups_total;	 /* logins that succeeded */
	uint64_t downs_total;	 /* connections lost after it */
	uint64_t failures_total; /* attempts to connect and log in that failed */
	uint64_t reloads_total;	 /* scripts loaded again because the server had none */
	uint64_t bytes_out_total;
	uint64_t bytes_in_total;
	int64_t waiting;	      /* not sent yet */
	int64_t in_flight;	      /* sent, not answered */
	int64_t away;		      /* clients that are not up */
	int64_t password_fingerprint; /* keyed; brought up to date by the program */
};

#define REDIS_METRICS(type, field, prefix)                                               \
	{ prefix "redis_commands_total", METRIC_COUNTER,                                 \
	  offsetof(type, field.commands_total), NULL, "Commands that Redis answered." }, \
		{ prefix "redis_errors_total", METRIC_COUNTER,                           \
		  offsetof(type, field.errors_total), NULL,                              \
		  "Commands that Redis answered with an error." },                       \
		{ prefix "redis_lost_total", METRIC_COUNTER,                             \
		  offsetof(type, field.lost_total), NULL,                                \
		  "Commands sent of which nobody knows what became." },                  \
		{ prefix "redis_dropped_total", METRIC_COUNTER,                          \
		  offsetof(type, field.dropped_total), NULL,                             \
		  "Commands that were not carried out." },                               \
		{ prefix "redis_refused_total", METRIC_COUNTER,                          \
		  offsetof(type, field.refused_total), NULL,                             \
		  "Commands refused because too much waits." },                          \
		{ prefix "redis_timeouts_total", METRIC_COUNTER,                         \
		  offsetof(type, field.timeouts_total), NULL,                            \
		  "Connections to Redis left because nothing was answered." },           \
		{ prefix "redis_ups_total", METRIC_COUNTER,                              \
		  offsetof(type, field.ups_total), NULL, "Logins to Redis." },           \
		{ prefix "redis_downs_total", METRIC_COUNTER,                            \
		  offsetof(type, field.downs_total), NULL,                               \
		  "Connections to Redis lost after the login." },                        \
		{ prefix "redis_failures_total", METRIC_COUNTER,                         \
		  offsetof(type, field.failures_total), NULL,                            \
		  "Attempts to connect to Redis and log in that failed." },              \
		{ prefix "redis_reloads_total", METRIC_COUNTER,                          \
		  offsetof(type, field.reloads_total), NULL,                             \
		  "Times that Redis had forgotten the scripts." },                       \
		{ prefix "redis_out_bytes_total", METRIC_COUNTER,                        \
		  offsetof(type, field.bytes_out_total), NULL, "Bytes sent to Redis." }, \
		{ prefix "redis_in_bytes_total", METRIC_COUNTER,                         \
		  offsetof(type, field.bytes_in_total), NULL,                            \
		  "Bytes received from Redis." },                                        \
		{ prefix "redis_waiting", METRIC_GAUGE, offsetof(type, field.waiting),   \
		  NULL, "Commands not sent yet." },                                      \
		{ prefix "redis_in_flight", METRIC_GAUGE,                                \
		  offsetof(type, field.in_flight), NULL,                                 \
		  "Commands sent and not answered yet." },                               \
		{ prefix "redis_password_fingerprint", METRIC_GAUGE,                     \
		  offsetof(type, field.password_fingerprint), NULL,                      \
		  "Tells redis_password_file apart from what it was before; 0: none." }, \
	{                                                                                \
		prefix "redis_away", METRIC_GAUGE, offsetof(type, field.away), NULL,     \
			"Clients that have no Redis now."                                \
	}

#endif
