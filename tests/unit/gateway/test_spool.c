/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that the sockets of a host share for a turn.
 */
#include "gateway/spool.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/mem.h"

struct rig {
	struct spool *spool;
	struct blob *a;
	struct blob *bb;
	struct blob *ccc;
};

static struct blob *text_blob(const char *text)
{
	return blob_from(slice_from_str(text));
}

static void rig_init(struct rig *rig)
{
	rig->spool = spool_new();
	rig->a = text_blob("a");
	rig->bb = text_blob("bb");
	rig->ccc = text_blob("ccc");
}

/* Nobody else holds the blobs any more. */
static void rig_fini(struct rig *rig)
{
	spool_free(rig->spool);
	cr_expect_eq(rig->a->refs, 1);
	cr_expect_eq(rig->bb->refs, 1);
	cr_expect_eq(rig->ccc->refs, 1);
	blob_unref(rig->a);
	blob_unref(rig->bb);
	blob_unref(rig->ccc);
}

static void expect_range(const struct spool *spool, const struct spool_range *range,
			 const char *text)
{
	const struct slice bytes = spool_slice(spool, range);

	cr_assert(slice_equal(bytes, slice_from_str(text)), "\"%.*s\" instead of \"%s\"",
		  SLICE_FMT(bytes), text);
}

Test(spool, ranges_of_the_same_blobs_are_the_same_bytes)
{
	struct spool_range ranges[3] = { { 0 } };
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < 3; i++)
		cr_assert(spool_add(rig.spool, &ranges[i], rig.a));
	for (size_t i = 0; i < 3; i++)
		cr_assert(spool_add(rig.spool, &ranges[i], rig.bb));
	for (size_t i = 0; i < 3; i++)
		expect_range(rig.spool, &ranges[i], "abb");
	cr_expect_eq(rig.spool->lanes[ranges[0].lane].len, 3);
	cr_expect_eq(rig.a->refs, 2);
	for (size_t i = 0; i < 3; i++)
		spool_drop(rig.spool, &ranges[i]);
	rig_fini(&rig);
}

Test(spool, a_range_begins_anywhere)
{
	struct spool_range all = { 0 };
	struct spool_range late = { 0 };
	struct rig rig;

	rig_init(&rig);
	cr_assert(spool_add(rig.spool, &all, rig.a));
	cr_assert(spool_add(rig.spool, &all, rig.bb));
	cr_assert(spool_add(rig.spool, &late, rig.bb));
	cr_assert(spool_add(rig.spool, &late, rig.ccc));
	expect_range(rig.spool, &all, "abb");
	expect_range(rig.spool, &late, "bbccc");
	spool_drop(rig.spool, &all);
	spool_drop(rig.spool, &late);
	rig_fini(&rig);
}

Test(spool, what_lies_between_ends_a_range)
{
	struct spool_range without = { 0 };
	struct spool_range with = { 0 };
	struct rig rig;

	rig_init(&rig);
	cr_assert(spool_add(rig.spool, &without, rig.a));
	cr_assert(spool_add(rig.spool, &with, rig.a));
	cr_assert(spool_add(rig.spool, &with, rig.bb));
	cr_assert(spool_add(rig.spool, &with, rig.ccc));
	cr_expect_not(spool_add(rig.spool, &without, rig.ccc));
	expect_range(rig.spool, &without, "a");
	spool_drop(rig.spool, &with);
	spool_drop(rig.spool, &without);
	rig_fini(&rig);
}

