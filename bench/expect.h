/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on a result, "p99<10ms,lost=0,within(1s)>=99%": a figure's name or the share
 * of messages within a time, a comparison, and a number with a unit. Pure.
 */
#ifndef BENCH_EXPECT_H
#define BENCH_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "bench/result.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define EXPECT_MAX 32
#define EXPECT_ERROR_MAX 512

enum expect_comparison {
	EXPECT_BELOW,
	EXPECT_AT_MOST,
	EXPECT_EQUAL,
	EXPECT_UNEQUAL,
	EXPECT_AT_LEAST,
	EXPECT_ABOVE,
};

struct expect {
	char name[RESULT_NAME_MAX]; /* "within" has within_us */
	int64_t within_us;
	enum expect_comparison comparison;
	double value;	   /* times in microseconds, shares 0..1, sizes in bytes */
	struct slice text; /* as it was written; borrowed */
};

struct expect_list {
	struct expect items[EXPECT_MAX];
	size_t n;
};

/* ERR_MALFORMED, ERR_LIMIT with the reason in `error`. An empty list is legal. */
MUST_CHECK enum err expect_parse(struct slice text, struct expect_list *list,
				 char error[EXPECT_ERROR_MAX]);

/* Can the text be parsed, and has `names` all its figures? If not, `why` tells. */
bool expect_fits(const char *text, const struct result *names,
		 char why[EXPECT_ERROR_MAX]);

/* Does it hold? `*actual` is what was found; ERR_NOT_FOUND: the result has no such
 * figure. */
MUST_CHECK enum err expect_check(const struct expect *expect, const struct result *result,
				 bool *is_held, double *actual);

/* Is the figure named by one of them? */
bool expect_list_has(const struct expect_list *list, const char *name);

#endif
