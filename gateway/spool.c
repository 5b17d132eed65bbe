/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane is an append-only buffer, and which blob begins where in it.
 */
#include "gateway/spool.h"

#include <assert.h>
#include <string.h>

#include "proto/base/mem.h"

_Static_assert(SPOOL_LANE_BYTES_MAX <= UINT16_MAX, "a range's ends are 16 bits");

struct spool *spool_new(void)
{
	struct spool *spool = mem_alloc(sizeof(*spool));

	/* The arrays are touched as far as they are used. */
	spool->recent = 0;
	spool->next = 0;
	for (size_t i = 0; i < SPOOL_LANES; i++)
		memset(&spool->lanes[i], 0, offsetof(struct spool_lane, entries));
	return spool;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	for (size_t i = 0; i < SPOOL_LANES; i++)
		spool_reset(&spool->lanes[i]);
	mem_free(spool);
}

void spool_reset(struct spool_lane *lane)
{
	assert(lane->ranges_n == 0);
	for (uint32_t i = 0; i < lane->n; i++)
		blob_unref(lane->entries[i].blob);
	lane->n = 0;
	lane->len = 0;
	lane->last = NULL;
}

bool spool_append(struct spool_lane *lane, struct blob *blob)
{
	const uint32_t start = lane->len;

	if (blob->len == 0 || blob->len > SPOOL_BLOB_BYTES_MAX)
		return false;
	if (blob->len > SPOOL_LANE_BYTES_MAX - start || lane->n == SPOOL_LANE_BLOBS_MAX)
		return false;
	memcpy(lane->bytes + start, blob->data, blob->len);
	lane->entries[lane->n++] =
		(struct spool_entry){ .blob = blob_ref(blob), .start = (uint16_t)start };
	lane->last = blob;
	lane->last_start = start;
	lane->len = start + blob->len;
	return true;
}

/* An empty one, or else each in its turn. */
static uint16_t lane_choose(struct spool *spool)
{
	for (uint16_t i = 0; i < SPOOL_LANES; i++) {
		if (spool->lanes[i].n == 0)
			return i;
	}
	spool->next = (uint16_t)((spool->next + 1u) % SPOOL_LANES);
	return spool->next;
}

bool spool_begin(struct spool *spool, struct blob *blob)
{
	uint16_t i = 0;

	while (i < SPOOL_LANES && spool->lanes[i].last != blob)
		i++;
	if (i == SPOOL_LANES) {
		i = lane_choose(spool);
		if (!spool_append(&spool->lanes[i], blob))
			return false;
	}
	spool->recent = i;
	return true;
}

/* The entry that begins at `start`. */
static uint32_t find(const struct spool_lane *lane, uint32_t start)
{
	uint32_t low = 0;
	uint32_t high = lane->n;

	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;

		if (lane->entries[middle].start <= start)
			low = middle;
		else
			high = middle;
	}
	assert(lane->entries[low].start == start);
	return low;
}

void spool_move(struct spool *spool, struct spool_range *range, struct queue *queue)
{
	const struct spool_lane *lane = &spool->lanes[range->lane];

	if (range->start == range->end)
		return;
	for (uint32_t i = find(lane, range->start);
	     i < lane->n && lane->entries[i].start < range->end; i++)
		queue_add(queue, lane->entries[i].blob);
	spool_drop(spool, range);
}
