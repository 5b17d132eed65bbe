/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run in words: the figures that matter to its scenario, what went wrong in
 * plain sentences, and whether all that was expected is true.
 */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include <stdbool.h>

#include "bench/expect.h"
#include "bench/result.h"
#include "proto/base/buf.h"

void summary_print(const struct result *result, struct buf *out);

/*
 * What was lost, came twice, late, to strangers or not at all is an error unless a
 * condition says what is expected of that figure. Appends a line for each condition and
 * for each such error; false when one does not hold.
 */
bool summary_verdict(const struct result *result, const struct expect_list *expected,
		     struct buf *out);

#endif
