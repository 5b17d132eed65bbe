/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of connections: a list per connection, each a name and a value in MessagePack,
 * which keeps all that a value can say.
 */
#include <assert.h>

#include "proto/base/mem.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

struct conn_item {
	struct conn_item *next; /* owned */
	size_t name_len;
	size_t value_len;
	char bytes[]; /* the name, then the value */
};

static size_t item_bytes(size_t name_len, size_t value_len)
{
	return sizeof(struct conn_item) + name_len + value_len;
}

/* What points to the item, or to the end of the list. */
static struct conn_item **item_find(struct conn *conn, struct slice name)
{
	struct conn_item **at = &conn->items;

	while (*at != NULL &&
	       !slice_equal(slice_make((*at)->bytes, (*at)->name_len), name))
		at = &(*at)->next;
	return at;
}

static void item_free(struct conn *conn, struct conn_item **at)
{
	struct conn_item *item = *at;

	*at = item->next;
	conn->router->metrics.items_bytes -=
		(int64_t)item_bytes(item->name_len, item->value_len);
	mem_free(item);
}

static void item_add(struct conn *conn, struct slice name, struct slice value)
{
	struct conn_item *item = mem_alloc(item_bytes(name.len, value.len));

	item->next = conn->items;
	item->name_len = name.len;
	item->value_len = value.len;
	if (name.len > 0)
		memcpy(item->bytes, name.ptr, name.len);
	memcpy(item->bytes + name.len, value.ptr, value.len);
	conn->items = item;
	conn->router->metrics.items_bytes += (int64_t)item_bytes(name.len, value.len);
}

void hub_items_free(struct conn *conn)
{
	while (conn->items != NULL)
		item_free(conn, &conn->items);
}

/* Is there room for the value in place of the one of that name? */
static bool item_fits(const struct conn *conn, struct slice name, size_t value_len)
{
	size_t bytes = item_bytes(name.len, value_len);

	for (const struct conn_item *item = conn->items; item != NULL;
	     item = item->next) {
		if (!slice_equal(slice_make(item->bytes, item->name_len), name))
			bytes += item_bytes(item->name_len, item->value_len);
	}
	return bytes <= (size_t)conn->router->conf->connection_items_bytes_max;
}

/* Can it be read again? */
static bool is_readable(struct slice raw)
{
	struct arena arena = ARENA_INIT;
	struct value *value;
	const bool is_good = value_decode_msgpack(raw, &arena, &value) == OK;

	arena_fini(&arena);
	return is_good;
}

/* ---- from one router to the next */

void hub_items_write(const struct conn *conn, struct arena *arena,
		     Link__Released *released)
{
	size_t n = 0;

	for (const struct conn_item *item = conn->items; item != NULL; item = item->next)
		n++;
	released->items = arena_alloc(arena, n * sizeof(*released->items));
	for (const struct conn_item *item = conn->items; item != NULL;
	     item = item->next) {
		Link__Item *to = ARENA_NEW(arena, Link__Item);

		link__item__init(to);
		to->name = link_bytes(slice_make(item->bytes, item->name_len));
		to->value = link_bytes(
			slice_make(item->bytes + item->name_len, item->value_len));
		released->items[released->n_items++] = to;
	}
}

/* It was within the limit there. Of one name the last one counts. */
void hub_items_take(struct conn *conn, Link__Item *const *items, size_t n)
{
	hub_items_free(conn);
	for (size_t i = 0; i < n; i++) {
		const struct slice name = link_slice(items[i]->name);
		struct conn_item **at = item_find(conn, name);

		if (!is_readable(link_slice(items[i]->value)))
			continue;
		if (*at != NULL)
			item_free(conn, at);
		item_add(conn, name, link_slice(items[i]->value));
	}
}

/* ---- by methods */

enum hub_rc hub_item_set(struct hub_call *call, const char *name,
			 const struct value *value)
{
	const struct slice key = slice_from_str(name);
	struct conn_item **at = item_find(call->conn, key);
	struct buf raw = BUF_INIT;
	enum hub_rc rc = HUB_OK;

	if (hub_call_is_user(call))
		return HUB_ENOTFOUND;
	if (value == NULL) {
		if (*at != NULL)
			item_free(call->conn, at);
		return HUB_OK;
	}
	value_encode_msgpack(&raw, value);
	if (item_fits(call->conn, key, raw.len) && is_readable(buf_slice(&raw))) {
		if (*at != NULL)
			item_free(call->conn, at);
		item_add(call->conn, key, buf_slice(&raw));
	} else {
		call->runtime->router->metrics.items_refused_total++;
		rc = HUB_ELIMIT;
	}
	buf_fini(&raw);
	return rc;
}

const struct value *hub_item(struct hub_call *call, const char *name)
{
	const struct conn_item *item = *item_find(call->conn, slice_from_str(name));
	struct arena *arena = hub_arena(call);
	struct value *value;
	enum err rc;

	if (item == NULL)
		return NULL;
	rc = value_decode_msgpack(
		arena_dup(arena,
			  slice_make(item->bytes + item->name_len, item->value_len)),
		arena, &value);
	assert(rc == OK); /* it was read before it was kept */
	return value;
}
