/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/run.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/expect.h"
#include "bench/scenario.h"
#include "bench/url.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define POLL_MS 10
#define SECOND_US 1000000
#define CLOSE_GRACE_MS 10000
/* Connecting, joining: so long without any progress, past the time that one connection
 * may take, means that it will never end. */
#define STALL_GRACE_MS 10000

/* ---- what is counted */

void run_snapshot(struct run *run, struct run_snapshot *snapshot)
{
	size_t n = 0;
	const pid_t *pids;

	snapshot->is_taken = true;
	snapshot->at_us = loop_clock_us();
	/* Before the first connection there is nobody yet. */
	if (run->team != NULL) {
		team_sum(run->team, &snapshot->stats);
		pids = team_pids(run->team, &n);
		server_usage_of(pids, n, "", &snapshot->tool);
	}
	for (size_t i = 0; i < run->server.n; i++)
		server_usage(&run->server.groups[i], "", &snapshot->servers[i]);
}

uint64_t run_errors(const struct stats *stats)
{
	return stats->connect_errors + stats->closes + stats->errors + stats->malformed +
	       stats->duplicates + stats->reordered + stats->strangers;
}

/* More may have come than was announced: that is no opposite of a loss. */
static uint64_t missing(uint64_t due, uint64_t come)
{
	return due > come ? due - come : 0;
}

struct run_backlog run_backlog(const struct stats *stats)
{
	return (struct run_backlog){
		.deliveries = missing(stats->due_deliveries, stats->deliveries),
		.answers = missing(stats->invocations, stats->results + stats->errors),
	};
}

/* What a reader of the plots wants to see: of messages, else of answers, else of
 * connections. */
static const struct histogram *latency_of(const struct stats *stats)
{
	if (stats->delivery_us.n > 0)
		return &stats->delivery_us;
	if (stats->invocation_us.n > 0)
		return &stats->invocation_us;
	return &stats->connect_us;
}

static void second_fill(struct run *run, struct result_second *second)
{
	const struct run_snapshot *now = &run->current;
	const struct run_snapshot *before = &run->second;
	const double s = (double)(now->at_us - before->at_us) / SECOND_US;
	const struct stats *d = &run->difference;
	const struct histogram *latency = latency_of(d);
	double *v = second->values;

	v[RESULT_at] = (double)(now->at_us - run->marks[MARK_START].at_us) / SECOND_US;
	v[RESULT_open] = (double)d->open;
	v[RESULT_sent] = (double)d->sent / s;
	v[RESULT_delivered] = (double)d->deliveries / s;
	v[RESULT_answered] = (double)d->results / s;
	v[RESULT_errors] = (double)run_errors(d) / s;
	v[RESULT_p50] = (double)histogram_percentile(latency, 50);
	v[RESULT_p99] = (double)histogram_percentile(latency, 99);
	v[RESULT_max] = (double)histogram_percentile(latency, 100);
	v[RESULT_tool_cpu] =
		(double)(now->tool.cpu_us - before->tool.cpu_us) / SECOND_US / s;
	for (size_t i = 0; i < run->server.n; i++) {
		v[RESULT_server_cpu] +=
			(double)(now->servers[i].cpu_us - before->servers[i].cpu_us) /
			SECOND_US / s;
		v[RESULT_server_rss] += (double)now->servers[i].rss_bytes;
	}
}

static void on_second(struct run *run)
{
	struct result_second *second;

	run_snapshot(run, &run->current);
	stats_since(&run->difference, &run->current.stats, &run->second.stats);
	if (run->result->seconds_n < RESULT_SECONDS_MAX) {
		second = result_second_add(run->result);
		second_fill(run, second);
		progress_tell(&run->progress, team_phase(run->team),
			      (uint64_t)run->conf->connections, second);
	}
	run->second = run->current;
	run->next_second_us += SECOND_US;
	/* A tool that was held up does not tell of seconds that it slept through. */
	if (run->next_second_us <= run->current.at_us)
		run->next_second_us = run->current.at_us + SECOND_US;
}

/* ---- waiting */

static void on_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	/* Who asks twice does not want to wait for the result. */
	if (run->is_interrupted)
		run->problem = "interrupted";
	run->is_interrupted = true;
}

/* One look at everything. False: the run is not to go on. */
static bool turn(struct run *run)
{
	struct pollfd fd = { .fd = run->signal_fd, .events = POLLIN };
	bool was_interrupted = run->is_interrupted;

	if (poll(&fd, 1, POLL_MS) > 0)
		on_signal(run);
	if (loop_clock_us() >= run->next_second_us)
		on_second(run);
	if (run->problem == NULL)
		run->problem = team_problem(run->team);
	return run->problem == NULL && run->is_interrupted == was_interrupted;
}

bool run_sleep_until(struct run *run, int64_t until_us)
{
	while (loop_clock_us() < until_us) {
		if (!turn(run))
			return false;
	}
	return true;
}

/* Grows as long as workers get on with connecting and setting up. */
static uint64_t progress_of(struct run *run)
{
	team_count(run->team, &run->difference);
	return run->difference.connects_started + run->difference.connects +
	       run->difference.connect_errors + run->difference.joins +
	       run->difference.results + run->difference.errors;
}

static bool wait_done(struct run *run)
{
	int64_t patience_us = (run->conf->connect_timeout_ms + STALL_GRACE_MS) * 1000;
	int64_t moved_us = loop_clock_us();
	uint64_t last = progress_of(run);

	while (!team_is_done(run->team)) {
		uint64_t now;

		if (!turn(run))
			return false;
		now = progress_of(run);
		if (now != last)
			moved_us = loop_clock_us();
		last = now;
		if (loop_clock_us() - moved_us > patience_us) {
			run->problem = team_phase(run->team) == PHASE_CONNECT
					       ? "connections hang: none opened or "
						 "failed for too long"
					       : "the scenario's set-up hangs";
			return false;
		}
	}
	return true;
}

