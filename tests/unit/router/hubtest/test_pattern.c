/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/pattern.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct pattern_names names;

static void setup(void)
{
	pattern_names_init(&names);
}

static void teardown(void)
{
	pattern_names_fini(&names);
}

TestSuite(pattern, .init = setup, .fini = teardown);

static bool fits(const char *pattern, const char *line)
{
	return pattern_match(&names, slice_from_str(pattern), slice_from_str(line));
}

static void expect_filled(const char *line, const char *wanted)
{
	struct buf out = BUF_INIT;

	pattern_fill(&names, slice_from_str(line), &out);
	buf_append_byte(&out, '\0');
	cr_expect_str_eq(out.ptr, wanted);
	buf_fini(&out);
}

Test(pattern, without_gaps_is_the_line_itself)
{
	cr_expect(fits("c1 got X", "c1 got X"));
	cr_expect(fits("", ""));
	cr_expect_not(fits("c1 got X", "c1 got Y"));
	cr_expect_not(fits("c1 got X", "c1 got XY"));
	cr_expect_not(fits("c1 got X", "c1 got"));
	cr_expect_not(fits("", "c1"));
	cr_expect_not(fits("c1", ""));
}

Test(pattern, a_star_is_any_text)
{
	cr_expect(fits("<*>", ""));
	cr_expect(fits("<*>", "anything <at> all"));
	cr_expect(fits("a<*>z", "az"));
	cr_expect(fits("a<*>z", "azzz"));
	cr_expect(fits("a<*>b<*>z", "a-b-b-z"));
	cr_expect(fits("a<*><*>z", "a--z"));
	cr_expect_not(fits("a<*>z", "azy"));
	cr_expect_not(fits("a<*>b<*>z", "a-z"));
	cr_expect_not(fits("ab<*>ba", "aba"));
}

Test(pattern, a_name_is_learned_and_then_meant)
{
	cr_expect(fits("got \"<id>\" at <time>", "got \"x1\" at noon"));
	cr_expect(fits("again <id>", "again x1"));
	cr_expect_not(fits("again <id>", "again x2"));
	expect_filled("c1 invoke Read \"<id>\" <other> <*>",
		      "c1 invoke Read \"x1\" <other> <*>");
}

Test(pattern, a_name_twice_in_a_line_is_one_text)
{
	cr_expect_not(fits("<a> is <a>", "one is two"));
	cr_expect(fits("<a> is <a>", "one is one"));
	expect_filled("<a>", "one");
}

Test(pattern, nothing_is_learned_from_what_does_not_fit)
{
	cr_expect_not(fits("<a> is so", "one is not"));
	cr_expect(fits("<a>", "two"));
	expect_filled("<a>", "two");
}

Test(pattern, other_brackets_are_text)
{
	cr_expect(fits("<b>bold</b> <Id> <i d> <> <1>", "!bold</b> <Id> <i d> <> <1>"));
	cr_expect(fits("a < b > c", "a < b > c"));
	cr_expect(fits("<", "<"));
	cr_expect(fits("<a", "<a"));
	cr_expect_not(fits("<Id>", "x"));
}

Test(pattern, a_name_may_stand_for_nothing)
{
	cr_expect(fits("<a>|", "|"));
	cr_expect(fits("x<a>", "x"));
	cr_expect(fits("<*><a>y", "zy"));
	cr_expect_not(fits("x<a>", "xx"));
}

Test(pattern, a_known_name_and_the_text_around_it_are_one)
{
	cr_expect(fits("<a>", "b"));
	cr_expect(fits("<*><a>c", "ab bc"));
	cr_expect(fits("<*>a<a>!<*>", "ab ab! c"));
	cr_expect_not(fits("<*><a>c", "b c"));
}

/* Past the limit a name is any text each time. */
Test(pattern, more_names_than_are_kept)
{
	char pattern[32];

	for (int i = 0; i < PATTERN_NAMES_MAX; i++) {
		(void)snprintf(pattern, sizeof(pattern), "<n%d>", i); /* it fits */
		cr_assert(fits(pattern, "x"));
	}
	expect_filled("<n63>", "x");
	cr_expect(fits("<more>", "x"));
	cr_expect(fits("<more>", "y"));
	expect_filled("<more>", "<more>");
}

Test(pattern, more_pieces_than_a_line_may_have)
{
	struct buf pattern = BUF_INIT;

	for (int i = 0; i < 64; i++)
		buf_append_str(&pattern, i % 2 == 0 ? "<*>" : "x");
	cr_expect(pattern_match(&names, buf_slice(&pattern),
				SLICE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")));
	buf_append_str(&pattern, "<*>");
	cr_expect_not(pattern_match(&names, buf_slice(&pattern),
				    SLICE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")));
	buf_fini(&pattern);
}
