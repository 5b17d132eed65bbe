/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --print-metrics of a program that has metrics, and of one that has none.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/base/metrics.h"
#include "proto/base/proc.h"
#include "tests/unit/proto/base/proc_kit.h"

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("t1"),
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests the skeleton.",
	.flags = PROC_FLAGS,
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

static const struct metric rows[] = {
	{ "test_starts_total", METRIC_COUNTER, 8, NULL, "Starts." },
};

static const struct metrics_table metrics = { rows, 1 };

static void *start(struct proc *proc)
{
	proc_ready(proc, "%s", "");
	proc_drained(proc);
	return proc;
}

static void nothing(struct proc *proc, void *state)
{
	cr_assert_eq(proc, state);
}

static int run(struct child *child, const struct metrics_table *of, const char *flag)
{
	const struct proc_ops ops = {
		.conf = &table,
		.conf_bytes = sizeof(struct proc_conf),
		.metrics = of,
		.start = start,
		.drain = nothing,
		.stop = nothing,
	};

	child_start(child, &ops, flag, NULL);
	return child_wait(child);
}

static void expect_has(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "%s is not in\n%s", part, text);
}

Test(proc_metrics, they_are_printed_and_nothing_is_started)
{
	struct child child;

	cr_expect_eq(run(&child, &metrics, "--print-metrics"), 0);
	expect_has(child.out_text, "# HELP test_starts_total Starts.\n"
				   "# TYPE test_starts_total counter\n"
				   "test_starts_total 0\n");
	expect_has(child.out_text, "# TYPE heliograph_build_info gauge\n");
	cr_expect_null(strstr(child.out_text, "ready "));
	cr_expect_str_empty(child.err_text);
}

Test(proc_metrics, help_tells_of_it)
{
	struct child child;

	cr_expect_eq(run(&child, &metrics, "--help"), 0);
	expect_has(child.out_text, "\n  --print-metrics\n");
}

Test(proc_metrics, a_program_without_metrics_has_no_such_flag)
{
	struct child child;

	cr_expect_eq(run(&child, NULL, "--print-metrics"), 1);
	expect_has(child.err_text, "--print-metrics");
	cr_expect_str_empty(child.out_text);
}
