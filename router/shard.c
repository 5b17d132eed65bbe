/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's side: membership in, sends fanned out to gateways, questions answered.
 * Sends and questions about members wait while the table is being rebuilt; the journal
 * does not.
 */
#include "router/shard.h"

#include "proto/base/arena.h"
#include "proto/base/log.h"
#include "router/fanout.h"
#include "router/router.h"

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
	else
		group_add(&router->groups, &key, &who, &gateway->members);
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

static void send_to_group(struct router *router, struct fanout *fanout,
			  const Link__Send *send)
{
	const struct group *group = send_group(router, send);

	if (group == NULL) {
		router->metrics.send_empty_total++;
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
		router->metrics.send_empty_total++;
}

void shard_on_send(struct router *router, struct link_peer *origin,
		   const Link__Send *send)
{
	struct fanout *fanout;

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
	if (link_send_members(origin, members, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

static void members_fill(const struct group *group, struct arena *arena,
			 Link__Members *members)
{
	members->members =
		arena_alloc(arena, group->members_n * sizeof(*members->members));
	LIST_EACH (node, &group->members) {
		const struct member *from = CONTAINER_OF(node, struct member, group_node);
		Link__Member *to = ARENA_NEW(arena, Link__Member);

		link__member__init(to);
		to->connection = link_bytes(from->connection);
		to->user_id = link_bytes(from->user_id);
		to->user_name = link_bytes(from->user_name);
		members->members[members->n_members++] = to;
	}
}

void shard_on_list_members(struct router *router, struct link_peer *origin,
			   const Link__ListMembers *list)
{
	const struct group_key key =
		key_of(list->hub, LINK__KIND__KIND_GROUP, list->group);
	Link__Members members = LINK__MEMBERS__INIT;
	struct arena arena = ARENA_INIT;
	const struct group *group;

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
		members_fill(group, &arena, &members);
	members_answer(router, origin, list->call, &members);
	arena_fini(&arena);
}

/* ---- the journal */

/* As members_answer(). */
static void entries_answer(struct router *router, struct link_peer *origin, uint64_t call,
			   Link__LogEntries *entries)
{
	const struct ask_answer answer = { .rc = OK, .entries = entries };

	entries->call = call;
	if (origin == NULL) {
		asks_answer(&router->asks, call, &answer);
		return;
	}
	if (link_send_log_entries(origin, entries, NULL) == OK)
		return;
	entries->rc = ERR_LIMIT;
	entries->n_entries = 0;
	if (link_send_log_entries(origin, entries, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

/* Keys of different hubs never meet: the length stands before the hub's name. */
static void journal_key(struct buf *out, ProtobufCBinaryData hub, ProtobufCBinaryData key)
{
	buf_append(out, &hub.len, sizeof(hub.len));
	buf_append_slice(out, link_slice(hub));
	buf_append_slice(out, link_slice(key));
}

static uint32_t entries_max_clamp(uint32_t entries_max)
{
	if (entries_max == 0)
		return 1;
	return entries_max < JOURNAL_ENTRIES_MAX ? entries_max : JOURNAL_ENTRIES_MAX;
}

void shard_on_log_append(struct router *router, struct link_peer *origin,
			 const Link__LogAppend *append)
{
	Link__LogEntries entries = LINK__LOG_ENTRIES__INIT;
	struct buf key = BUF_INIT;

	router->metrics.journal_append_total++;
	journal_key(&key, append->hub, append->key);
	journal_append(&router->journal, buf_slice(&key), link_slice(append->entry),
		       entries_max_clamp(append->entries_max));
	entries_answer(router, origin, append->call, &entries);
	buf_fini(&key);
}

static void entries_fill(const struct journal_list *list, uint32_t entries_max,
			 struct arena *arena, Link__LogEntries *entries)
{
	size_t skip = list->entries_n > entries_max ? list->entries_n - entries_max : 0;

	entries->entries =
		arena_alloc(arena, (list->entries_n - skip) * sizeof(*entries->entries));
	LIST_EACH (node, &list->entries) {
		const struct journal_entry *entry =
			CONTAINER_OF(node, struct journal_entry, node);

		if (skip > 0)
			skip--;
		else
			entries->entries[entries->n_entries++] =
				link_bytes(blob_slice(entry->blob));
	}
}

void shard_on_log_read(struct router *router, struct link_peer *origin,
		       const Link__LogRead *read)
{
	Link__LogEntries entries = LINK__LOG_ENTRIES__INIT;
	struct arena arena = ARENA_INIT;
	struct buf key = BUF_INIT;
	const struct journal_list *list;

	journal_key(&key, read->hub, read->key);
	list = journal_read(&router->journal, buf_slice(&key));
	if (list != NULL)
		entries_fill(list, entries_max_clamp(read->entries_max), &arena,
			     &entries);
	entries_answer(router, origin, read->call, &entries);
	buf_fini(&key);
	arena_fini(&arena);
}
