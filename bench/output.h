/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where results go to and come from: the files that the options name.
 */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <stdbool.h>

#include "bench/conf.h"
#include "bench/expect.h"
#include "bench/result.h"

/* Does one of the files go to stdout? */
bool output_is_stdout(const struct bench_conf *conf);

/* Can what the run is to be compared with be read? Better told before it is run. */
bool output_fits(const struct bench_conf *conf, char why[EXPECT_ERROR_MAX]);

/* Writes what the options ask for of a run; false with the reason in `why`. */
bool output_write(const struct bench_conf *conf, const struct result *result,
		  char why[EXPECT_ERROR_MAX]);

/* Is nothing to be run, only results to be read? If so, output_report() does it. */
bool output_is_report(const struct bench_conf *conf);
bool output_report(const struct bench_conf *conf, char why[EXPECT_ERROR_MAX]);

#endif
