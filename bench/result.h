/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run found out, in the form in which it is told, stored, compared and plotted.
 * Written to and read from JSON; docs/PERFORMANCE.md has the names.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define RESULT_VERSION 1
#define RESULT_NAME_MAX 64
#define RESULT_FIGURES_MAX 512
#define RESULT_TEXTS_MAX 128
#define RESULT_POINTS_MAX 64
#define RESULT_SECONDS_MAX 100000
#define RESULT_STEPS_MAX 64
#define RESULT_BYTES_MAX (64u << 20)

struct result_figure {
	char name[RESULT_NAME_MAX];
	double value;
};

struct result_text {
	char name[RESULT_NAME_MAX];
	char *value; /* owned */
};

struct result_texts {
	struct result_text items[RESULT_TEXTS_MAX];
	size_t n;
};

/* X-list: name, unit, what it is. */
#define RESULT_COLUMNS(X)                                                                \
	X(at, "s", "time")                                                               \
	X(open, "", "connections")                                                       \
	X(sent, "/s", "sent")                                                            \
	X(delivered, "/s", "delivered")                                                  \
	X(answered, "/s", "answered")                                                    \
	X(p50, "us", "p50")                                                              \
	X(p99, "us", "p99")                                                              \
	X(max, "us", "max")                                                              \
	X(errors, "/s", "errors")                                                        \
	X(server_cpu, "cores", "server CPU")                                             \
	X(server_rss, "bytes", "server memory")                                          \
	X(tool_cpu, "cores", "tool CPU")

#define RESULT_COLUMN(name, unit, help) RESULT_##name,
enum result_column { RESULT_COLUMNS(RESULT_COLUMN) RESULT_COLUMNS_N };
#undef RESULT_COLUMN

struct result_second {
	double values[RESULT_COLUMNS_N];
};

enum result_curve_kind { CURVE_DELIVERY, CURVE_ANSWER, CURVE_CONNECT, CURVES };

struct result_point {
	double percent;
	double us;
};

struct result_curve {
	struct result_point points[RESULT_POINTS_MAX];
	size_t n;
};

struct result_step {
	double rate; /* that was tried; all are a second */
	double achieved;
	double delivered;
	double p50_us;
	double p99_us;
	bool is_held;
};

struct result {
	struct result_texts about;   /* label, scenario, date, kernel, command ... */
	struct result_texts options; /* as --print-conf names them */
	struct result_figure figures[RESULT_FIGURES_MAX];
	size_t figures_n;
	struct result_curve curves[CURVES];
	struct result_second *seconds; /* owned */
	size_t seconds_n;
	struct result_step steps[RESULT_STEPS_MAX];
	size_t steps_n;
	struct histogram *latency; /* owned; what p99 is of. NULL: read from a file */
	bool is_named_only;	   /* figures without a value become 0: it lists names */
};

struct result *result_new(void);
void result_free(struct result *result); /* NULL is legal */

void result_set(struct result *result, double value, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* A figure by name; a latency also without its "_us". False: there is none. */
bool result_get(const struct result *result, const char *name, double *value);

/* Adds a text, or replaces it. */
void result_text_set(struct result_texts *texts, const char *name, struct slice value);
const char *result_text(const struct result_texts *texts, const char *name); /* or "" */

struct result_second *result_second_add(struct result *result);

void result_encode(const struct result *result, struct buf *out);

/* ERR_MALFORMED, ERR_UNSUPPORTED (another version), ERR_LIMIT. */
MUST_CHECK enum err result_decode(struct result *result, struct slice text);

#endif
