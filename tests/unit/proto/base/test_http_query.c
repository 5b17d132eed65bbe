/* SPDX-License-Identifier: Apache-2.0 */
/* Query values and path segments: finding, decoding, and the escapes that are refused. */
#include <criterion/criterion.h>

#include "proto/base/http_parse.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena);
}

static void teardown(void)
{
	arena_fini(&arena);
}

TestSuite(http_query, .init = setup, .fini = teardown);

static void expect_value(const char *query, const char *key, const char *expected)
{
	struct slice value = SLICE_NONE;
	enum err rc = http_query_find(slice_from_str(query), slice_from_str(key), &arena,
				      &value);

	cr_expect_eq(rc, OK, "%s in %s", key, query);
	cr_expect(slice_equal(value, slice_from_str(expected)), "%s in %s", key, query);
	cr_expect(value.ptr && value.ptr[value.len] == '\0');
}

static enum err find(const char *query, const char *key)
{
	struct slice value;

	return http_query_find(slice_from_str(query), slice_from_str(key), &arena,
			       &value);
}

Test(http_query, finds_values)
{
	expect_value("id=7", "id", "7");
	expect_value("a=1&id=7&b=2", "id", "7");
	expect_value("xid=1&id=7", "id", "7");
	expect_value("id=7=8", "id", "7=8");
	expect_value("&&id=7&", "id", "7");
}

Test(http_query, key_is_matched_without_case)
{
	expect_value("NegotiateVersion=1", "negotiateVersion", "1");
}

Test(http_query, key_may_be_escaped)
{
	expect_value("%69d=7", "id", "7");
	expect_value("a+b=7", "a b", "7");
}

Test(http_query, first_of_several_wins)
{
	expect_value("id=7&id=8", "id", "7");
}

Test(http_query, value_may_be_empty_or_left_out)
{
	expect_value("id=", "id", "");
	expect_value("id", "id", "");
	expect_value("id&a=1", "id", "");
}

Test(http_query, decodes_values)
{
	expect_value("id=a%20b+c%2B%c3%A9", "id", "a b c+\xc3\xa9");
}

Test(http_query, missing_key_is_not_found)
{
	cr_expect_eq(find("", "id"), ERR_NOT_FOUND);
	cr_expect_eq(find("a=id", "id"), ERR_NOT_FOUND);
	cr_expect_eq(find("idx=1", "id"), ERR_NOT_FOUND);
	cr_expect_eq(find("i%6=1", "id"), ERR_NOT_FOUND);
}

Test(http_query, absent_query_is_not_found)
{
	struct slice value;

	cr_expect_eq(http_query_find(SLICE_NONE, SLICE("id"), &arena, &value),
		     ERR_NOT_FOUND);
}

Test(http_query, bad_escapes_and_nul_are_malformed)
{
	cr_expect_eq(find("id=%", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=%4", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=%4&a=1", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=%g0", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=%0g", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=%%41", "id"), ERR_MALFORMED);
	cr_expect_eq(find("id=a%00b", "id"), ERR_MALFORMED);
}

Test(http_query, path_keeps_plus)
{
	struct slice path = SLICE_NONE;

	cr_assert_eq(http_path_decode(SLICE("/a+b%20c"), &arena, &path), OK);
	cr_expect(slice_equal(path, SLICE("/a+b c")));
}

Test(http_query, path_with_bad_escape_or_nul_is_malformed)
{
	struct slice path;

	cr_expect_eq(http_path_decode(SLICE("/%"), &arena, &path), ERR_MALFORMED);
	cr_expect_eq(http_path_decode(SLICE("/%zz"), &arena, &path), ERR_MALFORMED);
	cr_expect_eq(http_path_decode(SLICE("/a%00"), &arena, &path), ERR_MALFORMED);
}

/* The parser of the head lets none through; whoever has another source is no less safe.
 */
Test(http_query, refuses_a_nul_as_it_is)
{
	struct slice text = SLICE("id=a\0b");

	cr_expect_eq(http_query_find(text, SLICE("id"), &arena, &text), ERR_MALFORMED);
	cr_expect_eq(http_path_decode(SLICE("/a\0b"), &arena, &text), ERR_MALFORMED);
}

Test(http_query, hex_value_knows_every_byte)
{
	for (int c = 0; c < 256; c++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *at = c ? strchr(digits, c) : NULL;
		int expected = at ? (int)((at - digits) % 16) : -1;

		cr_expect_eq(http_hex_value((char)c), expected, "%d", c);
	}
}
