/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's life: its timers, what the cluster is told of it, its beginning and its
 * end. Everything that ends one goes through conn_close(); what it reads is conn_in.c's.
 */
#include "gateway/conn_private.h"

#include <assert.h>

#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/handshake.h"
#include "proto/wire/hub_json.h"

/* A link was full when a closed connection's end was to be told: try again. */
#define DISCONNECTED_RETRY_MS 1000

struct close_rule {
	const char *name;
	const char *error;
	bool allow_reconnect;
	bool is_told;	/* by a hub Close */
	bool is_failed; /* in the transport's eyes */
};

static const struct close_rule close_rules[CONN_CLOSE_COUNT] = {
#define CONN_CLOSE_RULE(reason, name, error, reconnect, told, failed)                    \
	[reason] = { name, error, reconnect, told, failed },
	CONN_CLOSE_LIST(CONN_CLOSE_RULE)
#undef CONN_CLOSE_RULE
};

const char *conn_close_name(enum conn_close_reason reason)
{
	return close_rules[reason].name;
}

static const struct gateway_conf *conf_of(const struct conn *conn)
{
	return conn->gateway->conf;
}

/* ---- out */

void conn_send_wrapped(struct conn *conn, struct blob *wrapped)
{
	const size_t queue_max = (size_t)conf_of(conn)->queue_bytes_max;

	assert(conn->state != CONN_CLOSED);
	/* Before, not after: one message, however long, makes nobody slow. */
	if (conn->transport->ops->queued_bytes(conn->transport) > queue_max) {
		conn_close(conn, CONN_CLOSE_SLOW, NULL);
		return;
	}
	conn->transport->ops->send(conn->transport, wrapped);
	conn->sent_ms = loop_now_ms(conn->gateway->loop);
	conn->gateway->metrics.messages_out_total++;
}

void conn_send(struct conn *conn, struct slice frames)
{
	struct blob *wrapped = conn->transport->ops->wrap(frames, true);

	conn_send_wrapped(conn, wrapped);
	blob_unref(wrapped);
}

/* ---- timers: the handshake's deadline, then keep-alive and client timeout */

/* The idle of one transport get the same blob. */
static struct blob *ping_wrapped(struct gateway *gateway, const struct transport_ops *ops)
{
	struct blob **ping = &gateway->pings[ops->kind];
	struct buf frame = BUF_INIT;

	if (*ping == NULL) {
		hub_json_encode_ping(&frame);
		*ping = ops->wrap(buf_slice(&frame), true);
		buf_fini(&frame);
	}
	return *ping;
}

static void conn_send_ping(struct conn *conn)
{
	conn->gateway->metrics.pings_out_total++;
	conn_send_wrapped(conn, ping_wrapped(conn->gateway, conn->transport->ops));
}

void conn_timer_next(struct conn *conn)
{
	const struct gateway_conf *conf = conf_of(conn);
	const int64_t now_ms = loop_now_ms(conn->gateway->loop);
	int64_t due_ms = conn->sent_ms + conf->keepalive_interval_ms;

	if (conn->is_pinged && conn->received_ms + conf->client_timeout_ms < due_ms)
		due_ms = conn->received_ms + conf->client_timeout_ms;
	loop_timer_start(conn->gateway->loop, &conn->timer,
			 due_ms > now_ms ? due_ms - now_ms : 0);
}

static void on_open_timer(struct conn *conn)
{
	const struct gateway_conf *conf = conf_of(conn);
	const int64_t now_ms = loop_now_ms(conn->gateway->loop);

	/* While its calls are being dispatched a client is not asked for a sign of life.
	 */
	if (conn->is_paused)
		conn->received_ms = now_ms;
	if (conn->is_pinged && now_ms - conn->received_ms >= conf->client_timeout_ms) {
		conn_close(conn, CONN_CLOSE_TIMEOUT,
			   " TimeoutException: Client hasn't sent a message/ping within "
			   "the configured ClientTimeoutInterval.");
		return;
	}
	if (now_ms - conn->sent_ms >= conf->keepalive_interval_ms)
		conn_send_ping(conn);
	if (conn->state == CONN_OPEN)
		conn_timer_next(conn);
}

void conn_refuse_handshake(struct conn *conn, struct slice error)
{
	struct buf frame = BUF_INIT;

	conn->gateway->metrics.handshake_failed_total++;
	handshake_encode_response(&frame, error);
	conn_send(conn, buf_slice(&frame));
	buf_fini(&frame);
	conn_close(conn, CONN_CLOSE_HANDSHAKE, NULL);
}

