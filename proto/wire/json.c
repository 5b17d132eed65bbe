/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner. Inside, functions named *_end take a position and return the one
 * behind what they checked, NULL when it is malformed: plain values stay in registers,
 * which is what makes the scan fast. Strings are stepped over a block at a time.
 */
#include "proto/wire/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "proto/base/text.h"

/* The brackets that are open around a position. */
struct nest {
	uint64_t objects; /* bit 0 tells of the innermost: '{' is 1 */
	int depth;
	int depth_max;
	bool is_too_deep;
};

_Static_assert(JSON_CURSOR_DEPTH_MAX <= 64, "nest.objects has a bit for each level");

static inline const char *space_end(const char *at, const char *end)
{
	/* What machines write has no white space: one test finds that out. */
	while (at < end && (unsigned char)*at <= ' ') {
		if (*at != ' ' && *at != '\t' && *at != '\n' && *at != '\r')
			break;
		at++;
	}
	return at;
}

/* ---- strings */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The code unit of the "\uXXXX" at `at`; UINT32_MAX when it is not one. */
static uint32_t escape_unit(const char *at, const char *end)
{
	uint32_t unit = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return UINT32_MAX;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return UINT32_MAX;
		unit = unit << 4 | (uint32_t)digit;
	}
	return unit;
}

