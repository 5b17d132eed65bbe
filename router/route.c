/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the ring, then a link or a call. Answers need no ring: they go to who
 * asked.
 */
#include "router/route.h"

#include "proto/base/log.h"
#include "router/conn.h"
#include "router/router.h"
#include "router/shard.h"

/* NULL: we own it. */
static struct link_peer *owner_of(const struct router *router, ProtobufCBinaryData hub,
				  Link__Kind kind, ProtobufCBinaryData name)
{
	const size_t owner = shards_owner(&router->shards, link_slice(hub), (int)kind,
					  link_slice(name));

	return router->shard_peers[owner];
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

void route_send(struct router *router, Link__Send *send, struct ask *ask)
{
	struct link_peer *peer = NULL;
	enum err rc;

	send->call = ask != NULL ? ask->number : 0;
	/* Everybody's gateways are known to every router. */
	if (send->kind != LINK__KIND__KIND_ALL)
		peer = owner_of(router, send->hub, send->kind, send->name);
	if (peer == NULL) {
		shard_on_send(router, NULL, send);
		return;
	}
	rc = link_send_send(peer, send, ticket_of(ask, peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_join(struct router *router, Link__Join *join, struct ask *ask)
{
	struct link_peer *peer = owner_of(router, join->hub, LINK__KIND__KIND_CONNECTION,
					  join->connection);
	enum err rc;

	join->call = ask->number;
	join->origin = link_bytes(router_name(router));
	if (peer == NULL) {
		conn_on_join(router, NULL, join);
		return;
	}
	rc = link_send_join(peer, join, ask_put_to(ask, peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_list_members(struct router *router, Link__ListMembers *list, struct ask *ask)
{
	struct link_peer *peer =
		owner_of(router, list->hub, LINK__KIND__KIND_GROUP, list->group);
	enum err rc;

	list->call = ask->number;
	if (peer == NULL) {
		shard_on_list_members(router, NULL, list);
		return;
	}
	rc = link_send_list_members(peer, list, ask_put_to(ask, peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

/* Journal keys are placed like groups: a room's history lies where the room does. */
void route_log_append(struct router *router, Link__LogAppend *append, struct ask *ask)
{
	struct link_peer *peer =
		owner_of(router, append->hub, LINK__KIND__KIND_GROUP, append->key);
	enum err rc;

	append->call = ask->number;
	if (peer == NULL) {
		shard_on_log_append(router, NULL, append);
		return;
	}
	rc = link_send_log_append(peer, append, ask_put_to(ask, peer));
	if (rc != OK)
		route_failed(router, ask, rc);
}

void route_log_read(struct router *router, Link__LogRead *read, struct ask *ask)
{
	struct link_peer *peer =
		owner_of(router, read->hub, LINK__KIND__KIND_GROUP, read->key);
	enum err rc;

	read->call = ask->number;
	if (peer == NULL) {
		shard_on_log_read(router, NULL, read);
		return;
	}
	rc = link_send_log_read(peer, read, ask_put_to(ask, peer));
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
	const ptrdiff_t home = shards_find(&router->shards, link_slice(joined->origin));

	if (home >= 0)
		route_joined(router, router->shard_peers[home], joined);
	else
		log_warn("shard.origin_unknown", "router=%s",
			 log_quote(link_slice(joined->origin)).text);
}
