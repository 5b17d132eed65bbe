/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what was counted at the phases' borders to figures with names. Counters are of the
 * whole run, so that what was lost adds up; rates and costs are of what was measured.
 */
#include <math.h>
#include <string.h>

#include "bench/run.h"
#include "proto/base/mem.h"

#define US 1e6

static const struct {
	const char *name;
	double percent;
} percentiles[] = {
	{ "p50", 50 }, { "p75", 75 },	 { "p90", 90 },	     { "p95", 95 },
	{ "p99", 99 }, { "p999", 99.9 }, { "p9999", 99.99 }, { "max", 100 },
};

/* Half, three quarters ... of what is left, as a plot of 1/(1 - percentile) needs. */
static const double curve_percents[] = {
	0,    10,    20,   30,	  40,	  50,	 60,	 70,	 75,	  80,
	85,   90,    92.5, 95,	  96,	  97,	 98,	 98.5,	 99,	  99.25,
	99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999, 99.9999, 100,
};

static const char *const curve_names[CURVES] = { "delivery", "answer", "connect" };

/* Seconds between two marks; NaN, which no figure is made of, when one is missing. */
static double seconds_between(const struct run *run, enum run_mark a, enum run_mark b)
{
	if (!run->marks[a].is_taken || !run->marks[b].is_taken)
		return (double)NAN;
	return (double)(run->marks[b].at_us - run->marks[a].at_us) / US;
}

/* ---- latencies */

static void latency_set(struct result *result, const char *prefix,
			const struct histogram *histogram)
{
	if (histogram->n == 0 && !result->is_named_only)
		return;
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		result_set(
			result,
			(double)histogram_percentile(histogram, percentiles[i].percent),
			"%s%s_us", prefix, percentiles[i].name);
	result_set(result, histogram_mean(histogram), "%smean_us", prefix);
	result_set(result, (double)histogram->min_us, "%smin_us", prefix);
}

static void curve_fill(struct result_curve *curve, const struct histogram *histogram)
{
	curve->n = 0;
	if (histogram->n == 0)
		return;
	for (size_t i = 0; i < sizeof(curve_percents) / sizeof(curve_percents[0]); i++) {
		double percent = curve_percents[i];

		/* Finer than one of n says nothing. */
		if (percent < 100 && (100 - percent) / 100 * (double)histogram->n < 1)
			continue;
		curve->points[curve->n++] = (struct result_point){
			percent, (double)histogram_percentile(histogram, percent)
		};
	}
}

/* Where connections are what is measured, those of the start are none of it. */
static void latencies_set(const struct stats *stats, const struct stats *measured,
			  struct result *result)
{
	const struct histogram *of[CURVES] = { &stats->delivery_us, &stats->invocation_us,
					       measured->connects > 0
						       ? &measured->connect_us
						       : &stats->connect_us };
	const struct histogram *first = NULL;

	for (int i = 0; i < CURVES; i++) {
		char prefix[RESULT_NAME_MAX];

		(void)snprintf(prefix, sizeof(prefix), "%s_", curve_names[i]);
		latency_set(result, prefix, of[i]);
		curve_fill(&result->curves[i], of[i]);
		if (first == NULL && of[i]->n > 0)
			first = of[i];
	}
	if (first == NULL)
		first = of[CURVE_DELIVERY];
	latency_set(result, "", first);
	mem_free(result->latency);
	result->latency = MEM_NEW(struct histogram);
	*result->latency = *first;
}

/* ---- counts and rates */

static void counts_set(const struct stats *total, struct result *result)
{
	const struct run_backlog backlog = run_backlog(total);

#define COUNT_SET(name, help) result_set(result, (double)total->name, #name);
	STATS_COUNTERS(COUNT_SET)
#undef COUNT_SET
	result_set(result, (double)backlog.deliveries, "lost");
	result_set(result, (double)backlog.answers, "unanswered");
}

