/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Held messages are kept packed, with the peer to answer to.
 */
#include "router/rebuild.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/command.h"
#include "router/router.h"
#include "router/shard.h"

enum held_kind { HELD_SEND, HELD_LIST, HELD_JOIN, HELD_COMMAND };

struct held {
	struct list node;
	struct link_peer *origin; /* held; NULL: ourselves */
	enum held_kind kind;
	struct buf packed; /* the message */
};

static void held_free(struct rebuild *rebuild, struct held *held)
{
	rebuild->held_bytes -= held->packed.len;
	list_remove(&held->node);
	link_peer_release(held->origin);
	buf_fini(&held->packed);
	mem_free(held);
}

/* Where to pack so many bytes; NULL: there is no room. */
static uint8_t *held_new(struct rebuild *rebuild, struct link_peer *origin,
			 enum held_kind kind, size_t len)
{
	const size_t bytes_max = (size_t)rebuild->router->conf->rebuild_bytes_max;
	struct held *held;

	if (rebuild->held_bytes + len > bytes_max) {
		rebuild->router->metrics.rebuild_refused_total++;
		log_warn("rebuild.full", "bytes=%zu", rebuild->held_bytes);
		return NULL;
	}
	held = MEM_NEW(struct held);
	held->origin = link_peer_hold(origin);
	held->kind = kind;
	list_init(&held->node);
	list_append(&rebuild->held, &held->node);
	buf_reserve(&held->packed, len);
	held->packed.len = len;
	rebuild->held_bytes += len;
	rebuild->router->metrics.rebuild_held_total++;
	return (uint8_t *)held->packed.ptr;
}

enum err rebuild_hold_send(struct rebuild *rebuild, struct link_peer *origin,
			   const Link__Send *send)
{
	uint8_t *packed =
		held_new(rebuild, origin, HELD_SEND, link__send__get_packed_size(send));

	if (packed == NULL)
		return ERR_LIMIT;
	link__send__pack(send, packed);
	return OK;
}

enum err rebuild_hold_list(struct rebuild *rebuild, struct link_peer *origin,
			   const Link__ListMembers *list)
{
	uint8_t *packed = held_new(rebuild, origin, HELD_LIST,
				   link__list_members__get_packed_size(list));

	if (packed == NULL)
		return ERR_LIMIT;
	link__list_members__pack(list, packed);
	return OK;
}

enum err rebuild_hold_join(struct rebuild *rebuild, struct link_peer *origin,
			   const Link__Join *join)
{
	uint8_t *packed =
		held_new(rebuild, origin, HELD_JOIN, link__join__get_packed_size(join));

	if (packed == NULL)
		return ERR_LIMIT;
	link__join__pack(join, packed);
	return OK;
}

enum err rebuild_hold_command(struct rebuild *rebuild, struct link_peer *origin,
			      const Link__Command *command)
{
	uint8_t *packed = held_new(rebuild, origin, HELD_COMMAND,
				   link__command__get_packed_size(command));

	if (packed == NULL)
		return ERR_LIMIT;
	link__command__pack(command, packed);
	return OK;
}

static const ProtobufCMessageDescriptor *held_descriptor(enum held_kind kind)
{
	switch (kind) {
	case HELD_SEND:
		return &link__send__descriptor;
	case HELD_LIST:
		return &link__list_members__descriptor;
	case HELD_JOIN:
		return &link__join__descriptor;
	case HELD_COMMAND:
		return &link__command__descriptor;
	}
	return NULL;
}

