/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices: comparing, cutting, numbers; and the names of errors, which have no file to
 * test of their own.
 */
#include "proto/base/slice.h"

#include <criterion/criterion.h>

static enum err number(const char *text, int64_t *value)
{
	return slice_to_int64(slice_from_str(text), value);
}

Test(slice, from_str_of_null_is_empty)
{
	cr_assert_eq(slice_from_str(NULL).len, 0);
}

Test(slice, literal_keeps_nul_bytes)
{
	cr_assert_eq(SLICE("a\0b").len, 3);
}

Test(slice, equal_compares_all_bytes)
{
	cr_assert(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
	cr_assert_not(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
	cr_assert_not(slice_equal(SLICE("ab"), SLICE("abc")));
}

Test(slice, empty_slices_are_equal_whatever_their_pointer)
{
	cr_assert(slice_equal(SLICE_NONE, SLICE("")));
	cr_assert(slice_equal_nocase(SLICE(""), SLICE_NONE));
}

Test(slice, nocase_folds_ascii_letters_only)
{
	cr_assert(slice_equal_nocase(SLICE("UpGrade-Z"), SLICE("uPgRADE-z")));
	cr_assert_not(slice_equal_nocase(SLICE("@"), SLICE("`")));
	cr_assert_not(slice_equal_nocase(SLICE("["), SLICE("{")));
	cr_assert_not(slice_equal_nocase(SLICE("\xc4"), SLICE("\xe4")));
	cr_assert_not(slice_equal_nocase(SLICE("a"), SLICE("ab")));
}

Test(slice, starts_with)
{
	cr_assert(slice_starts_with(SLICE("/hubs/chat"), SLICE("/hubs/")));
	cr_assert(slice_starts_with(SLICE("/"), SLICE("/")));
	cr_assert(slice_starts_with(SLICE_NONE, SLICE("")));
	cr_assert_not(slice_starts_with(SLICE("/hub"), SLICE("/hubs")));
	cr_assert_not(slice_starts_with(SLICE("/hats"), SLICE("/hu")));
}

Test(slice, find_gives_the_first)
{
	cr_assert_eq(slice_find(SLICE("a=b=c"), '='), 1);
	cr_assert_eq(slice_find(SLICE("abc"), '='), -1);
	cr_assert_eq(slice_find(SLICE_NONE, '='), -1);
	cr_assert_eq(slice_find(SLICE("ab\xff"), (char)0xff), 2);
}

Test(slice, find_stays_within_the_length)
{
	cr_assert_eq(slice_find(slice_make("abc", 2), 'c'), -1);
}

Test(slice, from_clamps)
{
	cr_assert(slice_equal(slice_from(SLICE("abc"), 1), SLICE("bc")));
	cr_assert_eq(slice_from(SLICE("abc"), 3).len, 0);
	cr_assert_eq(slice_from(SLICE("abc"), 4).len, 0);
	cr_assert_eq(slice_from(SLICE_NONE, 1).len, 0);
}

Test(slice, trim_takes_spaces_and_tabs_from_both_ends)
{
	cr_assert(slice_equal(slice_trim(SLICE(" \t a b\t ")), SLICE("a b")));
	cr_assert(slice_equal(slice_trim(SLICE("\r\n")), SLICE("\r\n")));
	cr_assert_eq(slice_trim(SLICE(" \t ")).len, 0);
	cr_assert_eq(slice_trim(SLICE_NONE).len, 0);
}

Test(slice, cut_walks_a_list)
{
	struct slice rest = SLICE("a,,b");

	cr_assert(slice_equal(slice_cut(&rest, ','), SLICE("a")));
	cr_assert(slice_equal(slice_cut(&rest, ','), SLICE("")));
	cr_assert(slice_equal(slice_cut(&rest, ','), SLICE("b")));
	cr_assert_null(rest.ptr);
	cr_assert_eq(rest.len, 0);
}

Test(slice, cut_at_the_end_leaves_an_empty_rest_that_is_not_null)
{
	struct slice rest = SLICE("a,");

	slice_cut(&rest, ',');
	cr_assert_not_null(rest.ptr);
	cr_assert_eq(rest.len, 0);
}

Test(slice, cut_of_nothing_is_nothing)
{
	struct slice rest = SLICE_NONE;

	cr_assert_eq(slice_cut(&rest, ',').len, 0);
	cr_assert_null(rest.ptr);
}

Test(slice, int64_reads_numbers)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "7", 7 },
		{ "-1", -1 },
		{ "0042", 42 },
		{ "9223372036854775807", INT64_MAX },
		{ "1234567890123", 1234567890123 },
		{ "-9223372036854775808", INT64_MIN },
		{ "00000000000000000000000001", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 99;

		cr_assert_eq(number(rows[i].text, &value), OK, "%s", rows[i].text);
		cr_assert_eq(value, rows[i].value, "%s", rows[i].text);
	}
}

Test(slice, int64_one_past_the_limits)
{
	static const char *const rows[] = { "9223372036854775808", "-9223372036854775809",
					    "18446744073709551616",
					    "99999999999999999999999999" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 99;

		cr_assert_eq(number(rows[i], &value), ERR_LIMIT, "%s", rows[i]);
		cr_assert_eq(value, 99, "an error leaves the value alone");
	}
}

Test(slice, int64_refuses_what_is_no_number)
{
	static const char *const rows[] = { "",
					    "-",
					    "--1",
					    "+1",
					    " 1",
					    "1 ",
					    "1x",
					    "0x1",
					    "1.0",
					    "1-",
					    "/",
					    ":",
					    "99999999999999999999999999x" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 99;

		cr_assert_eq(number(rows[i], &value), ERR_MALFORMED, "%s", rows[i]);
		cr_assert_eq(value, 99, "an error leaves the value alone");
	}
}

Test(slice, int64_of_a_null_slice_is_malformed)
{
	int64_t value = 0;

	cr_assert_eq(slice_to_int64(SLICE_NONE, &value), ERR_MALFORMED);
}

Test(err, every_error_has_its_name_and_text)
{
	cr_assert_str_eq(err_name(OK), "OK");
	cr_assert_str_eq(err_name(ERR_LIMIT), "ERR_LIMIT");
	cr_assert_str_eq(err_text(OK), "ok");
	cr_assert_str_eq(err_text(ERR_LIMIT), "over a configured limit");
}

Test(err, a_foreign_value_has_a_name_too)
{
	cr_assert_str_eq(err_name((enum err)1), "ERR_UNKNOWN");
	cr_assert_str_eq(err_text((enum err) - 1000), "unknown error");
}

Test(slice, compare_orders_bytes_then_length)
{
	cr_assert_lt(slice_compare(SLICE("ab"), SLICE("ac")), 0);
	cr_assert_gt(slice_compare(SLICE("abc"), SLICE("ab")), 0);
	cr_assert_lt(slice_compare(SLICE_NONE, SLICE("a")), 0);
	cr_assert_eq(slice_compare(SLICE("ab"), SLICE("ab")), 0);
	cr_assert_gt(slice_compare(SLICE("\xff"), SLICE("a")), 0);
}

Test(slice, decimal_is_the_number_in_digits)
{
	char text[SLICE_DECIMAL_BYTES];

	cr_assert(slice_equal(slice_decimal(text, 0), SLICE("0")));
	cr_assert(slice_equal(slice_decimal(text, 1070), SLICE("1070")));
	cr_assert(slice_equal(slice_decimal(text, UINT64_MAX),
			      SLICE("18446744073709551615")));
}
