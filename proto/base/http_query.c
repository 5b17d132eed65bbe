/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-decoding for http_parse.h: query values and path segments. What is decoded
 * lives in the caller's arena with a NUL behind it; a NUL inside is refused, so that no
 * later reader of the text sees less than was checked.
 */
#include <assert.h>

#include "proto/base/http_parse.h"

int http_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" at s[i] stands for; -1 when it is no escape. */
static int escape_value(struct slice s, size_t i)
{
	int high;
	int low;

	if (s.len - i < 3)
		return -1;
	high = http_hex_value(s.ptr[i + 1]);
	low = http_hex_value(s.ptr[i + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static enum err percent_decode(struct slice s, bool is_query, struct arena *arena,
			       struct slice *out)
{
	char *text = arena_alloc(arena, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '%') {
			int value = escape_value(s, i);

			if (value < 0)
				return ERR_MALFORMED;
			c = (char)value;
			i += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		if (c == '\0')
			return ERR_MALFORMED;
		text[n++] = c;
	}
	assert(n <= s.len);
	text[n] = '\0';
	*out = slice_make(text, n);
	return OK;
}

/* Keys are hardly ever escaped, but a proxy or a client library may do so. */
bool http_query_is_key(struct slice sent, struct slice key, struct arena *arena)
{
	struct slice decoded;

	if (slice_find(sent, '%') < 0 && slice_find(sent, '+') < 0)
		return slice_equal_nocase(sent, key);
	return percent_decode(sent, true, arena, &decoded) == OK &&
	       slice_equal_nocase(decoded, key);
}

enum err http_query_find(struct slice query, struct slice key, struct arena *arena,
			 struct slice *value)
{
	assert(key.len > 0);
	assert(arena && value);

	while (query.ptr) {
		struct slice pair = slice_cut(&query, '&');
		struct slice name = slice_cut(&pair, '=');

		if (http_query_is_key(name, key, arena))
			return percent_decode(pair, true, arena, value);
	}
	return ERR_NOT_FOUND;
}

enum err http_path_decode(struct slice path, struct arena *arena, struct slice *out)
{
	assert(arena && out);

	return percent_decode(path, false, arena, out);
}
