/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas are few, and gateways some hundred at most: lists are walked as they stand.
 */
#include "router/topology.h"

#include "proto/base/mem.h"
#include "proto/link/link_limits.h"

struct replica {
	struct list node;
	const struct link_peer *presence; /* borrowed; the link never frees it */
	bool is_settled;
	struct buf routers; /* names, each with a byte 0 behind it */
	size_t n;
	uint64_t gateways[]; /* incarnations */
};

void topology_init(struct topology *topology)
{
	*topology = (struct topology){ .named = NULL };
	list_init(&topology->replicas);
}

void topology_fini(struct topology *topology)
{
	topology_forget(topology);
	mem_free(topology->named);
	topology->named = NULL;
}

static void replica_free(struct replica *replica)
{
	list_remove(&replica->node);
	buf_fini(&replica->routers);
	mem_free(replica);
}

void topology_forget(struct topology *topology)
{
	LIST_EACH (node, &topology->replicas)
		replica_free(CONTAINER_OF(node, struct replica, node));
}

static struct replica *replica_find(const struct topology *topology,
				    const struct link_peer *presence)
{
	LIST_EACH (node, &topology->replicas) {
		struct replica *replica = CONTAINER_OF(node, struct replica, node);

		if (replica->presence == presence)
			return replica;
	}
	return NULL;
}

void topology_take(struct topology *topology, const struct link_peer *presence,
		   const Link__Topology *message)
{
	struct replica *was = replica_find(topology, presence);
	struct replica *replica =
		mem_zalloc(sizeof(*replica) + message->n_peers * sizeof(uint64_t));

	if (was != NULL)
		replica_free(was);
	replica->presence = presence;
	replica->is_settled = message->is_settled;
	for (size_t i = 0; i < message->n_peers; i++) {
		const Link__Peer *peer = message->peers[i];

		if (peer->role == LINK__ROLE__ROLE_GATEWAY) {
			replica->gateways[replica->n++] = peer->incarnation;
		} else if (peer->role == LINK__ROLE__ROLE_ROUTER) {
			buf_append_slice(&replica->routers, link_slice(peer->name));
			buf_append_byte(&replica->routers, '\0');
		}
	}
	list_init(&replica->node);
	list_append(&topology->replicas, &replica->node);
}

#define RANK_SETTLED 1
#define RANK_UP 2

/* How much its word counts. */
static int replica_rank(const struct replica *replica)
{
	return (link_peer_is_up(replica->presence) ? RANK_UP : 0) +
	       (replica->is_settled ? RANK_SETTLED : 0);
}

static int best_rank(const struct topology *topology)
{
	int best = 0;

	LIST_EACH (node, &topology->replicas) {
		const int rank = replica_rank(CONTAINER_OF(node, struct replica, node));

		if (rank > best)
			best = rank;
	}
	return best;
}

bool topology_is_settled(const struct topology *topology)
{
	return best_rank(topology) == RANK_UP + RANK_SETTLED;
}

bool topology_tells_maps(const struct topology *topology)
{
	LIST_EACH (node, &topology->replicas) {
		const struct replica *replica = CONTAINER_OF(node, struct replica, node);

		if (replica_rank(replica) == RANK_UP + RANK_SETTLED &&
		    link_peer_version(replica->presence) >= LINK_VERSION_MAPS)
			return true;
	}
	return false;
}

const uint64_t *topology_named(struct topology *topology, size_t *n)
{
	const int rank = best_rank(topology);

	*n = 0;
	LIST_EACH (node, &topology->replicas) {
		const struct replica *replica = CONTAINER_OF(node, struct replica, node);

		if (replica_rank(replica) != rank || replica->n == 0)
			continue;
		topology->named = mem_realloc(topology->named,
					      (*n + replica->n) * sizeof(uint64_t));
		memcpy(topology->named + *n, replica->gateways,
		       replica->n * sizeof(uint64_t));
		*n += replica->n;
	}
	return topology->named;
}

bool topology_names_gateway(struct topology *topology, uint64_t incarnation)
{
	size_t n;
	const uint64_t *named = topology_named(topology, &n);

	for (size_t i = 0; i < n; i++) {
		if (named[i] == incarnation)
			return true;
	}
	return false;
}

static bool replica_names(const struct replica *replica, struct slice name)
{
	const struct slice all = buf_slice(&replica->routers);
	size_t at = 0;

	while (at < all.len) {
		const struct slice one = slice_from_str(all.ptr + at);

		if (slice_equal(one, name))
			return true;
		at += one.len + 1;
	}
	return false;
}

bool topology_names_router(const struct topology *topology, struct slice name)
{
	const int rank = best_rank(topology);

	LIST_EACH (node, &topology->replicas) {
		const struct replica *replica = CONTAINER_OF(node, struct replica, node);

		if (replica_rank(replica) == rank && replica_names(replica, name))
			return true;
	}
	return false;
}
