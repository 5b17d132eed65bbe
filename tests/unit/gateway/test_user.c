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
	cr_expect(slice_equal(user_id(user), SLICE("u1")));
	cr_expect(slice_equal(user_name(user), SLICE("Ada")));
	cr_expect(slice_equal(user_claims(user), SLICE("{}")));
	cr_expect_eq(user->roles_n, 2);
	cr_expect(slice_equal(user_role(user, 0), SLICE("admin")));
	cr_expect_eq(user_role(user, 1).len, 0);
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

Test(user, what_the_claims_say_is_kept_once)
{
	struct slice roles[] = { SLICE("admin"), SLICE("quo\"ted") };
	struct slice claims =
		SLICE("{\"sub\":\"u1\",\"roles\":[\"admin\",\"quo\\\"ted\"]}");
	struct user *user = user_new(SLICE("u1"), SLICE("Ada"), claims, roles, 2);
	const char *end = user_claims(user).ptr + user_claims(user).len;

	cr_expect(slice_equal(user_claims(user), claims));
	cr_expect(slice_equal(user_id(user), SLICE("u1")));
	cr_expect(user_id(user).ptr > user_claims(user).ptr && user_id(user).ptr < end);
	cr_expect(slice_equal(user_role(user, 0), SLICE("admin")));
	cr_expect(user_role(user, 0).ptr > user_claims(user).ptr &&
		  user_role(user, 0).ptr < end);
	cr_expect(slice_equal(user_name(user), SLICE("Ada")));
	cr_expect(slice_equal(user_role(user, 1), SLICE("quo\"ted")));
	cr_expect(user_role(user, 1).ptr >= end, "the claims have it with an escape");
	user_free(user);
}

Test(user, anonymous_has_nothing)
{
	struct user *user = user_anonymous();

	cr_expect_eq(user_id(user).len, 0);
	cr_expect_eq(user_claims(user).len, 0);
	cr_expect_eq(user->roles_n, 0);
	user_free(user);
}

Test(user, free_takes_null)
{
	user_free(NULL);
}
