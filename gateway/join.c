/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A join in progress is a ticket on its Member message and the answer to give then. When
 * the owner is lost under way, the message goes out again: saying it twice is harmless.
 */
#include "gateway/join.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"

struct join {
	struct list node; /* in gateway->joins */
	struct session_ticket ticket;
	struct gateway *gateway;       /* borrowed */
	struct gateway_router *router; /* borrowed; who asked */
	struct hub *hub;	       /* borrowed */
	bool is_leave;
	uint64_t call;
	struct slice connection; /* these point into bytes */
	struct slice group;
	struct slice origin;
	char bytes[];
};

/* ---- telling the owner */

static enum err member_send(struct conn *conn, Link__Kind kind, struct slice name,
			    bool is_gone, struct session_ticket *ticket)
{
	struct gateway *gateway = conn->gateway;
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = link_bytes(slice_from_str(conn->hub->name));
	member.kind = kind;
	member.name = link_bytes(name);
	member.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	member.is_gone = is_gone;
	if (!is_gone) {
		member.user_id = link_bytes(conn->user->id);
		member.user_name = link_bytes(conn->user->name);
	}
	return link_send_member(gateway_owner(gateway, conn->hub, kind, name)->peer,
				&member, ticket);
}

/* A change that cannot be told would leave a ghost: start over with that owner. */
static void member_lost(struct conn *conn, Link__Kind kind, struct slice name)
{
	struct gateway_router *owner =
		gateway_owner(conn->gateway, conn->hub, kind, name);

	conn->gateway->metrics.replay_refused_total++;
	log_warn("join.resync", "router=%s", link_peer_name(owner->peer));
	link_peer_reset(owner->peer);
}

enum err join_user(struct conn *conn)
{
	const struct slice name = conn->user->id;
	enum err rc = index_add(&conn->gateway->index, conn, LINK__KIND__KIND_USER, name);

	if (rc == OK)
		rc = member_send(conn, LINK__KIND__KIND_USER, name, false, NULL);
	return rc;
}

void join_leave_all(struct conn *conn)
{
	LIST_EACH (node, &conn->memberships) {
		struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);
		const struct index_key *key = membership->key;

		if (member_send(conn, key->kind, key->name, true, NULL) != OK)
			member_lost(conn, key->kind, key->name);
		index_remove(&conn->gateway->index, membership);
	}
	conn->groups_n = 0;
}

enum err join_replay_key(const struct index_key *key)
{
	LIST_EACH (node, &key->members) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, key_node);
		const enum err rc =
			member_send(membership->conn, key->kind, key->name, false, NULL);

		if (rc != OK)
			return rc;
	}
	return OK;
}

/* ---- a hub's join */

static void joined_send(struct gateway_router *router, const Link__Joined *joined)
{
	if (link_send_joined(router->peer, joined, NULL) != OK)
		log_warn("join.answer_refused", "router=%s",
			 link_peer_name(router->peer));
}

static void join_refuse(struct gateway_router *router, const Link__Join *join, enum err rc)
{
	Link__Joined joined = LINK__JOINED__INIT;

	joined.hub = join->hub;
	joined.connection = join->connection;
	joined.call = join->call;
	joined.rc = rc;
	joined.group = join->group;
	joined.is_leave = join->is_leave;
	joined.origin = join->origin;
	joined_send(router, &joined);
}

static void join_free(struct join *join)
{
	session_ticket_cancel(&join->ticket);
	list_remove(&join->node);
	mem_free(join);
}

static void join_done(struct join *join)
{
	Link__Joined joined = LINK__JOINED__INIT;

	joined.hub = link_bytes(slice_from_str(join->hub->name));
	joined.connection = link_bytes(join->connection);
	joined.call = join->call;
	joined.group = link_bytes(join->group);
	joined.is_leave = join->is_leave;
	joined.origin = link_bytes(join->origin);
	joined_send(join->router, &joined);
	join_free(join);
}

