/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is one hand-over of a connection at a time, which hangs in it. A gateway that
 * cannot be told what it waits for is started over with (router_resync).
 */
#include "router/handover.h"

#include <assert.h>

#include "proto/base/arena.h"
#include "proto/base/mem.h"
#include "router/claim.h"
#include "router/hub_runtime.h"
#include "router/router.h"

/* Links that break are dialed again at once; one that is down for longer may stay so. */
#define BACK_SOON_MS 1000

struct handover {
	struct conn *conn;	     /* borrowed; has it */
	struct router_gateway *from; /* borrowed, as is the next */
	struct router_gateway *to;
	struct list from_node; /* in from->leaving */
	struct list to_node;   /* in to->arriving */
	uint64_t call;
	bool is_moved; /* the connection is `to`'s already */
};

static struct slice peer_name(const struct router_gateway *gateway)
{
	return slice_from_str(link_peer_name(gateway->peer));
}

void handover_forget(struct conn *conn)
{
	struct handover *handover = conn->handover;

	if (handover == NULL)
		return;
	list_remove(&handover->from_node);
	list_remove(&handover->to_node);
	conn->handover = NULL;
	mem_free(handover);
}

static struct handover *handover_new(struct conn *conn, struct router_gateway *to,
				     uint64_t call)
{
	struct handover *handover = MEM_NEW(struct handover);

	assert(conn->handover == NULL && conn->gateway != NULL);
	handover->conn = conn;
	handover->from = conn->gateway;
	handover->to = to;
	handover->call = call;
	list_init(&handover->from_node);
	list_init(&handover->to_node);
	list_append(&handover->from->leaving, &handover->from_node);
	list_append(&to->arriving, &handover->to_node);
	conn->handover = handover;
	return handover;
}

/* ---- telling the two */

static void answer(struct router_gateway *from, const Link__HandoverTaken *taken)
{
	if (link_send_handover_taken(from->peer, taken, NULL) != OK)
		router_resync(from);
}

static void tell_untaken(const struct handover *handover, enum err rc)
{
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	taken.hub = link_bytes(hub_served_name(handover->conn->hub));
	taken.connection = link_bytes(handover->conn->id);
	taken.call = handover->call;
	taken.rc = rc;
	taken.is_done = handover->is_moved;
	answer(handover->from, &taken);
}

/* To a successor: what it has of the connection is nothing. */
static void drop(struct router_gateway *to, ProtobufCBinaryData hub,
		 ProtobufCBinaryData connection, uint64_t call)
{
	Link__HandoverRest rest = LINK__HANDOVER_REST__INIT;

	rest.hub = hub;
	rest.connection = connection;
	rest.call = call;
	rest.is_failed = true;
	if (link_send_handover_rest(to->peer, &rest, NULL) != OK)
		router_resync(to);
}

static void tell_dropped(const struct handover *handover)
{
	drop(handover->to, link_bytes(hub_served_name(handover->conn->hub)),
	     link_bytes(handover->conn->id), handover->call);
}

/* ---- the successor */

static bool may_take(const struct router_gateway *gateway,
		     const struct router_gateway *from)
{
	return gateway != from && !gateway->is_leaving && gateway->is_replayed;
}

/* It may be there again before the connection has to go. */
static bool is_back_soon(const struct router *router,
			 const struct router_gateway *gateway)
{
	return loop_now_ms(router->loop) - gateway->away_since_ms <= BACK_SOON_MS;
}

/* Whoever has waited longest, of those that are there or else of those whose link has
 * just broken; NULL: there is none. */
static struct router_gateway *choose(struct router *router,
				     const struct router_gateway *from)
{
	struct router_gateway *chosen = NULL;

	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (!may_take(gateway, from))
			continue;
		if (gateway->away_since_ms == 0) {
			chosen = gateway;
			break;
		}
		if (chosen == NULL && is_back_soon(router, gateway))
			chosen = gateway;
	}
	if (chosen != NULL) {
		list_remove(&chosen->node);
		list_append(&router->gateways, &chosen->node);
	}
	return chosen;
}

