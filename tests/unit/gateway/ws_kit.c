/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds a client's frames and judges what the parser makes of them.
 */
#include "tests/unit/gateway/ws_kit.h"

#include <criterion/criterion.h>

#define MASKED 0x80

void ws_outcome_fini(struct outcome *outcome)
{
	buf_fini(&outcome->data);
	buf_fini(&outcome->log);
}

static void note(struct outcome *outcome, const struct ws_event *event)
{
	switch ((int)event->opcode) {
	case WS_CLOSE:
		buf_appendf(&outcome->log, "C%u/%zu ", event->close_code,
			    event->payload.len);
		break;
	case WS_PING:
		buf_appendf(&outcome->log, "P%zu ", event->payload.len);
		break;
	case WS_PONG:
		buf_appendf(&outcome->log, "O%zu ", event->payload.len);
		break;
	default:
		buf_append_slice(&outcome->data, event->payload);
		outcome->message_len += event->payload.len;
		if (event->is_end) {
			buf_appendf(&outcome->log, "%c%zu ",
				    event->opcode == WS_TEXT ? 'T' : 'B',
				    outcome->message_len);
			outcome->message_len = 0;
		}
	}
}

/* Feeds what is in `pending`; false after a failure. */
static bool feed(struct ws_parser *parser, struct buf *pending, struct outcome *outcome)
{
	struct ws_event event;
	size_t at = 0;

	while (at < pending->len) {
		ssize_t n = ws_frame_next(parser, pending->ptr + at, pending->len - at,
					  &event);

		if (n < 0) {
			outcome->rc = (enum err)n;
			outcome->close_code = parser->close_code;
			return false;
		}
		if (n == 0) {
			cr_assert_lt(pending->len - at, WS_PENDING_BYTES_MAX);
			break;
		}
		note(outcome, &event);
		at += (size_t)n;
	}
	buf_consume(pending, at);
	return true;
}

/* In pieces of `piece` bytes, the first of `first`. */
struct outcome ws_parse(struct slice stream, size_t first, size_t piece)
{
	struct outcome outcome = { .rc = OK };
	struct ws_parser parser = { 0 };
	struct buf pending = BUF_INIT;
	size_t take = first;

	while (stream.len > 0) {
		take = take < stream.len ? take : stream.len;
		buf_append(&pending, stream.ptr, take);
		stream = slice_from(stream, take);
		take = piece;
		if (!feed(&parser, &pending, &outcome))
			break;
	}
	buf_fini(&pending);
	return outcome;
}

const uint8_t ws_mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

void ws_frame_head(struct buf *out, unsigned first, size_t len)
{
	buf_append_byte(out, (char)first);
	if (len < 126) {
		buf_append_byte(out, (char)(MASKED | len));
	} else if (len < 65536) {
		buf_append_byte(out, (char)(MASKED | 126));
		buf_append_byte(out, (char)(len >> 8));
		buf_append_byte(out, (char)len);
	} else {
		buf_append_byte(out, (char)(MASKED | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_append_byte(out, (char)((uint64_t)len >> shift));
	}
	buf_append(out, ws_mask, 4);
}

void ws_frame_add(struct buf *out, unsigned first, const void *payload, size_t len)
{
	uint8_t mask[4] = { ws_mask[0], ws_mask[1], ws_mask[2], ws_mask[3] };
	size_t at;

	ws_frame_head(out, first, len);
	at = out->len;
	buf_append(out, payload, len);
	ws_frame_mask(out->ptr + at, len, mask);
}

static void check(const struct outcome *outcome, const char *log, int close_code)
{
	cr_expect_eq(outcome->close_code, close_code, "code %d for %d",
		     outcome->close_code, close_code);
	cr_expect_eq(outcome->log.len, strlen(log), "%.*s for %s", (int)outcome->log.len,
		     outcome->log.ptr, log);
	if (outcome->log.len == strlen(log) && outcome->log.len > 0)
		cr_expect_arr_eq(outcome->log.ptr, log, strlen(log), "%.*s for %s",
				 (int)outcome->log.len, outcome->log.ptr, log);
}

/* Whole, bytewise and cut once at every byte (of short ones). Frees the stream. */
void ws_expect(struct buf *stream, const char *log, int close_code)
{
	struct outcome outcome = ws_parse(buf_slice(stream), stream->len, stream->len);

	check(&outcome, log, close_code);
	ws_outcome_fini(&outcome);
	outcome = ws_parse(buf_slice(stream), 1, 1);
	check(&outcome, log, close_code);
	ws_outcome_fini(&outcome);
	for (size_t cut = 1; cut < stream->len && stream->len < 2000; cut++) {
		outcome = ws_parse(buf_slice(stream), cut, stream->len);
		check(&outcome, log, close_code);
		ws_outcome_fini(&outcome);
	}
	buf_fini(stream);
}

void ws_expect_one(unsigned first, const void *payload, size_t len, const char *log,
		   int close_code)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, first, payload, len);
	ws_expect(&stream, log, close_code);
}

void ws_expect_bytes(const void *bytes, size_t len, const char *log, int close_code)
{
	struct buf stream = BUF_INIT;

	buf_append(&stream, bytes, len);
	ws_expect(&stream, log, close_code);
}
