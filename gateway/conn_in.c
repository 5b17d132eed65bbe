/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection reads. Bytes come in any split and are cut into frames; a frame is
 * the handshake or a message; what a message means is one switch. Too many calls in
 * flight pause the reading; it goes on at the end of a turn, so that nobody who completes
 * a call finds the next ones handled under his feet.
 */
#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "proto/wire/handshake.h"
#include "proto/wire/hub_json.h"

static void on_handshake(struct conn *conn, struct slice text)
{
	struct arena *arena = &conn->gateway->arena;
	struct handshake handshake;
	struct slice error;
	struct buf frame = BUF_INIT;
	const char *detail = NULL;
	const enum err rc = handshake_decode(text, arena, &handshake, &error, &detail);

	if (rc != OK) {
		if (detail != NULL && conn->gateway->conf->is_detailed)
			error = arena_printf(arena, "%.*s %s", SLICE_FMT(error), detail);
		conn_refuse_handshake(conn, error);
		return;
	}
	conn->protocol = handshake.protocol;
	handshake_encode_response(&frame, SLICE_NONE);
	conn_send(conn, buf_slice(&frame));
	buf_fini(&frame);
	if (conn->state == CONN_HANDSHAKE)
		conn_open(conn);
}

static void conn_on_message(struct conn *conn, const struct hub_message *message)
{
	switch (message->type) {
	case HUB_MESSAGE_INVOCATION:
	case HUB_MESSAGE_STREAM_INVOCATION:
		invoke(conn, message);
		break;
	case HUB_MESSAGE_PING:
		conn->is_pinged = true;
		conn->gateway->metrics.pings_in_total++;
		conn_timer_next(conn);
		break;
	case HUB_MESSAGE_CLOSE:
		conn_close(conn, CONN_CLOSE_CLIENT, NULL);
		break;
	case HUB_MESSAGE_COMPLETION:
	case HUB_MESSAGE_STREAM_ITEM:
	case HUB_MESSAGE_CANCEL_INVOCATION:
	case HUB_MESSAGE_ACK:
	case HUB_MESSAGE_SEQUENCE:
	case HUB_MESSAGE_NONE:
		/* Of streams and calls that do not exist, and types from the future. */
		break;
	}
}

static void on_frame(struct conn *conn, struct slice text)
{
	struct arena *arena = &conn->gateway->arena;
	struct hub_message message;
	const char *reason;

	conn->received_ms = loop_now_ms(conn->gateway->loop);
	if (conn->state == CONN_HANDSHAKE) {
		on_handshake(conn, text);
	} else {
		conn->gateway->metrics.messages_in_total++;
		if (hub_json_decode(text, arena, &message, &reason) == OK)
			conn_on_message(conn, &message);
		else
			conn_close(
				conn, CONN_CLOSE_PROTOCOL,
				arena_printf(arena, " InvalidDataException: %s", reason)
					.ptr);
	}
	arena_reset(arena);
}

static void on_oversize(struct conn *conn)
{
	char detail[192];

	if (conn->state == CONN_HANDSHAKE) {
		conn_refuse_handshake(conn, SLICE("Handshake was canceled."));
		return;
	}
	(void)snprintf(detail, sizeof(detail),
		       " InvalidDataException: The maximum message size of %lldB was "
		       "exceeded. The message size can be configured in AddHubOptions.",
		       (long long)conn->gateway->conf->message_bytes_max);
	conn_close(conn, CONN_CLOSE_TOO_LARGE, detail);
}

/* Handles whole frames from the front; returns how many bytes they were. */
static size_t conn_parse(struct conn *conn, struct slice bytes)
{
	const size_t frame_max = (size_t)conn->gateway->conf->message_bytes_max;
	size_t used = 0;

	while (conn->state != CONN_CLOSED && !conn->is_paused && used < bytes.len) {
		const struct slice rest = slice_from(bytes, used);
		const ssize_t len = hub_json_cut(rest, frame_max);

		if (len == 0)
			break;
		if (len < 0) {
			on_oversize(conn);
			break;
		}
		on_frame(conn, slice_make(rest.ptr, (size_t)len - 1));
		used += (size_t)len;
	}
	return used;
}

/* Handling a frame never appends to `partial`: only the transport brings bytes. */
static void conn_parse_partial(struct conn *conn)
{
	const size_t used = conn_parse(conn, buf_slice(&conn->partial));

	if (conn->state == CONN_CLOSED)
		return;
	if (used < conn->partial.len)
		buf_consume(&conn->partial, used);
	else
		buf_fini(&conn->partial);
}

/* What waits is the start of one frame. It is searched for its end once, however small
 * the pieces that it comes in. */
static bool is_piece(const struct conn *conn, struct slice bytes)
{
	return conn->partial.len + bytes.len <
		       (size_t)conn->gateway->conf->message_bytes_max &&
	       slice_find(bytes, HUB_JSON_END) < 0;
}

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	size_t used;

	if (conn->partial.len > 0) {
		const bool is_waiting = conn->is_paused || is_piece(conn, bytes);

		buf_append_slice(&conn->partial, bytes);
		if (!is_waiting)
			conn_parse_partial(conn);
		return;
	}
	used = conn_parse(conn, bytes);
	if (conn->state != CONN_CLOSED && used < bytes.len)
		buf_append_slice(&conn->partial, slice_from(bytes, used));
}

/* ---- the pause */

void conn_pause(struct conn *conn)
{
	conn->is_paused = true;
	conn->transport->ops->pause(conn->transport, true);
}

static bool may_read(const struct conn *conn)
{
	return conn->calls_n < (size_t)conn->gateway->conf->invocations_max;
}

void conn_on_complete(struct conn *conn)
{
	if (conn->is_paused && may_read(conn))
		loop_touch(conn->gateway->loop, &conn->resume);
}

void conn_on_resume(struct loop_flush *flush)
{
	struct conn *conn = CONTAINER_OF(flush, struct conn, resume);

	/* A pause is no silence of the client's. */
	conn->received_ms = loop_now_ms(conn->gateway->loop);
	conn->is_paused = false;
	conn_parse_partial(conn);
	if (conn->state == CONN_OPEN && !conn->is_paused)
		conn->transport->ops->pause(conn->transport, false);
}
