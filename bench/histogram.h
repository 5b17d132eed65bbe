/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A high dynamic range histogram of microseconds: values up to HISTOGRAM_TOP_US with an
 * error below 1/128, in fixed memory, so that it can lie in memory shared by processes.
 * One writer; a reader in another process sees counts that are at most a moment old.
 * Pure.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/* 2^7 steps an octave up to about 71 minutes; what is above counts as the top. */
#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_TOP_US ((int64_t)1 << 32)
#define HISTOGRAM_SLOTS ((32 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t n;
	int64_t min_us; /* of the values themselves; meaningless while n is 0 */
	int64_t max_us;
	double sum_us;
	uint64_t counts[HISTOGRAM_SLOTS];
};

/* All bytes zero is an empty histogram. A negative value counts as 0. */
void histogram_add(struct histogram *histogram, int64_t value_us);
void histogram_add_n(struct histogram *histogram, int64_t value_us, uint64_t n);

/* Adds what `from` has; `to` keeps its own. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* What came since `before` was copied from `now`. min and max are those of the slots. */
void histogram_since(struct histogram *out, const struct histogram *now,
		     const struct histogram *before);

/* The highest value of the slot in which the rank of `percent` (0..100) lies; 0 when
 * empty. */
int64_t histogram_percentile(const struct histogram *histogram, double percent);

/* The share (0..1) of values at or below `value_us`. */
double histogram_share(const struct histogram *histogram, int64_t value_us);
double histogram_mean(const struct histogram *histogram);

#endif
