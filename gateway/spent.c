/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map beside a list in the order of adding. Tokens live about equally long, so the
 * oldest is, near enough, the first to expire; adding one clears what has expired at the
 * front.
 */
#include "gateway/spent.h"

#include <assert.h>
#include <string.h>

#include "proto/base/mem.h"

struct entry {
	struct map_node node;
	struct list order;
	int64_t until_s;
	char id[CONN_ID_LEN];
};

void spent_init(struct spent *spent, uint64_t seed)
{
	map_init(&spent->ids, seed);
	list_init(&spent->order);
}

static void forget_oldest(struct spent *spent)
{
	struct list *node = list_shift(&spent->order);
	struct entry *entry;

	assert(node != NULL);
	entry = CONTAINER_OF(node, struct entry, order);
	map_remove(&spent->ids, &entry->node);
	mem_free(entry);
}

void spent_fini(struct spent *spent)
{
	while (!list_is_empty(&spent->order))
		forget_oldest(spent);
	map_fini(&spent->ids);
}

static bool is_oldest_over(const struct spent *spent, int64_t now_s)
{
	return !list_is_empty(&spent->order) &&
	       CONTAINER_OF(spent->order.next, struct entry, order)->until_s < now_s;
}

bool spent_add(struct spent *spent, const char id[CONN_ID_LEN], int64_t until_s,
	       int64_t now_s)
{
	struct entry *entry;
	bool is_full;

	while (is_oldest_over(spent, now_s))
		forget_oldest(spent);
	is_full = spent->ids.count == SPENT_MAX;
	if (is_full)
		forget_oldest(spent);
	entry = MEM_NEW(struct entry);
	entry->until_s = until_s;
	memcpy(entry->id, id, CONN_ID_LEN);
	map_add(&spent->ids, &entry->node, slice_make(entry->id, CONN_ID_LEN));
	list_append(&spent->order, &entry->order);
	return !is_full;
}

void spent_remove(struct spent *spent, struct slice id)
{
	struct map_node *node = map_find(&spent->ids, id);
	struct entry *entry;

	if (node == NULL)
		return;
	entry = CONTAINER_OF(node, struct entry, node);
	list_remove(&entry->order);
	map_remove(&spent->ids, node);
	mem_free(entry);
}

/* Not by its second: a reload may have made tokens fresh for longer since. */
bool spent_has(const struct spent *spent, struct slice id)
{
	return map_find(&spent->ids, id) != NULL;
}
