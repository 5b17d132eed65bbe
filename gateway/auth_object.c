/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects whose members are looked up by name. That a name stands twice is found
 * here, where it is decoded: what two readers could read differently is refused.
 */
#include "gateway/auth_object.h"

#include <assert.h>

static struct json_cursor cursor_of(struct slice raw)
{
	return (struct json_cursor){ raw.ptr, raw.ptr + raw.len, AUTH_OBJECT_DEPTH_MAX };
}

const struct slice *auth_object_find(const struct auth_object *object, struct slice name)
{
	for (size_t i = 0; i < object->n; i++) {
		if (slice_equal(object->items[i].name, name))
			return &object->items[i].raw;
	}
	return NULL;
}

enum err auth_object_read(struct auth_object *object, size_t members_max,
			  struct slice text, struct arena *arena)
{
	struct json_cursor cursor = cursor_of(text);
	bool is_first = true;
	bool more;
	enum err rc = json_open(&cursor, '{');

	assert(members_max <= AUTH_OBJECT_MEMBERS_MAX);
	object->n = 0;
	while (rc == OK) {
		struct auth_member member;

		rc = json_next_member(&cursor, arena, &is_first, &member.name, &more);
		if (rc != OK || !more)
			break;
		rc = json_skip(&cursor, &member.raw);
		if (rc != OK)
			break;
		if (object->n == members_max)
			return ERR_LIMIT;
		if (auth_object_find(object, member.name) != NULL)
			return ERR_MALFORMED;
		object->items[object->n++] = member;
	}
	if (rc == OK && !json_is_done(&cursor))
		return ERR_MALFORMED;
	return rc;
}

/* A NUL would end a name early for whoever takes it for a string of C. */
static enum err text_read(struct json_cursor *cursor, struct arena *arena,
			  struct slice *text)
{
	if (json_text(cursor, arena, text) != OK || slice_find(*text, '\0') >= 0)
		return ERR_MALFORMED;
	return OK;
}

enum err auth_object_text(const struct auth_object *object, struct slice name,
			  struct arena *arena, struct slice *text)
{
	const struct slice *raw = auth_object_find(object, name);
	struct json_cursor cursor;

	*text = SLICE_NONE;
	if (raw == NULL)
		return OK;
	cursor = cursor_of(*raw);
	return text_read(&cursor, arena, text);
}

static enum err text_add(struct json_cursor *cursor, struct arena *arena,
			 struct slice *items, size_t max, size_t *n)
{
	struct slice text;

	if (text_read(cursor, arena, &text) != OK)
		return ERR_MALFORMED;
	if (*n == max)
		return ERR_LIMIT;
	items[(*n)++] = text;
	return OK;
}

enum err auth_texts_read(struct slice raw, struct arena *arena, struct slice *items,
			 size_t max, size_t *n)
{
	struct json_cursor cursor = cursor_of(raw);
	bool is_first = true;
	bool more = true;
	enum err rc;

	assert(*n <= max);
	if (json_peek(&cursor) != '[')
		return text_add(&cursor, arena, items, max, n);
	rc = json_open(&cursor, '[');
	while (rc == OK && more) {
		rc = json_next_element(&cursor, &is_first, &more);
		if (rc == OK && more)
			rc = text_add(&cursor, arena, items, max, n);
	}
	return rc;
}
