/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growable buffer: every append, growth, consuming.
 */
#include "proto/base/buf.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static struct buf buf;

static void setup(void)
{
	buf_init(&buf);
}

static void teardown(void)
{
	buf_fini(&buf);
}

TestSuite(buf, .init = setup, .fini = teardown);

static bool holds(const char *text)
{
	return slice_equal(buf_slice(&buf), slice_from_str(text));
}

Test(buf, starts_empty)
{
	struct buf other = BUF_INIT;

	cr_assert_eq(buf_slice(&buf).len, 0);
	cr_assert_eq(buf_slice(&other).len, 0);
	buf_fini(&other);
}

Test(buf, append_kinds)
{
	buf_append(&buf, "ab", 1);
	buf_append_slice(&buf, SLICE("cd"));
	buf_append_str(&buf, "ef");
	buf_append_byte(&buf, 'g');
	buf_appendf(&buf, "%d%s", 7, "h");
	buf_append_int64(&buf, -5);
	cr_assert(holds("acdefg7h-5"));
}

Test(buf, appending_nothing_changes_nothing)
{
	buf_append(&buf, NULL, 0);
	buf_append_slice(&buf, SLICE_NONE);
	buf_append_str(&buf, "");
	buf_appendf(&buf, "%s", "");
	cr_assert_eq(buf.len, 0);
}

Test(buf, int64_matches_printf)
{
	static const int64_t rows[] = { 0,  1,	 -1,	    9,	       10,	 -10,
					99, 100, INT32_MIN, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%" PRId64, rows[i]);
		buf_clear(&buf);
		buf_append_int64(&buf, rows[i]);
		cr_assert(holds(text), "%s", text);
	}
}

Test(buf, reserve_does_not_change_len)
{
	buf_append_str(&buf, "abc");

	char *to = buf_reserve(&buf, 1000);

	cr_assert_eq(to, buf.ptr + 3);
	memset(to, 'x', 1000); /* AddressSanitizer judges whether the room is there */
	cr_assert(holds("abc"));
}

Test(buf, reserve_of_nothing_is_not_null)
{
	cr_assert_not_null(buf_reserve(&buf, 0));
}

Test(buf, bytes_survive_growth)
{
	for (int i = 0; i < 100000; i++)
		buf_append_byte(&buf, (char)(i % 251));
	cr_assert_eq(buf.len, 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(buf.ptr[i], (char)(i % 251));
}

Test(buf, an_exact_fit_does_not_grow)
{
	buf_reserve(&buf, 1);

	size_t cap = buf.cap;

	for (size_t i = 0; i < cap; i++)
		buf_append_byte(&buf, 'x');
	cr_assert_eq(buf.cap, cap);
	buf_append_byte(&buf, 'x');
	cr_assert_gt(buf.cap, cap);
}

Test(buf, appendf_longer_than_the_capacity)
{
	buf_append_str(&buf, ">");
	buf_appendf(&buf, "%0500d", 1);
	cr_assert_eq(buf.len, 501);
	cr_assert_eq(buf.ptr[500], '1');
	cr_assert_eq(buf.ptr[1], '0');
}

Test(buf, consume_moves_the_rest_down)
{
	buf_append_str(&buf, "abcdef");
	buf_consume(&buf, 0);
	cr_assert(holds("abcdef"));
	buf_consume(&buf, 2);
	cr_assert(holds("cdef"));
	buf_consume(&buf, 4);
	cr_assert_eq(buf.len, 0);
	buf_consume(&buf, 0);
}

Test(buf, consume_of_an_unused_buffer)
{
	buf_consume(&buf, 0);
	cr_assert_eq(buf.len, 0);
}

Test(buf, consume_one_too_many_is_a_programmer_error, .signal = SIGABRT)
{
	buf_append_str(&buf, "abc");
	buf_consume(&buf, 4);
}

Test(buf, clear_keeps_the_memory)
{
	buf_append_str(&buf, "abc");

	const char *ptr = buf.ptr;

	buf_clear(&buf);
	buf_append_str(&buf, "de");
	cr_assert_eq(buf.ptr, ptr);
	cr_assert(holds("de"));
}

Test(buf, fini_twice_is_harmless)
{
	buf_append_str(&buf, "abc");
	buf_fini(&buf);
	buf_fini(&buf);
	cr_assert_null(buf.ptr);
}