/* What was packed here unpacks: it never left this process. */
static void held_release(struct router *router, const struct held *held)
{
	ProtobufCMessage *message = protobuf_c_message_unpack(
		held_descriptor(held->kind), NULL, held->packed.len,
		(const uint8_t *)held->packed.ptr);

	assert(message != NULL);
	switch (held->kind) {
	case HELD_SEND:
		shard_on_send(router, held->origin, (const Link__Send *)message);
		break;
	case HELD_LIST:
		shard_on_list_members(router, held->origin,
				      (const Link__ListMembers *)message);
		break;
	case HELD_JOIN:
		conn_on_join(router, held->origin, (const Link__Join *)message);
		break;
	case HELD_COMMAND:
		command_on_command(router, held->origin, (const Link__Command *)message);
		break;
	}
	protobuf_c_message_free_unpacked(message, NULL);
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
	backlog_on_room(&router->backlog);
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

bool rebuild_is_missing(const struct rebuild *rebuild, uint64_t incarnation)
{
	return is_in(incarnation, rebuild->missing, rebuild->missing_n);
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

static bool is_listed(const struct rebuild *rebuild)
{
	return rebuild->router->shards.self != SHARD_LINKS_NOWHERE;
}

static bool has_no_map(const struct router *router)
{
	return router->shards.map.epoch == 0;
}

/* The list that we began with may not be that of the others, who have told us nothing of
 * what is ours by it alone. */
static bool is_map_due(const struct rebuild *rebuild)
{
	return has_no_map(rebuild->router) && topology_tells_maps(&rebuild->topology);
}

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
	size_t named_n;
	const uint64_t *named = topology_named(&rebuild->topology, &named_n);
	size_t n = 0;

	for (size_t i = 0; i < rebuild->missing_n; i++) {
		const uint64_t incarnation = rebuild->missing[i];

		if (is_in(incarnation, named, named_n) ||
		    is_here(rebuild->router, incarnation))
			rebuild->missing[n++] = incarnation;
	}
	rebuild->missing_n = n;
}

/* At the turn's end: a gateway's Replayed and the topology may come in the same turn. */
static void on_flush(struct loop_flush *flush)
{
	struct rebuild *rebuild = CONTAINER_OF(flush, struct rebuild, flush);
	const uint64_t *named;
	size_t named_n;

	if (rebuild->is_done)
		return;
	if (!is_listed(rebuild)) {
		rebuild_finish(rebuild, "unlisted");
		return;
	}
	if (timer_is_running(&rebuild->wait_timer) || is_map_due(rebuild))
		return;
	named = topology_named(&rebuild->topology, &named_n);
	for (size_t i = 0; i < named_n; i++) {
		if (!is_here(rebuild->router, named[i]))
			return;
	}
	if (all_here_have_replayed(rebuild->router))
		rebuild_finish(rebuild, "replayed");
}

void rebuild_on_gateway(struct rebuild *rebuild)
{
	loop_touch(rebuild->router->loop, &rebuild->flush);
}

void rebuild_on_topology(struct rebuild *rebuild, const struct link_peer *presence,
			 const Link__Topology *topology)
{
	topology_take(&rebuild->topology, presence, topology);
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

	if (!rebuild->is_done || !is_listed(rebuild))
		return;
	rebuild->is_done = false;
	topology_forget(&rebuild->topology);
	router->metrics.rebuilding = 1;
	loop_timer_start(router->loop, &rebuild->timeout_timer,
			 router->conf->rebuild_timeout_ms);
	loop_touch(router->loop, &rebuild->flush);
}

/* What they have told us we did not take, or have dropped. */
static void forget_replays(const struct router *router)
{
	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		gateway->is_replayed = false;
	}
}

static void begin(struct rebuild *rebuild)
{
	struct router *router = rebuild->router;

	rebuild->is_done = false;
	router->metrics.rebuilding = 1;
	if (!topology_is_settled(&rebuild->topology))
		loop_timer_start(router->loop, &rebuild->wait_timer,
				 router->conf->rebuild_wait_ms);
	loop_timer_start(router->loop, &rebuild->timeout_timer,
			 router->conf->rebuild_timeout_ms);
}

void rebuild_on_passed_over(struct rebuild *rebuild, struct router_gateway *gateway)
{
	struct router *router = rebuild->router;

	router->metrics.shards_moved_total++;
	gateway->was_passed_over |= has_no_map(router);
}

void rebuild_on_replayed(struct rebuild *rebuild, struct router_gateway *gateway)
{
	gateway->is_replayed = true;
	/* It will not do so once more when a list has us. */
	gateway->was_passed_over |= has_no_map(rebuild->router) && !is_listed(rebuild);
	rebuild_not_missing(rebuild, gateway->incarnation);
	rebuild_on_gateway(rebuild);
}

/* Before there was a map they went by lists of their own, and we by ours. Whoever had the
 * right one has nothing to tell anew, and we have not taken it. True: some must tell. */
static bool ask_passed_over(const struct router *router)
{
	bool has_asked = false;

	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (!gateway->was_passed_over)
			continue;
		gateway->was_passed_over = false;
		gateway->is_replayed = false;
		router_resync(gateway);
		has_asked = true;
	}
	return has_asked;
}

void rebuild_on_map(struct rebuild *rebuild, bool was_listed)
{
	if (is_listed(rebuild) && ask_passed_over(rebuild->router) && was_listed)
		rebuild_again(rebuild);
	rebuild_on_gateway(rebuild);
	if (was_listed == is_listed(rebuild))
		return;
	rebuild->missing_n = 0;
	forget_replays(rebuild->router);
	if (!was_listed)
		begin(rebuild);
}

static void on_wait(struct timer *timer)
{
	rebuild_on_gateway(CONTAINER_OF(timer, struct rebuild, wait_timer));
}

/* Who is named and not here, and who is here and has not replayed. */
static void missing_find(struct rebuild *rebuild)
{
	const struct router *router = rebuild->router;
	size_t named_n;
	const uint64_t *named = topology_named(&rebuild->topology, &named_n);

	for (size_t i = 0; i < named_n; i++) {
		if (!is_here(router, named[i]))
			missing_add(rebuild, named[i]);
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
	topology_init(&rebuild->topology);
	timer_init(&rebuild->wait_timer, on_wait);
	timer_init(&rebuild->timeout_timer, on_timeout);
	loop_flush_init(&rebuild->flush, on_flush);
	rebuild->is_done = !is_listed(rebuild);
	if (rebuild->is_done)
		return;
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
	topology_fini(&rebuild->topology);
	mem_free(rebuild->missing);
	LIST_EACH (node, &rebuild->held)
		held_free(rebuild, CONTAINER_OF(node, struct held, node));
}
