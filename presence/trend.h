/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of the last minutes, a sample every two seconds, so that whoever opens the
 * dashboard when something is wrong sees how it came. Kept in memory by each presence.
 */
#ifndef PRESENCE_TREND_H
#define PRESENCE_TREND_H

#include <stdbool.h>
#include <stdint.h>

#include "presence/store.h"
#include "proto/base/timer.h"

#define TREND_STEP_MS 2000
#define TREND_SAMPLES_MAX 150 /* five minutes */

struct presence;

struct trend_sample {
	int64_t at_unix_ms;
	int64_t users;	     /* -1: the store did not tell */
	int64_t connections; /* likewise */
	double messages_in_per_second;
	double messages_out_per_second;
	int64_t p50_us; /* as in struct report_latency */
	int64_t p95_us;
	int64_t p99_us;
};

struct trend {
	struct presence *presence; /* borrowed */
	struct timer timer;
	struct store_call call;
	bool is_asking;					/* the store, by `call` */
	struct trend_sample samples[TREND_SAMPLES_MAX]; /* a ring */
	uint64_t n;					/* taken so far */
};

/* Takes samples from now on. */
void trend_init(struct trend *trend, struct presence *presence);

/* Before the store is freed, which may answer once more. */
void trend_fini(struct trend *trend);

void trend_add(struct trend *trend, const struct trend_sample *sample);

/* How many are kept, and each of them: 0 is the oldest. */
size_t trend_kept(const struct trend *trend);
const struct trend_sample *trend_at(const struct trend *trend, size_t i);

#endif
