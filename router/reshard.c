/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A phase is looked at every now and then, and when something that it waits for has
 * ended, until all that it asks of us is done. Presence is told, and makes the next one.
 */
#include "router/reshard.h"

#include <inttypes.h>

#include "proto/base/log.h"
#include "router/reshard_drop.h"
#include "router/reshard_hold.h"
#include "router/router.h"

/* A phase that waits is looked at again. */
#define AGAIN_MS 20

/* ---- telling */

static enum err tell(struct router *router, struct link_peer *peer,
		     struct session_ticket *ticket)
{
	const struct shard_map *map = &router->shards.map;
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = map->epoch;
	shards.phase = (Link__ShardPhase)map->phase;
	shards.routers = link_bytes(slice_from_str(map->routers));
	shards.next = link_bytes(slice_from_str(map->next));
	shards.is_done = router->reshard.is_done;
	return link_send_shards(peer, &shards, ticket);
}

/* It must not be left out: whatever is said from now on goes by this map. There are few
 * of them, so the window does not bound them. A peer of before them knows of no maps. */
static enum err tell_surely(struct router *router, struct link_peer *peer,
			    struct session_ticket *ticket)
{
	enum err rc;

	link_peer_replay(peer, true);
	rc = tell(router, peer, ticket);
	link_peer_replay(peer, false);
	if (rc == ERR_LIMIT)
		log_error("shards.untold", "peer=%s", link_peer_name(peer));
	return rc;
}

/* Those that are away, too: their sessions go on behind it. */
static void tell_all(struct router *router)
{
	struct link_peer *peer = NULL;

	while ((peer = link_peer_next(router->link, peer)) != NULL) {
		if (link_peer_incarnation(peer) != 0)
			(void)tell_surely(router, peer, NULL); /* it has logged */
	}
}

void reshard_on_up(struct router *router, struct link_peer *peer, bool is_new)
{
	/* A link that goes on was told what has changed meanwhile. */
	if (is_new && tell(router, peer, NULL) == ERR_LIMIT)
		log_error("shards.untold", "peer=%s", link_peer_name(peer));
	if (is_new && link_peer_role(peer) == LINK__ROLE__ROLE_ROUTER)
		state_move_on_new(router, link_peer_owner(peer));
	reshard_look(router);
}

void reshard_on_lost(struct router *router, const struct link_peer *peer)
{
	struct shard_link *shard = link_peer_owner(peer);

	if (shard == NULL)
		return;
	shard->epoch = 0;
	shard->phase = SHARD_PHASE_NONE;
	/* What it had is lost. */
	shard->has_moved_state = true;
	shard->is_moving_state = false;
	state_move_look(router);
	reshard_look(router);
}

/* A replica of presence may be cut off from a router that the others hear. */
void reshard_on_topology(struct router *router, const struct link_peer *presence,
			 const Link__Topology *topology)
{
	const struct shard_links *links = &router->shards;
	const struct topology *said = &router->reshard.topology;

	topology_take(&router->reshard.topology, presence, topology);
	if (!topology->is_settled)
		return;
	for (size_t i = 0; i < links->n; i++) {
		struct shard_link *shard = links->items[i];

		if (shard != NULL)
			shard->is_dead = !topology_names_router(
				said, slice_from_str(link_peer_name(shard->peer)));
	}
	state_move_look(router);
	reshard_look(router);
}

/* ---- is it done? */

static void on_fence(struct session_ticket *ticket, enum err rc)
{
	struct reshard_fence *fence = CONTAINER_OF(ticket, struct reshard_fence, ticket);

	/* What was on its way to a gateway that is lost is, too. */
	(void)rc;
	fence->is_passed = true;
	reshard_look(fence->router);
}

void reshard_gateway_init(struct router *router, struct router_gateway *gateway)
{
	gateway->fence.router = router;
	session_ticket_init(&gateway->fence.ticket, on_fence);
}

void reshard_gateway_fini(struct router_gateway *gateway)
{
	session_ticket_cancel(&gateway->fence.ticket);
}

static bool has_said(const struct shard_link *shard, const struct shard_map *map)
{
	return shard->epoch > map->epoch ||
	       (shard->epoch == map->epoch && shard->phase >= map->phase);
}

/* They are there, and have every send watched from then on. */
static bool have_routers_said(const struct router *router)
{
	const struct shard_links *links = &router->shards;

	for (size_t i = 0; i < links->n; i++) {
		const struct shard_link *shard = links->items[i];

		if (shard != NULL && !shard->is_dead && !has_said(shard, &links->map))
			return false;
	}
	return true;
}

/* Links keep order: a gateway that has handled this has handled all before it. */
static bool have_gateways_passed(struct router *router)
{
	bool have_all = true;

	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);
		struct reshard_fence *fence = &gateway->fence;

		if (!fence->is_passed && !session_ticket_is_waiting(&fence->ticket))
			fence->is_passed = tell_surely(router, gateway->peer,
						       &fence->ticket) == ERR_UNSUPPORTED;
		have_all &= fence->is_passed;
	}
	return have_all;
}

