/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Held messages are kept packed, with the peer to answer to; those peers are routers,
 * which the link never frees.
 */
#include "router/rebuild.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/router.h"
#include "router/shard.h"

struct held {
	struct list node;
	struct link_peer *origin; /* borrowed; NULL: ourselves */
	bool is_list;
	struct buf packed; /* Send or ListMembers */
};

static void held_free(struct rebuild *rebuild, struct held *held)
{
	rebuild->held_bytes -= held->packed.len;
	list_remove(&held->node);
	buf_fini(&held->packed);
	mem_free(held);
}

static struct held *held_new(struct rebuild *rebuild, struct link_peer *origin,
			     size_t len)
{
	const size_t bytes_max = (size_t)rebuild->router->conf->rebuild_bytes_max;
	struct held *held;

	if (rebuild->held_bytes + len > bytes_max) {
		rebuild->router->metrics.rebuild_refused_total++;
		log_warn("rebuild.full", "bytes=%zu", rebuild->held_bytes);
		return NULL;
	}
	held = MEM_NEW(struct held);
	held->origin = origin;
	list_init(&held->node);
	list_append(&rebuild->held, &held->node);
	buf_reserve(&held->packed, len);
	held->packed.len = len;
	rebuild->held_bytes += len;
	rebuild->router->metrics.rebuild_held_total++;
	return held;
}

enum err rebuild_hold_send(struct rebuild *rebuild, struct link_peer *origin,
			   const Link__Send *send)
{
	struct held *held = held_new(rebuild, origin, link__send__get_packed_size(send));

	if (held == NULL)
		return ERR_LIMIT;
	link__send__pack(send, (uint8_t *)held->packed.ptr);
	return OK;
}

enum err rebuild_hold_list(struct rebuild *rebuild, struct link_peer *origin,
			   const Link__ListMembers *list)
{
	struct held *held =
		held_new(rebuild, origin, link__list_members__get_packed_size(list));

	if (held == NULL)
		return ERR_LIMIT;
	held->is_list = true;
	link__list_members__pack(list, (uint8_t *)held->packed.ptr);
	return OK;
}

/* What was packed here unpacks: it never left this process. */
static void held_release(struct router *router, const struct held *held)
{
	const uint8_t *bytes = (const uint8_t *)held->packed.ptr;

	if (held->is_list) {
		Link__ListMembers *list =
			link__list_members__unpack(NULL, held->packed.len, bytes);

		assert(list != NULL);
		shard_on_list_members(router, held->origin, list);
		link__list_members__free_unpacked(list, NULL);
	} else {
		Link__Send *send = link__send__unpack(NULL, held->packed.len, bytes);

		assert(send != NULL);
		shard_on_send(router, held->origin, send);
		link__send__free_unpacked(send, NULL);
	}
}

static void rebuild_finish(struct rebuild *rebuild, const char *why)
{
	struct router *router = rebuild->router;

	rebuild->is_done = true;
	router->metrics.rebuilding = 0;
	loop_timer_stop(router->loop, &rebuild->wait_timer);
	loop_timer_stop(router->loop, &rebuild->timeout_timer);
	log_info("rebuild.done", "why=%s groups=%zu members=%zu held_bytes=%zu", why,
		 router->groups.groups.count, router->groups.members.count,
		 rebuild->held_bytes);
	LIST_EACH (node, &rebuild->held) {
		struct held *held = CONTAINER_OF(node, struct held, node);

		held_release(router, held);
		held_free(rebuild, held);
	}
}

/* ---- who is missing after a timeout */

static bool is_in(uint64_t incarnation, const uint64_t *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i] == incarnation)
			return true;
	}
	return false;
}

static void missing_add(struct rebuild *rebuild, uint64_t incarnation)
{
	if (is_in(incarnation, rebuild->missing, rebuild->missing_n))
		return;
	rebuild->missing = mem_realloc(rebuild->missing,
				       (rebuild->missing_n + 1) * sizeof(uint64_t));
	rebuild->missing[rebuild->missing_n++] = incarnation;
}

bool rebuild_has_missing(const struct rebuild *rebuild)
{
	return rebuild->missing_n > 0;
}

void rebuild_not_missing(struct rebuild *rebuild, uint64_t incarnation)
{
	for (size_t i = 0; i < rebuild->missing_n; i++) {
		if (rebuild->missing[i] == incarnation) {
			rebuild->missing[i] = rebuild->missing[--rebuild->missing_n];
			return;
		}
	}
}

/* ---- is it done? */

static bool all_here_have_replayed(const struct router *router)
{
	LIST_EACH (node, &router->gateways) {
		if (!CONTAINER_OF(node, struct router_gateway, node)->is_replayed)
			return false;
	}
	return true;
}

