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
};

#define HISTOGRAM_BUCKETS 14

/* Durations down to microseconds, counted in fixed buckets from 0.1 ms to 10 s. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS]; /* the last one is +Inf */
	uint64_t sum_us;
};

void histogram_add_us(struct histogram *histogram, uint64_t us);

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

#endif
