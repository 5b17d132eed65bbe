/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A phase is done when all has been gone through and the routers that own keys from then
 * on have handled it: links keep order, so the ticket of one message behind the rest
 * tells.
 */
#include "gateway/reshard.h"

#include <inttypes.h>

#include "gateway/claim.h"
#include "gateway/conn_private.h"
#include "gateway/forward.h"
#include "gateway/gateway.h"
#include "gateway/handover.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/release.h"
#include "gateway/replay.h"
#include "proto/base/log.h"
#include "proto/link/link_limits.h"

/* What one turn does of a walk: messages, and looks at what has none. */
#define PIECE_WORK 512
/* A link with no room, a phase that waits: looked at again. */
#define AGAIN_MS 20

/* ---- telling */

static enum err tell(struct gateway *gateway, struct link_peer *peer,
		     struct session_ticket *ticket)
{
	const struct shard_map *map = &gateway->routers.map;
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = map->epoch;
	shards.phase = (Link__ShardPhase)map->phase;
	shards.routers = link_bytes(slice_from_str(map->routers));
	shards.next = link_bytes(slice_from_str(map->next));
	shards.is_done = gateway->reshard.is_done;
	return link_send_shards(peer, &shards, ticket);
}

/* It must not be left out: whatever is said from now on goes by this map. There are few
 * of them, so the window does not bound them. */
static enum err tell_surely(struct gateway *gateway, struct link_peer *peer,
			    struct session_ticket *ticket)
{
	enum err rc;

	link_peer_replay(peer, true);
	rc = tell(gateway, peer, ticket);
	link_peer_replay(peer, false);
	/* Else it is a peer that knows of no maps. */
	if (rc == ERR_LIMIT)
		log_error("shards.untold", "peer=%s", link_peer_name(peer));
	return rc;
}

/* A presence that is away is told when it comes. */
static void tell_all(struct gateway *gateway)
{
	struct link_peer *peer = NULL;

	while ((peer = link_peer_next(gateway->link, peer)) != NULL) {
		if (link_peer_owner(peer) != NULL || link_peer_is_up(peer))
			(void)tell_surely(gateway, peer, NULL); /* it has logged */
	}
}

void reshard_on_up(struct gateway *gateway, struct link_peer *peer, bool is_new)
{
	struct gateway_router *router = link_peer_owner(peer);

	if (router != NULL && link_peer_version(peer) < LINK_VERSION_MAPS)
		router->has_said = true; /* it never will */
	if (!is_new)
		(void)tell_surely(gateway, peer, NULL); /* it has logged */
	else if (tell(gateway, peer, NULL) == ERR_LIMIT)
		log_error("shards.untold", "peer=%s", link_peer_name(peer));
}

/* ---- is it done? */

static void on_handled(struct session_ticket *ticket, enum err rc)
{
	struct gateway_router *router =
		CONTAINER_OF(ticket, struct gateway_router, handled);

	router->has_handled = rc == OK;
	reshard_look(router->gateway);
}

void reshard_router_init(struct gateway_router *router)
{
	session_ticket_init(&router->handled, on_handled);
}

/* Asks those that own keys from then on whether they have handled all; true: they have,
 * or stay away for longer than patience lasts, and are told anew when they come. */
static bool have_all_handled(struct gateway *gateway)
{
	bool have_all = true;

	for (size_t i = 0; i < gateway->routers.n; i++) {
		struct gateway_router *router = gateway->routers.items[i];

		if (!router->is_next || router->has_handled)
			continue;
		/* Before it was replayed to there is nothing for it to have handled. */
		if (router->incarnation != 0 &&
		    !session_ticket_is_waiting(&router->handled))
			router->has_handled =
				tell_surely(gateway, router->peer, &router->handled) ==
				ERR_UNSUPPORTED;
		have_all &= router->has_handled || (gateway->reshard.is_forced &&
						    !link_peer_is_up(router->peer));
	}
	return have_all;
}

static bool is_over(struct gateway *gateway)
{
	const struct reshard *reshard = &gateway->reshard;

	if (gateway->routers.map.phase == SHARD_PHASE_STABLE)
		return true;
	return reshard->walk == RESHARD_WALKED && reshard->releasing_n == 0 &&
	       reshard->left_n == 0 && have_all_handled(gateway) &&
	       (reshard->is_forced || !forwards_are_owed(gateway));
}