static void conn_disconnect(struct conn *conn);

static void on_timer(struct timer *timer)
{
	struct conn *conn = CONTAINER_OF(timer, struct conn, timer);

	switch (conn->state) {
	case CONN_HANDSHAKE:
		conn->gateway->metrics.handshake_timeout_total++;
		conn_refuse_handshake(conn, SLICE("Handshake was canceled."));
		break;
	case CONN_OPEN:
		on_open_timer(conn);
		break;
	case CONN_CLOSED:
		conn_disconnect(conn);
		break;
	}
}

/* ---- towards the shard */

static void on_connected_ticket(struct session_ticket *ticket, enum err rc)
{
	/* When it is lost the replay announces it again. */
	if (rc == OK)
		CONTAINER_OF(ticket, struct conn, connected_ticket)->is_announced = true;
}

static struct gateway_router *conn_router(const struct conn *conn)
{
	return gateway_owner(conn->gateway, conn->hub, LINK__KIND__KIND_CONNECTION,
			     slice_make(conn->id, CONN_ID_LEN));
}

enum err conn_announce(struct conn *conn)
{
	const struct user *user = conn->user;
	ProtobufCBinaryData roles[USER_ROLES_MAX];
	struct arena *arena = &conn->gateway->arena;
	Link__User who = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	who.id = link_bytes(user->id);
	who.name = link_bytes(user->name);
	who.claims = link_bytes(user->claims);
	who.roles = roles;
	for (size_t i = 0; i < user->roles_n; i++)
		roles[who.n_roles++] = link_bytes(user->roles[i]);
	connected.hub = link_bytes(slice_from_str(conn->hub->name));
	connected.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	connected.user = &who;
	connected.protocol = conn->protocol;
	connected.transport = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS;
	connected.is_resumed = conn->is_announced;
	connected.groups = arena_alloc(arena, conn->groups_n * sizeof(roles[0]));
	LIST_EACH (node, &conn->memberships) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);

		if (membership->key->kind == LINK__KIND__KIND_GROUP)
			connected.groups[connected.n_groups++] =
				link_bytes(membership->key->name);
	}
	/* A replay comes while the ticket of the earlier announcement is on its way out.
	 */
	session_ticket_cancel(&conn->connected_ticket);
	return link_send_connected(conn_router(conn)->peer, &connected,
				   &conn->connected_ticket);
}

static void conn_on_deferred(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct conn, defer));
}

void conn_free(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;

	assert(conn->state == CONN_CLOSED && conn->calls_n == 0);
	loop_timer_stop(gateway->loop, &conn->timer);
	session_ticket_cancel(&conn->connected_ticket);
	session_ticket_cancel(&conn->disconnected_ticket);
	join_forget(conn);
	map_remove(&gateway->conns, &conn->node);
	user_free(conn->user);
	mem_free(conn->remote);
	mem_free(conn->user_agent);
	conn->user = NULL;
	loop_defer_free(gateway->loop, &conn->defer, conn_on_deferred);
}

static void on_disconnected_ticket(struct session_ticket *ticket, enum err rc)
{
	struct conn *conn = CONTAINER_OF(ticket, struct conn, disconnected_ticket);

	if (rc != OK) {
		/* The shard came back and the replay has told it of the connection. */
		conn_disconnect(conn);
		return;
	}
	conn->gateway->metrics.connections_waiting--;
	conn_free(conn);
}

static enum err conn_send_disconnected(struct conn *conn)
{
	const struct close_rule *rule = &close_rules[conn->reason];
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;

	disconnected.hub = link_bytes(slice_from_str(conn->hub->name));
	disconnected.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	if (rule->error != NULL || conn->reason == CONN_CLOSE_TRANSPORT)
		disconnected.error = link_bytes(slice_from_str(rule->name));
	return link_send_disconnected(conn_router(conn)->peer, &disconnected,
				      &conn->disconnected_ticket);
}

/* The owners of its keys first: when the last word is confirmed nothing is left of it. */
static void conn_disconnect(struct conn *conn)
{
	enum err rc = join_leave_all(conn);

	if (rc == OK)
		rc = conn_send_disconnected(conn);
	if (rc != OK)
		loop_timer_start(conn->gateway->loop, &conn->timer,
				 DISCONNECTED_RETRY_MS);
}

/* ---- life */

struct conn *conn_new(struct gateway *gateway, struct hub *hub,
		      const char id[CONN_ID_LEN], struct user *user,
		      struct transport *transport)
{
	struct conn *conn = MEM_NEW(struct conn);

