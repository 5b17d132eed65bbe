/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map finds the item, a second list keeps items by age, a wheel knows whose time is
 * over.
 */
#include "router/state/state_table.h"

#include <assert.h>

#include "proto/base/buf.h"
#include "router/state/state_item.h"

/* One operation: what it is asked, of what, and where the answer goes. */
struct work {
	struct state_table *table;
	const struct state_question *question;
	struct arena *arena;
	struct state_answer *answer;
};

void state_table_init(struct state_table *table, const struct state_table_limits *limits,
		      uint64_t version, int64_t now_ms, uint64_t seed)
{
	assert(limits->keys_max > 0);
	*table = (struct state_table){ .version = version, .limits = *limits };
	map_init(&table->items, seed);
	map_init(&table->fields, seed);
	list_init(&table->by_age);
	wheel_init(&table->expiry, now_ms);
}

void state_table_fini(struct state_table *table)
{
	struct list *node;

	while ((node = table->by_age.next) != &table->by_age)
		state_item_free(CONTAINER_OF(node, struct state_item, age_node));
	assert(table->bytes == 0 && table->fields.count == 0);
	map_fini(&table->items);
	map_fini(&table->fields);
}

void state_table_advance(struct state_table *table, int64_t now_ms)
{
	wheel_advance(&table->expiry, now_ms);
}

/* ---- items */

/* Keys of different hubs never meet: the length stands before the hub's name. */
static struct slice key_of(struct arena *arena, bool is_log, struct slice hub,
			   struct slice key)
{
	const size_t len = 1 + sizeof(hub.len) + hub.len + key.len;
	char *bytes = arena_alloc(arena, len);
	char *at = bytes;

	*at++ = is_log ? 'l' : 'f';
	memcpy(at, &hub.len, sizeof(hub.len));
	at += sizeof(hub.len);
	if (hub.len > 0)
		memcpy(at, hub.ptr, hub.len);
	if (key.len > 0)
		memcpy(at + hub.len, key.ptr, key.len);
	return slice_make(bytes, len);
}

static struct slice item_key(const struct work *work, bool is_log)
{
	return key_of(work->arena, is_log, work->question->hub, work->question->key);
}

/* NULL: nothing is under the key. Touches it. */
static struct state_item *item_find(const struct work *work, bool is_log)
{
	struct map_node *node = map_find(&work->table->items, item_key(work, is_log));
	struct state_item *item;

	if (node == NULL)
		return NULL;
	item = CONTAINER_OF(node, struct state_item, node);
	list_remove(&item->age_node);
	list_append(&work->table->by_age, &item->age_node);
	return item;
}

/* The youngest stays. */
static void table_cut(struct state_table *table)
{
	const struct state_table_limits *limits = &table->limits;

	while (table->items.count > 1 && (table->items.count > limits->keys_max ||
					  table->bytes > limits->bytes_max)) {
		state_item_free(
			CONTAINER_OF(table->by_age.next, struct state_item, age_node));
		table->evicted_total++;
	}
}

/* The item was changed, and is the youngest: it stays. */
static void item_changed(const struct work *work, struct state_item *item)
{
	struct state_table *table = work->table;

	state_item_cut(item, work->question->entries_max);
	wheel_start(&table->expiry, &item->expiry,
		    table->expiry.now_ms + work->question->ttl_ms);
	table_cut(table);
}

/* Whether `number` is what the question expects; if not, it answers so. */
static bool is_expected(const struct work *work, uint64_t number)
{
	work->answer->number = number;
	if (work->question->expected == HUB_ANY || work->question->expected == number)
		return true;
	work->answer->rc = ERR_EXISTS;
	return false;
}

static void entries_add(const struct work *work, const struct state_kept *kept)
{
	work->answer->entries[work->answer->entries_n++] = (struct state_entry){
		.number = kept->number,
		.name = state_kept_name(kept),
		.bytes = state_kept_bytes(kept),
	};
}

static void entries_alloc(const struct work *work, size_t n)
{
	work->answer->entries =
		arena_alloc(work->arena, n * sizeof(*work->answer->entries));
}

/* ---- logs */

static void append(const struct work *work)
{
	struct state_item *item = item_find(work, true);

	if (!is_expected(work, item != NULL ? item->last + 1 : 1))
		return;
	if (item == NULL)
		item = state_item_new(work->table, item_key(work, true), true);
	state_item_add(item, SLICE_NONE, work->question->bytes, work->answer->number);
	item_changed(work, item);
}

static bool is_before(const struct state_question *question, uint64_t number)
{
	return question->before == 0 || number < question->before;
}

/* The newest entry that is asked for, walking back from it as far as one answer goes:
 * returns the node in front of the first, and how many follow. */
static const struct list *read_start(const struct work *work,
				     const struct state_item *item, size_t *n)
{
	const struct state_question *question = work->question;
	const struct list *node = item->kept.prev;
	size_t bytes = 0;

	*n = 0;
	while (node != &item->kept && !is_before(question, state_kept_of(node)->number))
		node = node->prev;
	while (node != &item->kept && state_kept_of(node)->number >= question->first &&
	       *n < question->entries_max) {
		if (bytes >= STATE_PAGE_BYTES_MAX) {
			work->answer->is_more = true;
			break;
		}
		bytes += state_kept_of(node)->bytes_len;
		(*n)++;
		node = node->prev;
	}
	return node;
}

static void read_log(const struct work *work)
{
	const struct state_item *item = item_find(work, true);
	const struct list *node;
	size_t n;

	if (item == NULL)
		return;
	work->answer->last = item->last;
	work->answer->life = item->life;
	node = read_start(work, item, &n);
	entries_alloc(work, n);
	for (size_t i = 0; i < n; i++) {
		node = node->next;
		entries_add(work, state_kept_of(node));
	}
}

