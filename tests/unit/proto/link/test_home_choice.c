/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which replica is the home, and when it stops being it. Replicas are named by where they
 * stand in this process's own order: 0 is the best.
 */
#include "proto/link/home_choice.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define START_MS 100000

static struct shards list;
static struct home_choice home;
static int64_t now_ms;

static void set_up(void)
{
	now_ms = START_MS;
	cr_assert_eq(shards_parse(&list, "p1=a,p2=b,p3=c"), OK);
	home_choice_init(&home, SLICE("g1"), &list, now_ms);
}

static void tear_down(void)
{
	home_choice_fini(&home);
	shards_fini(&list);
}

TestSuite(home_choice, .init = set_up, .fini = tear_down, .timeout = 60);

static void set(size_t place, bool is_up)
{
	home_choice_set(&home, home.replicas[place].index, is_up, now_ms);
}

/* The place of the home; -1: none. */
static ptrdiff_t choose(void)
{
	(void)home_choice_make(&home, now_ms);
	return home.chosen;
}

/* From the start on, for longer than anything is waited for. */
static void settle(bool a, bool b, bool c)
{
	set(0, a);
	set(1, b);
	set(2, c);
	now_ms += HOME_LEAVE_MS + HOME_RETURN_MS;
	(void)choose();
}

/* ---- the order */

Test(home_choice, everyone_has_the_order_that_follows_from_the_names)
{
	struct home_choice again;

	home_choice_init(&again, SLICE("g1"), &list, 0);
	for (size_t i = 0; i < home.n; i++)
		cr_expect_eq(again.replicas[i].index, home.replicas[i].index);
	home_choice_fini(&again);
}

Test(home_choice, processes_spread_over_the_replicas)
{
	size_t first_at[3] = { 0 };

	for (int i = 0; i < 3000; i++) {
		struct home_choice other;
		char name[16];

		(void)snprintf(name, sizeof(name), "g%d", i); /* it fits */
		home_choice_init(&other, slice_from_str(name), &list, 0);
		first_at[other.replicas[0].index]++;
		home_choice_fini(&other);
	}
	for (size_t i = 0; i < 3; i++)
		cr_expect(first_at[i] > 800 && first_at[i] < 1200, "%zu: %zu", i,
			  first_at[i]);
}

Test(home_choice, one_replica_less_moves_only_those_that_were_there)
{
	struct shards fewer;

	cr_assert_eq(shards_parse(&fewer, "p1=a,p3=c"), OK);
	for (int i = 0; i < 300; i++) {
		struct home_choice all;
		struct home_choice some;
		char name[16];

		(void)snprintf(name, sizeof(name), "g%d", i); /* it fits */
		home_choice_init(&all, slice_from_str(name), &list, 0);
		home_choice_init(&some, slice_from_str(name), &fewer, 0);
		if (all.replicas[0].index != 1)
			cr_expect_str_eq(list.items[all.replicas[0].index].name,
					 fewer.items[some.replicas[0].index].name);
		home_choice_fini(&all);
		home_choice_fini(&some);
	}
	shards_fini(&fewer);
}

/* ---- the first choice */

Test(home_choice, nobody_is_up_nobody_is_home)
{
	cr_expect_not(home_choice_make(&home, now_ms));
	cr_expect_eq(home_choice_index(&home), -1);
	cr_expect_eq(home_choice_due_ms(&home), -1);
	settle(false, false, false);
	cr_expect_eq(home.chosen, -1);
}

Test(home_choice, the_best_is_taken_at_once)
{
	set(0, true);
	cr_expect(home_choice_make(&home, now_ms));
	cr_expect_eq(home_choice_index(&home), (ptrdiff_t)home.replicas[0].index);
	cr_expect_eq(home_choice_due_ms(&home), -1);
	cr_expect_not(home_choice_make(&home, now_ms));
}

Test(home_choice, at_a_start_the_better_ones_are_waited_for)
{
	set(1, true);
	cr_expect_eq(choose(), -1);
	cr_expect_eq(home_choice_due_ms(&home), START_MS + HOME_LEAVE_MS);
	now_ms += HOME_LEAVE_MS - 1;
	cr_expect_eq(choose(), -1);
	now_ms++;
	cr_expect_eq(choose(), 1);
}

