/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results in files and back, and the reports that are made of them.
 */
#include "bench/result.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bench/plot.h"
#include "bench/report.h"
#include "proto/base/mem.h"

#define NASTY "<script>\"&\\\n|\xc3\xa4"

static struct result *new_result(void)
{
	struct result *result = result_new();

	result_text_set(&result->about, "label", slice_from_str(NASTY));
	result_text_set(&result->about, "command", SLICE("heliograph-bench --rate=1"));
	result_text_set(&result->options, "rate", SLICE("1"));
	result_text_set(&result->options, "url", SLICE("http://127.0.0.1:1/x"));
	result_set(result, 0.1, "rate");
	result_set(result, 1.0 / 3, "p50_us");
	result_set(result, 12345678901.0, "p99_us");
	result_set(result, 3, "lost");
	result_set(result, 2.5, "gateway_cpu_us_per_delivery");
	result_set(result, 9, "server_cpu_us_per_delivery");
	result->curves[CURVE_ANSWER].n = 2;
	result->curves[CURVE_ANSWER].points[0] = (struct result_point){ 99.9, 7 };
	result->curves[CURVE_ANSWER].points[1] = (struct result_point){ 100, 70000 };
	for (int i = 0; i < 5; i++) {
		struct result_second *second = result_second_add(result);

		for (int k = 0; k < RESULT_COLUMNS_N; k++)
			second->values[k] = i * 100 + k;
	}
	result->steps[0] = (struct result_step){ 100, 99, 9900, 5, 6, true };
	result->steps[1] = (struct result_step){ 200, 150, 15000, 7, 8, false };
	result->steps_n = 2;
	return result;
}

static struct result *read_back(const struct result *result)
{
	struct result *copy = result_new();
	struct buf text = BUF_INIT;

	result_encode(result, &text);
	cr_assert_eq(result_decode(copy, buf_slice(&text)), OK);
	buf_fini(&text);
	return copy;
}

Test(result, a_file_gives_back_what_was_written)
{
	struct result *result = new_result();
	struct result *copy = read_back(result);

	cr_expect_str_eq(result_text(&copy->about, "label"), NASTY);
	cr_expect_str_eq(result_text(&copy->options, "url"), "http://127.0.0.1:1/x");
	cr_assert_eq(copy->figures_n, result->figures_n);
	for (size_t i = 0; i < copy->figures_n; i++) {
		cr_expect_str_eq(copy->figures[i].name, result->figures[i].name);
		cr_expect_eq(memcmp(&copy->figures[i].value, &result->figures[i].value,
				    sizeof(double)),
			     0);
	}
	cr_expect_eq(copy->curves[CURVE_DELIVERY].n, 0);
	cr_assert_eq(copy->curves[CURVE_ANSWER].n, 2);
	cr_expect_eq(memcmp(copy->curves[CURVE_ANSWER].points,
			    result->curves[CURVE_ANSWER].points,
			    2 * sizeof(struct result_point)),
		     0);
	cr_assert_eq(copy->seconds_n, 5);
	cr_expect_eq(
		memcmp(copy->seconds, result->seconds, 5 * sizeof(struct result_second)),
		0);
	cr_assert_eq(copy->steps_n, 2);
	cr_expect(copy->steps[0].is_held);
	cr_expect_not(copy->steps[1].is_held);
	cr_expect_float_eq(copy->steps[1].p99_us, 8, 1e-9);
	result_free(result);
	result_free(copy);
}

struct sample {
	const char *text;
	enum err rc;
};

static const struct sample samples[] = {
	{ "{\"heliograph_bench\":1,\"figures\":{\"rate\":1}}", OK },
	{ "{\"heliograph_bench\":1,\"more\":[{}],\"figures\":{\"rate\":1}}\n", OK },
	{ "{\"heliograph_bench\":2,\"figures\":{\"rate\":1}}", ERR_UNSUPPORTED },
	{ "{\"heliograph_bench\":1,\"figures\":{}}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"rate\":1}} x", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"rate\":\"1\"}}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"rate\":1e999}}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"\":1}}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"a\":1},\"steps\":[1]}", ERR_MALFORMED },
	{ "{\"heliograph_bench\":1,\"figures\":{\"a\":1},\"steps\":[[1,2,3,4,5,6,7]]}",
	  ERR_LIMIT },
	{ "{\"heliograph_bench\":1,\"figures\":{\"a\":1},"
	  "\"percentiles_us\":{\"answer\":[[1]]}}",
	  ERR_MALFORMED },
	{ "[]", ERR_MALFORMED },
	{ "", ERR_MALFORMED },
};

