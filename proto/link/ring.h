/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consistent-hash ring: which member owns a key. Each member stands at RING_POINTS
 * places; a key belongs to the first place at or behind its hash. Adding or removing a
 * member moves only the keys that it gains or loses. Pure.
 */
#ifndef PROTO_LINK_RING_H
#define PROTO_LINK_RING_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define RING_POINTS 160
#define RING_MEMBERS_MAX 256

struct ring_point {
	uint64_t hash;
	uint32_t member;
};

struct ring {
	struct ring_point *points; /* owned; sorted by hash, then member */
	size_t points_n;
	size_t members_n;
};

void ring_init(struct ring *ring);
void ring_fini(struct ring *ring);

/* Members are numbered in the order they are added; the name alone decides their places.
 * ERR_LIMIT past RING_MEMBERS_MAX. */
MUST_CHECK enum err ring_add(struct ring *ring, struct slice name);

/* The same for many, sorted once. SLICE_NONE takes a number and owns nothing. */
MUST_CHECK enum err ring_add_all(struct ring *ring, const struct slice *names, size_t n);

/* The member that owns `hash`; there must be one with a name. */
size_t ring_owner(const struct ring *ring, uint64_t hash);

/* How much of all hashes each member owns, 0 to 1; `shares` has room for all members. */
void ring_shares(const struct ring *ring, double *shares);

#endif
