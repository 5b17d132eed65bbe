/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batches written by hand against what protobuf-c writes for the same Frame, byte for
 * byte. TEST_SEED repeats a run.
 */
#include "proto/link/batch.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/base/mem.h"
#include "proto/link/link_send.h"

TestSuite(batch, .timeout = 60);

#define ENVELOPES_MAX 258u /* past the first room's doublings */
#define BODY_BYTES_MAX 70000u

static uint64_t rng;

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

/* What is read is what was written. */
static void check_decode(struct slice bytes, const Link__Batch *wanted)
{
	struct arena arena;
	Link__Batch got;

	arena_init(&arena);
	cr_assert(batch_is(bytes));
	cr_assert(batch_decode(&arena, bytes, &got));
	cr_assert_eq(got.first_seq, wanted->first_seq);
	cr_assert_eq(got.ack_seq, wanted->ack_seq);
	cr_assert_eq(got.n_envelopes, wanted->n_envelopes);
	for (size_t i = 0; i < got.n_envelopes; i++) {
		cr_assert_eq(got.envelopes[i]->body_case, LINK__ENVELOPE__BODY_CLOSED);
		cr_assert(slice_equal(
			link_slice(got.envelopes[i]->closed->connection),
			link_slice(wanted->envelopes[i]->closed->connection)));
	}
	arena_fini(&arena);
}

/* As many envelopes as there are lengths, each a Closed of a connection id that long. */
static void check(uint64_t first_seq, uint64_t ack_seq, const size_t *lens, size_t n)
{
	static uint8_t body[BODY_BYTES_MAX];
	Link__Closed closed[ENVELOPES_MAX];
	Link__Envelope envelopes[ENVELOPES_MAX];
	Link__Envelope *pointers[ENVELOPES_MAX];
	Link__Batch batch = LINK__BATCH__INIT;
	Link__Frame frame = LINK__FRAME__INIT;
	struct buf scratch = BUF_INIT;
	struct slice record;
	struct buf records = BUF_INIT;
	struct buf ours = BUF_INIT;
	char head[BATCH_HEAD_BYTES_MAX];

	for (size_t i = 0; i < n; i++) {
		link__closed__init(&closed[i]);
		closed[i].connection.data = body;
		closed[i].connection.len = lens[i];
		link__envelope__init(&envelopes[i]);
		envelopes[i].body_case = LINK__ENVELOPE__BODY_CLOSED;
		envelopes[i].closed = &closed[i];
		pointers[i] = &envelopes[i];

		cr_assert_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_CLOSED,
					  &closed[i].base, BODY_BYTES_MAX + 16, &record),
			     OK);
		buf_append_slice(&records, record);
	}
	batch.first_seq = first_seq;
	batch.ack_seq = ack_seq;
	batch.n_envelopes = n;
	batch.envelopes = pointers;
	frame.body_case = LINK__FRAME__BODY_BATCH;
	frame.batch = &batch;
	const size_t len = link__frame__get_packed_size(&frame);
	uint8_t *theirs = mem_alloc(len);

	link__frame__pack(&frame, theirs);
	buf_append(&ours, head,
		   batch_frame_head(head, first_seq, ack_seq, 0, records.len));
	buf_append_slice(&ours, buf_slice(&records));
	cr_assert(slice_equal(buf_slice(&ours), slice_make((char *)theirs, len)),
		  "first_seq=%" PRIu64 " ack_seq=%" PRIu64 " envelopes=%zu", first_seq,
		  ack_seq, n);
	check_decode(buf_slice(&ours), &batch);
	mem_free(theirs);
	buf_fini(&ours);
	buf_fini(&records);
	buf_fini(&scratch);
}

Test(batch, nothing_but_an_acknowledgement)
{
	check(0, 0, NULL, 0);
	check(0, 1, NULL, 0);
	check(0, UINT64_MAX, NULL, 0);
	check(UINT64_MAX, 0, NULL, 0);
}

Test(batch, numbers_at_the_edges_of_their_encodings)
{
	const size_t one = 3;

	for (unsigned bits = 0; bits < 64; bits++) {
		const uint64_t edge = UINT64_C(1) << bits;

		check(edge, edge - 1, &one, 1);
		check(edge - 1, edge, &one, 1);
	}
}

Test(batch, lengths_at_the_edges_of_their_encodings)
{
	/* Around the points where the length of the record, then of the batch, takes one
	 * byte more. */
	for (size_t len = 0; len < 300; len++)
		check(1, 1, &len, 1);
	for (size_t len = 16300; len < 16400; len++)
		check(1, 1, &len, 1);
}

Test(batch, whatever_it_is_made_of)
{
	random_seed();
	for (unsigned round = 0; round < 500; round++) {
		size_t lens[ENVELOPES_MAX];
		const size_t n = random_next() % (ENVELOPES_MAX + 1);

		for (size_t i = 0; i < n; i++)
			lens[i] = random_next() %
				  (round % 50 == 0 && i < 8 ? BODY_BYTES_MAX : 400);
		check(random_next() >> random_next() % 64,
		      round % 3 == 0 ? 0 : random_next() >> random_next() % 64, lens, n);
	}
}

/* Whether it is read, from memory of just that size. */
static bool is_read(struct slice bytes)
{
	char *exact = mem_dup(bytes.ptr, bytes.len);
	struct arena arena;
	Link__Batch batch;
	bool is_right;

	arena_init(&arena);
	is_right = batch_decode(&arena, slice_make(exact, bytes.len), &batch);
	arena_fini(&arena);
	mem_free(exact);
	return is_right;
}

