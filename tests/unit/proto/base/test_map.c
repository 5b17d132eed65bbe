/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash map against what was put in: finding, growing, walking with removal,
 * shrinking.
 */
#include "proto/base/map.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#include "proto/base/list.h"

#define ITEMS_N 5000

struct item {
	struct map_node node;
	char name[16];
	bool is_in;
	bool is_seen;
};

static struct map map;
static struct item items[ITEMS_N];

static void setup(void)
{
	map_init(&map, 12345);
	for (int i = 0; i < ITEMS_N; i++)
		snprintf(items[i].name, sizeof(items[i].name), "key-%d", i);
}

static void teardown(void)
{
	map_fini(&map);
}

TestSuite(map, .init = setup, .fini = teardown);

static void add(int i)
{
	map_add(&map, &items[i].node, slice_from_str(items[i].name));
	items[i].is_in = true;
}

static void drop(int i)
{
	map_remove(&map, &items[i].node);
	items[i].is_in = false;
}

static void check_all(void)
{
	size_t count = 0;

	for (int i = 0; i < ITEMS_N; i++) {
		struct map_node *node = map_find(&map, slice_from_str(items[i].name));

		cr_assert_eq(node, items[i].is_in ? &items[i].node : NULL, "item %d", i);
		count += items[i].is_in;
	}
	cr_assert_eq(map.count, count);
}

Test(map, starts_empty)
{
	cr_assert_null(map_find(&map, SLICE("a")));
	cr_assert_null(map_next(&map, NULL));
	cr_assert_eq(map.count, 0);
}

Test(map, add_find_remove)
{
	add(1);
	cr_assert_eq(map_find(&map, SLICE("key-1")), &items[1].node);
	cr_assert_null(map_find(&map, SLICE("key-2")));
	cr_assert_eq(items[1].node.key, items[1].name, "the key is borrowed");
	drop(1);
	cr_assert_null(map_find(&map, SLICE("key-1")));
}

Test(map, keys_are_bytes)
{
	struct map_node a;
	struct map_node b;
	struct map_node empty;

	map_add(&map, &a, SLICE("x\0a"));
	map_add(&map, &b, SLICE("x\0b"));
	map_add(&map, &empty, SLICE_NONE);
	cr_assert_eq(map_find(&map, SLICE("x\0b")), &b);
	cr_assert_eq(map_find(&map, SLICE("")), &empty);
	cr_assert_null(map_find(&map, SLICE("x")));
}

Test(map, grows_when_full_and_not_before)
{
	for (int i = 0; i < MAP_BUCKETS_MIN; i++)
		add(i);
	cr_assert_eq(map.mask + 1, MAP_BUCKETS_MIN);
	add(MAP_BUCKETS_MIN);
	cr_assert_eq(map.mask + 1, 2 * MAP_BUCKETS_MIN);
	check_all();
}

Test(map, many)
{
	for (int i = 0; i < ITEMS_N; i++)
		add(i);
	check_all();
	for (int i = 0; i < ITEMS_N; i += 3)
		drop(i);
	check_all();
	for (int i = 0; i < ITEMS_N; i += 6)
		add(i);
	check_all();
}

Test(map, a_walk_sees_each_once)
{
	int seen = 0;

	for (int i = 0; i < 1000; i++)
		add(i);
	for (struct map_node *it = map_next(&map, NULL); it; it = map_next(&map, it)) {
		struct item *item = CONTAINER_OF(it, struct item, node);

		cr_assert_not(item->is_seen);
		item->is_seen = true;
		seen++;
	}
	cr_assert_eq(seen, 1000);
}

Test(map, a_walk_may_remove_the_node_behind_it)
{
	struct map_node *next = NULL;
	int seen = 0;

	for (int i = 0; i < ITEMS_N; i++)
		add(i);
	for (struct map_node *it = map_next(&map, NULL); it; it = next) {
		next = map_next(&map, it);
		map_remove(&map, it);
		seen++;
	}
	cr_assert_eq(seen, ITEMS_N);
	cr_assert_eq(map.count, 0);
	cr_assert_null(map_next(&map, NULL));
}

/* ---- a walk in pieces */

static void see(struct map_node *node, void *owner)
{
	(void)owner;
	CONTAINER_OF(node, struct item, node)->is_seen = true;
}

static void see_and_drop(struct map_node *node, void *owner)
{
	const struct item *item = CONTAINER_OF(node, struct item, node);

	(void)owner;
	drop((int)(item - items));
}

Test(map, a_scan_of_nothing_is_over_at_once)
{
	cr_expect_eq(map_scan(&map, 0, see, NULL), 0);
}

Test(map, a_scan_sees_all_and_may_remove_what_it_sees)
{
	uint64_t cursor = 0;

	for (int i = 0; i < ITEMS_N; i++)
		add(i);
	do {
		cursor = map_scan(&map, cursor, see_and_drop, NULL);
	} while (cursor != 0);
	cr_expect_eq(map.count, 0);
}

/* `stay_n` are in all the time; between two pieces the map grows, or shrinks, by others.
 */
static void check_scan(int stay_n, bool is_growing)
{
	uint64_t cursor = 0;
	int at = stay_n;
	int pieces = 0;

	for (int i = 0; i < (is_growing ? stay_n : ITEMS_N); i++)
		add(i);
	do {
		cursor = map_scan(&map, cursor, see, NULL);
		pieces++;
		for (int n = 0; n < 40 && at < ITEMS_N; n++, at++) {
			if (is_growing)
				add(at);
			else
				drop(at);
		}
		/* Only adding makes it fit. */
		if (!is_growing) {
			drop(0);
			add(0);
		}
	} while (cursor != 0);
	cr_expect_gt(pieces, 1);
	for (int i = 0; i < stay_n; i++)
		cr_assert(items[i].is_seen || i == 0, "item %d", i);
}

Test(map, a_scan_misses_nobody_when_the_map_grows)
{
	check_scan(100, true);
	cr_expect_gt(map.mask, 1000);
}

Test(map, a_scan_misses_nobody_when_the_map_shrinks)
{
	check_scan(20, false);
	cr_expect_lt(map.mask, 1000);
}

Test(map, an_emptied_map_shrinks_as_it_is_used_again)
{
	for (int i = 0; i < ITEMS_N; i++)
		add(i);
	for (int i = 0; i < ITEMS_N; i++)
		drop(i);
	for (int i = 0; i < 20; i++) {
		add(i);
		drop(i);
	}
	cr_assert_eq(map.mask + 1, MAP_BUCKETS_MIN);
	add(7);
	check_all();
}

Test(map, the_seed_changes_the_hash)
{
	struct map other;
	struct map_node node;

	map_init(&other, 54321);
	add(1);
	map_add(&other, &node, SLICE("key-1"));
	cr_assert_neq(node.hash, items[1].node.hash);
	map_fini(&other);
}

Test(map, fini_leaves_a_usable_map)
{
	add(1);
	map_fini(&map);
	cr_assert_null(map_find(&map, SLICE("key-1")));
	add(2);
	cr_assert_eq(map.count, 1);
}

Test(map, adding_a_key_twice_is_a_programmer_error, .signal = SIGABRT)
{
	struct map_node node;

	add(1);
	map_add(&map, &node, SLICE("key-1"));
}

Test(map, removing_what_is_not_in_is_a_programmer_error, .signal = SIGABRT)
{
	add(1);
	add(2);
	drop(1);
	drop(1);
}