static bool is_over(struct router *router)
{
	switch (router->shards.map.phase) {
	case SHARD_PHASE_PREPARE:
		return router->rebuild.is_done && have_routers_said(router) &&
		       have_gateways_passed(router);
	case SHARD_PHASE_COMMIT:
		return router->asks.old_n == 0 &&
		       list_is_empty(&router->reshard.hold.sends) &&
		       state_move_is_over(router);
	case SHARD_PHASE_STABLE:
	case SHARD_PHASE_NONE:
	default:
		return router->reshard.walk == RESHARD_WALKED;
	}
}

/* Not at once: it may be the middle of anything. */
void reshard_look(struct router *router)
{
	if (!router->reshard.is_done || !list_is_empty(&router->reshard.hold.sends))
		loop_timer_start(router->loop, &router->reshard.timer, 0);
}

static void done(struct router *router)
{
	router->reshard.is_done = true;
	log_info("shards.done", "epoch=%" PRIu64 " phase=%s", router->shards.map.epoch,
		 shard_phase_name(router->shards.map.phase));
	tell_all(router);
}

static void on_timer(struct timer *timer)
{
	struct router *router = CONTAINER_OF(timer, struct router, reshard.timer);
	int64_t next_ms = AGAIN_MS;

	reshard_hold_look(router);
	if (router->reshard.is_done)
		return;
	if (router->reshard.walk != RESHARD_WALKED)
		next_ms = reshard_drop_piece(router);
	if (router->state_move.is_sending)
		next_ms = state_move_piece(router);
	if (is_over(router))
		done(router);
	else
		loop_timer_start(router->loop, timer, next_ms);
}

static void on_old_over(struct asks *asks)
{
	reshard_look(CONTAINER_OF(asks, struct router, asks));
}

/* ---- another map */

/* Who is not waited for is taken for dead. An epoch that ends, or is given up, asks for
 * nothing more. */
static bool has_missed(const struct router *router, enum shard_phase from,
		       enum shard_verdict verdict)
{
	const bool is_next = router->shards.map.phase == from + 1;

	return verdict == SHARD_JUMP || (is_next && !router->reshard.is_done);
}

/* The phases between may have been for what we have missed: what waits for them to be
 * over would come behind what is sent from now on. */
static void jump(struct router *router)
{
	router->metrics.shards_jumped_total++;
	asks_lose_routed(&router->asks);
	reshard_hold_fail(router);
}

static void follow(struct router *router, enum shard_phase from,
		   enum shard_verdict verdict)
{
	const bool has_jumped = has_missed(router, from, verdict);
	const bool was_listed = router->shards.self != SHARD_LINKS_NOWHERE;
	const struct shard_map *map = &router->shards.map;
	struct reshard *reshard = &router->reshard;

	log_info("shards.map", "epoch=%" PRIu64 " phase=%s routers=%zu missed=%s",
		 map->epoch, shard_phase_name(map->phase), map->all.n,
		 has_jumped ? "yes" : "no");
	router->metrics.shards_epoch = (int64_t)map->epoch;
	router->metrics.shards_phase = (int64_t)map->phase;
	reshard->is_done = false;
	reshard->cursor = 0;
	reshard->walk =
		map->phase == SHARD_PHASE_STABLE ? RESHARD_GROUPS : RESHARD_WALKED;
	shard_links_follow(router);
	rebuild_on_map(&router->rebuild, was_listed);
	tell_all(router);
	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		session_ticket_cancel(&gateway->fence.ticket);
		gateway->fence.is_passed = false;
	}
	if (has_jumped)
		jump(router);
	else if (map->phase == SHARD_PHASE_COMMIT)
		asks_age(&router->asks);
	state_change_on_moved(router);
	if (map->phase == SHARD_PHASE_COMMIT)
		state_move_begin(router);
	else
		state_move_end(router);
	reshard_look(router);
}

void reshard_on_shards(struct router *router, struct link_peer *peer,
		       const Link__Shards *shards)
{
	const struct shard_offer offer = {
		.epoch = shards->epoch,
		.phase = (enum shard_phase)shards->phase,
		.routers = link_slice(shards->routers),
		.next = link_slice(shards->next),
	};
	const enum shard_phase from = router->shards.map.phase;
	enum shard_verdict verdict;
	const enum err rc = shard_map_take(&router->shards.map, &offer, &verdict);
	struct shard_link *shard = NULL;

	if (rc != OK) {
		router->metrics.shards_malformed_total++;
		log_warn("shards.malformed", "peer=%s reason=%s", link_peer_name(peer),
			 err_name(rc));
		return;
	}
	if (link_peer_role(peer) == LINK__ROLE__ROLE_ROUTER)
		shard = link_peer_owner(peer);
	if (shard != NULL) {
		shard->epoch = offer.epoch;
		shard->phase = offer.phase;
	}
	if (verdict == SHARD_OLD)
		reshard_look(router);
	else
		follow(router, from, verdict);
}

/* ---- life */

void reshard_init(struct router *router)
{
	struct reshard *reshard = &router->reshard;

	timer_init(&reshard->timer, on_timer);
	reshard_hold_init(&reshard->hold);
	topology_init(&reshard->topology);
	reshard->walk = RESHARD_WALKED;
	reshard->is_done = true;
	router->asks.on_old_over = on_old_over;
	router->metrics.shards_phase = SHARD_PHASE_STABLE;
}

void reshard_stop(struct router *router)
{
	loop_timer_stop(router->loop, &router->reshard.timer);
	state_move_stop(router);
	reshard_hold_fini(&router->reshard.hold);
	topology_fini(&router->reshard.topology);
}
