/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that are killed, stopped, told to end, and whose clocks go wrong.
 */
#include "tests/sim/cluster.h"
#include "tests/sim/net.h"
#include "tests/sim/steps.h"

#define DOWN_MIN (5 * SIM_MS)
#define DOWN_MAX (4 * SIM_S)
#define PAUSE_MIN (20 * SIM_MS)
#define PAUSE_MAX (20 * SIM_S) /* past a lease, now and then */
#define APART_MIN (10 * SIM_S) /* a lease */
#define APART_MAX (14 * SIM_S)
#define SILENT 200 /* of a thousand: the machine, not the process */
#define LOOK (100 * SIM_MS)
#define READY_FOR (500 * SIM_MS)
#define HOUR_MS 3600000

static void start(unsigned i, unsigned unused)
{
	(void)unused;
	if (sim_node_state(cluster.nodes[i]) == NODE_DOWN)
		cluster_start_node(i);
}

/* Most are back soon. */
static int64_t down_for(void)
{
	return sim_between(SIM_PLAN, DOWN_MIN,
			   sim_often(SIM_PLAN, 700) ? DOWN_MAX / 8 : DOWN_MAX);
}

static void node_kill(unsigned i)
{
	if (sim_node_state(cluster.nodes[i]) == NODE_DOWN)
		return;
	sim_node_kill(cluster.nodes[i], sim_often(SIM_PLAN, SILENT));
	steps_later(down_for(), start, i, 0);
}

/* One of those that have the role. */
static unsigned any_of(enum cluster_role role)
{
	unsigned i;

	do {
		i = steps_any_node();
	} while (cluster.roles[i] != role);
	return i;
}

static void kill_gateway(void)
{
	node_kill(any_of(ROLE_GATEWAY));
}

static void kill_router(void)
{
	node_kill(any_of(ROLE_ROUTER));
}

static void kill_presence(void)
{
	node_kill(any_of(ROLE_PRESENCE));
}

static void kill_routers(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (cluster.roles[i] == ROLE_ROUTER)
			node_kill(i);
	}
}

static void keep_apart(unsigned a, unsigned b, bool is_on)
{
	const unsigned host_a = sim_node_host(cluster.nodes[a]);
	const unsigned host_b = sim_node_host(cluster.nodes[b]);

	net_block(host_a, host_b, is_on);
	net_block(host_b, host_a, is_on);
}

static void end_apart(unsigned router, unsigned gateway)
{
	node_kill(router);
	keep_apart(router, gateway, false);
}

/* Cut off from each other and from nobody else, past the lease, the one ends before it
 * could tell the other what it has done without it. */
static void estrange(void)
{
	const unsigned router = any_of(ROLE_ROUTER);
	const unsigned gateway = any_of(ROLE_GATEWAY);

	keep_apart(router, gateway, true);
	steps_later(sim_between(SIM_PLAN, APART_MIN, APART_MAX), end_apart, router,
		    gateway);
}

static void kill_all(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++)
		node_kill(i);
}

static void go_on(unsigned i, unsigned unused)
{
	(void)unused;
	if (sim_node_state(cluster.nodes[i]) == NODE_PAUSED)
		sim_node_pause(cluster.nodes[i], false);
}

static void pause_node(unsigned i, int64_t at_most)
{
	if (sim_node_state(cluster.nodes[i]) != NODE_UP)
		return;
	sim_node_pause(cluster.nodes[i], true);
	steps_later(sim_between(SIM_PLAN, PAUSE_MIN, at_most), go_on, i, 0);
}

static void pause_short(void)
{
	pause_node(steps_any_node(), PAUSE_MAX / 20);
}

static void pause_long(void)
{
	pause_node(steps_any_node(), PAUSE_MAX);
}

static void start_when_down(unsigned i, unsigned life)
{
	if (sim_node_lives(cluster.nodes[i]) != life)
		return;
	if (sim_node_state(cluster.nodes[i]) == NODE_DOWN)
		cluster_start_node(i);
	else
		steps_later(LOOK, start_when_down, i, life);
}

static void term(void)
{
	const unsigned i = steps_any_node();
	struct sim_node *node = cluster.nodes[i];

	if (sim_node_state(node) != NODE_UP || sim_node_is_draining(node))
		return;
	sim_node_term(node);
	steps_later(LOOK, start_when_down, i, sim_node_lives(node));
}

static bool is_one_draining(void)
{
	for (unsigned i = 0; i < cluster.gateways_n; i++) {
		if (sim_node_is_draining(cluster.nodes[i]))
			return true;
	}
	return false;
}

static void roll_one(unsigned i, unsigned life)
{
	struct sim_node *node = cluster.nodes[i];

	if (!cluster_is_ready() || is_one_draining() || sim_node_lives(node) != life)
		return;
	sim_node_term(node);
	steps_later(LOOK, start_when_down, i, life);
}

/* As an orchestrator does: one gateway at a time, the next one when the last has been
 * ready for a while. */
static void roll(void)
{
	const unsigned i = any_of(ROLE_GATEWAY);

	if (cluster_is_ready())
		steps_later(READY_FOR, roll_one, i, sim_node_lives(cluster.nodes[i]));
}

/* Another list of routers, with at least one. */
static void reshard(void)
{
	const unsigned sure = any_of(ROLE_ROUTER);

	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (cluster.roles[i] == ROLE_ROUTER)
			cluster.is_wanted[i] = i == sure || sim_often(SIM_PLAN, 600);
	}
	cluster_reshard();
}

static void clock_jump(void)
{
	sim_node_set_clock(cluster.nodes[steps_any_node()],
			   sim_between(SIM_PLAN, -HOUR_MS, HOUR_MS));
}

const struct step steps_process[] = {
	{ "kill_gateway", 4, kill_gateway, STEP_HARSH },
	{ "kill_router", 6, kill_router, STEP_HARSH },
	{ "kill_presence", 3, kill_presence, STEP_OF_PRESENCE },
	{ "kill_routers", 2, kill_routers, STEP_HARSH },
	{ "kill_all", 1, kill_all, STEP_OF_PRESENCE },
	{ "pause_short", 5, pause_short, STEP_HARSH },
	{ "pause_long", 3, pause_long, STEP_HARSH },
	{ "estrange", 2, estrange, STEP_HARSH },
	{ "term", 3, term, STEP_HARSH },
	{ "clock_jump", 1, clock_jump, STEP_HARSH },
	{ "reshard", 2, reshard, STEP_HARSH },
	{ "roll", 12, roll, STEP_ROLL },
};

const size_t steps_process_n = sizeof(steps_process) / sizeof(steps_process[0]);