/* ---- fields */

static void put(const struct work *work)
{
	const struct state_question *question = work->question;
	struct state_item *item = item_find(work, false);
	struct state_kept *kept =
		item != NULL ? state_item_find(item, question->name) : NULL;

	if (!is_expected(work, kept != NULL ? kept->number : 0))
		return;
	if (item == NULL)
		item = state_item_new(work->table, item_key(work, false), false);
	if (kept != NULL)
		state_item_drop(item, kept);
	work->answer->number = ++work->table->version;
	state_item_add(item, question->name, question->bytes, work->answer->number);
	item_changed(work, item);
}

static void get(const struct work *work)
{
	const struct state_item *item = item_find(work, false);
	const struct state_kept *kept =
		item != NULL ? state_item_find(item, work->question->name) : NULL;

	if (kept == NULL) {
		work->answer->rc = ERR_NOT_FOUND;
		return;
	}
	entries_alloc(work, 1);
	entries_add(work, kept);
}

/* The first field that is asked for: sought from the newest on, for most who ask want but
 * what is new. `*n`: how many there are from it on. */
static const struct list *list_start(const struct work *work,
				     const struct state_item *item, size_t *n)
{
	const struct list *node = &item->kept;

	*n = 0;
	while (node->prev != &item->kept &&
	       state_kept_of(node->prev)->number >= work->question->first) {
		node = node->prev;
		(*n)++;
	}
	return node;
}

static void list_fields(const struct work *work)
{
	const uint32_t entries_max = work->question->entries_max;
	const struct state_item *item = item_find(work, false);
	const struct list *node;
	size_t bytes = 0;
	size_t n;

	if (item == NULL)
		return;
	work->answer->last = item->last;
	node = list_start(work, item, &n);
	if (entries_max > 0 && n > entries_max) {
		work->answer->is_more = true;
		n = entries_max;
	}
	entries_alloc(work, n);
	for (size_t i = 0; i < n; i++, node = node->next) {
		const struct state_kept *kept = state_kept_of(node);

		if (bytes >= STATE_PAGE_BYTES_MAX) {
			work->answer->is_more = true;
			break;
		}
		bytes += (size_t)kept->name_len + kept->bytes_len;
		entries_add(work, kept);
	}
}

static void remove_field(const struct work *work)
{
	struct state_item *item = item_find(work, false);
	struct state_kept *kept =
		item != NULL ? state_item_find(item, work->question->name) : NULL;

	if (!is_expected(work, kept != NULL ? kept->number : 0) || kept == NULL)
		return;
	work->answer->number = 0;
	item->last = ++work->table->version;
	state_item_drop(item, kept);
	if (item->kept_n == 0)
		state_item_free(item);
}

/* ---- both */

static void forget(const struct work *work)
{
	struct state_item *log = item_find(work, true);
	struct state_item *fields = item_find(work, false);

	if (log != NULL)
		state_item_free(log);
	if (fields != NULL)
		state_item_free(fields);
}

void state_table_ask(struct state_table *table, const struct state_question *question,
		     int64_t now_ms, struct arena *arena, struct state_answer *answer)
{
	const struct work work = { table, question, arena, answer };

	*answer = (struct state_answer){ .rc = OK };
	state_table_advance(table, now_ms);
	switch (question->op) {
	case STATE_APPEND:
		append(&work);
		break;
	case STATE_READ:
		read_log(&work);
		break;
	case STATE_PUT:
		put(&work);
		break;
	case STATE_GET:
		get(&work);
		break;
	case STATE_LIST:
		list_fields(&work);
		break;
	case STATE_REMOVE:
		remove_field(&work);
		break;
	case STATE_FORGET:
		forget(&work);
		break;
	case STATE_NONE:
		answer->rc = ERR_ARGUMENT;
		break;
	}
}

/* ---- from another router */

/* The life of a log is told to who reads it, and goes along; that of fields tells them
 * from those of other keys here. */
struct state_item *state_table_arrive(struct state_table *table,
				      const struct state_moving *moving)
{
	struct arena arena = ARENA_INIT;
	const struct slice key = key_of(&arena, moving->is_log, moving->hub, moving->key);
	struct map_node *node = map_find(&table->items, key);
	struct state_item *item =
		node != NULL ? CONTAINER_OF(node, struct state_item, node) : NULL;

	if (item != NULL && moving->is_first) {
		state_item_free(item);
		item = NULL;
	}
	if (item == NULL)
		item = state_item_new(table, key, moving->is_log);
	if (moving->is_log)
		item->life = moving->life;
	arena_fini(&arena);
	return item;
}

void state_table_arrived(struct state_item *item, const struct state_entry *entry)
{
	struct state_kept *kept = NULL;

	if (entry->name.len > HUB_KEY_BYTES_MAX || entry->bytes.len > HUB_ENTRY_BYTES_MAX)
		return;
	if (!item->is_log)
		kept = state_item_find(item, entry->name);
	if (kept != NULL)
		state_item_drop(item, kept);
	state_item_add(item, entry->name, entry->bytes, entry->number);
}

/* Versions that the other router gave are not given again. */
void state_table_settle(struct state_table *table, struct state_item *item, uint64_t last,
			int64_t end_ms)
{
	item->last = last;
	if (table->version < last && !item->is_log)
		table->version = last;
	wheel_start(&table->expiry, &item->expiry, end_ms);
	table_cut(table);
}
