/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schedules: exact where they must be, and, where they are random, what the law of large
 * numbers says of a fixed seed.
 */
#include "bench/pace.h"

#include <criterion/criterion.h>
#include <math.h>

#define START_US INT64_C(1000000000)

static uint64_t take_all(struct pace *pace, int64_t now_us)
{
	uint64_t n = 0;
	int64_t due_us;

	while (pace_take(pace, now_us, &due_us)) {
		cr_assert_leq(due_us, now_us);
		n++;
	}
	return n;
}

static int64_t take_one(struct pace *pace)
{
	int64_t due_us = -1;

	cr_assert(pace_take(pace, INT64_MAX / 2, &due_us));
	return due_us;
}

Test(pace, steady_begins_within_one_interval)
{
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct pace pace;
		int64_t due_us;

		pace_init(&pace, PACE_STEADY, 100, START_US, seed);
		due_us = take_one(&pace);
		cr_assert_geq(due_us, START_US);
		cr_assert_leq(due_us, START_US + 10000);
	}
}

Test(pace, workers_do_not_march_in_step)
{
	struct pace one, two;

	pace_init(&one, PACE_STEADY, 100, START_US, 1);
	pace_init(&two, PACE_STEADY, 100, START_US, 2);
	cr_assert_neq(take_one(&one), take_one(&two));
}

Test(pace, steady_keeps_its_distances)
{
	struct pace pace;
	int64_t last_us;

	pace_init(&pace, PACE_STEADY, 1000, START_US, 7);
	last_us = take_one(&pace);
	for (int i = 0; i < 10000; i++) {
		const int64_t due_us = take_one(&pace);

		cr_assert_geq(due_us - last_us, 999);
		cr_assert_leq(due_us - last_us, 1001);
		last_us = due_us;
	}
}

/* 3 a second has no whole interval: nothing may be lost by rounding. */
Test(pace, steady_does_not_drift)
{
	struct pace pace;

	pace_init(&pace, PACE_STEADY, 3, START_US, 7);
	cr_assert_eq(take_all(&pace, START_US + INT64_C(3600000000)), 3 * 3600);
}

Test(pace, nothing_is_due_before_its_time)
{
	struct pace pace;
	int64_t due_us, wait_us;

	pace_init(&pace, PACE_STEADY, 10, START_US, 3);
	wait_us = pace_wait_us(&pace, START_US);
	cr_assert_gt(wait_us, 0);
	cr_assert_not(pace_take(&pace, START_US + wait_us - 1, &due_us));
	cr_assert_eq(pace_wait_us(&pace, START_US + wait_us), 0);
	cr_assert(pace_take(&pace, START_US + wait_us, &due_us));
	cr_assert_not(pace_take(&pace, START_US + wait_us, &due_us));
	cr_assert_gt(pace_wait_us(&pace, START_US + wait_us), 0);
}

/* No coordinated omission: who was away for a second gets all of it, each with the time
 * it was due. */
Test(pace, a_stall_is_charged_with_all_that_was_due)
{
	struct pace pace;
	int64_t due_us, last_us = 0;
	int n = 0;

	pace_init(&pace, PACE_STEADY, 1000, START_US, 5);
	while (pace_take(&pace, START_US + 1000000, &due_us)) {
		cr_assert_gt(due_us, last_us);
		last_us = due_us;
		n++;
	}
	cr_assert_eq(n, 1000);
	cr_assert_geq(last_us, START_US + 998999);
}

Test(pace, poisson_has_the_mean_and_the_spread_of_independent_arrivals)
{
	const int n = 200000;
	struct pace pace;
	double sum = 0, squares = 0;
	double last_us;

	pace_init(&pace, PACE_POISSON, 100, START_US, 11);
	last_us = pace.next_us;
	for (int i = 0; i < n; i++) {
		double gap_us;

		(void)take_one(&pace);
		gap_us = pace.next_us - last_us;
		last_us = pace.next_us;
		cr_assert_geq(gap_us, 0);
		sum += gap_us;
		squares += gap_us * gap_us;
	}
	/* Of exponential gaps the deviation equals the mean: 10 ms. */
	cr_assert_float_eq(sum / n, 10000, 100);
	cr_assert_float_eq(sqrt(squares / n - (sum / n) * (sum / n)), 10000, 200);
}

Test(pace, a_seed_gives_the_same_schedule_again)
{
	struct pace one, two, other;
	int differences = 0;

	pace_init(&one, PACE_POISSON, 100, START_US, 42);
	pace_init(&two, PACE_POISSON, 100, START_US, 42);
	pace_init(&other, PACE_POISSON, 100, START_US, 43);
	for (int i = 0; i < 100; i++) {
		const int64_t due_us = take_one(&one);

		cr_assert_eq(due_us, take_one(&two));
		differences += due_us != take_one(&other);
	}
	cr_assert_gt(differences, 90);
}

Test(pace, change_counts_from_now_on)
{
	const int64_t now_us = START_US + 500000;
	struct pace pace;

	pace_init(&pace, PACE_STEADY, 10, START_US, 9);
	cr_assert_eq(take_all(&pace, now_us), 5);
	pace_change(&pace, 1000, now_us);
	cr_assert_eq(take_all(&pace, now_us + 1000000), 1000);
}

Test(pace, change_forgets_what_is_overdue)
{
	const int64_t now_us = START_US + 60000000;
	struct pace pace;
	int64_t due_us;

	pace_init(&pace, PACE_STEADY, 100000, START_US, 9);
	pace_change(&pace, 10, now_us);
	cr_assert_not(pace_take(&pace, now_us - 1, &due_us));
	cr_assert_eq(take_all(&pace, now_us + 1000000), 10);
}

/* The wheel of the loop and the tool's own limits are far inside these. */
Test(pace, the_slowest_and_the_fastest)
{
	struct pace pace;

	pace_init(&pace, PACE_STEADY, 1e-14, START_US, 1);
	cr_assert_eq(take_all(&pace, START_US + 1000000), 0);
	cr_assert_eq(pace_wait_us(&pace, START_US), INT64_MAX);
	pace_init(&pace, PACE_STEADY, 1e7, START_US, 1);
	cr_assert_eq(take_all(&pace, START_US + 100000), 1000000);
	cr_assert_leq(pace_wait_us(&pace, START_US + 100000), 1);
}
