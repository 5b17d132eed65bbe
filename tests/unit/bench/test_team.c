/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that are made up: the team leads real processes through the phases.
 */
#include "bench/team.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/histogram.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define PATIENCE_US 10000000

static char URL[] = "http://nowhere";

/* Goes along with every phase, and counts in each. */
static int obey(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	int done = -1;

	(void)conf;
	for (;;) {
		int phase = atomic_load(&share->phase);

		if (phase == PHASE_CLOSE)
			return 0;
		if (phase != done) {
			share->stats.sent += number + 1;
			histogram_add(&share->stats.delivery_us, 100 * (number + 1));
			atomic_store(&share->phase_done, phase);
			done = phase;
		}
		(void)usleep(200);
	}
}

static int fail(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	if (number == 0)
		return obey(conf, number, share);
	(void)snprintf(share->error, sizeof(share->error), "no server at %s", conf->url);
	atomic_store(&share->is_failed, 1);
	return 1;
}

static int leave(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	return number == 0 ? obey(conf, number, share) : 0;
}

static int crash(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	if (number == 0)
		return obey(conf, number, share);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

/* Ignores all that is said to it. */
static int stay(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	(void)number;
	(void)share;
	for (;;)
		(void)pause();
	return 0;
}

/* Counts as sent what rate it has been told. */
static int tell_rate(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)conf;
	(void)number;
	while (atomic_load(&share->phase) != PHASE_CLOSE)
		share->stats.sent = atomic_load(&share->rate_milli);
	return 0;
}

/* timeout(1) and the like tell all processes of a group. */
static int hear_term(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	(void)kill(getpid(), SIGTERM);
	(void)kill(getpid(), SIGINT);
	return obey(conf, number, share);
}

static struct team *team_of(struct bench_conf *conf, team_work_fn *work)
{
	const char *why = NULL;
	struct team *team;

	conf->workers = 3;
	conf->rate = 1000;
	conf->url = URL;
	team = team_new(conf, work, &why);
	cr_assert_not_null(team, "%s", why);
	return team;
}

static void wait_done(struct team *team)
{
	int64_t end_us = loop_clock_us() + PATIENCE_US;

	while (!team_is_done(team)) {
		cr_assert_null(team_problem(team));
		cr_assert_lt(loop_clock_us(), end_us);
		(void)usleep(1000);
	}
}

static const char *wait_problem(struct team *team)
{
	int64_t end_us = loop_clock_us() + PATIENCE_US;
	const char *problem;

	while ((problem = team_problem(team)) == NULL) {
		cr_assert_lt(loop_clock_us(), end_us);
		(void)usleep(1000);
	}
	return problem;
}

Test(team, workers_go_through_the_phases_together)
{
	struct bench_conf conf = { 0 };
	struct stats *sum = MEM_NEW(struct stats);
	struct team *team = team_of(&conf, obey);

	for (int phase = PHASE_CONNECT; phase <= PHASE_DRAIN; phase++) {
		team_enter(team, (enum phase)phase);
		wait_done(team);
	}
	team_count(team, sum);
	cr_expect_eq(sum->sent, 5 * (1 + 2 + 3));
	cr_expect_eq(sum->delivery_us.n, 0);
	team_sum(team, sum);
	cr_expect_eq(sum->sent, 5 * (1 + 2 + 3));
	cr_expect_eq(sum->delivery_us.n, 15);
	cr_expect_eq(sum->delivery_us.min_us, 100);
	cr_expect_eq(sum->delivery_us.max_us, 300);
	team_enter(team, PHASE_CLOSE);
	team_free(team, PATIENCE_US / 1000);
	mem_free(sum);
}

Test(team, a_worker_that_fails_says_why)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, fail);

	cr_expect_str_eq(wait_problem(team), "no server at http://nowhere");
	team_free(team, 0);
}

Test(team, a_worker_that_dies_is_missed)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, crash);

	cr_expect_not_null(strstr(wait_problem(team), "died of signal 9"));
	team_free(team, 0);
}

Test(team, a_worker_that_ends_too_early_is_missed)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, leave);

	cr_expect_not_null(strstr(wait_problem(team), "before its time"));
	team_free(team, 0);
}

Test(team, a_signal_to_all_is_the_parents_business)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, hear_term);

	wait_done(team);
	team_enter(team, PHASE_CLOSE);
	team_free(team, PATIENCE_US / 1000);
}

Test(team, who_does_not_end_is_killed)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, stay);
	size_t n = 0;
	pid_t first = team_pids(team, &n)[0];

	cr_expect_eq(n, 3);
	cr_expect_eq(kill(first, 0), 0);
	team_enter(team, PHASE_CLOSE);
	team_free(team, 10);
	cr_expect_eq(kill(first, 0), -1);
}

static void wait_sent(struct team *team, uint64_t sent)
{
	struct stats *sum = MEM_NEW(struct stats);
	int64_t end_us = loop_clock_us() + PATIENCE_US;

	do {
		team_sum(team, sum);
		cr_assert_lt(loop_clock_us(), end_us);
	} while (sum->sent != sent);
	mem_free(sum);
}

Test(team, a_rate_however_low_is_no_closed_loop)
{
	struct bench_conf conf = { 0 };
	struct team *team = team_of(&conf, tell_rate);

	wait_sent(team, UINT64_C(3) * 1000 * 1000);
	team_rate(team, 0.0001);
	wait_sent(team, UINT64_C(3) * (STATS_RATE_PAUSED + 1));
	team_pause(team);
	wait_sent(team, UINT64_C(3) * STATS_RATE_PAUSED);
	team_rate(team, 0);
	wait_sent(team, 0);
	team_enter(team, PHASE_CLOSE);
	team_free(team, PATIENCE_US / 1000);
}

Test(team, statistics_are_what_happened_between)
{
	struct stats *before = MEM_NEW(struct stats);
	struct stats *now = MEM_NEW(struct stats);
	struct stats *between = MEM_NEW(struct stats);

	before->sent = 10;
	histogram_add(&before->connect_us, 50);
	before->open = 3;
	stats_merge(now, before);
	now->sent += 7;
	now->open += 1;
	histogram_add(&now->connect_us, 70);
	stats_since(between, now, before);
	cr_expect_eq(between->sent, 7);
	cr_expect_eq(between->open, 4);
	cr_expect_eq(between->connect_us.n, 1);
	cr_expect_eq(between->connect_us.max_us, 70);
	mem_free(before);
	mem_free(now);
	mem_free(between);
}
