/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of link.proto to bytes and back, by protobuf-c's generated descriptors but
 * not by its code, which walks all bodies an Envelope may have for each one it has, and
 * copies every field. What stands on the wire is exactly what protobuf would write;
 * test_body.c holds both against each other for every message there is.
 *
 * A body is a message of the Envelope's `body`; what it nests has only plain fields.
 */
#ifndef PROTO_LINK_BODY_H
#define PROTO_LINK_BODY_H

#include <stdbool.h>

#include "proto/base/arena.h"
#include "proto/base/slice.h"
#include "proto/link/link.pb-c.h"

/* As many bytes as body_encode() may write, or more: cheaper to know than how many. */
size_t body_len_max(const ProtobufCMessage *body);

/* By how many it may be more. */
size_t body_len_excess(const ProtobufCMessage *body);

/* Writes it to `at`, where there is room; returns what is behind it. */
char *body_encode(const ProtobufCMessage *body, char *at);

/*
 * A message in `arena`, its bytes still in `from`; NULL when malformed. A field that is
 * not in link.proto is passed over; of one that must not come twice the last one counts.
 */
ProtobufCMessage *body_decode(struct arena *arena,
			      const ProtobufCMessageDescriptor *descriptor,
			      struct slice from);

/* ---- what stands between fields; batch.c writes and reads with it, too */

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define WIRE_VARINT_BYTES_MAX 10u

static inline size_t wire_varint_len(uint64_t value)
{
	/* A bit more than there are, so that 0 takes a byte, too. */
	return (size_t)(70 - __builtin_clzll(value | 1)) / 7;
}

static inline char *wire_put_varint(char *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (char)(uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (char)(uint8_t)value;
	return at;
}

bool wire_take_varint_long(struct slice *from, uint64_t *value);

/* Off the front of `*from`; false when there is none. Nearly all tags and most lengths
 * are one byte. */
static inline bool wire_take_varint(struct slice *from, uint64_t *value)
{
	if (from->len == 0 || (uint8_t)*from->ptr >= 0x80)
		return wire_take_varint_long(from, value);
	*value = (uint8_t)*from->ptr++;
	from->len--;
	return true;
}

/* A field's number and type. */
static inline bool wire_take_tag(struct slice *from, uint32_t *number,
				 enum wire_type *type)
{
	uint64_t tag;

	if (!wire_take_varint(from, &tag) || tag > UINT32_MAX)
		return false;
	*number = (uint32_t)tag >> 3;
	*type = (enum wire_type)(tag & 7); /* any number may come */
	return *number != 0;
}

/* A length and so many bytes. */
static inline bool wire_take_bytes(struct slice *from, struct slice *bytes)
{
	uint64_t len;

	if (!wire_take_varint(from, &len) || len > from->len)
		return false;
	*bytes = slice_make(from->ptr, (size_t)len);
	from->ptr += len;
	from->len -= (size_t)len;
	return true;
}

/* The value of a field that nobody knows. */
bool wire_skip(struct slice *from, enum wire_type type);

#endif
