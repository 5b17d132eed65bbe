/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over a message's fields writes it, behind one that finds room for it; one
 * reads it. They know the types that link.proto uses; test_body.c fails when it begins to
 * use others.
 */
#include "proto/link/body.h"

#include <assert.h>
#include <string.h>

/* A message within a body is the deepest there is. */
#define BODY_DEPTH 2u
/* The first room for a repeated field, doubled when it is full: a power of 2. */
#define BODY_REPEATED_MIN 4u

static const void *member_of(const ProtobufCMessage *message, unsigned offset)
{
	return (const char *)message + offset;
}

/* How many times a field is there: proto3 leaves out what has its type's zero. */
static size_t field_count(const ProtobufCMessage *message,
			  const ProtobufCFieldDescriptor *field)
{
	return *(const size_t *)member_of(message, field->quantifier_offset);
}

/* ---- numbers */

/* What stands for a number on the wire; negative ones are sign-extended. */
static uint64_t number_get(const ProtobufCFieldDescriptor *field, const void *member)
{
	switch ((int)field->type) { /* others do not occur: test_body.c */
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member != 0;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		return (uint64_t)(int64_t) * (const int32_t *)member;
	case PROTOBUF_C_TYPE_UINT32:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static void number_set(const ProtobufCFieldDescriptor *field, void *member,
		       uint64_t value)
{
	switch ((int)field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)member = value != 0;
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)member = (uint32_t)value;
		break;
	default:
		*(uint64_t *)member = value;
	}
}

/* ---- encoding */

static size_t tag_len(const ProtobufCFieldDescriptor *field)
{
	return wire_varint_len((uint64_t)field->id << 3);
}

static size_t bytes_len(const ProtobufCFieldDescriptor *field, size_t len)
{
	return tag_len(field) + wire_varint_len(len) + len;
}

static size_t number_len(const ProtobufCFieldDescriptor *field, const void *member)
{
	const uint64_t value = number_get(field, member);

	if (value == 0)
		return 0;
	return tag_len(field) + (field->type == PROTOBUF_C_TYPE_FIXED64
					 ? sizeof(value)
					 : wire_varint_len(value));
}

static size_t repeated_len(const ProtobufCFieldDescriptor *field, const void *member,
			   size_t n)
{
	const ProtobufCBinaryData *items = *(ProtobufCBinaryData *const *)member;
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += bytes_len(field, items[i].len);
	return len;
}

/* Of a field that is no message. */
static size_t plain_len(const ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field)
{
	const void *member = member_of(message, field->offset);

	if (field->type != PROTOBUF_C_TYPE_BYTES)
		return number_len(field, member);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return repeated_len(field, member, field_count(message, field));
	const size_t len = ((const ProtobufCBinaryData *)member)->len;

	return len > 0 ? bytes_len(field, len) : 0;
}

static size_t nested_len(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	size_t len = 0;

	for (unsigned i = 0; i < descriptor->n_fields; i++)
		len += plain_len(message, &descriptor->fields[i]);
	return len;
}

/* The messages of a field: the one at `member`, if there is one, or the list there. */
static ProtobufCMessage *const *nested_of(const ProtobufCMessage *message,
					  const ProtobufCFieldDescriptor *field,
					  size_t *n)
{
	const void *member = member_of(message, field->offset);

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		*n = field_count(message, field);
		return *(ProtobufCMessage *const *const *)member;
	}
	*n = *(ProtobufCMessage *const *)member != NULL;
	return member;
}

/* Of a tag and a number, or a tag and a length. */
#define FIELD_BYTES_MAX (2u * WIRE_VARINT_BYTES_MAX)

static size_t list_len_max(const ProtobufCMessage *body,
			   const ProtobufCFieldDescriptor *field)
{
	size_t len = 0;
	size_t n;

	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return repeated_len(field, member_of(body, field->offset),
				    field_count(body, field));
	ProtobufCMessage *const *nested = nested_of(body, field, &n);

	for (size_t i = 0; i < n; i++)
		len += bytes_len(field, nested_len(nested[i]));
	return len;
}

size_t body_len_excess(const ProtobufCMessage *body)
{
	return body->descriptor->n_fields * FIELD_BYTES_MAX;
}

