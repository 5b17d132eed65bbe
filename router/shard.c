/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's side: membership in, sends fanned out to gateways, questions answered.
 * Sends and questions about members wait while the table is being rebuilt.
 */
#include "router/shard.h"

#include "proto/base/arena.h"
#include "proto/base/log.h"
#include "router/fanout.h"
#include "router/group_page.h"
#include "router/router.h"

_Static_assert(GROUP_KIND_LISTED == (int)LINK__KIND__KIND_GROUP, "groups are listed");

static struct group_key key_of(ProtobufCBinaryData hub, Link__Kind kind,
			       ProtobufCBinaryData name)
{
	return (struct group_key){ link_slice(hub), (int)kind, link_slice(name) };
}

void shard_on_member(struct router *router, struct router_gateway *gateway,
		     const Link__Member *member)
{
	const struct group_key key = key_of(member->hub, member->kind, member->name);
	const struct group_member who = {
		.connection = link_slice(member->connection),
		.user_id = link_slice(member->user_id),
		.user_name = link_slice(member->user_name),
	};

	if (member->kind != LINK__KIND__KIND_GROUP &&
	    member->kind != LINK__KIND__KIND_USER) {
		router->metrics.envelope_unknown_total++;
		return;
	}
	router->metrics.member_total++;
	if (member->is_gone)
		group_remove(&router->groups, &key, who.connection, &gateway->members);
	else if (shard_is_ours(router, key.hub, member->kind, key.name))
		group_add(&router->groups, &key, &who, &gateway->members);
	else
		rebuild_on_passed_over(&router->rebuild, gateway);
}

bool shard_is_fenced(struct router *router, const struct link_peer *origin,
		     ProtobufCBinaryData hub, Link__Kind kind, ProtobufCBinaryData name)
{
	/* Any number may come. */
	const bool has_owner = kind == LINK__KIND__KIND_GROUP ||
			       kind == LINK__KIND__KIND_USER ||
			       kind == LINK__KIND__KIND_CONNECTION;

	if (origin == NULL || !has_owner ||
	    shard_is_ours(router, link_slice(hub), kind, link_slice(name)))
		return false;
	router->metrics.shards_moved_total++;
	return true;
}

bool shard_has_moved(struct router *router, ProtobufCBinaryData hub, Link__Kind kind,
		     ProtobufCBinaryData name)
{
	if (router->shards.map.epoch == 0 ||
	    shard_is_ours(router, link_slice(hub), kind, link_slice(name)))
		return false;
	router->metrics.shards_moved_total++;
	return true;
}

/* ---- sends */

static const struct group *send_group(struct router *router, const Link__Send *send)
{
	const struct group_key key = key_of(send->hub, send->kind, send->name);

	return group_find(&router->groups, &key);
}

static struct router_gateway *connection_gateway(const struct router *router,
						 const Link__Send *send)
{
	const struct conn *conn = conn_find(router, send->hub, send->name);

	return conn != NULL ? conn->gateway : NULL;
}

static void send_to_nobody(struct router *router, struct fanout *fanout,
			   const Link__Send *send)
{
	router->metrics.send_empty_total++;
	if (!send->must_exist)
		return;
	if (rebuild_has_missing(&router->rebuild))
		fanout_doubt(fanout);
	else
		fanout_nobody(fanout);
}

static void send_to_group(struct router *router, struct fanout *fanout,
			  const Link__Send *send)
{
	const struct group *group = send_group(router, send);

	if (group == NULL) {
		send_to_nobody(router, fanout, send);
		return;
	}
	for (size_t i = 0; i < group->parts_n; i++)
		fanout_deliver(fanout, CONTAINER_OF(group->parts[i].gateway,
						    struct router_gateway, members));
}

static void send_to_all(struct router *router, struct fanout *fanout)
{
	LIST_EACH (node, &router->gateways)
		fanout_deliver(fanout, CONTAINER_OF(node, struct router_gateway, node));
}

static void send_to_connection(struct router *router, struct fanout *fanout,
			       const Link__Send *send)
{
	struct router_gateway *gateway = connection_gateway(router, send);

	if (gateway != NULL)
		fanout_deliver(fanout, gateway);
	else
		send_to_nobody(router, fanout, send);
}

static bool is_anybody_crowded(const struct router *router)
{
	LIST_EACH (node, &router->gateways) {
		const struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		if (link_peer_is_crowded(gateway->peer))
			return true;
	}
	return false;
}

static bool is_group_crowded(const struct group *group)
{
	for (size_t i = 0; group != NULL && i < group->parts_n; i++) {
		const struct router_gateway *gateway = CONTAINER_OF(
			group->parts[i].gateway, struct router_gateway, members);

		if (link_peer_is_crowded(gateway->peer))
			return true;
	}
	return false;
}

bool shard_is_crowded(struct router *router, const Link__Send *send)
{
	const struct router_gateway *gateway;

	switch (send->kind) {
	case LINK__KIND__KIND_GROUP:
	case LINK__KIND__KIND_USER:
		return is_group_crowded(send_group(router, send));
	case LINK__KIND__KIND_CONNECTION:
		gateway = connection_gateway(router, send);
		return gateway != NULL && link_peer_is_crowded(gateway->peer);
	case LINK__KIND__KIND_ALL:
		return is_anybody_crowded(router);
	case LINK__KIND__KIND_NONE:
	default:
		return false;
	}
}

