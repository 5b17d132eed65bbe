/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections come and go by what their gateway says. A connection that is gone leaves
 * the table at once, so that its id may come again; the struct lives until its last call
 * ran.
 */
#include "router/conn.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_message.h"
#include "router/hub_runtime.h"
#include "router/route.h"
#include "router/router.h"

struct conn *conn_find(const struct router *router, ProtobufCBinaryData hub,
		       ProtobufCBinaryData id)
{
	struct map_node *node = map_find(&router->conns, link_slice(id));
	struct conn *conn;

	if (node == NULL)
		return NULL;
	conn = CONTAINER_OF(node, struct conn, node);
	return slice_equal(hub_served_name(conn->hub), link_slice(hub)) ? conn : NULL;
}

/* ---- groups it has joined */

static struct conn_group *conn_group_find(const struct conn *conn, struct slice name)
{
	LIST_EACH (node, &conn->groups) {
		struct conn_group *group = CONTAINER_OF(node, struct conn_group, node);

		if (slice_equal(group->name, name))
			return group;
	}
	return NULL;
}

static void conn_group_add(struct conn *conn, struct slice name)
{
	struct conn_group *group;

	if (conn_group_find(conn, name) != NULL)
		return;
	group = mem_zalloc(sizeof(*group) + name.len);
	if (name.len > 0)
		memcpy(group->bytes, name.ptr, name.len);
	group->name = slice_make(group->bytes, name.len);
	list_init(&group->node);
	list_append(&conn->groups, &group->node);
	conn->groups_n++;
	conn->groups_changes++;
}

static void conn_group_remove(struct conn *conn, struct conn_group *group)
{
	list_remove(&group->node);
	mem_free(group);
	conn->groups_n--;
	conn->groups_changes++;
}

/* ---- life */

/* Copies who it is: the message dies, the connection stays. */
static void conn_copy(struct conn *conn, const Link__Connected *connected)
{
	const Link__User *user = connected->user;
	const size_t roles_n =
		user->n_roles < CONN_ROLES_MAX ? user->n_roles : CONN_ROLES_MAX;
	size_t len = connected->connection.len + user->id.len + user->name.len;
	char *at;

	for (size_t i = 0; i < roles_n; i++)
		len += user->roles[i].len;
	conn->roles = mem_alloc(roles_n * sizeof(*conn->roles));
	conn->bytes = mem_alloc(len);
	at = conn->bytes;
	conn->id = link_take(&at, connected->connection);
	conn->user_id = link_take(&at, user->id);
	conn->user_name = link_take(&at, user->name);
	for (size_t i = 0; i < roles_n; i++)
		conn->roles[conn->roles_n++] = link_take(&at, user->roles[i]);
}

static struct conn *conn_new(struct router *router, struct router_gateway *gateway,
			     const struct hub_served *hub,
			     const Link__Connected *connected)
{
	struct conn *conn = MEM_NEW(struct conn);

	conn->router = router;
	conn->gateway = gateway;
	conn->hub = hub;
	conn_copy(conn, connected);
	list_init(&conn->gateway_node);
	list_init(&conn->groups);
	list_init(&conn->calls);
	list_init(&conn->confirming);
	list_append(&gateway->conns, &conn->gateway_node);
	map_add(&router->conns, &conn->node, conn->id);
	for (size_t i = 0; i < connected->n_groups; i++)
		conn_group_add(conn, link_slice(connected->groups[i]));
	return conn;
}

void conn_free(struct conn *conn)
{
	LIST_EACH (node, &conn->groups)
		conn_group_remove(conn, CONTAINER_OF(node, struct conn_group, node));
	if (!conn->is_gone)
		map_remove(&conn->router->conns, &conn->node);
	list_remove(&conn->gateway_node);
	mem_free(conn->roles);
	mem_free(conn->bytes);
	mem_free(conn);
}

static void refuse(struct router_gateway *gateway, const Link__Connected *connected,
		   const char *reason)
{
	Link__Abort abort_message = LINK__ABORT__INIT;

	log_warn("conn.refused", "gateway=%s reason=%s", link_peer_name(gateway->peer),
		 reason);
	abort_message.hub = connected->hub;
	abort_message.connection = connected->connection;
	abort_message.error = link_bytes(SLICE("Connection closed with an error."));
	if (link_send_abort(gateway->peer, &abort_message, NULL) != OK)
		router_resync(gateway);
}

