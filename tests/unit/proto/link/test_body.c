/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message an Envelope may have, filled at random by its descriptor: ours and
 * protobuf-c must write the same bytes and read the same message from them. TEST_SEED
 * repeats a run.
 */
#include "proto/link/body.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "proto/link/link_send.h"

TestSuite(body, .timeout = 60);

#define ROUNDS 300
#define ITEMS_MAX 20u
#define BYTES_MAX 300u

static uint64_t rng;
static struct arena arena;

static uint64_t random_next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void random_seed(void)
{
	const char *seed = getenv("TEST_SEED");

	rng = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	rng |= 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
}

static const ProtobufCMessageDescriptor *body_of(unsigned i)
{
	return link__envelope__descriptor.fields[i].descriptor;
}

static ProtobufCBinaryData random_bytes(void)
{
	ProtobufCBinaryData bytes = { random_next() % BYTES_MAX, NULL };

	if (random_next() % 3 == 0)
		return (ProtobufCBinaryData){ 0, NULL };
	bytes.data = arena_alloc(&arena, bytes.len);
	for (size_t i = 0; i < bytes.len; i++)
		bytes.data[i] = (uint8_t)random_next();
	return bytes;
}

static void number_fill(const ProtobufCFieldDescriptor *field, void *member)
{
	/* All lengths, and often 0, which is left out. */
	const uint64_t value =
		random_next() % 4 == 0 ? 0 : random_next() >> random_next() % 64;

	if (field->type == PROTOBUF_C_TYPE_BOOL)
		*(protobuf_c_boolean *)member = value % 2 != 0;
	else if (field->type == PROTOBUF_C_TYPE_UINT64 ||
		 field->type == PROTOBUF_C_TYPE_INT64 ||
		 field->type == PROTOBUF_C_TYPE_FIXED64)
		*(uint64_t *)member = value;
	else
		*(uint32_t *)member = (uint32_t)value;
}

static ProtobufCMessage *message_empty(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = arena_alloc(&arena, descriptor->sizeof_message);

	descriptor->message_init(message);
	return message;
}

/* All but what is nested. */
static void plain_fill(ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		char *base = (char *)message;
		ProtobufCBinaryData *items = (void *)(base + field->offset);
		size_t *n = (void *)(base + field->quantifier_offset);

		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (field->type != PROTOBUF_C_TYPE_BYTES) {
			number_fill(field, items);
		} else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			*n = random_next() % ITEMS_MAX;
			items = arena_alloc(&arena, *n * sizeof(*items));
			*(ProtobufCBinaryData **)(void *)(base + field->offset) = items;
			for (size_t k = 0; k < *n; k++)
				items[k] = random_bytes();
		} else {
			*items = random_bytes();
		}
	}
}

static ProtobufCMessage *nested_random(const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage *nested = message_empty(field->descriptor);

	plain_fill(nested);
	return nested;
}

static ProtobufCMessage *body_random(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *body = message_empty(descriptor);

	plain_fill(body);
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		void *member = (char *)body + field->offset;
		size_t *n = (void *)((char *)body + field->quantifier_offset);
		ProtobufCMessage **items;

		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (field->label != PROTOBUF_C_LABEL_REPEATED) {
			if (random_next() % 3 != 0)
				*(ProtobufCMessage **)member = nested_random(field);
			continue;
		}
		*n = random_next() % ITEMS_MAX;
		items = arena_alloc(&arena, *n * sizeof(*items));
		*(ProtobufCMessage ***)member = items;
		for (size_t k = 0; k < *n; k++)
			items[k] = nested_random(field);
	}
	return body;
}

static void check(const ProtobufCMessage *body)
{
	const char *name = body->descriptor->name;
	const size_t len = protobuf_c_message_get_packed_size(body);
	uint8_t *theirs = arena_alloc(&arena, len);
	char *ours = arena_alloc(&arena, len);
	ProtobufCMessage *decoded;

	protobuf_c_message_pack(body, theirs);
	cr_assert_geq(body_len_max(body), len, "%s", name);
	cr_assert_leq(body_len_max(body) - body_len_excess(body), len, "%s", name);
	cr_assert_eq(body_encode(body, ours), ours + len, "%s", name);
	cr_assert_arr_eq(ours, theirs, len, "%s", name);
	decoded = body_decode(&arena, body->descriptor, slice_make(ours, len));
	cr_assert_not_null(decoded, "%s", name);
	memset(theirs, 0, len);
	cr_assert_eq(protobuf_c_message_get_packed_size(decoded), len, "%s", name);
	protobuf_c_message_pack(decoded, theirs);
	cr_assert_arr_eq(ours, theirs, len, "%s", name);
}

Test(body, every_message_as_protobuf_has_it)
{
	random_seed();
	arena_init(&arena);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < link__envelope__descriptor.n_fields; i++) {
			check(message_empty(body_of(i)));
			check(body_random(body_of(i)));
			arena_reset(&arena);
		}
	}
	arena_fini(&arena);
}

static char *encoded(const ProtobufCMessage *body, size_t *len)
{
	char *bytes = arena_alloc(&arena, body_len_max(body));

	*len = (size_t)(body_encode(body, bytes) - bytes);
	return bytes;
}

/* A nested message that comes twice is merged by protobuf, and the last counts here. */
static bool has_single_nested(const ProtobufCMessageDescriptor *descriptor)
{
	return descriptor == &link__connected__descriptor ||
	       descriptor == &link__opened__descriptor;
}

