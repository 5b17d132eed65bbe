/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of members and connections in a range, against counting them one by one.
 */
#include "bench/scenario_groups.h"

#include <criterion/criterion.h>

static uint32_t count_members(const struct bench_conf *conf, uint32_t group,
			      uint32_t first, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = first; i < first + n; i++)
		found += groups_of(conf, i) == group;
	return found;
}

static uint32_t count_connections(const struct bench_conf *conf, uint32_t user,
				  uint32_t first, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = first; i < first + n; i++)
		found += users_of(conf, i) == user;
	return found;
}

Test(scenario_groups, members_are_counted_as_they_are)
{
	static const struct {
		int64_t connections, groups, group_size;
	} rows[] = {
		{ 100, 10, 10 }, { 100, 1, 0 },	 { 100, 7, 0 }, { 100, 100, 1 },
		{ 103, 5, 10 },	 { 20, 10, 10 }, { 45, 2, 7 },	{ 5, 10, 0 },
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		const struct bench_conf conf = { .connections = rows[r].connections,
						 .groups = rows[r].groups,
						 .group_size = rows[r].group_size };
		const uint32_t n = (uint32_t)conf.connections;

		for (uint32_t group = 0; group < conf.groups; group++)
			for (uint32_t first = 0; first <= n; first++)
				cr_assert_eq(
					groups_members(&conf, group, first, n - first),
					count_members(&conf, group, first, n - first),
					"row %zu, group %u from %u", r, group, first);
	}
}

Test(scenario_groups, a_size_of_nought_shares_all_connections_out)
{
	const struct bench_conf conf = { .connections = 100, .groups = 7 };

	cr_assert_eq(groups_size(&conf), 15);
	cr_assert_eq(groups_of(&conf, 99), 6);
	cr_assert_eq(groups_members(&conf, 6, 0, 100), 10);
}

Test(scenario_groups, more_connections_than_places_begin_again)
{
	const struct bench_conf conf = { .connections = 30,
					 .groups = 2,
					 .group_size = 10 };

	cr_assert_eq(groups_of(&conf, 19), 1);
	cr_assert_eq(groups_of(&conf, 20), 0);
	cr_assert_eq(groups_members(&conf, 0, 0, 30), 20);
}

/* Two million connections in one group: no product overflows. */
Test(scenario_groups, the_largest_run)
{
	const struct bench_conf conf = { .connections = 2000000,
					 .groups = 2000000,
					 .group_size = 2000000 };

	cr_assert_eq(groups_members(&conf, 0, 0, 2000000), 2000000);
	cr_assert_eq(groups_members(&conf, 1999999, 0, 2000000), 0);
}

Test(scenario_groups, connections_of_users_are_counted_as_they_are)
{
	for (int64_t users = 0; users <= 12; users++) {
		const struct bench_conf conf = { .connections = 40, .users = users };

		for (uint32_t user = 0; user < users_n(&conf); user++)
			for (uint32_t first = 0; first <= 40; first++)
				cr_assert_eq(
					users_connections(&conf, user, first, 40 - first),
					count_connections(&conf, user, first,
							  40 - first));
	}
}

Test(scenario_groups, a_range_has_its_first_and_not_its_end)
{
	cr_assert_eq(range_has(9, 10, 5), 0);
	cr_assert_eq(range_has(10, 10, 5), 1);
	cr_assert_eq(range_has(14, 10, 5), 1);
	cr_assert_eq(range_has(15, 10, 5), 0);
	cr_assert_eq(range_has(10, 10, 0), 0);
}

Test(scenario_groups, names_have_numbers)
{
	char out[NUMBERED_BYTES];

	cr_assert(slice_equal(group_name(out, 0), SLICE("group-0")));
	cr_assert(slice_equal(user_name(out, UINT32_MAX), SLICE("user-4294967295")));
}
