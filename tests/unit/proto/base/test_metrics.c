/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exposition line by line, by the rules of "promtool check metrics".
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/metrics.h"
#include "proto/base/version.h"

struct counts {
	uint64_t invoke_total;
	uint64_t close_timeout_total;
	uint64_t close_limit_total;
	int64_t connections;
	struct histogram delay;
	struct histogram hop;
	struct lifetimes stay;
};

static const struct metric rows[] = {
	{ "link_invoke_total", METRIC_COUNTER, offsetof(struct counts, invoke_total),
	  NULL, "Invocations sent." },
	{ "conn_close_total", METRIC_COUNTER,
	  offsetof(struct counts, close_timeout_total), "reason=\"timeout\"",
	  "Connections closed." },
	{ "conn_close_total", METRIC_COUNTER, offsetof(struct counts, close_limit_total),
	  "reason=\"limit\"", "Connections closed." },
	{ "conn_open", METRIC_GAUGE, offsetof(struct counts, connections), NULL,
	  "Open connections." },
	{ "invoke_seconds", METRIC_HISTOGRAM, offsetof(struct counts, delay), NULL,
	  "Time to complete." },
	{ "hop_seconds", METRIC_HISTOGRAM, offsetof(struct counts, hop), "hop=\"router\"",
	  "Time a hop takes." },
	{ "stay_seconds", METRIC_LIFETIMES, offsetof(struct counts, stay), "by=\"door\"",
	  "How long they stay." },
};

static const struct metrics_table table = { rows, sizeof(rows) / sizeof(rows[0]) };

/* The exposition as a string the caller frees. */
static char *render(const struct counts *counts)
{
	struct buf out = BUF_INIT;

	metrics_render(&table, counts, &out);
	buf_append_byte(&out, '\0');
	return out.ptr;
}

static void expect_has(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "%s is not in\n%s", part, text);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		n++;
	}
	return n;
}

Test(metrics, counters_and_gauges_have_help_type_and_value)
{
	struct counts counts = { .invoke_total = UINT64_MAX, .connections = -3 };
	char *text = render(&counts);

	expect_has(text, "# HELP link_invoke_total Invocations sent.\n"
			 "# TYPE link_invoke_total counter\n"
			 "link_invoke_total 18446744073709551615\n");
	expect_has(text, "# HELP conn_open Open connections.\n"
			 "# TYPE conn_open gauge\n"
			 "conn_open -3\n");
	free(text);
}

Test(metrics, rows_of_one_name_share_a_head)
{
	struct counts counts = { .close_timeout_total = 4, .close_limit_total = 5 };
	char *text = render(&counts);

	expect_has(text, "# HELP conn_close_total Connections closed.\n"
			 "# TYPE conn_close_total counter\n"
			 "conn_close_total{reason=\"timeout\"} 4\n"
			 "conn_close_total{reason=\"limit\"} 5\n");
	free(text);
}

Test(metrics, counters_may_bring_their_labels)
{
	static const struct metric own[] = {
		{ "own_total", METRIC_COUNTERS, 0, NULL, "Counted by others." },
		{ "next_total", METRIC_COUNTER, sizeof(struct metric_counters), NULL,
		  "The next." },
	};
	static const struct metrics_table own_table = { own, 2 };
	struct {
		struct metric_counters own;
		uint64_t next_total;
	} values = { .next_total = 7 };
	struct buf out = BUF_INIT;

	metrics_render(&own_table, &values, &out);
	buf_append_byte(&out, '\0');
	expect_has(out.ptr, "# HELP own_total Counted by others.\n"
			    "# TYPE own_total counter\n# HELP next_total");
	metric_counters_add(&values.own, SLICE("hub=\"a\",name=\"x\""));
	metric_counters_add(&values.own, SLICE("hub=\"a\",name=\"y\""));
	values.own.items[1].value = UINT64_MAX;
	buf_clear(&out);
	metrics_render(&own_table, &values, &out);
	buf_append_byte(&out, '\0');
	expect_has(out.ptr, "# TYPE own_total counter\n"
			    "own_total{hub=\"a\",name=\"x\"} 0\n"
			    "own_total{hub=\"a\",name=\"y\"} 18446744073709551615\n"
			    "# HELP next_total");
	buf_clear(&out);
	metrics_render_empty(&own_table, &out);
	buf_fini(&out);
	metric_counters_fini(&values.own);
	cr_expect_eq(values.own.n, 0);
}

