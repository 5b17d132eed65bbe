/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches against model servers, whose highest rate is known.
 */
#include "bench/search.h"

#include <criterion/criterion.h>

/* Searches a server that holds up to `capacity`; every `hiccup`-th step fails anyhow. */
static struct search search_of(double from, double to, double precision, double capacity,
			       int hiccup)
{
	struct search search;
	double rate = 0;
	int steps = 0;

	search_init(&search, from, to, precision);
	while (search_next(&search, &rate)) {
		steps++;
		cr_assert_leq(steps, SEARCH_STEPS_MAX);
		cr_assert_geq(rate, 1);
		cr_assert_leq(rate, to);
		search_note(&search,
			    rate <= capacity && (hiccup == 0 || steps % hiccup != 0));
	}
	return search;
}

static void expect_found(double from, double precision, double capacity)
{
	struct search search = search_of(from, 1e8, precision, capacity, 0);

	cr_expect_leq(search.held, capacity, "from %g, capacity %g", from, capacity);
	cr_expect(search.held * (1 + precision) >= capacity - 1,
		  "from %g, capacity %g: %g", from, capacity, search.held);
}

Test(search, the_highest_rate_is_found_from_above_and_below)
{
	static const double capacities[] = { 1,	   2,	  3,	  10,	   99,
					     1000, 12345, 777777, 50000000 };

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		expect_found(1, 0.05, capacities[i]);
		expect_found(100, 0.05, capacities[i]);
		expect_found(100000, 0.05, capacities[i]);
		expect_found(100, 0.01, capacities[i]);
	}
}

Test(search, a_server_that_holds_nothing_is_given_up)
{
	struct search search = search_of(1000, 1e6, 0.05, 0, 0);

	cr_expect_float_eq(search.held, 0, 1e-9);
	cr_expect(search.is_done);
}

Test(search, the_limit_is_tried_and_not_passed)
{
	struct search search = search_of(100, 1000, 0.05, 1e9, 0);

	cr_expect_float_eq(search.held, 1000, 1e-9);
	search = search_of(1000, 1000, 0.05, 1e9, 0);
	cr_expect_float_eq(search.held, 1000, 1e-9);
	cr_expect_eq(search.steps, 1);
}

Test(search, a_hiccup_is_forgiven)
{
	struct search search = search_of(100, 1e6, 0.05, 10000, 3);

	cr_expect_leq(search.held, 10000);
	cr_expect_geq(search.held, 9400);
}

Test(search, it_ends_even_when_nothing_repeats)
{
	struct search search;
	double rate = 0;
	int steps = 0;

	search_init(&search, 1, 1e9, 1e-9);
	while (search_next(&search, &rate)) {
		/* Each second try succeeds. */
		search_note(&search, ++steps % 2 == 0);
		cr_assert_leq(steps, SEARCH_STEPS_MAX);
	}
}

Test(search, a_pace_is_kept_but_for_the_edges)
{
	cr_expect(search_kept_pace(1000, 970, 10));
	cr_expect(search_kept_pace(1000, 969.8, 10));
	cr_expect_not(search_kept_pace(1000, 969.7, 10));
	cr_expect(search_kept_pace(10, 0, 0.2));
	cr_expect(search_kept_pace(0, 0, 10));
}
