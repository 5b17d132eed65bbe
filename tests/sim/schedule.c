/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounds are of virtual time: within them everything must have come right again.
 */
#include "tests/sim/schedule.h"

#include "tests/sim/cluster.h"
#include "tests/sim/comings.h"
#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/sim.h"
#include "tests/sim/steps.h"

#define READY_MAX (40 * SIM_S)
#define CALM_MAX (45 * SIM_S)
#define EXACT_MAX (30 * SIM_S)
#define PROBE_MAX (10 * SIM_S)
#define EMPTY_MAX (40 * SIM_S)
#define DOWN_MAX (15 * SIM_S)
#define LOOK_EVERY (50 * SIM_MS)

static bool is_empty(void)
{
	return cluster_left() == NULL;
}

static bool is_all_down(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (sim_node_state(cluster.nodes[i]) != NODE_DOWN)
			return false;
	}
	return true;
}

/* Lets time pass until it is so. */
static bool wait_for(bool (*is_so)(void), int64_t at_most)
{
	const int64_t end = sim_now() + at_most;

	while (!is_so()) {
		if (sim_now() >= end)
			return false;
		sim_run_until(sim_now() + LOOK_EVERY);
		cluster_check_limits();
	}
	return true;
}

static void come_up(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (!cluster_is_used(i))
			continue;
		cluster_start_node(i);
		sim_run_until(sim_now() + sim_between(SIM_PLAN, 0, 200 * SIM_MS));
	}
	sim_expect(wait_for(cluster_is_ready, READY_MAX), "the cluster is not ready");
	for (unsigned i = 0; i < cluster.clients_n; i++)
		client_start(&cluster.clients[i]);
}

static void traffic(bool is_quiet)
{
	const int64_t mean = sim_between(SIM_PLAN, 30, 250) * SIM_MS;

	clients_act(true, mean);
	/* Presence knows every process once a lease is over. */
	sim_run_until(sim_now() + (steps_spare_presence() ? 11 : 2) * SIM_S);
	if (!is_quiet)
		steps_begin();
	sim_run_until(sim_now() + sim_between(SIM_PLAN, 8, 25) * SIM_S);
	cluster_check_limits();
	if (!is_quiet)
		steps_end();
	sim_run_until(sim_now() + 2 * SIM_S);
	clients_act(false, mean);
}

static void say_who_is_not_calm(void)
{
	for (unsigned i = 0; i < cluster.clients_n; i++) {
		const struct client *client = &cluster.clients[i];

		if (!client_is_open(client) || !client_is_idle(client))
			sim_fail(
				"client %u of session %u is not calm again: state %d, %u "
				"calls without an answer",
				i, client->session, (int)client->state, client->calls_n);
	}
}

static void probe(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < cluster.clients_n && n < 4; i++) {
		if (!client_is_open(&cluster.clients[i]))
			continue;
		client_probe(&cluster.clients[i]);
		n++;
	}
	if (!wait_for(cluster_is_calm, PROBE_MAX))
		say_who_is_not_calm();
	/* What is accepted is in the queues: the wires are to deliver it. */
	sim_run_until(sim_now() + 2 * SIM_S);
}

static void settle(void)
{
	sim_expect(wait_for(cluster_is_ready, READY_MAX),
		   "the cluster is not ready again");
	if (!wait_for(cluster_is_calm, CALM_MAX))
		say_who_is_not_calm();
	sim_expect(wait_for(cluster_presence_is_exact, EXACT_MAX),
		   "presence does not know who is connected");
}

static void leave(void)
{
	for (unsigned i = 0; i < cluster.clients_n; i++)
		client_leave(&cluster.clients[i]);
	if (!wait_for(is_empty, EMPTY_MAX))
		sim_fail("all clients have left, and there are %s", cluster_left());
}

static void go_down(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (sim_node_state(cluster.nodes[i]) == NODE_UP)
			sim_node_term(cluster.nodes[i]);
		sim_run_until(sim_now() + sim_between(SIM_PLAN, 0, 100 * SIM_MS));
	}
	sim_expect(wait_for(is_all_down, DOWN_MAX), "a process does not end");
}

void schedule_run(uint64_t seed, int out, bool is_verbose, bool is_quiet,
		  struct schedule_result *result)
{
	int64_t start;

	sim_start(seed, out, is_verbose);
	start = sim_now();
	steps_choose();
	cluster_make((unsigned)sim_between(SIM_PLAN, steps_is_rolling() ? 2 : 1, 3),
		     (unsigned)sim_between(SIM_PLAN, 1, 4), steps_has_reshard() ? 1 : 0,
		     (unsigned)sim_between(SIM_PLAN, 3, 12));
	come_up();
	traffic(is_quiet);
	settle();
	probe();
	history_check();
	leave();
	comings_check();
	go_down();
	result->virtual_us = sim_now() - start;
	result->turns = sim_loop_turns();
	result->bytes = net_bytes_total();
	result->hash = sim_trace_hash();
	result->steps = steps_n();
	result->handed_over = cluster.handed_over;
	result->history = history_figures();
	result->is_done = true;
}
