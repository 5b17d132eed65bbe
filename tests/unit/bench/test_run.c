/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole runs with workers that are made up: they count what a real one would, of a server
 * that is known.
 */
#include "bench/run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/summary.h"
#include "proto/base/conf_value.h"
#include "proto/base/loop.h"

#define TICK_US 500
#define FAST_US 100
#define SLOW_US 50000
#define CAPACITY_MILLI 1000000 /* a second, x 1000 */

/* What a worker does at each tick while messages flow. */
typedef void tick_fn(struct share *share, double messages);

static int work(struct share *share, tick_fn *tick)
{
	int64_t last_us = loop_clock_us();

	share->stats.open = 5;
	share->stats.connects = 5;
	share->stats.connects_started = 5;
	for (;;) {
		int phase = atomic_load(&share->phase);
		int64_t now_us = loop_clock_us();
		double rate = (double)atomic_load(&share->rate_milli) / 1000;

		if (phase == PHASE_CLOSE)
			return 0;
		if (phase == PHASE_WARM_UP || phase == PHASE_MEASURE)
			tick(share, rate * (double)(now_us - last_us) / 1e6);
		last_us = now_us;
		atomic_store(&share->phase_done, phase);
		(void)usleep(TICK_US);
	}
}

static void deliver(struct stats *stats, uint64_t n, bool is_measured, int64_t latency_us)
{
	stats->begun += n;
	stats->sent += n;
	stats->due_deliveries += n;
	stats->deliveries += n;
	if (is_measured)
		histogram_add_n(&stats->delivery_us, latency_us, n);
}

static void tick_well(struct share *share, double messages)
{
	(void)messages;
	deliver(&share->stats, 1, atomic_load(&share->phase) == PHASE_MEASURE, FAST_US);
}

static int be_well(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	(void)number;
	return work(share, tick_well);
}

/* The first message of each worker is lost. */
static int lose(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	(void)number;
	share->stats.due_deliveries = 1;
	return work(share, tick_well);
}

static void tick_interrupt(struct share *share, double messages)
{
	tick_well(share, messages);
	if (share->stats.sent == 20)
		(void)kill(getppid(), SIGINT);
}

static int interrupt(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	return work(share, number == 0 ? tick_interrupt : tick_well);
}

static int interrupt_early(const struct bench_conf *conf, uint32_t number,
			   struct share *share)
{
	(void)conf;
	(void)share;
	if (number == 0)
		(void)kill(getppid(), SIGINT);
	(void)pause();
	return 0;
}

static int open_nothing(const struct bench_conf *conf, uint32_t number,
			struct share *share)
{
	(void)conf;
	(void)number;
	atomic_store(&share->phase_done, PHASE_CONNECT);
	(void)pause();
	return 0;
}

/* An invocation of each worker has no answer. */
static int keep_silent(const struct bench_conf *conf, uint32_t number,
		       struct share *share)
{
	(void)conf;
	(void)number;
	(void)snprintf(share->trouble, sizeof(share->trouble), "the server is tired");
	share->stats.invocations = 3;
	share->stats.results = 1;
	share->stats.errors = 1;
	return work(share, tick_well);
}

/* Whole messages that are due to one of two workers. */
static uint64_t whole(double messages)
{
	static double due;
	uint64_t n;

	due += messages / 2;
	n = (uint64_t)due;
	due -= (double)n;
	return n;
}

static bool is_too_much(struct share *share)
{
	return atomic_load(&share->rate_milli) > CAPACITY_MILLI;
}

/* A server that is fast up to its capacity and slow above it. */
static void tick_model(struct share *share, double messages)
{
	deliver(&share->stats, whole(messages), true,
		is_too_much(share) ? SLOW_US : FAST_US);
}

/* ... that is always fast, and loses something above its capacity. */
static void tick_lossy(struct share *share, double messages)
{
	deliver(&share->stats, whole(messages), true, FAST_US);
	if (is_too_much(share) && messages > 0)
		share->stats.due_deliveries++;
}

static int serve_lossy(const struct bench_conf *conf, uint32_t number,
		       struct share *share)
{
	(void)conf;
	(void)number;
	return work(share, tick_lossy);
}