/* Not at once: a link may be in the middle of a replay. */
void reshard_look(struct gateway *gateway)
{
	if (!gateway->reshard.is_done)
		loop_timer_start(gateway->loop, &gateway->reshard.timer, 0);
}

static void done(struct gateway *gateway)
{
	gateway->reshard.is_done = true;
	log_info("shards.done", "epoch=%" PRIu64 " phase=%s", gateway->routers.map.epoch,
		 shard_phase_name(gateway->routers.map.phase));
	tell_all(gateway);
}

/* ---- the walk */

struct piece {
	struct gateway *gateway;
	size_t work;
};

/* PREPARE: the router that will own it hears what the one that does has heard. */
static enum err conn_tell_other(struct conn *conn, size_t *work)
{
	const struct gateway_router *other = gateway_untold_owner(
		conn->gateway, conn->hub, LINK__KIND__KIND_CONNECTION,
		slice_make(conn->id, CONN_ID_LEN));
	enum err rc = OK;

	if (other != NULL)
		rc = conn_announce_to(conn, other);
	if (rc == OK)
		rc = join_tell_other(conn, work);
	arena_reset(&conn->gateway->arena);
	return rc;
}

static void on_conn(struct map_node *node, void *owner)
{
	struct conn *conn = CONTAINER_OF(node, struct conn, node);
	struct piece *piece = owner;
	enum err rc = OK;

	piece->work++;
	if (conn->state != CONN_OPEN)
		return;
	if (piece->gateway->routers.map.phase == SHARD_PHASE_PREPARE)
		rc = conn_tell_other(conn, &piece->work);
	else
		rc = release_begin(conn);
	piece->gateway->reshard.is_short |= rc != OK;
}

static void on_claim(struct map_node *node, void *owner)
{
	struct piece *piece = owner;

	piece->work++;
	piece->gateway->reshard.is_short |= claim_tell_other(piece->gateway, node) != OK;
}

/* From the start, unless all found room. */
static void walk_next(struct gateway *gateway)
{
	struct reshard *reshard = &gateway->reshard;

	if (reshard->is_short)
		reshard->is_short = false;
	else if (reshard->walk == RESHARD_CONNS &&
		 gateway->routers.map.phase == SHARD_PHASE_PREPARE)
		reshard->walk = RESHARD_CLAIMS;
	else
		reshard->walk = RESHARD_WALKED;
}

/* What is told to owners to be must not crowd out what clients do. */
static bool has_room(const struct gateway *gateway)
{
	const size_t max = (size_t)gateway->conf->link.window_bytes_max / 2;

	for (size_t i = 0; i < gateway->routers.n; i++) {
		if (link_peer_waiting_bytes(gateway->routers.items[i]->peer) > max)
			return false;
	}
	return true;
}

/* Returns the time until the next piece. */
static int64_t walk_piece(struct gateway *gateway)
{
	struct reshard *reshard = &gateway->reshard;
	struct piece piece = { .gateway = gateway };
	bool was_short;

	/* Those that go over are told of by who has them then; no new ones begin. */
	if (!has_room(gateway) || movings_are_any(&gateway->movings))
		return AGAIN_MS;
	do {
		if (reshard->walk == RESHARD_CONNS)
			reshard->cursor = map_scan(&gateway->conns, reshard->cursor,
						   on_conn, &piece);
		else
			reshard->cursor = map_scan(&gateway->claims, reshard->cursor,
						   on_claim, &piece);
		piece.work++;
	} while (reshard->cursor != 0 && piece.work < PIECE_WORK);
	if (reshard->cursor != 0)
		return 0;
	was_short = reshard->is_short;
	walk_next(gateway);
	return was_short ? AGAIN_MS : 0;
}

static void walk_again(struct gateway *gateway)
{
	struct reshard *reshard = &gateway->reshard;

	reshard->walk = gateway->routers.map.phase == SHARD_PHASE_STABLE ? RESHARD_WALKED
									 : RESHARD_CONNS;
	reshard->cursor = 0;
	reshard->is_short = false;
	loop_timer_start(gateway->loop, &reshard->timer, 0);
}

/* ---- the end of patience */

