/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame parser. A frame is a header, read whole, and a payload, read as it comes;
 * control frames are small and read whole. Unmasking goes a word at a time and tells on
 * the way whether there was anything but ASCII, so that text is walked byte by byte only
 * if so.
 */
#include "gateway/ws_frame.h"

#include <assert.h>
#include <string.h>

#define FIN 0x80u
#define RSV 0x70u
#define OPCODE 0x0fu
#define CONTROL 0x08u
#define MASKED 0x80u
#define LENGTH 0x7fu
#define LENGTH_16 126u
#define LENGTH_64 127u
#define HEADER_BYTES 2u
#define MASK_BYTES 4u
#define HIGH_BITS 0x8080808080808080u

struct frame_header {
	enum ws_opcode opcode;
	bool is_final;
	uint64_t len;
	uint8_t mask[4];
};

/* ---- bytes */

static uint64_t load_be(const unsigned char *ptr, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | ptr[i];
	return value;
}

/* XORs and returns the OR of all the results, folded into the high bits of a word. */
static uint64_t unmask(char *ptr, size_t len, uint8_t mask[4])
{
	uint64_t word_mask;
	uint64_t seen = 0;
	uint64_t word;
	size_t i = 0;
	uint8_t turned[4];

	memcpy(&word_mask, mask, 4);
	memcpy((char *)&word_mask + 4, mask, 4);
	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, ptr + i, sizeof(word));
		word ^= word_mask;
		seen |= word;
		memcpy(ptr + i, &word, sizeof(word));
	}
	for (; i < len; i++) {
		ptr[i] = (char)((uint8_t)ptr[i] ^ mask[i % 4]);
		seen |= (uint8_t)ptr[i];
	}
	for (i = 0; i < 4; i++)
		turned[i] = mask[(i + len) % 4];
	memcpy(mask, turned, 4);
	return seen & HIGH_BITS;
}

void ws_frame_mask(char *ptr, size_t len, uint8_t mask[4])
{
	assert(ptr || len == 0);
	(void)unmask(ptr, len, mask); /* whether it is ASCII is of no interest here */
}

/* ---- UTF-8 (RFC 3629), one byte at a time */

enum utf8_state {
	UTF8_START,
	UTF8_TAIL_1, /* one more byte, any tail */
	UTF8_TAIL_2,
	UTF8_TAIL_3,
	UTF8_AFTER_E0, /* the second byte has a range of its own */
	UTF8_AFTER_ED,
	UTF8_AFTER_F0,
	UTF8_AFTER_F4,
	UTF8_BAD,
};

struct utf8_step {
	uint8_t low; /* of the byte that may come */
	uint8_t high;
	uint8_t next;
};

static const struct utf8_step utf8_steps[] = {
	[UTF8_TAIL_1] = { 0x80, 0xbf, UTF8_START },
	[UTF8_TAIL_2] = { 0x80, 0xbf, UTF8_TAIL_1 },
	[UTF8_TAIL_3] = { 0x80, 0xbf, UTF8_TAIL_2 },
	[UTF8_AFTER_E0] = { 0xa0, 0xbf, UTF8_TAIL_1 },
	[UTF8_AFTER_ED] = { 0x80, 0x9f, UTF8_TAIL_1 },
	[UTF8_AFTER_F0] = { 0x90, 0xbf, UTF8_TAIL_2 },
	[UTF8_AFTER_F4] = { 0x80, 0x8f, UTF8_TAIL_2 },
};

static uint8_t utf8_start(uint8_t byte)
{
	if (byte < 0x80)
		return UTF8_START;
	if (byte < 0xc2 || byte > 0xf4)
		return UTF8_BAD;
	if (byte < 0xe0)
		return UTF8_TAIL_1;
	if (byte < 0xf0)
		return byte == 0xe0   ? UTF8_AFTER_E0
		       : byte == 0xed ? UTF8_AFTER_ED
				      : UTF8_TAIL_2;
	return byte == 0xf0 ? UTF8_AFTER_F0 : byte == 0xf4 ? UTF8_AFTER_F4 : UTF8_TAIL_3;
}

/* The state behind `text`; UTF8_BAD at the first byte that cannot be. */
static uint8_t utf8_walk(uint8_t state, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		if (state == UTF8_START)
			state = utf8_start(byte);
		else if (byte < utf8_steps[state].low || byte > utf8_steps[state].high)
			return UTF8_BAD;
		else
			state = utf8_steps[state].next;
		if (state == UTF8_BAD)
			return UTF8_BAD;
	}
	return state;
}

/* ---- frames */

static ssize_t fail(struct ws_parser *parser, enum ws_close_code code)
{
	parser->close_code = (uint16_t)code;
	return code == WS_CLOSE_POLICY ? ERR_LIMIT : ERR_MALFORMED;
}

static size_t length_bytes(uint8_t second)
{
	switch (second & LENGTH) {
	case LENGTH_16:
		return 2;
	case LENGTH_64:
		return 8;
	default:
		return 0;
	}
}

/* What the first two bytes alone rule out. */
static bool is_start_good(const struct ws_parser *parser, uint8_t first, uint8_t second)
{
	if ((first & RSV) || !(second & MASKED))
		return false;
	switch (first & OPCODE) {
	case WS_CONTINUATION:
		return parser->fragments_n > 0;
	case WS_TEXT:
	case WS_BINARY:
		return parser->fragments_n == 0;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return (first & FIN) && (second & LENGTH) <= WS_CONTROL_BYTES_MAX;
	default:
		return false;
	}
}

