/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run: the team is led through its phases, each second is told and kept, the server's
 * costs are taken at the phases' borders, and all of it becomes a result.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>

#include "bench/conf.h"
#include "bench/expect.h"
#include "bench/progress.h"
#include "bench/result.h"
#include "bench/server.h"
#include "bench/team.h"

/* At these moments everything is counted; differences are what a phase cost. */
enum run_mark {
	MARK_START,   /* before the first connection */
	MARK_CONNECT, /* all connections are ready */
	MARK_SET_UP,
	MARK_MEASURE, /* what is measured begins */
	MARK_DRAIN,   /* ... and ends */
	MARK_SETTLED, /* of a search's step: what was on the way has come */
	MARK_END,
	RUN_MARKS
};

struct run_snapshot {
	bool is_taken;
	int64_t at_us;
	struct stats stats;
	struct server_usage servers[SERVER_GROUPS_MAX];
	struct server_usage tool;
};

/* What was due and has not come. */
struct run_backlog {
	uint64_t deliveries;
	uint64_t answers;
};

struct run {
	const struct bench_conf *conf; /* borrowed */
	struct team *team;	       /* owned */
	struct server server;
	struct progress progress;
	struct result *result; /* borrowed */
	struct run_snapshot marks[RUN_MARKS];
	struct run_snapshot second;  /* at the last full second */
	struct run_snapshot current; /* ... and at the one before it is told */
	struct stats difference;
	struct run_backlog lost; /* has been waited for in vain */
	int64_t next_second_us;
	int signal_fd;
	bool is_interrupted;
	const char *problem; /* why it failed; of the team or constant */
};

/* Fills `result`. False: it could not be run to an end that means anything, and `why` has
 * the reason. An interrupted run tells what was measured so far. */
bool run_go(const struct bench_conf *conf, team_work_fn *work, struct result *result,
	    char why[EXPECT_ERROR_MAX]);

/* ---- for run's other halves */

/* Waits, tells each second; false: the run failed or was interrupted. */
bool run_sleep_until(struct run *run, int64_t until_us);
void run_snapshot(struct run *run, struct run_snapshot *snapshot);

/* How often something went wrong that is no loss. */
uint64_t run_errors(const struct stats *stats);

struct run_backlog run_backlog(const struct stats *stats);

/* Has all come that was due, but for what is given up? */
bool run_is_drained(struct run *run);

/* run_search.c: looks for the highest rate in PHASE_MEASURE; false as above. Leaves the
 * best step's marks as MARK_MEASURE, MARK_DRAIN and MARK_SETTLED. */
bool run_search(struct run *run);

/* figures.c: what the snapshots say, with latencies and counts of these; and all the
 * names of figures, with zeros. */
void run_figures(struct run *run);
void run_figures_of(const struct run *run, const struct stats *counted,
		    struct result *result);
void run_figures_named(const struct run *run, struct result *result);

#endif
