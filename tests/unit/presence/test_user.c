/* SPDX-License-Identifier: Apache-2.0 */
/* The order of users, and that it outlives the holes in it. */
#include "presence/user.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct users users;

static void setup(void)
{
	users_init(&users, 0, 1);
}

static void teardown(void)
{
	for (const struct user *user; (user = users_next(&users, 0)) != NULL;)
		users_remove(&users, users_find(&users, user_id(user)));
	users_fini(&users);
}

TestSuite(user, .init = setup, .fini = teardown);

static struct user *add(unsigned i)
{
	char id[16];

	(void)snprintf(id, sizeof(id), "u%u", i);
	return users_add(&users, slice_from_str(id));
}

static struct user *find(unsigned i)
{
	char id[16];

	(void)snprintf(id, sizeof(id), "u%u", i);
	return users_find(&users, slice_from_str(id));
}

Test(user, serials_follow_the_one_given)
{
	users_fini(&users);
	users_init(&users, 70, 1);
	cr_expect_eq(add(1)->serial, 71);
	cr_expect_eq(add(2)->serial, 72);
}

Test(user, next_goes_in_order_of_coming)
{
	struct user *first = add(9);
	struct user *second = add(3);

	cr_expect_eq(users_next(&users, 0), first);
	cr_expect_eq(users_next(&users, first->serial), second);
	cr_expect_null(users_next(&users, second->serial));
	cr_expect_null(users_next(&users, UINT64_MAX));
}

Test(user, next_passes_over_who_went)
{
	uint64_t serial = add(1)->serial;

	(void)add(2);
	(void)add(3);
	users_remove(&users, find(1));
	users_remove(&users, find(2));
	cr_expect_eq(users_next(&users, serial), find(3));
	cr_expect_null(find(1));
}

Test(user, who_comes_back_goes_behind)
{
	(void)add(1);
	(void)add(2);
	users_remove(&users, find(1));
	(void)add(1);
	cr_expect_eq(users_next(&users, 0), find(2));
	cr_expect_eq(users_next(&users, find(2)->serial), find(1));
}

Test(user, holes_are_closed_and_the_order_stays)
{
	uint64_t serial = 0;

	for (unsigned i = 0; i < 1000; i++)
		(void)add(i);
	for (unsigned i = 0; i < 1000; i++) {
		if (i % 10 != 0)
			users_remove(&users, find(i));
	}
	cr_expect_lt(users.places_n, 1000);
	for (unsigned i = 0; i < 1000; i += 10) {
		const struct user *user = users_next(&users, serial);

		cr_assert_eq(user, find(i));
		serial = user->serial;
	}
	cr_expect_null(users_next(&users, serial));
}

Test(user, a_name_is_replaced_and_taken_back)
{
	struct user *user = add(1);

	cr_expect_eq(user_name(user).len, 0);
	user_set_name(user, SLICE("Ann"));
	user_set_name(user, SLICE("Ann"));
	cr_expect(slice_equal(user_name(user), SLICE("Ann")));
	user_set_name(user, SLICE_NONE);
	cr_expect_eq(user_name(user).len, 0);
}
