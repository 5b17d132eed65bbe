/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order against a plain list of who is in: ids that come rising, falling and in none,
 * and go again, so that blocks split and join.
 */
#include "presence/user_order.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/user.h"
#include "proto/base/mem.h"

#define MANY 5000

static struct user_order order;
static struct user *users[MANY]; /* by number; in or not */
static bool is_in[MANY];

static void setup(void)
{
	char id[16];

	user_order_init(&order);
	for (unsigned i = 0; i < MANY; i++) {
		const int len = snprintf(id, sizeof(id), "u%05u", i);

		users[i] = mem_zalloc(sizeof(*users[i]) + sizeof(id));
		users[i]->id_len = (uint32_t)len;
		memcpy(users[i]->id, id, (size_t)len);
	}
}

static void teardown(void)
{
	user_order_fini(&order);
	for (unsigned i = 0; i < MANY; i++)
		mem_free(users[i]);
}

TestSuite(user_order, .init = setup, .fini = teardown);

static void add(unsigned i)
{
	user_order_add(&order, users[i]);
	is_in[i] = true;
}

static void take(unsigned i)
{
	user_order_remove(&order, users[i]);
	is_in[i] = false;
}

/* From number `from` on, everybody who is in and nobody else. */
static void expect_order(unsigned from)
{
	struct user_place place = user_order_seek(&order, user_id(users[from]));

	for (unsigned i = from; i < MANY; i++) {
		if (is_in[i])
			cr_assert_eq(user_order_next(&order, &place), users[i], "%u", i);
	}
	cr_expect_null(user_order_next(&order, &place));
	cr_expect_null(user_order_next(&order, &place));
}

static void expect_all(void)
{
	expect_order(0);
	for (unsigned i = 0; i < MANY; i += 97)
		expect_order(i);
}

Test(user_order, an_empty_one_has_nobody)
{
	expect_all();
}

Test(user_order, those_who_come_rising_fill_their_blocks)
{
	for (unsigned i = 0; i < MANY; i++)
		add(i);
	expect_all();
	cr_expect_leq(order.blocks_n, MANY / 256 + 1);
}

Test(user_order, those_who_come_falling)
{
	for (unsigned i = MANY; i-- > 0;)
		add(i);
	expect_all();
	cr_expect_leq(order.blocks_n, MANY / 128 + 1);
}

Test(user_order, all_may_go_from_either_end)
{
	for (unsigned i = 0; i < MANY; i++)
		add(i);
	for (unsigned i = 0; i < MANY / 2; i++)
		take(i);
	for (unsigned i = MANY; i-- > MANY / 2 + 10;)
		take(i);
	expect_all();
	cr_expect_leq(order.blocks_n, 1);
	for (unsigned i = MANY / 2; i < MANY / 2 + 10; i++)
		take(i);
	cr_expect_eq(order.blocks_n, 0);
	expect_all();
}

Test(user_order, blocks_join_when_most_have_gone)
{
	for (unsigned i = 0; i < MANY; i++)
		add(i);
	for (unsigned i = 0; i < MANY; i++) {
		if (i % 50 != 0)
			take(i);
	}
	expect_all();
	cr_expect_leq(order.blocks_n, 2 * (MANY / 50) / 128 + 1);
}

Test(user_order, they_come_and_go_in_no_order)
{
	uint64_t state = 12345;

	for (unsigned n = 0; n < 20 * MANY; n++) {
		unsigned i;

		state = state * 6364136223846793005u + 1442695040888963407u;
		i = (unsigned)(state >> 33) % MANY;
		if (!is_in[i])
			add(i);
		else if (n % 3 != 0)
			take(i);
	}
	expect_all();
}

Test(user_order, any_id_can_be_looked_for)
{
	struct user_place place;

	add(1);
	add(3);
	place = user_order_seek(&order, SLICE("u00002"));
	cr_expect_eq(user_order_next(&order, &place), users[3]);
	place = user_order_seek(&order, SLICE("u000010"));
	cr_expect_eq(user_order_next(&order, &place), users[3]);
	place = user_order_seek(&order, SLICE("u"));
	cr_expect_eq(user_order_next(&order, &place), users[1]);
	place = user_order_seek(&order, SLICE_NONE);
	cr_expect_eq(user_order_next(&order, &place), users[1]);
	place = user_order_seek(&order, SLICE("v"));
	cr_expect_null(user_order_next(&order, &place));
}