/* Two groups, or one group's two protocols. */
Test(spool, what_alternates_has_lanes_of_its_own)
{
	struct spool_range ranges[4] = { { 0 } };
	struct blob *other = text_blob("BB");
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < 4; i++)
		cr_assert(spool_add(rig.spool, &ranges[i], i % 2 ? rig.a : rig.ccc));
	for (size_t i = 0; i < 4; i++)
		cr_assert(spool_add(rig.spool, &ranges[i], i % 2 ? rig.bb : other));
	for (size_t i = 0; i < 4; i++)
		expect_range(rig.spool, &ranges[i], i % 2 ? "abb" : "cccBB");
	cr_expect_eq(rig.a->refs, 2);
	cr_expect_eq(rig.ccc->refs, 2);
	for (size_t i = 0; i < 4; i++)
		spool_drop(rig.spool, &ranges[i]);
	blob_unref(other);
	rig_fini(&rig);
}

/* With one more than there are lanes two have to share, and are still right. */
Test(spool, lanes_are_shared_when_they_run_out)
{
	struct spool_range ranges[SPOOL_LANES + 1] = { { 0 } };
	unsigned extended = 0;
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i <= SPOOL_LANES; i++) {
		struct blob *own = text_blob("own");

		own->data[0] = (char)('0' + i);
		cr_assert(spool_add(rig.spool, &ranges[i], own));
		blob_unref(own);
	}
	for (size_t i = 0; i <= SPOOL_LANES; i++)
		extended += spool_add(rig.spool, &ranges[i], rig.a);
	cr_expect_eq(extended, SPOOL_LANES);
	for (size_t i = 0; i <= SPOOL_LANES; i++) {
		const struct slice bytes = spool_slice(rig.spool, &ranges[i]);

		cr_assert_geq(bytes.len, 3);
		cr_expect_eq(bytes.ptr[0], (char)('0' + i));
		cr_expect(bytes.len == 3 || bytes.ptr[3] == 'a');
		spool_drop(rig.spool, &ranges[i]);
	}
	rig_fini(&rig);
}

Test(spool, the_same_blob_twice_is_not_one)
{
	struct spool_range range = { 0 };
	struct rig rig;

	rig_init(&rig);
	cr_assert(spool_add(rig.spool, &range, rig.a));
	cr_expect_not(spool_add(rig.spool, &range, rig.a));
	expect_range(rig.spool, &range, "a");
	spool_drop(rig.spool, &range);
	rig_fini(&rig);
}

Test(spool, is_forgotten_with_the_last_range)
{
	struct spool_range one = { 0 };
	struct spool_range other = { 0 };
	struct rig rig;

	rig_init(&rig);
	cr_assert(spool_add(rig.spool, &one, rig.a));
	cr_assert(spool_add(rig.spool, &other, rig.a));
	spool_drop(rig.spool, &one);
	spool_drop(rig.spool, &one);
	expect_range(rig.spool, &other, "a");
	spool_drop(rig.spool, &other);
	cr_expect_eq(rig.spool->lanes[other.lane].len, 0);
	cr_expect_eq(rig.a->refs, 1);
	cr_assert(spool_add(rig.spool, &one, rig.a));
	expect_range(rig.spool, &one, "a");
	spool_drop(rig.spool, &one);
	rig_fini(&rig);
}

Test(spool, a_range_moves_to_a_queue)
{
	struct spool_range range = { 0 };
	struct spool_range all = { 0 };
	struct queue queue;
	struct iovec iov[4];
	struct rig rig;

	rig_init(&rig);
	queue_init(&queue);
	cr_assert(spool_add(rig.spool, &all, rig.a));
	cr_assert(spool_add(rig.spool, &all, rig.bb));
	cr_assert(spool_add(rig.spool, &range, rig.bb));
	cr_assert(spool_add(rig.spool, &range, rig.ccc));
	cr_assert(spool_add(rig.spool, &all, rig.ccc));
	cr_assert(spool_add(rig.spool, &all, rig.a));
	spool_move(rig.spool, &range, &queue);
	cr_expect_eq(spool_range_len(&range), 0);
	cr_expect_eq(queue.bytes, 5);
	cr_assert_eq(queue_peek(&queue, iov, 4), 2);
	cr_expect_eq(iov[0].iov_base, rig.bb->data);
	cr_expect_eq(iov[1].iov_base, rig.ccc->data);
	spool_move(rig.spool, &range, &queue);
	cr_expect_eq(queue.n, 2);
	spool_drop(rig.spool, &all);
	cr_expect_eq(rig.bb->refs, 2);
	queue_fini(&queue);
	rig_fini(&rig);
}

