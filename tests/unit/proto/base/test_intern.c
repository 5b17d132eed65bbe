/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One text, one copy, for as long as somebody has it.
 */
#include "proto/base/intern.h"

#include <criterion/criterion.h>

static struct interns interns;

static void setup(void)
{
	interns_init(&interns, 7);
}

static void teardown(void)
{
	interns_fini(&interns);
}

TestSuite(intern, .init = setup, .fini = teardown);

Test(intern, the_same_text_is_kept_once)
{
	char text[] = "Microsoft SignalR/8.0";
	struct intern *one = intern_take(&interns, slice_from_str(text));
	struct intern *two = intern_take(&interns, SLICE("Microsoft SignalR/8.0"));

	text[0] = 'x';
	cr_expect_eq(one, two);
	cr_expect(slice_equal(intern_text(one), SLICE("Microsoft SignalR/8.0")));
	cr_expect_eq(interns.texts.count, 1);
	intern_drop(&interns, one);
	cr_expect_eq(interns.texts.count, 1, "one is still held");
	intern_drop(&interns, two);
	cr_expect_eq(interns.texts.count, 0);
}

Test(intern, other_texts_are_others)
{
	struct intern *one = intern_take(&interns, SLICE("a"));
	struct intern *two = intern_take(&interns, SLICE("ab"));

	cr_expect_neq(one, two);
	cr_expect(slice_equal(intern_text(one), SLICE("a")));
	cr_expect(slice_equal(intern_text(two), SLICE("ab")));
	intern_drop(&interns, one);
	intern_drop(&interns, two);
}

Test(intern, nothing_costs_nothing)
{
	struct intern *none = intern_take(&interns, SLICE_NONE);

	cr_expect_null(none);
	cr_expect_eq(intern_text(none).len, 0);
	cr_expect_eq(interns.texts.count, 0);
	intern_drop(&interns, none);
}
