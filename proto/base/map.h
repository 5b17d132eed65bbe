/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive hash map from bytes to the struct that embeds the node. The map owns its
 * buckets only; the node's key points into the embedding struct and must not change while
 * it is in. Grows by doubling, one rehash at a time; never shrinks below MAP_BUCKETS_MIN.
 */
#ifndef PROTO_BASE_MAP_H
#define PROTO_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"

struct map_node {
	struct map_node *next;
	const char *key; /* borrowed from the struct around the node */
	uint32_t key_len;
	uint32_t hash;
};

static inline struct slice map_key(const struct map_node *node)
{
	return slice_make(node->key, node->key_len);
}

struct map {
	struct map_node **buckets; /* owned */
	size_t mask;		   /* bucket count - 1, a power of two */
	size_t count;
	uint64_t seed;
};

#define MAP_BUCKETS_MIN 16

/* `seed` is random in programs (crypto_random) and fixed in tests. */
void map_init(struct map *map, uint64_t seed);

/* The nodes are the owner's; they must have been removed or be freed by it. */
void map_fini(struct map *map);

/* The key of what is found by a number; borrowed from it. */
static inline struct slice map_number_key(const uint64_t *number)
{
	return slice_make((const char *)number, sizeof(*number));
}

/* NULL when absent. */
struct map_node *map_find(const struct map *map, struct slice key);

/* `key` must outlive the node's stay, be absent, and shorter than 4 GiB. */
void map_add(struct map *map, struct map_node *node, struct slice key);

/* `node` must be in the map. */
void map_remove(struct map *map, struct map_node *node);

/*
 * Iterates in no particular order; start with NULL. The current node may be removed only
 * after its successor was asked for; nothing may be added during a walk.
 */
struct map_node *map_next(const struct map *map, const struct map_node *node);

/*
 * A walk in pieces, between which anything may be added and removed: visits some nodes
 * and returns where to go on, 0 behind the last; start with 0. Who is in from the start
 * to the end is visited at least once. From inside only the visited node may be removed,
 * and nothing added.
 */
typedef void map_scan_fn(struct map_node *node, void *owner);
uint64_t map_scan(const struct map *map, uint64_t cursor, map_scan_fn *fn, void *owner);

#endif
