/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field numbers here repeat link.proto; test_batch.c fails when the two part.
 */
#include "proto/link/batch.h"

#include "proto/link/body.h"

#define BATCH_TAG(field, wire_type) (((field) << 3) | (wire_type))
/* Tag and length of a record, then of its body. */
#define RECORD_HEAD_BYTES_MAX (4u * WIRE_VARINT_BYTES_MAX)
/* The first room for envelopes, doubled when it is full: a power of 2. */
#define ENVELOPES_MIN 64u

enum { FRAME_BATCH = 3 };
enum { BATCH_FIRST_SEQ = 1, BATCH_ACK_SEQ = 2, BATCH_ENVELOPES = 3, BATCH_AT_MS = 4 };

/* ---- encoding */

static char *head_put(char *at, uint32_t number, size_t len)
{
	at = wire_put_varint(at, BATCH_TAG(number, WIRE_BYTES));
	return wire_put_varint(at, len);
}

/* By so much a record may be shorter than the room for it. */
static size_t room_excess(const ProtobufCMessage *body)
{
	return RECORD_HEAD_BYTES_MAX + body_len_excess(body);
}

/* The body first, then its heads right before it: how long it is shows when it is there.
 */
enum err batch_record(struct buf *scratch, Link__Envelope__BodyCase body_case,
		      const ProtobufCMessage *body, size_t bytes_max,
		      struct slice *record)
{
	const uint32_t number = (uint32_t)body_case;
	char envelope_head[RECORD_HEAD_BYTES_MAX];
	char record_head[RECORD_HEAD_BYTES_MAX];
	const size_t room = RECORD_HEAD_BYTES_MAX + body_len_max(body);
	size_t envelope_head_len;
	size_t record_head_len;
	char *start;
	size_t len;

	/* What cannot fit gets no room: it may be as long as all members of a group. */
	*record = slice_make(NULL, room);
	if (room > bytes_max && room - bytes_max > room_excess(body))
		return ERR_LIMIT;
	buf_clear(scratch);
	start = buf_reserve(scratch, room) + RECORD_HEAD_BYTES_MAX;
	len = (size_t)(body_encode(body, start) - start);
	envelope_head_len =
		(size_t)(head_put(envelope_head, number, len) - envelope_head);
	len += envelope_head_len;
	record_head_len =
		(size_t)(head_put(record_head, BATCH_ENVELOPES, len) - record_head);
	start -= envelope_head_len;
	memcpy(start, envelope_head, envelope_head_len);
	start -= record_head_len;
	memcpy(start, record_head, record_head_len);
	*record = slice_make(start, record_head_len + len);
	return len <= bytes_max ? OK : ERR_LIMIT;
}

/* proto3 leaves out a field that is 0. */
static size_t field_len(uint64_t value)
{
	return value > 0 ? 1 + wire_varint_len(value) : 0;
}

static char *field_put(char *at, uint32_t number, uint64_t value)
{
	if (value == 0)
		return at;
	at = wire_put_varint(at, BATCH_TAG(number, WIRE_VARINT));
	return wire_put_varint(at, value);
}

size_t batch_frame_head(char head[BATCH_HEAD_BYTES_MAX], uint64_t first_seq,
			uint64_t ack_seq, uint64_t at_ms, size_t records_len)
{
	char *at = head;

	at = head_put(at, FRAME_BATCH,
		      field_len(first_seq) + field_len(ack_seq) + field_len(at_ms) +
			      records_len);
	at = field_put(at, BATCH_FIRST_SEQ, first_seq);
	at = field_put(at, BATCH_ACK_SEQ, ack_seq);
	at = field_put(at, BATCH_AT_MS, at_ms);
	return (size_t)(at - head);
}

/* ---- decoding */

bool batch_is(struct slice frame)
{
	return frame.len > 0 && frame.ptr[0] == (char)BATCH_TAG(FRAME_BATCH, WIRE_BYTES);
}

