/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event to stderr: time, level, stable event id, key=value pairs. Ids have
 * the form "noun.fact" and are listed in docs/OPERATING.md (lint compares). warn: someone
 * should look; error: something was lost. Never a token, a payload or a query string.
 *
 *	log_warn("link.peer_lost", "peer=%s after_ms=%" PRId64, name, age);
 *
 * Values that a peer chose go through log_quote(). Each id is limited to LOG_BURST lines
 * per second; what was held back is told by the next line of that id as suppressed=N.
 * A full stderr never blocks: the next line that fits tells of those lost as dropped=N.
 *
 * The logger is the one piece of global state: it must work before and after everything.
 */
#ifndef PROTO_BASE_LOG_H
#define PROTO_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"
#include "proto/base/log_level.h"
#include "proto/base/slice.h"

enum log_format { LOG_LOGFMT, LOG_JSON };

#define LOG_BURST 20
#define LOG_QUOTE_MAX 96
#define LOG_ID_MAX 64

/* `name` is this process's name (copied); shown as node=. May be called again. */
void log_open(enum log_format format, enum log_level level, const char *name);

#define log_debug(id, ...) log_write(LOG_DEBUG, (id), __VA_ARGS__)
#define log_info(id, ...) log_write(LOG_INFO, (id), __VA_ARGS__)
#define log_warn(id, ...) log_write(LOG_WARN, (id), __VA_ARGS__)
#define log_error(id, ...) log_write(LOG_ERROR, (id), __VA_ARGS__)

/* `fmt` yields space-separated key=value pairs, possibly none (""). */
void log_write(enum log_level level, const char *id, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Of what people must be able to find later: it is not held back by the limit of its id.
 */
void log_audit(const char *id, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For who plays what logs: is shown each line of log_write() before anything else, and
 * takes it or not. */
struct log_tap {
	bool (*take)(struct log_tap *tap, enum log_level level, const char *id,
		     const char *pairs);
};

/* NULL: none any more. */
void log_tap(struct log_tap *tap);

/* Start-up errors: prints "program: text" to stderr and exits with 1. */
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

struct log_quoted {
	char text[LOG_QUOTE_MAX];
};

/* Peer bytes as a quoted, escaped, shortened value: log_quote(target).text */
struct log_quoted log_quote(struct slice bytes);

#endif