static ssize_t header_read(struct ws_parser *parser, const char *ptr, size_t len,
			   struct frame_header *header)
{
	const unsigned char *bytes = (const unsigned char *)ptr;
	size_t extended;

	if (len < HEADER_BYTES)
		return 0;
	if (!is_start_good(parser, bytes[0], bytes[1]))
		return fail(parser, WS_CLOSE_PROTOCOL);
	extended = length_bytes(bytes[1]);
	if (len < HEADER_BYTES + extended + MASK_BYTES)
		return 0;
	header->opcode = (enum ws_opcode)(bytes[0] & OPCODE);
	header->is_final = (bytes[0] & FIN) != 0;
	header->len = bytes[1] & LENGTH;
	if (extended > 0)
		header->len = load_be(bytes + HEADER_BYTES, extended);
	if ((extended == 2 && header->len < LENGTH_16) ||
	    (extended == 8 && (header->len <= UINT16_MAX || header->len >> 63)))
		return fail(parser, WS_CLOSE_PROTOCOL);
	memcpy(header->mask, bytes + HEADER_BYTES + extended, MASK_BYTES);
	return (ssize_t)(HEADER_BYTES + extended + MASK_BYTES);
}

/* As much of the current data frame's payload as is there. */
static ssize_t data_read(struct ws_parser *parser, char *ptr, size_t len,
			 struct ws_event *event)
{
	size_t used = len < parser->left ? len : (size_t)parser->left;
	uint64_t high = unmask(ptr, used, parser->mask);

	event->opcode = parser->is_text ? WS_TEXT : WS_BINARY;
	event->payload = slice_make(ptr, used);
	parser->left -= used;
	event->is_end = parser->is_final && parser->left == 0;
	if (parser->is_text && (high || parser->utf8_state != UTF8_START))
		parser->utf8_state = utf8_walk(parser->utf8_state, event->payload);
	if (parser->utf8_state == UTF8_BAD ||
	    (event->is_end && parser->utf8_state != UTF8_START))
		return fail(parser, WS_CLOSE_NOT_UTF8);
	if (event->is_end)
		parser->fragments_n = 0;
	return (ssize_t)used;
}

static bool is_close_code(unsigned code)
{
	if (code >= 3000)
		return code <= 4999;
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

static ssize_t control_read(struct ws_parser *parser, char *ptr,
			    const struct frame_header *header, struct ws_event *event)
{
	uint8_t mask[4];

	memcpy(mask, header->mask, sizeof(mask));
	(void)unmask(ptr, header->len, mask); /* only a Close holds text: walked below */
	event->opcode = header->opcode;
	event->payload = slice_make(ptr, header->len);
	if (header->opcode != WS_CLOSE)
		return (ssize_t)header->len;
	event->close_code = WS_CLOSE_NO_STATUS;
	if (header->len == 0)
		return 0;
	if (header->len == 1)
		return fail(parser, WS_CLOSE_PROTOCOL);
	event->close_code = (uint16_t)load_be((const unsigned char *)ptr, 2);
	event->payload = slice_from(event->payload, 2);
	if (!is_close_code(event->close_code))
		return fail(parser, WS_CLOSE_PROTOCOL);
	if (utf8_walk(UTF8_START, event->payload) != UTF8_START)
		return fail(parser, WS_CLOSE_NOT_UTF8);
	return (ssize_t)header->len;
}

static ssize_t data_start(struct ws_parser *parser, const struct frame_header *header)
{
	if (parser->fragments_n == WS_FRAGMENTS_MAX)
		return fail(parser, WS_CLOSE_POLICY);
	if (parser->fragments_n == 0) {
		parser->is_text = header->opcode == WS_TEXT;
		parser->utf8_state = UTF8_START;
	}
	parser->fragments_n++;
	parser->is_final = header->is_final;
	parser->left = header->len;
	memcpy(parser->mask, header->mask, sizeof(parser->mask));
	return OK;
}

ssize_t ws_frame_next(struct ws_parser *parser, char *ptr, size_t len,
		      struct ws_event *event)
{
	struct frame_header header;
	ssize_t head;
	ssize_t body;

	assert(parser && event);
	assert(ptr || len == 0);
	assert(parser->close_code == 0);
	*event = (struct ws_event){ .opcode = WS_CONTINUATION };
	if (len == 0)
		return 0;
	if (parser->left > 0)
		return data_read(parser, ptr, len, event);
	head = header_read(parser, ptr, len, &header);
	if (head <= 0)
		return head;
	if (header.opcode & CONTROL) {
		if (len - (size_t)head < header.len)
			return 0;
		body = control_read(parser, ptr + head, &header, event);
	} else {
		body = data_start(parser, &header);
		if (body == OK)
			body = data_read(parser, ptr + head, len - (size_t)head, event);
	}
	return body < 0 ? body : head + body;
}

size_t ws_frame_header(char out[WS_HEADER_BYTES_MAX], enum ws_opcode opcode, uint64_t len)
{
	size_t extended = len < LENGTH_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

	assert(out);
	assert(!(opcode & CONTROL) || len <= WS_CONTROL_BYTES_MAX);
	out[0] = (char)(FIN | (unsigned)opcode);
	out[1] = (char)(extended == 0	? (uint8_t)len
			: extended == 2 ? LENGTH_16
					: LENGTH_64);
	for (size_t i = 0; i < extended; i++)
		out[2 + i] = (char)(uint8_t)(len >> (8 * (extended - 1 - i)));
	return HEADER_BYTES + extended;
}
