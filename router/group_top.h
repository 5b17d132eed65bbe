/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest groups of a table. One that grows is compared with the least of them at
 * once; when one of them shrinks, those that are larger now are found by looking at all
 * groups, GROUP_TOP_LOOK of them each time somebody asks. Pure.
 */
#ifndef ROUTER_GROUP_TOP_H
#define ROUTER_GROUP_TOP_H

#include <stddef.h>
#include <stdint.h>

struct group;
struct group_table;

#define GROUP_TOP_MAX 10

/* A question takes some milliseconds then at most: each may be out of the cache. */
#define GROUP_TOP_LOOK 16384

struct group_top {
	const struct group *items[GROUP_TOP_MAX]; /* borrowed, in no order; then NULL */
	size_t n;
	uint32_t least;	   /* with so many members, or fewer, none enters */
	size_t next_chunk; /* of the table's order: where the next look begins */
};

void group_top_init(struct group_top *top);

/* It has grown. */
void group_top_offer(struct group_top *top, const struct group *group);

/* It ends. */
void group_top_forget(struct group_top *top, const struct group *group);

/*
 * The largest, the first one first, at most GROUP_TOP_MAX of them; returns how many. In a
 * table with more than GROUP_TOP_LOOK groups one that did not grow may be missing until
 * the look has come round.
 */
size_t group_top_find(struct group_table *table, const struct group **largest);

#endif