/* ---- phases */

static void mark(struct run *run, enum run_mark mark)
{
	run_snapshot(run, &run->marks[mark]);
}

/* The plan has found it. */
static const struct scenario *scenario_of(const struct run *run)
{
	return scenario_named(run->conf->scenario);
}

static bool connect_all(struct run *run)
{
	if (!wait_done(run))
		return false;
	mark(run, MARK_CONNECT);
	if (run->marks[MARK_CONNECT].stats.connects == 0 &&
	    !scenario_of(run)->starts_closed) {
		run->problem = "no connection could be opened";
		return false;
	}
	team_enter(run->team, PHASE_SET_UP);
	if (!wait_done(run))
		return false;
	mark(run, MARK_SET_UP);
	return true;
}

static bool measure(struct run *run)
{
	const bool is_held = scenario_of(run)->is_held;
	int64_t ms = is_held ? run->conf->hold_ms : run->conf->duration_ms;
	bool is_well;

	if (run->conf->search[0] == '\0') {
		team_enter(run->team, PHASE_WARM_UP);
		if (!run_sleep_until(run, loop_clock_us() + run->conf->warm_up_ms * 1000))
			return false;
	}
	team_enter(run->team, PHASE_MEASURE);
	mark(run, MARK_MEASURE);
	if (run->conf->search[0] != '\0')
		return run_search(run);
	is_well = run_sleep_until(run, loop_clock_us() + ms * 1000);
	mark(run, MARK_DRAIN);
	return is_well;
}

/* Deliveries between workers are known to none of them alone. */
bool run_is_drained(struct run *run)
{
	struct run_backlog now;

	team_count(run->team, &run->difference);
	now = run_backlog(&run->difference);
	return now.deliveries <= run->lost.deliveries && now.answers <= run->lost.answers;
}

/* Also after an interruption: what is on the way belongs to what was measured. */
static bool drain(struct run *run)
{
	int64_t end_us = loop_clock_us() + run->conf->drain_ms * 1000;

	team_enter(run->team, PHASE_DRAIN);
	/* Nobody sends any more, and all that was due has come. */
	while (!(team_is_done(run->team) && run_is_drained(run)) &&
	       loop_clock_us() < end_us) {
		if (!turn(run))
			return false;
	}
	mark(run, MARK_END);
	return true;
}

/* True: the result means something. */
static bool lead(struct run *run)
{
	bool is_well = connect_all(run) && measure(run);

	/* What was interrupted before anything was measured has nothing to tell. */
	if (run->problem == NULL && !is_well && !run->marks[MARK_DRAIN].is_taken)
		run->problem = "interrupted before anything was measured";
	if (run->problem != NULL)
		return false;
	return drain(run);
}

/* ---- life */

static bool signals_take(struct run *run, sigset_t *old)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these fail for bad arguments only */
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, old); /* ... */
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signal_fd >= 0;
}

/* A condition on a figure that this run will not have is better told now. */
static bool run_expectations_fit(const struct run *run, char why[EXPECT_ERROR_MAX])
{
	struct result *names = result_new();
	bool is_well;

	run_figures_named(run, names);
	is_well = expect_fits(run->conf->expect, names, why) &&
		  expect_fits(run->conf->search, names, why);
	result_free(names);
	return is_well;
}

static bool server_take(struct run *run, char why[EXPECT_ERROR_MAX])
{
	struct url url = { 0 };
	char error[SERVER_ERROR_MAX] = "";
	uint16_t port = 0;

	if (url_read(slice_from_str(run->conf->url), &url) == OK && url_is_local(&url))
		port = url.port;
	if (server_find(&run->server, run->conf->server_pids, port, "", error) == OK)
		return true;
	(void)snprintf(why, EXPECT_ERROR_MAX, "%s", error);
	return false;
}

static bool run_start(struct run *run, team_work_fn *work, char why[EXPECT_ERROR_MAX])
{
	const char *reason = NULL;

	if (!server_take(run, why))
		return false;
	if (!run_expectations_fit(run, why))
		return false;
	mark(run, MARK_START);
	run->second = run->marks[MARK_START];
	run->team = team_new(run->conf, work, &reason);
	if (run->team == NULL) {
		(void)snprintf(why, EXPECT_ERROR_MAX, "workers cannot be started: %s",
			       reason);
		return false;
	}
	run->next_second_us = run->second.at_us + SECOND_US;
	return true;
}

bool run_go(const struct bench_conf *conf, team_work_fn *work, struct result *result,
	    char why[EXPECT_ERROR_MAX])
{
	struct run *run = MEM_NEW(struct run);
	sigset_t old;
	bool is_well;

	run->conf = conf;
	run->result = result;
	progress_init(&run->progress, stderr, conf->progress);
	is_well = signals_take(run, &old);
	if (!is_well)
		(void)snprintf(why, EXPECT_ERROR_MAX, "signals: %s", err_errno_text());
	is_well = is_well && run_start(run, work, why);
	if (is_well && !lead(run)) {
		(void)snprintf(why, EXPECT_ERROR_MAX, "%s", run->problem);
		is_well = false;
	}
	progress_end(&run->progress);
	if (is_well)
		run_figures(run);
	if (run->team != NULL)
		team_enter(run->team, PHASE_CLOSE);
	team_free(run->team, is_well ? CLOSE_GRACE_MS : 0);
	server_fini(&run->server);
	if (run->signal_fd >= 0)
		(void)close(run->signal_fd);		/* no data is lost */
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL); /* fails for bad arguments only */
	mem_free(run);
	return is_well;
}