Test(home_choice, a_better_one_that_comes_meanwhile_is_taken)
{
	set(1, true);
	cr_expect_eq(choose(), -1);
	now_ms += HOME_LEAVE_MS - 1;
	set(0, true);
	cr_expect_eq(choose(), 0);
}

/* ---- away from one that is down */

Test(home_choice, a_home_that_is_away_for_a_moment_stays)
{
	settle(true, true, true);
	set(0, false);
	cr_expect_eq(choose(), 0);
	cr_expect_eq(home_choice_due_ms(&home), now_ms + HOME_LEAVE_MS);
	now_ms += HOME_LEAVE_MS - 1;
	cr_expect_eq(choose(), 0);
	set(0, true);
	now_ms += HOME_LEAVE_MS;
	cr_expect_eq(choose(), 0);
	cr_expect_eq(home_choice_due_ms(&home), -1);
}

Test(home_choice, a_home_that_stays_away_is_left_for_the_next)
{
	settle(true, true, true);
	set(0, false);
	now_ms += HOME_LEAVE_MS;
	cr_expect_eq(choose(), 1);
}

Test(home_choice, one_that_is_down_is_passed_over)
{
	settle(true, false, true);
	set(0, false);
	now_ms += HOME_LEAVE_MS;
	cr_expect_eq(choose(), 2);
}

Test(home_choice, without_another_there_is_none)
{
	settle(true, false, false);
	set(0, false);
	now_ms += HOME_LEAVE_MS;
	cr_expect_eq(choose(), -1);
	cr_expect_eq(home_choice_due_ms(&home), -1);
	set(0, true);
	cr_expect_eq(choose(), 0);
}

Test(home_choice, hearing_it_twice_does_not_begin_the_wait_again)
{
	settle(true, true, true);
	set(0, false);
	now_ms += HOME_LEAVE_MS - 1;
	set(0, false);
	now_ms++;
	cr_expect_eq(choose(), 1);
}

/* ---- back to a better one */

Test(home_choice, a_better_one_is_gone_back_to_when_it_is_steady)
{
	settle(false, true, true);
	cr_assert_eq(home.chosen, 1);
	set(0, true);
	cr_expect_eq(choose(), 1);
	cr_expect_eq(home_choice_due_ms(&home), now_ms + HOME_RETURN_MS);
	now_ms += HOME_RETURN_MS - 1;
	cr_expect_eq(choose(), 1);
	now_ms++;
	cr_expect_eq(choose(), 0);
}

Test(home_choice, a_better_one_that_comes_and_goes_is_not)
{
	settle(false, true, true);
	for (int i = 0; i < 5; i++) {
		set(0, true);
		now_ms += HOME_RETURN_MS - 1;
		cr_expect_eq(choose(), 1);
		set(0, false);
		cr_expect_eq(choose(), 1);
		now_ms++;
	}
}

Test(home_choice, a_worse_one_is_not_looked_at)
{
	settle(true, false, false);
	set(1, true);
	set(2, true);
	now_ms += 10 * HOME_RETURN_MS;
	cr_expect_eq(choose(), 0);
	cr_expect_eq(home_choice_due_ms(&home), -1);
}

Test(home_choice, a_better_one_ends_the_stay_with_one_that_is_away)
{
	settle(false, true, false);
	set(0, true);
	now_ms += HOME_RETURN_MS - 10;
	(void)choose();
	set(1, false);
	cr_expect_eq(home_choice_due_ms(&home), now_ms + 10);
	now_ms += 10;
	cr_expect_eq(choose(), 0);
}

/* ---- what is due comes */

Test(home_choice, at_the_due_time_nothing_more_is_due)
{
	unsigned seed = 1;

	for (int i = 0; i < 20000; i++) {
		int64_t due_ms;

		seed = seed * 1103515245u + 12345u;
		set((seed >> 16) % 3, (seed >> 20) % 2 == 0);
		now_ms += (seed >> 8) % 1500;
		(void)choose();
		due_ms = home_choice_due_ms(&home);
		if (due_ms < 0)
			continue;
		cr_assert_gt(due_ms, now_ms);
		if ((seed >> 24) % 2 == 0)
			continue;
		now_ms = due_ms;
		(void)choose();
		due_ms = home_choice_due_ms(&home);
		cr_assert(due_ms < 0 || due_ms > now_ms);
	}
}