Test(spool, takes_blobs_up_to_a_length)
{
	struct spool_range range = { 0 };
	struct blob *longest = blob_new(SPOOL_BLOB_BYTES_MAX);
	struct blob *longer = blob_new(SPOOL_BLOB_BYTES_MAX + 1);
	struct blob *empty = blob_new(0);
	struct rig rig;

	rig_init(&rig);
	cr_expect_not(spool_add(rig.spool, &range, longer));
	cr_expect_not(spool_add(rig.spool, &range, empty));
	cr_expect_eq(spool_range_len(&range), 0);
	cr_expect(spool_add(rig.spool, &range, longest));
	cr_expect_not(spool_add(rig.spool, &range, longer));
	cr_expect_eq(spool_range_len(&range), SPOOL_BLOB_BYTES_MAX);
	spool_drop(rig.spool, &range);
	blob_unref(longest);
	blob_unref(longer);
	blob_unref(empty);
	rig_fini(&rig);
}

/* Fills a spool with blobs of `len` bytes; returns how many it took. */
static unsigned fill(struct spool *spool, struct spool_range *range, size_t len)
{
	unsigned n = 0;
	bool is_taken;

	do {
		struct blob *blob = blob_new(len);

		memset(blob->data, 'x', len);
		is_taken = spool_add(spool, range, blob);
		n += is_taken;
		blob_unref(blob);
	} while (is_taken);
	return n;
}

Test(spool, takes_no_more_bytes_than_a_lane_has)
{
	struct spool_range range = { 0 };
	struct rig rig;

	rig_init(&rig);
	cr_assert(spool_add(rig.spool, &range, rig.a));
	cr_expect_eq(fill(rig.spool, &range, SPOOL_BLOB_BYTES_MAX),
		     SPOOL_LANE_BYTES_MAX / SPOOL_BLOB_BYTES_MAX - 1);
	cr_expect_eq(fill(rig.spool, &range, SPOOL_BLOB_BYTES_MAX - 1), 1);
	cr_expect_eq(spool_range_len(&range), SPOOL_LANE_BYTES_MAX);
	cr_expect_not(spool_add(rig.spool, &range, rig.a));
	spool_drop(rig.spool, &range);
	rig_fini(&rig);
}

/* All lanes full, nothing more begins either. */
Test(spool, takes_no_more_than_its_lanes)
{
	struct spool_range ranges[SPOOL_LANES + 1] = { { 0 } };
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < SPOOL_LANES; i++)
		cr_expect_eq(fill(rig.spool, &ranges[i], SPOOL_BLOB_BYTES_MAX),
			     SPOOL_LANE_BYTES_MAX / SPOOL_BLOB_BYTES_MAX);
	cr_expect_not(spool_add(rig.spool, &ranges[SPOOL_LANES], rig.a));
	cr_expect_eq(spool_range_len(&ranges[SPOOL_LANES]), 0);
	for (size_t i = 0; i < SPOOL_LANES; i++)
		spool_drop(rig.spool, &ranges[i]);
	rig_fini(&rig);
}

Test(spool, takes_no_more_blobs_than_it_can_name)
{
	struct spool_range range = { 0 };
	struct queue queue;
	struct rig rig;

	rig_init(&rig);
	queue_init(&queue);
	cr_expect_eq(fill(rig.spool, &range, 1), SPOOL_LANE_BLOBS_MAX);
	spool_move(rig.spool, &range, &queue);
	cr_expect_eq(queue.n, SPOOL_LANE_BLOBS_MAX);
	queue_fini(&queue);
	rig_fini(&rig);
}

Test(spool, may_not_be)
{
	spool_free(NULL);
}
