/* SPDX-License-Identifier: Apache-2.0 */
/* Users by id; test_user_order.c has their order. */
#include "presence/user.h"

#include <criterion/criterion.h>

static struct users users;

static void setup(void)
{
	users_init(&users, 1);
}

static void teardown(void)
{
	struct user *ann = users_find(&users, SLICE("ann"));

	if (ann != NULL)
		users_remove(&users, ann);
	users_fini(&users);
}

TestSuite(user, .init = setup, .fini = teardown);

Test(user, one_is_found_until_removed)
{
	struct user_place place;
	struct user *user = users_add(&users, SLICE("ann"));

	cr_expect_eq(users_find(&users, SLICE("ann")), user);
	cr_expect_null(users_find(&users, SLICE("an")));
	place = user_order_seek(&users.order, SLICE(""));
	cr_expect_eq(user_order_next(&users.order, &place), user);
	users_remove(&users, user);
	cr_expect_null(users_find(&users, SLICE("ann")));
	place = user_order_seek(&users.order, SLICE(""));
	cr_expect_null(user_order_next(&users.order, &place));
}

Test(user, a_name_is_replaced_and_taken_back)
{
	struct user *user = users_add(&users, SLICE("ann"));

	cr_expect_eq(user_name(user).len, 0);
	user_set_name(user, SLICE("Ann"));
	user_set_name(user, SLICE("Ann"));
	cr_expect(slice_equal(user_name(user), SLICE("Ann")));
	user_set_name(user, SLICE_NONE);
	cr_expect_eq(user_name(user).len, 0);
}