Test(result, what_is_no_result_is_refused)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct result *result = result_new();

		cr_expect_eq(result_decode(result, slice_from_str(samples[i].text)),
			     samples[i].rc, "%s", samples[i].text);
		result_free(result);
	}
}

/* `n` members or elements inside of `head` and `tail`. */
static enum err decode_many(const char *head, const char *each, size_t n,
			    const char *tail)
{
	struct result *result = result_new();
	struct buf text = BUF_INIT;
	enum err rc;

	buf_appendf(&text, "{\"heliograph_bench\":1,\"figures\":{\"a\":1}%s", head);
	for (size_t i = 0; i < n; i++) {
		buf_append_str(&text, i == 0 ? "" : ",");
		if (strchr(each, '%') != NULL)
			buf_appendf(&text, "\"f%zu\":%s", i, each + 1);
		else
			buf_append_str(&text, each);
	}
	buf_append_str(&text, tail);
	rc = result_decode(result, buf_slice(&text));
	buf_fini(&text);
	result_free(result);
	return rc;
}

Test(result, a_file_has_limits)
{
	cr_expect_eq(decode_many(",\"figures\":{", "%1", RESULT_FIGURES_MAX - 1, "}}"),
		     OK);
	cr_expect_eq(decode_many(",\"figures\":{", "%1", RESULT_FIGURES_MAX, "}}"),
		     ERR_LIMIT);
	cr_expect_eq(decode_many(",\"options\":{", "%\"x\"", RESULT_TEXTS_MAX, "}}"), OK);
	cr_expect_eq(decode_many(",\"options\":{", "%\"x\"", RESULT_TEXTS_MAX + 1, "}}"),
		     ERR_LIMIT);
	cr_expect_eq(decode_many(",\"steps\":[", "[1]", RESULT_STEPS_MAX, "]}"), OK);
	cr_expect_eq(decode_many(",\"steps\":[", "[1]", RESULT_STEPS_MAX + 1, "]}"),
		     ERR_LIMIT);
	cr_expect_eq(decode_many(",\"seconds\":[", "[1]", RESULT_SECONDS_MAX, "]}"), OK);
	cr_expect_eq(decode_many(",\"seconds\":[", "[1]", RESULT_SECONDS_MAX + 1, "]}"),
		     ERR_LIMIT);
	cr_expect_eq(decode_many(",\"percentiles_us\":{\"answer\":[", "[1,2]",
				 RESULT_POINTS_MAX, "]}}"),
		     OK);
	cr_expect_eq(decode_many(",\"percentiles_us\":{\"answer\":[", "[1,2]",
				 RESULT_POINTS_MAX + 1, "]}}"),
		     ERR_LIMIT);
}

Test(result, a_figure_is_found_with_and_without_its_unit)
{
	struct result *result = new_result();
	double value = 0;

	cr_expect(result_get(result, "p99", &value));
	cr_expect(result_get(result, "p99_us", &value));
	cr_expect_not(result_get(result, "p9", &value));
	cr_expect_not(result_get(result, "p99_", &value));
	result_set(result, 0.0 / 0.0, "nothing");
	cr_expect_not(result_get(result, "nothing", &value));
	result_free(result);
}

/* ---- reports */

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n++;
	return n;
}

static char *page_of(const struct result *const *results, size_t n)
{
	struct buf text = BUF_INIT;

	report_html(results, n, &text);
	buf_append_byte(&text, '\0');
	return text.ptr;
}

/* Whatever opens is closed, innermost first; true for what an HTML parser would mend
 * silently, too. */
static void expect_balanced(const char *page)
{
	char stack[64][16];
	size_t depth = 0;
	const char *at = strstr(page, "<html");

	while ((at = strchr(at, '<')) != NULL) {
		bool is_end = at[1] == '/';
		const char *name = at + (is_end ? 2 : 1);
		size_t len = strcspn(name, " >/\n");
		const char *end = strchr(at, '>');

		cr_assert_not_null(end);
		cr_assert_lt(len, sizeof(stack[0]));
		at = end;
		if (is_end) {
			cr_assert_gt(depth, 0);
			depth--;
			cr_assert_eq(strlen(stack[depth]), len);
			cr_assert_eq(strncmp(stack[depth], name, len), 0, "%.20s", name);
		} else if (end[-1] != '/' && strncmp(name, "meta", 4) != 0) {
			cr_assert_lt(depth, 64);
			memcpy(stack[depth], name, len);
			stack[depth++][len] = '\0';
		}
	}
	cr_expect_eq(depth, 0);
}

