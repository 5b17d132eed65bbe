/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked coding for http_parse.h, a byte machine around runs of content. Sizes are
 * checked against the body's limit as soon as they are read, extensions are skipped but
 * their bytes judged (a bare LF in one is a known smuggling trick), trailers are refused.
 */
#include <assert.h>

#include "proto/base/http_parse.h"

enum chunk_state {
	CHUNK_SIZE_FIRST, /* a digit must come: all-zero state starts here */
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_END_CR, /* behind the last chunk, where trailers would stand */
	CHUNK_END_LF,
	CHUNK_DONE
};

static enum err on_size(struct http_chunked *chunked, char c, uint64_t room)
{
	int digit = http_hex_value(c);

	if (digit < 0) {
		if (chunked->state == CHUNK_SIZE_FIRST || (c != '\r' && c != ';'))
			return ERR_MALFORMED;
		chunked->state = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
		return OK;
	}
	/* `left` never exceeds `room`, so it cannot overflow while room < 2^59. */
	chunked->left = chunked->left * 16 + (uint64_t)digit;
	chunked->state = CHUNK_SIZE;
	return chunked->left > room ? ERR_LIMIT : OK;
}

static enum err on_extension(struct http_chunked *chunked, char c)
{
	if (c == '\r')
		chunked->state = CHUNK_SIZE_LF;
	else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
		return ERR_MALFORMED;
	return OK;
}

static enum err on_fixed(struct http_chunked *chunked, char c, char expected, int next)
{
	chunked->state = next;
	return c == expected ? OK : ERR_MALFORMED;
}

static enum err on_byte(struct http_chunked *chunked, char c, uint64_t room)
{
	enum err rc;

	switch (chunked->state) {
	case CHUNK_SIZE_FIRST:
	case CHUNK_SIZE:
	case CHUNK_EXTENSION:
		if (++chunked->line_len > HTTP_CHUNK_LINE_MAX)
			return ERR_MALFORMED;
		return chunked->state == CHUNK_EXTENSION ? on_extension(chunked, c)
							 : on_size(chunked, c, room);
	case CHUNK_SIZE_LF:
		rc = on_fixed(chunked, c, '\n',
			      chunked->left ? CHUNK_DATA : CHUNK_END_CR);
		chunked->line_len = 0;
		return rc;
	case CHUNK_DATA_CR:
		return on_fixed(chunked, c, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		return on_fixed(chunked, c, '\n', CHUNK_SIZE_FIRST);
	case CHUNK_END_CR:
		return on_fixed(chunked, c, '\r', CHUNK_END_LF);
	default:
		assert(chunked->state == CHUNK_END_LF);
		return on_fixed(chunked, c, '\n', CHUNK_DONE);
	}
}

ssize_t http_chunked_decode(struct http_chunked *state, const char *ptr, size_t len,
			    uint64_t body_max, struct buf *body, bool *is_done)
{
	size_t at = 0;

	assert(ptr || len == 0);
	assert(body_max < UINT64_C(1) << 59);
	assert(body->len <= body_max);

	while (at < len && state->state != CHUNK_DONE) {
		enum err rc;

		if (state->state == CHUNK_DATA) {
			size_t n =
				len - at < state->left ? len - at : (size_t)state->left;

			buf_append(body, ptr + at, n);
			at += n;
			state->left -= n;
			if (state->left == 0)
				state->state = CHUNK_DATA_CR;
			continue;
		}
		rc = on_byte(state, ptr[at++], body_max - body->len);
		if (rc != OK)
			return rc;
	}
	*is_done = state->state == CHUNK_DONE;
	return (ssize_t)at;
}
