/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by example, and at random beside an array. TEST_SEED repeats a run.
 */
#include "gateway/tally.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"

static struct tally tally;

static void teardown(void)
{
	tally_fini(&tally);
}

TestSuite(tally, .fini = teardown);

Test(tally, counts_each_key_by_itself)
{
	cr_expect_eq(tally_count(&tally, 7), 0);
	tally_add(&tally, 7);
	tally_add(&tally, 7);
	tally_add(&tally, 8);
	cr_expect_eq(tally_count(&tally, 7), 2);
	cr_expect_eq(tally_count(&tally, 8), 1);
	cr_expect_eq(tally_count(&tally, 9), 0);
	tally_remove(&tally, 7);
	cr_expect_eq(tally_count(&tally, 7), 1);
	tally_remove(&tally, 7);
	cr_expect_eq(tally_count(&tally, 7), 0);
	cr_expect_eq(tally.n, 1);
}

/* All want the last of the first 16 slots: the run goes round the end. */
Test(tally, a_hole_in_a_run_is_closed)
{
	for (uint64_t i = 0; i < 8; i++)
		tally_add(&tally, 15 + i * 16);
	cr_assert_eq(tally.mask, 15);
	for (uint64_t gone = 0; gone < 8; gone++) {
		tally_remove(&tally, 15 + gone * 16);
		for (uint64_t i = 0; i < 8; i++)
			cr_assert_eq(tally_count(&tally, 15 + i * 16), i > gone);
	}
}

Test(tally, a_key_costs_little_and_gives_it_back)
{
	const size_t before = mem_used_bytes();

	for (uint64_t i = 1; i <= 20000; i++)
		tally_add(&tally, i * UINT64_C(0x9e3779b97f4a7c15));
	cr_expect_leq((mem_used_bytes() - before) / 20000, 48);
	for (uint64_t i = 1; i <= 20000; i++)
		tally_remove(&tally, i * UINT64_C(0x9e3779b97f4a7c15));
	cr_expect_eq(tally.n, 0);
	cr_expect_leq(tally.mask, 31);
}

Test(tally, is_what_an_array_is)
{
	enum { KEYS = 300, STEPS = 200000 };
	const char *seed = getenv("TEST_SEED");
	unsigned dice =
		seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	uint32_t counts[KEYS] = { 0 };

	(void)fprintf(stderr, "TEST_SEED=%u\n", dice);
	for (int step = 0; step < STEPS; step++) {
		/* Full, then empty, then full: it grows and shrinks. */
		const int bias = step / 5000 % 2 == 0 ? 70 : 30;
		const unsigned at = (unsigned)rand_r(&dice) % KEYS;
		const uint64_t key = (uint64_t)(at % 16 + 1) | (uint64_t)(at / 16) << 20;

		if (rand_r(&dice) % 100 < bias) {
			tally_add(&tally, key);
			counts[at]++;
		} else if (counts[at] > 0) {
			tally_remove(&tally, key);
			counts[at]--;
		}
		cr_assert_eq(tally_count(&tally, key), counts[at]);
	}
	for (unsigned at = 0; at < KEYS; at++)
		cr_assert_eq(
			tally_count(&tally, (at % 16 + 1) | (uint64_t)(at / 16) << 20),
			counts[at]);
}
