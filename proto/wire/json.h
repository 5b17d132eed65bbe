/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner under the hub protocol: steps over values without building them.
 * Strict RFC 8259 with UTF-8 checked; no recursion, depth bounded by the caller. A string
 * with half a surrogate pair is refused, "\u0000" is not. Pure. json_write.h, which comes
 * with it, writes strings.
 */
#ifndef PROTO_WIRE_JSON_H
#define PROTO_WIRE_JSON_H

#include <stdbool.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/json_write.h"
#include "proto/base/slice.h"

#define JSON_CURSOR_DEPTH_MAX 64

struct json_cursor {
	const char *at;
	const char *end;
	int depth_max; /* levels that may still be opened, at most JSON_CURSOR_DEPTH_MAX
			*/
};

/* All of these return OK or ERR_MALFORMED (ERR_LIMIT: too deep) and leave `at` behind
 * what they read. White space before it is skipped. */

/* The first byte of what comes next, white space skipped; '\0' at the end. Reads nothing.
 */
char json_peek(struct json_cursor *cursor);

/* Any value, whole; `*raw` is its exact text. */
MUST_CHECK enum err json_skip(struct json_cursor *cursor, struct slice *raw);

/* A string, decoded: a slice of the input when it has no escape, else of the arena. */
MUST_CHECK enum err json_text(struct json_cursor *cursor, struct arena *arena,
			      struct slice *text);

/* The next member of an object or element of an array whose '{' or '[' json_open() read,
 * with *is_first true before the first call. *more is false at the closing bracket, which
 * is read. For objects the key is decoded and ':' read. The caller reads the value. */
MUST_CHECK enum err json_open(struct json_cursor *cursor, char bracket);
MUST_CHECK enum err json_next_member(struct json_cursor *cursor, struct arena *arena,
				     bool *is_first, struct slice *key, bool *more);
MUST_CHECK enum err json_next_element(struct json_cursor *cursor, bool *is_first,
				      bool *more);

/* Only white space is left. */
bool json_is_done(struct json_cursor *cursor);

#endif