/* ... that always answers, with errors above its capacity. */
static void tick_refusing(struct share *share, double messages)
{
	deliver(&share->stats, whole(messages), true, FAST_US);
	if (is_too_much(share))
		share->stats.errors++;
}

static int serve_refusing(const struct bench_conf *conf, uint32_t number,
			  struct share *share)
{
	(void)conf;
	(void)number;
	return work(share, tick_refusing);
}

/* ... that above its capacity delivers every second one only when no more comes. */
static void tick_late(struct share *share, double messages)
{
	static uint64_t count;
	static uint64_t held;
	const uint64_t n = whole(messages);
	const uint64_t late = is_too_much(share) ? (count + n) / 2 - count / 2 : 0;

	if (atomic_load(&share->rate_milli) == STATS_RATE_PAUSED) {
		share->stats.deliveries += held;
		histogram_add_n(&share->stats.delivery_us, SLOW_US, held);
		held = 0;
	}
	count += n;
	held += late;
	share->stats.begun += late;
	share->stats.due_deliveries += late;
	deliver(&share->stats, n - late, true, FAST_US);
}

static int serve_late(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	(void)number;
	return work(share, tick_late);
}

static int serve_model(const struct bench_conf *conf, uint32_t number,
		       struct share *share)
{
	(void)conf;
	(void)number;
	return work(share, tick_model);
}

static struct bench_conf *new_conf(void)
{
	struct bench_conf *conf = conf_values_new(&bench_conf_table);

	conf->workers = 2;
	conf->rate = 100;
	conf->warm_up_ms = 0;
	conf->duration_ms = 150;
	conf->drain_ms = 20;
	conf->progress = false;
	return conf;
}

static void set(struct bench_conf *conf, const char *name, const char *value)
{
	struct buf why = BUF_INIT;

	for (size_t i = 0; i < bench_conf_table.n; i++) {
		const struct conf_option *option = &bench_conf_table.options[i];

		if (strcmp(option->name, name) == 0)
			cr_assert_eq(
				conf_value_set(option, conf, slice_from_str(value), &why),
				OK);
	}
	buf_fini(&why);
}

static double get(const struct result *result, const char *name)
{
	double value = -1;

	cr_expect(result_get(result, name, &value), "%s", name);
	return value;
}

/* The run's reason to fail; "" when it did not. */
static const char *run(struct bench_conf *conf, team_work_fn *fn, struct result *result)
{
	static char why[EXPECT_ERROR_MAX];

	why[0] = '\0';
	set(conf, "server_pids", "none");
	if (run_go(conf, fn, result, why))
		cr_expect_str_empty(why);
	else
		cr_expect_str_not_empty(why);
	return why;
}

static bool verdict(const struct result *result, const char *expected, const char *part)
{
	char error[EXPECT_ERROR_MAX];
	struct buf out = BUF_INIT;
	struct expect_list list;
	bool is_well;

	cr_assert_eq(expect_parse(slice_from_str(expected), &list, error), OK);
	summary_print(result, &out);
	is_well = summary_verdict(result, &list, &out);
	buf_append_byte(&out, '\0');
	cr_expect_not_null(strstr(out.ptr, part), "%s in %s", part, out.ptr);
	buf_fini(&out);
	return is_well;
}

