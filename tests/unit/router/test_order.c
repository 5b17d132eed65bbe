/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order by example, and at random against an array of flags, which is too simple to
 * be wrong. TEST_SEED repeats a run.
 */
#include "router/order.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"

#define KEYS_N 5000
#define STEPS_N 40000

static struct order order;
static int keys[KEYS_N]; /* an item is the address of its key here */
static uint64_t rng;

static int compare(const void *item, const void *key)
{
	const int *left = item;
	const int *right = key;

	return (*left > *right) - (*left < *right);
}

static void setup(void)
{
	for (int i = 0; i < KEYS_N; i++)
		keys[i] = i;
	order_init(&order);
}

static void teardown(void)
{
	order_fini(&order);
}

TestSuite(order, .init = setup, .fini = teardown, .timeout = 60);

static void add(int i)
{
	order_add(&order, compare, &keys[i], &keys[i]);
}

static void drop(int i)
{
	order_remove(&order, compare, &keys[i]);
}

/* The first item that is not before it; -1: none. */
static int first_from(int i)
{
	struct order_place place = order_seek(&order, compare, &i);
	const int *item = order_next(&order, &place);

	return item != NULL ? *item : -1;
}

static size_t rank_of(int i)
{
	return order_rank(&order, order_seek(&order, compare, &i));
}

/* ---- by example */

Test(order, nothing_is_in_an_empty_one)
{
	cr_expect_eq(first_from(0), -1);
	cr_expect_eq(rank_of(7), 0);
}

Test(order, an_item_is_found_from_its_own_key_on)
{
	add(5);
	cr_expect_eq(first_from(4), 5);
	cr_expect_eq(first_from(5), 5);
	cr_expect_eq(first_from(6), -1);
	cr_expect_eq(rank_of(5), 0);
	cr_expect_eq(rank_of(6), 1);
}

Test(order, the_last_item_takes_its_chunk_along)
{
	add(5);
	drop(5);
	cr_expect_eq(order.chunks_n, 0);
	cr_expect_eq(first_from(0), -1);
	add(6);
	cr_expect_eq(first_from(0), 6);
}

Test(order, what_comes_in_order_fills_its_chunks)
{
	for (int i = 0; i < 4 * ORDER_CHUNK_MAX; i++)
		add(i);
	cr_expect_eq(order.chunks_n, 4);
	cr_expect_eq(rank_of(3 * ORDER_CHUNK_MAX), 3 * ORDER_CHUNK_MAX);
}

Test(order, a_full_chunk_is_cut_in_halves)
{
	for (int i = 0; i <= ORDER_CHUNK_MAX; i++)
		add(2 * (ORDER_CHUNK_MAX - i));
	cr_expect_eq(order.chunks_n, 2);
	cr_expect_eq(rank_of(KEYS_N), ORDER_CHUNK_MAX + 1);
}

Test(order, small_neighbours_become_one)
{
	for (int i = 0; i < KEYS_N; i++)
		add(i);
	for (int i = 0; i < KEYS_N; i++) {
		if (i % 16 != 0)
			drop(i);
	}
	cr_expect_leq(order.chunks_n, 2, "%zu", order.chunks_n);
	cr_expect_eq(first_from(1), 16);
}

/* ---- what it costs */

#define BYTES_MAX 14 /* an item */

Test(order, an_item_costs_little)
{
	const size_t before = mem_used_bytes();
	size_t bytes;

	for (int i = 0; i < KEYS_N; i++)
		add((int)((uint64_t)i * 2654435761u % KEYS_N));
	bytes = (mem_used_bytes() - before) / KEYS_N;
	cr_expect_leq(bytes, BYTES_MAX, "%zu", bytes);
}

/* ---- at random */

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng % n);
}

static bool model[KEYS_N];

static int model_first_from(int i)
{
	while (i < KEYS_N && !model[i])
		i++;
	return i < KEYS_N ? i : -1;
}

static size_t model_rank(int i)
{
	size_t n = 0;

	while (i-- > 0)
		n += model[i];
	return n;
}

static void check_walk(void)
{
	struct order_place place = { 0, 0 };
	const int *item;
	int last = -1;

	while ((item = order_next(&order, &place)) != NULL) {
		cr_assert_eq(*item, model_first_from(last + 1));
		last = *item;
	}
	cr_assert_eq(model_first_from(last + 1), -1);
	for (size_t i = 0; i < order.chunks_n; i++) {
		cr_assert_gt(order.chunks[i].n, 0);
		cr_assert_leq(order.chunks[i].n, ORDER_CHUNK_MAX);
		cr_assert_leq(order.chunks[i].n, order.chunks[i].room);
	}
}

/* It fills, then empties, over and over. */
static void step(int n)
{
	const int i = (int)below(KEYS_N);
	const bool is_filling = n / (STEPS_N / 4) % 2 == 0;

	if (model[i] && (!is_filling || below(4) == 0)) {
		drop(i);
		model[i] = false;
	} else if (!model[i] && (is_filling || below(4) == 0)) {
		add(i);
		model[i] = true;
	}
}

Test(order, agrees_with_an_array_at_random)
{
	const char *seed = getenv("TEST_SEED");

	rng = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	rng |= 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	for (int n = 0; n < STEPS_N; n++) {
		const int i = (int)below(KEYS_N);

		step(n);
		cr_assert_eq(first_from(i), model_first_from(i));
		if (n % 100 == 0)
			cr_assert_eq(rank_of(i), model_rank(i));
		if (n % 1000 == 0)
			check_walk();
	}
}