static bool is_here(const struct router *router, uint64_t incarnation)
{
	LIST_EACH (node, &router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (gateway->incarnation == incarnation)
			return true;
	}
	return false;
}

/* Presence has given the others up. */
static void missing_keep_named(struct rebuild *rebuild)
{
	size_t n = 0;

	for (size_t i = 0; i < rebuild->missing_n; i++) {
		const uint64_t incarnation = rebuild->missing[i];

		if (is_in(incarnation, rebuild->named, rebuild->named_n) ||
		    is_here(rebuild->router, incarnation))
			rebuild->missing[n++] = incarnation;
	}
	rebuild->missing_n = n;
}

/* At the turn's end: a gateway's Replayed and the topology may come in the same turn. */
static void on_flush(struct loop_flush *flush)
{
	struct rebuild *rebuild = CONTAINER_OF(flush, struct rebuild, flush);

	if (rebuild->is_done || timer_is_running(&rebuild->wait_timer))
		return;
	for (size_t i = 0; i < rebuild->named_n; i++) {
		if (!is_here(rebuild->router, rebuild->named[i]))
			return;
	}
	if (all_here_have_replayed(rebuild->router))
		rebuild_finish(rebuild, "replayed");
}

void rebuild_on_gateway(struct rebuild *rebuild)
{
	loop_touch(rebuild->router->loop, &rebuild->flush);
}

void rebuild_on_topology(struct rebuild *rebuild, const Link__Topology *topology)
{
	rebuild->named = mem_realloc(rebuild->named,
				     (topology->n_peers + 1) * sizeof(*rebuild->named));
	rebuild->named_n = 0;
	for (size_t i = 0; i < topology->n_peers; i++) {
		if (topology->peers[i]->role == LINK__ROLE__ROLE_GATEWAY)
			rebuild->named[rebuild->named_n++] =
				topology->peers[i]->incarnation;
	}
	if (topology->is_settled)
		missing_keep_named(rebuild);
	if (rebuild->is_done)
		return;
	/* Presence that has just started may not name all: the wait is for the others. */
	if (topology->is_settled)
		loop_timer_stop(rebuild->router->loop, &rebuild->wait_timer);
	loop_touch(rebuild->router->loop, &rebuild->flush);
}

void rebuild_again(struct rebuild *rebuild)
{
	struct router *router = rebuild->router;

	if (!rebuild->is_done)
		return;
	rebuild->is_done = false;
	rebuild->named_n = 0;
	router->metrics.rebuilding = 1;
	loop_timer_start(router->loop, &rebuild->timeout_timer,
			 router->conf->rebuild_timeout_ms);
	loop_touch(router->loop, &rebuild->flush);
}

static void on_wait(struct timer *timer)
{
	rebuild_on_gateway(CONTAINER_OF(timer, struct rebuild, wait_timer));
}

/* Who is named and not here, and who is here and has not replayed. */
static void missing_find(struct rebuild *rebuild)
{
	const struct router *router = rebuild->router;

	for (size_t i = 0; i < rebuild->named_n; i++) {
		if (!is_here(router, rebuild->named[i]))
			missing_add(rebuild, rebuild->named[i]);
	}
	LIST_EACH (node, &router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (!gateway->is_replayed)
			missing_add(rebuild, gateway->incarnation);
	}
}

static void on_timeout(struct timer *timer)
{
	struct rebuild *rebuild = CONTAINER_OF(timer, struct rebuild, timeout_timer);

	rebuild->router->metrics.rebuild_timeout_total++;
	log_error("rebuild.timeout", "after_ms=%" PRId64,
		  rebuild->router->conf->rebuild_timeout_ms);
	missing_find(rebuild);
	rebuild_finish(rebuild, "timeout");
}

void rebuild_init(struct rebuild *rebuild, struct router *router)
{
	*rebuild = (struct rebuild){ .router = router };
	list_init(&rebuild->held);
	timer_init(&rebuild->wait_timer, on_wait);
	timer_init(&rebuild->timeout_timer, on_timeout);
	loop_flush_init(&rebuild->flush, on_flush);
	router->metrics.rebuilding = 1;
	loop_timer_start(router->loop, &rebuild->wait_timer,
			 router->conf->rebuild_wait_ms);
	loop_timer_start(router->loop, &rebuild->timeout_timer,
			 router->conf->rebuild_timeout_ms);
}

void rebuild_fini(struct rebuild *rebuild)
{
	loop_timer_stop(rebuild->router->loop, &rebuild->wait_timer);
	loop_timer_stop(rebuild->router->loop, &rebuild->timeout_timer);
	loop_untouch(&rebuild->flush);
	mem_free(rebuild->named);
	mem_free(rebuild->missing);
	LIST_EACH (node, &rebuild->held)
		held_free(rebuild, CONTAINER_OF(node, struct held, node));
}
