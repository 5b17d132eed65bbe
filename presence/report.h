/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process last said about itself, and what it said the seconds before, so that
 * rates and latencies of the last few seconds are known. For people who look at the
 * cluster: nothing else is decided by it. Pure: time is a parameter.
 */
#ifndef PRESENCE_REPORT_H
#define PRESENCE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/metrics.h"
#include "proto/base/slice.h"
#include "proto/link/link.h"

#define REPORT_RATE_MS 5000	/* rates are of the last so many */
#define REPORT_LATENCY_MS 10000 /* latencies, too */
#define REPORT_STALE_MS 5000	/* without a report for longer there are no rates */
#define REPORT_STEP_MS 500	/* between two that are remembered */
#define REPORT_SAMPLES_MAX 22	/* two windows of latency at one a second */

/* What is kept of one report. More is left out and counted. */
#define REPORT_LINKS_MAX 512
#define REPORT_GROUPS_MAX 32
#define REPORT_NAME_BYTES_MAX 1024u

enum report_total {
	REPORT_MESSAGES_IN,
	REPORT_MESSAGES_OUT,
	REPORT_BYTES_IN,
	REPORT_BYTES_OUT,
	REPORT_CPU_US,
};
#define REPORT_TOTALS 5

struct report_sample {
	int64_t at_ms;
	uint64_t totals[REPORT_TOTALS];
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct report_link {
	int role; /* Link__Role */
	struct slice name;
	bool is_up;
	int64_t waiting_bytes;
};

struct report_group {
	struct slice hub;
	struct slice name;
	uint64_t members;
};

/* Embedded in the caller's struct. */
struct report {
	struct report_sample samples[REPORT_SAMPLES_MAX]; /* the oldest first */
	size_t samples_n;				  /* 0: it has not said any */
	int64_t connections;
	int64_t users;
	int64_t queue_bytes;
	int64_t memory_bytes;
	int64_t groups;
	int64_t memberships;
	int64_t calls;
	int64_t started_unix_ms;
	bool is_draining;
	struct report_link *links; /* in the arena, as their names */
	size_t links_n;
	struct report_group *groups_top; /* in the arena; the largest first */
	size_t groups_top_n;
	uint64_t restarts; /* totals went down: it counts from 0 again */
	struct arena arena;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* Returns how many links and groups were left out. */
size_t report_take(struct report *report, const Link__Report *said, int64_t now_ms);

/* Since it last said one; -1: never. */
int64_t report_age_ms(const struct report *report, int64_t now_ms);

/* The last seconds of one process, or of several. All zero at first. */
struct report_sum {
	double per_second[REPORT_TOTALS];
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Adds nothing when the last report is too old, or the only one. */
void report_add(const struct report *report, int64_t now_ms, struct report_sum *sum);

/* Of the invocations that ended in the window; microseconds, -1 when n is 0. */
struct report_latency {
	uint64_t n;
	int64_t p50_us;
	int64_t p95_us;
	int64_t p99_us;
};

struct report_latency report_latency(const struct report_sum *sum);

/* The largest groups of several shards. All zero at first; borrows from the reports. */
struct report_top {
	struct report_group groups[REPORT_GROUPS_MAX]; /* the largest first */
	size_t n;
};

void report_top_add(struct report_top *top, const struct report *report);

#endif