	conn->gateway = gateway;
	conn->hub = hub;
	conn->transport = transport;
	conn->user = user;
	memcpy(conn->id, id, CONN_ID_LEN);
	list_init(&conn->hub_node);
	list_init(&conn->memberships);
	list_init(&conn->calls);
	buf_init(&conn->partial);
	session_ticket_init(&conn->connected_ticket, on_connected_ticket);
	session_ticket_init(&conn->disconnected_ticket, on_disconnected_ticket);
	timer_init(&conn->timer, on_timer);
	loop_flush_init(&conn->resume, conn_on_resume);
	conn->opened_unix_ms = loop_unix_ms(gateway->loop);
	conn->received_ms = loop_now_ms(gateway->loop);
	conn->sent_ms = conn->received_ms;
	map_add(&gateway->conns, &conn->node, slice_make(conn->id, CONN_ID_LEN));
	loop_timer_start(gateway->loop, &conn->timer,
			 gateway->conf->handshake_timeout_ms);
	transport->conn = conn;
	return conn;
}

/* The handshake is done: the cluster learns of the connection. */
void conn_open(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	enum err rc = OK;

	conn->state = CONN_OPEN;
	list_append(&conn->hub->conns, &conn->hub_node);
	conn->hub->conns_n++;
	gateway->metrics.connections++;
	gateway->metrics.connections_total++;
	conn_timer_next(conn);
	presence_opened(conn);
	if (conn->user->id.len > 0)
		rc = join_user(conn);
	if (rc == OK)
		rc = conn_announce(conn);
	if (rc != OK)
		conn_close(conn, CONN_CLOSE_CONNECT, NULL);
}

/* Takes an open connection out of everything that counts it in. */
static void conn_leave(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;

	list_remove(&conn->hub_node);
	conn->hub->conns_n--;
	gateway->metrics.connections--;
	gateway->metrics.connections_waiting++;
	invoke_forget(conn);
	presence_closed(conn);
	conn_disconnect(conn);
}

static void conn_send_close(struct conn *conn, struct slice error, bool allow_reconnect)
{
	struct buf frame = BUF_INIT;
	struct blob *wrapped;

	hub_json_encode_close(&frame, error, allow_reconnect);
	wrapped = conn->transport->ops->wrap(buf_slice(&frame), true);
	conn->transport->ops->send(conn->transport, wrapped);
	blob_unref(wrapped);
	buf_fini(&frame);
}

/* `error` ptr NULL: the hub Close carries none. */
static void conn_end(struct conn *conn, enum conn_close_reason reason, struct slice error,
		     bool allow_reconnect)
{
	const struct close_rule *rule = &close_rules[reason];
	struct transport *transport = conn->transport;
	const bool was_open = conn->state == CONN_OPEN;

	conn->gateway->metrics.close_total[reason]++;
	if (was_open && rule->is_told)
		conn_send_close(conn, error, allow_reconnect);
	conn->state = CONN_CLOSED;
	conn->reason = reason;
	conn->transport = NULL;
	/* Who is gone or does not read is not waited for. */
	if (reason == CONN_CLOSE_TRANSPORT || reason == CONN_CLOSE_SLOW)
		transport->ops->abort(transport);
	else
		transport->ops->close(transport, rule->is_failed);
	loop_timer_stop(conn->gateway->loop, &conn->timer);
	loop_untouch(&conn->resume);
	buf_fini(&conn->partial);
	if (was_open)
		conn_leave(conn);
	else
		conn_free(conn);
}

void conn_close(struct conn *conn, enum conn_close_reason reason, const char *detail)
{
	const struct close_rule *rule = &close_rules[reason];
	struct buf error = BUF_INIT;

	if (conn->state == CONN_CLOSED)
		return;
	log_debug("conn.closed", "reason=%s", rule->name);
	if (rule->error != NULL) {
		buf_append_str(&error, rule->error);
		if (detail != NULL && conf_of(conn)->is_detailed)
			buf_append_str(&error, detail);
	}
	conn_end(conn, reason, buf_slice(&error), rule->allow_reconnect);
	buf_fini(&error);
}

void conn_abort(struct conn *conn, struct slice error, bool allow_reconnect)
{
	if (conn->state == CONN_CLOSED)
		return;
	log_debug("conn.closed", "reason=%s", conn_close_name(CONN_CLOSE_ABORTED));
	conn_end(conn, CONN_CLOSE_ABORTED, error.len > 0 ? error : SLICE_NONE,
		 allow_reconnect);
}

void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	conn_close(conn, reason, NULL);
}