void conn_on_connected(struct router *router, struct router_gateway *gateway,
		       const Link__Connected *connected)
{
	const struct hub_served *hub = hub_find(router->hubs, link_slice(connected->hub));
	struct conn *conn;

	if (hub == NULL) {
		refuse(gateway, connected, "unknown_hub");
		return;
	}
	if (connected->user == NULL || connected->connection.len == 0) {
		refuse(gateway, connected, "incomplete");
		return;
	}
	if (connected->protocol != HUB_PROTOCOL_JSON) {
		refuse(gateway, connected, "unknown_protocol");
		return;
	}
	if (map_find(&router->conns, link_slice(connected->connection)) != NULL) {
		/* A connection token was used at two gateways: the first one keeps it. */
		refuse(gateway, connected, "duplicate");
		return;
	}
	conn = conn_new(router, gateway, hub, connected);
	if (connected->is_resumed) {
		router->metrics.resumed_total++;
	} else {
		router->metrics.connected_total++;
		hub_connected(conn);
	}
}

/* Leaves the table; what it sent before is still run, then its end is. */
static void conn_end(struct conn *conn)
{
	conn->is_gone = true;
	map_remove(&conn->router->conns, &conn->node);
	conn->router->metrics.disconnected_total++;
	hub_disconnected(conn);
}

void conn_on_disconnected(struct router *router, const struct router_gateway *gateway,
			  const Link__Disconnected *disconnected)
{
	struct conn *conn =
		conn_find(router, disconnected->hub, disconnected->connection);

	/* A refused duplicate ends too, at its own gateway. */
	if (conn != NULL && conn->gateway == gateway)
		conn_end(conn);
}

void conns_on_gateway_lost(struct router *router, struct router_gateway *gateway)
{
	(void)router;
	LIST_EACH (node, &gateway->conns) {
		struct conn *conn = CONTAINER_OF(node, struct conn, gateway_node);

		list_remove(&conn->gateway_node);
		conn->gateway = NULL;
		if (!conn->is_gone)
			conn_end(conn);
	}
}

/* ---- calls */

static void complete_refused(struct router *router, struct router_gateway *gateway,
			     const Link__Invoke *invoke, const char *why)
{
	Link__Complete complete = LINK__COMPLETE__INIT;
	struct buf frame = BUF_INIT;

	router->metrics.invoke_refused_total++;
	if (invoke->invocation_id.len > 0)
		hub_encode_refusal(&frame, link_slice(invoke->invocation_id),
				   link_slice(invoke->target), why);
	complete.hub = invoke->hub;
	complete.connection = invoke->connection;
	complete.call = invoke->call;
	complete.frame = link_bytes(buf_slice(&frame));
	if (link_send_complete(gateway->peer, &complete, NULL) != OK)
		router_resync(gateway);
	buf_fini(&frame);
}

void conn_on_invoke(struct router *router, struct router_gateway *gateway,
		    const Link__Invoke *invoke)
{
	struct conn *conn = conn_find(router, invoke->hub, invoke->connection);

	router->metrics.invoke_total++;
	if (conn == NULL || conn->gateway != gateway)
		complete_refused(router, gateway, invoke,
				 "The connection is not known here.");
	else if (conn->invokes_n >= (size_t)router->conf->conn_calls_max)
		complete_refused(router, gateway, invoke,
				 "Too many invocations are waiting.");
	else
		hub_invoke(conn, invoke);
}

/* ---- joining */

void conn_on_join(struct router *router, struct link_peer *origin, const Link__Join *join)
{
	const struct conn *conn = conn_find(router, join->hub, join->connection);
	Link__Joined joined = LINK__JOINED__INIT;
	struct session_ticket *ticket = NULL;
	enum err rc = ERR_NOT_FOUND;

	router->metrics.join_total++;
	if (conn != NULL && conn->gateway != NULL) {
		/* Our own question goes on to the gateway, whose loss is its answer. */
		if (origin == NULL)
			ticket = asks_put_to(&router->asks, join->call,
					     conn->gateway->peer);
		rc = link_send_join(conn->gateway->peer, join, ticket);
	}
	if (rc == OK)
		return;
	joined.call = join->call;
	joined.rc = rc;
	joined.origin = join->origin;
	route_joined(router, origin, &joined);
}

void conn_on_joined(struct router *router, const Link__Joined *joined)
{
	struct conn *conn = conn_find(router, joined->hub, joined->connection);
	const struct slice name = link_slice(joined->group);

	if (conn != NULL && joined->rc == OK) {
		struct conn_group *group = conn_group_find(conn, name);

		if (!joined->is_leave)
			conn_group_add(conn, name);
		else if (group != NULL)
			conn_group_remove(conn, group);
	}
	route_joined_home(router, joined);
}
