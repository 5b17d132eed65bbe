/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The histogram against sorted values: never off by more than 1/128.
 */
#include "bench/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/mem.h"

#define VALUES 20000

static struct histogram *new_histogram(void)
{
	return MEM_NEW(struct histogram);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a;
	const int64_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

Test(histogram, all_zero_is_empty)
{
	struct histogram *h = new_histogram();

	cr_expect_eq(histogram_percentile(h, 50), 0);
	cr_expect_eq(histogram_percentile(h, 100), 0);
	cr_expect_float_eq(histogram_mean(h), 0, 1e-9);
	cr_expect_float_eq(histogram_share(h, 1000), 0, 1e-9);
	histogram_add_n(h, 5, 0);
	cr_expect_eq(h->n, 0);
	mem_free(h);
}

Test(histogram, small_values_are_exact)
{
	struct histogram *h = new_histogram();

	for (int64_t i = 0; i < 256; i++)
		histogram_add(h, i);
	cr_expect_eq(histogram_percentile(h, 0), 0);
	cr_expect_eq(histogram_percentile(h, 50), 127);
	cr_expect_eq(histogram_percentile(h, 100), 255);
	cr_expect_eq(h->min_us, 0);
	cr_expect_eq(h->max_us, 255);
	cr_expect_float_eq(histogram_mean(h), 127.5, 1e-9);
	mem_free(h);
}

Test(histogram, no_percentile_is_off_by_more_than_a_128th)
{
	static const double percents[] = { 0, 1, 10, 50, 90, 99, 99.9, 99.99, 100 };
	int64_t *values = mem_alloc(VALUES * sizeof(*values));
	struct histogram *h = new_histogram();
	uint64_t random = 42;

	for (size_t i = 0; i < VALUES; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* All orders of magnitude alike. */
		values[i] = (int64_t)((random >> 33) >> (random % 31));
		histogram_add(h, values[i]);
	}
	qsort(values, VALUES, sizeof(*values), compare);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		size_t rank = (size_t)(percents[i] / 100 * VALUES + 0.9999999);
		int64_t exact = values[rank == 0 ? 0 : rank - 1];
		int64_t got = histogram_percentile(h, percents[i]);

		cr_expect_geq(got, exact, "p%g", percents[i]);
		cr_expect_leq(got, exact + exact / 128, "p%g: %lld for %lld", percents[i],
			      (long long)got, (long long)exact);
	}
	mem_free(values);
	mem_free(h);
}

Test(histogram, the_top_is_a_limit_and_the_largest_is_kept)
{
	struct histogram *h = new_histogram();

	histogram_add(h, HISTOGRAM_TOP_US - 1);
	cr_expect_eq(histogram_percentile(h, 100), HISTOGRAM_TOP_US - 1);
	histogram_add(h, HISTOGRAM_TOP_US);
	histogram_add(h, HISTOGRAM_TOP_US * 1000);
	cr_expect_eq(h->counts[HISTOGRAM_SLOTS - 1], 3);
	cr_expect_eq(histogram_percentile(h, 100), HISTOGRAM_TOP_US * 1000);
	mem_free(h);
}

Test(histogram, a_negative_value_counts_as_none)
{
	struct histogram *h = new_histogram();

	histogram_add(h, -5);
	cr_expect_eq(h->counts[0], 1);
	cr_expect_eq(h->min_us, 0);
	mem_free(h);
}

Test(histogram, the_999th_of_1000_is_no_higher)
{
	struct histogram *h = new_histogram();

	histogram_add_n(h, 10, 999);
	histogram_add(h, 100);
	cr_expect_eq(histogram_percentile(h, 99.9), 10);
	cr_expect_eq(histogram_percentile(h, 99.91), 100);
	mem_free(h);
}

Test(histogram, merging_is_as_if_one_had_counted_all)
{
	struct histogram *a = new_histogram();
	struct histogram *b = new_histogram();
	struct histogram *all = new_histogram();

	for (int64_t i = 1; i < 1000; i++) {
		histogram_add(i % 2 == 0 ? a : b, i * i);
		histogram_add(all, i * i);
	}
	histogram_merge(a, b);
	cr_expect_eq(a->n, all->n);
	cr_expect_eq(a->min_us, all->min_us);
	cr_expect_eq(a->max_us, all->max_us);
	cr_expect_float_eq(a->sum_us, all->sum_us, 1e-3);
	cr_expect_eq(memcmp(a->counts, all->counts, sizeof(a->counts)), 0);
	/* An empty one has no extremes to give. */
	memset(b, 0, sizeof(*b));
	histogram_merge(a, b);
	cr_expect_eq(a->min_us, 1);
	mem_free(a);
	mem_free(b);
	mem_free(all);
}

Test(histogram, since_is_what_came_meanwhile)
{
	struct histogram *before = new_histogram();
	struct histogram *now = new_histogram();
	struct histogram *between = new_histogram();

	histogram_add(before, 5);
	histogram_add(before, 1000000);
	*now = *before;
	histogram_add_n(now, 300, 10);
	histogram_since(between, now, before);
	cr_expect_eq(between->n, 10);
	cr_expect_leq(between->min_us, 300);
	cr_expect_geq(between->max_us, 300);
	cr_expect_leq(between->max_us, 303);
	cr_expect_eq(histogram_percentile(between, 100), between->max_us);
	histogram_since(between, now, now);
	cr_expect_eq(between->n, 0);
	mem_free(before);
	mem_free(now);
	mem_free(between);
}

Test(histogram, a_share_counts_what_is_at_or_below)
{
	struct histogram *h = new_histogram();

	histogram_add_n(h, 100, 99);
	histogram_add(h, 2000000);
	cr_expect_float_eq(histogram_share(h, 99), 0, 1e-9);
	cr_expect_float_eq(histogram_share(h, 100), 0.99, 1e-9);
	cr_expect_float_eq(histogram_share(h, 1000000), 0.99, 1e-9);
	cr_expect_float_eq(histogram_share(h, 2000000), 1, 1e-9);
	cr_expect_float_eq(histogram_share(h, -1), 0, 1e-9);
	mem_free(h);
}
