/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways that are blocked, slow or flap, and streams that break.
 */
#include "tests/sim/cluster.h"
#include "tests/sim/net.h"
#include "tests/sim/steps.h"

#define CUT_MIN (10 * SIM_MS)
#define CUT_MAX (20 * SIM_S)
#define FLAPS_MAX 12
#define FLAP_MAX (600 * SIM_MS)
#define SLOW_MAX (250 * SIM_MS)
#define SLOW_FOR_MAX (10 * SIM_S)
#define SILENT 300 /* of a thousand breaks */

static unsigned any_host(void)
{
	return sim_node_host(cluster.nodes[steps_any_node()]);
}

/* Most cuts are shorter than any deadline. */
static int64_t cut_for(void)
{
	return sim_between(SIM_PLAN, CUT_MIN,
			   sim_often(SIM_PLAN, 600) ? CUT_MAX / 8 : CUT_MAX);
}

static void unblock(unsigned from, unsigned to)
{
	net_block(from, to, false);
}

static void cut_one_way(unsigned from, unsigned to, int64_t time)
{
	if (from == to)
		return;
	net_block(from, to, true);
	steps_later(time, unblock, from, to);
}

static void cut_both_ways(unsigned a, unsigned b, int64_t time)
{
	cut_one_way(a, b, time);
	cut_one_way(b, a, time);
}

static void cut(void)
{
	cut_both_ways(any_host(), any_host(), cut_for());
}

static void one_way(void)
{
	cut_one_way(any_host(), any_host(), cut_for());
}

/* From all the others, clients too. */
static void isolate(void)
{
	const unsigned host = any_host();
	const int64_t time = cut_for();

	for (unsigned i = 0; i < cluster.nodes_n - steps_spare_presence(); i++)
		cut_both_ways(host, sim_node_host(cluster.nodes[i]), time);
	for (unsigned i = 0; i < cluster.clients_n; i++)
		cut_both_ways(host, cluster.clients[i].host, time);
}

static void flap(void)
{
	const unsigned a = any_host();
	const unsigned b = any_host();
	const int64_t n = sim_between(SIM_PLAN, 2, FLAPS_MAX);

	for (int64_t i = 0; i < n; i++)
		steps_later(sim_between(SIM_PLAN, 0, 2 * n * FLAP_MAX), unblock, a, b);
	cut_both_ways(a, b, sim_between(SIM_PLAN, CUT_MIN, FLAP_MAX));
}

static void break_one(void)
{
	(void)net_break(any_host(), any_host(), 1, sim_often(SIM_PLAN, SILENT));
}

static void break_all(void)
{
	const unsigned host = any_host();

	for (unsigned i = 0; i < cluster.nodes_n; i++)
		(void)net_break(host, sim_node_host(cluster.nodes[i]), 8, false);
}

static void break_later(unsigned a, unsigned b)
{
	(void)net_break(a, b, 1, false);
	(void)net_break(b, a, 1, false);
}

static void break_series(void)
{
	const unsigned a = any_host();
	const unsigned b = any_host();

	for (int64_t i = sim_between(SIM_PLAN, 2, 20); i > 0; i--)
		steps_later(sim_between(SIM_PLAN, 0, 2 * SIM_S), break_later, a, b);
}

static void fast(unsigned from, unsigned to)
{
	net_slow(from, to, 0, 0);
}

static void slow(void)
{
	const unsigned from = any_host();
	const unsigned to = any_host();

	net_slow(from, to, sim_between(SIM_PLAN, 0, SLOW_MAX),
		 sim_between(SIM_PLAN, 0, SLOW_MAX));
	steps_later(sim_between(SIM_PLAN, 0, SLOW_FOR_MAX), fast, from, to);
}

const struct step steps_network[] = {
	{ "cut", 5, cut, STEP_HARSH },
	{ "one_way", 4, one_way, STEP_HARSH },
	{ "isolate", 3, isolate, STEP_HARSH },
	{ "flap", 2, flap, STEP_HARSH },
	{ "break_one", 6, break_one, STEP_HARSH },
	{ "break_all", 2, break_all, STEP_GENTLE },
	{ "break_series", 4, break_series, STEP_GENTLE },
	{ "slow", 4, slow, STEP_HARSH },
};

const size_t steps_network_n = sizeof(steps_network) / sizeof(steps_network[0]);
