/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users own a copy of all they are.
 */
#include "gateway/user.h"

#include <criterion/criterion.h>

Test(user, copies_everything)
{
	char id[] = "u1";
	char role[] = "admin";
	struct slice roles[] = { slice_make(role, 5), SLICE("") };
	struct user *user =
		user_new(slice_make(id, 2), SLICE("Ada"), SLICE("{}"), roles, 2);

	id[0] = role[0] = 'x';
	cr_expect(slice_equal(user->id, SLICE("u1")));
	cr_expect(slice_equal(user->name, SLICE("Ada")));
	cr_expect(slice_equal(user->claims, SLICE("{}")));
	cr_expect_eq(user->roles_n, 2);
	cr_expect(slice_equal(user->roles[0], SLICE("admin")));
	cr_expect_eq(user->roles[1].len, 0);
	user_free(user);
}

Test(user, takes_as_many_roles_as_allowed)
{
	struct slice roles[USER_ROLES_MAX];
	struct user *user;

	for (size_t i = 0; i < USER_ROLES_MAX; i++)
		roles[i] = SLICE("r");
	user = user_new(SLICE("u"), SLICE_NONE, SLICE_NONE, roles, USER_ROLES_MAX);
	cr_expect_eq(user->roles_n, USER_ROLES_MAX);
	user_free(user);
}

Test(user, anonymous_has_nothing)
{
	struct user *user = user_anonymous();

	cr_expect_eq(user->id.len, 0);
	cr_expect_eq(user->claims.len, 0);
	cr_expect_eq(user->roles_n, 0);
	user_free(user);
}

Test(user, free_takes_null)
{
	user_free(NULL);
}
