/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection sends. Counted messages of a stateful connection go by way of its
 * resend buffer; everything else straight to the transport, which queues it until the end
 * of the turn.
 */
#include <assert.h>

#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/stateful.h"
#include "gateway/sweep.h"

/* What waits for the client: at the transport, and for its acknowledgements. */
static size_t waiting_bytes(const struct conn *conn)
{
	size_t bytes = 0;

	if (conn->transport != NULL)
		bytes += conn->ops->queued_bytes(conn->transport);
	if (conn->stateful != NULL)
		bytes += stateful_waiting_bytes(conn);
	return bytes;
}

size_t conn_held_bytes(const struct conn *conn)
{
	size_t bytes = 0;

	if (conn->transport != NULL)
		bytes += conn->ops->queued_bytes(conn->transport);
	if (conn->stateful != NULL)
		bytes += stateful_kept_bytes(conn);
	return bytes;
}

static bool stateful_has_room(struct conn *conn, size_t len, size_t max)
{
	const size_t kept = stateful_waiting_bytes(conn);

	if (!transport_fits(kept, len, max))
		return false;
	return conn->transport == NULL ||
	       conn->ops->has_room(conn->transport, kept + len, max);
}

/* queue_bytes_max is never passed but by a message that waits alone: one, however long,
 * makes nobody slow. */
static inline bool has_room(struct conn *conn, size_t len)
{
	const size_t max = (size_t)conn->gateway->conf->queue_bytes_max;

	return conn->stateful == NULL ? conn->ops->has_room(conn->transport, len, max)
				      : stateful_has_room(conn, len, max);
}

static void on_sent(struct conn *conn)
{
	conn->sent_ms = loop_now_ms(conn->gateway->loop);
	conn->gateway->metrics.messages_out_total++;
}

void conn_send_wrapped(struct conn *conn, struct blob *wrapped)
{
	const struct sweeps *sweeps = &conn->gateway->sweeps;

	assert(conn->state != CONN_CLOSED);
	if (sweeps->active_n > 0 && conn->caught_up != sweeps->arrivals) {
		sweep_catch_up(conn);
		if (conn->state == CONN_CLOSED)
			return;
	}
	if (!has_room(conn, wrapped->len)) {
		conn_close(conn, CONN_CLOSE_SLOW, NULL);
		return;
	}
	if (conn->stateful != NULL)
		stateful_send(conn, wrapped);
	else
		conn->ops->send(conn->transport, wrapped);
	on_sent(conn);
}

void conn_send(struct conn *conn, struct slice frame)
{
	struct blob *wrapped = conn->ops->wrap(frame, conn->codec->is_text);

	conn_send_wrapped(conn, wrapped);
	blob_unref(wrapped);
}

void conn_send_control_wrapped(struct conn *conn, struct blob *wrapped)
{
	if (conn->transport == NULL)
		return;
	conn->ops->send(conn->transport, wrapped);
	on_sent(conn);
}

void conn_send_control(struct conn *conn, struct slice frame)
{
	struct blob *wrapped = conn->ops->wrap(frame, conn->codec->is_text);

	conn_send_control_wrapped(conn, wrapped);
	blob_unref(wrapped);
}

/* ---- keep-alive */

/* The idle of one protocol and transport get the same blob. */
static struct blob *ping_wrapped(struct conn *conn)
{
	struct blob **ping =
		&conn->gateway->pings[conn->codec->protocol][conn->ops->kind];
	struct buf frame = BUF_INIT;

	if (*ping == NULL) {
		hub_encode_ping(conn->codec, &frame);
		*ping = conn->ops->wrap(buf_slice(&frame), conn->codec->is_text);
		buf_fini(&frame);
	}
	return *ping;
}

/* Behind a full queue it would tell nobody anything. */
void conn_send_ping(struct conn *conn)
{
	struct blob *ping = ping_wrapped(conn);

	if (!has_room(conn, ping->len)) {
		conn_close(conn, CONN_CLOSE_SLOW, NULL);
		return;
	}
	conn->gateway->metrics.pings_out_total++;
	conn_send_control_wrapped(conn, ping);
}

/* ---- pacing */

void conn_tell_flow(struct conn *conn)
{
	const size_t pause_bytes = (size_t)conn->gateway->conf->stream_pause_bytes;
	const size_t waiting = waiting_bytes(conn);
	const bool is_blocked =
		conn->is_blocked ? waiting > pause_bytes / 2 : waiting > pause_bytes;

	if (is_blocked == conn->is_blocked)
		return;
	/* When the link is full the next keep-alive tries again. */
	if (conn_announce_flow(conn, is_blocked) != OK)
		return;
	conn->is_blocked = is_blocked;
	if (is_blocked)
		conn->gateway->metrics.streams_paused_total++;
}

void conn_send_paced(struct conn *conn, struct slice frame)
{
	conn_send(conn, frame);
	if (conn->state == CONN_OPEN)
		conn_tell_flow(conn);
}

void conn_on_drained(struct conn *conn)
{
	if (conn->is_blocked && conn->state == CONN_OPEN)
		conn_tell_flow(conn);
}
