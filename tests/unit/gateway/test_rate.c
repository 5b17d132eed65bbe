/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets fill as time goes by, are one's own, and are forgotten when they are full.
 */
#include "gateway/rate.h"

#include <criterion/criterion.h>

#define NOW 1000000

static const struct rate_rule TEN_A_SECOND = { 10, 1000 };
static const struct rate_rule FREE = { 0, 1000 };

Test(rate, a_full_bucket_gives_its_number_and_no_more)
{
	struct rate rate = { 0 };

	for (int i = 0; i < 10; i++)
		cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW), 0);
	cr_expect_eq(rate_look(&rate, &TEN_A_SECOND, NOW), 100);
	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW), 100);
	/* What was refused costs nothing. */
	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW + 99), 1);
	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW + 100), 0);
	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW + 100), 100);
}

Test(rate, a_bucket_never_holds_more_than_its_number)
{
	struct rate rate = { 0 };

	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW), 0);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW + 3600000), 0);
	cr_expect_eq(rate_take(&rate, &TEN_A_SECOND, NOW + 3600000), 100);
}

Test(rate, what_has_come_is_charged_and_its_debt_takes_time)
{
	struct rate rate = { 0 };

	cr_expect_eq(rate_charge(&rate, &TEN_A_SECOND, 10, NOW), 0);
	cr_expect_eq(rate_charge(&rate, &TEN_A_SECOND, 1, NOW), 100);
	cr_expect_eq(rate_charge(&rate, &TEN_A_SECOND, 25, NOW), 2600);
	cr_expect_eq(rate_charge(&rate, &TEN_A_SECOND, 0, NOW + 2599), 1);
	cr_expect_eq(rate_charge(&rate, &TEN_A_SECOND, 0, NOW + 2600), 0);
}

Test(rate, without_a_limit_nothing_is_counted)
{
	struct rate rate = { 0 };

	cr_expect_eq(rate_take(&rate, &FREE, NOW), 0);
	cr_expect_eq(rate_charge(&rate, &FREE, 1 << 30, NOW), 0);
	cr_expect_eq(rate_look(&rate, &FREE, NOW), 0);
	cr_expect_eq(rate.full_ns, 0);
}

Test(rate, the_largest_numbers_do_not_overflow)
{
	const struct rate_rule slowest = { 1, RATE_PERIOD_MS_MAX };
	const struct rate_rule fastest = { RATE_N_MAX, RATE_PERIOD_MS_MAX };
	struct rate rate = { 0 };

	cr_expect_eq(rate_charge(&rate, &fastest, UINT32_MAX, NOW), 0);
	rate = (struct rate){ 0 };
	cr_expect_eq(rate_take(&rate, &slowest, INT64_MAX / 2000000), 0);
	cr_expect_eq(rate_take(&rate, &slowest, INT64_MAX / 2000000), RATE_PERIOD_MS_MAX);
}

/* ---- by whom */

static int64_t take(struct rate_table *table, const char *key, int64_t now_ms)
{
	return rate_table_take(table, slice_from_str(key), 0, &TEN_A_SECOND, now_ms);
}

Test(rate_table, everybody_has_a_bucket_of_each_kind)
{
	uint64_t forgotten = 0;
	struct rate_table table;

	rate_table_init(&table, 7, &forgotten);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(take(&table, "ann", NOW), 0);
	cr_expect_eq(take(&table, "ann", NOW), 100);
	cr_expect_eq(rate_table_look(&table, SLICE("ann"), 0, &TEN_A_SECOND, NOW), 100);
	cr_expect_eq(rate_table_look(&table, SLICE("ann"), 1, &TEN_A_SECOND, NOW), 0);
	cr_expect_eq(rate_table_look(&table, SLICE("ann"), 0, &FREE, NOW), 0);
	cr_expect_eq(take(&table, "bob", NOW), 0);
	cr_expect_eq(rate_table_look(&table, SLICE("eve"), 0, &TEN_A_SECOND, NOW), 0);
	cr_expect_eq(table.entries.count, 2);
	rate_table_fini(&table);
}

Test(rate_table, who_is_full_again_is_forgotten)
{
	uint64_t forgotten = 0;
	struct rate_table table;

	rate_table_init(&table, 7, &forgotten);
	(void)take(&table, "ann", NOW);
	(void)take(&table, "bob", NOW + 99);
	cr_expect_eq(table.entries.count, 2);
	(void)take(&table, "eve", NOW + 100);
	cr_expect_eq(table.entries.count, 2);
	cr_expect_eq(forgotten, 0);
	rate_table_fini(&table);
}

Test(rate_table, who_is_remembered_is_bounded)
{
	const struct rate_rule hourly = { 1, RATE_PERIOD_MS_MAX };
	uint64_t forgotten = 0;
	struct rate_table table;

	rate_table_init(&table, 7, &forgotten);
	for (uint32_t i = 0; i <= RATE_ENTRIES_MAX; i++) {
		const struct slice key = slice_make((const char *)&i, sizeof(i));

		cr_assert_eq(rate_table_take(&table, key, 2, &hourly, NOW), 0);
		cr_assert_eq(forgotten, i == RATE_ENTRIES_MAX);
	}
	cr_expect_eq(table.entries.count, RATE_ENTRIES_MAX);
	rate_table_fini(&table);
}

Test(rate_table, who_holds_something_is_known_until_he_holds_nothing)
{
	uint64_t forgotten = 0;
	struct rate_table table;
	uint64_t first;
	uint64_t second;

	rate_table_init(&table, 7, &forgotten);
	cr_expect(rate_table_has_room(&table, SLICE("ann"), 1));
	first = rate_table_enter(&table, SLICE("ann"));
	cr_expect_not(rate_table_has_room(&table, SLICE("ann"), 1));
	cr_expect(rate_table_has_room(&table, SLICE("ann"), 2));
	cr_expect(rate_table_has_room(&table, SLICE("ann"), 0));
	cr_expect(rate_table_has_room(&table, SLICE("bob"), 1));
	second = rate_table_enter(&table, SLICE("ann"));
	cr_expect_eq(first, second);
	cr_expect_not(rate_table_has_room(&table, SLICE("ann"), 2));
	rate_table_leave(&table, first);
	cr_expect(rate_table_has_room(&table, SLICE("ann"), 2));
	cr_expect_eq(table.held.n, 1);
	rate_table_leave(&table, second);
	cr_expect_eq(table.held.n, 0);
	cr_expect_eq(table.entries.count, 0, "holding empties no bucket");
	rate_table_fini(&table);
}

Test(rate_table, who_leaves_with_an_empty_bucket_is_remembered)
{
	uint64_t forgotten = 0;
	struct rate_table table;
	uint64_t holder;

	rate_table_init(&table, 7, &forgotten);
	holder = rate_table_enter(&table, SLICE("ann"));
	(void)take(&table, "ann", NOW);
	rate_table_leave(&table, holder);
	cr_expect_eq(table.entries.count, 1);
	(void)take(&table, "bob", NOW + 1000);
	cr_expect_eq(table.entries.count, 1);
	rate_table_fini(&table);
}
