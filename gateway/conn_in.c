/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection reads. Bytes come in any split and are cut into frames; a frame is
 * the handshake or a message; what a message means is one switch. Too many calls in
 * flight, or too much that waits for the router, pause the reading; it goes on at the end
 * of a turn, so that nobody who completes a call finds the next ones handled under his
 * feet.
 */
#include "gateway/backlog.h"
#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/stateful.h"
#include "gateway/upload.h"
#include "proto/wire/handshake.h"
#include "proto/wire/hub_json.h"

/* Server-Sent Events are text. */
static bool handshake_fits(struct conn *conn, const struct handshake *handshake,
			   struct slice *error)
{
	const struct hub_codec *codec = hub_codec(handshake->protocol);

	if (codec->is_text ||
	    conn->ops->kind != LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS)
		return true;
	*error = arena_printf(&conn->gateway->arena,
			      "Cannot use the '%s' protocol on the current transport. "
			      "The transport does not support 'Binary' transfer format.",
			      codec->name);
	return false;
}

static void on_handshake(struct conn *conn, struct slice text)
{
	struct arena *arena = &conn->gateway->arena;
	struct handshake handshake;
	struct slice error;
	struct buf frame = BUF_INIT;
	const char *detail = NULL;
	const enum err rc = handshake_decode(text, arena, &handshake, &error, &detail);

	if (rc != OK) {
		if (detail != NULL && conn->hub->conf->is_detailed)
			error = arena_printf(arena, "%.*s %s", SLICE_FMT(error), detail);
		conn_refuse_handshake(conn, error);
		return;
	}
	if (!handshake_fits(conn, &handshake, &error)) {
		conn_refuse_handshake(conn, error);
		return;
	}
	conn->codec = hub_codec(handshake.protocol);
	handshake_encode_response(&frame, SLICE_NONE);
	conn_send_control(conn, buf_slice(&frame));
	buf_fini(&frame);
	/* A client of version 1 does not count messages. */
	if (conn->may_resume && handshake.version >= HANDSHAKE_VERSION_STATEFUL) {
		stateful_start(conn);
		stateful_hold(conn);
	}
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
	case HUB_MESSAGE_STREAM_ITEM:
		upload_on_item(conn, message);
		break;
	case HUB_MESSAGE_COMPLETION:
		upload_on_completion(conn, message);
		break;
	case HUB_MESSAGE_CANCEL_INVOCATION:
		invoke_cancel(conn, message);
		break;
	case HUB_MESSAGE_PING:
		conn->is_pinged = true;
		conn->gateway->metrics.pings_in_total++;
		conn_timer_next(conn);
		break;
	case HUB_MESSAGE_CLOSE:
		conn_close(conn, CONN_CLOSE_CLIENT, NULL);
		break;
	case HUB_MESSAGE_ACK:
		stateful_on_ack(conn, message->sequence_id);
		break;
	case HUB_MESSAGE_SEQUENCE:
		stateful_on_sequence(conn, message->sequence_id);
		break;
	case HUB_MESSAGE_NONE:
		/* From the future. */
		break;
	}
}

/* ---- while it moves to another router: release.h */

/* Calls wait, and what belongs to those that wait. What belongs to those under way does
 * not, nor do answers to what these ask. */
static bool must_wait(const struct conn *conn, const struct hub_message *message)
{
	const bool is_first = conn->work == NULL || conn->work->held.len == 0;

	if (!conn->is_releasing)
		return false;
	switch ((int)message->type) {
	case HUB_MESSAGE_INVOCATION:
	case HUB_MESSAGE_STREAM_INVOCATION:
		return true;
	case HUB_MESSAGE_STREAM_ITEM:
		return !is_first && !upload_is_open(conn, message->invocation_id);
	case HUB_MESSAGE_COMPLETION:
		return !is_first && conn->work->has_held_streams &&
		       !upload_is_open(conn, message->invocation_id);
	case HUB_MESSAGE_CANCEL_INVOCATION:
		return !is_first && !invoke_is_under_way(conn, message->invocation_id);
	default:
		return false;
	}
}

/* As much as one message may be, and one. */
static bool is_full(const struct conn *conn)
{
	return conn->work != NULL &&
	       conn->work->held.len >= (size_t)conn->hub->conf->message_bytes_max;
}

void conn_on_moved(struct conn *conn)
{
	/* Even if nothing has paused it yet. */
	if (conn->work != NULL && conn->work->held.len > 0)
		conn_pause(conn, CONN_PAUSE_RELEASE);
	conn_unpause(conn, CONN_PAUSE_RELEASE);
}

/* ---- frames */

/* What became of one. */
enum taken {
	TAKEN,
	TAKEN_HELD, /* its bytes are to be kept */
	TAKEN_NOT,  /* it is to be read again when the pause that has begun is over */
};

/* `is_again`: it was held. */
static enum taken on_message_text(struct conn *conn, struct slice text, bool is_again)
{
	struct arena *arena = &conn->gateway->arena;
	struct hub_message message;
	const char *reason;
	const enum err rc = conn->codec->decode(text, arena, &message, &reason);
	const bool is_waiting = rc == OK && must_wait(conn, &message);

	if (is_waiting && is_full(conn)) {
		conn_pause(conn, CONN_PAUSE_RELEASE);
		return TAKEN_NOT;
	}
	if (!is_again) {
		conn_count_message(conn);
		conn->gateway->metrics.messages_in_total++;
	}
	if (rc != OK) {
		conn_close(conn, CONN_CLOSE_PROTOCOL,
			   arena_printf(arena, " InvalidDataException: %s", reason).ptr);
		return TAKEN;
	}
	if (!is_again && conn->stateful != NULL && !stateful_is_new(conn, &message))
		return TAKEN;
	if (is_waiting) {
		conn_work_need(conn)->has_held_streams |= message.stream_ids_n > 0;
		return TAKEN_HELD;
	}
	conn_on_message(conn, &message);
	return TAKEN;
}

