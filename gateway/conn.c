/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's life: its timers, what the cluster is told of it, its beginning and its
 * end. Everything that ends one goes through conn_close(); what it reads is conn_in.c's.
 */
#include "gateway/conn_private.h"

#include <assert.h>

#include "gateway/arriving.h"
#include "gateway/claim.h"
#include "gateway/conn_arrival.h"
#include "gateway/gateway.h"
#include "gateway/handover.h"
#include "gateway/headers.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/presence.h"
#include "gateway/release.h"
#include "gateway/stateful.h"
#include "gateway/sweep.h"
#include "gateway/transport_ws.h"
#include "gateway/upload.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/wire/handshake.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* docs/PERFORMANCE.md, Memory: a million of them. */
_Static_assert(sizeof(struct conn) <= 280, "an idle connection is small");

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

const char *conn_close_error_name(enum conn_close_reason reason)
{
	const struct close_rule *rule = &close_rules[reason];

	return rule->error != NULL || reason == CONN_CLOSE_TRANSPORT ? rule->name : NULL;
}

/* ---- timers: the handshake's deadline, then keep-alive, client timeout and the next
 * transport of a stateful connection */

/* From now; never, when the token has no end or the hub does not mind it. */
static int64_t expires_in_ms(const struct conn *conn)
{
	const int64_t expires_s = conn->user->expires_unix_s;

	if (!conn->hub->conf->is_closing_expired || expires_s == 0)
		return INT64_MAX;
	return expires_s * 1000 - loop_unix_ms(conn->gateway->loop);
}

/* Until its message must have come to its end; never, when none has begun. Bytes of one
 * that has no end are no sign of life. */
static int64_t unfinished_in_ms(const struct conn *conn)
{
	const int64_t timeout_ms = conn->gateway->conf->message_timeout_ms;

	if (timeout_ms == 0 || conn_partial_bytes(conn) == 0 || conn->paused != 0)
		return INT64_MAX;
	return conn->work->partial_ms + timeout_ms - loop_now_ms(conn->gateway->loop);
}

void conn_timer_next(struct conn *conn)
{
	const struct hub_conf *conf = conn->hub->conf;
	const int64_t now_ms = loop_now_ms(conn->gateway->loop);
	const int64_t expires_ms = expires_in_ms(conn);
	int64_t delay_ms = conn->sent_ms + conf->keepalive_interval_ms - now_ms;

	if (conn->ops->is_polled)
		delay_ms = conf->keepalive_interval_ms;
	else if (conn->is_pinged)
		delay_ms = MIN(delay_ms,
			       conn->received_ms + conf->client_timeout_ms - now_ms);
	delay_ms = MIN(delay_ms, expires_ms);
	delay_ms = MIN(delay_ms, unfinished_in_ms(conn));
	loop_timer_start(conn->gateway->loop, &conn->timer, delay_ms > 0 ? delay_ms : 0);
}

static void on_open_timer(struct conn *conn)
{
	const struct hub_conf *conf = conn->hub->conf;
	const int64_t now_ms = loop_now_ms(conn->gateway->loop);

	if (conn->transport == NULL) {
		/* A stateful connection whose client did not come back. */
		conn->is_overdue = true;
		conn_close(conn, CONN_CLOSE_TRANSPORT, NULL);
		return;
	}
	if (expires_in_ms(conn) <= 0) {
		conn_close(conn, CONN_CLOSE_EXPIRED, NULL);
		return;
	}
	/* While its calls are being dispatched a client is not asked for a sign of life.
	 */
	if (conn->paused != 0 || conn->ops->is_polled)
		conn->received_ms = now_ms;
	if (conn->is_pinged && now_ms - conn->received_ms >= conf->client_timeout_ms) {
		conn_close(conn, CONN_CLOSE_TIMEOUT,
			   " TimeoutException: Client hasn't sent a message/ping within "
			   "the configured ClientTimeoutInterval.");
		return;
	}
	if (unfinished_in_ms(conn) <= 0) {
		conn->gateway->metrics.message_timeout_total++;
		conn_close(conn, CONN_CLOSE_TIMEOUT,
			   " TimeoutException: A message has begun and did not come to "
			   "its end.");
		return;
	}
	if (!conn->ops->is_polled &&
	    now_ms - conn->sent_ms >= conf->keepalive_interval_ms)
		conn_send_ping(conn);
	conn_tell_flow(conn);
	if (conn->state == CONN_OPEN)
		conn_timer_next(conn);
}

