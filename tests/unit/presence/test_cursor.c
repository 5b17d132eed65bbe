/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/cursor.h"

#include <criterion/criterion.h>

static struct buf out;

static void teardown(void)
{
	buf_fini(&out);
}

TestSuite(cursor, .fini = teardown);

Test(cursor, any_key_comes_back)
{
	struct buf text = BUF_INIT;

	cursor_encode(&text, CURSOR_USERS, SLICE("a\0b\xff+/"));
	for (size_t i = 0; i < text.len; i++)
		cr_expect_not_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789"
					  "abcdefghijklmnopqrstuvwxyz",
					  text.ptr[i]));
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, buf_slice(&text)), OK);
	cr_expect(slice_equal(buf_slice(&out), SLICE("a\0b\xff+/")));
	cr_expect_eq(cursor_decode(&out, CURSOR_CONNECTIONS, buf_slice(&text)),
		     ERR_ARGUMENT);
	buf_fini(&text);
}

Test(cursor, what_is_none_is_refused_and_leaves_nothing)
{
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("")), ERR_ARGUMENT);
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("u")), ERR_ARGUMENT);
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("uYWJj!")), ERR_ARGUMENT);
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("uYWJjZ")), ERR_ARGUMENT);
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("YWJj")), ERR_ARGUMENT);
	cr_expect_eq(out.len, 0);
	cr_expect_eq(cursor_decode(&out, CURSOR_USERS, SLICE("uYWJj")), OK);
	cr_expect(slice_equal(buf_slice(&out), SLICE("abc")));
}
