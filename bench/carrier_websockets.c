/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSockets: one connection, the opening in front. Every send is a frame of its own, as
 * with the official clients; all of a turn leave in one write. A message that lies whole
 * in one frame, as nearly all do, is given out where it was read.
 */
#include <assert.h>
#include <string.h>

#include "bench/carrier.h"
#include "bench/ws_client.h"
#include "proto/base/http_answer.h"
#include "proto/base/mem.h"

#define NONCE_BYTES 16

struct websocket {
	struct carrier carrier;
	struct stream stream;
	struct loop_defer defer;
	struct buf parts;   /* of a message in several frames; owned */
	uint64_t key_seeds; /* what the key was made of */
	bool is_open;	    /* the opening is over */
	bool is_text;
	bool is_in_message; /* `parts` is the start of one */
	bool is_closed;
};

static size_t on_bytes(struct stream *stream, struct slice bytes);
static void on_end(struct stream *stream, const char *why);

static const struct stream_ops stream_ops = { on_bytes, on_end };

/* ---- life */

static struct websocket *websocket_of(struct carrier *carrier)
{
	return CONTAINER_OF(carrier, struct websocket, carrier);
}

/* Remade when the answer comes, instead of being kept. */
static void make_key(const struct websocket *ws, char key[WS_CLIENT_KEY_BYTES])
{
	uint64_t nonce[NONCE_BYTES / sizeof(uint64_t)];

	nonce[0] = ws->key_seeds;
	nonce[1] = ws->key_seeds * UINT64_C(0x9e3779b97f4a7c15);
	ws_client_key((const uint8_t *)nonce, key);
}

static void websocket_ask(struct websocket *ws, const struct carrier_target *target)
{
	struct buf *out = stream_out(&ws->stream);
	char key[WS_CLIENT_KEY_BYTES];

	make_key(ws, key);
	carrier_request(out, "GET", target, true);
	buf_appendf(out,
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\n\r\n",
		    WS_CLIENT_KEY_BYTES, key);
}

static struct carrier *websocket_open(struct carrier_owner *owner,
				      const struct carrier_target *target,
				      const char **why)
{
	struct websocket *ws = MEM_NEW(struct websocket);
	struct intake *intake = target->site->intake;

	if (stream_open(&ws->stream, intake, &target->site->server, target->source,
			&stream_ops) != OK) {
		*why = err_errno_text();
		mem_free(ws);
		return NULL;
	}
	ws->carrier = (struct carrier){ &carrier_websockets, owner };
	ws->is_text = target->is_text;
	ws->key_seeds = intake_random(intake);
	websocket_ask(ws, target);
	return &ws->carrier;
}

static void websocket_free(struct loop_defer *defer)
{
	struct websocket *ws = CONTAINER_OF(defer, struct websocket, defer);

	buf_fini(&ws->parts);
	mem_free(ws);
}

static void websocket_write(struct websocket *ws, enum ws_client_opcode opcode,
			    struct slice payload)
{
	ws_client_write(stream_out(&ws->stream), opcode, payload,
			(uint32_t)intake_random(ws->stream.intake));
}

static void websocket_send(struct carrier *carrier, struct slice bytes)
{
	struct websocket *ws = websocket_of(carrier);

	assert(ws->is_open);
	websocket_write(ws, ws->is_text ? WS_CLIENT_TEXT : WS_CLIENT_BINARY, bytes);
}

static void websocket_close(struct carrier *carrier)
{
	struct websocket *ws;

	if (carrier == NULL)
		return;
	ws = websocket_of(carrier);
	assert(!ws->is_closed);
	ws->is_closed = true;
	if (ws->is_open && ws->stream.is_open)
		websocket_write(ws, WS_CLIENT_CLOSE, SLICE_NONE);
	stream_close(&ws->stream);
	loop_defer_free(ws->stream.intake->loop, &ws->defer, websocket_free);
}

static void websocket_end(struct websocket *ws, const char *why)
{
	struct carrier_owner *owner = ws->carrier.owner;

	websocket_close(&ws->carrier);
	owner->ops->on_end(owner, why);
}

