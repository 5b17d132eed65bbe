/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that lose their sockets, leave their page, do not read, or send much.
 */
#include "tests/sim/cluster.h"
#include "tests/sim/net.h"
#include "tests/sim/steps.h"

#define FREEZE_MAX (5 * SIM_S)
#define STORM_MAX 40
#define CUT_MAX (8 * SIM_S)

static unsigned any_client(void)
{
	return (unsigned)sim_below(SIM_PLAN, cluster.clients_n);
}

static void drop(void)
{
	client_drop(&cluster.clients[any_client()], false);
}

static void quit(void)
{
	client_drop(&cluster.clients[any_client()], true);
}

static void drop_many(void)
{
	for (unsigned i = 0; i < cluster.clients_n; i++) {
		if (sim_often(SIM_PLAN, 500))
			client_drop(&cluster.clients[i], false);
	}
}

static void storm(void)
{
	client_storm(&cluster.clients[any_client()],
		     (unsigned)sim_between(SIM_PLAN, 2, STORM_MAX));
}

static void thaw(unsigned i, unsigned unused)
{
	(void)unused;
	wire_freeze(&cluster.clients[i].wire, false);
}

static void freeze(void)
{
	const unsigned i = any_client();

	wire_freeze(&cluster.clients[i].wire, true);
	steps_later(sim_between(SIM_PLAN, 0, FREEZE_MAX), thaw, i, 0);
}

static void unblock(unsigned from, unsigned to)
{
	net_block(from, to, false);
}

/* A phone in a tunnel. */
static void cut(void)
{
	const unsigned client = cluster.clients[any_client()].host;
	const int64_t time = sim_between(SIM_PLAN, 0, CUT_MAX);

	for (unsigned i = 0; i < cluster.gateways_n; i++) {
		const unsigned gateway = sim_node_host(cluster.nodes[i]);

		net_block(client, gateway, true);
		net_block(gateway, client, true);
		steps_later(time, unblock, client, gateway);
		steps_later(time, unblock, gateway, client);
	}
}

const struct step steps_clients[] = {
	{ "client_drop", 6, drop, STEP_GENTLE },
	{ "client_quit", 2, quit, STEP_GENTLE },
	{ "client_drops", 2, drop_many, STEP_GENTLE },
	{ "client_storm", 4, storm, STEP_GENTLE },
	{ "client_freeze", 2, freeze, STEP_HARSH },
	{ "client_cut", 3, cut, STEP_HARSH },
};

const size_t steps_clients_n = sizeof(steps_clients) / sizeof(steps_clients[0]);
