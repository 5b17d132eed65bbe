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

/* The member that owns `hash`; the ring must have one. */
size_t ring_owner(const struct ring *ring, uint64_t hash);

#endif
