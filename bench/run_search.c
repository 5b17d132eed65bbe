/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a search, all on the same connections: a rate settles for the warm-up's
 * time, is measured, and then nothing is sent until all of it has come. So a step's
 * latencies are those of all that it sent, and what was lost was lost in it. It holds if
 * the conditions are true, nothing went wrong and the tool could begin that much.
 */
#include <stdio.h>

#include "bench/run.h"
#include "bench/search.h"
#include "bench/units.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define PAUSE_LOOK_US 50000

struct step {
	struct run_snapshot before;
	struct run_snapshot after;
	struct run_snapshot settled;
	uint64_t lost; /* deliveries and answers */
};

/* Sends nothing until all that is due has come; what has not in time is given up. */
static bool settle(struct run *run)
{
	int64_t end_us = loop_clock_us() + run->conf->drain_ms * 1000;

	team_pause(run->team);
	do {
		if (!run_sleep_until(run, loop_clock_us() + PAUSE_LOOK_US))
			return false;
	} while (!run_is_drained(run) && loop_clock_us() < end_us);
	return true;
}

/* What is missing now and was not before the step. */
static uint64_t step_lost(struct run *run, const struct run_snapshot *settled)
{
	const struct run_backlog before = run->lost;
	const struct run_backlog now = run_backlog(&settled->stats);

	run->lost = now;
	return (now.deliveries > before.deliveries ? now.deliveries - before.deliveries
						   : 0) +
	       (now.answers > before.answers ? now.answers - before.answers : 0);
}

static bool step_run(struct run *run, double rate, struct step *step)
{
	team_rate(run->team, rate);
	if (!run_sleep_until(run, loop_clock_us() + run->conf->warm_up_ms * 1000))
		return false;
	run_snapshot(run, &step->before);
	if (!run_sleep_until(run, loop_clock_us() + run->conf->duration_ms * 1000))
		return false;
	run_snapshot(run, &step->after);
	if (!settle(run))
		return false;
	run_snapshot(run, &step->settled);
	step->lost = step_lost(run, &step->settled);
	return true;
}

static bool conditions_hold(const struct expect_list *conditions,
			    const struct result *result)
{
	for (size_t i = 0; i < conditions->n; i++) {
		bool is_held = false;
		double actual = 0;

		/* What has no figure because nothing came has not held. */
		if (expect_check(&conditions->items[i], result, &is_held, &actual) !=
			    OK ||
		    !is_held)
			return false;
	}
	return true;
}

static void marks_set(struct run *run, const struct step *step)
{
	run->marks[MARK_MEASURE] = step->before;
	run->marks[MARK_DRAIN] = step->after;
	run->marks[MARK_SETTLED] = step->settled;
}

static void step_judge(struct run *run, const struct step *step,
		       const struct expect_list *conditions, struct result_step *out)
{
	struct stats *own = MEM_NEW(struct stats);
	struct result *result = result_new();
	double s = 0;

	marks_set(run, step);
	stats_since(own, &step->settled.stats, &step->before.stats);
	run_figures_of(run, own, result);
	/* Not all of them are there when nothing came. */
	(void)result_get(result, "p50_us", &out->p50_us);
	(void)result_get(result, "p99_us", &out->p99_us);
	(void)result_get(result, "delivery_rate", &out->delivered);
	(void)result_get(result, "begun_rate", &out->achieved);
	(void)result_get(result, "measured_s", &s);
	out->is_held = search_kept_pace(out->rate, out->achieved, s) && step->lost == 0 &&
		       run_errors(own) == 0 && conditions_hold(conditions, result);
	result_free(result);
	mem_free(own);
}

static void step_tell(struct run *run, const struct result_step *step)
{
	char t[5][UNITS_TEXT_MAX];

	progress_note(&run->progress,
		      "  rate %-8s begun %s/s  delivered %s/s  p50 %s  p99 %s  %s",
		      units_number(t[0], step->rate), units_number(t[1], step->achieved),
		      units_number(t[2], step->delivered), units_time(t[3], step->p50_us),
		      units_time(t[4], step->p99_us),
		      step->is_held ? "holds" : "does not hold");
}

/* Tries rates until the search ends; `best` is the step that counts. */
static bool steps_run(struct run *run, struct search *search,
		      const struct expect_list *conditions, struct step *best)
{
	struct step *step = MEM_NEW(struct step);
	double rate = 0;
	bool is_well = true;

	while (is_well && search_next(search, &rate) &&
	       run->result->steps_n < RESULT_STEPS_MAX) {
		struct result_step *told = &run->result->steps[run->result->steps_n];

		is_well = step_run(run, rate, step);
		if (!is_well)
			break;
		run->result->steps_n++;
		told->rate = rate;
		step_judge(run, step, conditions, told);
		step_tell(run, told);
		/* Without one that held, the last one tells why. */
		if (told->is_held || search->held <= 0)
			*best = *step;
		search_note(search, told->is_held);
	}
	mem_free(step);
	return is_well;
}

bool run_search(struct run *run)
{
	const struct bench_conf *conf = run->conf;
	struct step *best = MEM_NEW(struct step);
	char error[EXPECT_ERROR_MAX];
	struct expect_list conditions;
	struct search search;
	bool is_well;

	search_init(&search, (double)conf->search_from, (double)conf->search_to,
		    (double)conf->search_precision / 100);
	if (expect_parse(slice_from_str(conf->search), &conditions, error) != OK)
		conditions.n = 0; /* it has been parsed before */
	is_well = steps_run(run, &search, &conditions, best);
	result_set(run->result, search.held, "search_rate");
	/* Interrupted in the first step: nothing has been measured. */
	marks_set(run, best);
	mem_free(best);
	return is_well;
}
