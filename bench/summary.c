/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/search.h"
#include "bench/units.h"

/* Must be nothing, unless somebody says otherwise. */
static const struct {
	const char *name;
	const char *told;
} integrity[] = {
	{ "lost", "deliveries were lost: due to somebody who never got them" },
	{ "duplicates", "messages were delivered twice" },
	{ "reordered", "messages came after a later one of the same sender" },
	{ "strangers", "messages came to somebody they were not for" },
	{ "malformed", "messages were not understood" },
	{ "errors", "invocations or requests were answered with an error" },
	{ "unanswered", "invocations were never answered" },
	{ "connect_errors", "connections could not be opened" },
	{ "closes", "connections ended although nobody asked" },
};

/* The value or 0. */
static double get(const struct result *result, const char *name)
{
	double value = 0;

	return result_get(result, name, &value) ? value : 0;
}

static void print_connects(const struct result *result, struct buf *out)
{
	char t[4][UNITS_TEXT_MAX];

	buf_appendf(out, "connections  %s open, opened in %s (%s/s)",
		    units_number(t[0], get(result, "open")),
		    units_time(t[1], get(result, "connect_s") * 1e6),
		    units_number(t[2], get(result, "connect_rate")));
	if (get(result, "connect_p99_us") > 0)
		buf_appendf(out, ", p50 %s",
			    units_time(t[0], get(result, "connect_p50_us")));
	if (get(result, "connect_p99_us") > 0)
		buf_appendf(out, ", p99 %s",
			    units_time(t[0], get(result, "connect_p99_us")));
	if (get(result, "reconnect_rate") > 0)
		buf_appendf(out, ", %s/s while measured",
			    units_number(t[0], get(result, "reconnect_rate")));
	buf_append_byte(out, '\n');
}

static void print_rate(const struct result *result, struct buf *out, const char *title,
		       const char *count, const char *rate)
{
	char t[2][UNITS_TEXT_MAX];

	if (get(result, count) <= 0)
		return;
	buf_appendf(out, "%-12s %s, %s/s\n", title,
		    units_number(t[0], get(result, count)),
		    units_number(t[1], get(result, rate)));
}

static void print_latency(const struct result *result, struct buf *out, const char *title,
			  const char *prefix)
{
	static const char *const names[] = {
		"p50", "p90", "p99", "p999", "p9999", "max"
	};
	char t[UNITS_TEXT_MAX];
	char name[RESULT_NAME_MAX];
	double value = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s_%s_us", prefix, names[i]);
		if (!result_get(result, name, &value))
			return;
		if (i == 0)
			buf_appendf(out, "%-12s", title);
		buf_appendf(out, " %s %s%s", names[i], units_time(t, value),
			    i + 1 < sizeof(names) / sizeof(names[0]) ? "," : "\n");
	}
}

/* "server_cpu_us_per_delivery": the label is what stands before "_processes". */
static void print_cost(const struct result *result, struct buf *out, const char *label)
{
	static const char *const per[] = { "delivery", "answer", "item", "connect" };
	char name[RESULT_NAME_MAX];
	char t[UNITS_TEXT_MAX];
	double value = 0;

	(void)snprintf(name, sizeof(name), "%.31s_cpu_cores", label);
	if (result_get(result, name, &value)) {
		buf_appendf(out, "%-12.32s CPU %.1f%% of a core", label, value * 100);
	} else {
		(void)snprintf(name, sizeof(name), "%.31s_processes_ended", label);
		buf_appendf(out, "%-12.32s CPU unknown: %.0f of its processes ended",
			    label, get(result, name));
	}
	for (size_t i = 0; i < sizeof(per) / sizeof(per[0]); i++) {
		(void)snprintf(name, sizeof(name), "%.31s_cpu_us_per_%s", label, per[i]);
		if (result_get(result, name, &value))
			buf_appendf(out, ", %s a%s %s", units_time(t, value),
				    per[i][0] == 'a' || per[i][0] == 'i' ? "n" : "",
				    per[i]);
	}
	(void)snprintf(name, sizeof(name), "%.31s_rss_bytes", label);
	buf_appendf(out, ", %s", units_bytes(t, get(result, name)));
	(void)snprintf(name, sizeof(name), "%.31s_rss_bytes_per_connection", label);
	if (strcmp(label, "tool") != 0 && result_get(result, name, &value))
		buf_appendf(out, " (%s a connection)", units_bytes(t, value));
	(void)snprintf(name, sizeof(name), "%.31s_switches_per_million_deliveries",
		       label);
	if (result_get(result, name, &value))
		buf_appendf(out, ", %s switches a million deliveries",
			    units_number(t, value));
	buf_append_byte(out, '\n');
}

