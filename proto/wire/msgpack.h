/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MessagePack scanner and writer under the hub protocol. Reading steps over values
 * without building them: no recursion, no allocation, strings checked to be UTF-8, and no
 * declared length or count believed that the bytes at hand cannot hold. Pure.
 */
#ifndef PROTO_WIRE_MSGPACK_H
#define PROTO_WIRE_MSGPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

#define MSGPACK_DEPTH_MAX 32

/* The extension type of a timestamp. */
#define MSGPACK_EXT_TIMESTAMP (-1)

struct msgpack_cursor {
	const char *at;
	const char *end;
};

enum msgpack_type {
	MSGPACK_NIL,
	MSGPACK_BOOL,
	MSGPACK_INT,
	MSGPACK_UINT, /* beyond int64 */
	MSGPACK_DOUBLE,
	MSGPACK_STR,
	MSGPACK_BIN,
	MSGPACK_EXT,
	MSGPACK_ARRAY,
	MSGPACK_MAP,
};

struct msgpack_token {
	enum msgpack_type type;
	int8_t ext; /* EXT: its type */
	union {
		bool boolean;
		int64_t integer;
		uint64_t wide;
		double real;
		struct slice bytes; /* STR, BIN, EXT: of the input */
		uint32_t count; /* ARRAY: elements, MAP: pairs, all still to be read */
	};
};

struct msgpack_cursor msgpack_cursor(struct slice bytes);

/*
 * Reads one value, or the head of an array or map. ERR_MALFORMED, also when the bytes end
 * too early: a count is not above what is left.
 */
MUST_CHECK enum err msgpack_read(struct msgpack_cursor *cursor,
				 struct msgpack_token *token);

/*
 * Steps over any value, whole; `*raw` is its exact bytes. ERR_MALFORMED; ERR_LIMIT when
 * it nests deeper than `depth_max`, which is at most MSGPACK_DEPTH_MAX.
 */
MUST_CHECK enum err msgpack_skip(struct msgpack_cursor *cursor, size_t depth_max,
				 struct slice *raw);

/* Of 1, 2, 4 or 8 bytes, which are there. */
uint64_t msgpack_big_endian(const char *at, size_t len);

/* ---- writing: each appends the shortest form; a double is always 64 bits */

void msgpack_write_nil(struct buf *out);
void msgpack_write_bool(struct buf *out, bool boolean);
void msgpack_write_int(struct buf *out, int64_t integer);
void msgpack_write_double(struct buf *out, double real);
/* Bytes that are not UTF-8 become U+FFFD. */
void msgpack_write_str(struct buf *out, struct slice text);
void msgpack_write_bin(struct buf *out, struct slice bytes);
/* Only the head: so many elements, or pairs, follow. */
void msgpack_write_array(struct buf *out, size_t count);
void msgpack_write_map(struct buf *out, size_t count);

#endif
