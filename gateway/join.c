/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A join in progress is a ticket on its Member message and the answer to give then. When
 * the owner is lost under way, the message goes out again: saying it twice is harmless.
 */
#include "gateway/join.h"

#include "gateway/arriving.h"
#include "gateway/conn_in.h"
#include "gateway/handover.h"
#include "gateway/sweep.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* The Member message to one of the key's owners. */
struct join_part {
	struct session_ticket ticket;
	struct join *join;
	struct gateway_router *owner; /* borrowed */
};

struct join {
	struct list node; /* in gateway->joins */
	struct join_part parts[2];
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

/* ---- telling the owners */

/* Whose membership, of which key; what it is to be. */
struct change {
	struct conn *conn;
	Link__Kind kind;
	struct slice name;
	bool is_gone;
};

static enum err member_send(const struct gateway_router *owner,
			    const struct change *change, struct session_ticket *ticket)
{
	const struct conn *conn = change->conn;
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = link_bytes(slice_from_str(conn->hub->name));
	member.kind = change->kind;
	member.name = link_bytes(change->name);
	member.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	member.is_gone = change->is_gone;
	if (!change->is_gone) {
		member.user_id = link_bytes(user_id(conn->user));
		member.user_name = link_bytes(user_name(conn->user));
	}
	return link_send_member(owner->peer, &member, ticket);
}

static size_t owners_of(const struct change *change, struct gateway_router *owners[2])
{
	return gateway_owners(change->conn->gateway, change->conn->hub, change->kind,
			      change->name, owners);
}

/* What was told to one of two owners only: it hears what is so. */
static void undo(struct gateway_router *owner, const struct change *change)
{
	struct conn *conn = change->conn;
	const struct index_key *key =
		index_find(&conn->gateway->index, conn->hub, change->kind, change->name);
	struct change truth = *change;

	truth.is_gone = key == NULL || index_find_membership(key, conn) == NULL;
	if (member_send(owner, &truth, NULL) != OK)
		router_resync(owner);
}

/* To all of them or none; `parts` may be NULL. */
static enum err change_send(const struct change *change, struct join_part *parts)
{
	struct gateway_router *owners[2];
	const size_t n = owners_of(change, owners);
	enum err rc = OK;

	for (size_t i = 0; i < n && rc == OK; i++) {
		rc = member_send(owners[i], change,
				 parts != NULL ? &parts[i].ticket : NULL);
		if (i == 1)
			rc = router_told(rc);
		if (parts != NULL)
			parts[i].owner = owners[i];
	}
	if (rc == OK || n == 1)
		return rc;
	if (parts != NULL)
		session_ticket_cancel(&parts[0].ticket);
	undo(owners[0], change);
	return rc;
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
	const struct index_key *key = membership->key;

	if (key->members_n == 1 && key->sweep != NULL)
		sweep_on_gone(key->sweep);
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
	const struct change change = { conn, LINK__KIND__KIND_USER, user_id(conn->user),
				       false };
	const enum err rc = change_send(&change, NULL);

	if (rc == OK)
		membership_add(conn, change.kind, change.name);
	return rc;
}

enum err join_leave_all(struct conn *conn)
{
	enum err rc = OK;

	LIST_EACH (node, &conn->memberships) {
		struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);
		const struct index_key *key = membership->key;
		const struct change change = { conn, (Link__Kind)key->kind,
					       index_key_name(key), true };
		const enum err told = change_send(&change, NULL);

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

enum err join_replay_key(const struct index_key *key, const struct gateway_router *owner)
{
	LIST_EACH (node, &key->members) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, key_node);
		enum err rc = OK;

		/* The new incarnation has not heard of one that is leaving. */
		const struct change change = { membership->conn, (Link__Kind)key->kind,
					       index_key_name(key), false };

		if (membership->conn->state == CONN_OPEN)
			rc = member_send(owner, &change, NULL);
		if (rc != OK)
			return rc;
	}
	return OK;
}

enum err join_tell_other(struct conn *conn, size_t *told)
{
	LIST_EACH (node, &conn->memberships) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);
		const struct index_key *key = membership->key;
		const struct change change = { conn, (Link__Kind)key->kind,
					       index_key_name(key), false };
		const struct gateway_router *other = gateway_untold_owner(
			conn->gateway, conn->hub, change.kind, change.name);

		++*told;
		if (other != NULL && router_told(member_send(other, &change, NULL)) != OK)
			return ERR_LIMIT;
	}
	return OK;
}

/* ---- a hub's join */

