/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page: an overview when there are several results, then each with what matters in
 * large type, its plots, and tables of everything. No script, no font, no address.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/plot.h"
#include "bench/report.h"
#include "bench/report_style.h"
#include "bench/units.h"
#include "proto/base/mem.h"

static void put_text(struct buf *out, const char *text)
{
	plot_escape(out, text);
}

static void put_row(struct buf *out, const char *name, const char *value)
{
	buf_append_str(out, "<tr><th>");
	put_text(out, name);
	buf_append_str(out, "</th><td>");
	put_text(out, value);
	buf_append_str(out, "</td></tr>\n");
}

static void open_table(struct buf *out, const char *title, bool is_shown)
{
	buf_appendf(out, "<details%s><summary>%s</summary><div class=\"wide\"><table>\n",
		    is_shown ? " open" : "", title);
}

static void close_table(struct buf *out)
{
	buf_append_str(out, "</table></div></details>\n");
}

/* ---- what matters, in large type */

static void put_tile(struct buf *out, const char *title, const char *value, bool is_bad)
{
	if (value[0] == '\0')
		return;
	buf_appendf(out, "<div class=\"tile%s\"><span>%s</span><b>", is_bad ? " bad" : "",
		    title);
	put_text(out, value);
	buf_append_str(out, "</b></div>\n");
}

static void put_tiles(struct buf *out, const struct result *result)
{
	char cell[REPORT_CELL_MAX];

	buf_append_str(out, "<div class=\"tiles\">\n");
	for (size_t i = 1; i < REPORT_COLUMNS; i++) {
		bool is_last = i + 1 == REPORT_COLUMNS;

		report_cell(result, i, cell);
		put_tile(out, report_titles[i], cell,
			 is_last && strcmp(cell, "none") != 0);
	}
	buf_append_str(out, "</div>\n");
}

/* ---- plots */

/* One column over time; a zero latency is none. */
static struct plot_point *column(const struct result *result, enum result_column of,
				 bool is_latency)
{
	struct plot_point *points =
		mem_alloc(result->seconds_n * sizeof(struct plot_point));

	for (size_t i = 0; i < result->seconds_n; i++) {
		double y = result->seconds[i].values[of];

		points[i].x = result->seconds[i].values[RESULT_at];
		points[i].y = is_latency && y <= 0 ? (double)NAN : y;
	}
	return points;
}

static bool has_values(const struct result *result, enum result_column of)
{
	for (size_t i = 0; i < result->seconds_n; i++) {
		if (result->seconds[i].values[of] > 0)
			return true;
	}
	return false;
}

struct line {
	enum result_column of;
	const char *name;
};

static void put_over_time(struct buf *out, const struct result *result, struct plot plot,
			  const struct line *lines, size_t n)
{
	struct plot_point *points[PLOT_SERIES_MAX] = { NULL };

	plot.x_unit = PLOT_SECONDS;
	for (size_t i = 0; i < n; i++) {
		if (!has_values(result, lines[i].of))
			continue;
		points[plot.series_n] =
			column(result, lines[i].of, plot.y_scale == PLOT_LOG);
		plot.series[plot.series_n].name = lines[i].name;
		plot.series[plot.series_n].points = points[plot.series_n];
		plot.series[plot.series_n].n = result->seconds_n;
		plot.series_n++;
	}
	plot_svg(&plot, out);
	for (size_t i = 0; i < plot.series_n; i++)
		mem_free(points[i]);
}