static void rates_set(const struct run *run, const struct stats *measured,
		      struct result *result)
{
	double s = seconds_between(run, MARK_MEASURE, MARK_DRAIN);
	double connect_s = seconds_between(run, MARK_START, MARK_CONNECT);
	const struct stats *connected = &run->marks[MARK_CONNECT].stats;
	double rate = (double)NAN;

	result_set(result, s, "measured_s");
	result_set(result, connect_s, "connect_s");
	result_set(result, seconds_between(run, MARK_CONNECT, MARK_SET_UP), "set_up_s");
	result_set(result, (double)run->marks[MARK_DRAIN].stats.open, "open");
	result_set(result, (double)measured->sent, "measured_sent");
	result_set(result, (double)measured->deliveries, "measured_deliveries");
	result_set(result, (double)measured->results, "measured_results");
	result_set(result, (double)measured->begun / s, "begun_rate");
	result_set(result, (double)measured->sent / s, "sent_rate");
	result_set(result, (double)measured->deliveries / s, "delivery_rate");
	result_set(result, (double)measured->delivered_bytes / s, "delivered_bytes_rate");
	result_set(result, (double)measured->results / s, "answer_rate");
	result_set(result, (double)(measured->items + measured->uploads) / s,
		   "item_rate");
	result_set(result, (double)measured->connects / s, "reconnect_rate");
	result_set(result,
		   connected->connects > 0 ? (double)connected->connects / connect_s
					   : (double)measured->connects / s,
		   "connect_rate");
	if (measured->deliveries > 0)
		rate = (double)measured->deliveries / s;
	else if (measured->items + measured->uploads > 0)
		rate = (double)(measured->items + measured->uploads) / s;
	else if (measured->results > 0)
		rate = (double)measured->results / s;
	else if (measured->connects > 0)
		rate = (double)measured->connects / s;
	else
		rate = (double)connected->connects / connect_s;
	result_set(result, rate, "rate");
}

/* ---- costs */

/* What a group of processes did while something was measured. */
struct cost {
	const char *label;
	struct server_usage at[RUN_MARKS];
};

static void cost_add(struct cost *cost, const struct run *run, size_t group)
{
	for (int i = 0; i < RUN_MARKS; i++) {
		const struct server_usage *from = &run->marks[i].servers[group];

		cost->at[i].processes_n += from->processes_n;
		cost->at[i].cpu_us += from->cpu_us;
		cost->at[i].rss_bytes += from->rss_bytes;
		cost->at[i].switches += from->switches;
	}
}

/* NaN for nothing: no figure then. */
static double per(double cost, uint64_t n)
{
	return n == 0 ? (double)NAN : cost / (double)n;
}

/* Of CPU time or the like between two marks. Who has ended took its share along: then
 * nobody knows. */
static double used(const struct cost *cost, enum run_mark a, enum run_mark b,
		   double difference)
{
	return cost->at[b].processes_n < cost->at[a].processes_n ? (double)NAN
								 : difference;
}

