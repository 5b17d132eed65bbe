/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When memory is short.
 */
#include "gateway/memory.h"

#include <criterion/criterion.h>

#define MAX 1000000

Test(memory, levels_begin_at_their_percentages)
{
	cr_expect_eq(memory_level_next(MEMORY_FINE, 0, MAX), MEMORY_FINE);
	cr_expect_eq(memory_level_next(MEMORY_FINE, 849999, MAX), MEMORY_FINE);
	cr_expect_eq(memory_level_next(MEMORY_FINE, 850000, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_FINE, 949999, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_FINE, 950000, MAX), MEMORY_CRITICAL);
	cr_expect_eq(memory_level_next(MEMORY_SHORT, INT64_MAX, MAX), MEMORY_CRITICAL);
}

Test(memory, a_level_is_left_below_where_it_began)
{
	cr_expect_eq(memory_level_next(MEMORY_SHORT, 949999, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_CRITICAL, 900000, MAX), MEMORY_CRITICAL);
	cr_expect_eq(memory_level_next(MEMORY_CRITICAL, 899999, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_SHORT, 800000, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_CRITICAL, 800000, MAX), MEMORY_SHORT);
	cr_expect_eq(memory_level_next(MEMORY_SHORT, 799999, MAX), MEMORY_FINE);
	cr_expect_eq(memory_level_next(MEMORY_CRITICAL, 799999, MAX), MEMORY_FINE);
}
