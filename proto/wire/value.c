/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and reading values. Children hang in a list, in order: arguments and small
 * objects are walked, not searched, so a map needs no hash.
 */
#include "proto/wire/value.h"

#include <assert.h>

static struct value *value_new(struct arena *arena, enum value_type type)
{
	struct value *value = ARENA_NEW(arena, struct value);

	value->type = type;
	return value;
}

static struct value *bytes_new(struct arena *arena, enum value_type type,
			       struct slice bytes)
{
	struct value *value = value_new(arena, type);

	assert(bytes.ptr || bytes.len == 0);
	value->bytes = bytes;
	return value;
}

struct value *value_nil(struct arena *arena)
{
	return value_new(arena, VALUE_NIL);
}

struct value *value_bool(struct arena *arena, bool boolean)
{
	struct value *value = value_new(arena, VALUE_BOOL);

	value->boolean = boolean;
	return value;
}

struct value *value_int(struct arena *arena, int64_t integer)
{
	struct value *value = value_new(arena, VALUE_INT);

	value->integer = integer;
	return value;
}

struct value *value_double(struct arena *arena, double real)
{
	struct value *value = value_new(arena, VALUE_DOUBLE);

	value->real = real;
	return value;
}

struct value *value_string(struct arena *arena, struct slice text)
{
	return bytes_new(arena, VALUE_STRING, text);
}

struct value *value_binary(struct arena *arena, struct slice bytes)
{
	return bytes_new(arena, VALUE_BINARY, bytes);
}

struct value *value_raw(struct arena *arena, struct slice json)
{
	assert(json.len > 0);
	return bytes_new(arena, VALUE_RAW, json);
}

struct value *value_array(struct arena *arena)
{
	return value_new(arena, VALUE_ARRAY);
}

struct value *value_map(struct arena *arena)
{
	return value_new(arena, VALUE_MAP);
}

static void append(struct value *container, struct value *item)
{
	assert(item != container);
	assert(!item->next && item != container->last);
	if (container->last)
		container->last->next = item;
	else
		container->first = item;
	container->last = item;
	container->count++;
}

void value_add(struct value *array, struct value *item)
{
	assert(array->type == VALUE_ARRAY);
	append(array, item);
}

void value_set(struct value *map, struct slice key, struct value *item)
{
	assert(map->type == VALUE_MAP);
	item->key = key;
	append(map, item);
}

const struct value *value_at(const struct value *array, size_t index)
{
	const struct value *item;

	if (!array || array->type != VALUE_ARRAY || index >= array->count)
		return NULL;
	item = array->first;
	while (index-- > 0)
		item = item->next;
	return item;
}

const struct value *value_find(const struct value *map, struct slice key)
{
	const struct value *found = NULL;

	if (!map || map->type != VALUE_MAP)
		return NULL;
	for (const struct value *item = map->first; item; item = item->next) {
		if (slice_equal(item->key, key))
			found = item;
	}
	return found;
}
