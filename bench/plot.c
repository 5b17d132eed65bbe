/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plot.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "bench/units.h"

/* The drawing, in its own units; the page scales it. */
#define WIDTH 640.0
#define HEIGHT 250.0
#define LEFT 64.0
#define RIGHT 26.0
#define TOP 14.0
#define BOTTOM 28.0
#define TICKS 5
#define TICKS_MAX 32
#define LOG_MIN 0.5 /* of a logarithmic axis: below a microsecond nothing is told */

struct axis {
	enum plot_scale scale;
	enum plot_unit unit;
	double low; /* scaled */
	double high;
	double from; /* in the drawing */
	double to;
};

void plot_escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_append_str(out, "&amp;");
			break;
		case '<':
			buf_append_str(out, "&lt;");
			break;
		case '>':
			buf_append_str(out, "&gt;");
			break;
		case '"':
			buf_append_str(out, "&quot;");
			break;
		default:
			buf_append_byte(out, *text);
			break;
		}
	}
}

/* ---- axes */

static double scaled(enum plot_scale scale, double value)
{
	switch (scale) {
	case PLOT_LINEAR:
		return value;
	case PLOT_LOG:
		return log10(fmax(value, LOG_MIN));
	case PLOT_PERCENT:
		return value >= 100 ? (double)INFINITY : -log10(1 - value / 100);
	}
	return value;
}

static void axis_grow(struct axis *axis, double value)
{
	double at = scaled(axis->scale, value);

	if (!isfinite(at))
		return;
	axis->low = fmin(axis->low, at);
	axis->high = fmax(axis->high, at);
}

static void axis_settle(struct axis *axis)
{
	if (axis->scale == PLOT_LINEAR && axis->low > 0 && axis->unit != PLOT_SECONDS)
		axis->low = 0;
	if (axis->scale == PLOT_LOG) {
		axis->low = floor(axis->low);
		axis->high = ceil(axis->high);
	}
	/* Room for 100 %, which has no place of its own. */
	if (axis->scale == PLOT_PERCENT)
		axis->high += 0.3;
	if (axis->high - axis->low < 1e-9)
		axis->high = axis->low + 1;
	if (axis->scale == PLOT_LINEAR && axis->unit != PLOT_SECONDS)
		axis->high += (axis->high - axis->low) * 0.05;
}

