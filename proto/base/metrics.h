/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics from one table per program, like conf: the values live in the program's own
 * struct (so counting is `gateway->metrics.invoke_total++`), the table gives name, type
 * and help, and metrics_render() writes Prometheus text exposition. Counters end in
 * _total; units are base units; labels are constants of the table, never peer data.
 */
#ifndef PROTO_BASE_METRICS_H
#define PROTO_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"

enum metric_type {
	METRIC_COUNTER,	  /* field uint64_t */
	METRIC_GAUGE,	  /* field int64_t */
	METRIC_HISTOGRAM, /* field struct histogram; seconds on the wire */
	METRIC_LIFETIMES, /* field struct lifetimes; a histogram on the wire, in seconds
			   */
	METRIC_COUNTERS,  /* field struct metric_counters: labels of its own each */
};

#define HISTOGRAM_BUCKETS 14

/* Durations down to microseconds, counted in fixed buckets from 0.1 ms to 10 s. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS]; /* the last one is +Inf */
	uint64_t sum_us;
};

void histogram_add_us(struct histogram *histogram, uint64_t us);

/*
 * Where so many thousandths of what was counted lie below, taken as evenly spread within
 * a bucket; what is in the last one counts as its lower bound. -1: nothing was counted.
 */
int64_t histogram_quantile_us(const uint64_t buckets[HISTOGRAM_BUCKETS],
			      unsigned permille);

/* The buckets for another process: 64 bits each, little-endian. */
#define HISTOGRAM_BYTES ((size_t)HISTOGRAM_BUCKETS * 8)
void histogram_encode(const struct histogram *histogram, uint8_t bytes[HISTOGRAM_BYTES]);

#define LIFETIMES_BUCKETS 15

/* The same for what lasts: buckets from 10 ms to 5 minutes, those that OpenTelemetry
 * advises for signalr.server.connection.duration. */
struct lifetimes {
	uint64_t buckets[LIFETIMES_BUCKETS]; /* the last one is +Inf */
	uint64_t sum_us;
};

void lifetimes_add_us(struct lifetimes *lifetimes, uint64_t us);

/* Counters whose labels are known only when the program runs; still never peer data. */
struct metric_counter {
	char *labels; /* owned: hub="chat",name="messages" */
	uint64_t value;
};

struct metric_counters {
	struct metric_counter *items; /* owned */
	size_t n;
};

void metric_counters_add(struct metric_counters *counters, struct slice labels);
void metric_counters_fini(struct metric_counters *counters);

struct metric {
	const char *name;
	enum metric_type type;
	size_t field;	    /* offsetof in the program's struct */
	const char *labels; /* "reason=\"timeout\"", or NULL */
	const char *help;
};

/* Rows of one name stand together. */
struct metrics_table {
	const struct metric *rows;
	size_t n;
};

/* Appends the whole exposition, heliograph_build_info and process_* included. */
void metrics_render(const struct metrics_table *table, const void *values,
		    struct buf *out);

/* The same of a process that has counted nothing yet: what --print-metrics prints. */
void metrics_render_empty(const struct metrics_table *table, struct buf *out);

#endif
