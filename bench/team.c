/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages are shared and anonymous, one struct share a worker. A worker dies with its
 * parent, and does not hear the Ctrl-C that the terminal sends to all, nor the TERM that
 * timeout(1) does: the parent ends the run in order.
 */
#include "bench/team.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define REAP_PAUSE_NS 5000000
#define PROBLEM_MAX 512

struct team {
	const struct bench_conf *conf; /* borrowed */
	struct share *shares;	       /* mapped */
	pid_t *pids;		       /* owned; 0: has ended */
	size_t n;
	size_t mapped;
	enum phase phase;
	char problem[PROBLEM_MAX];
};

/* ---- in the child */

static void signals_default(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	sigset_t none;

	(void)sigaction(SIGINT, &action, NULL);	 /* these fail for bad arguments only */
	(void)sigaction(SIGTERM, &action, NULL); /* ... */
	(void)sigaction(SIGPIPE, &action, NULL); /* ... */
	(void)sigemptyset(&none);		 /* ... */
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL); /* ... */
}

static void live(const struct team *team, size_t i, pid_t parent, team_work_fn *fn)
{
	signals_default();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* fails for bad arguments only */
	if (getppid() != parent)
		_exit(EXIT_FAILURE); /* it died before we could ask for that */
	_exit(fn(team->conf, (uint32_t)i, &team->shares[i]));
}

/* ---- life */

static bool team_fork(struct team *team, team_work_fn *fn)
{
	pid_t parent = getpid();

	/* What is in our buffers must not be written by each child, too. */
	(void)fflush(NULL);
	for (size_t i = 0; i < team->n; i++) {
		team->pids[i] = fork();
		if (team->pids[i] < 0) {
			team->pids[i] = 0;
			return false;
		}
		if (team->pids[i] == 0)
			live(team, i, parent, fn);
	}
	return true;
}

struct team *team_new(const struct bench_conf *conf, team_work_fn *work, const char **why)
{
	struct team *team = MEM_NEW(struct team);
	void *pages;

	assert(conf->workers > 0);
	team->conf = conf;
	team->n = (size_t)conf->workers;
	team->mapped = team->n * sizeof(struct share);
	pages = mmap(NULL, team->mapped, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		*why = err_errno_text();
		mem_free(team);
		return NULL;
	}
	team->shares = pages;
	team->pids = mem_zalloc(team->n * sizeof(*team->pids));
	for (size_t i = 0; i < team->n; i++)
		atomic_store(&team->shares[i].phase_done, -1);
	team_rate(team, (double)conf->rate);
	team_enter(team, PHASE_CONNECT);
	if (!team_fork(team, work)) {
		*why = err_errno_text();
		team_free(team, 0);
		return NULL;
	}
	return team;
}

static bool is_anyone_left(const struct team *team)
{
	for (size_t i = 0; i < team->n; i++) {
		if (team->pids[i] != 0)
			return true;
	}
	return false;
}

static void reap_all(struct team *team, int64_t grace_ms)
{
	const struct timespec pause = { .tv_nsec = REAP_PAUSE_NS };
	int64_t end_us = loop_clock_us() + grace_ms * 1000;

	while (is_anyone_left(team) && loop_clock_us() < end_us) {
		(void)team_problem(team); /* it is over anyhow */
		(void)nanosleep(&pause, NULL);
	}
	for (size_t i = 0; i < team->n; i++) {
		if (team->pids[i] == 0)
			continue;
		(void)kill(team->pids[i], SIGKILL); /* it may be dead already */
		(void)waitpid(team->pids[i], NULL, 0);
	}
}

void team_free(struct team *team, int64_t grace_ms)
{
	if (team == NULL)
		return;
	reap_all(team, grace_ms);
	(void)munmap(team->shares, team->mapped); /* fails for bad arguments only */
	mem_free(team->pids);
	mem_free(team);
}

/* ---- leading */

void team_enter(struct team *team, enum phase phase)
{
	int64_t now_us = loop_clock_us();

	team->phase = phase;
	for (size_t i = 0; i < team->n; i++) {
		atomic_store(&team->shares[i].phase_at_us, now_us);
		atomic_store(&team->shares[i].phase, (int)phase);
	}
}