static enum taken on_frame(struct conn *conn, struct slice text, bool is_again)
{
	enum taken taken = TAKEN;

	conn->received_ms = loop_now_ms(conn->gateway->loop);
	if (conn->state == CONN_HANDSHAKE) {
		conn_count_message(conn);
		on_handshake(conn, text);
	} else {
		taken = on_message_text(conn, text, is_again);
	}
	arena_reset(&conn->gateway->arena);
	return taken;
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
		       (long long)conn->hub->conf->message_bytes_max);
	conn_close(conn, CONN_CLOSE_TOO_LARGE, detail);
}

/* Handles whole frames from the front; returns how many bytes they were. */
static size_t conn_parse(struct conn *conn, struct slice bytes, bool is_again)
{
	const size_t frame_max = (size_t)conn->hub->conf->message_bytes_max;
	size_t used = 0;

	/* The handshake may change the codec between two frames. */
	while (conn->state != CONN_CLOSED && conn->paused == 0 && used < bytes.len) {
		const struct slice rest = slice_from(bytes, used);
		struct slice message;
		const ssize_t len = conn->codec->cut(rest, frame_max, &message);
		enum taken taken;

		if (len == 0)
			break;
		if (len == ERR_LIMIT) {
			on_oversize(conn);
			break;
		}
		if (len < 0) {
			conn_close(conn, CONN_CLOSE_PROTOCOL,
				   " FormatException: Unable to parse message length.");
			break;
		}
		if (conn->state == CONN_OPEN && backlog_takes(conn))
			break;
		taken = on_frame(conn, message, is_again);
		if (taken == TAKEN_NOT)
			break;
		if (taken == TAKEN_HELD)
			buf_append(&conn->work->held, rest.ptr, (size_t)len);
		used += (size_t)len;
	}
	return used;
}

/* Handling a frame never appends to `partial`: only the transport brings bytes. */
static void conn_parse_partial(struct conn *conn)
{
	struct conn_work *work = conn->work;
	const size_t used = conn_parse(conn, buf_slice(&work->partial), false);

	if (conn->state == CONN_CLOSED)
		return;
	if (used > 0)
		work->partial_ms = loop_now_ms(conn->gateway->loop);
	if (used < work->partial.len)
		buf_consume(&work->partial, used);
	else
		buf_fini(&work->partial);
}

/* What was held comes first. True: nothing of it is left. */
static bool conn_parse_held(struct conn *conn)
{
	struct conn_work *work = conn->work;
	size_t used;

	if (work->held.len == 0 || conn->is_releasing)
		return true;
	used = conn_parse(conn, buf_slice(&work->held), true);
	if (conn->state == CONN_CLOSED)
		return false;
	if (used < work->held.len) {
		buf_consume(&work->held, used);
		return false;
	}
	buf_fini(&work->held);
	work->has_held_streams = false;
	return true;
}

/* What waits is the start of one frame. It is searched for its end once, however small
 * the pieces that it comes in. */
static bool is_piece(const struct conn *conn, struct slice bytes)
{
	return conn->codec->is_text &&
	       conn_partial_bytes(conn) + bytes.len <
		       (size_t)conn->hub->conf->message_bytes_max &&
	       slice_find(bytes, HUB_JSON_END) < 0;
}

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	struct conn_work *work;
	size_t used;

	conn_count_bytes(conn, bytes.len);
	if (conn_partial_bytes(conn) > 0) {
		const bool is_waiting = conn->paused != 0 || is_piece(conn, bytes);

		buf_append_slice(&conn->work->partial, bytes);
		if (!is_waiting) {
			conn_parse_partial(conn);
			conn_work_free_when_idle(conn);
		}
		return;
	}
	used = conn_parse(conn, bytes, false);
	if (conn->state == CONN_CLOSED || used == bytes.len)
		return;
	work = conn_work_need(conn);
	buf_append_slice(&work->partial, slice_from(bytes, used));
	work->partial_ms = loop_now_ms(conn->gateway->loop);
}

/* ---- the pause */

void conn_pause(struct conn *conn, unsigned reason)
{
	if (conn->paused == 0 && conn->transport != NULL)
		conn->ops->pause(conn->transport, true);
	conn->paused |= (uint8_t)reason;
}

void conn_unpause(struct conn *conn, unsigned reason)
{
	if ((conn->paused & reason) == 0 || conn->state == CONN_CLOSED)
		return;
	conn->paused &= (uint8_t)~reason;
	if (conn->paused != 0)
		return;
	conn->paused = CONN_PAUSE_TURN;
	loop_touch(conn->gateway->loop, &conn_work_need(conn)->resume);
}

void conn_on_resume(struct loop_flush *flush)
{
	struct conn_work *work = CONTAINER_OF(flush, struct conn_work, resume);
	struct conn *conn = work->conn;

	conn->paused &= (uint8_t)~CONN_PAUSE_TURN;
	if (conn->paused != 0)
		return;
	/* A pause is no silence of the client's. */
	conn->received_ms = loop_now_ms(conn->gateway->loop);
	work->partial_ms = conn->received_ms;
	if (conn_parse_held(conn))
		conn_parse_partial(conn);
	if (conn->paused == 0 && conn->transport != NULL)
		conn->ops->pause(conn->transport, false);
	conn_work_free_when_idle(conn);
}