size_t body_len_max(const ProtobufCMessage *body)
{
	const ProtobufCMessageDescriptor *descriptor = body->descriptor;
	const ProtobufCFieldDescriptor *field = descriptor->fields;
	size_t len = body_len_excess(body);

	for (unsigned i = 0; i < descriptor->n_fields; i++, field++) {
		if (field->label == PROTOBUF_C_LABEL_REPEATED ||
		    field->type == PROTOBUF_C_TYPE_MESSAGE)
			len += list_len_max(body, field);
		else if (field->type == PROTOBUF_C_TYPE_BYTES)
			len += ((const ProtobufCBinaryData *)member_of(body,
								       field->offset))
				       ->len;
	}
	return len;
}

static char *tag_put(char *at, const ProtobufCFieldDescriptor *field, enum wire_type type)
{
	return wire_put_varint(at, (uint64_t)field->id << 3 | type);
}

static char *bytes_put(char *at, const ProtobufCFieldDescriptor *field,
		       ProtobufCBinaryData bytes)
{
	at = tag_put(at, field, WIRE_BYTES);
	at = wire_put_varint(at, bytes.len);
	if (bytes.len > 0)
		memcpy(at, bytes.data, bytes.len);
	return at + bytes.len;
}

static char *number_put(char *at, const ProtobufCFieldDescriptor *field,
			const void *member)
{
	const uint64_t value = number_get(field, member);

	if (value == 0)
		return at;
	if (field->type != PROTOBUF_C_TYPE_FIXED64)
		return wire_put_varint(tag_put(at, field, WIRE_VARINT), value);
	at = tag_put(at, field, WIRE_FIXED64);
	for (unsigned i = 0; i < sizeof(value); i++)
		*at++ = (char)(uint8_t)(value >> 8 * i);
	return at;
}

static char *plain_put(char *at, const ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field)
{
	const void *member = member_of(message, field->offset);
	const ProtobufCBinaryData *bytes = member;
	size_t n = 1;

	if (field->type != PROTOBUF_C_TYPE_BYTES)
		return number_put(at, field, member);
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		bytes = *(ProtobufCBinaryData *const *)member;
		n = field_count(message, field);
	} else if (bytes->len == 0) {
		return at;
	}
	for (size_t i = 0; i < n; i++)
		at = bytes_put(at, field, bytes[i]);
	return at;
}

static char *nested_put(char *at, const ProtobufCFieldDescriptor *of,
			const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	at = tag_put(at, of, WIRE_BYTES);
	at = wire_put_varint(at, nested_len(message));
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		at = plain_put(at, message, &descriptor->fields[i]);
	return at;
}

char *body_encode(const ProtobufCMessage *body, char *at)
{
	const ProtobufCMessageDescriptor *descriptor = body->descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		size_t n;

		if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
			at = plain_put(at, body, field);
			continue;
		}
		ProtobufCMessage *const *nested = nested_of(body, field, &n);

		for (size_t k = 0; k < n; k++)
			at = nested_put(at, field, nested[k]);
	}
	return at;
}

/* ---- decoding */

bool wire_take_varint_long(struct slice *from, uint64_t *value)
{
	const uint8_t *bytes = (const uint8_t *)from->ptr;
	unsigned shift = 0;

	*value = 0;
	for (size_t i = 0; i < from->len && shift < 64; i++, shift += 7) {
		*value |= (uint64_t)(bytes[i] & 0x7F) << shift;
		if (bytes[i] >= 0x80)
			continue;
		from->ptr += i + 1;
		from->len -= i + 1;
		return true;
	}
	return false;
}

static bool fixed64_take(struct slice *from, uint64_t *value)
{
	const uint8_t *bytes = (const uint8_t *)from->ptr;

	if (from->len < sizeof(*value))
		return false;
	*value = 0;
	for (size_t i = 0; i < sizeof(*value); i++)
		*value |= (uint64_t)bytes[i] << 8 * i;
	from->ptr += sizeof(*value);
	from->len -= sizeof(*value);
	return true;
}

bool wire_skip(struct slice *from, enum wire_type type)
{
	struct slice bytes;
	uint64_t value;

	switch ((int)type) { /* any number may come */
	case WIRE_VARINT:
		return wire_take_varint(from, &value);
	case WIRE_BYTES:
		return wire_take_bytes(from, &bytes);
	case WIRE_FIXED64:
		return fixed64_take(from, &value);
	case WIRE_FIXED32:
		if (from->len < sizeof(uint32_t))
			return false;
		from->ptr += sizeof(uint32_t);
		from->len -= sizeof(uint32_t);
		return true;
	default:
		return false;
	}
}

