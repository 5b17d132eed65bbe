/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making values and texts. They live as long as the call, or up to the next
 * hub_scratch().
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "proto/base/crypto.h"
#include "router/hub_steps.h"

/* ---- where they live */

void hub_scratch(struct hub_call *call)
{
	arena_reset(&call->scratch);
	call->is_scratch = true;
	call->client_error = SLICE_NONE;
	call->passed = SLICE_NONE;
	call->groups = NULL;
}

void *hub_alloc(struct hub_call *call, size_t size)
{
	return arena_zalloc(hub_arena(call), size);
}

/* ---- values */

struct value *hub_null(struct hub_call *call)
{
	return value_nil(hub_arena(call));
}

struct value *hub_bool(struct hub_call *call, bool boolean)
{
	return value_bool(hub_arena(call), boolean);
}

struct value *hub_int(struct hub_call *call, int64_t integer)
{
	return value_int(hub_arena(call), integer);
}

struct value *hub_double(struct hub_call *call, double real)
{
	return value_double(hub_arena(call), real);
}

struct value *hub_string(struct hub_call *call, struct slice text)
{
	return value_string(hub_arena(call), text);
}

struct value *hub_bytes(struct hub_call *call, struct slice bytes)
{
	return value_binary(hub_arena(call), bytes);
}

struct value *hub_raw(struct hub_call *call, struct slice json)
{
	return value_raw(hub_arena(call), json);
}

struct value *hub_array(struct hub_call *call)
{
	return value_array(hub_arena(call));
}

struct value *hub_map(struct hub_call *call)
{
	return value_map(hub_arena(call));
}

void hub_add(struct value *array, struct value *item)
{
	value_add(array, item);
}

void hub_set(struct value *map, const char *key, struct value *item)
{
	value_set(map, slice_from_str(key), item);
}

struct value *hub_copy(struct hub_call *call, const struct value *value)
{
	struct value *copy = ARENA_NEW(hub_arena(call), struct value);

	/* Children are shared: a value that was given never changes. */
	*copy = *value;
	copy->next = NULL;
	copy->key = SLICE_NONE;
	return copy;
}

/* Without what is in it. */
static struct value *keep_one(struct arena *arena, const struct value *value)
{
	struct value *copy = ARENA_NEW(arena, struct value);

	copy->type = value->type;
	switch (value->type) {
	case VALUE_NIL:
	case VALUE_ARRAY:
	case VALUE_MAP:
		break;
	case VALUE_BOOL:
		copy->boolean = value->boolean;
		break;
	case VALUE_INT:
		copy->integer = value->integer;
		break;
	case VALUE_DOUBLE:
		copy->real = value->real;
		break;
	case VALUE_STRING:
	case VALUE_BINARY:
	case VALUE_RAW:
		copy->bytes = arena_dup(arena, value->bytes);
		break;
	}
	return copy;
}

static void keep_in(struct arena *arena, struct value *parent, const struct value *value,
		    struct value *copy)
{
	if (parent->type == VALUE_MAP)
		value_set(parent, arena_dup(arena, value->key), copy);
	else
		value_add(parent, copy);
}

const struct value *hub_keep(struct hub_call *call, const struct value *value)
{
	struct arena *arena = &call->arena;
	const struct value *parents[HUB_VALUE_DEPTH_MAX];
	struct value *copies[HUB_VALUE_DEPTH_MAX];
	struct value *root = keep_one(arena, value);
	struct value *copy = root;
	size_t depth = 0;

	for (;;) {
		if ((value->type == VALUE_ARRAY || value->type == VALUE_MAP) &&
		    value->first != NULL) {
			assert(depth < HUB_VALUE_DEPTH_MAX);
			parents[depth] = value;
			copies[depth++] = copy;
			value = value->first;
		} else {
			while (depth > 0 && value->next == NULL)
				value = parents[--depth];
			if (depth == 0)
				return root;
			value = value->next;
		}
		copy = keep_one(arena, value);
		keep_in(arena, copies[depth - 1], value, copy);
	}
}

struct slice hub_vprintf(struct arena *arena, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	text = arena_alloc(arena, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, fmt, args); /* it fits */
	return slice_make(text, (size_t)len);
}

struct slice hub_printf(struct hub_call *call, const char *fmt, ...)
{
	struct slice text;
	va_list args;

	va_start(args, fmt);
	text = hub_vprintf(hub_arena(call), fmt, args);
	va_end(args);
	return text;
}

struct slice hub_concat(struct hub_call *call, struct slice first, struct slice second)
{
	char *bytes = arena_alloc(hub_arena(call), first.len + second.len);

	if (first.len > 0)
		memcpy(bytes, first.ptr, first.len);
	if (second.len > 0)
		memcpy(bytes + first.len, second.ptr, second.len);
	return slice_make(bytes, first.len + second.len);
}

struct slice hub_encode(struct hub_call *call, const struct value *value)
{
	struct buf text = BUF_INIT;
	struct slice copy;

	value_encode_json(&text, value);
	copy = arena_dup(hub_arena(call), buf_slice(&text));
	buf_fini(&text);
	return copy;
}

struct value *hub_decode(struct hub_call *call, struct slice json)
{
	struct value *value;

	return value_decode_json(json, hub_arena(call), &value) == OK ? value : NULL;
}

struct slice hub_timestamp(struct hub_call *call)
{
	const int64_t unix_ms = loop_unix_ms(call->runtime->router->loop);
	const time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;

	(void)gmtime_r(&seconds, &utc); /* any time_t of this century has a date */
	return hub_printf(call, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
			  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
			  utc.tm_sec, (int)(unix_ms % 1000));
}

int64_t hub_unix_ms(const struct hub_call *call)
{
	return loop_unix_ms(call->runtime->router->loop);
}

struct slice hub_new_id(struct hub_call *call)
{
	char bytes[16];
	struct buf text = BUF_INIT;
	struct slice id;

	crypto_random(bytes, sizeof(bytes));
	crypto_base64url_encode(&text, slice_make(bytes, sizeof(bytes)));
	id = arena_dup(hub_arena(call), buf_slice(&text));
	buf_fini(&text);
	return id;
}
