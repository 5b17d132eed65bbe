/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames from a client. The same messages must come out however the stream is
 * cut, and each byte in must be accounted for: header, payload, or not looked at yet. A
 * second, plain reading of the RFC judges what was taken and what was refused. Input: two
 * bytes say where to cut, the rest is the stream.
 */
#include <string.h>

#include "gateway/ws_frame.h"
#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "proto/base/text.h"
#include "tests/fuzz/fuzz.h"

/* What came out of a stream, in a form that does not show how it was cut. */
struct heard {
	struct buf payload; /* of all data frames */
	struct buf facts;   /* whole control frames and ends of messages, with the
			       place in `payload` where they stood */
	ssize_t rc;	    /* < 0: the error */
	uint16_t close_code;
	size_t used;
};

static void heard_fini(struct heard *heard)
{
	buf_fini(&heard->payload);
	buf_fini(&heard->facts);
}

static void on_event(struct heard *heard, const struct ws_event *event)
{
	const bool is_data = event->opcode == WS_TEXT || event->opcode == WS_BINARY;

	assert(is_data || event->opcode >= WS_CLOSE);
	assert(is_data || event->payload.len <= WS_CONTROL_BYTES_MAX);
	assert(event->opcode == WS_CLOSE || event->close_code == 0);
	if (is_data)
		buf_append_slice(&heard->payload, event->payload);
	if (is_data && !event->is_end)
		return;
	buf_append_int64(&heard->facts, (int64_t)heard->payload.len);
	buf_append_byte(&heard->facts, (char)('0' + event->opcode));
	buf_append_byte(&heard->facts, event->is_end ? '.' : ',');
	buf_append_int64(&heard->facts, event->close_code);
	buf_append_byte(&heard->facts, ':');
	if (!is_data)
		buf_append_slice(&heard->facts, event->payload);
}

/* Everything in `bytes` that can be used; returns how much it was. */
static size_t hear(struct heard *heard, struct ws_parser *parser, struct slice bytes)
{
	char *exact = mem_alloc(bytes.len); /* so that reading past it shows */
	struct ws_event event;
	size_t at = 0;

	if (bytes.len > 0)
		memcpy(exact, bytes.ptr, bytes.len);
	for (;;) {
		heard->rc = ws_frame_next(parser, exact + at, bytes.len - at, &event);
		if (heard->rc <= 0)
			break;
		assert((size_t)heard->rc <= bytes.len - at);
		assert(fuzz_is_inside(event.payload,
				      slice_make(exact + at, (size_t)heard->rc)));
		at += (size_t)heard->rc;
		on_event(heard, &event);
	}
	if (heard->rc == 0)
		assert(bytes.len - at < WS_PENDING_BYTES_MAX);
	else
		assert(heard->rc == ERR_MALFORMED || heard->rc == ERR_LIMIT);
	assert((heard->rc < 0) == (parser->close_code != 0));
	heard->close_code = parser->close_code;
	mem_free(exact);
	return at;
}

static void hear_whole(struct heard *heard, struct slice stream)
{
	struct ws_parser parser = { 0 };

	heard->used = hear(heard, &parser, stream);
}

/* As transport_ws.c does: what was not used goes before what comes next. */
static void hear_pieces(struct heard *heard, struct slice stream, uint32_t seed)
{
	struct ws_parser parser = { 0 };
	struct buf pending = BUF_INIT;

	while (stream.len > 0 && heard->rc >= 0) {
		size_t used;

		buf_append_slice(&pending,
				 fuzz_take(&stream, fuzz_piece(&seed, stream.len)));
		used = hear(heard, &parser, buf_slice(&pending));
		heard->used += used;
		buf_consume(&pending, used);
	}
	buf_fini(&pending);
}

/* ---- RFC 6455 once more, plainly, over what was found to be good */

struct judge {
	struct slice rest;
	struct buf payload; /* of all data frames */
	struct buf message; /* of the current one */
	bool is_text;
	unsigned fragments;
};

