/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring: who owns what, how evenly, and what moves when members come and go. The
 * golden values are the link format: when they change, clusters of two releases break.
 */
#include "proto/link/ring.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"

TestSuite(ring, .timeout = 60);

#define KEYS 40000u

static uint64_t key_hash(unsigned i)
{
	char text[32];
	const int len = snprintf(text, sizeof(text), "key-%u", i);
	const struct slice part = slice_make(text, (size_t)len);

	return hash_stable(&part, 1);
}

/* Members r0, r1, ... but the one numbered `without`. */
static void ring_fill(struct ring *ring, unsigned n, unsigned without)
{
	char name[32];

	ring_init(ring);
	for (unsigned i = 0; i < n; i++) {
		const int len = snprintf(name, sizeof(name), "r%u", i);

		if (i != without)
			cr_assert_eq(ring_add(ring, slice_make(name, (size_t)len)), OK);
	}
}

Test(ring, one_member_owns_everything)
{
	struct ring ring;

	ring_fill(&ring, 1, 1);
	cr_expect_eq(ring_owner(&ring, 0), 0);
	cr_expect_eq(ring_owner(&ring, UINT64_MAX), 0);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(ring_owner(&ring, key_hash(i)), 0);
	ring_fini(&ring);
}

Test(ring, many_at_once_are_as_one_by_one)
{
	const struct slice names[] = { SLICE("r0"), SLICE("r1"), SLICE("r2") };
	struct ring one_by_one;
	struct ring ring;

	ring_fill(&one_by_one, 3, 3);
	ring_init(&ring);
	cr_expect_eq(ring_add_all(&ring, names, 0), OK);
	cr_expect_eq(ring_add_all(&ring, names, 3), OK);
	cr_assert_eq(ring.points_n, one_by_one.points_n);
	for (size_t i = 0; i < ring.points_n; i++) {
		cr_assert_eq(ring.points[i].hash, one_by_one.points[i].hash);
		cr_assert_eq(ring.points[i].member, one_by_one.points[i].member);
	}
	ring_fini(&ring);
	ring_fini(&one_by_one);
}

Test(ring, told_shares_are_those_that_keys_find)
{
	size_t counts[5] = { 0 };
	double shares[5];
	double sum = 0;
	struct ring ring;

	ring_fill(&ring, 5, 5);
	for (unsigned i = 0; i < KEYS; i++)
		counts[ring_owner(&ring, key_hash(i))]++;
	ring_shares(&ring, shares);
	for (size_t i = 0; i < 5; i++) {
		const double found = (double)counts[i] / KEYS;

		cr_expect(shares[i] > found - 0.01 && shares[i] < found + 0.01,
			  "member %zu: %f told, %f found", i, shares[i], found);
		sum += shares[i];
	}
	cr_expect(sum > 0.999999 && sum < 1.000001, "%f in all", sum);
	ring_fini(&ring);
}

Test(ring, one_member_has_the_whole_share)
{
	double share = 0;
	struct ring ring;

	ring_init(&ring);
	ring_shares(&ring, &share);
	cr_expect_eq(share, 0);
	cr_assert_eq(ring_add(&ring, SLICE("r0")), OK);
	ring_shares(&ring, &share);
	cr_expect(share > 0.999999 && share < 1.000001, "%f", share);
	ring_fini(&ring);
}

Test(ring, shares_differ_by_less_than_a_third)
{
	for (unsigned n = 1; n <= 16; n++) {
		size_t counts[16] = { 0 };
		struct ring ring;

		ring_fill(&ring, n, n);
		for (unsigned i = 0; i < KEYS; i++)
			counts[ring_owner(&ring, key_hash(i))]++;
		for (unsigned i = 0; i < n; i++) {
			cr_expect_lt(counts[i] * n, KEYS * 4 / 3, "r%u of %u has %zu", i,
				     n, counts[i]);
			cr_expect_gt(counts[i] * n, KEYS * 2 / 3, "r%u of %u has %zu", i,
				     n, counts[i]);
		}
		ring_fini(&ring);
	}
}

