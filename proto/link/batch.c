/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field numbers here repeat link.proto; test_batch.c fails when the two part.
 */
#include "proto/link/batch.h"

#define BATCH_TAG(field, wire_type) (char)(((field) << 3) | (wire_type))

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { FRAME_BATCH = 3 };
enum { BATCH_FIRST_SEQ = 1, BATCH_ACK_SEQ = 2, BATCH_ENVELOPES = 3 };

static void append_varint(struct buf *out, uint64_t value)
{
	while (value >= 0x80) {
		buf_append_byte(out, (char)(value | 0x80));
		value >>= 7;
	}
	buf_append_byte(out, (char)value);
}

static size_t varint_len(uint64_t value)
{
	size_t len = 1;

	while (value >= 0x80) {
		value >>= 7;
		len++;
	}
	return len;
}

void batch_append_record_head(struct buf *out, size_t envelope_len)
{
	buf_append_byte(out, BATCH_TAG(BATCH_ENVELOPES, WIRE_BYTES));
	append_varint(out, envelope_len);
}

/* proto3 leaves out a field that is 0. */
static size_t field_len(uint64_t value)
{
	return value > 0 ? 1 + varint_len(value) : 0;
}

static void append_field(struct buf *out, char tag, uint64_t value)
{
	if (value == 0)
		return;
	buf_append_byte(out, tag);
	append_varint(out, value);
}

void batch_append_frame_head(struct buf *out, uint64_t first_seq, uint64_t ack_seq,
			     size_t records_len)
{
	buf_append_byte(out, BATCH_TAG(FRAME_BATCH, WIRE_BYTES));
	append_varint(out, field_len(first_seq) + field_len(ack_seq) + records_len);
	append_field(out, BATCH_TAG(BATCH_FIRST_SEQ, WIRE_VARINT), first_seq);
	append_field(out, BATCH_TAG(BATCH_ACK_SEQ, WIRE_VARINT), ack_seq);
}
