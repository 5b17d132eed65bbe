/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is a stall, and what is not.
 */
#include "proto/base/stall.h"

#include <criterion/criterion.h>

Test(stall, one_of_100_ms_counts_and_a_shorter_one_does_not)
{
	cr_expect_eq(stalls_counted().n, 0);
	stall_note(0);
	stall_note(STALL_MS - 1);
	cr_expect_eq(stalls_counted().n, 0);
	cr_expect_eq(stalls_counted().ms, 0);
	stall_note(STALL_MS);
	cr_expect_eq(stalls_counted().n, 1);
	cr_expect_eq(stalls_counted().ms, STALL_MS);
}

Test(stall, they_add_up_and_a_clock_that_went_back_is_none)
{
	stall_note(-5);
	cr_expect_eq(stalls_counted().n, 0);
	stall_note(250);
	stall_note(1000);
	cr_expect_eq(stalls_counted().n, 2);
	cr_expect_eq(stalls_counted().ms, 1250);
}
