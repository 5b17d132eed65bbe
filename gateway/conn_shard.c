/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shard that owns a connection is told of it: its beginning, its end, and when
 * the client does not keep up. Beginning and end are told until they are confirmed. While
 * the connection moves to another shard there are two, of which one is on standby.
 */
#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/headers.h"
#include "gateway/join.h"

/* A link was full when a closed connection's end was to be told: try again. */
#define DISCONNECTED_RETRY_MS 1000
/* The version of the link that has Began. */
#define BEGAN_VERSION 2

static enum err flow_send(const struct conn *conn, const struct gateway_router *router,
			  bool is_blocked)
{
	Link__Flow flow = LINK__FLOW__INIT;

	flow.hub = link_bytes(slice_from_str(conn->hub->name));
	flow.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	flow.is_blocked = is_blocked;
	return link_send_flow(router->peer, &flow, NULL);
}

static void on_connected_ticket(struct session_ticket *ticket, enum err rc)
{
	struct conn *conn =
		CONTAINER_OF(ticket, struct conn_work, connected_ticket)->conn;

	/* A router that says no Began is taken to have run on_connected at once. When it
	 * is lost the replay announces it again. */
	if (rc == OK && link_peer_version(gateway_conn_owner(conn)->peer) < BEGAN_VERSION)
		conn->is_begun = true;
	conn_work_free_when_idle(conn);
}

void conn_on_began(struct conn *conn, const struct gateway_router *router)
{
	/* Another one may have it by now, and runs it again. */
	if (gateway_conn_owner(conn) == router)
		conn->is_begun = true;
}

/* What a router is told of it; the arrays are the caller's, or the gateway's arena's. */
static void describe(struct conn *conn, Link__Connected *connected, Link__User *who,
		     ProtobufCBinaryData *roles)
{
	const struct user *user = conn->user;
	struct arena *arena = &conn->gateway->arena;

	who->id = link_bytes(user_id(user));
	who->name = link_bytes(user_name(user));
	who->claims = link_bytes(user_claims(user));
	who->roles = roles;
	for (size_t i = 0; i < user->roles_n; i++)
		roles[who->n_roles++] = link_bytes(user_role(user, i));
	connected->hub = link_bytes(slice_from_str(conn->hub->name));
	connected->connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	connected->user = who;
	connected->protocol = conn->codec->protocol;
	connected->transport = conn->ops->kind;
	headers_tell(conn->headers, arena, connected);
	connected->is_resumed = conn->is_begun;
	connected->groups = arena_alloc(arena, conn->groups_n * sizeof(roles[0]));
	LIST_EACH (node, &conn->memberships) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);

		if (membership->key->kind == LINK__KIND__KIND_GROUP)
			connected->groups[connected->n_groups++] =
				link_bytes(index_key_name(membership->key));
	}
}

/* `released` may be NULL. */
static enum err announce_active(struct conn *conn, const struct gateway_router *router,
				const Link__Released *released)
{
	struct session_ticket *ticket = &conn_work_need(conn)->connected_ticket;
	ProtobufCBinaryData roles[USER_ROLES_MAX];
	Link__User who = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;
	enum err rc;

	describe(conn, &connected, &who, roles);
	if (released != NULL) {
		connected.items = released->items;
		connected.n_items = released->n_items;
	}
	/* A replay comes while the ticket of the earlier announcement is on its way out.
	 */
	session_ticket_cancel(ticket);
	rc = link_send_connected(router->peer, &connected, ticket);
	/* A router that comes back does not know that streams to it rest. */
	return rc == OK && conn->is_blocked ? flow_send(conn, router, true) : rc;
}

static enum err announce_standby(struct conn *conn, const struct gateway_router *router)
{
	ProtobufCBinaryData roles[USER_ROLES_MAX];
	Link__User who = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	describe(conn, &connected, &who, roles);
	connected.is_standby = true;
	return router_told(link_send_connected(router->peer, &connected, NULL));
}

enum err conn_announce_to(struct conn *conn, const struct gateway_router *router)
{
	return gateway_conn_owner(conn) == router ? announce_active(conn, router, NULL)
						  : announce_standby(conn, router);
}

