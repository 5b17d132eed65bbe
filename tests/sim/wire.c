/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only what the cluster's own answers need of HTTP and WebSockets: they are trusted to be
 * well-formed, and a schedule fails when they are not.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "tests/sim/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/list.h"

#define LOOK_MAX 200 /* microseconds from a packet to the client's looking at it */
#define READ_BYTES 65536u
#define MASK_BYTES 4u
#define SEPARATOR '\x1e'

enum opcode { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static void on_event(struct sim_event *event);

void wire_init(struct wire *wire, const struct wire_ops *ops)
{
	*wire = (struct wire){ .ops = ops };
	sim_event_init(&wire->event, on_event);
}

static void look(struct wire *wire)
{
	if (!sim_is_waiting(&wire->event))
		sim_after(&wire->event, sim_between(SIM_CLIENTS, 1, LOOK_MAX));
}

static void on_wake(void *owner)
{
	look(owner);
}

void wire_open(struct wire *wire, unsigned from, unsigned to, unsigned port)
{
	assert(wire->end == NULL);
	wire->end = net_connect(from, to, port, on_wake, wire);
	wire->is_websocket = false;
	wire->is_over = false;
	buf_clear(&wire->in);
	buf_clear(&wire->messages);
	buf_clear(&wire->out);
}

bool wire_is_open(const struct wire *wire)
{
	return wire->end != NULL;
}

static void push(struct wire *wire)
{
	while (wire->out.len > 0) {
		const ssize_t n = net_send(wire->end, wire->out.ptr, wire->out.len);

		if (n <= 0)
			return;
		buf_consume(&wire->out, (size_t)n);
	}
}

static void put(struct wire *wire, struct slice bytes)
{
	assert(wire->end != NULL);
	buf_append_slice(&wire->out, bytes);
	push(wire);
}

void wire_send_request(struct wire *wire, struct slice request)
{
	put(wire, request);
}

static void put_frame(struct wire *wire, enum opcode opcode, struct slice payload)
{
	const char mask[MASK_BYTES] = { 0 };
	char head[4];
	size_t n = 2;

	assert(payload.len < 65536);
	head[0] = (char)(uint8_t)(0x80u | opcode);
	head[1] = (char)(uint8_t)(0x80u | (payload.len < 126 ? payload.len : 126));
	if (payload.len >= 126) {
		head[2] = (char)(uint8_t)(payload.len >> 8);
		head[3] = (char)(uint8_t)payload.len;
		n = 4;
	}
	put(wire, slice_make(head, n));
	put(wire, slice_make(mask, sizeof(mask)));
	put(wire, payload);
}

void wire_send_message(struct wire *wire, struct slice text)
{
	struct buf bytes = BUF_INIT;

	buf_append_slice(&bytes, text);
	buf_append_byte(&bytes, SEPARATOR);
	put_frame(wire, OP_TEXT, buf_slice(&bytes));
	buf_fini(&bytes);
}

void wire_close(struct wire *wire, bool is_proper)
{
	static const char normal[] = { '\x03', '\xe8' }; /* 1000 */

	if (wire->end == NULL)
		return;
	if (is_proper && wire->is_websocket && !wire->is_over)
		put_frame(wire, OP_CLOSE, slice_make(normal, sizeof(normal)));
	net_close(wire->end);
	wire->end = NULL;
	sim_cancel(&wire->event);
}

void wire_freeze(struct wire *wire, bool is_frozen)
{
	wire->is_frozen = is_frozen;
	if (!is_frozen && wire->end != NULL)
		look(wire);
}

static void end(struct wire *wire)
{
	wire_close(wire, false);
	wire->ops->on_end(wire);
}

/* ---- HTTP */

static size_t length_of(struct slice head)
{
	static const char name[] = "Content-Length: ";
	const char *at = memmem(head.ptr, head.len, name, sizeof(name) - 1);

	return at != NULL ? strtoul(at + sizeof(name) - 1, NULL, 10) : 0;
}

static void on_http(struct wire *wire)
{
	static const char head_end[] = "\r\n\r\n";
	const char *at = memmem(wire->in.ptr, wire->in.len, head_end, 4);
	struct buf answer = wire->in;
	size_t head;
	size_t len;
	int status;

	if (at == NULL)
		return;
	head = (size_t)(at - wire->in.ptr) + 4;
	sim_expect(strncmp(wire->in.ptr, "HTTP/1.1 ", 9) == 0,
		   "an answer that is no HTTP");
	status = (int)strtol(wire->in.ptr + 9, NULL, 10);
	len = status == 101 ? 0 : length_of(slice_make(wire->in.ptr, head));
	if (wire->in.len < head + len)
		return;
	wire->is_websocket = status == 101;
	/* The owner may close it, or open it anew. */
	buf_init(&wire->in);
	if (wire->is_websocket)
		buf_append(&wire->in, answer.ptr + head, answer.len - head);
	wire->ops->on_answer(wire, status, slice_make(answer.ptr + head, len));
	buf_fini(&answer);
}

/* ---- WebSocket */

static void cut_messages(struct wire *wire)
{
	const struct net_end *of = wire->end;
	char *at;

	while (wire->end == of && wire->messages.len > 0 &&
	       (at = memchr(wire->messages.ptr, SEPARATOR, wire->messages.len)) != NULL) {
		const size_t len = (size_t)(at - wire->messages.ptr);
		struct buf text = BUF_INIT;

		buf_append(&text, wire->messages.ptr, len);
		buf_append_byte(&text, '\0');
		buf_consume(&wire->messages, len + 1);
		wire->ops->on_message(wire, slice_make(text.ptr, len));
		buf_fini(&text);
	}
}

/* The length of the head and, in `payload`, of what is behind it; 0: not there yet. */
static size_t frame_head(const struct buf *in, size_t *payload)
{
	const uint8_t *at = (const uint8_t *)in->ptr;
	size_t n = 2;

	if (in->len < 2)
		return 0;
	*payload = at[1] & 127u;
	if (*payload == 126)
		n = 4;
	else if (*payload == 127)
		n = 10;
	if (in->len < n)
		return 0;
	if (n > 2)
		*payload = 0;
	for (size_t i = 2; i < n; i++)
		*payload = *payload << 8 | at[i];
	return n;
}

static void on_frame(struct wire *wire, enum opcode opcode, struct slice payload)
{
	if (opcode == OP_CLOSE)
		wire->is_over = true;
	else if (opcode == OP_PING)
		put_frame(wire, OP_PONG, payload);
	else if (opcode != OP_PONG)
		buf_append_slice(&wire->messages, payload);
}

static void on_websocket(struct wire *wire)
{
	const struct net_end *of = wire->end;
	size_t payload = 0;
	size_t head;

	while (wire->end == of && !wire->is_over &&
	       (head = frame_head(&wire->in, &payload)) != 0 &&
	       wire->in.len >= head + payload) {
		on_frame(wire, (enum opcode)((uint8_t)wire->in.ptr[0] & 15u),
			 slice_make(wire->in.ptr + head, payload));
		buf_consume(&wire->in, head + payload);
		cut_messages(wire);
	}
	if (wire->end == of && wire->is_over)
		end(wire);
}

/* ---- both */

static void on_event(struct sim_event *event)
{
	struct wire *wire = CONTAINER_OF(event, struct wire, event);
	const struct net_end *of = wire->end;

	push(wire);
	while (wire->end == of && !wire->is_frozen) {
		const ssize_t n = net_recv(wire->end, buf_reserve(&wire->in, READ_BYTES),
					   READ_BYTES);

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			end(wire);
			return;
		}
		wire->in.len += (size_t)n;
		if (!wire->is_websocket)
			on_http(wire);
		if (wire->end == of && wire->is_websocket)
			on_websocket(wire);
	}
}