static enum err begin(struct router *router, struct router_gateway *from,
		      const Link__Handover *handover)
{
	struct conn *conn = conn_find(router, handover->hub, handover->connection);
	Link__Handover passed = *handover;
	struct router_gateway *to;
	enum err rc;

	if (conn == NULL || conn->gateway != from || conn->handover != NULL)
		return ERR_ARGUMENT;
	to = choose(router, from);
	if (to == NULL)
		return ERR_NOT_FOUND;
	passed.origin = link_bytes(peer_name(from));
	rc = link_send_handover(to->peer, &passed, NULL);
	if (rc == ERR_UNSUPPORTED) { /* it is older than hand-overs */
		to->is_leaving = true;
		return ERR_CLOSED;
	}
	if (rc == OK)
		(void)handover_new(conn, to, handover->call); /* it hangs in conn */
	return rc;
}

void handover_on_handover(struct router *router, struct router_gateway *from,
			  const Link__Handover *handover)
{
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	router->metrics.handover_total++;
	from->is_leaving = true;
	taken.rc = begin(router, from, handover);
	if (taken.rc == OK)
		return;
	router->metrics.handover_refused_total++;
	taken.hub = handover->hub;
	taken.connection = handover->connection;
	taken.call = handover->call;
	answer(from, &taken);
}

/* ---- it is taken */

/* From now on all that is sent to the connection goes to its successor. */
static void move(struct handover *handover)
{
	struct conn *conn = handover->conn;

	assert(conn->gateway == handover->from && !handover->is_moved);
	list_remove(&conn->gateway_node);
	list_append(&handover->to->conns, &conn->gateway_node);
	conn->gateway = handover->to;
	claim_move(conn->router, hub_served_name(conn->hub), conn->id, handover->to);
	handover->is_moved = true;
}

/* The successor has ended it, or never had it. */
static void on_untaken(struct handover *handover)
{
	struct conn *conn = handover->conn;
	const bool is_moved = handover->is_moved;

	handover_forget(conn);
	if (!is_moved)
		return;
	claim_end(conn->router, hub_served_name(conn->hub), conn->id);
	conn_end(conn, SLICE("handover_failed"));
}

/* NULL: it is over, or another one. */
static struct handover *find(const struct router *router, ProtobufCBinaryData hub,
			     ProtobufCBinaryData connection, uint64_t call)
{
	const struct conn *conn = conn_find(router, hub, connection);
	struct handover *handover = conn != NULL ? conn->handover : NULL;

	return handover != NULL && handover->call == call ? handover : NULL;
}

void handover_on_taken(struct router *router, struct router_gateway *to,
		       const Link__HandoverTaken *taken)
{
	struct handover *handover =
		find(router, taken->hub, taken->connection, taken->call);
	Link__HandoverTaken passed = *taken;
	struct router_gateway *from;

	if (handover == NULL || handover->to != to) {
		router->metrics.handover_late_total++;
		if (taken->rc == OK && !taken->is_done)
			drop(to, taken->hub, taken->connection, taken->call);
		return;
	}
	from = handover->from;
	passed.gateway = link_bytes(peer_name(to));
	if (taken->rc == ERR_CLOSED)
		to->is_leaving = true;
	if (taken->rc != OK)
		on_untaken(handover);
	else if (taken->is_done)
		handover_forget(handover->conn);
	else
		move(handover);
	if (taken->rc == OK && taken->is_done)
		router->metrics.handover_done_total++;
	answer(from, &passed);
}

/* ---- the rest */

static void give_up(struct handover *handover)
{
	tell_dropped(handover);
	on_untaken(handover);
}

void handover_on_rest(struct router *router, struct router_gateway *from,
		      const Link__HandoverRest *rest)
{
	struct handover *handover = find(router, rest->hub, rest->connection, rest->call);
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	if (handover != NULL && handover->from == from) {
		if (rest->is_failed)
			give_up(handover);
		else if (handover->is_moved &&
			 link_send_handover_rest(handover->to->peer, rest, NULL) != OK)
			router_resync(handover->to);
		return;
	}
	router->metrics.handover_late_total++;
	if (rest->is_failed)
		return;
	taken.hub = rest->hub;
	taken.connection = rest->connection;
	taken.call = rest->call;
	taken.rc = ERR_NOT_FOUND;
	taken.is_done = true;
	answer(from, &taken);
}