/* An answer cannot be left out: the router keeps its groups by it and a hub waits for it.
 * When it does not fit both sides start over, as the router does for a Complete. */
static void joined_send(struct gateway_router *router, const Link__Joined *joined)
{
	if (link_send_joined(router->peer, joined, NULL) == OK)
		return;
	log_warn("join.answer_refused", "router=%s", link_peer_name(router->peer));
	router_resync(router);
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
	session_ticket_cancel(&join->parts[0].ticket);
	session_ticket_cancel(&join->parts[1].ticket);
	list_remove(&join->node);
	mem_free(join);
}

/* A connection that is about to leave may have waited for this answer. */
static void joined_tell(struct join *join)
{
	struct gateway *gateway = join->gateway;
	char connection[CONN_ID_LEN];
	const bool is_id = join->connection.len == sizeof(connection);

	if (is_id)
		memcpy(connection, join->connection.ptr, sizeof(connection));
	join_free(join);
	if (is_id)
		handover_on_joined(gateway, slice_make(connection, sizeof(connection)));
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
	joined_tell(join);
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

/* Says it again. False: there is nothing to say, to that router. */
static bool part_again(struct join_part *part, enum err *rc)
{
	const struct join *join = part->join;
	const struct change change = { join_conn(join), LINK__KIND__KIND_GROUP,
				       join->group, join->is_leave };

	if (change.conn == NULL ||
	    !gateway_router_owns(part->owner, join->hub, change.kind, change.name))
		return false;
	*rc = member_send(part->owner, &change, &part->ticket);
	return true;
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct join_part *part = CONTAINER_OF(ticket, struct join_part, ticket);
	struct join *join = part->join;

	if (rc != OK && !part_again(part, &rc))
		rc = OK;
	if (part == &join->parts[1])
		rc = router_told(rc);
	if (rc != OK || (!session_ticket_is_waiting(&join->parts[0].ticket) &&
			 !session_ticket_is_waiting(&join->parts[1].ticket)))
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
	for (size_t i = 0; i < 2; i++) {
		join->parts[i].join = join;
		session_ticket_init(&join->parts[i].ticket, on_ticket);
	}
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
	const struct change change = { conn, LINK__KIND__KIND_GROUP, group,
				       from->is_leave };
	struct join *join = join_new(conn->gateway, router, conn->hub, from);
	const enum err rc = change_send(&change, join->parts);
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
	if (conn != NULL && conn->state == CONN_OPEN && conn_is_arriving(conn)) {
		rc = arriving_hold_join(conn, router, from);
		if (rc != OK)
			join_refuse(router, from, rc);
		return;
	}
	/* What was sent to the group while it was a member is still its own. */
	if (from->is_leave && conn != NULL)
		sweep_catch_up(conn);
	if (conn != NULL && conn->state == CONN_OPEN)
		rc = from->is_leave ? OK : join_check(conn, link_slice(from->group));
	else
		gateway->metrics.join_unknown_total++;
	if (rc == OK)
		rc = join_start(conn, router, from);
	if (rc != OK)
		join_refuse(router, from, rc);
}

void joins_on_left(const struct gateway_router *router)
{
	LIST_EACH (node, &router->gateway->joins) {
		struct join *join = CONTAINER_OF(node, struct join, node);

		if (join->router == router)
			join_free(join);
	}
}

bool join_is_under_way(const struct gateway *gateway, struct slice connection)
{
	LIST_EACH (node, &gateway->joins) {
		if (slice_equal(CONTAINER_OF(node, struct join, node)->connection,
				connection))
			return true;
	}
	return false;
}

/* ---- going over */

void join_move_away(struct conn *conn, Link__Kind kind, struct slice name)
{
	const struct index_key *key =
		index_find(&conn->gateway->index, conn->hub, kind, name);
	struct membership *membership =
		key != NULL ? index_find_membership(key, conn) : NULL;

	if (membership != NULL)
		membership_remove(membership);
}

void join_arrive(struct conn *conn, Link__Kind kind, struct slice name)
{
	membership_add(conn, kind, name);
}

void join_undo_move(struct gateway *gateway, struct gateway_router *router,
		    const Link__HandoverMoved *moved, const Link__HandoverKey *key)
{
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = moved->hub;
	member.kind = key->kind;
	member.name = key->name;
	member.connection = moved->connection;
	member.is_gone = true;
	if (link_send_member(router->peer, &member, NULL) != OK)
		loop_touch(gateway->loop, &router->resync);
}

void joins_free(struct gateway *gateway)
{
	LIST_EACH (node, &gateway->joins)
		join_free(CONTAINER_OF(node, struct join, node));
}