static ProtobufCMessage *message_new(struct arena *arena,
				     const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);

	descriptor->message_init(message);
	return message;
}

/* Fields are numbered from 1 in all of link.proto, so a number is an index. */
static const ProtobufCFieldDescriptor *
field_find(const ProtobufCMessageDescriptor *descriptor, uint32_t number)
{
	if (number > descriptor->n_fields)
		return NULL;
	assert(descriptor->fields[number - 1].id == number);
	return &descriptor->fields[number - 1];
}

/* Where the value of a field goes; a repeated one has room for one more. */
static void *member_new(struct arena *arena, ProtobufCMessage *message,
			const ProtobufCFieldDescriptor *field, size_t size)
{
	char *base = (char *)message;
	void **items = (void **)(void *)(base + field->offset);
	size_t *n = (size_t *)(void *)(base + field->quantifier_offset);
	void *grown;

	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return items;
	/* Full at BODY_REPEATED_MIN and at each power of 2 beyond. */
	if (*n == 0 || (*n >= BODY_REPEATED_MIN && (*n & (*n - 1)) == 0)) {
		grown = arena_alloc(arena, (*n > 0 ? *n * 2 : BODY_REPEATED_MIN) * size);
		if (*n > 0)
			memcpy(grown, *items, *n * size);
		*items = grown;
	}
	return (char *)*items + (*n)++ * size;
}

/* A message being read, and what is left of its bytes. */
struct level {
	ProtobufCMessage *message;
	struct slice from;
};

static bool bytes_store(struct arena *arena, struct level *level,
			const ProtobufCFieldDescriptor *field)
{
	ProtobufCBinaryData *member;
	struct slice bytes;
	union {
		const char *text;
		uint8_t *data;
	} ptr;

	if (!wire_take_bytes(&level->from, &bytes))
		return false;
	ptr.text = bytes.len > 0 ? bytes.ptr : NULL;
	member = member_new(arena, level->message, field, sizeof(*member));
	member->len = bytes.len;
	member->data = ptr.data;
	return true;
}

static bool number_store(struct level *level, const ProtobufCFieldDescriptor *field)
{
	uint64_t value;

	if (field->type == PROTOBUF_C_TYPE_FIXED64
		    ? !fixed64_take(&level->from, &value)
		    : !wire_take_varint(&level->from, &value))
		return false;
	number_set(field, (char *)level->message + field->offset, value);
	return true;
}

/* Opens the level behind this one for a message that begins here. */
static bool nested_open(struct arena *arena, struct level *level,
			const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage **nested;
	struct slice bytes;

	if (!wire_take_bytes(&level->from, &bytes))
		return false;
	nested = member_new(arena, level->message, field, sizeof(*nested));
	*nested = message_new(arena, field->descriptor);
	level[1] = (struct level){ *nested, bytes };
	return true;
}

static enum wire_type field_wire_type(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_BYTES ||
	    field->type == PROTOBUF_C_TYPE_MESSAGE)
		return WIRE_BYTES;
	return field->type == PROTOBUF_C_TYPE_FIXED64 ? WIRE_FIXED64 : WIRE_VARINT;
}

ProtobufCMessage *body_decode(struct arena *arena,
			      const ProtobufCMessageDescriptor *descriptor,
			      struct slice from)
{
	ProtobufCMessage *body = message_new(arena, descriptor);
	struct level levels[BODY_DEPTH];
	struct level *level = levels;

	levels[0] = (struct level){ body, from };
	while (level->from.len > 0 || level > levels) {
		const ProtobufCFieldDescriptor *field;
		enum wire_type type;
		uint32_t number;
		bool is_right;

		if (level->from.len == 0) {
			level--;
			continue;
		}
		if (!wire_take_tag(&level->from, &number, &type))
			return NULL;
		field = field_find(level->message->descriptor, number);
		if (field == NULL) {
			is_right = wire_skip(&level->from, type);
		} else if (type != field_wire_type(field)) {
			is_right = false;
		} else if (field->type == PROTOBUF_C_TYPE_BYTES) {
			is_right = bytes_store(arena, level, field);
		} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			assert(level - levels < (ptrdiff_t)BODY_DEPTH - 1);
			is_right = nested_open(arena, level, field);
			level++;
		} else {
			is_right = number_store(level, field);
		}
		if (!is_right)
			return NULL;
	}
	return body;
}