/* NULL: there is no such body, or is no more. Bodies are in the order of their numbers,
 * of which few are missing. */
static const ProtobufCMessageDescriptor *body_descriptor(uint32_t number)
{
	const ProtobufCMessageDescriptor *envelope = &link__envelope__descriptor;
	size_t n = number < envelope->n_fields ? number : envelope->n_fields;

	while (n > 0 && envelope->fields[n - 1].id > number)
		n--;
	if (n == 0 || envelope->fields[n - 1].id != number)
		return NULL;
	return envelope->fields[n - 1].descriptor;
}

static bool envelope_decode(struct arena *arena, struct slice from,
			    Link__Envelope *envelope)
{
	const ProtobufCMessageDescriptor *descriptor;
	union {
		ProtobufCMessage *decoded;
		Link__Invoke *any; /* the bodies share one pointer */
	} body;
	struct slice bytes;
	enum wire_type type;
	uint32_t number;

	while (from.len > 0) {
		if (!wire_take_tag(&from, &number, &type))
			return false;
		descriptor = body_descriptor(number);
		if (descriptor == NULL) {
			if (!wire_skip(&from, type))
				return false;
			continue;
		}
		if (type != WIRE_BYTES || !wire_take_bytes(&from, &bytes))
			return false;
		body.decoded = body_decode(arena, descriptor, bytes);
		if (body.decoded == NULL)
			return false;
		envelope->body_case = (Link__Envelope__BodyCase)number;
		envelope->invoke = body.any;
	}
	return true;
}

/* Full at ENVELOPES_MIN and at each power of 2 beyond. */
static Link__Envelope *envelope_new(struct arena *arena, Link__Batch *batch)
{
	const size_t n = batch->n_envelopes;
	Link__Envelope *envelope = arena_alloc(arena, sizeof(*envelope));
	Link__Envelope **grown;

	if (n == 0 || (n >= ENVELOPES_MIN && (n & (n - 1)) == 0)) {
		grown = arena_alloc(arena, (n > 0 ? n * 2 : ENVELOPES_MIN) *
						   sizeof(Link__Envelope *));
		if (n > 0)
			memcpy(grown, batch->envelopes, n * sizeof(Link__Envelope *));
		batch->envelopes = grown;
	}
	*envelope = (Link__Envelope)LINK__ENVELOPE__INIT;
	batch->envelopes[batch->n_envelopes++] = envelope;
	return envelope;
}

static bool field_decode(struct arena *arena, struct slice *from, Link__Batch *batch)
{
	struct slice bytes;
	enum wire_type type;
	uint32_t number;

	if (!wire_take_tag(from, &number, &type))
		return false;
	switch (number) {
	case BATCH_FIRST_SEQ:
		return type == WIRE_VARINT && wire_take_varint(from, &batch->first_seq);
	case BATCH_ACK_SEQ:
		return type == WIRE_VARINT && wire_take_varint(from, &batch->ack_seq);
	case BATCH_AT_MS:
		return type == WIRE_VARINT && wire_take_varint(from, &batch->at_ms);
	case BATCH_ENVELOPES:
		return type == WIRE_BYTES && wire_take_bytes(from, &bytes) &&
		       envelope_decode(arena, bytes, envelope_new(arena, batch));
	default:
		return wire_skip(from, type);
	}
}

bool batch_decode(struct arena *arena, struct slice frame, Link__Batch *batch)
{
	struct slice from;
	enum wire_type type;
	uint32_t number;

	*batch = (Link__Batch)LINK__BATCH__INIT;
	if (!wire_take_tag(&frame, &number, &type) || number != FRAME_BATCH ||
	    type != WIRE_BYTES || !wire_take_bytes(&frame, &from) || frame.len > 0)
		return false;
	while (from.len > 0) {
		if (!field_decode(arena, &from, batch))
			return false;
	}
	return true;
}
