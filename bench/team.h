/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker processes of a run and the pages that they share with it. They are led
 * through the phases together; whoever fails or dies ends the run.
 */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/conf.h"
#include "bench/stats.h"

struct team;

/* The life of a worker, as worker_run(); tests have another. */
typedef int team_work_fn(const struct bench_conf *conf, uint32_t number,
			 struct share *share);

/* Maps the pages and forks conf->workers processes, which begin with PHASE_CONNECT at
 * conf->rate. NULL with `*why` set: the kernel refused. `conf` is borrowed. */
struct team *team_new(const struct bench_conf *conf, team_work_fn *work,
		      const char **why);

/* Workers that do not end by themselves within `grace_ms` are killed. NULL is legal. */
void team_free(struct team *team, int64_t grace_ms);

void team_enter(struct team *team, enum phase phase);
enum phase team_phase(const struct team *team);

/* Has every worker done what the phase is about? */
bool team_is_done(const struct team *team);

/* Messages a second of all workers together, from now on. */
void team_rate(struct team *team, double per_second);

/* Nothing new from now on, until there is a rate again. */
void team_pause(struct team *team);

/* The sum of all workers; `sum` is overwritten. Counting leaves out the histograms, which
 * are most of the work: for who only waits. */
void team_sum(const struct team *team, struct stats *sum);
void team_count(const struct team *team, struct stats *sum);

/* Reaps who has ended. Why the run cannot go on, or NULL. */
const char *team_problem(struct team *team);

/* What went wrong last in one of the workers, and is counted; "" for nothing. Text that a
 * worker may be writing: at worst a mixture of two. */
const char *team_trouble(const struct team *team);

const pid_t *team_pids(const struct team *team, size_t *n);

/* Adds to `sum`, and takes from it what was before: for what happened between. */
void stats_merge(struct stats *sum, const struct stats *from);
void stats_since(struct stats *out, const struct stats *now, const struct stats *before);

#endif