static void put_time_plots(struct buf *out, const struct result *result)
{
	static const struct line rates[] = { { RESULT_delivered, "delivered" },
					     { RESULT_sent, "sent" },
					     { RESULT_answered, "answered" },
					     { RESULT_errors, "errors" } };
	static const struct line latencies[] = { { RESULT_max, "max" },
						 { RESULT_p99, "p99" },
						 { RESULT_p50, "p50" } };
	static const struct line cores[] = { { RESULT_server_cpu, "server" },
					     { RESULT_tool_cpu, "tool" } };
	static const struct line memory[] = { { RESULT_server_rss, "server" } };
	static const struct line open[] = { { RESULT_open, "open" } };

	put_over_time(out, result, (struct plot){ .title = "Rate, a second" }, rates, 4);
	put_over_time(out, result,
		      (struct plot){ .title = "Latency of each second",
				     .y_scale = PLOT_LOG,
				     .y_unit = PLOT_TIME_US },
		      latencies, 3);
	put_over_time(out, result, (struct plot){ .title = "CPU, cores busy" }, cores, 2);
	if (has_values(result, RESULT_server_rss))
		put_over_time(out, result,
			      (struct plot){ .title = "Memory of the server",
					     .y_unit = PLOT_BYTES },
			      memory, 1);
	put_over_time(out, result, (struct plot){ .title = "Connections" }, open, 1);
}

static void add_curve(struct plot *plot, const struct result_curve *curve,
		      const char *name, struct plot_point points[RESULT_POINTS_MAX])
{
	if (curve->n == 0 || plot->series_n == PLOT_SERIES_MAX)
		return;
	for (size_t i = 0; i < curve->n; i++)
		points[i] = (struct plot_point){ curve->points[i].percent,
						 curve->points[i].us };
	plot->series[plot->series_n++] = (struct plot_series){ name, points, curve->n };
}

static struct plot percentile_plot(const char *title)
{
	return (struct plot){ .title = title,
			      .x_scale = PLOT_PERCENT,
			      .y_scale = PLOT_LOG,
			      .y_unit = PLOT_TIME_US,
			      .has_dots = true };
}

static void put_percentiles(struct buf *out, const struct result *result)
{
	static const char *const names[CURVES] = { "due to received", "due to answered",
						   "begun to ready" };
	struct plot_point points[CURVES][RESULT_POINTS_MAX];
	struct plot plot = percentile_plot("Latency by percentile");

	for (int i = 0; i < CURVES; i++)
		add_curve(&plot, &result->curves[i], names[i], points[i]);
	plot_svg(&plot, out);
}

static void put_steps(struct buf *out, const struct result *result)
{
	struct plot_point points[2][RESULT_STEPS_MAX];
	struct plot plot = { .title = "Search: p99 by rate, holds or does not",
			     .x_scale = PLOT_LOG,
			     .y_scale = PLOT_LOG,
			     .y_unit = PLOT_TIME_US,
			     .has_dots = true };
	size_t n[2] = { 0, 0 };

	if (result->steps_n == 0)
		return;
	for (size_t i = 0; i < result->steps_n; i++) {
		const struct result_step *step = &result->steps[i];
		int k = step->is_held ? 0 : 1;

		points[k][n[k]++] = (struct plot_point){ step->rate, step->p99_us };
	}
	plot.series[0] = (struct plot_series){ "holds", points[0], n[0] };
	plot.series[1] = (struct plot_series){ "does not hold", points[1], n[1] };
	plot.series_n = 2;
	buf_append_str(out, "<div class=\"dots\">");
	plot_svg(&plot, out);
	buf_append_str(out, "</div>\n");
}

/* ---- tables */

static bool is_cost(const char *name)
{
	return strstr(name, "_cpu_") != NULL || strstr(name, "_rss_") != NULL ||
	       strstr(name, "_switches_") != NULL || strstr(name, "_processes") != NULL;
}

static void put_figures(struct buf *out, const struct result *result, bool of_costs)
{
	char text[UNITS_TEXT_MAX];

	open_table(out, of_costs ? "Costs" : "Figures", of_costs);
	for (size_t i = 0; i < result->figures_n; i++) {
		const struct result_figure *figure = &result->figures[i];

		if (is_cost(figure->name) == of_costs)
			put_row(out, figure->name,
				units_figure(text, figure->name, figure->value));
	}
	close_table(out);
}

static void put_texts(struct buf *out, const char *title,
		      const struct result_texts *texts)
{
	open_table(out, title, false);
	for (size_t i = 0; i < texts->n; i++)
		put_row(out, texts->items[i].name, texts->items[i].value);
	close_table(out);
}