void conn_refuse_handshake(struct conn *conn, struct slice error)
{
	struct buf frame = BUF_INIT;

	conn->gateway->metrics.handshake_failed_total++;
	handshake_encode_response(&frame, error);
	conn_send_control(conn, buf_slice(&frame));
	buf_fini(&frame);
	conn_close(conn, CONN_CLOSE_HANDSHAKE, NULL);
}

static void on_timer(struct timer *timer)
{
	struct conn *conn = CONTAINER_OF(timer, struct conn, timer);

	switch ((enum conn_state)conn->state) {
	case CONN_HANDSHAKE:
		conn->gateway->metrics.handshake_timeout_total++;
		conn->is_overdue = true;
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

/* ---- freeing */

static void conn_on_deferred(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct conn, defer));
}

void conn_free(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;

	assert(conn->state == CONN_CLOSED && conn->calls_n == 0);
	loop_timer_stop(gateway->loop, &conn->timer);
	conn_work_free(conn);
	join_forget(conn);
	map_remove(&gateway->conns, &conn->node);
	user_free(conn->user);
	intern_drop(&gateway->agents, conn->agent);
	headers_free(conn->headers);
	conn->user = NULL;
	loop_defer_free(gateway->loop, &conn->defer, conn_on_deferred);
}

/* ---- life */

/* The text is behind the struct. */
const char *conn_remote(const struct conn *conn)
{
	return (const char *)(conn + 1);
}

static struct conn *conn_make(struct gateway *gateway, const struct conn_arrival *from,
			      const struct transport_ops *ops)
{
	struct conn *conn = mem_zalloc(sizeof(*conn) + from->remote.len + 1);

	assert(from->id.len == CONN_ID_LEN);
	conn->gateway = gateway;
	conn->hub = from->hub;
	conn->ops = ops;
	conn->codec = from->codec;
	conn->user = from->user;
	memcpy(conn->id, from->id.ptr, CONN_ID_LEN);
	if (from->remote.len > 0)
		memcpy(conn + 1, from->remote.ptr, from->remote.len);
	list_init(&conn->hub_node);
	list_init(&conn->memberships);
	timer_init(&conn->timer, on_timer);
	conn->opened_unix_ms = loop_unix_ms(gateway->loop);
	conn->received_ms = loop_now_ms(gateway->loop);
	conn->sent_ms = conn->received_ms;
	meter_start(&gateway->metrics.meter, conn->ops->kind);
	map_add(&gateway->conns, &conn->node, slice_make(conn->id, CONN_ID_LEN));
	return conn;
}

struct conn *conn_new(struct gateway *gateway, struct hub *hub,
		      const char id[CONN_ID_LEN], struct user *user,
		      struct transport *transport, const char *remote)
{
	const struct conn_arrival from = {
		.hub = hub,
		.id = slice_make(id, CONN_ID_LEN),
		.user = user,
		.remote = slice_from_str(remote),
		.codec = hub_codec(HUB_PROTOCOL_JSON),
	};
	struct conn *conn = conn_make(gateway, &from, transport->ops);

	conn->transport = transport;
	transport->conn = conn;
	loop_timer_start(gateway->loop, &conn->timer, hub->conf->handshake_timeout_ms);
	return conn;
}

/* Counts in everything that counts open connections. */
static void conn_enter(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;

	conn->state = CONN_OPEN;
	release_skip(conn);
	list_append(&conn->hub->conns, &conn->hub_node);
	conn->served = conn->hub->serial;
	conn->hub->conns_n++;
	gateway->metrics.connections++;
}

struct conn *conn_new_arriving(struct gateway *gateway,
			       const struct conn_arrival *arrival)
{
	struct conn *conn = conn_make(gateway, arrival, &transport_ws_ops);

	conn_pause(conn, CONN_PAUSE_ARRIVING);
	conn_enter(conn);
	return conn;
}