/* NULL: it is gone meanwhile, and so are its memberships. */
static struct conn *join_conn(const struct join *join)
{
	struct conn *conn = gateway_conn_find(join->gateway, join->connection);

	return conn != NULL && conn->state == CONN_OPEN ? conn : NULL;
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct join *join = CONTAINER_OF(ticket, struct join, ticket);
	struct conn *conn = join_conn(join);

	/* The owner has it, or nothing is left that it should have. */
	if (rc == OK || conn == NULL) {
		join_done(join);
		return;
	}
	if (member_send(conn, LINK__KIND__KIND_GROUP, join->group, join->is_leave,
			&join->ticket) != OK)
		join_free(join); /* the hub's await ends by time */
}

static struct slice take(char **at, ProtobufCBinaryData from)
{
	const struct slice copy = slice_make(*at, from.len);

	if (from.len > 0)
		memcpy(*at, from.data, from.len);
	*at += from.len;
	return copy;
}

static struct join *join_new(struct gateway *gateway, struct gateway_router *router,
			     struct hub *hub, const Link__Join *from)
{
	struct join *join = mem_zalloc(sizeof(*join) + from->connection.len +
				       from->group.len + from->origin.len);
	char *at = join->bytes;

	join->gateway = gateway;
	join->router = router;
	join->hub = hub;
	join->is_leave = from->is_leave;
	join->call = from->call;
	join->connection = take(&at, from->connection);
	join->group = take(&at, from->group);
	join->origin = take(&at, from->origin);
	session_ticket_init(&join->ticket, on_ticket);
	list_init(&join->node);
	list_append(&gateway->joins, &join->node);
	return join;
}

/* Changes the index; twice is the same as once. */
static enum err index_change(struct conn *conn, struct slice group, bool is_leave)
{
	struct gateway *gateway = conn->gateway;
	const struct gateway_conf *conf = gateway->conf;
	struct index_key *key =
		index_find(&gateway->index, conn->hub, LINK__KIND__KIND_GROUP, group);
	struct membership *membership =
		key != NULL ? index_find_membership(key, conn) : NULL;

	if (is_leave) {
		if (membership == NULL)
			return OK;
		index_remove(&gateway->index, membership);
		conn->groups_n--;
		return OK;
	}
	if (membership != NULL)
		return OK;
	if (group.len > (size_t)conf->group_name_bytes_max) {
		gateway->metrics.group_name_refused_total++;
		return ERR_LIMIT;
	}
	if (conn->groups_n >= (size_t)conf->groups_per_connection_max) {
		gateway->metrics.groups_refused_total++;
		return ERR_LIMIT;
	}
	conn->groups_n++;
	return index_add(&gateway->index, conn, LINK__KIND__KIND_GROUP, group);
}

static void join_tell(struct conn *conn, struct gateway_router *router,
		      const Link__Join *from)
{
	const struct slice group = link_slice(from->group);
	struct join *join = join_new(conn->gateway, router, conn->hub, from);

	if (member_send(conn, LINK__KIND__KIND_GROUP, group, from->is_leave,
			&join->ticket) == OK)
		return;
	join_free(join);
	join_refuse(router, from, ERR_LIMIT);
	member_lost(conn, LINK__KIND__KIND_GROUP, group);
}

void join_on_join(struct gateway *gateway, struct gateway_router *router,
		  const Link__Join *from)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(from->connection));
	enum err rc = ERR_NOT_FOUND;

	if (from->is_leave)
		gateway->metrics.leave_total++;
	else
		gateway->metrics.join_total++;
	if (conn != NULL && conn->state == CONN_OPEN)
		rc = index_change(conn, link_slice(from->group), from->is_leave);
	else
		gateway->metrics.join_unknown_total++;
	if (rc == OK)
		join_tell(conn, router, from);
	else
		join_refuse(router, from, rc);
}

void joins_free(struct gateway *gateway)
{
	LIST_EACH (node, &gateway->joins)
		join_free(CONTAINER_OF(node, struct join, node));
}
