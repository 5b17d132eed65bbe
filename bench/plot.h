/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line plot as inline SVG, whose colours are the page's style sheet's: classes s0 to s7
 * for series, axis, grid, label. Points that are not numbers are gaps. Pure.
 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buf.h"

#define PLOT_SERIES_MAX 8
#define PLOT_POINTS_MAX 1000 /* more are thinned out, peaks stay */

enum plot_unit { PLOT_NUMBER, PLOT_TIME_US, PLOT_SECONDS, PLOT_BYTES };

/* Percent: 90, 99, 99.9 are at equal distances; 100 is at the end. */
enum plot_scale { PLOT_LINEAR, PLOT_LOG, PLOT_PERCENT };

struct plot_point {
	double x;
	double y;
};

struct plot_series {
	const char *name; /* may hold anything: it is escaped */
	const struct plot_point *points;
	size_t n;
};

struct plot {
	const char *title;
	enum plot_scale x_scale;
	enum plot_scale y_scale;
	enum plot_unit x_unit;
	enum plot_unit y_unit;
	bool has_dots; /* with what they stand for, when pointed at */
	struct plot_series series[PLOT_SERIES_MAX];
	size_t series_n;
};

/* Without any point it says that there is nothing to show. */
void plot_svg(const struct plot *plot, struct buf *out);

/* Text as the content of an element or of an attribute in quotes. */
void plot_escape(struct buf *out, const char *text);

#endif
