/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the ring, then a link or a call. Answers need no ring: they go to who
 * asked.
 */
#include "router/route.h"

#include "proto/base/log.h"
#include "router/conn.h"
#include "router/hub_runtime.h"
#include "router/reshard_hold.h"
#include "router/router.h"
#include "router/shard.h"

static struct shard_owner owner_of(const struct router *router, ProtobufCBinaryData hub,
				   Link__Kind kind, ProtobufCBinaryData name)
{
	return shard_owner_of(router, link_slice(hub), kind, link_slice(name));
}

/* What was not even sent is answered here. */
static void route_failed(struct router *router, const struct ask *ask, enum err rc)
{
	const struct ask_answer answer = { .rc = rc };

	if (ask != NULL)
		asks_answer(&router->asks, ask->number, &answer);
}

static struct session_ticket *ticket_of(struct ask *ask, const struct link_peer *peer)
{
	return ask != NULL ? ask_put_to(ask, peer) : NULL;
}

/* In PREPARE it is known which of them go another way later. */
static void send_mark(const struct router *router, const Link__Send *send,
		      struct ask *ask)
{
	const bool is_staying = router->shards.map.phase == SHARD_PHASE_PREPARE &&
				!shard_moves(router, link_slice(send->hub), send->kind,
					     link_slice(send->name));

	if (ask != NULL)
		ask->route = is_staying ? ASK_UNROUTED : ASK_ROUTED_SEND;
}

void route_send(struct router *router, Link__Send *send, struct ask *ask)
{
	struct shard_owner owner = { .is_own = true };
	enum err rc;

	send->call = ask != NULL ? ask->number : 0;
	rc = backlog_hold(&router->backlog, NULL, send);
	if (rc != ERR_AGAIN) {
		if (rc != OK)
			route_failed(router, ask, rc);
		return;
	}
	/* Everybody's gateways are known to every router. */
	if (send->kind != LINK__KIND__KIND_ALL) {
		if (ask != NULL && reshard_must_hold(router, send)) {
			rc = reshard_hold_send(router, send, ask);
			if (rc != OK)
				route_failed(router, ask, rc);
			return;
		}
		owner = owner_of(router, send->hub, send->kind, send->name);
		send_mark(router, send, ask);
	}
	if (owner.is_own) {
		shard_on_send(router, NULL, send);
		return;
	}
	rc = owner.peer != NULL
		     ? link_send_send(owner.peer, send, ticket_of(ask, owner.peer))
		     : ERR_MOVED;
	if (rc != OK)
		route_failed(router, ask, rc);
}

/* Whoever sends it to us takes us for the owner. */
static struct shard_owner taker_of(const struct router *router,
				   const struct link_peer *origin, const Link__Send *send)
{
	if (origin != NULL || send->kind == LINK__KIND__KIND_ALL)
		return (struct shard_owner){ .is_own = true };
	return owner_of(router, send->hub, send->kind, send->name);
}

bool route_is_own(const struct router *router, const struct link_peer *origin,
		  const Link__Send *send)
{
	return taker_of(router, origin, send).is_own;
}

bool route_is_crowded(struct router *router, const struct link_peer *origin,
		      const Link__Send *send)
{
	const struct shard_owner owner = taker_of(router, origin, send);

	if (owner.is_own)
		return shard_is_crowded(router, send);
	return owner.peer != NULL && link_peer_is_crowded(owner.peer);
}

void route_join(struct router *router, Link__Join *join, struct ask *ask)
{
	const struct shard_owner owner = owner_of(
		router, join->hub, LINK__KIND__KIND_CONNECTION, join->connection);
	enum err rc = ERR_MOVED;

	join->call = ask->number;
	join->origin = link_bytes(router_name(router));
	ask->route = ASK_ROUTED;
	if (owner.is_own) {
		conn_on_join(router, NULL, join);
		return;
	}
	if (owner.peer != NULL)
		rc = link_send_join(owner.peer, join, ask_put_to(ask, owner.peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_list_members(struct router *router, Link__ListMembers *list, struct ask *ask)
{
	const struct shard_owner owner =
		owner_of(router, list->hub, LINK__KIND__KIND_GROUP, list->group);
	enum err rc = ERR_MOVED;

	list->call = ask->number;
	ask->route = ASK_ROUTED;
	if (owner.is_own) {
		shard_on_list_members(router, NULL, list);
		return;
	}
	if (owner.peer != NULL)
		rc = link_send_list_members(owner.peer, list,
					    ask_put_to(ask, owner.peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_question(struct router *router, Link__Question *question, struct ask *ask)
{
	const struct shard_owner owner = owner_of(
		router, question->hub, LINK__KIND__KIND_CONNECTION, question->connection);
	enum err rc = ERR_MOVED;

	question->call = ask->number;
	ask->route = ASK_ROUTED;
	if (owner.is_own) {
		hub_question(router, NULL, question);
		return;
	}
	if (owner.peer != NULL)
		rc = link_send_question(owner.peer, question,
					ask_put_to(ask, owner.peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_joined(struct router *router, struct link_peer *origin,
		  const Link__Joined *joined)
{
	const struct ask_answer answer = { .rc = (enum err)joined->rc };

	if (origin == NULL)
		asks_answer(&router->asks, joined->call, &answer);
	else if (link_send_joined(origin, joined, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

void route_joined_home(struct router *router, const Link__Joined *joined)
{
	const struct slice origin = link_slice(joined->origin);
	const struct shard_link *home = shard_link_find(router, origin);

	if (home != NULL || slice_equal(origin, router_name(router)))
		route_joined(router, home != NULL ? home->peer : NULL, joined);
	else
		log_warn("shard.origin_unknown", "router=%s", log_quote(origin).text);
}
