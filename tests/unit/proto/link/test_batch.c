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

#define ENVELOPES_MAX 40u
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

/* As many envelopes as there are lengths, each a Closed of a connection id that long. */
static void check(uint64_t first_seq, uint64_t ack_seq, const size_t *lens, size_t n)
{
	static uint8_t body[BODY_BYTES_MAX];
	Link__Closed closed[ENVELOPES_MAX];
	Link__Envelope envelopes[ENVELOPES_MAX];
	Link__Envelope *pointers[ENVELOPES_MAX];
	Link__Batch batch = LINK__BATCH__INIT;
	Link__Frame frame = LINK__FRAME__INIT;
	struct buf records = BUF_INIT;
	struct buf ours = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		link__closed__init(&closed[i]);
		closed[i].connection.data = body;
		closed[i].connection.len = lens[i];
		link__envelope__init(&envelopes[i]);
		envelopes[i].body_case = LINK__ENVELOPE__BODY_CLOSED;
		envelopes[i].closed = &closed[i];
		pointers[i] = &envelopes[i];
		const size_t len = link__envelope__get_packed_size(&envelopes[i]);

		batch_append_record_head(&records, len);
		link__envelope__pack(&envelopes[i],
				     (uint8_t *)buf_reserve(&records, len));
		records.len += len;
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
	batch_append_frame_head(&ours, first_seq, ack_seq, records.len);
	buf_append_slice(&ours, buf_slice(&records));
	cr_assert(slice_equal(buf_slice(&ours), slice_make((char *)theirs, len)),
		  "first_seq=%" PRIu64 " ack_seq=%" PRIu64 " envelopes=%zu", first_seq,
		  ack_seq, n);
	mem_free(theirs);
	buf_fini(&ours);
	buf_fini(&records);
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
	for (unsigned round = 0; round < 2000; round++) {
		size_t lens[ENVELOPES_MAX];
		const size_t n = random_next() % (ENVELOPES_MAX + 1);

		for (size_t i = 0; i < n; i++)
			lens[i] =
				random_next() % (round % 50 == 0 ? BODY_BYTES_MAX : 400);
		check(random_next() >> random_next() % 64,
		      round % 3 == 0 ? 0 : random_next() >> random_next() % 64, lens, n);
	}
}
