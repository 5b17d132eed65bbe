/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each process keeps the version it was told, so one flush serves all: those who missed a
 * change and those who just came.
 */
#include "presence/topology.h"

#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* The message and what it points to. */
struct topology_message {
	Link__Topology topology;
	Link__Peer *peers;
	Link__Peer **pointers;
};

static void message_init(struct topology_message *message,
			 const struct topology *topology, const struct leases *leases)
{
	size_t n = 0;

	message->peers = mem_alloc((leases->n + 1) * sizeof(*message->peers));
	message->pointers = mem_alloc((leases->n + 1) * sizeof(Link__Peer *));
	LIST_EACH (node, &leases->all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);
		Link__Peer *peer = &message->peers[n];

		link__peer__init(peer);
		peer->role = (Link__Role)lease->role;
		peer->name = link_bytes(slice_from_str(lease->name));
		peer->incarnation = lease->incarnation;
		message->pointers[n++] = peer;
	}
	link__topology__init(&message->topology);
	message->topology.n_peers = n;
	message->topology.peers = message->pointers;
	message->topology.is_settled = topology->is_settled;
}

static void message_fini(struct topology_message *message)
{
	mem_free(message->peers);
	mem_free(message->pointers);
}

static void topology_send(struct topology *topology, struct process *process,
			  const struct topology_message *message)
{
	struct presence_metrics *metrics = &topology->presence->metrics;

	if (process->topology_told == topology->version ||
	    !link_peer_is_up(process->peer))
		return;
	if (link_send_topology(process->peer, &message->topology, NULL) != OK) {
		metrics->topology_refused_total++;
		return;
	}
	process->topology_told = topology->version;
	metrics->topology_total++;
}

static void on_flush(struct loop_flush *flush)
{
	struct topology *topology = CONTAINER_OF(flush, struct topology, flush);
	const struct leases *leases = &topology->presence->processes.leases;
	struct topology_message message;

	message_init(&message, topology, leases);
	LIST_EACH (node, &leases->all) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);

		topology_send(topology, CONTAINER_OF(lease, struct process, lease),
			      &message);
	}
	message_fini(&message);
}

static void on_settled(struct timer *timer)
{
	struct topology *topology = CONTAINER_OF(timer, struct topology, settle_timer);

	topology->is_settled = true;
	log_info("topology.settled", "processes=%zu",
		 topology->presence->processes.leases.n);
	topology_changed(topology);
}

void topology_init(struct topology *topology, struct presence *presence,
		   int64_t settle_ms)
{
	*topology = (struct topology){ .presence = presence, .version = 1 };
	timer_init(&topology->settle_timer, on_settled);
	loop_flush_init(&topology->flush, on_flush);
	loop_timer_start(presence->loop, &topology->settle_timer, settle_ms);
}

void topology_fini(struct topology *topology)
{
	loop_timer_stop(topology->presence->loop, &topology->settle_timer);
	loop_untouch(&topology->flush);
}

void topology_changed(struct topology *topology)
{
	topology->version++;
	topology_tell(topology);
}

void topology_tell(struct topology *topology)
{
	loop_touch(topology->presence->loop, &topology->flush);
}