/* What ours reads theirs reads, too, and the same from it. */
static bool check_damaged(const ProtobufCMessageDescriptor *descriptor,
			  struct slice bytes)
{
	/* The exact size, so that a sanitizer sees a byte too many being read. */
	char *exact = mem_dup(bytes.ptr, bytes.len);
	const ProtobufCMessage *ours =
		body_decode(&arena, descriptor, slice_make(exact, bytes.len));
	ProtobufCMessage *theirs = protobuf_c_message_unpack(descriptor, NULL, bytes.len,
							     (const uint8_t *)bytes.ptr);
	size_t ours_len;
	size_t theirs_len;

	/* Ours is the stricter one: theirs takes field 0, and numbers past 32 bits. */
	cr_assert(ours == NULL || theirs != NULL, "%s", descriptor->name);
	if (ours != NULL && !has_single_nested(descriptor)) {
		const char *again = encoded(ours, &ours_len);
		const char *wanted = encoded(theirs, &theirs_len);

		cr_assert(slice_equal(slice_make(again, ours_len),
				      slice_make(wanted, theirs_len)),
			  "%s", descriptor->name);
	}
	protobuf_c_message_free_unpacked(theirs, NULL);
	mem_free(exact);
	return ours != NULL;
}

Test(body, what_is_damaged)
{
	uint64_t refused = 0;

	random_seed();
	arena_init(&arena);
	for (unsigned round = 0; round < 20 * ROUNDS; round++) {
		const ProtobufCMessageDescriptor *descriptor =
			body_of(round % link__envelope__descriptor.n_fields);
		size_t len;
		char *bytes = encoded(body_random(descriptor), &len);

		if (len > 0 && round % 2 == 0)
			bytes[random_next() % len] = (char)random_next();
		else if (len > 0)
			len = random_next() % len;
		refused += !check_damaged(descriptor, slice_make(bytes, len));
		arena_reset(&arena);
	}
	cr_assert_gt(refused, ROUNDS);
	arena_fini(&arena);
}

static bool is_read(const ProtobufCMessageDescriptor *descriptor, struct slice bytes)
{
	const ProtobufCMessage *decoded;

	arena_init(&arena);
	decoded = body_decode(&arena, descriptor, bytes);
	arena_fini(&arena);
	return decoded != NULL;
}

Test(body, what_is_not_a_message)
{
	const ProtobufCMessageDescriptor *sent = &link__sent__descriptor;

	cr_expect(is_read(sent, SLICE("")));
	cr_expect(is_read(sent, SLICE("\x08\x01")));
	cr_expect(!is_read(sent, SLICE("\x08")), "no value");
	cr_expect(!is_read(sent, SLICE("\x00\x01")), "field 0");
	cr_expect(!is_read(sent, SLICE("\x0a\x01x")), "bytes where a number is due");
	cr_expect(!is_read(sent, SLICE("\x0b")), "a group");
	cr_expect(!is_read(sent, SLICE("\x0f")), "wire type 7");
	cr_expect(!is_read(&link__closed__descriptor, SLICE("\x08\x01")),
		  "a number where bytes are due");
	cr_expect(is_read(&link__closed__descriptor, SLICE("\x0a\x01x")));
	cr_expect(!is_read(&link__closed__descriptor, SLICE("\x0a\x02x")),
		  "a byte short");
	cr_expect(!is_read(&link__closed__descriptor,
			   SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
		  "longer than anything");
	cr_expect(!is_read(&link__topology__descriptor, SLICE("\x0a\x02\x08")),
		  "a nested message that is a byte short");
	cr_expect(!is_read(&link__topology__descriptor, SLICE("\x0a\x01\x08")),
		  "a nested message without a value");
}

Test(body, numbers_of_ten_bytes_and_of_eleven)
{
	cr_expect(is_read(&link__sent__descriptor,
			  SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
	cr_expect(!is_read(&link__sent__descriptor,
			   SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
}

Test(body, fields_that_are_not_in_the_list_are_passed_over)
{
	const struct slice bytes = SLICE("\xf8\x07\x01"	      /* 127, a number */
					 "\xf9\x07xxxxxxxx"   /* 8 bytes */
					 "\xfa\x07\x02yy"     /* bytes */
					 "\xfd\x07zzzz"	      /* 4 bytes */
					 "\x08\x07\x08\x09"); /* call, the last counts */
	const Link__Sent *sent;

	arena_init(&arena);
	sent = (const Link__Sent *)body_decode(&arena, &link__sent__descriptor, bytes);
	cr_assert_not_null(sent);
	cr_expect_eq(sent->call, 9);
	arena_fini(&arena);
	cr_expect(!is_read(&link__sent__descriptor, SLICE("\xf9\x07xxxxxxx")));
	cr_expect(!is_read(&link__sent__descriptor, SLICE("\xfd\x07zzz")));
}

Test(body, bytes_stay_where_they_are)
{
	const struct slice bytes = SLICE("\x0a\x04room\x12\x02id");
	const Link__Closed *closed;

	arena_init(&arena);
	closed = (const Link__Closed *)body_decode(&arena, &link__closed__descriptor,
						   bytes);
	cr_assert_not_null(closed);
	cr_expect_eq((const char *)closed->hub.data, bytes.ptr + 2);
	cr_expect_eq(closed->hub.len, 4);
	cr_expect_eq((const char *)closed->connection.data, bytes.ptr + 8);
	arena_fini(&arena);
}
