/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bench/units.h"

#define SAME_PERCENT 5.0

const char *const report_titles[REPORT_COLUMNS] = {
	"run", "connections", "rate", "p50", "p99", "max", "CPU", "memory", "faults",
};

static const char *const faults[] = {
	"lost",	     "duplicates", "reordered",	     "strangers",
	"malformed", "errors",	   "connect_errors", "closes",
};

/* ---- cells */

static void put_figure(const struct result *result, const char *name,
		       char out[REPORT_CELL_MAX])
{
	char text[UNITS_TEXT_MAX];
	double value = 0;

	if (result_get(result, name, &value))
		(void)snprintf(out, REPORT_CELL_MAX, "%s",
			       units_figure(text, name, value));
}

static void put_rate(const struct result *result, char out[REPORT_CELL_MAX])
{
	char text[UNITS_TEXT_MAX];
	double value = 0;

	if (result->steps_n > 0 && result_get(result, "search_rate", &value) &&
	    value <= 0)
		(void)snprintf(out, REPORT_CELL_MAX, "none held");
	else if (result->steps_n > 0 && result_get(result, "delivery_rate", &value))
		(void)snprintf(out, REPORT_CELL_MAX, "max %s/s",
			       units_number(text, value));
	else if (result_get(result, "rate", &value))
		(void)snprintf(out, REPORT_CELL_MAX, "%s/s", units_number(text, value));
}

/* The gateway's where it has figures of its own, else the server's. */
static bool get_cost(const struct result *result, const char *end, double *value)
{
	char name[RESULT_NAME_MAX];

	(void)snprintf(name, sizeof(name), "gateway_%s", end);
	if (result_get(result, name, value))
		return true;
	(void)snprintf(name, sizeof(name), "server_%s", end);
	return result_get(result, name, value);
}

static void put_cpu(const struct result *result, char out[REPORT_CELL_MAX])
{
	static const char *const per[] = { "delivery", "item", "answer", "connect" };
	char name[RESULT_NAME_MAX];
	char text[UNITS_TEXT_MAX];
	double value = 0;

	for (size_t i = 0; i < sizeof(per) / sizeof(per[0]); i++) {
		(void)snprintf(name, sizeof(name), "cpu_us_per_%s", per[i]);
		if (!get_cost(result, name, &value))
			continue;
		(void)snprintf(out, REPORT_CELL_MAX, "%s/%s", units_time(text, value),
			       per[i]);
		return;
	}
}

static void put_memory(const struct result *result, char out[REPORT_CELL_MAX])
{
	char all[UNITS_TEXT_MAX];
	char one[UNITS_TEXT_MAX];
	double rss = 0;
	double each = 0;

	if (!get_cost(result, "rss_bytes", &rss))
		return;
	(void)snprintf(out, REPORT_CELL_MAX, "%s", units_bytes(all, rss));
	/* Only of a server that has been asleep before is this what a connection takes:
	 * another has memory left from earlier runs. */
	if (strcmp(result_text(&result->about, "scenario"), "idle") == 0 &&
	    get_cost(result, "rss_bytes_per_connection", &each))
		(void)snprintf(out, REPORT_CELL_MAX, "%s, %s each", all,
			       units_bytes(one, each));
}

static void put_faults(const struct result *result, char out[REPORT_CELL_MAX])
{
	struct buf text = BUF_INIT;
	double value = 0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (result_get(result, faults[i], &value) && value > 0)
			buf_appendf(&text, "%s%.0f %s", text.len > 0 ? ", " : "", value,
				    faults[i]);
	}
	if (text.len == 0)
		buf_append_str(&text, "none");
	/* Cut when too long: they are all in the other tables. */
	if (text.len >= REPORT_CELL_MAX)
		text.len = REPORT_CELL_MAX - 1;
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
	buf_fini(&text);
}

void report_cell(const struct result *result, size_t column, char out[REPORT_CELL_MAX])
{
	static const char *const figures[REPORT_COLUMNS] = {
		NULL, "open", NULL, "p50_us", "p99_us", "max_us", NULL, NULL, NULL,
	};

	assert(column < REPORT_COLUMNS);
	out[0] = '\0';
	if (figures[column] != NULL)
		put_figure(result, figures[column], out);
	else if (column == 0)
		(void)snprintf(out, REPORT_CELL_MAX, "%s",
			       result_text(&result->about, "label"));
	else if (column == 2)
		put_rate(result, out);
	else if (column == 6)
		put_cpu(result, out);
	else if (column == 7)
		put_memory(result, out);
	else
		put_faults(result, out);
}

