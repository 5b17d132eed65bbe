/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules are of what happened: a router that ends may have run what nobody knows of,
 * and a change of routers may end a connection at the one and begin it at the other in
 * any order.
 */
#include "tests/sim/comings.h"

#include <assert.h>
#include <string.h>

#include "proto/base/hash.h"
#include "tests/sim/cluster.h"
#include "tests/sim/history.h"
#include "tests/sim/steps.h"

#define CONNECTIONS_MAX 8192u /* a power of two */
#define ID_BYTES 64u
#define HASH_SEED 1

/* Where nothing but its end keeps a word from arriving, on_connected is known to have run
 * after so long. */
#define KNOWN_AFTER (1 * SIM_S)

struct coming {
	char id[ID_BYTES];
	size_t len;
	unsigned begun; /* how often */
	unsigned ended;
	const struct sim_node *node; /* whose code was told last */
	unsigned life;		     /* ... and in which of its lives */
	int64_t at;
	bool is_over; /* told of its end, there */
};

static struct {
	struct coming items[CONNECTIONS_MAX];
	unsigned n;
} comings;

static struct coming *coming_of(struct slice id)
{
	size_t at = hash_bytes(id, HASH_SEED) % CONNECTIONS_MAX;
	struct coming *item = &comings.items[at];

	while (item->len != 0 && !slice_equal(slice_make(item->id, item->len), id)) {
		at = (at + 1) % CONNECTIONS_MAX;
		item = &comings.items[at];
	}
	if (item->len != 0)
		return item;
	assert(id.len > 0 && id.len <= ID_BYTES && comings.n < CONNECTIONS_MAX / 2);
	comings.n++;
	memcpy(item->id, id.ptr, id.len);
	item->len = id.len;
	return item;
}

static bool is_same_life(const struct coming *item, const struct sim_node *node)
{
	return item->node == node && item->life == sim_node_lives(node);
}

static void told(struct coming *item, const struct sim_node *node, bool is_over)
{
	item->node = node;
	item->life = sim_node_lives(node);
	item->at = sim_now();
	item->is_over = is_over;
}

/* ---- while it happens */

/* The gateway knows that it was told of, and says so to the next one. */
static bool was_known(const struct coming *item)
{
	const int64_t until = sim_node_ended(item->node);

	return !steps_has_reshard() && steps_keep_in_touch() && until != 0 &&
	       until - item->at > KNOWN_AFTER;
}

/* When routers change it may have gone to another one, which ended with it. */
static bool may_have_moved(const struct coming *item)
{
	if (!steps_has_reshard())
		return false;
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (cluster.roles[i] == ROLE_ROUTER && cluster.nodes[i] != item->node &&
		    sim_node_ended(cluster.nodes[i]) > item->at)
			return true;
	}
	return false;
}

void comings_connected(struct slice id, const struct sim_node *node)
{
	struct coming *item = coming_of(id);

	sim_trace("connection %.*s begins at %s", SLICE_FMT(id), sim_node_name(node));
	if (item->begun > 0 && !item->is_over) {
		sim_expect(!is_same_life(item, node) || may_have_moved(item),
			   "on_connected ran twice for connection %.*s", SLICE_FMT(id));
		sim_expect(!was_known(item),
			   "on_connected ran again for connection %.*s, as if its router "
			   "had not known it",
			   SLICE_FMT(id));
	}
	item->begun++;
	told(item, node, false);
}

void comings_ran(struct slice id, const struct sim_node *node)
{
	const struct coming *item = coming_of(id);

	sim_expect(item->begun > 0, "a method of connection %.*s ran before on_connected",
		   SLICE_FMT(id));
	sim_expect(!item->is_over || !is_same_life(item, node) || steps_has_reshard(),
		   "a method of connection %.*s ran after on_disconnected",
		   SLICE_FMT(id));
}

void comings_disconnected(struct slice id, const struct sim_node *node)
{
	struct coming *item = coming_of(id);

	sim_trace("connection %.*s ends at %s", SLICE_FMT(id), sim_node_name(node));
	sim_expect(item->begun > 0,
		   "on_disconnected ran for connection %.*s, and on_connected did not",
		   SLICE_FMT(id));
	sim_expect(!item->is_over || !is_same_life(item, node) || steps_has_reshard(),
		   "on_disconnected ran twice for connection %.*s", SLICE_FMT(id));
	item->ended++;
	told(item, node, true);
}

/* ---- the end */

static bool has_a_router_ended(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (cluster.roles[i] == ROLE_ROUTER &&
		    sim_node_ended(cluster.nodes[i]) != 0)
			return true;
	}
	return false;
}

void comings_check(void)
{
	const bool is_rolling = steps_is_rolling();

	sim_expect(!is_rolling || comings.n >= history_figures().sessions,
		   "on_connected ran for %u of %u connections", comings.n,
		   history_figures().sessions);
	/* What a hub runs for who ends while his router is dead, nobody promises. */
	if (has_a_router_ended() || steps_has_reshard())
		return;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		const struct coming *item = &comings.items[i];

		sim_expect(item->begun == item->ended,
			   "on_connected ran %u times and on_disconnected %u times for "
			   "connection %.*s",
			   item->begun, item->ended, (int)item->len, item->id);
		sim_expect(!is_rolling || item->begun <= 1,
			   "on_connected ran %u times for connection %.*s, over restarts "
			   "of gateways",
			   item->begun, (int)item->len, item->id);
	}
}
