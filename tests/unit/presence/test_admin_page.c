/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits and cursors of pages.
 */
#include "presence/admin_page.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buf out;

static void end(void)
{
	arena_fini(&arena);
	buf_fini(&out);
}

TestSuite(admin_page, .fini = end);

static enum err read(const char *query, struct admin_page *page)
{
	return admin_page_read(slice_from_str(query), ADMIN_LIST_USERS, 10, &arena, page);
}

Test(admin_page, a_limit_has_its_range)
{
	struct admin_page page;

	cr_assert_eq(read("", &page), OK);
	cr_expect_eq(page.limit, 10);
	cr_assert_eq(read("limit=1", &page), OK);
	cr_expect_eq(page.limit, 1);
	cr_assert_eq(read("limit=10", &page), OK);
	cr_expect_eq(read("limit=11", &page), ERR_LIMIT);
	cr_expect_eq(read("limit=0", &page), ERR_LIMIT);
	cr_expect_eq(read("limit=99999999999999999999", &page), ERR_LIMIT);
	cr_expect_eq(read("limit=", &page), ERR_LIMIT);
	cr_expect_eq(read("limit=1x", &page), ERR_LIMIT);
	cr_expect_eq(read("limit=%", &page), ERR_LIMIT);
}

/* Whatever the keeper of a list says comes back to it. */
static void expect_back(struct slice said)
{
	struct admin_page page;
	struct slice query;

	buf_clear(&out);
	buf_append_byte(&out, '{');
	admin_page_next(&out, ADMIN_LIST_USERS, said);
	/* {"next":"..." */
	query = arena_printf(&arena, "cursor=%.*s", (int)out.len - 10, out.ptr + 9);
	cr_assert_eq(read(query.ptr, &page), OK, "%s", query.ptr);
	cr_expect(slice_equal(page.cursor, said));
}

Test(admin_page, a_cursor_may_hold_any_byte)
{
	char bytes[256];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	expect_back(slice_make(bytes, sizeof(bytes)));
	expect_back(SLICE("x"));
	expect_back(SLICE("\0"));
}

Test(admin_page, the_last_page_has_no_next)
{
	admin_page_next(&out, ADMIN_LIST_USERS, SLICE_NONE);
	cr_expect_eq(out.len, 0);
}

Test(admin_page, a_cursor_of_another_list_is_refused)
{
	struct admin_page page;

	/* "ux" and "cx" */
	cr_assert_eq(read("cursor=dXg", &page), OK);
	cr_expect(slice_equal(page.cursor, SLICE("x")));
	cr_expect_eq(read("cursor=Y3g", &page), ERR_ARGUMENT);
}

Test(admin_page, what_is_no_cursor_is_refused)
{
	struct admin_page page;

	cr_assert_eq(read("cursor=", &page), OK);
	cr_expect_eq(page.cursor.len, 0);
	cr_expect_eq(read("cursor=dX", &page), ERR_ARGUMENT);
	cr_expect_eq(read("cursor=dQ", &page), ERR_ARGUMENT);
	cr_expect_eq(read("cursor=dXg=", &page), ERR_ARGUMENT);
	cr_expect_eq(read("cursor=d+g", &page), ERR_ARGUMENT);
	cr_expect_eq(read("cursor=%00", &page), ERR_ARGUMENT);
	cr_expect_eq(read("cursor=..%2f..%2fetc", &page), ERR_ARGUMENT);
}
