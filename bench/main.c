/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-bench: load on a SignalR server, and what it cost. Exit status 0: all is as
 * expected; 1: it could not be run; 2: it ran and something was not as expected.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/about.h"
#include "bench/output.h"
#include "bench/plan.h"
#include "bench/run.h"
#include "bench/scenario.h"
#include "bench/summary.h"
#include "bench/worker.h"
#include "proto/base/log.h"

#define EXIT_UNEXPECTED 2

static void list_print(void)
{
	for (size_t i = 0; scenarios[i] != NULL; i++)
		printf("%-22s %s\n%-22s rate: %s\n", scenarios[i]->name,
		       scenarios[i]->help, "", scenarios[i]->rate);
}

static bool has_flag(int argc, char *const *argv, const char *flag)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], flag) == 0)
			return true;
	}
	return false;
}

/* Workers inherit it: a client is a descriptor. */
static void descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* the plan counts with what is allowed */
}

static int verdict_print(const struct bench_conf *conf, const struct result *result)
{
	struct buf out = BUF_INIT;
	char error[EXPECT_ERROR_MAX];
	struct expect_list expected;
	bool is_well;

	if (expect_parse(slice_from_str(conf->expect), &expected, error) != OK)
		fatal("expect: %s", error);
	summary_print(result, &out);
	is_well = summary_verdict(result, &expected, &out);
	/* Where the result itself goes to stdout, people read stderr. */
	(void)fprintf(output_is_stdout(conf) ? stderr : stdout, "%.*s", (int)out.len,
		      out.ptr);
	buf_fini(&out);
	return is_well ? EXIT_SUCCESS : EXIT_UNEXPECTED;
}

static int bench(struct bench_conf *conf, int argc, char **argv)
{
	struct result *result = result_new();
	struct plan_machine machine;
	char why[EXPECT_ERROR_MAX];
	int status;

	plan_machine(&machine);
	if (plan_settle(conf, &machine, why) != OK || !output_fits(conf, why))
		fatal("%s", why);
	descriptors_raise();
	about_fill(result, conf, argc, argv);
	if (!run_go(conf, worker_run, result, why))
		fatal("%s", why);
	status = verdict_print(conf, result);
	if (!output_write(conf, result, why))
		fatal("%s", why);
	result_free(result);
	return status;
}

int main(int argc, char **argv)
{
	struct bench_conf conf = { 0 };
	char error[CONF_ERROR_MAX];
	enum conf_outcome outcome;
	int status = EXIT_SUCCESS;

	if (has_flag(argc, argv, "--list")) {
		list_print();
		return EXIT_SUCCESS;
	}
	log_open(LOG_LOGFMT, LOG_WARN, "bench");
	outcome = conf_load(&bench_conf_table, &conf, argc, argv, stdout, error);
	if (outcome == CONF_FAIL)
		fatal("%s", error);
	if (outcome == CONF_EXIT && has_flag(argc, argv, "--help")) {
		printf("\n  --list\n      Print the scenarios and exit:\n\n");
		list_print();
	}
	if (outcome == CONF_RUN && output_is_report(&conf))
		status = output_report(&conf, error) ? EXIT_SUCCESS : EXIT_FAILURE;
	else if (outcome == CONF_RUN)
		status = bench(&conf, argc, argv);
	if (status == EXIT_FAILURE)
		fatal("%s", error);
	if (outcome == CONF_RUN)
		conf_fini(&bench_conf_table, &conf);
	return status;
}