Test(report, a_page_needs_nothing_but_itself)
{
	struct result *result = new_result();
	const struct result *both[] = { result, result };
	char *page = page_of(both, 2);

	cr_expect_eq(count(page, "src="), 0);
	cr_expect_eq(count(page, "<link"), 0);
	cr_expect_eq(count(page, "<script"), 0);
	cr_expect_eq(count(page, "url("), 0);
	cr_expect_eq(count(page, "@import"), 0);
	cr_expect_eq(count(page, "href="), count(page, "href=\"#r"));
	cr_expect_geq(count(page, "<svg"), 8);
	cr_expect_gt(count(page, "&lt;script&gt;"), 0);
	cr_expect_gt(count(page, "prefers-color-scheme:dark"), 0);
	cr_expect_eq(count(page, "nan"), 0);
	cr_expect_eq(count(page, "\"inf"), 0);
	expect_balanced(page);
	mem_free(page);
	result_free(result);
}

Test(report, a_result_of_nothing_is_a_page_too)
{
	struct result *result = result_new();
	const struct result *one[] = { result };
	char *page = page_of(one, 1);

	cr_expect_gt(count(page, "nothing was measured"), 0);
	cr_expect_eq(count(page, "<svg"), 0);
	expect_balanced(page);
	mem_free(page);
	result_free(result);
}

Test(report, a_run_without_deliveries_has_plots_of_zeros)
{
	struct result *result = result_new();
	const struct result *one[] = { result };
	char *page;

	for (int i = 0; i < 3; i++)
		result_second_add(result)->values[RESULT_at] = i;
	page = page_of(one, 1);
	cr_expect_eq(count(page, "nan"), 0);
	cr_expect_eq(count(page, "inf"), 0);
	expect_balanced(page);
	mem_free(page);
	result_free(result);
}

Test(report, a_table_row_stays_a_row)
{
	struct result *result = new_result();
	const struct result *one[] = { result };
	struct buf text = BUF_INIT;
	const char *row;

	report_markdown(one, 1, &text);
	buf_append_byte(&text, '\0');
	row = strstr(text.ptr, "| <script>");
	cr_assert_not_null(row);
	cr_expect_not_null(strstr(row, " \\|"));
	cr_expect_not_null(strstr(row, "2.50 us/delivery"), "%s", row);
	cr_expect_not_null(strstr(row, "3 lost"));
	buf_fini(&text);
	result_free(result);
}

Test(report, a_comparison_says_what_is_better)
{
	struct result *before = new_result();
	struct result *after = new_result();
	struct buf text = BUF_INIT;
	const char *line;

	result_set(after, 0.2, "rate");
	result_set(after, 0.5, "p50_us");
	result_set(after, 12345678902.0, "p99_us");
	result_text_set(&after->options, "rate", SLICE("2"));
	report_compare(before, after, &text);
	buf_append_byte(&text, '\0');
	line = strstr(text.ptr, "\nrate ");
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, "x 2        better\n"), "%s", line);
	line = strstr(text.ptr, "\np50_us");
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, "x 1.5      WORSE\n"), "%s", line);
	line = strstr(text.ptr, "\np99_us");
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, "x 1        \n"), "%s", line);
	cr_expect_not_null(strstr(text.ptr, "1 -> 2\n"));
	buf_fini(&text);
	result_free(before);
	result_free(after);
}

Test(report, more_is_better_of_rates_and_worse_of_costs)
{
	cr_expect_eq(report_direction("delivery_rate"), 1);
	cr_expect_eq(report_direction("rate"), 1);
	cr_expect_eq(report_direction("p99_us"), -1);
	cr_expect_eq(report_direction("gateway_cpu_us_per_delivery"), -1);
	cr_expect_eq(report_direction("server_switches_rate"), -1);
	cr_expect_eq(report_direction("lost"), -1);
	cr_expect_eq(report_direction("sent"), 0);
}
