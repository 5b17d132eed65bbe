/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/link/group_cursor.h"

#include <criterion/criterion.h>

static void expect_back(struct slice name)
{
	struct arena arena = ARENA_INIT;
	struct slice found;

	cr_expect_eq(group_cursor_decode(group_cursor_encode(&arena, name), &found), OK);
	cr_expect_not_null(found.ptr);
	cr_expect(slice_equal(found, name));
	arena_fini(&arena);
}

Test(group_cursor, any_name_comes_back)
{
	expect_back(SLICE("lobby"));
	expect_back(SLICE("n"));
	expect_back(SLICE("a\0b"));
	expect_back(SLICE("\0"));
}

Test(group_cursor, an_empty_name_is_not_the_first_page)
{
	struct slice found;

	expect_back(SLICE_NONE);
	cr_expect_eq(group_cursor_decode(SLICE_NONE, &found), OK);
	cr_expect_null(found.ptr);
}

Test(group_cursor, what_is_none_is_refused)
{
	struct slice found;

	cr_expect_eq(group_cursor_decode(SLICE("lobby"), &found), ERR_ARGUMENT);
	cr_expect_null(found.ptr);
}