static void each_conn(struct gateway *gateway, void (*fn)(struct conn *conn))
{
	struct map_node *node = map_next(&gateway->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&gateway->conns, node);
		if (conn->state == CONN_OPEN || conn->is_releasing)
			fn(conn);
	}
}

static void force(struct gateway *gateway)
{
	struct reshard *reshard = &gateway->reshard;

	log_warn("shards.forced", "connections=%" PRIu64 " streams=%" PRIu64,
		 reshard->releasing_n, reshard->left_n);
	reshard->is_forced = true;
	each_conn(gateway, release_force);
	for (size_t i = 0; i < gateway->routers.n; i++)
		invoke_end_left(gateway->routers.items[i]);
	reshard->walk = RESHARD_WALKED;
}

static void on_timer(struct timer *timer)
{
	struct gateway *gateway = CONTAINER_OF(timer, struct gateway, reshard.timer);
	struct reshard *reshard = &gateway->reshard;
	int64_t next_ms = AGAIN_MS;

	if (reshard->walk != RESHARD_WALKED)
		next_ms = walk_piece(gateway);
	if (gateway->routers.map.phase == SHARD_PHASE_COMMIT && !reshard->is_forced) {
		const int64_t left_ms = reshard->end_ms - loop_now_ms(gateway->loop);

		if (left_ms <= 0)
			force(gateway);
		else if (left_ms < next_ms)
			next_ms = left_ms;
	}
	if (is_over(gateway))
		done(gateway);
	else
		loop_timer_start(gateway->loop, timer, next_ms);
}

/* ---- another map */

/* The map that was gone by until now. */
struct before {
	uint64_t epoch;
	enum shard_phase phase;
	bool is_done;
};

/* Not all that was to be told has been: everything is. */
static void start_over(struct gateway *gateway)
{
	gateway->metrics.shards_jumped_total++;
	/* Routers that lose us run on_disconnected, one of which may be another than who
	 * owns the connection by now. */
	for (struct map_node *node = map_next(&gateway->conns, NULL); node != NULL;
	     node = map_next(&gateway->conns, node))
		CONTAINER_OF(node, struct conn, node)->is_begun = false;
	for (size_t i = 0; i < gateway->routers.n; i++)
		router_resync(gateway->routers.items[i]);
}

/* Who was not waited for has been given up for dead. An epoch that is given up asks for
 * nothing. */
static bool has_missed(const struct gateway *gateway, const struct before *before,
		       enum shard_verdict verdict)
{
	const bool is_given_up = before->phase == SHARD_PHASE_PREPARE &&
				 gateway->routers.map.phase == SHARD_PHASE_STABLE;

	return verdict == SHARD_JUMP || (!before->is_done && !is_given_up);
}

/* Senders have gone over to owners that we had not told of our clients: what these
 * confirmed meanwhile has not come here, and never will. */
static bool has_hole(const struct gateway *gateway, const struct before *before)
{
	const struct shard_map *map = &gateway->routers.map;
	const bool is_untold = before->phase == SHARD_PHASE_PREPARE && !before->is_done;
	const uint64_t told = before->epoch - (is_untold ? 1 : 0);
	const uint64_t gone_over =
		map->epoch - (map->phase == SHARD_PHASE_PREPARE ? 1 : 0);

	return told < gone_over;
}

static void follow(struct gateway *gateway, const struct before *before,
		   enum shard_verdict verdict)
{
	const struct shard_map *map = &gateway->routers.map;
	struct reshard *reshard = &gateway->reshard;
	const bool has_clients = gateway->conns.count > 0 || gateway->claims.count > 0;
	const bool must_start_over = has_clients && has_missed(gateway, before, verdict);

	log_info("shards.map", "epoch=%" PRIu64 " phase=%s routers=%zu missed=%s",
		 map->epoch, shard_phase_name(map->phase), map->all.n,
		 must_start_over ? "yes" : "no");
	gateway->metrics.shards_epoch = (int64_t)map->epoch;
	gateway->metrics.shards_phase = (int64_t)map->phase;
	reshard->is_done = false;
	reshard->is_forced = false;
	reshard->end_ms = loop_now_ms(gateway->loop) + gateway->conf->reshard_timeout_ms;
	routers_follow(gateway);
	tell_all(gateway);
	if (reshard->releasing_n > 0)
		each_conn(gateway, release_stop);
	for (size_t i = 0; i < gateway->routers.n; i++) {
		session_ticket_cancel(&gateway->routers.items[i]->handled);
		gateway->routers.items[i]->has_handled = false;
		gateway->routers.items[i]->is_replayed = false;
	}
	if (map->phase != SHARD_PHASE_STABLE)
		handovers_on_map(gateway);
	/* At once: what comes behind it would show the hole. */
	if (must_start_over && has_hole(gateway, before))
		replay_fence_now(gateway);
	if (must_start_over)
		start_over(gateway);
	walk_again(gateway);
}