void shard_on_send(struct router *router, struct link_peer *origin,
		   const Link__Send *send)
{
	struct fanout *fanout;
	enum err rc;

	if (shard_is_fenced(router, origin, send->hub, send->kind, send->name)) {
		fanout_answer(router, origin, send->call, ERR_MOVED);
		return;
	}
	rc = backlog_hold(&router->backlog, origin, send);
	if (rc != ERR_AGAIN) {
		if (rc != OK)
			fanout_answer(router, origin, send->call, rc);
		return;
	}
	if (!router->rebuild.is_done) {
		if (rebuild_hold_send(&router->rebuild, origin, send) != OK)
			fanout_answer(router, origin, send->call, ERR_LIMIT);
		return;
	}
	router->metrics.send_total++;
	fanout = fanout_new(router, origin, send);
	/* Whether a connection is here is not asked of the table that has holes. */
	if (send->kind != LINK__KIND__KIND_CONNECTION &&
	    rebuild_has_missing(&router->rebuild))
		fanout_doubt(fanout);
	switch (send->kind) {
	case LINK__KIND__KIND_GROUP:
	case LINK__KIND__KIND_USER:
		send_to_group(router, fanout, send);
		break;
	case LINK__KIND__KIND_CONNECTION:
		send_to_connection(router, fanout, send);
		break;
	case LINK__KIND__KIND_ALL:
		send_to_all(router, fanout);
		break;
	case LINK__KIND__KIND_NONE:
	default:
		router->metrics.envelope_unknown_total++;
	}
	fanout_close(fanout);
}

/* ---- who is in a group */

/* A group too large for a message is refused at once, not when the asker's time is up. */
static void members_answer(struct router *router, struct link_peer *origin, uint64_t call,
			   Link__Members *members)
{
	const struct ask_answer answer = { .rc = (enum err)members->rc,
					   .members = members };

	members->call = call;
	if (origin == NULL) {
		asks_answer(&router->asks, call, &answer);
		return;
	}
	if (link_send_members(origin, members, NULL) == OK)
		return;
	members->rc = ERR_LIMIT;
	members->n_members = 0;
	members->next = link_bytes(SLICE_NONE);
	if (link_send_members(origin, members, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

/* There is room. Returns how long it is, about. */
static size_t members_append(Link__Members *members, const struct member *member,
			     struct arena *arena)
{
	const struct group_member who = group_member_who(member);
	Link__Member *to = ARENA_NEW(arena, Link__Member);

	link__member__init(to);
	to->connection = link_bytes(who.connection);
	to->user_id = link_bytes(who.user_id);
	to->user_name = link_bytes(who.user_name);
	members->members[members->n_members++] = to;
	return who.connection.len + who.user_id.len + who.user_name.len;
}

static void members_fill_all(const struct group *group, struct arena *arena,
			     Link__Members *members)
{
	members->members =
		arena_alloc(arena, group->members_n * sizeof(*members->members));
	LIST_EACH (node, &group->members)
		(void)members_append(/* a message that is too long is refused */
				     members,
				     CONTAINER_OF(node, struct member, group_node),
				     arena);
}

static void members_fill_page(const struct group *group, const Link__ListMembers *list,
			      struct arena *arena, Link__Members *members)
{
	const size_t limit = list->limit < GROUP_PAGE_MAX ? list->limit : GROUP_PAGE_MAX;
	const struct member *member;
	struct member_page page;
	size_t bytes = 0;

	members->members = arena_alloc(arena, limit * sizeof(*members->members));
	member_page_init(&page, group, link_slice(list->cursor));
	while ((member = member_page_next(&page)) != NULL) {
		if (members->n_members == limit || bytes > GROUP_PAGE_BYTES_MAX) {
			members->next =
				members->members[members->n_members - 1]->connection;
			break;
		}
		bytes += members_append(members, member, arena);
	}
	member_page_fini(&page);
}

static void members_fill(const struct group *group, const Link__ListMembers *list,
			 struct arena *arena, Link__Members *members)
{
	members->size = group->members_n;
	if (list->limit == 0)
		members_fill_all(group, arena, members);
	else
		members_fill_page(group, list, arena, members);
}

void shard_on_list_members(struct router *router, struct link_peer *origin,
			   const Link__ListMembers *list)
{
	const struct group_key key =
		key_of(list->hub, LINK__KIND__KIND_GROUP, list->group);
	Link__Members members = LINK__MEMBERS__INIT;
	struct arena arena = ARENA_INIT;
	const struct group *group;

	if (shard_is_fenced(router, origin, list->hub, LINK__KIND__KIND_GROUP,
			    list->group)) {
		members.rc = ERR_MOVED;
		members_answer(router, origin, list->call, &members);
		return;
	}
	if (!router->rebuild.is_done) {
		if (rebuild_hold_list(&router->rebuild, origin, list) != OK) {
			members.rc = ERR_LIMIT;
			members_answer(router, origin, list->call, &members);
		}
		return;
	}
	router->metrics.list_members_total++;
	group = group_find(&router->groups, &key);
	if (group != NULL)
		members_fill(group, list, &arena, &members);
	members_answer(router, origin, list->call, &members);
	arena_fini(&arena);
}

Link__GroupSize *shard_group_size(struct arena *arena, const struct group *group)
{
	const struct group_key key = group_key_of(group);
	Link__GroupSize *size = ARENA_NEW(arena, Link__GroupSize);

	link__group_size__init(size);
	size->hub = link_bytes(key.hub);
	size->name = link_bytes(key.name);
	size->members = group->members_n;
	return size;
}