Test(metrics, an_empty_histogram_has_all_its_buckets)
{
	struct counts counts = { 0 };
	char *text = render(&counts);

	expect_has(text, "# TYPE invoke_seconds histogram\n"
			 "invoke_seconds_bucket{le=\"0.0001\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.00025\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.0005\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.001\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.0025\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.005\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.01\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.025\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.05\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.1\"} 0\n"
			 "invoke_seconds_bucket{le=\"0.25\"} 0\n"
			 "invoke_seconds_bucket{le=\"1\"} 0\n"
			 "invoke_seconds_bucket{le=\"10\"} 0\n"
			 "invoke_seconds_bucket{le=\"+Inf\"} 0\n"
			 "invoke_seconds_sum 0.000000\n"
			 "invoke_seconds_count 0\n");
	free(text);
}

Test(metrics, a_histogram_is_cumulative_and_in_seconds)
{
	struct counts counts = { 0 };
	char *text;

	histogram_add_us(&counts.hop, 100);
	histogram_add_us(&counts.hop, 101);
	histogram_add_us(&counts.hop, 2000000);
	text = render(&counts);
	expect_has(text, "hop_seconds_bucket{hop=\"router\",le=\"0.0001\"} 1\n"
			 "hop_seconds_bucket{hop=\"router\",le=\"0.00025\"} 2\n");
	expect_has(text, "hop_seconds_bucket{hop=\"router\",le=\"1\"} 2\n"
			 "hop_seconds_bucket{hop=\"router\",le=\"10\"} 3\n"
			 "hop_seconds_bucket{hop=\"router\",le=\"+Inf\"} 3\n"
			 "hop_seconds_sum{hop=\"router\"} 2.000201\n"
			 "hop_seconds_count{hop=\"router\"} 3\n");
	free(text);
}

Test(metrics, a_bound_is_inclusive_and_one_past_it_is_not)
{
	static const uint64_t bounds_us[] = { 100,    250,     500,	1000,  2500,
					      5000,   10000,   25000,	50000, 100000,
					      250000, 1000000, 10000000 };

	for (size_t i = 0; i < sizeof(bounds_us) / sizeof(bounds_us[0]); i++) {
		struct histogram histogram = { 0 };

		histogram_add_us(&histogram, bounds_us[i]);
		histogram_add_us(&histogram, bounds_us[i] + 1);
		cr_expect_eq(histogram.buckets[i], 1);
		cr_expect_eq(histogram.buckets[i + 1], 1);
	}
}

