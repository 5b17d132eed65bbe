/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store in Redis counts, and the rows that put it into a metrics table: as
 * REDIS_METRICS of redis_stats.h, which has what its connections count.
 */
#ifndef PRESENCE_STORE_REDIS_STATS_H
#define PRESENCE_STORE_REDIS_STATS_H

#include <stdint.h>

struct store_redis_stats {
	uint64_t batches_total;
	uint64_t operations_total; /* carried out */
	uint64_t refused_total;	   /* batches that Redis refused; tried again */
	uint64_t recovered_total;  /* batches whose answer was found after a break */
	uint64_t lost_total;	   /* times that all had to be told anew */
	uint64_t overflows_total;  /* of them, because too much waited */
	uint64_t events_total;
	uint64_t events_dropped_total; /* settled events that told nothing new */
	uint64_t resets_total;
	int64_t waiting; /* changes */
	int64_t waiting_bytes;
	int64_t waiting_since_seconds; /* Unix time, of the oldest; 0: nothing waits */
	int64_t mirrored; /* users that this replica remembers to be online */
};

#define STORE_REDIS_METRICS(type, field, prefix)                                         \
	{ prefix "store_batches_total", METRIC_COUNTER,                                  \
	  offsetof(type, field.batches_total), NULL,                                     \
	  "Batches of operations that Redis carried out." },                             \
		{ prefix "store_operations_total", METRIC_COUNTER,                       \
		  offsetof(type, field.operations_total), NULL,                          \
		  "Operations of the store that Redis carried out." },                   \
		{ prefix "store_refused_total", METRIC_COUNTER,                          \
		  offsetof(type, field.refused_total), NULL,                             \
		  "Batches that Redis refused and that were tried again." },             \
		{ prefix "store_recovered_total", METRIC_COUNTER,                        \
		  offsetof(type, field.recovered_total), NULL,                           \
		  "Batches whose answers were found after a broken connection." },       \
		{ prefix "store_lost_total", METRIC_COUNTER,                             \
		  offsetof(type, field.lost_total), NULL,                                \
		  "Times that gateways had to tell everything anew." },                  \
		{ prefix "store_overflows_total", METRIC_COUNTER,                        \
		  offsetof(type, field.overflows_total), NULL,                           \
		  "Of these, because too many changes waited for Redis." },              \
		{ prefix "store_events_total", METRIC_COUNTER,                           \
		  offsetof(type, field.events_total), NULL,                              \
		  "Changes of who is online that Redis told of." },                      \
		{ prefix "store_events_dropped_total", METRIC_COUNTER,                   \
		  offsetof(type, field.events_dropped_total), NULL,                      \
		  "Of them, after a loss, those that told nothing new." },               \
		{ prefix "store_resets_total", METRIC_COUNTER,                           \
		  offsetof(type, field.resets_total), NULL,                              \
		  "Times that watchers had to ask again who is online." },               \
		{ prefix "store_waiting", METRIC_GAUGE, offsetof(type, field.waiting),   \
		  NULL, "Changes that wait for Redis." },                                \
		{ prefix "store_waiting_bytes", METRIC_GAUGE,                            \
		  offsetof(type, field.waiting_bytes), NULL, "Their bytes." },           \
		{ prefix "store_waiting_since_seconds", METRIC_GAUGE,                    \
		  offsetof(type, field.waiting_since_seconds), NULL,                     \
		  "Unix time since when the oldest of them has no answer; 0: none." },   \
	{                                                                                \
		prefix "store_mirrored", METRIC_GAUGE, offsetof(type, field.mirrored),   \
			NULL, "Users that this replica remembers to be online."          \
	}

#endif
