/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which steps a schedule has, and when they come.
 */
#include "tests/sim/steps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/list.h"
#include "tests/sim/cluster.h"
#include "tests/sim/net.h"

#define STEPS_MAX 64u
#define LOOK (50 * SIM_MS)
#define ROLLING 150 /* of a thousand schedules */

struct later {
	struct sim_event event;
	struct list node; /* in steps.laters */
	later_fn *fn;
	unsigned a;
	unsigned b;
};

static void on_step(struct sim_event *event);

static struct {
	const struct step *chosen[STEPS_MAX];
	unsigned chosen_n;
	unsigned weights;
	bool is_sparing;
	bool is_rolling;
	struct sim_event next;
	struct list laters;
	int64_t mean; /* microseconds between two steps */
	unsigned n;
} steps = { .next = { .fn = on_step } };

unsigned steps_n(void)
{
	return steps.n;
}

unsigned steps_any_node(void)
{
	/* Presence is the last. */
	return (unsigned)sim_below(SIM_PLAN, cluster.nodes_n - steps.is_sparing);
}

/* ---- later */

static void on_later(struct sim_event *event)
{
	struct later *later = CONTAINER_OF(event, struct later, event);

	list_remove(&later->node);
	later->fn(later->a, later->b);
	free(later);
}

void steps_later(int64_t delay, later_fn *fn, unsigned a, unsigned b)
{
	struct later *later = calloc(1, sizeof(*later));

	assert(later != NULL);
	later->fn = fn;
	later->a = a;
	later->b = b;
	sim_event_init(&later->event, on_later);
	list_init(&later->node);
	list_append(&steps.laters, &later->node);
	sim_after(&later->event, delay);
}

/* ---- which, and when */

static bool may_have(enum step_kind kind)
{
	switch (kind) {
	case STEP_HARSH:
		return !steps.is_rolling;
	case STEP_OF_PRESENCE:
		return !steps.is_sparing;
	case STEP_GENTLE:
		return true;
	case STEP_ROLL:
		return steps.is_rolling;
	}
	return false;
}

static void choose(const struct step *table, size_t n, unsigned often)
{
	for (size_t i = 0; i < n; i++) {
		const enum step_kind kind = table[i].kind;

		assert(steps.chosen_n < STEPS_MAX);
		if (!may_have(kind) || (kind != STEP_ROLL && !sim_often(SIM_PLAN, often)))
			continue;
		steps.chosen[steps.chosen_n++] = &table[i];
		steps.weights += table[i].weight;
	}
}

static void on_step(struct sim_event *event)
{
	unsigned at = (unsigned)sim_below(SIM_PLAN, steps.weights);
	unsigned i = 0;

	while (at >= steps.chosen[i]->weight)
		at -= steps.chosen[i++]->weight;
	steps.n++;
	sim_trace("step %s", steps.chosen[i]->name);
	steps.chosen[i]->run();
	sim_after(event, sim_between(SIM_PLAN, 1, 2 * steps.mean));
}

void steps_choose(void)
{
	const unsigned often = (unsigned)sim_between(SIM_PLAN, 150, 700);

	list_init(&steps.laters);
	steps.is_rolling = sim_often(SIM_PLAN, ROLLING);
	steps.is_sparing = steps.is_rolling || sim_often(SIM_PLAN, 500);
	steps.mean = sim_between(SIM_PLAN, 300, 4000) * SIM_MS;
	while (steps.chosen_n == 0) {
		choose(steps_process, steps_process_n, often);
		choose(steps_network, steps_network_n, often);
		choose(steps_clients, steps_clients_n, often);
	}
}

static bool has_step(const char *name)
{
	for (unsigned i = 0; i < steps.chosen_n; i++) {
		if (strcmp(steps.chosen[i]->name, name) == 0)
			return true;
	}
	return false;
}

bool steps_has_reshard(void)
{
	return has_step("reshard");
}

bool steps_keep_in_touch(void)
{
	static const char *const apart[] = { "cut",	    "one_way",	    "isolate",
					     "flap",	    "slow",	    "break_one",
					     "break_all",   "break_series", "estrange",
					     "pause_short", "pause_long" };

	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		if (has_step(apart[i]))
			return false;
	}
	return true;
}

bool steps_is_rolling(void)
{
	return steps.is_rolling;
}

bool steps_spare_presence(void)
{
	return steps.is_sparing;
}

void steps_begin(void)
{
	sim_after(&steps.next, sim_between(SIM_PLAN, 1, 2 * steps.mean));
}

static void node_heal(unsigned i)
{
	struct sim_node *node = cluster.nodes[i];

	sim_node_set_clock(node, 0);
	if (sim_node_state(node) == NODE_PAUSED)
		sim_node_pause(node, false);
	/* It would end some time later. */
	if (sim_node_is_draining(node))
		sim_node_kill(node, false);
	if (sim_node_state(node) == NODE_DOWN && cluster_is_used(i))
		cluster_start_node(i);
}

static bool is_one_restarting(void)
{
	for (unsigned i = 0; i < cluster.gateways_n; i++) {
		if (sim_node_state(cluster.nodes[i]) != NODE_UP ||
		    sim_node_is_draining(cluster.nodes[i]))
			return true;
	}
	return false;
}

void steps_end(void)
{
	struct list *node;

	sim_cancel(&steps.next);
	/* What it has must have gone elsewhere before it is killed. */
	while (steps.is_rolling && is_one_restarting())
		sim_run_until(sim_now() + LOOK);
	sim_trace("all is healed");
	while ((node = list_shift(&steps.laters)) != NULL) {
		struct later *later = CONTAINER_OF(node, struct later, node);

		sim_cancel(&later->event);
		free(later);
	}
	net_heal();
	for (unsigned i = 0; i < cluster.nodes_n; i++)
		node_heal(i);
	for (unsigned i = 0; i < cluster.clients_n; i++)
		wire_freeze(&cluster.clients[i].wire, false);
}
