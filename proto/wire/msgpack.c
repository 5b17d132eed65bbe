/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte of a value says its type and how wide the number behind it is: a value,
 * a length or a count, all big-endian. The widths of one type follow each other, so the
 * byte's distance from the first of them is the width's logarithm.
 */
#include "proto/wire/msgpack.h"

#include <assert.h>
#include <string.h>

#include "proto/base/text.h"

#define HEAD_MAP 0x80
#define HEAD_ARRAY 0x90
#define HEAD_STR 0xa0
#define HEAD_NIL 0xc0
#define HEAD_FALSE 0xc2
#define HEAD_TRUE 0xc3
#define HEAD_BIN_8 0xc4
#define HEAD_BIN_32 0xc6
#define HEAD_EXT_8 0xc7
#define HEAD_EXT_32 0xc9
#define HEAD_FLOAT_32 0xca
#define HEAD_FLOAT_64 0xcb
#define HEAD_UINT_8 0xcc
#define HEAD_UINT_64 0xcf
#define HEAD_INT_8 0xd0
#define HEAD_INT_64 0xd3
#define HEAD_FIXEXT_1 0xd4
#define HEAD_FIXEXT_16 0xd8
#define HEAD_STR_8 0xd9
#define HEAD_STR_32 0xdb
#define HEAD_ARRAY_16 0xdc
#define HEAD_ARRAY_32 0xdd
#define HEAD_MAP_16 0xde
#define HEAD_NEGATIVE 0xe0

/* What fits into the first byte itself. */
#define FIX_INT_MAX 0x7f
#define FIX_INT_MIN (-32)
#define FIX_COUNT_MAX 0x0f
#define FIX_STR_MAX 0x1f

struct msgpack_cursor msgpack_cursor(struct slice bytes)
{
	return (struct msgpack_cursor){ bytes.ptr, bytes.len > 0 ? bytes.ptr + bytes.len
								 : bytes.ptr };
}

/* ---- reading */

