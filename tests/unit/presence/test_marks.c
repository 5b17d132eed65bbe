/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/marks.h"

#include <criterion/criterion.h>

static struct marks marks;

static void setup(void)
{
	marks_init(&marks, 1);
}

static void teardown(void)
{
	marks_fini(&marks);
}

TestSuite(marks, .init = setup, .fini = teardown);

Test(marks, an_id_has_a_limit)
{
	char most[MARK_ID_BYTES_MAX + 1] = { 0 };

	cr_expect_eq(marks_set(&marks, SLICE("r1"), slice_make(most, sizeof(most) - 1)),
		     OK);
	cr_expect_eq(marks_set(&marks, SLICE("r1"), slice_make(most, sizeof(most))),
		     ERR_LIMIT);
	cr_expect_eq(marks_find(&marks, SLICE("r1")).len, MARK_ID_BYTES_MAX);
}

Test(marks, one_goes_on_and_never_back)
{
	cr_expect_eq(marks_set(&marks, SLICE("r1"), SLICE_NONE), OK);
	cr_expect_eq(marks_set(&marks, SLICE("r1"), SLICE("5")), OK);
	cr_expect_eq(marks_set(&marks, SLICE("r1"), SLICE("4")), OK);
	cr_expect_eq(marks_set(&marks, SLICE("r1"), SLICE_NONE), OK);
	cr_expect(slice_equal(marks_find(&marks, SLICE("r1")), SLICE("5")));
	cr_expect_eq(marks_set(&marks, SLICE("r1"), SLICE("6")), OK);
	cr_expect(slice_equal(marks_find(&marks, SLICE("r1")), SLICE("6")));
	cr_expect_eq(marks.by_name.count, 1);
}