static bool is_text(struct slice text)
{
	while (text.len > 0) {
		const char *at = text.ptr;
		const size_t len =
			(uint8_t)*at < 0x80 ? 1 : text_utf8_len(at, at + text.len);

		if (len == 0)
			return false;
		text = slice_from(text, len);
	}
	return true;
}

/* 5.2 to 5.5: may a frame begin so, where the stream stands? */
static bool is_legal(const struct judge *judge, uint8_t first, uint8_t second,
		     uint64_t len)
{
	const uint8_t opcode = first & 15u;
	const bool is_final = first & 0x80u;

	if ((first & 0x70u) != 0 || (second & 0x80u) == 0)
		return false;
	if (opcode >= WS_CLOSE)
		return opcode <= WS_PONG && is_final && (second & 0x7fu) <= 125;
	if (opcode > WS_BINARY || (opcode == WS_CONTINUATION) != (judge->fragments > 0))
		return false;
	if ((second & 0x7fu) == 126)
		return len > 125;
	return (second & 0x7fu) != 127 || (len > 0xffff && len <= INT64_MAX);
}

/* One frame, of which the end may be missing. False: it is illegal. */
static bool judge_frame(struct judge *judge)
{
	const uint8_t first = fuzz_byte(&judge->rest);
	const uint8_t second = fuzz_byte(&judge->rest);
	uint64_t len = second & 0x7fu;
	struct slice mask;
	struct slice payload;

	if (len >= 126)
		len = fuzz_number(&judge->rest, len == 126 ? 2 : 8);
	if (!is_legal(judge, first, second, len))
		return false;
	mask = fuzz_take(&judge->rest, 4);
	payload = fuzz_take(&judge->rest, len);
	if (first & 8u)
		return true;
	if (judge->fragments++ == 0) {
		judge->is_text = (first & 15u) == WS_TEXT;
		buf_clear(&judge->message);
	}
	for (size_t i = 0; i < payload.len; i++)
		buf_append_byte(&judge->message,
				(char)(payload.ptr[i] ^ mask.ptr[i % 4]));
	buf_append_slice(&judge->payload, slice_from(buf_slice(&judge->message),
						     judge->message.len - payload.len));
	if ((first & 0x80u) && payload.len == len) {
		assert(!judge->is_text || is_text(buf_slice(&judge->message)));
		judge->fragments = 0;
	}
	return true;
}

/* All that was used is good; what was refused for its header is not. */
static void judge_stream(const struct heard *heard, struct slice stream)
{
	struct judge judge = { .rest = slice_make(stream.ptr, heard->used) };

	while (judge.rest.len > 0)
		assert(judge_frame(&judge));
	assert(slice_equal(buf_slice(&judge.payload), buf_slice(&heard->payload)));
	judge.rest = slice_from(stream, heard->used);
	if (heard->close_code == WS_CLOSE_POLICY)
		assert(judge.fragments == WS_FRAGMENTS_MAX);
	if (heard->close_code == WS_CLOSE_PROTOCOL &&
	    (judge.rest.ptr[0] & 15) != WS_CLOSE)
		assert(!judge_frame(&judge));
	buf_fini(&judge.payload);
	buf_fini(&judge.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = fuzz_slice(data, size);
	const uint32_t seed = (uint32_t)fuzz_number(&stream, 2);
	struct heard whole = { .payload = BUF_INIT };
	struct heard cut = { .payload = BUF_INIT };

	hear_whole(&whole, stream);
	hear_pieces(&cut, stream, seed);
	assert(slice_equal(buf_slice(&whole.facts), buf_slice(&cut.facts)));
	assert(whole.close_code == cut.close_code);
	/* A frame that turns out bad gives nothing in one piece, and in many what came
	 * before the bad byte. */
	assert(slice_starts_with(buf_slice(&cut.payload), buf_slice(&whole.payload)));
	if (whole.rc == 0) {
		assert(whole.payload.len == cut.payload.len && whole.used == cut.used);
	}
	judge_stream(&whole, stream);
	heard_fini(&whole);
	heard_fini(&cut);
	return 0;
}