/* ---- memberships */

static struct router_gateway *gateway_named(const struct router *router,
					    ProtobufCBinaryData name)
{
	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (slice_equal(peer_name(gateway), link_slice(name)))
			return gateway;
	}
	return NULL;
}

static bool move_key(struct router *router, struct router_gateway *from,
		     struct router_gateway *to, const Link__HandoverMove *move,
		     const Link__HandoverKey *key)
{
	const struct group_key group = { link_slice(move->hub), (int)key->kind,
					 link_slice(key->name) };

	return group_move(&router->groups, &group, link_slice(move->connection),
			  &from->members, &to->members);
}

/* Those that the predecessor has told of; it told of all. */
static void move_keys(struct router *router, struct router_gateway *from,
		      struct router_gateway *to, const Link__HandoverMove *move,
		      Link__HandoverMoved *moved)
{
	for (size_t i = 0; i < move->n_keys; i++) {
		if (move_key(router, from, to, move, move->keys[i]))
			moved->keys[moved->n_keys++] = move->keys[i];
	}
	router->metrics.handover_members_total += moved->n_keys;
}

void handover_on_move(struct router *router, struct router_gateway *from,
		      const Link__HandoverMove *move)
{
	struct router_gateway *to = gateway_named(router, move->gateway);
	Link__HandoverMoved moved = LINK__HANDOVER_MOVED__INIT;
	struct arena arena = ARENA_INIT;

	moved.hub = move->hub;
	moved.connection = move->connection;
	moved.call = move->call;
	moved.keys = arena_alloc(&arena, move->n_keys * sizeof(*moved.keys));
	if (to == NULL || to == from) {
		moved.rc = ERR_NOT_FOUND;
	} else {
		move_keys(router, from, to, move, &moved);
		if (link_send_handover_moved(to->peer, &moved, NULL) != OK)
			router_resync(to);
	}
	if (link_send_handover_moved(from->peer, &moved, NULL) != OK)
		router_resync(from);
	arena_fini(&arena);
}

/* ---- loss */

static bool another_may_take(const struct handover *handover)
{
	LIST_EACH (node, &handover->conn->router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (gateway != handover->to && gateway->away_since_ms == 0 &&
		    may_take(gateway, handover->from))
			return true;
	}
	return false;
}

static void on_away(struct loop_flush *flush)
{
	struct router_gateway *gateway = CONTAINER_OF(flush, struct router_gateway, away);

	if (gateway->away_since_ms == 0)
		return;
	LIST_EACH (node, &gateway->arriving) {
		struct handover *handover = CONTAINER_OF(node, struct handover, to_node);

		if (handover->is_moved || !another_may_take(handover))
			continue;
		tell_untaken(handover, ERR_CLOSED);
		handover_forget(handover->conn);
	}
}

void handovers_init(struct router_gateway *gateway)
{
	list_init(&gateway->leaving);
	list_init(&gateway->arriving);
	loop_flush_init(&gateway->away, on_away);
}

void handovers_fini(struct router_gateway *gateway)
{
	loop_untouch(&gateway->away);
}

/* A link that is reset breaks in the midst of whatever found no room on it. */
void handovers_on_gateway_down(struct router *router, struct router_gateway *gateway)
{
	loop_touch(router->loop, &gateway->away);
}

void handovers_on_gateway_lost(struct router_gateway *gateway)
{
	LIST_EACH (node, &gateway->leaving) {
		struct handover *handover =
			CONTAINER_OF(node, struct handover, from_node);

		give_up(handover);
	}
	LIST_EACH (node, &gateway->arriving) {
		struct handover *handover = CONTAINER_OF(node, struct handover, to_node);

		tell_untaken(handover, ERR_OUTCOME);
		handover_forget(handover->conn);
	}
}
