/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids that may open no second connection: for how long, and how many.
 */
#include "gateway/spent.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW 1700000000

static void id_of(char id[CONN_ID_LEN], int number)
{
	char text[CONN_ID_LEN + 1];

	(void)snprintf(text, sizeof(text), "%022d", number);
	memcpy(id, text, CONN_ID_LEN);
}

static bool add(struct spent *spent, int number, int64_t until_s, int64_t now_s)
{
	char id[CONN_ID_LEN];

	id_of(id, number);
	return spent_add(spent, id, until_s, now_s);
}

static bool has(const struct spent *spent, int number)
{
	char id[CONN_ID_LEN];

	id_of(id, number);
	return spent_has(spent, slice_make(id, CONN_ID_LEN));
}

Test(spent, is_remembered_alone)
{
	struct spent spent;

	spent_init(&spent, 1);
	cr_expect_not(has(&spent, 1));
	cr_expect(add(&spent, 1, NOW + 15, NOW));
	cr_expect(has(&spent, 1));
	cr_expect_not(has(&spent, 2));
	spent_fini(&spent);
}

Test(spent, the_next_one_clears_what_is_over)
{
	struct spent spent;

	spent_init(&spent, 1);
	cr_expect(add(&spent, 1, NOW + 15, NOW));
	cr_expect(add(&spent, 2, NOW + 16, NOW + 15));
	cr_expect_eq(spent.ids.count, 2);
	cr_expect(add(&spent, 3, NOW + 31, NOW + 16));
	cr_expect_eq(spent.ids.count, 2);
	cr_expect_not(has(&spent, 1), "its last second was NOW + 15");
	cr_expect(has(&spent, 2));
	spent_fini(&spent);
}

Test(spent, past_the_limit_the_oldest_is_forgotten)
{
	struct spent spent;

	spent_init(&spent, 1);
	for (int i = 0; i < SPENT_MAX; i++)
		cr_assert(add(&spent, i, NOW + 15, NOW));
	cr_expect(has(&spent, 0));
	cr_expect_not(add(&spent, SPENT_MAX, NOW + 15, NOW));
	cr_expect_eq(spent.ids.count, SPENT_MAX);
	cr_expect_not(has(&spent, 0));
	cr_expect(has(&spent, 1));
	cr_expect(has(&spent, SPENT_MAX));
	spent_fini(&spent);
}
