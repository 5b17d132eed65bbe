/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections come and go by what their gateway says. A connection that is gone leaves
 * the table at once, so that its id may come again; the struct lives until its last call
 * ran, which the calls of who comes with its id wait for.
 */
#include "router/conn.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_codec.h"
#include "router/conn_standby.h"
#include "router/handover.h"
#include "router/hub_runtime.h"
#include "router/route.h"
#include "router/router.h"
#include "router/shard.h"

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

void conn_set_groups(struct conn *conn, const ProtobufCBinaryData *names, size_t n)
{
	LIST_EACH (node, &conn->groups)
		conn_group_remove(conn, CONTAINER_OF(node, struct conn_group, node));
	for (size_t i = 0; i < n; i++)
		conn_group_add(conn, link_slice(names[i]));
}

/* ---- life */

/* How many bytes of it conn_copy() takes. */
static size_t conn_copy_len(const Link__Connected *connected, size_t roles_n,
			    size_t headers_n)
{
	const Link__User *user = connected->user;
	size_t len = connected->connection.len + user->id.len + user->name.len +
		     user->claims.len + connected->query.len;

	for (size_t i = 0; i < roles_n; i++)
		len += user->roles[i].len;
	for (size_t i = 0; i < headers_n; i++)
		len += connected->headers[i]->name.len + connected->headers[i]->value.len;
	return len;
}

/* One block with a copy of who it is: the message dies, the connection stays. */
static struct conn *conn_copy(const Link__Connected *connected)
{
	const Link__User *user = connected->user;
	const size_t roles_n =
		user->n_roles < CONN_ROLES_MAX ? user->n_roles : CONN_ROLES_MAX;
	const size_t headers_n = connected->n_headers < CONN_HEADERS_MAX
					 ? connected->n_headers
					 : CONN_HEADERS_MAX;
	const size_t arrays_len =
		headers_n * sizeof(struct conn_header) + roles_n * sizeof(struct slice);
	struct conn *conn = mem_zalloc(sizeof(*conn) + arrays_len +
				       conn_copy_len(connected, roles_n, headers_n));
	struct conn_header *headers = (struct conn_header *)(void *)conn->bytes;
	struct slice *roles = (struct slice *)(void *)(headers + headers_n);
	char *at = (char *)(roles + roles_n);

	conn->headers = headers;
	conn->roles = roles;
	conn->id = link_take(&at, connected->connection);
	conn->user_id = link_take(&at, user->id);
	conn->user_name = link_take(&at, user->name);
	conn->claims = link_take(&at, user->claims);
	conn->query = link_take(&at, connected->query);
	for (size_t i = 0; i < roles_n; i++)
		roles[conn->roles_n++] = link_take(&at, user->roles[i]);
	for (size_t i = 0; i < headers_n; i++) {
		struct conn_header *header = &headers[conn->headers_n++];

		header->name = link_take(&at, connected->headers[i]->name);
		header->value = link_take(&at, connected->headers[i]->value);
	}
	return conn;
}

static struct conn *conn_new_copy(struct router *router, const struct hub_served *hub,
				  const Link__Connected *connected)
{
	struct conn *conn = conn_copy(connected);

	conn->router = router;
	conn->hub = hub;
	conn->codec = hub_codec((enum hub_protocol)connected->protocol);
	conn->transport = connected->transport;
	list_init(&conn->gateway_node);
	list_init(&conn->groups);
	list_init(&conn->queue);
	list_init(&conn->begun);
	list_init(&conn->confirming);
	list_init(&conn->uploads);
	list_init(&conn->questions);
	return conn;
}

struct conn *conn_new_user(struct router *router, const struct hub_served *hub,
			   struct slice user_id, struct slice user_name)
{
	Link__Connected connected = LINK__CONNECTED__INIT;
	Link__User user = LINK__USER__INIT;

	user.id = link_bytes(user_id);
	user.name = link_bytes(user_name);
	connected.user = &user;
	connected.protocol = HUB_PROTOCOL_JSON;
	return conn_new_copy(router, hub, &connected);
}

/* Hubs must see the one before leave first: its end would be taken for this one's. */
static void conn_follow(struct conn *conn)
{
	struct map *going = &conn->router->going;
	struct map_node *node = map_find(going, conn->id);

	if (node == NULL)
		return;
	map_remove(going, node);
	conn->before = CONTAINER_OF(node, struct conn, node);
	conn->before->next = conn;
}

static struct conn *conn_new(struct router *router, struct router_gateway *gateway,
			     const struct hub_served *hub,
			     const Link__Connected *connected)
{
	struct conn *conn = conn_new_copy(router, hub, connected);

	conn->gateway = gateway;
	list_append(&gateway->conns, &conn->gateway_node);
	map_add(&router->conns, &conn->node, conn->id);
	conn_follow(conn);
	conn_set_groups(conn, connected->groups, connected->n_groups);
	return conn;
}

void conn_free(struct conn *conn)
{
	conn_set_groups(conn, NULL, 0);
	hub_items_free(conn);
	handover_forget(conn);
	if (!conn->is_gone)
		map_remove(&conn->router->conns, &conn->node);
	conn_set_standby(conn, false);
	list_remove(&conn->gateway_node);
	mem_free(conn);
}

struct conn *conn_over(struct conn *conn)
{
	struct conn *next = conn->next;

	if (next == NULL)
		map_remove(&conn->router->going, &conn->node);
	else
		next->before = NULL;
	conn_free(conn);
	return next;
}

