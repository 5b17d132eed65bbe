/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operational transform: each pair of operations by hand, and texts.
 */
#include "router/hubs/ot.h"

#include <criterion/criterion.h>

#define ANN SLICE("ann")
#define BOB SLICE("bob")

static struct ot_op ins(struct slice user, uint32_t position, struct slice content)
{
	size_t units;
	size_t pairs;

	cr_assert_eq(ot_measure(content, &units, &pairs), OK);
	return ot_insert(user, position, content, (uint32_t)units);
}

static struct ot_op del(struct slice user, uint32_t start, uint32_t length)
{
	return ot_delete(user, start, length);
}

static const char *text_of(const struct ot_text *text)
{
	static char out[256];

	cr_assert_lt(ot_text_bytes_max(text), sizeof(out));
	out[ot_text_write(text, out)] = '\0';
	return out;
}

/* `text` behind both, whichever comes first; `a` is the earlier one. */
static void expect_both(const char *text, struct ot_op a, struct ot_op b,
			const char *want)
{
	const struct ot_op a_first = a;
	const struct ot_op b_first = b;
	uint16_t units[2][64];
	struct ot_text texts[2];

	for (size_t i = 0; i < 2; i++) {
		texts[i] = (struct ot_text){ .units = units[i], .room = 64 };
		cr_assert_eq(ot_text_append(&texts[i], slice_from_str(text)), OK);
	}
	cr_assert_eq(ot_transform(&a, &b_first, false), OK);
	cr_assert_eq(ot_transform(&b, &a_first, true), OK);
	cr_assert_eq(ot_text_apply(&texts[0], &a_first), OK);
	cr_assert_eq(ot_text_apply(&texts[0], &b), OK);
	cr_assert_eq(ot_text_apply(&texts[1], &b_first), OK);
	cr_assert_eq(ot_text_apply(&texts[1], &a), OK);
	cr_expect_str_eq(text_of(&texts[0]), want, "a first: %s", text_of(&texts[0]));
	cr_expect_str_eq(text_of(&texts[1]), want, "b first: %s", text_of(&texts[1]));
}

/* The same whichever of both the server has first. */
static void expect_any(const char *text, struct ot_op a, struct ot_op b, const char *want)
{
	expect_both(text, a, b, want);
	expect_both(text, b, a, want);
}

Test(ot, insertions_at_different_places)
{
	expect_any("abc", ins(BOB, 1, SLICE("X")), ins(ANN, 2, SLICE("Y")), "aXbYc");
}

Test(ot, of_insertions_at_one_place_the_smaller_user_keeps_it)
{
	expect_any("ab", ins(BOB, 1, SLICE("X")), ins(ANN, 1, SLICE("YZ")), "aYZXb");
}

Test(ot, of_one_user_the_earlier_insertion_keeps_its_place)
{
	expect_both("ab", ins(ANN, 1, SLICE("X")), ins(ANN, 1, SLICE("Y")), "aXYb");
	expect_both("ab", ins(ANN, 1, SLICE("Y")), ins(ANN, 1, SLICE("X")), "aYXb");
}

Test(ot, users_are_ordered_by_utf16_units)
{
	/* U+10000 is d800 dc00, before U+E000; in UTF-8 it comes behind. */
	cr_expect_lt(ot_compare_users(SLICE("\xf0\x90\x80\x80"), SLICE("\xee\x80\x80")),
		     0);
	cr_expect_lt(ot_compare_users(SLICE("\xee\x80\x80"), SLICE("\xef\xbf\xbd")), 0);
	cr_expect_lt(ot_compare_users(SLICE("\xed\x9f\xbf"), SLICE("\xf0\x90\x80\x80")),
		     0);
	cr_expect_lt(ot_compare_users(SLICE("Z"), SLICE("a")), 0);
	cr_expect_lt(ot_compare_users(SLICE("a"), SLICE("ab")), 0);
	cr_expect_eq(ot_compare_users(SLICE("ab"), SLICE("ab")), 0);
	cr_expect_gt(ot_compare_users(SLICE("b"), SLICE("ab")), 0);
}

