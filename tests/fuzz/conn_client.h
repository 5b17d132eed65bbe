/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of a gateway: transports that check what they are given, and messages of
 * every type in the client's protocol. Definitions: for the one source of a target.
 */
#ifndef TESTS_FUZZ_CONN_CLIENT_H
#define TESTS_FUZZ_CONN_CLIENT_H

#include <stdio.h>
#include <string.h>

#include "gateway/conn_in.h"
#include "gateway/gateway.h"
#include "gateway/stateful.h"
#include "proto/base/mem.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGE_BYTES_MAX 256
#define QUEUE_BYTES_MAX 1000
/* What may come on top: one message of a router's, and what nobody counts (pings, acks,
 * a Close), of which a script of so many steps makes no more. */
#define UNCOUNTED_BYTES_MAX 20000

struct client {
	struct transport transport;
	struct gateway *gateway; /* borrowed */
	char id[CONN_ID_LEN];
	size_t unsent; /* bytes taken while stuck */
	bool is_used;
	bool is_stuck;
	bool is_paused;
};

/* Only what routers of ours would say was said: then clients get nothing else. */
static bool clients_are_strict;

static struct client *client_of(const struct transport *transport)
{
	union {
		const struct transport *given;
		struct client *wanted; /* the transport is its first member */
	} client = { .given = transport };

	return client.wanted;
}

static bool client_is_connected(const struct client *client)
{
	return client->transport.conn != NULL;
}

/* ---- out */

static void check_out(const struct hub_codec *codec, struct slice frames)
{
	struct arena arena = ARENA_INIT;
	struct hub_message message;
	struct slice inside;
	const char *reason;

	while (frames.len > 0) {
		const ssize_t len = codec->cut(frames, frames.len, &inside);
		enum err rc;

		assert(len > 0);
		rc = codec->decode(inside, &arena, &message, &reason);
		assert(rc == OK);
		frames = slice_from(frames, (size_t)len);
	}
	arena_fini(&arena);
}

/* Before what is sent stands whether it was wrapped as text. */
static struct blob *client_wrap(struct slice frames, bool is_text)
{
	struct blob *blob = blob_new(frames.len + 1);

	assert(frames.len > 0);
	blob->data[0] = is_text ? 't' : 'b';
	memcpy(blob->data + 1, frames.ptr, frames.len);
	return blob;
}

static void client_send(struct transport *transport, struct blob *wrapped)
{
	struct client *client = client_of(transport);
	const struct conn *conn = transport->conn;
	const struct slice frames = slice_from(blob_slice(wrapped), 1);

	assert(conn != NULL && conn->transport == transport);
	assert(conn->state != CONN_CLOSED);
	if (client->is_stuck)
		client->unsent += frames.len;
	assert(client->unsent <= QUEUE_BYTES_MAX + UNCOUNTED_BYTES_MAX);
	if (conn->state == CONN_HANDSHAKE) {
		assert(frames.ptr[0] == '{' && frames.ptr[frames.len - 1] == '\x1e');
	} else if (clients_are_strict) {
		assert((wrapped->data[0] == 't') == conn->codec->is_text);
		check_out(conn->codec, frames);
	}
}

static size_t client_queued_bytes(const struct transport *transport)
{
	return client_of(transport)->unsent;
}

static bool client_has_room(struct transport *transport, size_t len, size_t max)
{
	return transport_fits(client_of(transport)->unsent, len, max);
}

static void client_pause(struct transport *transport, bool is_paused)
{
	assert(transport->conn != NULL);
	client_of(transport)->is_paused = is_paused;
}

static void client_close(struct transport *transport, bool is_error)
{
	(void)is_error;
	assert(transport->conn != NULL);
	transport->conn = NULL;
}

static void client_abort(struct transport *transport)
{
	assert(transport->conn != NULL);
	transport->conn = NULL;
}

#define CLIENT_OPS(link_kind, polled)                                                    \
	{                                                                                \
		.kind = (link_kind), .is_polled = (polled), .wrap = client_wrap,         \
		.send = client_send, .queued_bytes = client_queued_bytes,                \
		.has_room = client_has_room, .pause = client_pause,                      \
		.close = client_close, .abort = client_abort,                            \
	}

static const struct transport_ops client_ops[] = {
	CLIENT_OPS(LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS, false),
	CLIENT_OPS(LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS, false),
	CLIENT_OPS(LINK__TRANSPORT__TRANSPORT_LONG_POLLING, true),
};

/* ---- in */

/* In two pieces, each in memory of its own size, so that reading past it shows. */
static void client_bytes(struct client *client, struct slice bytes, size_t cut)
{
	struct slice rest = bytes;

	while (rest.len > 0 && client_is_connected(client) && !client->is_paused) {
		const struct slice piece = fuzz_take(&rest, cut > 0 ? cut : rest.len);
		char *exact = mem_alloc(piece.len);

		cut = 0;
		memcpy(exact, piece.ptr, piece.len);
		conn_on_bytes(client->transport.conn, slice_make(exact, piece.len));
		mem_free(exact);
	}
}

static void client_handshake(struct client *client, uint8_t choice)
{
	char text[64];
	const int len =
		snprintf(text, sizeof(text), "{\"protocol\":\"%s\",\"version\":%u}\x1e",
			 choice & 1u ? "messagepack" : "json", choice >> 1 & 3u);

	client_bytes(client, slice_make(text, (size_t)len), 0);
}

static struct slice raw_value(const struct hub_codec *codec, bool is_array)
{
	if (codec->is_text)
		return is_array ? SLICE("[1]") : SLICE("1");
	return is_array ? SLICE("\x91\x01") : SLICE("\x01");
}

/* The names of calls and streams are one digit, so that they meet. */
static struct slice digit(uint8_t number)
{
	static const char digits[] = "01234567";

	return slice_make(digits + (number & 7u), 1);
}

/* One message of any type. */
static void client_message(struct client *client, struct slice *input)
{
	const struct conn *conn = client->transport.conn;
	const uint8_t type = fuzz_byte(input) % (HUB_MESSAGE_SEQUENCE + 1);
	const uint8_t names = fuzz_byte(input);
	const uint8_t flags = fuzz_byte(input);
	const struct slice ids[] = { digit(flags >> 2), digit(flags >> 5) };
	struct hub_message message = { .type = (enum hub_message_type)type };
	struct buf frame = BUF_INIT;

	if (conn == NULL || type == HUB_MESSAGE_NONE)
		return;
	message.invocation_id = digit(names);
	message.has_invocation_id = true;
	if (type == HUB_MESSAGE_INVOCATION && names & 8u) {
		message.invocation_id = SLICE_NONE;
		message.has_invocation_id = false;
	}
	message.target = SLICE("F");
	message.arguments = raw_value(conn->codec, true);
	message.stream_ids = ids;
	message.stream_ids_n = (flags & 3u) % 3u;
	message.payload = raw_value(conn->codec, false);
	message.has_error = type == HUB_MESSAGE_COMPLETION && names & 16u;
	message.has_result = type == HUB_MESSAGE_COMPLETION && (names & 48u) == 32u;
	message.error = SLICE("e");
	message.sequence_id = flags;
	conn->codec->encode(&frame, &message);
	client_bytes(client, buf_slice(&frame), names >> 6);
	buf_fini(&frame);
}

#endif
