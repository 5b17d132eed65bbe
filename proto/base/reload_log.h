/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log says of files that are read again. A try that is made because the last one
 * failed says nothing while it fails for the same reasons: they have been told. Its lines
 * are kept until it is over, and written when it went well, or failed otherwise.
 */
#ifndef PROTO_BASE_RELOAD_LOG_H
#define PROTO_BASE_RELOAD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/log.h"

/* Of one try; more are written at once. */
#define RELOAD_LOG_LINES_MAX 64

struct reload_log_line {
	enum log_level level;
	const char *id; /* a constant */
	char *pairs;	/* owned */
};

/* All 0 at first. */
struct reload_log {
	struct log_tap tap;
	bool is_kept;
	uint64_t reasons; /* what was said at level error, of the try that is under way */
	uint64_t told;	  /* of the last try; 0: it went well */
	struct reload_log_line lines[RELOAD_LOG_LINES_MAX];
	size_t n;
};

/* From here to the end each line of the log is one of this try. */
void reload_log_begin(struct reload_log *log, bool is_again);
void reload_log_end(struct reload_log *log, bool is_failed);

#endif