static void put_step_table(struct buf *out, const struct result *result)
{
	char t[5][UNITS_TEXT_MAX];

	if (result->steps_n == 0)
		return;
	open_table(out, "Steps of the search", false);
	buf_append_str(out, "<tr><th>rate</th><th>sent</th><th>delivered</th><th>p50</th>"
			    "<th>p99</th><th></th></tr>\n");
	for (size_t i = 0; i < result->steps_n; i++) {
		const struct result_step *step = &result->steps[i];

		buf_appendf(out,
			    "<tr><td>%s/s</td><td>%s/s</td><td>%s/s</td><td>%s</td>"
			    "<td>%s</td><td>%s</td></tr>\n",
			    units_number(t[0], step->rate),
			    units_number(t[1], step->achieved),
			    units_number(t[2], step->delivered),
			    units_time(t[3], step->p50_us),
			    units_time(t[4], step->p99_us),
			    step->is_held ? "holds" : "does not hold");
	}
	close_table(out);
}

/* ---- the page */

static void put_result(struct buf *out, const struct result *result, size_t index)
{
	buf_appendf(out, "<section id=\"r%zu\"><h2>", index);
	put_text(out, result_text(&result->about, "label"));
	buf_append_str(out, "</h2>\n<p class=\"command\"><code>");
	put_text(out, result_text(&result->about, "command"));
	buf_append_str(out, "</code></p>\n");
	put_tiles(out, result);
	buf_append_str(out, "<div class=\"plots\">\n");
	put_percentiles(out, result);
	put_steps(out, result);
	put_time_plots(out, result);
	buf_append_str(out, "</div>\n");
	put_step_table(out, result);
	put_figures(out, result, true);
	put_figures(out, result, false);
	put_texts(out, "Options", &result->options);
	put_texts(out, "About", &result->about);
	buf_append_str(out, "</section>\n");
}

static void put_overview(struct buf *out, const struct result *const *results, size_t n)
{
	char cell[REPORT_CELL_MAX];

	buf_append_str(out, "<div class=\"wide\"><table class=\"overview\"><tr>");
	for (size_t k = 0; k < REPORT_COLUMNS; k++)
		buf_appendf(out, "<th>%s</th>", report_titles[k]);
	buf_append_str(out, "</tr>\n");
	for (size_t i = 0; i < n; i++) {
		buf_append_str(out, "<tr>");
		for (size_t k = 0; k < REPORT_COLUMNS; k++) {
			report_cell(results[i], k, cell);
			buf_append_str(out, "<td>");
			if (k == 0)
				buf_appendf(out, "<a href=\"#r%zu\">", i);
			put_text(out, cell);
			buf_append_str(out, k == 0 ? "</a></td>" : "</td>");
		}
		buf_append_str(out, "</tr>\n");
	}
	buf_append_str(out, "</table></div>\n");
}

void report_html(const struct result *const *results, size_t n, struct buf *out)
{
	const struct result_texts *about = &results[0]->about;
	const char *title = n == 1 ? result_text(about, "label") : "Results";

	buf_append_str(out, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
			    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
			    "content=\"width=device-width\">\n<title>heliograph-bench: ");
	put_text(out, title);
	buf_append_str(out, "</title>\n<style>\n" REPORT_STYLE
			    "</style></head>\n<body><main>\n<h1>heliograph-bench</h1>\n"
			    "<p class=\"about\">");
	put_text(out, result_text(about, "date"));
	buf_append_str(out, " · ");
	put_text(out, result_text(about, "processor"));
	buf_append_str(out, ", ");
	put_text(out, result_text(about, "cores"));
	buf_append_str(out, " cores, ");
	put_text(out, result_text(about, "memory"));
	buf_append_str(out, " · ");
	put_text(out, result_text(about, "kernel"));
	buf_append_str(out, " · version ");
	put_text(out, result_text(about, "version"));
	buf_append_str(out, "</p>\n");
	if (n > 1)
		put_overview(out, results, n);
	for (size_t i = 0; i < n; i++)
		put_result(out, results[i], i);
	buf_append_str(out, "</main></body></html>\n");
}