Test(metrics, a_histogram_takes_nothing_and_everything)
{
	struct histogram histogram = { 0 };

	histogram_add_us(&histogram, 0);
	histogram_add_us(&histogram, UINT64_MAX);
	cr_expect_eq(histogram.buckets[0], 1);
	cr_expect_eq(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

Test(metrics, a_quantile_of_nothing_is_none)
{
	const uint64_t buckets[HISTOGRAM_BUCKETS] = { 0 };

	cr_expect_eq(histogram_quantile_us(buckets, 500), -1);
}

Test(metrics, a_quantile_lies_evenly_within_its_bucket)
{
	/* 10 up to 0.1 ms, 80 between 1 and 2.5 ms, 10 between 5 and 10 ms */
	const uint64_t buckets[HISTOGRAM_BUCKETS] = { [0] = 10, [4] = 80, [6] = 10 };

	cr_expect_eq(histogram_quantile_us(buckets, 0), 0);
	cr_expect_eq(histogram_quantile_us(buckets, 50), 50);
	cr_expect_eq(histogram_quantile_us(buckets, 100), 100);
	cr_expect_eq(histogram_quantile_us(buckets, 500), 1750);
	cr_expect_eq(histogram_quantile_us(buckets, 900), 2500);
	cr_expect_eq(histogram_quantile_us(buckets, 950), 7500);
	cr_expect_eq(histogram_quantile_us(buckets, 1000), 10000);
}

Test(metrics, a_quantile_past_all_bounds_is_the_last_one)
{
	const uint64_t buckets[HISTOGRAM_BUCKETS] = { [0] = 1,
						      [HISTOGRAM_BUCKETS - 1] =
							      UINT64_MAX };

	cr_expect_eq(histogram_quantile_us(buckets, 500), 10000000);
}

Test(metrics, lifetimes_are_cumulative_and_in_seconds)
{
	struct counts counts = { 0 };
	char *text;

	lifetimes_add_us(&counts.stay, 0);
	lifetimes_add_us(&counts.stay, 1500000);
	lifetimes_add_us(&counts.stay, 86400000007);
	text = render(&counts);
	expect_has(text, "# TYPE stay_seconds histogram\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.01\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.02\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.05\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.1\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.2\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"0.5\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"1\"} 1\n"
			 "stay_seconds_bucket{by=\"door\",le=\"2\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"5\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"10\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"30\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"60\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"120\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"300\"} 2\n"
			 "stay_seconds_bucket{by=\"door\",le=\"+Inf\"} 3\n"
			 "stay_seconds_sum{by=\"door\"} 86401.500007\n"
			 "stay_seconds_count{by=\"door\"} 3\n");
	free(text);
}

Test(metrics, a_lifetime_of_a_bound_is_below_it_and_one_past_it_is_not)
{
	static const uint64_t bounds_us[] = { 10000,	 20000,	   50000,    100000,
					      200000,	 500000,   1000000,  2000000,
					      5000000,	 10000000, 30000000, 60000000,
					      120000000, 300000000 };
	struct lifetimes all = { 0 };

	for (size_t i = 0; i < sizeof(bounds_us) / sizeof(bounds_us[0]); i++) {
		struct lifetimes lifetimes = { 0 };

		lifetimes_add_us(&lifetimes, bounds_us[i]);
		lifetimes_add_us(&lifetimes, bounds_us[i] + 1);
		cr_expect_eq(lifetimes.buckets[i], 1);
		cr_expect_eq(lifetimes.buckets[i + 1], 1);
	}
	lifetimes_add_us(&all, UINT64_MAX);
	cr_expect_eq(all.buckets[LIFETIMES_BUCKETS - 1], 1);
}

Test(metrics, an_empty_exposition_is_that_of_zeros)
{
	static const struct metrics_table last = { &rows[6], 1 };
	struct counts counts = { 0 };
	struct buf empty = BUF_INIT;
	char *text = render(&counts);
	size_t own;

	metrics_render_empty(&table, &empty);
	buf_append_byte(&empty, '\0');
	own = (size_t)(strstr(text, "# HELP process_") - text);
	cr_expect_eq(strncmp(empty.ptr, text, own), 0, "%s", empty.ptr);
	buf_clear(&empty);
	metrics_render_empty(&last, &empty);
	buf_append_byte(&empty, '\0');
	expect_has(empty.ptr, "stay_seconds_count{by=\"door\"} 0\n");
	buf_fini(&empty);
	free(text);
}

Test(metrics, help_is_escaped)
{
	static const struct metric odd[] = { { "odd_total", METRIC_COUNTER, 0, NULL,
					       "a\\b\nc" } };
	const struct metrics_table odd_table = { odd, 1 };
	uint64_t value = 0;
	struct buf out = BUF_INIT;

	metrics_render(&odd_table, &value, &out);
	buf_append_byte(&out, '\0');
	expect_has(out.ptr, "# HELP odd_total a\\\\b\\nc\n# TYPE");
	buf_fini(&out);
}

Test(metrics, the_build_tells_its_version)
{
	struct counts counts = { 0 };
	char *text = render(&counts);

	expect_has(text, "# TYPE heliograph_build_info gauge\n"
			 "heliograph_build_info{version=\"" HELIOGRAPH_VERSION "\"} 1\n");
	free(text);
}

/* The number behind `name` at the start of a line. */
static double value_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	cr_assert_not_null(at, "%s is missing", name);
	return strtod(at + strlen(name), NULL);
}

Test(metrics, the_process_tells_memory_descriptors_cpu_and_start)
{
	struct counts counts = { 0 };
	char *text = render(&counts);

	cr_expect_gt(value_of(text, "\nprocess_resident_memory_bytes "), 1 << 20);
	cr_expect_geq(value_of(text, "\nheliograph_memory_limit_bytes "),
		      value_of(text, "\nprocess_resident_memory_bytes "));
	cr_expect_geq(value_of(text, "\nheliograph_loop_stalls_total "), 0);
	cr_expect_geq(value_of(text, "\nheliograph_loop_stalled_seconds_total "), 0);
	cr_expect_geq(value_of(text, "\nprocess_cpu_seconds_total "), 0);
	cr_expect_leq(value_of(text, "\nprocess_cpu_seconds_total "), 3600);
	cr_expect_leq(value_of(text, "\nprocess_start_time_seconds "),
		      (double)time(NULL) + 1);
	cr_expect_geq(value_of(text, "\nprocess_start_time_seconds "),
		      (double)time(NULL) - 600);
	free(text);
}

/* Asked for longer than a second, in which the fractions of two clocks differ. */
Test(metrics, the_start_does_not_move)
{
	struct counts counts = { 0 };
	const time_t end = time(NULL) + 2;
	char *first = render(&counts);
	const double start = value_of(first, "\nprocess_start_time_seconds ");

	while (time(NULL) <= end) {
		char *text = render(&counts);

		cr_assert_eq(value_of(text, "\nprocess_start_time_seconds "), start);
		free(text);
	}
	free(first);
}

/* Older kernels do not tell, and then there is no such row. */
static size_t has_fds(void)
{
	struct stat fds;

	return stat("/proc/self/fd", &fds) == 0 && fds.st_size > 0 ? 1 : 0;
}

Test(metrics, open_fds_grow_by_what_is_opened)
{
	struct counts counts = { 0 };
	char *before = render(&counts);
	int fds[2];
	char *after;

	cr_assert_eq(pipe(fds), 0);
	after = render(&counts);
	if (has_fds())
		cr_expect_eq(value_of(after, "\nprocess_open_fds "),
			     value_of(before, "\nprocess_open_fds ") + 2);
	else
		cr_expect_null(strstr(after, "process_open_fds"));
	close(fds[0]);
	close(fds[1]);
	free(before);
	free(after);
}

Test(metrics, max_fds_is_the_limit_as_it_stands)
{
	struct counts counts = { 0 };
	struct rlimit limit;
	char *text;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_gt(limit.rlim_cur, 40);
	limit.rlim_cur--;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	text = render(&counts);
	cr_expect_eq(value_of(text, "\nprocess_max_fds "), (double)limit.rlim_cur);
	free(text);
}

Test(metrics, every_name_has_one_head_and_the_text_ends_with_a_newline)
{
	struct counts counts = { 0 };
	char *text = render(&counts);

	cr_expect_eq(occurrences(text, "# HELP "), 6 + 8 + has_fds());
	cr_expect_eq(occurrences(text, "# TYPE "), 6 + 8 + has_fds());
	cr_expect_eq(occurrences(text, "# TYPE conn_close_total "), 1);
	cr_expect_eq(text[strlen(text) - 1], '\n');
	cr_expect_null(strstr(text, "\n\n"));
	free(text);
}

Test(metrics, render_appends)
{
	struct counts counts = { 0 };
	struct buf out = BUF_INIT;

	buf_append_str(&out, "before\n");
	metrics_render(&table, &counts, &out);
	cr_expect(
		slice_starts_with(buf_slice(&out), SLICE("before\n# HELP link_invoke")));
	buf_fini(&out);
}

/* ---- names that promtool would refuse are programmer errors */

static void render_row(const struct metric *row, size_t n)
{
	const struct metrics_table bad = { row, n };
	struct counts counts = { 0 };
	struct buf out = BUF_INIT;

	metrics_render(&bad, &counts, &out);
	buf_fini(&out);
}

Test(metrics, a_counter_without_total_is_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "invokes", METRIC_COUNTER, 0, NULL, "Help." }, 1);
}

Test(metrics, a_gauge_with_total_is_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "conn_total", METRIC_GAUGE, 0, NULL, "Help." }, 1);
}

Test(metrics, camel_case_is_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "connOpen", METRIC_GAUGE, 0, NULL, "Help." }, 1);
}

Test(metrics, no_help_is_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "conn_open", METRIC_GAUGE, 0, NULL, "" }, 1);
}

Test(metrics, a_histogram_in_other_units_is_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "delay_ms", METRIC_HISTOGRAM,
				     offsetof(struct counts, delay), NULL, "Help." },
		   1);
}

Test(metrics, lifetimes_in_other_units_are_a_bug, .signal = SIGABRT)
{
	render_row(&(struct metric){ "stay_ms", METRIC_LIFETIMES,
				     offsetof(struct counts, stay), NULL, "Help." },
		   1);
}

Test(metrics, a_name_that_returns_is_a_bug, .signal = SIGABRT)
{
	static const struct metric returning[] = {
		{ "a_total", METRIC_COUNTER, 0, "k=\"1\"", "Help." },
		{ "b_total", METRIC_COUNTER, 0, NULL, "Help." },
		{ "a_total", METRIC_COUNTER, 0, "k=\"2\"", "Help." },
	};

	render_row(returning, 3);
}