static void cost_set(const struct run *run, const struct cost *cost,
		     const struct stats *measured, struct result *result)
{
	const struct server_usage *at = cost->at;
	const uint64_t open = run->marks[MARK_SET_UP].stats.open;
	const uint64_t opened = run->marks[MARK_CONNECT].stats.connects;
	const double cpu_us =
		used(cost, MARK_MEASURE, MARK_DRAIN,
		     (double)(at[MARK_DRAIN].cpu_us - at[MARK_MEASURE].cpu_us));
	const double connect_us =
		used(cost, MARK_START, MARK_CONNECT,
		     (double)(at[MARK_CONNECT].cpu_us - at[MARK_START].cpu_us));
	const double switches =
		used(cost, MARK_MEASURE, MARK_DRAIN,
		     (double)at[MARK_DRAIN].switches - (double)at[MARK_MEASURE].switches);
	const double grown =
		used(cost, MARK_START, MARK_SET_UP,
		     (double)(at[MARK_SET_UP].rss_bytes - at[MARK_START].rss_bytes));
	const double ended =
		fmax(0, (double)at[MARK_START].processes_n - at[MARK_DRAIN].processes_n);
	const double s = seconds_between(run, MARK_MEASURE, MARK_DRAIN);
	const char *label = cost->label;

	result_set(result, (double)at[MARK_DRAIN].processes_n, "%s_processes", label);
	result_set(result, ended, "%s_processes_ended", label);
	result_set(result, cpu_us / US, "%s_cpu_s", label);
	result_set(result, cpu_us / US / s, "%s_cpu_cores", label);
	result_set(result, per(cpu_us, measured->deliveries), "%s_cpu_us_per_delivery",
		   label);
	result_set(result, per(cpu_us, measured->results), "%s_cpu_us_per_answer", label);
	result_set(result, per(cpu_us, measured->items + measured->uploads),
		   "%s_cpu_us_per_item", label);
	/* A scenario that opens nothing at the start opens connections all along. */
	result_set(result,
		   opened > 0 ? per(connect_us, opened) : per(cpu_us, measured->connects),
		   "%s_cpu_us_per_connect", label);
	result_set(result, per(switches * 1e6, measured->deliveries),
		   "%s_switches_per_million_deliveries", label);
	result_set(result, switches / s, "%s_switches_rate", label);
	result_set(result, (double)at[MARK_DRAIN].rss_bytes, "%s_rss_bytes", label);
	result_set(result, (double)at[MARK_START].rss_bytes, "%s_rss_before_bytes",
		   label);
	result_set(result, per(grown, open), "%s_rss_bytes_per_connection", label);
}

static void costs_set(const struct run *run, const struct stats *measured,
		      struct result *result)
{
	struct cost all = { .label = "server" };
	struct cost tool = { .label = "tool" };

	for (size_t i = 0; i < run->server.n; i++) {
		struct cost one = { .label = run->server.groups[i].label };

		cost_add(&one, run, i);
		cost_add(&all, run, i);
		cost_set(run, &one, measured, result);
	}
	/* A group alone that is called so has been told. */
	if (run->server.n > 1)
		cost_set(run, &all, measured, result);
	for (int i = 0; i < RUN_MARKS; i++)
		tool.at[i] = run->marks[i].tool;
	cost_set(run, &tool, measured, result);
}

/* ---- all of them */

void run_figures_of(const struct run *run, const struct stats *counted,
		    struct result *result)
{
	const bool is_step = run->marks[MARK_SETTLED].is_taken;
	struct stats *measured = MEM_NEW(struct stats);

	stats_since(measured, &run->marks[MARK_DRAIN].stats,
		    &run->marks[MARK_MEASURE].stats);
	rates_set(run, measured, result);
	latencies_set(counted, is_step ? counted : measured, result);
	counts_set(counted, result);
	costs_set(run, measured, result);
	if (result->is_named_only)
		result_set(result, 0, "search_rate");
	mem_free(measured);
}

/* What was due while it was measured may have come while it drained. A search tells of
 * its best step's latencies alone, but of all that went wrong. */
void run_figures(struct run *run)
{
	const struct stats *end = &run->marks[MARK_END].stats;
	struct stats *step = MEM_NEW(struct stats);

	if (run->conf->search[0] != '\0') {
		stats_since(step, &run->marks[MARK_SETTLED].stats,
			    &run->marks[MARK_MEASURE].stats);
		run_figures_of(run, step, run->result);
		counts_set(end, run->result);
	} else {
		run_figures_of(run, end, run->result);
	}
	result_text_set(&run->result->about, "interrupted",
			run->is_interrupted ? SLICE("yes") : SLICE("no"));
	result_text_set(&run->result->about, "trouble",
			slice_from_str(team_trouble(run->team)));
	mem_free(step);
}

void run_figures_named(const struct run *run, struct result *result)
{
	result->is_named_only = true;
	run_figures_of(run, &run->marks[MARK_END].stats, result);
}