/* The handshake is done: the cluster learns of the connection. */
void conn_open(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	enum err rc = OK;

	conn_enter(conn);
	gateway->metrics.connections_total++;
	conn_timer_next(conn);
	presence_opened(conn);
	if (user_id(conn->user).len > 0)
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
	invoke_forget(conn);
	uploads_forget(conn);
	/* It is another gateway's. */
	if (conn->reason == CONN_CLOSE_MOVED) {
		conn_free(conn);
		return;
	}
	gateway->metrics.connections_waiting++;
	if (!conn_is_arriving(conn))
		presence_closed(conn);
	conn_disconnect(conn);
}

static void conn_send_close(struct conn *conn, struct slice error, bool allow_reconnect)
{
	struct buf frame = BUF_INIT;

	hub_encode_close(conn->codec, &frame, error, allow_reconnect);
	conn_send_control(conn, buf_slice(&frame));
	buf_fini(&frame);
}

/* NULL: a stateful connection had none. Who is gone or does not read is not waited for.
 */
static void transport_end(struct transport *transport, enum conn_close_reason reason)
{
	if (transport == NULL)
		return;
	if (reason == CONN_CLOSE_TRANSPORT || reason == CONN_CLOSE_SLOW ||
	    reason == CONN_CLOSE_MEMORY)
		transport->ops->abort(transport);
	else
		transport->ops->close(transport, close_rules[reason].is_failed);
}

/* One that goes on elsewhere is held by that gateway, as everybody knows. */
static void conn_unhold(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	const struct slice id = slice_make(conn->id, CONN_ID_LEN);

	if (conn->reason != CONN_CLOSE_MOVED && !conn_is_arriving(conn)) {
		claim_on_end(gateway, conn->hub, id);
		return;
	}
	claim_forget(gateway, id);
	spent_remove(&gateway->spent, id);
}

/* `error` ptr NULL: the hub Close carries none. */
static void conn_end(struct conn *conn, enum conn_close_reason reason, struct slice error,
		     bool allow_reconnect)
{
	const struct close_rule *rule = &close_rules[reason];
	struct transport *transport = conn->transport;
	const bool was_open = conn->state == CONN_OPEN;

	conn->gateway->metrics.close_total[reason]++;
	meter_stop(&conn->gateway->metrics.meter, conn->ops->kind, reason,
		   conn->is_overdue,
		   loop_unix_ms(conn->gateway->loop) - conn->opened_unix_ms);
	if (was_open && rule->is_told) {
		stateful_unhold(conn);
		conn_send_close(conn, error, allow_reconnect);
	}
	conn->state = CONN_CLOSED;
	conn->reason = (uint8_t)reason;
	conn->transport = NULL;
	stateful_stop(conn);
	transport_end(transport, reason);
	guard_leave(conn);
	loop_timer_stop(conn->gateway->loop, &conn->timer);
	conn_work_stop(conn);
	handover_on_end(conn);
	arriving_on_end(conn);
	conn_unhold(conn);
	if (was_open)
		conn_leave(conn);
	else
		conn_free(conn);
}

void conn_close(struct conn *conn, enum conn_close_reason reason, const char *detail)
{
	const struct close_rule *rule = &close_rules[reason];
	struct buf error = BUF_INIT;

	/* It reads nothing behind a Close. */
	if (rule->is_told)
		sweep_catch_up(conn);
	if (conn->state == CONN_CLOSED)
		return;
	log_debug("conn.closed", "reason=%s", rule->name);
	if (rule->error != NULL) {
		buf_append_str(&error, rule->error);
		if (detail != NULL && conn->hub->conf->is_detailed)
			buf_append_str(&error, detail);
	}
	conn_end(conn, reason, buf_slice(&error), rule->allow_reconnect);
	buf_fini(&error);
}

void conn_abort(struct conn *conn, struct slice error, bool allow_reconnect)
{
	sweep_catch_up(conn);
	if (conn->state == CONN_CLOSED)
		return;
	log_debug("conn.closed", "reason=%s", conn_close_name(CONN_CLOSE_ABORTED));
	conn_end(conn, CONN_CLOSE_ABORTED, error.len > 0 ? error : SLICE_NONE,
		 allow_reconnect);
}

void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	if (stateful_may_attach(conn) &&
	    (reason == CONN_CLOSE_TRANSPORT || reason == CONN_CLOSE_SLOW))
		stateful_detach(conn, reason);
	else
		conn_close(conn, reason, NULL);
}
