/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells while it happens: a line on stderr that is written anew each second on a
 * terminal, a plain line every few seconds elsewhere.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/result.h"
#include "bench/stats.h"
#include "proto/base/buf.h"

#define PROGRESS_PLAIN_EVERY 5 /* seconds */

struct progress {
	FILE *out;
	bool is_on;
	bool is_terminal;
	bool is_dirty; /* the line has not been ended */
	unsigned seconds;
};

void progress_init(struct progress *progress, FILE *out, bool is_on);

/* `connections`: that there are to be. */
void progress_tell(struct progress *progress, enum phase phase, uint64_t connections,
		   const struct result_second *second);

/* A line that stays. */
void progress_note(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);
void progress_end(struct progress *progress);

#endif