void reshard_on_shards(struct gateway *gateway, struct link_peer *peer,
		       const Link__Shards *shards)
{
	struct shard_map *map = &gateway->routers.map;
	struct gateway_router *router = link_peer_owner(peer);
	const struct before before = { map->epoch, map->phase, gateway->reshard.is_done };
	const struct shard_offer offer = {
		.epoch = shards->epoch,
		.phase = (enum shard_phase)shards->phase,
		.routers = link_slice(shards->routers),
		.next = link_slice(shards->next),
	};
	enum shard_verdict verdict;
	const enum err rc = shard_map_take(map, &offer, &verdict);

	if (rc != OK) {
		gateway->metrics.shards_malformed_total++;
		log_warn("shards.malformed", "peer=%s reason=%s", link_peer_name(peer),
			 err_name(rc));
		return;
	}
	if (router != NULL) {
		router->has_said = true;
		router->epoch = offer.epoch;
		router->phase = offer.phase;
		router_said(router);
	}
	if (verdict != SHARD_OLD)
		follow(gateway, &before, verdict);
}

/* ---- what happens to a router */

/* What it was asked to let go of is void. */
static void unrelease(const struct gateway_router *router)
{
	struct gateway *gateway = router->gateway;

	if (gateway->reshard.releasing_n == 0)
		return;
	for (struct map_node *node = map_next(&gateway->conns, NULL); node != NULL;
	     node = map_next(&gateway->conns, node))
		release_on_lost(CONTAINER_OF(node, struct conn, node), router);
}

void reshard_on_replayed(struct gateway_router *router)
{
	struct gateway *gateway = router->gateway;

	router->is_replayed = true;
	/* What it is to let go of it has been told anew. */
	if (gateway->routers.map.phase == SHARD_PHASE_COMMIT)
		walk_again(gateway);
	reshard_look(gateway);
}

/* It is left out of replays before, and what it is in may have come behind them: the
 * walk, which waits for it, tells all. */
void reshard_on_arrived(struct gateway *gateway)
{
	if (gateway->routers.map.phase == SHARD_PHASE_STABLE)
		return;
	for (size_t i = 0; i < gateway->routers.n; i++)
		gateway->routers.items[i]->is_replayed = false;
	walk_again(gateway);
}

void reshard_on_lost(struct gateway_router *router)
{
	session_ticket_cancel(&router->handled);
	router->has_handled = false;
	router->is_replayed = false;
	unrelease(router);
}

/* What is for all has no owner; a kind that we do not know is refused elsewhere. */
static bool has_owner(const Link__Deliver *deliver)
{
	return deliver->kind == LINK__KIND__KIND_GROUP ||
	       deliver->kind == LINK__KIND__KIND_USER ||
	       deliver->kind == LINK__KIND__KIND_CONNECTION;
}

bool reshard_is_fenced(struct gateway_router *router, const Link__Deliver *deliver)
{
	struct gateway *gateway = router->gateway;
	const struct hub *hub = hubs_find(&gateway->hubs, link_slice(deliver->hub));

	if (hub == NULL || !has_owner(deliver) ||
	    gateway_router_owns(router, hub, deliver->kind, link_slice(deliver->name)))
		return false;
	gateway->metrics.deliver_fenced_total++;
	log_warn("deliver.fenced", "router=%s", link_peer_name(router->peer));
	link_peer_reset(router->peer);
	return true;
}

/* ---- life */

void reshard_init(struct gateway *gateway)
{
	timer_init(&gateway->reshard.timer, on_timer);
	gateway->reshard.walk = RESHARD_WALKED;
	gateway->reshard.is_done = true;
	gateway->metrics.shards_phase = SHARD_PHASE_STABLE;
}

void reshard_fini(struct gateway *gateway)
{
	loop_timer_stop(gateway->loop, &gateway->reshard.timer);
}