static void refuse(struct router_gateway *gateway, const Link__Connected *connected,
		   const char *reason)
{
	Link__Abort abort_message = LINK__ABORT__INIT;

	log_warn("conn.refused", "gateway=%s reason=%s hub=%s",
		 link_peer_name(gateway->peer), reason,
		 log_quote(link_slice(connected->hub)).text);
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
	const struct router_gateway *holder;
	struct conn *conn;

	if (hub == NULL) {
		refuse(gateway, connected, "unknown_hub");
		return;
	}
	if (connected->user == NULL || connected->connection.len == 0) {
		refuse(gateway, connected, "incomplete");
		return;
	}
	if (hub_codec((enum hub_protocol)connected->protocol) == NULL) {
		refuse(gateway, connected, "unknown_protocol");
		return;
	}
	if (conn_on_told_again(router, gateway, connected))
		return;
	if (connected->is_standby &&
	    shard_has_moved(router, connected->hub, LINK__KIND__KIND_CONNECTION,
			    connected->connection))
		return;
	holder = claim_holder(router, connected->hub, connected->connection);
	if ((holder != NULL && holder != gateway) ||
	    map_find(&router->conns, link_slice(connected->connection)) != NULL) {
		/* A connection token was used at two gateways: the first one keeps it. */
		refuse(gateway, connected, "duplicate");
		return;
	}
	conn = conn_new(router, gateway, hub, connected);
	if (connected->is_standby) {
		conn_set_standby(conn, true);
	} else if (connected->is_resumed) {
		router->metrics.resumed_total++;
	} else {
		router->metrics.connected_total++;
		hub_connected(conn);
	}
}

/* Leaves the table; what it sent before is still run, then its end is. */
void conn_end(struct conn *conn, struct slice reason)
{
	handover_forget(conn);
	if (conn->is_inherited)
		conn_set_standby(conn, false);
	conn->is_gone = true;
	map_remove(&conn->router->conns, &conn->node);
	map_add(&conn->router->going, &conn->node, conn->id);
	if (!conn->is_standby)
		conn->router->metrics.disconnected_total++;
	hub_disconnected(conn, reason);
}

void conn_on_disconnected(struct router *router, const struct router_gateway *gateway,
			  const Link__Disconnected *disconnected)
{
	struct conn *conn =
		conn_find(router, disconnected->hub, disconnected->connection);

	/* A refused duplicate ends too, at its own gateway. */
	if (conn != NULL && conn->gateway == gateway)
		conn_end(conn, link_slice(disconnected->error));
}

void conns_on_gateway_lost(struct router *router, struct router_gateway *gateway)
{
	(void)router;
	LIST_EACH (node, &gateway->conns) {
		struct conn *conn = CONTAINER_OF(node, struct conn, gateway_node);

		list_remove(&conn->gateway_node);
		conn->gateway = NULL;
		if (!conn->is_gone)
			conn_end(conn, SLICE("gateway_lost"));
	}
}

/* ---- calls */

static void complete_refused(struct router *router, struct router_gateway *gateway,
			     const Link__Invoke *invoke, const char *why)
{
	const struct hub_codec *codec = hub_codec((enum hub_protocol)invoke->protocol);
	Link__Complete complete = LINK__COMPLETE__INIT;
	struct buf frame = BUF_INIT;

	router->metrics.invoke_refused_total++;
	if (invoke->invocation_id.len > 0 && codec != NULL)
		hub_encode_refusal(codec, &frame, link_slice(invoke->invocation_id),
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

/* NULL also when another gateway holds it. */
static struct conn *conn_of(const struct router *router,
			    const struct router_gateway *gateway, ProtobufCBinaryData hub,
			    ProtobufCBinaryData id)
{
	struct conn *conn = conn_find(router, hub, id);

	return conn != NULL && conn->gateway == gateway ? conn : NULL;
}

void conn_on_cancel(struct router *router, const struct router_gateway *gateway,
		    const Link__Cancel *cancel)
{
	struct conn *conn = conn_of(router, gateway, cancel->hub, cancel->connection);

	if (conn != NULL)
		hub_cancel(conn, link_slice(cancel->invocation_id));
}

void conn_on_flow(struct router *router, const struct router_gateway *gateway,
		  const Link__Flow *flow)
{
	struct conn *conn = conn_of(router, gateway, flow->hub, flow->connection);

	if (conn != NULL)
		hub_flow(conn, flow->is_blocked);
}

void conn_on_stream_item(struct router *router, const struct router_gateway *gateway,
			 const Link__StreamItem *item)
{
	struct conn *conn = conn_of(router, gateway, item->hub, item->connection);

	if (conn != NULL)
		hub_stream_item(conn, item);
}

void conn_on_client_completion(struct router *router,
			       const struct router_gateway *gateway,
			       const Link__ClientCompletion *completion)
{
	struct conn *conn =
		conn_of(router, gateway, completion->hub, completion->connection);

	if (conn != NULL)
		hub_client_completion(conn, completion);
}

/* ---- joining */

void conn_on_join(struct router *router, struct link_peer *origin, const Link__Join *join)
{
	const struct conn *conn = conn_find(router, join->hub, join->connection);
	Link__Joined joined = LINK__JOINED__INIT;
	struct session_ticket *ticket = NULL;
	enum err rc = ERR_NOT_FOUND;

	if (conn == NULL &&
	    shard_is_fenced(router, origin, join->hub, LINK__KIND__KIND_CONNECTION,
			    join->connection))
		rc = ERR_MOVED;
	/* Its gateway may be about to tell of it. */
	else if (conn == NULL && !router->rebuild.is_done)
		rc = rebuild_hold_join(&router->rebuild, origin, join);
	if (rc == OK)
		return;
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
