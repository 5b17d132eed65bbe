/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be said about a result before it means anything to others: when, where, by
 * what command and with which options it was found.
 */
#ifndef BENCH_ABOUT_H
#define BENCH_ABOUT_H

#include "bench/conf.h"
#include "bench/result.h"

void about_fill(struct result *result, const struct bench_conf *conf, int argc,
		char *const *argv);

#endif
