/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_text.h"

#include <criterion/criterion.h>

static void expect_escaped(struct slice text, const char *expected)
{
	struct buf out = BUF_INIT;

	ctl_text_escape(&out, text);
	cr_expect(slice_equal(buf_slice(&out), slice_from_str(expected)),
		  "\"%.*s\", not \"%s\"", SLICE_FMT(buf_slice(&out)), expected);
	cr_expect_eq(ctl_text_is_plain(text), slice_equal(buf_slice(&out), text));
	buf_fini(&out);
}

static void expect_json(struct slice json, const char *expected)
{
	struct buf out = BUF_INIT;

	ctl_text_escape_json(&out, json);
	cr_expect(slice_equal(buf_slice(&out), slice_from_str(expected)),
		  "\"%.*s\", not \"%s\"", SLICE_FMT(buf_slice(&out)), expected);
	buf_fini(&out);
}

Test(ctl_text, what_a_terminal_shows_stays)
{
	expect_escaped(SLICE("ann@example.org (1) ~"), "ann@example.org (1) ~");
	expect_escaped(SLICE("Zo\xc3\xab \xe6\xbc\xa2 \xf0\x9f\x8d\xb5"),
		       "Zo\xc3\xab \xe6\xbc\xa2 \xf0\x9f\x8d\xb5");
	expect_escaped(SLICE(""), "");
}

Test(ctl_text, what_it_obeys_does_not)
{
	expect_escaped(SLICE("\x1b[2J\x07"), "\\x1b[2J\\x07");
	expect_escaped(SLICE("a\r\n\tb\0c\x7f"), "a\\x0d\\x0a\\x09b\\x00c\\x7f");
	/* The same controls in two bytes of UTF-8: CSI. */
	expect_escaped(SLICE("\xc2\x9b"
			     "31m"),
		       "\\u{9b}31m");
}

Test(ctl_text, nor_does_what_deceives_the_eye)
{
	expect_escaped(SLICE("\xe2\x80\xae"
			     "evil"),
		       "\\u{202e}evil");
	expect_escaped(SLICE("a\xe2\x80\x8b"
			     "b\xef\xbb\xbf"),
		       "a\\u{200b}b\\u{feff}");
	expect_escaped(SLICE("\xe2\x80\xa8"), "\\u{2028}");
	expect_escaped(SLICE("\xf3\xa0\x81\xa1"), "\\u{e0061}");
}

Test(ctl_text, a_backslash_is_told_from_an_escape)
{
	expect_escaped(SLICE("\\x1b"), "\\\\x1b");
}

Test(ctl_text, bytes_that_are_no_utf8_are_shown_one_by_one)
{
	expect_escaped(SLICE("\xff\xc3"), "\\xff\\xc3");
	expect_escaped(SLICE("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

Test(ctl_text, json_says_the_same_harmlessly)
{
	expect_json(SLICE("{\"a\": \"b\\n\"}\n\t"), "{\"a\": \"b\\n\"}\n\t");
	expect_json(SLICE("\"\xc2\x9b\x7f\""), "\"\\u009b\\u007f\"");
	expect_json(SLICE("\"\xe2\x80\xae\""), "\"\\u202e\"");
	expect_json(SLICE("\"\xf3\xa0\x81\xa1\""), "\"\\udb40\\udc61\"");
	expect_json(SLICE("\x1b\xff"), "\\u001b\\ufffd");
}

Test(ctl_text, wide_characters_take_two_columns_and_combining_ones_none)
{
	cr_expect_eq(ctl_text_width(SLICE("ann")), 3);
	cr_expect_eq(ctl_text_width(SLICE("\xe6\xbc\xa2\xe5\xad\x97")), 4);
	cr_expect_eq(ctl_text_width(SLICE("e\xcc\x81")), 1);
	cr_expect_eq(ctl_text_width(SLICE("\xf0\x9f\x8d\xb5")), 2);
	cr_expect_eq(ctl_text_width(SLICE("")), 0);
}

Test(ctl_text, a_cut_is_between_characters)
{
	const struct slice text = SLICE("a\xe6\xbc\xa2"
					"b");

	cr_expect_eq(ctl_text_cut(text, 0).len, 0);
	cr_expect_eq(ctl_text_cut(text, 1).len, 1);
	cr_expect_eq(ctl_text_cut(text, 2).len, 1);
	cr_expect_eq(ctl_text_cut(text, 3).len, 4);
	cr_expect_eq(ctl_text_cut(text, 4).len, 5);
	cr_expect_eq(ctl_text_cut(text, 99).len, 5);
	cr_expect_eq(ctl_text_cut(SLICE("e\xcc\x81x"), 1).len, 3);
}