static bool is_high_surrogate(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* The length of the escape at `at`, a surrogate pair being one; 0: malformed. */
static size_t escape_len(const char *at, const char *end)
{
	uint32_t unit;

	if (end - at < 2)
		return 0;
	if (at[1] != 'u')
		return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
	unit = escape_unit(at, end);
	if (unit == UINT32_MAX || is_low_surrogate(unit))
		return 0;
	if (!is_high_surrogate(unit))
		return 6;
	return is_low_surrogate(escape_unit(at + 6, end)) ? 12 : 0;
}

/* A string of any kind, from any place inside it. */
static __attribute__((noinline)) const char *rest_end(const char *at, const char *end,
						      bool *is_escaped)
{
	for (;;) {
		size_t len;

		at = text_plain_end(at, end);
		if (at == end)
			return NULL;
		if (*at == '"')
			return at;
		if (*at == '\\') {
			*is_escaped = true;
			len = escape_len(at, end);
		} else {
			len = text_utf8_len(at, end); /* 0 for a control byte, too */
		}
		if (len == 0)
			return NULL;
		at += len;
	}
}

/*
 * `at` is behind the opening quote; returns the place of the closing one. Most strings
 * are short and plain: those never leave the caller's code.
 */
static inline const char *string_end(const char *at, const char *end, bool *is_escaped)
{
	uint64_t stops;

	if (end - at < TEXT_BLOCK)
		return rest_end(at, end, is_escaped);
	stops = text_block_stops(at);
	if (stops == 0)
		return rest_end(at + TEXT_BLOCK, end, is_escaped);
	at += text_block_first(stops);
	return *at == '"' ? at : rest_end(at, end, is_escaped);
}

static size_t utf8_put(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	assert(code < 0x110000);
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* What a checked escape of `len` bytes stands for. */
static uint32_t escape_code(const char *at, size_t len)
{
	static const char names[] = "bfnrt";
	static const char codes[] = "\b\f\n\r\t";
	const char *name;

	if (len == 2) {
		name = strchr(names, at[1]);
		return (uint32_t)(name ? codes[name - names] : at[1]);
	}
	if (len == 6)
		return escape_unit(at, at + 6);
	assert(len == 12);
	return 0x10000 + ((escape_unit(at, at + 6) & 0x3ff) << 10 |
			  (escape_unit(at + 6, at + 12) & 0x3ff));
}

/* `raw` was checked. The result is shorter: no escape is shorter than its UTF-8. */
static __attribute__((noinline)) struct slice unescape(struct slice raw,
						       struct arena *arena)
{
	const char *at = raw.ptr;
	const char *end = raw.ptr + raw.len;
	char *text = arena_alloc(arena, raw.len);
	size_t n = 0;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		size_t run = (size_t)((escape ? escape : end) - at);
		size_t len;

		memcpy(text + n, at, run);
		n += run;
		at += run;
		if (!escape)
			break;
		len = escape_len(at, end);
		n += utf8_put(text + n, escape_code(at, len));
		at += len;
	}
	assert(n < raw.len);
	return slice_make(text, n);
}

/* ---- values */

static inline const char *digits_end(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at > start ? at : NULL;
}

static const char *number_end(const char *at, const char *end)
{
	if (at < end && *at == '-')
		at++;
	at = at < end && *at == '0' ? at + 1 : digits_end(at, end);
	if (at && at < end && *at == '.')
		at = digits_end(at + 1, end);
	if (at && at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		at = digits_end(at, end);
	}
	return at;
}

static const char *literal_end(const char *at, const char *end, struct slice literal)
{
	if ((size_t)(end - at) < literal.len || memcmp(at, literal.ptr, literal.len) != 0)
		return NULL;
	return at + literal.len;
}

/* `at` is before `end`. */
static inline const char *scalar_end(const char *at, const char *end)
{
	bool is_escaped = false;

	switch (*at) {
	case '"':
		at = string_end(at + 1, end, &is_escaped);
		return at ? at + 1 : NULL;
	case 't':
		return literal_end(at, end, SLICE("true"));
	case 'f':
		return literal_end(at, end, SLICE("false"));
	case 'n':
		return literal_end(at, end, SLICE("null"));
	default:
		return number_end(at, end);
	}
}

/* Over a key and its ':'. */
static inline const char *key_end(const char *at, const char *end)
{
	bool is_escaped = false;

	at = space_end(at, end);
	if (at == end || *at != '"')
		return NULL;
	at = string_end(at + 1, end, &is_escaped);
	if (!at)
		return NULL;
	at = space_end(at + 1, end);
	return at < end && *at == ':' ? at + 1 : NULL;
}

static inline char closing(bool is_object)
{
	if (is_object)
		return '}';
	return ']';
}

/* Over an opening bracket, to where the first value starts; in `{}` and `[]` to the end.
 */
static inline const char *open_end(const char *at, const char *end, struct nest *nest,
				   bool *is_empty)
{
	bool is_object = *at == '{';

	if (nest->depth == nest->depth_max) {
		nest->is_too_deep = true;
		return NULL;
	}
	nest->depth++;
	nest->objects = nest->objects << 1 | is_object;
	at = space_end(at + 1, end);
	*is_empty = at < end && *at == closing(is_object);
	return is_object && !*is_empty ? key_end(at, end) : at;
}

/* From behind a value over all brackets that close there, to where the next value starts.
 */
static inline const char *next_value(const char *at, const char *end, struct nest *nest)
{
	while (nest->depth > 0) {
		bool is_object = nest->objects & 1;

		at = space_end(at, end);
		if (at == end)
			return NULL;
		if (*at == ',')
			return is_object ? key_end(at + 1, end) : at + 1;
		if (*at != closing(is_object))
			return NULL;
		at++;
		nest->depth--;
		nest->objects >>= 1;
	}
	return at;
}

static const char *value_end(const char *at, const char *end, struct nest *nest)
{
	do {
		bool is_empty = false;

		at = space_end(at, end);
		if (at == end)
			return NULL;
		if (*at == '{' || *at == '[') {
			at = open_end(at, end, nest, &is_empty);
			if (!is_empty)
				continue;
		} else {
			at = scalar_end(at, end);
		}
		if (at)
			at = next_value(at, end, nest);
	} while (at && nest->depth > 0);
	return at;
}

/* ---- the cursor */

static inline char peek(struct json_cursor *cursor)
{
	cursor->at = space_end(cursor->at, cursor->end);
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

char json_peek(struct json_cursor *cursor)
{
	return peek(cursor);
}

enum err json_skip(struct json_cursor *cursor, struct slice *raw)
{
	const char *start = space_end(cursor->at, cursor->end);
	struct nest nest = { .depth_max = cursor->depth_max };
	const char *at;

	assert(cursor->depth_max >= 0 && cursor->depth_max <= JSON_CURSOR_DEPTH_MAX);
	at = value_end(start, cursor->end, &nest);
	if (!at)
		return nest.is_too_deep ? ERR_LIMIT : ERR_MALFORMED;
	assert(at > start && at <= cursor->end);
	*raw = slice_make(start, (size_t)(at - start));
	cursor->at = at;
	return OK;
}

static inline enum err read_text(struct json_cursor *cursor, struct arena *arena,
				 struct slice *text)
{
	const char *start = space_end(cursor->at, cursor->end);
	bool is_escaped = false;
	const char *at;

	if (start == cursor->end || *start != '"')
		return ERR_MALFORMED;
	start++;
	at = string_end(start, cursor->end, &is_escaped);
	if (!at)
		return ERR_MALFORMED;
	*text = slice_make(start, (size_t)(at - start));
	if (is_escaped)
		*text = unescape(*text, arena);
	cursor->at = at + 1;
	return OK;
}

enum err json_text(struct json_cursor *cursor, struct arena *arena, struct slice *text)
{
	return read_text(cursor, arena, text);
}

enum err json_open(struct json_cursor *cursor, char bracket)
{
	assert(bracket == '{' || bracket == '[');
	assert(cursor->depth_max >= 0 && cursor->depth_max <= JSON_CURSOR_DEPTH_MAX);
	if (peek(cursor) != bracket)
		return ERR_MALFORMED;
	if (cursor->depth_max == 0)
		return ERR_LIMIT;
	cursor->depth_max--;
	cursor->at++;
	return OK;
}

/* To the next member or element, over its comma. */
static inline enum err next_item(struct json_cursor *cursor, char bracket, bool *is_first,
				 bool *more)
{
	char next = peek(cursor);

	*more = next != bracket;
	if (!*more) {
		cursor->depth_max++;
		cursor->at++;
		return OK;
	}
	if (!*is_first) {
		if (next != ',')
			return ERR_MALFORMED;
		cursor->at++;
	}
	*is_first = false;
	return OK;
}

enum err json_next_member(struct json_cursor *cursor, struct arena *arena, bool *is_first,
			  struct slice *key, bool *more)
{
	enum err rc = next_item(cursor, '}', is_first, more);

	if (rc != OK || !*more)
		return rc;
	rc = read_text(cursor, arena, key);
	if (rc != OK)
		return rc;
	if (peek(cursor) != ':')
		return ERR_MALFORMED;
	cursor->at++;
	return OK;
}

enum err json_next_element(struct json_cursor *cursor, bool *is_first, bool *more)
{
	return next_item(cursor, ']', is_first, more);
}

bool json_is_done(struct json_cursor *cursor)
{
	cursor->at = space_end(cursor->at, cursor->end);
	return cursor->at == cursor->end;
}
