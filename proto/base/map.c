/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chained hash map of intrusive nodes. Buckets come with the first add. Resizing happens
 * in map_add only, both ways: a walk may remove nodes, so removing must not move the
 * others.
 */
#include "proto/base/map.h"

#include <assert.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"

/* Halved when fewer than one bucket in MAP_SPARSE would be used. */
#define MAP_SPARSE 16u

static void map_resize(struct map *map, size_t buckets_n);
static void map_fit(struct map *map);

void map_init(struct map *map, uint64_t seed)
{
	*map = (struct map){ .seed = seed };
}

void map_fini(struct map *map)
{
	mem_free(map->buckets);
	*map = (struct map){ .seed = map->seed };
}

/* Half of it: a node is for each connection and each membership. */
static uint32_t hash_of(const struct map *map, struct slice key)
{
	return (uint32_t)hash_bytes(key, map->seed);
}

struct map_node *map_find(const struct map *map, struct slice key)
{
	if (!map->count)
		return NULL;

	uint32_t hash = hash_of(map, key);
	struct map_node *node = map->buckets[hash & map->mask];

	while (node && !(node->hash == hash && slice_equal(map_key(node), key)))
		node = node->next;
	return node;
}

void map_add(struct map *map, struct map_node *node, struct slice key)
{
	map_fit(map);
	assert(key.len <= UINT32_MAX);
	node->key = key.ptr;
	node->key_len = (uint32_t)key.len;
	node->hash = hash_of(map, key);

	struct map_node **bucket = &map->buckets[node->hash & map->mask];

	for (const struct map_node *it = *bucket; it; it = it->next)
		assert(it->hash != node->hash || !slice_equal(map_key(it), key));
	node->next = *bucket;
	*bucket = node;
	map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
	assert(map->count > 0);

	struct map_node **link = &map->buckets[node->hash & map->mask];

	while (*link && *link != node)
		link = &(*link)->next;
	assert(*link == node);
	*link = node->next;
	node->next = NULL;
	map->count--;
}

struct map_node *map_next(const struct map *map, const struct map_node *node)
{
	size_t i = 0;

	if (!map->count)
		return NULL;
	if (node) {
		if (node->next)
			return node->next;
		i = (node->hash & map->mask) + 1;
	}
	for (; i <= map->mask; i++) {
		if (map->buckets[i])
			return map->buckets[i];
	}
	return NULL;
}

static uint64_t reversed(uint64_t bits)
{
	bits = (bits >> 1 & 0x5555555555555555u) | (bits & 0x5555555555555555u) << 1;
	bits = (bits >> 2 & 0x3333333333333333u) | (bits & 0x3333333333333333u) << 2;
	bits = (bits >> 4 & 0x0f0f0f0f0f0f0f0fu) | (bits & 0x0f0f0f0f0f0f0f0fu) << 4;
	return __builtin_bswap64(bits);
}

/* Bucket by bucket, counting with the highest bit first. When the table doubles, a
 * bucket's nodes go to two that differ in the new highest bit, and so are both behind the
 * cursor or both before it; when it halves, the cursor falls on the bucket of both. */
uint64_t map_scan(const struct map *map, uint64_t cursor, map_scan_fn *fn, void *owner)
{
	struct map_node *next;

	if (!map->buckets)
		return 0;
	for (struct map_node *node = map->buckets[cursor & map->mask]; node;
	     node = next) {
		next = node->next;
		fn(node, owner);
	}
	/* With all bits above the mask set the addition carries into those below it. */
	return reversed(reversed(cursor | ~(uint64_t)map->mask) + 1);
}

/* Before one more node comes in. */
static void map_fit(struct map *map)
{
	size_t buckets_n = map->mask + 1;

	if (!map->buckets)
		map_resize(map, MAP_BUCKETS_MIN);
	else if (map->count >= buckets_n)
		map_resize(map, buckets_n * 2);
	else if (buckets_n > MAP_BUCKETS_MIN && map->count < buckets_n / MAP_SPARSE)
		map_resize(map, buckets_n / 2);
}

static void map_resize(struct map *map, size_t buckets_n)
{
	struct map_node **buckets = mem_zalloc(buckets_n * sizeof(struct map_node *));
	struct map_node *next = NULL;

	assert((buckets_n & (buckets_n - 1)) == 0);
	for (size_t i = 0; map->buckets && i <= map->mask; i++) {
		for (struct map_node *node = map->buckets[i]; node; node = next) {
			struct map_node **bucket = &buckets[node->hash & (buckets_n - 1)];

			next = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	}
	mem_free(map->buckets);
	map->buckets = buckets;
	map->mask = buckets_n - 1;
}
