/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept in memory under one key: a log, or a set of fields, in the order in which
 * they were put. It counts its bytes, with what keeping them costs. Pure.
 */
#ifndef ROUTER_STATE_STATE_ITEM_H
#define ROUTER_STATE_STATE_ITEM_H

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/timer.h"
#include "router/state/state.h"

struct state_table;

struct state_kept {
	struct list node;	 /* in item->kept */
	struct map_node by_name; /* fields: in table->fields, by life and name */
	uint64_t number;
	uint32_t name_len;
	uint32_t bytes_len;
	char bytes[]; /* the item's life, the name, the entry */
};

struct state_item {
	struct state_table *table; /* borrowed */
	struct map_node node;	   /* in table->items */
	struct list age_node;
	struct timer expiry;
	struct list kept; /* oldest first */
	uint32_t kept_n;
	bool is_log;
	uint64_t last; /* number of the newest entry that ever was; fields: version */
	uint64_t life;
	size_t total; /* bytes of names and entries */
	size_t cost;  /* with what keeping them costs */
	char key[];
};

/* Of what key it is; borrowed. */
struct slice state_item_hub(const struct state_item *item);
struct slice state_item_key(const struct state_item *item);

/* CONTAINER_OF() for what is only read. */
static inline const struct state_kept *state_kept_of(const struct list *node)
{
	return (const struct state_kept *)(const void *)((const char *)node -
							 offsetof(struct state_kept,
								  node));
}

/* Not in the table yet. */
struct state_item *state_item_new(struct state_table *table, struct slice key,
				  bool is_log);

/* Out of the table, with all that it holds. */
void state_item_free(struct state_item *item);

static inline struct slice state_kept_name(const struct state_kept *kept)
{
	return slice_make(kept->bytes + sizeof(uint64_t), kept->name_len);
}

static inline struct slice state_kept_bytes(const struct state_kept *kept)
{
	return slice_make(kept->bytes + sizeof(uint64_t) + kept->name_len,
			  kept->bytes_len);
}

/* Puts a copy last; of fields none may have that name. */
void state_item_add(struct state_item *item, struct slice name, struct slice bytes,
		    uint64_t number);

/* NULL: there is none. */
struct state_kept *state_item_find(const struct state_item *item, struct slice name);
void state_item_drop(struct state_item *item, struct state_kept *kept);

/* Drops the oldest ones until that many are left and all limits are kept. The newest one
 * stays. */
void state_item_cut(struct state_item *item, uint32_t entries_max);

#endif