enum phase team_phase(const struct team *team)
{
	return team->phase;
}

bool team_is_done(const struct team *team)
{
	for (size_t i = 0; i < team->n; i++) {
		if (atomic_load(&team->shares[i].phase_done) < (int)team->phase)
			return false;
	}
	return true;
}

static void rate_set(struct team *team, uint64_t milli)
{
	for (size_t i = 0; i < team->n; i++)
		atomic_store(&team->shares[i].rate_milli, milli);
}

void team_rate(struct team *team, double per_second)
{
	uint64_t milli = (uint64_t)(per_second * 1000 + 0.5);

	/* 0 is the closed loop: a rate, however low, is none. */
	if (per_second > 0 && milli <= STATS_RATE_PAUSED)
		milli = STATS_RATE_PAUSED + 1;
	rate_set(team, milli);
}

void team_pause(struct team *team)
{
	rate_set(team, STATS_RATE_PAUSED);
}

/* ---- watching */

static void counters_merge(struct stats *sum, const struct stats *from)
{
#define STATS_MERGE(name, help) sum->name += from->name;
	STATS_COUNTERS(STATS_MERGE)
#undef STATS_MERGE
	sum->open += from->open;
}

void stats_merge(struct stats *sum, const struct stats *from)
{
	counters_merge(sum, from);
	histogram_merge(&sum->delivery_us, &from->delivery_us);
	histogram_merge(&sum->invocation_us, &from->invocation_us);
	histogram_merge(&sum->connect_us, &from->connect_us);
}

void stats_since(struct stats *out, const struct stats *now, const struct stats *before)
{
#define STATS_SINCE(name, help) out->name = now->name - before->name;
	STATS_COUNTERS(STATS_SINCE)
#undef STATS_SINCE
	out->open = now->open;
	histogram_since(&out->delivery_us, &now->delivery_us, &before->delivery_us);
	histogram_since(&out->invocation_us, &now->invocation_us, &before->invocation_us);
	histogram_since(&out->connect_us, &now->connect_us, &before->connect_us);
}

void team_sum(const struct team *team, struct stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < team->n; i++)
		stats_merge(sum, &team->shares[i].stats);
}

void team_count(const struct team *team, struct stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < team->n; i++)
		counters_merge(sum, &team->shares[i].stats);
}

const char *team_trouble(const struct team *team)
{
	for (size_t i = 0; i < team->n; i++) {
		if (team->shares[i].trouble[0] != '\0')
			return team->shares[i].trouble;
	}
	return "";
}

const pid_t *team_pids(const struct team *team, size_t *n)
{
	*n = team->n;
	return team->pids;
}

/* Why worker `i` has ended: what it said itself, or what the kernel says. */
static void on_end(struct team *team, size_t i, int status)
{
	const struct share *share = &team->shares[i];
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (team->problem[0] != '\0')
		return;
	if (atomic_load(&share->is_failed) != 0)
		(void)snprintf(team->problem, PROBLEM_MAX, "%.*s",
			       (int)sizeof(share->error) - 1, share->error);
	else if (signo != 0)
		(void)snprintf(team->problem, PROBLEM_MAX, "worker %zu died of signal %d",
			       i, signo);
	else if (team->phase != PHASE_CLOSE || WEXITSTATUS(status) != 0)
		(void)snprintf(team->problem, PROBLEM_MAX,
			       "worker %zu ended with status %d before its time", i,
			       WEXITSTATUS(status));
}

const char *team_problem(struct team *team)
{
	int status = 0;

	for (size_t i = 0; i < team->n; i++) {
		if (team->pids[i] == 0 || waitpid(team->pids[i], &status, WNOHANG) <= 0)
			continue;
		team->pids[i] = 0;
		on_end(team, i, status);
	}
	for (size_t i = 0; i < team->n && team->problem[0] == '\0'; i++) {
		if (atomic_load(&team->shares[i].is_failed) != 0)
			on_end(team, i, 0);
	}
	return team->problem[0] == '\0' ? NULL : team->problem;
}
