/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO's protocol 5 in engine.io's protocol 4, as a client of the default namespace
 * speaks it over WebSockets: one digit of engine.io, in a message one more of Socket.IO,
 * then JSON. Nothing marks the end of a packet, but its JSON does.
 */
#include <assert.h>
#include <string.h>

#include "bench/dialect.h"
#include "bench/payload.h"

#define EVENT_HEAD "42[\"receive\",\""
#define EVENT_TAIL "\"]"
#define EVENT_HEAD_LEN (sizeof(EVENT_HEAD) - 1)
#define EVENT_TAIL_LEN (sizeof(EVENT_TAIL) - 1)
#define PACKET_BYTES_MAX (EVENT_HEAD_LEN + PAYLOAD_BYTES_MAX + EVENT_TAIL_LEN)

/* engine.io's digits, then those of Socket.IO behind a PACKET_MESSAGE. */
enum packet {
	PACKET_OPEN = '0',
	PACKET_CLOSE = '1',
	PACKET_PING = '2',
	PACKET_PONG = '3',
	PACKET_MESSAGE = '4',
	PACKET_NOOP = '6',
};

enum message {
	MESSAGE_CONNECT = '0',
	MESSAGE_DISCONNECT = '1',
	MESSAGE_EVENT = '2',
	MESSAGE_CONNECT_ERROR = '4',
};

static ssize_t incomplete(struct slice bytes)
{
	return bytes.len < PACKET_BYTES_MAX ? 0 : ERR_MALFORMED;
}

/* Where the value that must begin at `at`, with this bracket, ends; 0: not yet. */
static ssize_t json_end(struct slice bytes, size_t at, char bracket)
{
	size_t depth = 0;
	bool is_string = false;

	if (at >= bytes.len)
		return incomplete(bytes);
	if (bytes.ptr[at] != bracket)
		return ERR_MALFORMED;
	for (; at < bytes.len; at++) {
		char c = bytes.ptr[at];

		if (is_string && c == '\\')
			at++;
		else if (c == '"')
			is_string = !is_string;
		else if (!is_string && (c == '{' || c == '['))
			depth++;
		else if (!is_string && (c == '}' || c == ']') && --depth == 0)
			return (ssize_t)at + 1;
	}
	return incomplete(bytes);
}

/* An event. Other ones than ours are nothing to a scenario. */
static ssize_t hear_event(struct slice bytes, struct hearing *out)
{
	const char *quote;

	if (bytes.len > EVENT_HEAD_LEN &&
	    memcmp(bytes.ptr, EVENT_HEAD, EVENT_HEAD_LEN) == 0) {
		/* The payload has no escapes: its end is the next quote. */
		quote = memchr(bytes.ptr + EVENT_HEAD_LEN, '"',
			       bytes.len - EVENT_HEAD_LEN);
		if (quote == NULL || quote + 1 == bytes.ptr + bytes.len)
			return incomplete(bytes);
		out->heard = HEARD_MESSAGE;
		out->payload = slice_make(bytes.ptr + EVENT_HEAD_LEN,
					  (size_t)(quote - bytes.ptr) - EVENT_HEAD_LEN);
		if (quote[1] != ']' || out->payload.len > PAYLOAD_BYTES_MAX)
			return ERR_MALFORMED;
		return quote + (ptrdiff_t)EVENT_TAIL_LEN - bytes.ptr;
	}
	return json_end(bytes, 2, '[');
}

static ssize_t hear_message(struct slice bytes, struct hearing *out)
{
	ssize_t n;

	if (bytes.len < 2)
		return 0;
	switch (bytes.ptr[1]) {
	case MESSAGE_CONNECT:
		out->heard = HEARD_READY;
		return json_end(bytes, 2, '{');
	case MESSAGE_DISCONNECT:
		out->heard = HEARD_CLOSE;
		return 2;
	case MESSAGE_EVENT:
		return hear_event(bytes, out);
	case MESSAGE_CONNECT_ERROR:
		n = json_end(bytes, 2, '{');
		out->heard = HEARD_REFUSED;
		if (n > 0)
			out->error = slice_make(bytes.ptr + 2, (size_t)n - 2);
		return n;
	default:
		return ERR_MALFORMED;
	}
}

static ssize_t hear_open(struct slice bytes, struct buf *reply)
{
	ssize_t n = json_end(bytes, 1, '{');

	if (n > 0)
		buf_append_str(reply, "40");
	return n;
}

static ssize_t hear(struct slice bytes, bool is_ready, struct arena *arena,
		    struct hearing *out, struct buf *reply)
{
	(void)is_ready, (void)arena; /* each packet says what it is */
	*out = (struct hearing){ .heard = HEARD_NOTHING };
	if (bytes.len == 0)
		return 0;
	switch (bytes.ptr[0]) {
	case PACKET_OPEN:
		return hear_open(bytes, reply);
	case PACKET_CLOSE:
		out->heard = HEARD_CLOSE;
		return 1;
	case PACKET_PING:
		buf_append_str(reply, "3");
		return 1;
	case PACKET_PONG:
	case PACKET_NOOP:
		return 1;
	case PACKET_MESSAGE:
		return hear_message(bytes, out);
	default:
		return ERR_MALFORMED;
	}
}

static bool say(struct buf *out, const struct saying *saying)
{
	if (saying->verb != VERB_BROADCAST)
		return false;
	assert(saying->id.len == 0); /* nobody answers */
	buf_append_str(out, "42[\"broadcast\",\"");
	buf_append_slice(out, saying->payload);
	buf_append_str(out, "\"]");
	return true;
}

const struct dialect dialect_socketio = {
	.name = "socketio",
	.is_text = true,
	.has_greeting = true,
	.hear = hear,
	.say = say,
};