Test(run, a_run_tells_what_its_workers_counted)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	cr_assert_str_empty(run(conf, be_well, result));
	cr_expect_eq(get(result, "open"), 10);
	cr_expect_eq(get(result, "connects"), 10);
	cr_expect_eq(get(result, "lost"), 0);
	cr_expect_gt(get(result, "measured_deliveries"), 10);
	cr_expect_eq(get(result, "rate"), get(result, "delivery_rate"));
	cr_expect_geq(get(result, "measured_s"), 0.15);
	cr_expect_eq(get(result, "p99_us"), FAST_US);
	cr_expect_eq(get(result, "delivery_max_us"), FAST_US);
	cr_expect_eq(get(result, "tool_processes"), 2);
	cr_expect_gt(get(result, "tool_cpu_us_per_delivery"), 0);
	cr_expect_str_eq(result_text(&result->about, "interrupted"), "no");
	cr_expect(verdict(result, "p99<1ms,lost=0", "ok           p99<1ms: 100 us"));
	cr_expect_not(verdict(result, "p99>1ms", "FAILED       p99>1ms: 100 us"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, what_is_lost_is_told_and_is_an_error)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	cr_assert_str_empty(run(conf, lose, result));
	cr_expect_eq(get(result, "lost"), 2);
	cr_expect_not(verdict(result, "", "ERROR        2 deliveries were lost"));
	/* Unless it is expected. */
	cr_expect(verdict(result, "lost<=2", "ok           lost<=2: 2"));
	cr_expect_not(verdict(result, "lost<2", "FAILED       lost<2: 2"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, what_is_never_answered_is_told_and_is_an_error)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	cr_assert_str_empty(run(conf, keep_silent, result));
	cr_expect_eq(get(result, "unanswered"), 2);
	cr_expect_not(
		verdict(result, "errors=2", "ERROR        2 invocations were never"));
	cr_expect(verdict(result, "errors=2,unanswered=2", "ok           unanswered=2"));
	cr_expect_not(
		verdict(result, "", "ERROR        what went wrong last: the server is"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, an_interrupted_run_has_a_result)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	conf->duration_ms = 3600000;
	cr_assert_str_empty(run(conf, interrupt, result));
	cr_expect_str_eq(result_text(&result->about, "interrupted"), "yes");
	cr_expect_gt(get(result, "measured_deliveries"), 0);
	cr_expect(verdict(result, "", "then interrupted"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, interrupted_too_early_there_is_none)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	cr_expect_not_null(strstr(run(conf, interrupt_early, result), "interrupted"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, without_a_connection_there_is_nothing_to_measure)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	cr_expect_not_null(strstr(run(conf, open_nothing, result), "no connection"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, conditions_are_checked_before_anything_runs)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	set(conf, "expect", "p98<1ms");
	cr_expect_not_null(strstr(run(conf, be_well, result), "p98"));
	set(conf, "expect", "");
	set(conf, "search", "p99<1parsec");
	cr_expect_not_null(strstr(run(conf, be_well, result), "parsec"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

static void search_up(struct bench_conf *conf)
{
	set(conf, "search", "p99<10ms,within(10ms)>=99%");
	conf->warm_up_ms = 5;
	conf->duration_ms = 100;
	conf->rate = conf->search_from = 300;
}

Test(run, a_search_finds_the_models_capacity)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	search_up(conf);
	cr_assert_str_empty(run(conf, serve_model, result));
	cr_expect_leq(get(result, "search_rate"), 1000);
	/* How near it comes is the machine's doing; test_search.c has the search. */
	cr_expect_gt(get(result, "search_rate"), 0);
	cr_expect_gt(result->steps_n, 3);
	/* The figures are the best step's. */
	cr_expect_eq(get(result, "p99_us"), FAST_US);
	cr_expect(verdict(result, "", "the highest rate that held"));
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

/* Whatever the conditions say of what came. */
static void expect_at_most_capacity(team_work_fn *fn, const char *fault)
{
	struct bench_conf *conf = new_conf();
	struct result *result = result_new();

	search_up(conf);
	cr_assert_str_empty(run(conf, fn, result));
	cr_expect_leq(get(result, "search_rate"), 1000);
	cr_expect_gt(get(result, "search_rate"), 0);
	cr_expect_eq(get(result, "p99_us"), FAST_US);
	if (fault != NULL)
		cr_expect_gt(get(result, fault), 0, "of the whole run");
	result_free(result);
	conf_values_free(&bench_conf_table, conf);
}

Test(run, a_rate_at_which_something_is_lost_does_not_hold)
{
	expect_at_most_capacity(serve_lossy, "lost");
}

Test(run, a_rate_at_which_the_server_refuses_does_not_hold)
{
	expect_at_most_capacity(serve_refusing, "errors");
}

Test(run, what_comes_after_a_step_is_counted_in_it)
{
	expect_at_most_capacity(serve_late, NULL);
}