static void print_costs(const struct result *result, struct buf *out)
{
	static const char end[] = "_processes";

	for (size_t i = 0; i < result->figures_n; i++) {
		char label[RESULT_NAME_MAX];
		size_t len = strlen(result->figures[i].name);

		memcpy(label, result->figures[i].name, sizeof(label));
		if (len < sizeof(end) ||
		    strcmp(label + len - (sizeof(end) - 1), end) != 0)
			continue;
		label[len - (sizeof(end) - 1)] = '\0';
		print_cost(result, out, label);
	}
}

/* Where the tool itself may have been the limit, its figures are not the server's. */
static void print_doubts(const struct result *result, struct buf *out)
{
	/* 0: a closed loop, where nothing is due. */
	double rate = strtod(result_text(&result->options, "rate"), NULL);
	double begun = get(result, "begun_rate");
	double workers = get(result, "tool_processes");
	double skipped = get(result, "skipped");
	char t[2][UNITS_TEXT_MAX];

	if (workers > 0 && get(result, "tool_cpu_cores") > 0.9 * workers)
		buf_append_str(out, "note         the tool's processes were busy all the "
				    "time: it may have been the limit\n");
	/* A search goes beyond what is possible on purpose. */
	if (result->steps_n > 0)
		return;
	if (skipped > 0)
		buf_appendf(
			out,
			"note         %s of what was due was not begun: no client was "
			"free, or in_flight was reached\n",
			units_number(t[0], skipped));
	if (begun > 0 && !search_kept_pace(rate, begun, get(result, "measured_s")))
		buf_appendf(
			out,
			"note         %s/s were due and %s/s were begun: what was not "
			"has no latency\n",
			units_number(t[0], rate), units_number(t[1], begun));
}

void summary_print(const struct result *result, struct buf *out)
{
	char t[UNITS_TEXT_MAX];

	buf_appendf(out, "\n%s: %s over %s, %s, measured for %s%s\n",
		    result_text(&result->about, "label"),
		    result_text(&result->options, "protocol"),
		    result_text(&result->options, "transport"),
		    result_text(&result->options, "url"),
		    units_time(t, get(result, "measured_s") * 1e6),
		    strcmp(result_text(&result->about, "interrupted"), "yes") == 0
			    ? ", then interrupted"
			    : "");
	print_connects(result, out);
	print_rate(result, out, "sent", "measured_sent", "sent_rate");
	print_rate(result, out, "delivered", "measured_deliveries", "delivery_rate");
	print_rate(result, out, "answered", "measured_results", "answer_rate");
	print_rate(result, out, "items", "items", "item_rate");
	print_latency(result, out, "delivery", "delivery");
	print_latency(result, out, "answer", "answer");
	print_costs(result, out);
	if (result->steps_n > 0)
		buf_appendf(out, "search       the highest rate that held: %s\n",
			    units_number(t, get(result, "search_rate")));
	print_doubts(result, out);
}

static bool verdict_of(const struct result *result, const struct expect *expect,
		       struct buf *out)
{
	char t[UNITS_TEXT_MAX];
	char name[RESULT_NAME_MAX];
	double actual = 0;
	bool is_held = false;

	/* A time's unit may have been left out of its name. */
	(void)snprintf(name, sizeof(name), "%.59s_us", expect->name);
	if (!result_get(result, name, &actual))
		memcpy(name, expect->name, sizeof(name));
	if (expect_check(expect, result, &is_held, &actual) != OK) {
		buf_appendf(out, "FAILED       %.*s: nothing was measured\n",
			    SLICE_FMT(expect->text));
		return false;
	}
	if (expect->within_us >= 0)
		buf_appendf(out, "%-12s %.*s: %.4f%%\n", is_held ? "ok" : "FAILED",
			    SLICE_FMT(expect->text), actual * 100);
	else
		buf_appendf(out, "%-12s %.*s: %s\n", is_held ? "ok" : "FAILED",
			    SLICE_FMT(expect->text), units_figure(t, name, actual));
	return is_held;
}

bool summary_verdict(const struct result *result, const struct expect_list *expected,
		     struct buf *out)
{
	const char *trouble = result_text(&result->about, "trouble");
	bool is_well = true;

	for (size_t i = 0; i < sizeof(integrity) / sizeof(integrity[0]); i++) {
		double n = get(result, integrity[i].name);

		if (n <= 0 || expect_list_has(expected, integrity[i].name))
			continue;
		buf_appendf(out, "ERROR        %.0f %s\n", n, integrity[i].told);
		is_well = false;
	}
	if (!is_well && trouble[0] != '\0')
		buf_appendf(out, "ERROR        what went wrong last: %s\n", trouble);
	for (size_t i = 0; i < expected->n; i++)
		is_well = verdict_of(result, &expected->items[i], out) && is_well;
	return is_well;
}