enum err conn_announce(struct conn *conn)
{
	struct gateway_router *owners[2];
	const size_t n = gateway_conn_owners(conn, owners);
	const enum err rc = announce_active(conn, owners[0], NULL);

	return rc == OK && n == 2 ? announce_standby(conn, owners[1]) : rc;
}

/* The window does not bound it: to start over with the router instead would have it run
 * on_connected once more. What is to move is bounded before: reshard.c, has_room(). */
enum err conn_announce_moved(struct conn *conn, const Link__Released *released)
{
	const struct gateway_router *owner = gateway_conn_owner(conn);
	enum err rc;

	link_peer_replay(owner->peer, true);
	rc = announce_active(conn, owner, released);
	link_peer_replay(owner->peer, false);
	return router_told(rc);
}

static void on_disconnected_ticket(struct conn_work *work, enum err rc)
{
	struct conn *conn = work->conn;

	if (rc != OK) {
		/* The shard came back and the replay has told it of the connection. */
		conn_disconnect(conn);
		return;
	}
	if (session_ticket_is_waiting(&work->disconnected_tickets[0]) ||
	    session_ticket_is_waiting(&work->disconnected_tickets[1]))
		return;
	conn->gateway->metrics.connections_waiting--;
	conn_free(conn);
}

static void on_first_ticket(struct session_ticket *ticket, enum err rc)
{
	on_disconnected_ticket(
		CONTAINER_OF(ticket, struct conn_work, disconnected_tickets[0]), rc);
}

static void on_second_ticket(struct session_ticket *ticket, enum err rc)
{
	on_disconnected_ticket(
		CONTAINER_OF(ticket, struct conn_work, disconnected_tickets[1]), rc);
}

static enum err conn_send_disconnected(struct conn *conn)
{
	const char *error = conn_close_error_name((enum conn_close_reason)conn->reason);
	struct conn_work *work = conn_work_need(conn);
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;
	struct gateway_router *owners[2];
	const size_t n = gateway_conn_owners(conn, owners);
	enum err rc = OK;

	disconnected.hub = link_bytes(slice_from_str(conn->hub->name));
	disconnected.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	if (error != NULL)
		disconnected.error = link_bytes(slice_from_str(error));
	for (size_t i = 0; i < 2; i++)
		session_ticket_cancel(&work->disconnected_tickets[i]);
	for (size_t i = 0; i < n && rc == OK; i++) {
		rc = link_send_disconnected(owners[i]->peer, &disconnected,
					    &work->disconnected_tickets[i]);
		if (i == 1)
			rc = router_told(rc);
	}
	/* Both are told again. */
	if (rc != OK)
		session_ticket_cancel(&work->disconnected_tickets[0]);
	return rc;
}

/* The owners of its keys first: when the last word is confirmed nothing is left of it.
 * While a router is to let go of it the last word is not for that one (release.c); and
 * the shard of one that has not arrived was told already. */
void conn_disconnect(struct conn *conn)
{
	enum err rc = join_leave_all(conn);

	if (rc == OK && conn->is_releasing)
		return;
	if (rc == OK && conn_is_arriving(conn)) {
		conn->gateway->metrics.connections_waiting--;
		conn_free(conn);
		return;
	}
	if (rc == OK)
		rc = conn_send_disconnected(conn);
	if (rc != OK)
		loop_timer_start(conn->gateway->loop, &conn->timer,
				 DISCONNECTED_RETRY_MS);
}

enum err conn_announce_flow(struct conn *conn, bool is_blocked)
{
	struct gateway_router *owners[2];
	const size_t n = gateway_conn_owners(conn, owners);
	enum err rc = OK;

	/* Streams that it left behind rest as well. */
	for (size_t i = 0; i < n && rc == OK; i++)
		rc = i == 0 ? flow_send(conn, owners[i], is_blocked)
			    : router_told(flow_send(conn, owners[i], is_blocked));
	return rc;
}

void conn_shard_init(struct conn_work *work)
{
	session_ticket_init(&work->connected_ticket, on_connected_ticket);
	session_ticket_init(&work->disconnected_tickets[0], on_first_ticket);
	session_ticket_init(&work->disconnected_tickets[1], on_second_ticket);
}
