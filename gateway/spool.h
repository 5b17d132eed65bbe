/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of this turn's messages, copied once, end to end, for all the sockets of a
 * host. What a group's members are sent in a turn is one range of them, the same for all:
 * no reference and no list entry for each delivery, one write of contiguous bytes.
 *
 * In lanes, so that two groups, or two protocols of one, whose messages alternate do not
 * come between each other's. With its last range, when the turn ends, a lane is
 * forgotten: a socket that did not take its range gets references to the blobs. Pure.
 */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/queue.h"
#include "proto/base/blob.h"
#include "proto/base/slice.h"

#define SPOOL_LANES 8u

/* More than fits in a lane is not copied; longer blobs are not worth it. */
#define SPOOL_LANE_BYTES_MAX 32768u
#define SPOOL_LANE_BLOBS_MAX 256u
#define SPOOL_BLOB_BYTES_MAX 4096u

/* Empty: start == end. */
struct spool_range {
	uint16_t lane;
	uint16_t start;
	uint16_t end;
};

struct spool_entry {
	struct blob *blob; /* one reference */
	uint16_t start;
};

struct spool_lane {
	const struct blob *last; /* copied last, from last_start on; NULL: none is */
	uint32_t last_start;
	uint32_t len;
	uint32_t ranges_n; /* that are not empty */
	uint32_t n;
	struct spool_entry entries[SPOOL_LANE_BLOBS_MAX];
	char bytes[SPOOL_LANE_BYTES_MAX];
};

struct spool {
	uint16_t recent; /* where a range began last */
	uint16_t next;	 /* where the next one does when no lane is empty */
	struct spool_lane lanes[SPOOL_LANES];
};

struct spool *spool_new(void);
void spool_free(struct spool *spool); /* no range may be left */

/* Parts of those below: the lane that ends with the blob, copied if there is none,
 * becomes the recent one; the blob is copied behind a lane's others (false: no room); a
 * lane without ranges is forgotten. */
bool spool_begin(struct spool *spool, struct blob *blob);
bool spool_append(struct spool_lane *lane, struct blob *blob);
void spool_reset(struct spool_lane *lane);

static inline uint32_t spool_range_len(const struct spool_range *range)
{
	return (uint32_t)range->end - range->start;
}

/* Lets the range go on with the blob. False, and nothing has changed: it does not fit, or
 * others' bytes lie between. */
static inline bool spool_add(struct spool *spool, struct spool_range *range,
			     struct blob *blob)
{
	struct spool_lane *lane;

	if (range->start == range->end) {
		if (spool->lanes[spool->recent].last != blob && !spool_begin(spool, blob))
			return false;
		range->lane = spool->recent;
		lane = &spool->lanes[range->lane];
		range->start = (uint16_t)lane->last_start;
		lane->ranges_n++;
	} else {
		lane = &spool->lanes[range->lane];
		if (lane->last != blob &&
		    (range->end != lane->len || !spool_append(lane, blob)))
			return false;
		if (range->end != lane->last_start)
			return false;
	}
	range->end = (uint16_t)lane->len;
	return true;
}

static inline struct slice spool_slice(const struct spool *spool,
				       const struct spool_range *range)
{
	return slice_make(spool->lanes[range->lane].bytes + range->start,
			  spool_range_len(range));
}

/* The range is written, or of no interest any more. Harmless when it is empty. */
static inline void spool_drop(struct spool *spool, struct spool_range *range)
{
	struct spool_lane *lane = &spool->lanes[range->lane];

	if (range->start == range->end)
		return;
	range->start = range->end;
	if (--lane->ranges_n == 0)
		spool_reset(lane);
}

/* Drops the range; its blobs are added to the queue instead. */
void spool_move(struct spool *spool, struct spool_range *range, struct queue *queue);

#endif
