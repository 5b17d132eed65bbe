/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value as hubs see it, whatever protocol it came in or leaves by: nil, bool, int,
 * double, string, binary, array, map with string keys. Everything lives in one arena.
 * Decoding JSON goes through jansson behind our own depth and size checks; encoding, and
 * MessagePack in both directions, is ours.
 */
#ifndef PROTO_WIRE_VALUE_H
#define PROTO_WIRE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

enum value_type {
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_DOUBLE,
	VALUE_STRING,
	VALUE_BINARY,
	VALUE_RAW, /* JSON text that passes through unread */
	VALUE_ARRAY,
	VALUE_MAP,
};

struct value {
	enum value_type type;
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct slice bytes; /* STRING (UTF-8), BINARY, RAW */
		size_t count;	    /* ARRAY, MAP */
	};
	struct slice key;    /* set on a map's members */
	struct value *first; /* ARRAY, MAP: children in order */
	struct value *last;
	struct value *next; /* sibling */
};

#define VALUE_DEPTH_MAX 64
#define VALUE_NODES_MAX 65536

/* ---- making: strings are borrowed, not copied */

struct value *value_nil(struct arena *arena);
struct value *value_bool(struct arena *arena, bool boolean);
struct value *value_int(struct arena *arena, int64_t integer);
struct value *value_double(struct arena *arena, double real);
struct value *value_string(struct arena *arena, struct slice text);
struct value *value_binary(struct arena *arena, struct slice bytes);
struct value *value_raw(struct arena *arena, struct slice json);
struct value *value_array(struct arena *arena);
struct value *value_map(struct arena *arena);

/* Puts `item` last; it must not be in another container. */
void value_add(struct value *array, struct value *item);
/* Puts the member last without looking for an equal key. */
void value_set(struct value *map, struct slice key, struct value *item);

/* ---- reading; NULL when absent or of another type */

const struct value *value_at(const struct value *array, size_t index);
/* The last member of that name. */
const struct value *value_find(const struct value *map, struct slice key);

/* ---- JSON */

/* An integer beyond int64 becomes a double. Of equal keys the last one counts.
 * ERR_MALFORMED, also for a NUL in a key; ERR_LIMIT (depth, nodes, a number beyond
 * double). */
MUST_CHECK enum err value_decode_json(struct slice text, struct arena *arena,
				      struct value **value);

/* Appends compact JSON. BINARY is base64; a double that is not finite is null, one
 * without a fraction is written without one. No deeper than twice VALUE_DEPTH_MAX. */
void value_encode_json(struct buf *out, const struct value *value);

/* ---- MessagePack */

/*
 * An unsigned integer beyond int64 becomes a double, a timestamp (extension -1) STRING:
 * ISO 8601 in UTC, with as many digits of a second as are needed. Keys are strings, or
 * integers, which become their decimal text; of equal keys the last one is found.
 * ERR_MALFORMED, also for a string that is not UTF-8, another key, a NUL in a key and
 * another extension; ERR_LIMIT (MSGPACK_DEPTH_MAX levels, nodes, a year that has not four
 * digits).
 */
MUST_CHECK enum err value_decode_msgpack(struct slice bytes, struct arena *arena,
					 struct value **value);

/* Appends the shortest forms; DOUBLE is always 64 bits, RAW what its text says, or nil
 * when value_decode_json() refuses it. No deeper than twice VALUE_DEPTH_MAX. */
void value_encode_msgpack(struct buf *out, const struct value *value);

#endif