Test(ot, an_insertion_beside_a_deletion)
{
	expect_any("abcd", ins(ANN, 0, SLICE("X")), del(BOB, 1, 2), "Xad");
	expect_any("abcd", ins(ANN, 1, SLICE("X")), del(BOB, 1, 2), "aXd");
	expect_any("abcd", ins(ANN, 3, SLICE("X")), del(BOB, 1, 2), "aXd");
	expect_any("abcd", ins(ANN, 4, SLICE("X")), del(BOB, 1, 2), "adX");
}

Test(ot, an_insertion_into_a_deletion_stays)
{
	expect_any("abcd", ins(ANN, 2, SLICE("X")), del(BOB, 1, 2), "aXd");
	expect_any("abcd", ins(BOB, 2, SLICE("X")), del(ANN, 0, 4), "X");
}

Test(ot, deletions_beside_each_other)
{
	expect_any("abcdef", del(ANN, 0, 2), del(BOB, 3, 2), "cf");
	expect_any("abcdef", del(ANN, 0, 2), del(BOB, 2, 2), "ef");
}

Test(ot, deletions_that_overlap)
{
	expect_any("abcdef", del(ANN, 1, 3), del(BOB, 2, 3), "af");
	expect_any("abcdef", del(ANN, 0, 6), del(BOB, 2, 2), "");
	expect_any("abcdef", del(ANN, 2, 2), del(BOB, 2, 2), "abef");
	expect_any("abcdef", del(ANN, 2, 2), del(BOB, 2, 3), "abf");
}

Test(ot, retaining_changes_nothing)
{
	struct ot_op op = ins(ANN, 1, SLICE("X"));
	struct ot_op nothing = del(BOB, 1, 0);

	cr_expect_eq(nothing.type, OT_RETAIN);
	cr_assert_eq(ot_transform(&op, &nothing, true), OK);
	cr_expect_eq(op.position, 1);
	cr_assert_eq(ot_transform(&nothing, &op, true), OK);
	cr_expect_eq(nothing.type, OT_RETAIN);
	expect_any("ab", op, nothing, "aXb");
}

Test(ot, a_deletion_of_what_is_gone_retains)
{
	struct ot_op op = del(ANN, 2, 2);
	const struct ot_op all = del(BOB, 0, 6);

	cr_assert_eq(ot_transform(&op, &all, true), OK);
	cr_expect_eq(op.type, OT_RETAIN);
	cr_expect_eq(ot_growth(&op), 0);
}

Test(ot, a_deletion_in_two_is_cut_into_one_after_the_other)
{
	const struct ot_op insertion = ins(BOB, 3, SLICE("XY"));
	struct ot_op op = del(ANN, 1, 4);
	struct ot_op first;

	cr_assert_eq(ot_transform(&op, &insertion, true), OK);
	cr_assert_eq(op.ranges_n, 2);
	cr_expect_eq(ot_growth(&op), -4);
	cr_assert(ot_cut(&op, &first));
	cr_expect_eq(first.ranges_n, 1);
	cr_expect_eq(first.ranges[0].start, 1);
	cr_expect_eq(first.ranges[0].length, 2);
	cr_assert_eq(op.ranges_n, 1);
	cr_expect_eq(op.ranges[0].start, 3);
	cr_expect_eq(op.ranges[0].length, 2);
	cr_expect_not(ot_cut(&op, &first));
}

Test(ot, ranges_that_touch_become_one)
{
	const struct ot_op insertion = ins(BOB, 3, SLICE("XY"));
	const struct ot_op undo = del(BOB, 3, 2);
	struct ot_op op = del(ANN, 1, 4);

	cr_assert_eq(ot_transform(&op, &insertion, true), OK);
	cr_assert_eq(ot_transform(&op, &undo, true), OK);
	cr_assert_eq(op.ranges_n, 1);
	cr_expect_eq(op.ranges[0].start, 1);
	cr_expect_eq(op.ranges[0].length, 4);
}

Test(ot, a_deletion_has_so_many_ranges_and_no_more)
{
	struct ot_op op = del(ANN, 0, 1000);
	struct ot_op insertion;

	for (uint32_t i = 1; i < OT_RANGES_MAX; i++) {
		insertion = ins(BOB, i * 2, SLICE("X"));
		cr_assert_eq(ot_transform(&op, &insertion, true), OK);
	}
	cr_assert_eq(op.ranges_n, (size_t)OT_RANGES_MAX);
	insertion = ins(BOB, 500, SLICE("X"));
	cr_expect_eq(ot_transform(&op, &insertion, true), ERR_LIMIT);
	cr_expect_eq(op.ranges_n, (size_t)OT_RANGES_MAX);
	cr_expect_eq(ot_growth(&op), -1000);
}

