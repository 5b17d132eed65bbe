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

/* ---- the index */

static void index_counted(struct gateway *gateway)
{
	gateway->metrics.memberships = (int64_t)gateway->index.memberships_n;
}

static void membership_add(struct conn *conn, Link__Kind kind, struct slice name)
{
	/* Twice is the same as once. */
	if (index_add(&conn->gateway->index, conn, kind, name) == OK)
		index_counted(conn->gateway);
}

static void membership_remove(struct membership *membership)
{
	struct gateway *gateway = membership->conn->gateway;

	index_remove(&gateway->index, membership);
	index_counted(gateway);
}

static struct membership *group_find(struct conn *conn, struct slice group)
{
	const struct index_key *key = index_find(&conn->gateway->index, conn->hub,
						 LINK__KIND__KIND_GROUP, group);

	return key != NULL ? index_find_membership(key, conn) : NULL;
}

/* ---- a connection's coming and going */

enum err join_user(struct conn *conn)
{
	const struct slice name = conn->user->id;
	const enum err rc = member_send(conn, LINK__KIND__KIND_USER, name, false, NULL);

	if (rc == OK)
		membership_add(conn, LINK__KIND__KIND_USER, name);
	return rc;
}

enum err join_leave_all(struct conn *conn)
{
	enum err rc = OK;

	LIST_EACH (node, &conn->memberships) {
		struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);
		const struct index_key *key = membership->key;
		const enum err told = member_send(conn, key->kind, key->name, true, NULL);

		if (told == OK)
			membership_remove(membership);
		else
			rc = told;
	}
	return rc;
}

void join_forget(struct conn *conn)
{
	LIST_EACH (node, &conn->memberships)
		membership_remove(CONTAINER_OF(node, struct membership, conn_node));
}

enum err join_replay_key(const struct index_key *key)
{
	LIST_EACH (node, &key->members) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, key_node);
		enum err rc = OK;

		/* The new incarnation has not heard of one that is leaving. */
		if (membership->conn->state == CONN_OPEN)
			rc = member_send(membership->conn, key->kind, key->name, false,
					 NULL);
		if (rc != OK)
			return rc;
	}
	return OK;
}

/* ---- a hub's join */

/* At the end of the turn: the answer may be due while the session is being made anew. */
void join_on_resync(struct loop_flush *flush)
{
	const struct gateway_router *router =
		CONTAINER_OF(flush, struct gateway_router, resync);

	link_peer_reset(router->peer);
}

/* An answer cannot be left out: the router keeps its groups by it and a hub waits for it.
 * When it does not fit both sides start over, as the router does for a Complete. */
static void joined_send(struct gateway_router *router, const Link__Joined *joined)
{
	if (link_send_joined(router->peer, joined, NULL) == OK)
		return;
	log_warn("join.answer_refused", "router=%s", link_peer_name(router->peer));
	loop_touch(router->gateway->loop, &router->resync);
}

static void join_refuse(struct gateway_router *router, const Link__Join *join,
			enum err rc)
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

static void join_done(struct join *join, enum err rc)
{
	Link__Joined joined = LINK__JOINED__INIT;

	joined.hub = link_bytes(slice_from_str(join->hub->name));
	joined.connection = link_bytes(join->connection);
	joined.call = join->call;
	joined.rc = rc;
	joined.group = link_bytes(join->group);
	joined.is_leave = join->is_leave;
	joined.origin = link_bytes(join->origin);
	joined_send(join->router, &joined);
	join_free(join);
}

/* NULL: what was asked for is not so any more, since the connection is gone or a later
 * wish undid it; so there is nothing left to tell the owner. */
static struct conn *join_conn(const struct join *join)
{
	struct conn *conn = gateway_conn_find(join->gateway, join->connection);
	bool is_member;

	if (conn == NULL || conn->state != CONN_OPEN)
		return NULL;
	is_member = group_find(conn, join->group) != NULL;
	return is_member != join->is_leave ? conn : NULL;
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct join *join = CONTAINER_OF(ticket, struct join, ticket);
	struct conn *conn = rc != OK ? join_conn(join) : NULL;

	if (conn == NULL) {
		join_done(join, OK);
		return;
	}
	rc = member_send(conn, LINK__KIND__KIND_GROUP, join->group, join->is_leave,
			 ticket);
	if (rc != OK)
		join_done(join, rc);
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
	join->connection = link_take(&at, from->connection);
	join->group = link_take(&at, from->group);
	join->origin = link_take(&at, from->origin);
	session_ticket_init(&join->ticket, on_ticket);
	list_init(&join->node);
	list_append(&gateway->joins, &join->node);
	return join;
}

/* May it become a member? */
static enum err join_check(struct conn *conn, struct slice group)
{
	struct gateway *gateway = conn->gateway;
	const struct gateway_conf *conf = gateway->conf;

	if (group.len > (size_t)conf->group_name_bytes_max) {
		gateway->metrics.group_name_refused_total++;
		return ERR_LIMIT;
	}
	if (conn->groups_n >= (size_t)conf->groups_per_connection_max &&
	    group_find(conn, group) == NULL) {
		gateway->metrics.groups_refused_total++;
		return ERR_LIMIT;
	}
	return OK;
}

/* Nothing changes here unless the owner will hear of it. */
static enum err join_start(struct conn *conn, struct gateway_router *router,
			   const Link__Join *from)
{
	const struct slice group = link_slice(from->group);
	struct join *join = join_new(conn->gateway, router, conn->hub, from);
	const enum err rc = member_send(conn, LINK__KIND__KIND_GROUP, group,
					from->is_leave, &join->ticket);
	struct membership *membership;

	if (rc != OK) {
		join_free(join);
		return rc;
	}
	if (!from->is_leave) {
		membership_add(conn, LINK__KIND__KIND_GROUP, group);
		return OK;
	}
	membership = group_find(conn, group);
	if (membership != NULL)
		membership_remove(membership);
	return OK;
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
		rc = from->is_leave ? OK : join_check(conn, link_slice(from->group));
	else
		gateway->metrics.join_unknown_total++;
	if (rc == OK)
		rc = join_start(conn, router, from);
	if (rc != OK)
		join_refuse(router, from, rc);
}

void joins_free(struct gateway *gateway)
{
	LIST_EACH (node, &gateway->joins)
		join_free(CONTAINER_OF(node, struct join, node));
}