Test(ring, a_new_member_takes_its_keys_from_the_others_and_nothing_else_moves)
{
	for (unsigned n = 1; n < 16; n++) {
		struct ring before;
		struct ring after;
		unsigned moved = 0;

		ring_fill(&before, n, n);
		ring_fill(&after, n + 1, n + 1);
		for (unsigned i = 0; i < KEYS; i++) {
			const size_t owner = ring_owner(&after, key_hash(i));

			if (owner == n)
				moved++;
			else
				cr_assert_eq(owner, ring_owner(&before, key_hash(i)));
		}
		cr_expect_gt(moved, 0);
		cr_expect_lt(moved * (n + 1), KEYS * 4 / 3);
		ring_fini(&before);
		ring_fini(&after);
	}
}

Test(ring, a_member_that_leaves_gives_away_its_own_keys_only)
{
	enum { N = 8, GONE = 3 };
	struct ring before;
	struct ring after;

	ring_fill(&before, N, N);
	ring_fill(&after, N, GONE);
	for (unsigned i = 0; i < KEYS; i++) {
		const size_t owner = ring_owner(&before, key_hash(i));

		if (owner != GONE)
			cr_assert_eq(ring_owner(&after, key_hash(i)),
				     owner > GONE ? owner - 1 : owner);
	}
	ring_fini(&before);
	ring_fini(&after);
}

Test(ring, a_key_at_a_point_belongs_to_it_and_one_behind_the_last_to_the_first)
{
	struct ring ring;

	ring_fill(&ring, 5, 5);
	for (size_t i = 0; i < ring.points_n; i++)
		cr_assert_eq(ring_owner(&ring, ring.points[i].hash),
			     ring.points[i].member);
	cr_expect_eq(ring_owner(&ring, ring.points[7].hash + 1), ring.points[8].member);
	cr_expect_eq(ring_owner(&ring, ring.points[ring.points_n - 1].hash + 1),
		     ring.points[0].member);
	ring_fini(&ring);
}

Test(ring, the_order_of_members_moves_no_key)
{
	static const char *const names[] = { "alpha", "beta", "gamma" };
	struct ring forth;
	struct ring back;

	ring_init(&forth);
	ring_init(&back);
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(ring_add(&forth, slice_from_str(names[i])), OK);
		cr_assert_eq(ring_add(&back, slice_from_str(names[2 - i])), OK);
	}
	for (unsigned i = 0; i < KEYS; i++)
		cr_assert_eq(ring_owner(&forth, key_hash(i)),
			     2 - ring_owner(&back, key_hash(i)));
	ring_fini(&forth);
	ring_fini(&back);
}

/* The format. Not to be adapted: a change here moves every key of every cluster. */
Test(ring, golden_points)
{
	struct ring ring;

	ring_fill(&ring, 3, 3);
	cr_assert_eq(ring.points_n, 3 * RING_POINTS);
	cr_expect_eq(ring.points[0].hash, UINT64_C(0x005cdd3159d46c04));
	cr_expect_eq(ring.points[0].member, 1);
	cr_expect_eq(ring.points[1].hash, UINT64_C(0x0080b555ff2ac5c3));
	cr_expect_eq(ring.points[1].member, 2);
	cr_expect_eq(ring.points[479].hash, UINT64_C(0xffef291feedba5da));
	cr_expect_eq(ring.points[479].member, 2);
	ring_fini(&ring);
}

Test(ring, golden_owners)
{
	static const char owners[] = "65523471530375124724336574764012";
	struct ring ring;

	ring_fill(&ring, 8, 8);
	for (unsigned i = 0; i < sizeof(owners) - 1; i++)
		cr_expect_eq(ring_owner(&ring, key_hash(i)), (size_t)(owners[i] - '0'),
			     "key-%u", i);
	ring_fini(&ring);
}

Test(ring, refuses_one_member_too_many)
{
	struct ring ring;

	ring_fill(&ring, RING_MEMBERS_MAX, RING_MEMBERS_MAX);
	cr_expect_eq(ring.members_n, RING_MEMBERS_MAX);
	cr_expect_eq(ring_add(&ring, SLICE("one more")), ERR_LIMIT);
	cr_expect_eq(ring.members_n, RING_MEMBERS_MAX);
	cr_expect_eq(ring.points_n, RING_MEMBERS_MAX * RING_POINTS);
	cr_expect_lt(ring_owner(&ring, key_hash(1)), RING_MEMBERS_MAX);
	ring_fini(&ring);
}
