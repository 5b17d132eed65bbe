/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of all keys are in one map, so that a key costs no map of its own.
 */
#include "router/state/state_item.h"

#include <assert.h>

#include "proto/base/mem.h"
#include "router/state/state_table.h"

/* ---- bytes */

static size_t kept_total(const struct state_kept *kept)
{
	return (size_t)kept->name_len + kept->bytes_len;
}

static void count(struct state_item *item, size_t cost)
{
	item->cost += cost;
	item->table->bytes += cost;
}

static void uncount(struct state_item *item, size_t cost)
{
	assert(item->cost >= cost && item->table->bytes >= cost);
	item->cost -= cost;
	item->table->bytes -= cost;
}

/* ---- its key: kind, length of the hub, hub, key (state_table.c) */

struct slice state_item_hub(const struct state_item *item)
{
	size_t len;

	memcpy(&len, item->key + 1, sizeof(len));
	return slice_make(item->key + 1 + sizeof(len), len);
}

struct slice state_item_key(const struct state_item *item)
{
	const size_t head = 1 + sizeof(size_t) + state_item_hub(item).len;

	return slice_from(map_key(&item->node), head);
}

/* ---- life */

static void on_expiry(struct timer *timer)
{
	struct state_item *item = CONTAINER_OF(timer, struct state_item, expiry);

	item->table->expired_total++;
	state_item_free(item);
}

struct state_item *state_item_new(struct state_table *table, struct slice key,
				  bool is_log)
{
	struct state_item *item = mem_zalloc(sizeof(*item) + key.len);

	memcpy(item->key, key.ptr, key.len);
	item->table = table;
	item->is_log = is_log;
	item->life = ++table->version;
	list_init(&item->kept);
	list_init(&item->age_node);
	timer_init(&item->expiry, on_expiry);
	list_append(&table->by_age, &item->age_node);
	map_add(&table->items, &item->node, slice_make(item->key, key.len));
	count(item, sizeof(*item) + key.len);
	return item;
}

void state_item_free(struct state_item *item)
{
	struct list *node = item->kept.next;

	while (node != &item->kept) {
		struct state_kept *kept = CONTAINER_OF(node, struct state_kept, node);

		node = node->next;
		state_item_drop(item, kept);
	}
	uncount(item, sizeof(*item) + item->node.key_len);
	assert(item->cost == 0 && item->total == 0);
	wheel_stop(&item->table->expiry, &item->expiry);
	map_remove(&item->table->items, &item->node);
	list_remove(&item->age_node);
	mem_free(item);
}

/* ---- entries */

void state_item_add(struct state_item *item, struct slice name, struct slice bytes,
		    uint64_t number)
{
	const size_t own = sizeof(item->life) + name.len;
	struct state_kept *kept = mem_alloc(sizeof(*kept) + own + bytes.len);

	*kept = (struct state_kept){ .number = number,
				     .name_len = (uint32_t)name.len,
				     .bytes_len = (uint32_t)bytes.len };
	memcpy(kept->bytes, &item->life, sizeof(item->life));
	if (name.len > 0)
		memcpy(kept->bytes + sizeof(item->life), name.ptr, name.len);
	if (bytes.len > 0)
		memcpy(kept->bytes + own, bytes.ptr, bytes.len);
	list_init(&kept->node);
	list_append(&item->kept, &kept->node);
	if (!item->is_log)
		map_add(&item->table->fields, &kept->by_name,
			slice_make(kept->bytes, own));
	item->kept_n++;
	item->last = number;
	item->total += kept_total(kept);
	count(item, sizeof(*kept) + own + bytes.len);
}

struct state_kept *state_item_find(const struct state_item *item, struct slice name)
{
	char key[sizeof(item->life) + HUB_KEY_BYTES_MAX];
	struct map_node *node;

	assert(!item->is_log && name.len <= HUB_KEY_BYTES_MAX);
	memcpy(key, &item->life, sizeof(item->life));
	if (name.len > 0)
		memcpy(key + sizeof(item->life), name.ptr, name.len);
	node = map_find(&item->table->fields,
			slice_make(key, sizeof(item->life) + name.len));
	return node != NULL ? CONTAINER_OF(node, struct state_kept, by_name) : NULL;
}

void state_item_drop(struct state_item *item, struct state_kept *kept)
{
	assert(item->kept_n > 0 && item->total >= kept_total(kept));
	list_remove(&kept->node);
	if (!item->is_log)
		map_remove(&item->table->fields, &kept->by_name);
	item->kept_n--;
	item->total -= kept_total(kept);
	uncount(item, sizeof(*kept) + sizeof(item->life) + kept_total(kept));
	mem_free(kept);
}

void state_item_cut(struct state_item *item, uint32_t entries_max)
{
	while (item->kept_n > 1 &&
	       (item->kept_n > entries_max || item->total > HUB_KEY_TOTAL_BYTES_MAX ||
		item->cost > item->table->limits.bytes_max))
		state_item_drop(item,
				CONTAINER_OF(item->kept.next, struct state_kept, node));
}
