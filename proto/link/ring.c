/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points are kept sorted, so a lookup is a binary search. Members must be added in the
 * same order everywhere (shards.c sorts them by name): two points with equal hashes are
 * ordered by their numbers.
 */
#include "proto/link/ring.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"

void ring_init(struct ring *ring)
{
	*ring = (struct ring){ 0 };
}

void ring_fini(struct ring *ring)
{
	mem_free(ring->points);
	ring_init(ring);
}

static int ring_compare(const void *a, const void *b)
{
	const struct ring_point *left = a;
	const struct ring_point *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	if (left->member != right->member)
		return left->member < right->member ? -1 : 1;
	return 0;
}

enum err ring_add(struct ring *ring, struct slice name)
{
	if (ring->members_n == RING_MEMBERS_MAX)
		return ERR_LIMIT;
	ring->points = mem_realloc(ring->points, (ring->points_n + RING_POINTS) *
							 sizeof(*ring->points));
	for (uint32_t i = 0; i < RING_POINTS; i++) {
		const char place[2] = { (char)(i & 0xff), (char)(i >> 8) };
		const struct slice parts[] = { name, slice_make(place, sizeof(place)) };

		ring->points[ring->points_n++] = (struct ring_point){
			.hash = hash_stable(parts, 2),
			.member = (uint32_t)ring->members_n,
		};
	}
	ring->members_n++;
	qsort(ring->points, ring->points_n, sizeof(*ring->points), ring_compare);
	return OK;
}

size_t ring_owner(const struct ring *ring, uint64_t hash)
{
	size_t low = 0;
	size_t high = ring->points_n;

	assert(ring->members_n > 0);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (ring->points[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	/* Behind the last point the ring closes at the first. */
	return ring->points[low == ring->points_n ? 0 : low].member;
}
