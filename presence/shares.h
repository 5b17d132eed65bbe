/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the hash ring each shard owns. Reckoned anew only when the shards change:
 * people ask every second or two.
 */
#ifndef PRESENCE_SHARES_H
#define PRESENCE_SHARES_H

#include "proto/base/slice.h"
#include "proto/link/ring.h"

/* All zero at first. */
struct shares {
	uint64_t names_hash; /* whose they are */
	size_t n;
	double of[RING_MEMBERS_MAX]; /* 0 to 1 */
};

/* Of the shards named, which are sorted, unique and at most RING_MEMBERS_MAX. */
const double *shares_of(struct shares *shares, const struct slice *names, size_t n);

#endif
