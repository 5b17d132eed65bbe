/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map finds a list, a second list keeps them by age; a touch moves a list to the young
 * end.
 */
#include "router/journal.h"

#include <assert.h>

#include "proto/base/mem.h"

void journal_init(struct journal *journal, size_t keys_max, size_t bytes_max,
		  uint64_t seed)
{
	assert(keys_max > 0);
	*journal = (struct journal){ .keys_max = keys_max, .bytes_max = bytes_max };
	map_init(&journal->lists, seed);
	list_init(&journal->by_age);
}

static size_t entry_cost(const struct journal_entry *entry)
{
	return sizeof(*entry) + sizeof(*entry->blob) + entry->blob->len;
}

static void list_count(struct journal *journal, struct journal_list *list, size_t bytes)
{
	list->bytes += bytes;
	journal->bytes += bytes;
}

static void list_uncount(struct journal *journal, struct journal_list *list, size_t bytes)
{
	assert(list->bytes >= bytes && journal->bytes >= bytes);
	list->bytes -= bytes;
	journal->bytes -= bytes;
}

static void entry_drop_oldest(struct journal *journal, struct journal_list *list)
{
	struct journal_entry *entry =
		CONTAINER_OF(list_shift(&list->entries), struct journal_entry, node);

	list->entries_n--;
	list_uncount(journal, list, entry_cost(entry));
	blob_unref(entry->blob);
	mem_free(entry);
}

static void list_free(struct journal *journal, struct journal_list *list)
{
	while (list->entries_n > 0)
		entry_drop_oldest(journal, list);
	list_uncount(journal, list, sizeof(*list) + list->node.key.len);
	assert(list->bytes == 0);
	map_remove(&journal->lists, &list->node);
	list_remove(&list->age_node);
	mem_free(list);
}

void journal_fini(struct journal *journal)
{
	LIST_EACH (node, &journal->by_age)
		list_free(journal, CONTAINER_OF(node, struct journal_list, age_node));
	map_fini(&journal->lists);
}

static struct journal_list *list_find(struct journal *journal, struct slice key)
{
	struct map_node *node = map_find(&journal->lists, key);
	struct journal_list *list;

	if (node == NULL)
		return NULL;
	list = CONTAINER_OF(node, struct journal_list, node);
	list_remove(&list->age_node);
	list_append(&journal->by_age, &list->age_node);
	return list;
}

static struct journal_list *list_new(struct journal *journal, struct slice key)
{
	struct journal_list *list = mem_zalloc(sizeof(*list) + key.len);

	if (key.len > 0)
		memcpy(list->key, key.ptr, key.len);
	list_init(&list->entries);
	list_init(&list->age_node);
	list_append(&journal->by_age, &list->age_node);
	map_add(&journal->lists, &list->node, slice_make(list->key, key.len));
	list_count(journal, list, sizeof(*list) + key.len);
	return list;
}

/* The list that was just written is the youngest and stays. */
static void evict(struct journal *journal)
{
	while (journal->lists.count > 1 && (journal->lists.count > journal->keys_max ||
					    journal->bytes > journal->bytes_max)) {
		list_free(journal, CONTAINER_OF(journal->by_age.next, struct journal_list,
						age_node));
		journal->evicted_total++;
	}
}

void journal_append(struct journal *journal, struct slice key, struct slice bytes,
		    uint32_t entries_max)
{
	struct journal_list *list = list_find(journal, key);
	struct journal_entry *entry = MEM_NEW(struct journal_entry);

	assert(entries_max > 0 && entries_max <= JOURNAL_ENTRIES_MAX);
	if (list == NULL)
		list = list_new(journal, key);
	entry->blob = blob_from(bytes);
	list_init(&entry->node);
	list_append(&list->entries, &entry->node);
	list->entries_n++;
	list_count(journal, list, entry_cost(entry));
	while (list->entries_n > entries_max ||
	       (list->bytes > journal->bytes_max && list->entries_n > 1))
		entry_drop_oldest(journal, list);
	evict(journal);
}

const struct journal_list *journal_read(struct journal *journal, struct slice key)
{
	return list_find(journal, key);
}