/* ---- texts */

#define GRIN "\xf0\x9f\x98\x80"
#define LAST "\xf4\x8f\xbf\xbf"

Test(ot, units_are_those_of_utf16)
{
	size_t units;
	size_t pairs;

	cr_assert_eq(ot_measure(SLICE("a\xc3\xa9\xe2\x82\xac" GRIN), &units, &pairs), OK);
	cr_expect_eq(units, 5);
	cr_expect_eq(pairs, 1);
	cr_assert_eq(ot_measure(SLICE_NONE, &units, &pairs), OK);
	cr_expect_eq(units, 0);
	cr_expect_eq(ot_measure(SLICE("a\xff"), &units, &pairs), ERR_MALFORMED);
	cr_expect_eq(ot_measure(SLICE("\xed\xa0\x80"), &units, &pairs), ERR_MALFORMED);
}

Test(ot, a_text_comes_out_as_it_went_in)
{
	static const char text[] = "a\xc3\xa9\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" GRIN LAST;
	uint16_t units[16];
	struct ot_text it = { .units = units, .room = 16 };

	cr_assert_eq(ot_text_append(&it, SLICE(text)), OK);
	cr_expect_eq(it.n, 9);
	cr_expect_str_eq(text_of(&it), text);
	cr_expect_eq(ot_text_append(&it, SLICE("\xff")), ERR_MALFORMED);
	cr_expect_str_eq(text_of(&it), text);
}

Test(ot, a_text_has_so_much_room_and_no_more)
{
	uint16_t units[4];
	struct ot_text it = { .units = units, .room = 4 };
	const struct ot_op fits = ins(ANN, 0, SLICE("b"));

	cr_assert_eq(ot_text_append(&it, SLICE("xyz")), OK);
	cr_expect_eq(ot_text_append(&it, SLICE(GRIN)), ERR_LIMIT);
	cr_expect_eq(ot_text_apply(&it, &fits), OK);
	cr_expect_eq(ot_text_apply(&it, &fits), ERR_LIMIT);
	cr_expect_str_eq(text_of(&it), "bxyz");
}

Test(ot, what_is_beyond_the_text_is_refused)
{
	uint16_t units[8];
	struct ot_text it = { .units = units, .room = 8 };
	const struct ot_op beyond = ins(ANN, 4, SLICE("X"));
	const struct ot_op at_end = ins(ANN, 3, SLICE("X"));
	const struct ot_op all = del(ANN, 0, 4);
	const struct ot_op too_much = del(ANN, 3, 2);

	cr_assert_eq(ot_text_append(&it, SLICE("abc")), OK);
	cr_expect_eq(ot_text_apply(&it, &beyond), ERR_ARGUMENT);
	cr_expect_eq(ot_text_apply(&it, &at_end), OK);
	cr_expect_eq(ot_text_apply(&it, &too_much), ERR_ARGUMENT);
	cr_expect_eq(ot_text_apply(&it, &all), OK);
	cr_expect_eq(it.n, 0);
}

Test(ot, no_character_is_cut_in_two)
{
	uint16_t units[8];
	struct ot_text it = { .units = units, .room = 8 };
	const struct ot_op ops[] = {
		ins(ANN, 2, SLICE("X")),
		del(ANN, 1, 1),
		del(ANN, 2, 1),
		del(ANN, 0, 2),
	};
	const struct ot_op whole = del(ANN, 1, 2);

	cr_assert_eq(ot_text_append(&it, SLICE("a" GRIN "b")), OK);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		cr_expect_eq(ot_text_apply(&it, &ops[i]), ERR_MALFORMED);
	cr_expect(ot_text_has_pairs(&it));
	cr_expect_eq(ot_text_apply(&it, &whole), OK);
	cr_expect_not(ot_text_has_pairs(&it));
	cr_expect_str_eq(text_of(&it), "ab");
}
