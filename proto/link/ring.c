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

/* Behind the others, unsorted. */
static void ring_place(struct ring *ring, struct slice name)
{
	for (uint32_t i = 0; i < RING_POINTS && name.ptr != NULL; i++) {
		const char place[2] = { (char)(i & 0xff), (char)(i >> 8) };
		const struct slice parts[] = { name, slice_make(place, sizeof(place)) };

		ring->points[ring->points_n++] = (struct ring_point){
			.hash = hash_stable(parts, 2),
			.member = (uint32_t)ring->members_n,
		};
	}
	ring->members_n++;
}

enum err ring_add(struct ring *ring, struct slice name)
{
	return ring_add_all(ring, &name, 1);
}

enum err ring_add_all(struct ring *ring, const struct slice *names, size_t n)
{
	if (n > RING_MEMBERS_MAX - ring->members_n)
		return ERR_LIMIT;
	if (n == 0)
		return OK;
	ring->points = mem_realloc(ring->points, (ring->points_n + n * RING_POINTS) *
							 sizeof(*ring->points));
	for (size_t i = 0; i < n; i++)
		ring_place(ring, names[i]);
	qsort(ring->points, ring->points_n, sizeof(*ring->points), ring_compare);
	return OK;
}

size_t ring_owner(const struct ring *ring, uint64_t hash)
{
	size_t low = 0;
	size_t high = ring->points_n;

	assert(ring->points_n > 0);
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

/* A point owns what lies between the point before it and itself, the first one what lies
 * behind the last as well: the difference of their hashes, modulo 2^64. */
void ring_shares(const struct ring *ring, double *shares)
{
	uint64_t before;

	memset(shares, 0, ring->members_n * sizeof(*shares));
	if (ring->points_n == 0)
		return;
	before = ring->points[ring->points_n - 1].hash;
	for (size_t i = 0; i < ring->points_n; i++) {
		const struct ring_point *point = &ring->points[i];

		shares[point->member] += (double)(point->hash - before) * 0x1p-64;
		before = point->hash;
	}
}