/* ---- what comes */

/* Returns the bytes used; 0: more are needed, or it has ended. */
static size_t on_opening(struct websocket *ws, struct slice bytes)
{
	struct http_answer answer;
	ssize_t n = http_answer_read(bytes, &answer);
	char key[WS_CLIENT_KEY_BYTES];
	char accept[WS_CLIENT_ACCEPT_BYTES];

	if (n == 0)
		return 0;
	if (n < 0) {
		websocket_end(ws, "the answer to the WebSocket request is no HTTP");
		return 0;
	}
	if (answer.status != 101) {
		websocket_end(ws, answer.status == 401	 ? "WebSocket refused: 401"
				  : answer.status == 404 ? "WebSocket refused: 404"
				  : answer.status == 503 ? "WebSocket refused: 503"
							 : "WebSocket refused");
		return 0;
	}
	make_key(ws, key);
	ws_client_accept(key, accept);
	if (!slice_equal(answer.accept, slice_make(accept, sizeof(accept)))) {
		websocket_end(ws, "the server took another WebSocket key");
		return 0;
	}
	ws->is_open = true;
	ws->carrier.owner->ops->on_open(ws->carrier.owner);
	return (size_t)n;
}

static void on_message(struct websocket *ws, struct slice message)
{
	ws->carrier.owner->ops->on_bytes(ws->carrier.owner, message);
}

/* A frame of a message that has more than one. */
static void on_part(struct websocket *ws, const struct ws_client_frame *frame)
{
	struct buf whole;

	if (ws->parts.len + frame->payload.len > STREAM_KEPT_BYTES_MAX) {
		websocket_end(ws, "the server sent a message that is too long");
		return;
	}
	buf_append_slice(&ws->parts, frame->payload);
	ws->is_in_message = !frame->is_final;
	if (!frame->is_final)
		return;
	whole = ws->parts;
	ws->parts = BUF_INIT;
	on_message(ws, buf_slice(&whole));
	buf_fini(&whole);
}

static void on_frame(struct websocket *ws, const struct ws_client_frame *frame)
{
	bool is_next = frame->opcode == WS_CLIENT_CONTINUATION;

	switch (frame->opcode) {
	case WS_CLIENT_TEXT:
	case WS_CLIENT_BINARY:
	case WS_CLIENT_CONTINUATION:
		if (is_next != ws->is_in_message)
			websocket_end(ws, "the server mixed up WebSocket fragments");
		else if (frame->is_final && !is_next)
			on_message(ws, frame->payload);
		else
			on_part(ws, frame);
		break;
	case WS_CLIENT_PING:
		websocket_write(ws, WS_CLIENT_PONG, frame->payload);
		break;
	case WS_CLIENT_CLOSE:
		websocket_end(ws, "the server closed the WebSocket");
		break;
	case WS_CLIENT_PONG:
		break;
	}
}

static size_t on_bytes(struct stream *stream, struct slice bytes)
{
	struct websocket *ws = CONTAINER_OF(stream, struct websocket, stream);
	struct ws_client_frame frame;
	size_t used = 0;
	ssize_t n = 1;

	if (!ws->is_open) {
		used = on_opening(ws, bytes);
		if (used == 0)
			return 0;
	}
	while (!ws->is_closed && n > 0) {
		n = ws_client_next(slice_from(bytes, used), STREAM_KEPT_BYTES_MAX / 2,
				   &frame);
		if (n < 0)
			websocket_end(ws, "the server sent what is no WebSocket frame");
		if (n <= 0)
			break;
		used += (size_t)n;
		on_frame(ws, &frame);
	}
	return used;
}

static void on_end(struct stream *stream, const char *why)
{
	websocket_end(CONTAINER_OF(stream, struct websocket, stream), why);
}

const struct carrier_ops carrier_websockets = {
	.name = "websockets",
	.negotiated = "WebSockets",
	.has_pings = true,
	.descriptors_n = 1,
	.open = websocket_open,
	.send = websocket_send,
	.close = websocket_close,
};
