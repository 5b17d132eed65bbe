/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From marks to figures, and what is said of them. Whole runs are in test_run.c.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bench/run.h"
#include "bench/summary.h"
#include "proto/base/mem.h"

static double get(const struct result *result, const char *name)
{
	double value = -1;

	cr_expect(result_get(result, name, &value), "%s", name);
	return value;
}

/* Marks of a run with one group of two processes, which used 2 s of CPU time each. */
static struct run *run_of_two(void)
{
	struct run *run = MEM_NEW(struct run);

	run->server.n = 1;
	(void)snprintf(run->server.groups[0].label, SERVER_LABEL_MAX, "gateway");
	for (int i = 0; i < RUN_MARKS; i++) {
		run->marks[i].is_taken = true;
		run->marks[i].at_us = i * 1000000;
		run->marks[i].servers[0].processes_n = 2;
	}
	run->marks[MARK_DRAIN].servers[0].cpu_us = 4000000;
	run->marks[MARK_DRAIN].servers[0].switches = 7;
	run->marks[MARK_DRAIN].stats.deliveries = 1000;
	return run;
}

Test(figures, what_processes_that_ended_cost_is_not_told)
{
	struct run *run = run_of_two();
	struct result *result = result_new();
	struct buf out = BUF_INIT;
	double value = 0;

	run_figures_of(run, &run->marks[MARK_END].stats, result);
	cr_expect_eq(get(result, "gateway_cpu_us_per_delivery"), 4000);
	cr_expect_eq(get(result, "gateway_processes_ended"), 0);
	result_free(result);

	result = result_new();
	run->marks[MARK_DRAIN].servers[0].processes_n = 1;
	run->marks[MARK_DRAIN].servers[0].cpu_us = 2000000;
	run_figures_of(run, &run->marks[MARK_END].stats, result);
	cr_expect_not(result_get(result, "gateway_cpu_us_per_delivery", &value));
	cr_expect_not(result_get(result, "gateway_cpu_s", &value));
	cr_expect_not(result_get(result, "gateway_switches_rate", &value));
	cr_expect_eq(get(result, "gateway_processes_ended"), 1);
	summary_print(result, &out);
	buf_append_byte(&out, '\0');
	cr_expect_not_null(
		strstr(out.ptr, "gateway      CPU unknown: 1 of its processes ended"),
		"%s", out.ptr);
	buf_fini(&out);
	result_free(result);
	mem_free(run);
}

static void expect_note(int due, double begun, double skipped, const char *note)
{
	struct result *result = result_new();
	struct buf out = BUF_INIT;
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", due);
	result_text_set(&result->options, "rate", slice_from_str(text));
	result_set(result, begun, "begun_rate");
	result_set(result, skipped, "skipped");
	result_set(result, 10, "measured_s");
	summary_print(result, &out);
	buf_append_byte(&out, '\0');
	if (note != NULL)
		cr_expect_not_null(strstr(out.ptr, note), "%s", out.ptr);
	else
		cr_expect_null(strstr(out.ptr, "note"), "%s", out.ptr);
	buf_fini(&out);
	result_free(result);
}

Test(figures, a_rate_that_was_not_kept_is_told)
{
	expect_note(100, 100, 0, NULL);
	expect_note(100, 96.8, 0, NULL); /* 968 and the two at the edges */
	expect_note(100, 96.7, 0, "100/s were due and 96.7/s were begun");
	expect_note(0, 5, 0, NULL);   /* a closed loop */
	expect_note(100, 0, 0, NULL); /* a scenario in which nothing is due */
	expect_note(100, 99, 10, "10 of what was due was not begun");
}
