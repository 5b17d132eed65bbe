/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results as pages and tables: one HTML file that needs nothing else, a Markdown table,
 * and two results side by side. Pure.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>

#include "bench/result.h"
#include "proto/base/buf.h"

#define REPORT_RESULTS_MAX 64
#define REPORT_CELL_MAX 160

void report_html(const struct result *const *results, size_t n, struct buf *out);
void report_markdown(const struct result *const *results, size_t n, struct buf *out);

/* Both, their ratio, and whether that is better; a difference below 5 % is not told. */
void report_compare(const struct result *before, const struct result *after,
		    struct buf *out);

/* Whether more of a figure is better (1), worse (-1), or neither (0). */
int report_direction(const char *name);

/* ---- the table of many results: a row each */

#define REPORT_COLUMNS 9
extern const char *const report_titles[REPORT_COLUMNS];
void report_cell(const struct result *result, size_t column, char out[REPORT_CELL_MAX]);

#endif