static size_t bytes_left(const struct msgpack_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

uint64_t msgpack_big_endian(const char *at, size_t len)
{
	uint64_t number = 0;

	assert(len == 1 || len == 2 || len == 4 || len == 8);
	for (size_t i = 0; i < len; i++)
		number = number << 8 | (unsigned char)at[i];
	return number;
}

static enum err read_number(struct msgpack_cursor *cursor, size_t width, uint64_t *number)
{
	if (bytes_left(cursor) < width)
		return ERR_MALFORMED;
	*number = msgpack_big_endian(cursor->at, width);
	cursor->at += width;
	return OK;
}

static enum err read_bytes(struct msgpack_cursor *cursor, uint64_t len,
			   struct slice *bytes)
{
	if (bytes_left(cursor) < len)
		return ERR_MALFORMED;
	*bytes = slice_make(cursor->at, (size_t)len);
	cursor->at += len;
	return OK;
}

static bool is_utf8(struct slice text)
{
	const char *at = text.ptr;
	const char *end = text.ptr + text.len;

	while (at < end) {
		size_t len = 1;

		at = text_plain_end(at, end);
		if (at == end)
			break;
		if ((unsigned char)*at >= 0x80)
			len = text_utf8_len(at, end);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

static enum err read_str(struct msgpack_cursor *cursor, uint64_t len,
			 struct msgpack_token *token)
{
	enum err rc = read_bytes(cursor, len, &token->bytes);

	token->type = MSGPACK_STR;
	if (rc == OK && !is_utf8(token->bytes))
		return ERR_MALFORMED;
	return rc;
}

static enum err read_ext(struct msgpack_cursor *cursor, uint64_t len,
			 struct msgpack_token *token)
{
	uint64_t type = 0;
	enum err rc = read_number(cursor, 1, &type);

	token->type = MSGPACK_EXT;
	token->ext = (int8_t)(uint8_t)type;
	return rc == OK ? read_bytes(cursor, len, &token->bytes) : rc;
}

/* Each child takes a byte or more: a count above what is left is a lie. */
static enum err read_container(const struct msgpack_cursor *cursor,
			       enum msgpack_type type, uint64_t count,
			       struct msgpack_token *token)
{
	const uint64_t children = type == MSGPACK_MAP ? 2 * count : count;

	if (children > bytes_left(cursor))
		return ERR_MALFORMED;
	token->type = type;
	token->count = (uint32_t)count;
	return OK;
}

static enum err read_uint(struct msgpack_cursor *cursor, size_t width,
			  struct msgpack_token *token)
{
	uint64_t number;
	enum err rc = read_number(cursor, width, &number);

	if (rc != OK)
		return rc;
	if (number > INT64_MAX) {
		token->type = MSGPACK_UINT;
		token->wide = number;
	} else {
		token->type = MSGPACK_INT;
		token->integer = (int64_t)number;
	}
	return OK;
}

static enum err read_int(struct msgpack_cursor *cursor, size_t width,
			 struct msgpack_token *token)
{
	const size_t unused = 64 - 8 * width;
	uint64_t number;
	enum err rc = read_number(cursor, width, &number);

	if (rc != OK)
		return rc;
	token->type = MSGPACK_INT;
	token->integer = (int64_t)(number << unused) >> unused;
	return OK;
}

static enum err read_float(struct msgpack_cursor *cursor, size_t width,
			   struct msgpack_token *token)
{
	uint64_t number;
	uint32_t half;
	float single;
	enum err rc = read_number(cursor, width, &number);

	if (rc != OK)
		return rc;
	token->type = MSGPACK_DOUBLE;
	if (width == sizeof(number)) {
		memcpy(&token->real, &number, sizeof(number));
		return OK;
	}
	half = (uint32_t)number;
	memcpy(&single, &half, sizeof(half));
	token->real = (double)single;
	return OK;
}

/* Heads with a number behind them. */
static enum err read_wide(struct msgpack_cursor *cursor, unsigned head,
			  struct msgpack_token *token)
{
	uint64_t len;
	enum err rc;

	if (head <= HEAD_BIN_32) {
		rc = read_number(cursor, (size_t)1 << (head - HEAD_BIN_8), &len);
		token->type = MSGPACK_BIN;
		return rc == OK ? read_bytes(cursor, len, &token->bytes) : rc;
	}
	if (head <= HEAD_EXT_32) {
		rc = read_number(cursor, (size_t)1 << (head - HEAD_EXT_8), &len);
		return rc == OK ? read_ext(cursor, len, token) : rc;
	}
	if (head <= HEAD_FLOAT_64)
		return read_float(cursor, (size_t)4 << (head - HEAD_FLOAT_32), token);
	if (head <= HEAD_UINT_64)
		return read_uint(cursor, (size_t)1 << (head - HEAD_UINT_8), token);
	if (head <= HEAD_INT_64)
		return read_int(cursor, (size_t)1 << (head - HEAD_INT_8), token);
	if (head <= HEAD_FIXEXT_16)
		return read_ext(cursor, (uint64_t)1 << (head - HEAD_FIXEXT_1), token);
	if (head <= HEAD_STR_32) {
		rc = read_number(cursor, (size_t)1 << (head - HEAD_STR_8), &len);
		return rc == OK ? read_str(cursor, len, token) : rc;
	}
	if (head <= HEAD_ARRAY_32) {
		rc = read_number(cursor, (size_t)2 << (head - HEAD_ARRAY_16), &len);
		return rc == OK ? read_container(cursor, MSGPACK_ARRAY, len, token) : rc;
	}
	rc = read_number(cursor, (size_t)2 << (head - HEAD_MAP_16), &len);
	return rc == OK ? read_container(cursor, MSGPACK_MAP, len, token) : rc;
}

static void set_int(struct msgpack_token *token, int64_t integer)
{
	token->type = MSGPACK_INT;
	token->integer = integer;
}

enum err msgpack_read(struct msgpack_cursor *cursor, struct msgpack_token *token)
{
	unsigned head;

	if (cursor->at == cursor->end)
		return ERR_MALFORMED;
	head = (unsigned char)*cursor->at++;
	if (head <= FIX_INT_MAX) {
		set_int(token, (int64_t)head);
	} else if (head < HEAD_ARRAY) {
		return read_container(cursor, MSGPACK_MAP, head - HEAD_MAP, token);
	} else if (head < HEAD_STR) {
		return read_container(cursor, MSGPACK_ARRAY, head - HEAD_ARRAY, token);
	} else if (head < HEAD_NIL) {
		return read_str(cursor, head - HEAD_STR, token);
	} else if (head >= HEAD_NEGATIVE) {
		set_int(token, (int64_t)head - 0x100);
	} else if (head >= HEAD_BIN_8) {
		return read_wide(cursor, head, token);
	} else if (head == HEAD_NIL) {
		token->type = MSGPACK_NIL;
	} else if (head == HEAD_FALSE || head == HEAD_TRUE) {
		token->type = MSGPACK_BOOL;
		token->boolean = head == HEAD_TRUE;
	} else {
		return ERR_MALFORMED; /* 0xc1 is never used */
	}
	return OK;
}

enum err msgpack_skip(struct msgpack_cursor *cursor, size_t depth_max, struct slice *raw)
{
	const char *start = cursor->at;
	uint64_t left[MSGPACK_DEPTH_MAX]; /* children to come, of each open container */
	size_t depth = 0;

	assert(depth_max <= MSGPACK_DEPTH_MAX);
	do {
		struct msgpack_token token;
		enum err rc = msgpack_read(cursor, &token);

		if (rc != OK)
			return rc;
		if (token.type == MSGPACK_ARRAY || token.type == MSGPACK_MAP) {
			if (depth == depth_max)
				return ERR_LIMIT;
			left[depth] = token.count;
			if (token.type == MSGPACK_MAP)
				left[depth] *= 2;
			depth++;
		} else if (depth > 0) {
			left[depth - 1]--;
		}
		while (depth > 0 && left[depth - 1] == 0) {
			depth--;
			if (depth > 0)
				left[depth - 1]--;
		}
	} while (depth > 0);
	*raw = slice_make(start, (size_t)(cursor->at - start));
	return OK;
}

/* ---- writing */

static void write_head(struct buf *out, unsigned head, uint64_t number, size_t width)
{
	char *at = buf_reserve(out, 1 + width);

	*at++ = (char)head;
	for (size_t i = width; i > 0; i--)
		*at++ = (char)(number >> (8 * (i - 1)));
	out->len += 1 + width;
}

/* The shortest of the widths from 1 << `log` up; `head` is the one of the first. */
static void write_sized(struct buf *out, unsigned head, unsigned log, uint64_t number)
{
	while (log < 3 && number >> (8U << log) != 0) {
		head++;
		log++;
	}
	write_head(out, head, number, (size_t)1 << log);
}

void msgpack_write_nil(struct buf *out)
{
	buf_append_byte(out, (char)HEAD_NIL);
}

void msgpack_write_bool(struct buf *out, bool boolean)
{
	buf_append_byte(out, (char)(boolean ? HEAD_TRUE : HEAD_FALSE));
}

void msgpack_write_int(struct buf *out, int64_t integer)
{
	if (integer >= FIX_INT_MIN && integer <= FIX_INT_MAX)
		buf_append_byte(out, (char)integer);
	else if (integer >= 0)
		write_sized(out, HEAD_UINT_8, 0, (uint64_t)integer);
	else if (integer >= INT8_MIN)
		write_head(out, HEAD_INT_8, (uint64_t)integer, 1);
	else if (integer >= INT16_MIN)
		write_head(out, HEAD_INT_8 + 1, (uint64_t)integer, 2);
	else if (integer >= INT32_MIN)
		write_head(out, HEAD_INT_8 + 2, (uint64_t)integer, 4);
	else
		write_head(out, HEAD_INT_64, (uint64_t)integer, 8);
}

void msgpack_write_double(struct buf *out, double real)
{
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	write_head(out, HEAD_FLOAT_64, bits, sizeof(bits));
}

static void write_text(struct buf *out, struct slice text)
{
	assert(text.len <= UINT32_MAX);
	if (text.len <= FIX_STR_MAX)
		buf_append_byte(out, (char)(HEAD_STR + text.len));
	else
		write_sized(out, HEAD_STR_8, 0, text.len);
	buf_append_slice(out, text);
}

static void append_repaired(struct buf *out, struct slice text)
{
	const char *end = text.ptr + text.len;

	for (const char *at = text.ptr; at < end;) {
		size_t len = (unsigned char)*at < 0x80 ? 1 : text_utf8_len(at, end);

		if (len > 0)
			buf_append(out, at, len);
		else
			buf_append_str(out, "\xef\xbf\xbd");
		at += len > 0 ? len : 1;
	}
}

void msgpack_write_str(struct buf *out, struct slice text)
{
	struct buf repaired = BUF_INIT;

	if (text.len == 0 || is_utf8(text)) {
		write_text(out, text);
		return;
	}
	append_repaired(&repaired, text);
	write_text(out, buf_slice(&repaired));
	buf_fini(&repaired);
}

void msgpack_write_bin(struct buf *out, struct slice bytes)
{
	assert(bytes.len <= UINT32_MAX);
	write_sized(out, HEAD_BIN_8, 0, bytes.len);
	buf_append_slice(out, bytes);
}

void msgpack_write_array(struct buf *out, size_t count)
{
	assert(count <= UINT32_MAX);
	if (count <= FIX_COUNT_MAX)
		buf_append_byte(out, (char)(HEAD_ARRAY + count));
	else
		write_sized(out, HEAD_ARRAY_16, 1, count);
}

void msgpack_write_map(struct buf *out, size_t count)
{
	assert(count <= UINT32_MAX);
	if (count <= FIX_COUNT_MAX)
		buf_append_byte(out, (char)(HEAD_MAP + count));
	else
		write_sized(out, HEAD_MAP_16, 1, count);
}