/* ---- Markdown */

/* A cell ends at a bar and a row at a line's end. */
static void put_markdown(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_append_byte(out, '\\');
		buf_append_byte(out, *text == '\n' ? ' ' : *text);
	}
}

void report_markdown(const struct result *const *results, size_t n, struct buf *out)
{
	const struct result_texts *about = &results[0]->about;

	assert(n > 0);
	buf_appendf(out, "%s, %s, %s cores, %s; heliograph %s, %s\n\n",
		    result_text(about, "date"), result_text(about, "kernel"),
		    result_text(about, "cores"), result_text(about, "memory"),
		    result_text(about, "version"), result_text(about, "compiler"));
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		buf_appendf(out, "| %s ", report_titles[i]);
	buf_append_str(out, "|\n");
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		buf_append_str(out, "| --- ");
	buf_append_str(out, "|\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < REPORT_COLUMNS; k++) {
			char cell[REPORT_CELL_MAX];

			report_cell(results[i], k, cell);
			buf_append_str(out, "| ");
			put_markdown(out, cell);
			buf_append_byte(out, ' ');
		}
		buf_append_str(out, "|\n");
	}
	buf_append_byte(out, '\n');
	for (size_t i = 0; i < n; i++)
		buf_appendf(out, "    %s\n", result_text(&results[i]->about, "command"));
}

/* ---- two side by side */

static bool has_part(const char *name, const char *part)
{
	return strstr(name, part) != NULL;
}

int report_direction(const char *name)
{
	static const char *const more[] = { "_rate", "open" };
	static const char *const less[] = { "_us",	  "rss",	"cpu",
					    "switches",	  "lost",	"errors",
					    "duplicates", "reordered",	"gaps",
					    "strangers",  "malformed",	"skipped",
					    "closes",	  "unanswered", "connect_s" };

	if (strcmp(name, "rate") == 0)
		return 1;
	/* First, since a rate of context switches is a cost. */
	for (size_t i = 0; i < sizeof(less) / sizeof(less[0]); i++) {
		if (has_part(name, less[i]))
			return -1;
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (has_part(name, more[i]))
			return 1;
	}
	return 0;
}

/* Where results go is no difference between runs. */
static bool is_of_output(const char *name)
{
	static const char *const names[] = { "json",	"html",	    "markdown",
					     "compare", "expect",   "report",
					     "label",	"progress", "server_pids" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void compare_texts(const struct result_texts *before,
			  const struct result_texts *after, struct buf *out)
{
	for (size_t i = 0; i < after->n; i++) {
		const char *was = result_text(before, after->items[i].name);

		if (is_of_output(after->items[i].name) ||
		    strcmp(was, after->items[i].value) == 0)
			continue;
		buf_appendf(out, "%-36s %s -> %s\n", after->items[i].name,
			    was[0] != '\0' ? was : "(none)", after->items[i].value);
	}
}

static const char *judge(int direction, double before, double after)
{
	double percent = before > 0 ? (after / before - 1) * 100 : after > 0 ? 100 : 0;

	if (direction == 0 || (percent < SAME_PERCENT && percent > -SAME_PERCENT))
		return "";
	return (percent > 0) == (direction > 0) ? "better" : "WORSE";
}

static void compare_figure(const struct result_figure *after, double before,
			   struct buf *out)
{
	int direction = report_direction(after->name);
	char ratio[UNITS_TEXT_MAX] = "";
	char a[UNITS_TEXT_MAX];
	char b[UNITS_TEXT_MAX];

	if (before <= 0 && after->value <= 0)
		return;
	if (before > 0)
		(void)snprintf(ratio, sizeof(ratio), "%.3g", after->value / before);
	buf_appendf(out, "%-36s %14s %14s  x %-8s %s\n", after->name,
		    units_figure(a, after->name, before),
		    units_figure(b, after->name, after->value), ratio,
		    judge(direction, before, after->value));
}

void report_compare(const struct result *before, const struct result *after,
		    struct buf *out)
{
	buf_appendf(out, "\n%-36s %14s %14s\n", "", "before", "after");
	for (size_t i = 0; i < after->figures_n; i++) {
		double value = 0;

		/* Both, or there is nothing to compare. */
		if (result_get(before, after->figures[i].name, &value))
			compare_figure(&after->figures[i], value, out);
	}
	buf_append_byte(out, '\n');
	compare_texts(&before->about, &after->about, out);
	compare_texts(&before->options, &after->options, out);
}