static double axis_at(const struct axis *axis, double value)
{
	double at = scaled(axis->scale, value);

	if (!isfinite(at))
		at = axis->high;
	return axis->from +
	       (at - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

static const char *axis_text(const struct axis *axis, double value,
			     char out[UNITS_TEXT_MAX])
{
	if (axis->scale == PLOT_PERCENT) {
		(void)snprintf(out, UNITS_TEXT_MAX, "%.6g%%", value);
		return out;
	}
	switch (axis->unit) {
	case PLOT_NUMBER:
		return units_number(out, value);
	case PLOT_TIME_US:
		return units_time(out, value);
	case PLOT_SECONDS:
		return units_time(out, value * 1e6);
	case PLOT_BYTES:
		return units_bytes(out, value);
	}
	return out;
}

/* 1, 2 or 5 times a power of ten. */
static double nice_step(enum plot_unit unit, double range)
{
	double kilo = unit == PLOT_BYTES ? pow(1024, floor(log(range) / log(1024))) : 1;
	double raw = range / TICKS / kilo;
	double power = pow(10, floor(log10(raw)));
	double digit = raw / power;

	return kilo * power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static size_t axis_ticks(const struct axis *axis, double ticks[TICKS_MAX])
{
	static const double percents[] = { 0,	  50,	  90,	   99,	    99.9,
					   99.99, 99.999, 99.9999, 99.99999 };
	size_t n = 0;

	if (axis->scale == PLOT_PERCENT) {
		for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
			if (scaled(PLOT_PERCENT, percents[i]) <= axis->high - 0.2)
				ticks[n++] = percents[i];
		}
	} else if (axis->scale == PLOT_LOG) {
		while (axis->low + (double)n <= axis->high + 1e-9 && n < TICKS_MAX) {
			ticks[n] = pow(10, axis->low + (double)n);
			n++;
		}
	} else {
		double step = nice_step(axis->unit, axis->high - axis->low);
		double first = ceil(axis->low / step - 1e-9);

		while ((first + (double)n) * step <= axis->high && n < TICKS_MAX) {
			/* + 0.0: no -0 */
			ticks[n] = (first + (double)n) * step + 0.0;
			n++;
		}
	}
	return n;
}

static void draw_x_axis(const struct axis *axis, struct buf *out)
{
	double ticks[TICKS_MAX];
	size_t n = axis_ticks(axis, ticks);
	char text[UNITS_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		double x = axis_at(axis, ticks[i]);

		buf_appendf(out,
			    "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>"
			    "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" "
			    "text-anchor=\"middle\">%s</text>\n",
			    x, TOP, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 16,
			    axis_text(axis, ticks[i], text));
	}
}

static void draw_y_axis(const struct axis *axis, struct buf *out)
{
	double ticks[TICKS_MAX];
	size_t n = axis_ticks(axis, ticks);
	char text[UNITS_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		double y = axis_at(axis, ticks[i]);

		buf_appendf(out,
			    "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
			    "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" "
			    "text-anchor=\"end\">%s</text>\n",
			    LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4,
			    axis_text(axis, ticks[i], text));
	}
}

/* ---- lines */

/* Of `stride` points the one with the highest y: peaks are what people look for. */
static struct plot_point thinned(const struct plot_series *series, size_t first,
				 size_t stride)
{
	struct plot_point best = series->points[first];

	for (size_t i = first; i < first + stride && i < series->n; i++) {
		if (!(series->points[i].y <= best.y))
			best = series->points[i];
	}
	return best;
}

static void draw_line(const struct plot_series *series, const struct axis *x,
		      const struct axis *y, size_t index, struct buf *out)
{
	size_t stride = (series->n + PLOT_POINTS_MAX - 1) / PLOT_POINTS_MAX;
	bool is_open = false;

	buf_appendf(out, "<path class=\"line s%zu\" d=\"", index);
	for (size_t i = 0; i < series->n; i += stride) {
		struct plot_point point = thinned(series, i, stride);

		if (!isfinite(point.y)) {
			is_open = false;
			continue;
		}
		buf_appendf(out, "%s%.1f %.1f", is_open ? "L" : "M", axis_at(x, point.x),
			    axis_at(y, point.y));
		is_open = true;
	}
	buf_append_str(out, "\"/>\n");
}

static void draw_dots(const struct plot_series *series, const struct axis *x,
		      const struct axis *y, size_t index, struct buf *out)
{
	char tx[UNITS_TEXT_MAX];
	char ty[UNITS_TEXT_MAX];

	for (size_t i = 0; i < series->n && i < PLOT_POINTS_MAX; i++) {
		const struct plot_point *point = &series->points[i];

		if (!isfinite(point->y))
			continue;
		buf_appendf(out,
			    "<circle class=\"dot s%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">"
			    "<title>",
			    index, axis_at(x, point->x), axis_at(y, point->y));
		plot_escape(out, series->name);
		buf_appendf(out, " %s: %s</title></circle>\n", axis_text(x, point->x, tx),
			    axis_text(y, point->y, ty));
	}
}

/* Beside the drawing, as text of the page: long names wrap there. */
static void draw_legend(const struct plot *plot, struct buf *out)
{
	buf_append_str(out, "<p class=\"legend\">");
	for (size_t i = 0; i < plot->series_n; i++) {
		buf_appendf(out, "<span><i class=\"s%zu\"></i>", i);
		plot_escape(out, plot->series[i].name);
		buf_append_str(out, "</span> ");
	}
	buf_append_str(out, "</p>\n");
}

static bool axes_measure(const struct plot *plot, struct axis *x, struct axis *y)
{
	bool has_points = false;

	for (size_t i = 0; i < plot->series_n; i++) {
		for (size_t k = 0; k < plot->series[i].n; k++) {
			const struct plot_point *point = &plot->series[i].points[k];

			if (!isfinite(point->y))
				continue;
			has_points = true;
			axis_grow(x, point->x);
			axis_grow(y, point->y);
		}
	}
	if (!isfinite(x->low))
		x->low = x->high = 0;
	axis_settle(x);
	axis_settle(y);
	return has_points;
}

void plot_svg(const struct plot *plot, struct buf *out)
{
	struct axis x = { plot->x_scale,     plot->x_unit, (double)INFINITY,
			  -(double)INFINITY, LEFT,	   WIDTH - RIGHT };
	struct axis y = { plot->y_scale,     plot->y_unit,    (double)INFINITY,
			  -(double)INFINITY, HEIGHT - BOTTOM, TOP };

	assert(plot->series_n <= PLOT_SERIES_MAX);
	buf_append_str(out, "<figure><figcaption>");
	plot_escape(out, plot->title);
	buf_append_str(out, "</figcaption>\n");
	if (!axes_measure(plot, &x, &y)) {
		buf_append_str(out, "<p class=\"empty\">nothing was measured</p></figure>"
				    "\n");
		return;
	}
	buf_appendf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		    WIDTH, HEIGHT);
	plot_escape(out, plot->title);
	buf_append_str(out, "\">\n");
	draw_x_axis(&x, out);
	draw_y_axis(&y, out);
	for (size_t i = 0; i < plot->series_n; i++) {
		draw_line(&plot->series[i], &x, &y, i, out);
		if (plot->has_dots)
			draw_dots(&plot->series[i], &x, &y, i, out);
	}
	buf_append_str(out, "</svg>\n");
	draw_legend(plot, out);
	buf_append_str(out, "</figure>\n");
}
