/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handful, so that looking through all of them is the simplest and fast enough.
 */
#include "router/group_top.h"

#include <assert.h>

#include "router/group.h"

void group_top_init(struct group_top *top)
{
	*top = (struct group_top){ .n = 0 };
}

/* The place of the smallest; there is one. */
static size_t smallest(const struct group_top *top)
{
	size_t at = 0;

	for (size_t i = 1; i < top->n; i++) {
		if (top->items[i]->members_n < top->items[at]->members_n)
			at = i;
	}
	return at;
}

/* While there is room everyone enters. */
static void least_find(struct group_top *top)
{
	top->least = top->n < GROUP_TOP_MAX ? 0 : top->items[smallest(top)]->members_n;
}

static size_t find(const struct group_top *top, const struct group *group)
{
	size_t i = 0;

	while (i < top->n && top->items[i] != group)
		i++;
	return i;
}

void group_top_offer(struct group_top *top, const struct group *group)
{
	size_t at;

	if (group->members_n <= top->least || find(top, group) < top->n)
		return;
	/* Those that are in it may have grown since. */
	at = top->n < GROUP_TOP_MAX ? top->n++ : smallest(top);
	if (top->items[at] == NULL || top->items[at]->members_n < group->members_n)
		top->items[at] = group;
	least_find(top);
}

void group_top_forget(struct group_top *top, const struct group *group)
{
	const size_t i = find(top, group);

	if (i == top->n)
		return;
	top->items[i] = top->items[--top->n];
	top->items[top->n] = NULL;
	least_find(top);
}

/* Some of the others may be larger by now. */
static void look(struct group_table *table)
{
	const struct order *order = &table->listed;
	const struct order_chunk *chunk;
	struct group_top *top = &table->top;
	size_t seen = 0;

	least_find(top);
	for (size_t i = 0; i < order->chunks_n && seen < GROUP_TOP_LOOK; i++) {
		if (top->next_chunk >= order->chunks_n)
			top->next_chunk = 0;
		chunk = &order->chunks[top->next_chunk++];
		for (uint32_t k = 0; k < chunk->n; k++)
			group_top_offer(top, chunk->items[k]);
		seen += chunk->n;
	}
}

size_t group_top_find(struct group_table *table, const struct group **largest)
{
	struct group_top *top = &table->top;
	size_t n = 0;

	look(table);
	for (; n < top->n; n++) {
		size_t at = n;

		for (; at > 0 && largest[at - 1]->members_n < top->items[n]->members_n;
		     at--)
			largest[at] = largest[at - 1];
		largest[at] = top->items[n];
	}
	assert(n <= GROUP_TOP_MAX);
	return n;
}