Test(batch, what_is_not_a_frame_with_a_batch)
{
	cr_expect(!batch_is(SLICE("")));
	cr_expect(!batch_is(SLICE("\x0a\x00")), "a Hello");
	cr_expect(is_read(SLICE("\x1a\x00")));
	cr_expect(!is_read(SLICE("\x1a")), "no length");
	cr_expect(!is_read(SLICE("\x1a\x01")), "a byte short");
	cr_expect(!is_read(SLICE("\x1a\x00\x1a")), "something behind it");
	cr_expect(!is_read(SLICE("\x1a\x02\x0a\x00")), "bytes for a number");
	cr_expect(!is_read(SLICE("\x1a\x02\x18\x00")), "a number for an envelope");
	cr_expect(!is_read(SLICE("\x1a\x02\x1a\x01")), "an envelope a byte short");
	cr_expect(!is_read(SLICE("\x1a\x04\x1a\x02\x08\x01")), "a number for a body");
	cr_expect(!is_read(SLICE("\x1a\x05\x1a\x03\x0a\x01\x0a")), "a body cut off");
	cr_expect(!is_read(SLICE("\x1a\x02\x22\x00")), "bytes for a time");
	cr_expect(is_read(SLICE("\x1a\x02\x28\x01")), "a field that is new");
}

/* Before the records, where protobuf would not write it, but reads it. */
Test(batch, a_time_is_told)
{
	for (unsigned bits = 0; bits < 64; bits++) {
		const uint64_t at_ms = UINT64_C(1) << bits;
		char head[BATCH_HEAD_BYTES_MAX];
		const size_t len = batch_frame_head(head, 1, UINT64_MAX, at_ms, 0);
		Link__Frame *frame =
			link__frame__unpack(NULL, len, (const uint8_t *)head);
		struct arena arena;
		Link__Batch batch;

		cr_assert_not_null(frame);
		cr_expect_eq(frame->batch->at_ms, at_ms);
		cr_expect_eq(frame->batch->ack_seq, UINT64_MAX);
		link__frame__free_unpacked(frame, NULL);
		arena_init(&arena);
		cr_assert(batch_decode(&arena, slice_make(head, len), &batch));
		cr_expect_eq(batch.at_ms, at_ms);
		arena_fini(&arena);
	}
}

Test(batch, an_envelope_with_a_body_that_is_new)
{
	/* Two envelopes: field 127, and Closed with a connection. */
	const struct slice bytes = SLICE("\x1a\x10"
					 "\x08\x05"
					 "\x1a\x03\xfa\x07\x00"
					 "\x1a\x07\x9a\x01\x04\x12\x02id");
	struct arena arena;
	Link__Batch batch;

	arena_init(&arena);
	cr_assert(batch_decode(&arena, bytes, &batch));
	cr_assert_eq(batch.first_seq, 5);
	cr_assert_eq(batch.n_envelopes, 2);
	cr_expect_eq(batch.envelopes[0]->body_case, LINK__ENVELOPE__BODY__NOT_SET);
	cr_assert_eq(batch.envelopes[1]->body_case, LINK__ENVELOPE__BODY_CLOSED);
	cr_expect(slice_equal(link_slice(batch.envelopes[1]->closed->connection),
			      SLICE("id")));
	arena_fini(&arena);
}

Test(batch, an_envelope_with_a_body_that_is_no_more)
{
	/* Field 15 is reserved. */
	const struct slice bytes = SLICE("\x1a\x06"
					 "\x08\x05"
					 "\x1a\x02\x7a\x00");
	struct arena arena;
	Link__Batch batch;

	arena_init(&arena);
	cr_assert(batch_decode(&arena, bytes, &batch));
	cr_assert_eq(batch.n_envelopes, 1);
	cr_expect_eq(batch.envelopes[0]->body_case, LINK__ENVELOPE__BODY__NOT_SET);
	arena_fini(&arena);
}

Test(batch, a_record_at_its_limit_and_one_byte_more)
{
	static uint8_t text[100];
	Link__Closed closed = LINK__CLOSED__INIT;
	struct buf scratch = BUF_INIT;
	struct slice record;

	/* Two heads of 2 and 3 bytes around it. */
	closed.connection = (ProtobufCBinaryData){ 95, text };
	cr_expect_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_CLOSED, &closed.base,
				  100, &record),
		     OK);
	cr_expect_eq(record.len, 102);
	closed.connection.len = 96;
	cr_expect_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_CLOSED, &closed.base,
				  100, &record),
		     ERR_LIMIT);
	buf_fini(&scratch);
}

/* Nobody reads its bytes, or makes room for them. */
Test(batch, a_record_far_over_its_limit_is_not_written)
{
	static uint8_t text[1];
	Link__Closed closed = LINK__CLOSED__INIT;
	struct buf scratch = BUF_INIT;
	struct slice record;

	closed.connection = (ProtobufCBinaryData){ 1u << 30, text };
	cr_expect_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_CLOSED, &closed.base,
				  100, &record),
		     ERR_LIMIT);
	cr_expect_eq(scratch.cap, 0);
	cr_expect_geq(record.len, 1u << 30);
	buf_fini(&scratch);
}

Test(batch, more_envelopes_than_the_first_room_holds)
{
	for (size_t n = ENVELOPES_MAX - 2; n <= ENVELOPES_MAX; n++) {
		size_t lens[ENVELOPES_MAX];

		for (size_t i = 0; i < n; i++)
			lens[i] = i;
		check(1, 1, lens, n);
	}
}
