/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest groups, while all of them grow and shrink: at random against sorting them.
 */
#include "router/group_top.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "router/group.h"

#define GROUPS_N 40
#define STEPS_N 20000
#define KIND_USER 2

static struct group_table table;
static struct group_gateway gateway;
static const struct group *largest[GROUP_TOP_MAX];

static void setup(void)
{
	group_table_init(&table, 7);
	group_gateway_init(&gateway);
}

static void teardown(void)
{
	group_table_fini(&table);
}

TestSuite(group_top, .init = setup, .fini = teardown, .timeout = 60);

static struct group_key key_of(int kind, int group)
{
	static char name[16];

	(void)snprintf(name, sizeof(name), "g%d", group);
	return (struct group_key){ SLICE("chat"), kind, slice_from_str(name) };
}

static void add(int kind, int group, int connection)
{
	char id[16];
	const struct group_key key = key_of(kind, group);
	const struct group_member member = { .connection = { id, sizeof(id) } };

	(void)snprintf(id, sizeof(id), "%015d", connection);
	group_add(&table, &key, &member, &gateway);
}

static void drop(int group, int connection)
{
	char id[16];
	const struct group_key key = key_of(GROUP_KIND_LISTED, group);

	(void)snprintf(id, sizeof(id), "%015d", connection);
	group_remove(&table, &key, slice_make(id, sizeof(id)), &gateway);
}

static void fill(int group, int members_n)
{
	for (int i = 0; i < members_n; i++)
		add(GROUP_KIND_LISTED, group, i);
}

static void expect_sizes(const int *sizes, size_t n)
{
	cr_assert_eq(group_top_find(&table, largest), n);
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(largest[i]->members_n, (uint32_t)sizes[i], "%zu: %u", i,
			     largest[i]->members_n);
}

Test(group_top, without_groups_there_is_none)
{
	expect_sizes(NULL, 0);
}

Test(group_top, the_largest_is_first)
{
	fill(0, 2);
	fill(1, 5);
	fill(2, 3);
	expect_sizes((const int[]){ 5, 3, 2 }, 3);
}

Test(group_top, users_are_none)
{
	add(KIND_USER, 0, 1);
	expect_sizes(NULL, 0);
}

Test(group_top, one_that_grows_pushes_the_least_out)
{
	for (int i = 0; i < GROUP_TOP_MAX; i++)
		fill(i, 10 + i);
	fill(GROUP_TOP_MAX, 11);
	expect_sizes((const int[]){ 19, 18, 17, 16, 15, 14, 13, 12, 11, 11 },
		     GROUP_TOP_MAX);
}

Test(group_top, one_in_it_that_has_grown_is_not_the_least)
{
	for (int i = 0; i < GROUP_TOP_MAX; i++)
		fill(i, 3);
	for (int i = 0; i < GROUP_TOP_MAX; i++)
		fill(i, 9);
	fill(GROUP_TOP_MAX, 5);
	/* Before anybody looks at all groups, which would hide it. */
	for (int i = 0; i < GROUP_TOP_MAX; i++)
		cr_expect_eq(table.top.items[i]->members_n, 9);
	expect_sizes((const int[]){ 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 }, GROUP_TOP_MAX);
}

Test(group_top, one_that_ends_makes_room)
{
	for (int i = 0; i <= GROUP_TOP_MAX; i++)
		fill(i, 2 + i);
	for (int i = 0; i < 2 + GROUP_TOP_MAX; i++)
		drop(GROUP_TOP_MAX, i);
	expect_sizes((const int[]){ 11, 10, 9, 8, 7, 6, 5, 4, 3, 2 }, GROUP_TOP_MAX);
}

Test(group_top, when_one_shrinks_the_next_is_found)
{
	for (int i = 0; i <= GROUP_TOP_MAX; i++)
		fill(i, 10 + i);
	for (int i = 1; i < 20; i++)
		drop(GROUP_TOP_MAX, i);
	expect_sizes((const int[]){ 19, 18, 17, 16, 15, 14, 13, 12, 11, 10 },
		     GROUP_TOP_MAX);
}

/* More groups than one look takes in: each is looked at in turn. */
Test(group_top, in_a_large_table_it_is_found_when_the_look_has_come_round)
{
	const int groups_n = GROUP_TOP_LOOK * 2 + GROUP_TOP_LOOK / 2;
	int looks = 1;

	for (int i = 0; i < groups_n; i++)
		add(GROUP_KIND_LISTED, i, 0);
	for (int i = 0; i < GROUP_TOP_MAX; i++)
		fill(i, 20);
	fill(groups_n - 1, 15);
	for (int i = 1; i < 20; i++)
		drop(0, i);
	while (group_top_find(&table, largest) != GROUP_TOP_MAX ||
	       largest[GROUP_TOP_MAX - 1]->members_n != 15)
		cr_assert_leq(++looks, 3);
	cr_expect_eq(largest[0]->members_n, 20);
}

/* ---- at random */

static uint64_t rng;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng % n);
}

static int compare_down(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

static void check(void)
{
	int sizes[GROUPS_N];
	int n = 0;

	for (int i = 0; i < GROUPS_N; i++) {
		const struct group_key key = key_of(GROUP_KIND_LISTED, i);
		const struct group *group = group_find(&table, &key);

		sizes[i] = group != NULL ? (int)group->members_n : 0;
		n += group != NULL;
	}
	qsort(sizes, GROUPS_N, sizeof(sizes[0]), compare_down);
	expect_sizes(sizes, (size_t)(n < GROUP_TOP_MAX ? n : GROUP_TOP_MAX));
}

Test(group_top, agrees_with_sorting_at_random)
{
	const char *seed = getenv("TEST_SEED");

	rng = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	rng |= 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	for (int i = 0; i < STEPS_N; i++) {
		const int group = (int)below(GROUPS_N);
		const int connection = (int)below(20);

		if (below(2) == 0)
			add(GROUP_KIND_LISTED, group, connection);
		else
			drop(group, connection);
		if (below(1000) == 0)
			group_remove_gateway(&table, &gateway);
		if (below(10) == 0)
			check();
	}
}
