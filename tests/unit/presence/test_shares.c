/* SPDX-License-Identifier: Apache-2.0 */
/* Shares follow the names, and only they. */
#include "presence/shares.h"

#include <criterion/criterion.h>

static struct shares shares;
static const struct slice abc[] = { SLICE("a"), SLICE("b"), SLICE("c") };

Test(shares, without_shards_there_are_none)
{
	cr_expect_eq(shares_of(&shares, abc, 0), shares.of);
	cr_expect_eq(shares.n, 0);
}

Test(shares, they_add_up_to_the_whole_ring)
{
	const double *of = shares_of(&shares, abc, 3);

	cr_expect(of[0] > 0.2 && of[1] > 0.2 && of[2] > 0.2);
	cr_expect(of[0] + of[1] + of[2] > 0.999999);
	cr_expect(of[0] + of[1] + of[2] < 1.000001);
}

Test(shares, they_are_the_same_until_the_names_change)
{
	const struct slice acd[] = { SLICE("a"), SLICE("c"), SLICE("d") };
	double before;

	before = shares_of(&shares, abc, 3)[1];
	shares.of[1] = 7; /* would be gone if it were reckoned again */
	cr_expect_eq(shares_of(&shares, abc, 3)[1], 7);
	cr_expect_neq(shares_of(&shares, acd, 3)[1], 7, "other names, as many");
	cr_expect_eq(shares_of(&shares, abc, 2)[1] > before, true, "one less");
	cr_expect_eq(shares_of(&shares, abc, 3)[1], before);
}
