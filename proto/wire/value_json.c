/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values from and to JSON. jansson builds the tree, but sees only text that our scanner
 * has found well-formed, shallow and of few values: it can neither recurse nor allocate
 * without a bound. Neither direction recurses here.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/crypto.h"
#include "proto/wire/json.h"
#include "proto/wire/value.h"

_Static_assert(VALUE_DEPTH_MAX <= JSON_CURSOR_DEPTH_MAX, "the scanner goes that deep");

/* A hub may put what it got at full depth into containers of its own. */
#define ENCODE_DEPTH_MAX ((size_t)2 * VALUE_DEPTH_MAX)

/* An integer of fewer characters fits int64. */
#define INTEGER_SHORT_LEN 19

struct survey {
	size_t values;
	size_t wide; /* integers beyond int64 */
};

/* ---- decoding */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * The token at `at` in text that was checked: a whole string or number, else one byte
 * (the rest of a literal reads as bytes that mean nothing).
 */
static struct slice token_at(const char *at, const char *end)
{
	const char *start = at;

	if (*at == '"') {
		for (at++; *at != '"'; at++)
			at += *at == '\\';
	} else if (*at == '-' || is_digit(*at)) {
		while (at + 1 < end &&
		       (is_digit(at[1]) || (at[1] != '\0' && strchr("+-.eE", at[1]))))
			at++;
	}
	return slice_make(start, (size_t)(at - start) + 1);
}

static bool is_wide_integer(struct slice token)
{
	int64_t integer;

	if (token.len < INTEGER_SHORT_LEN ||
	    (token.ptr[0] != '-' && !is_digit(token.ptr[0])))
		return false;
	for (size_t i = 1; i < token.len; i++) {
		if (!is_digit(token.ptr[i]))
			return false;
	}
	return slice_to_int64(token, &integer) != OK;
}

static struct survey survey_text(struct slice text)
{
	struct survey survey = { 0, 0 };
	const char *end = text.ptr + text.len;
	struct slice token;

	for (const char *at = text.ptr; at < end; at += token.len) {
		token = token_at(at, end);
		survey.wide += is_wide_integer(token);
		if (is_digit(*at) || (*at != '\0' && strchr("\"{[tfn-", *at)))
			survey.values++;
		else if (*at == ':')
			survey.values--; /* that string was a key */
	}
	return survey;
}

/* A copy in which integers beyond int64, which jansson refuses, are written as reals. */
static struct slice widen(struct slice text, size_t wide, struct arena *arena)
{
	const char *end = text.ptr + text.len;
	char *copy = arena_alloc(arena, text.len + 2 * wide);
	struct slice token;
	size_t n = 0;

	for (const char *at = text.ptr; at < end; at += token.len) {
		token = token_at(at, end);
		memcpy(copy + n, at, token.len);
		n += token.len;
		if (!is_wide_integer(token))
			continue;
		copy[n++] = '.';
		copy[n++] = '0';
	}
	assert(n == text.len + 2 * wide);
	return slice_make(copy, n);
}

/* A container whose children are being converted. */
struct level {
	json_t *json;
	void *member; /* an object's iterator */
	size_t index; /* an array's */
	struct value *value;
};

/* The tree dies before the value. */
static struct slice text_of(const json_t *json, struct arena *arena)
{
	return arena_dup(arena,
			 slice_make(json_string_value(json), json_string_length(json)));
}

/* A container comes without its children. */
static struct value *convert_one(const json_t *json, struct arena *arena)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return value_map(arena);
	case JSON_ARRAY:
		return value_array(arena);
	case JSON_STRING:
		return value_string(arena, text_of(json, arena));
	case JSON_INTEGER:
		return value_int(arena, json_integer_value(json));
	case JSON_REAL:
		return value_double(arena, json_real_value(json));
	case JSON_TRUE:
		return value_bool(arena, true);
	case JSON_FALSE:
		return value_bool(arena, false);
	case JSON_NULL:
		break;
	}
	return value_nil(arena);
}

/* Converts the next child into the level's value; NULL when there is none left. */
static json_t *convert_child(struct level *level, struct arena *arena,
			     struct value **item)
{
	struct slice key;
	json_t *child;

	if (json_is_array(level->json)) {
		child = json_array_get(level->json, level->index++);
		if (!child)
			return NULL;
		*item = convert_one(child, arena);
		value_add(level->value, *item);
		return child;
	}
	if (!level->member)
		return NULL;
	child = json_object_iter_value(level->member);
	key = slice_make(json_object_iter_key(level->member),
			 json_object_iter_key_len(level->member));
	*item = convert_one(child, arena);
	value_set(level->value, arena_dup(arena, key), *item);
	level->member = json_object_iter_next(level->json, level->member);
	return child;
}

static struct level level_of(json_t *json, struct value *value)
{
	return (struct level){ json, json_object_iter(json), 0, value };
}

static struct value *convert(json_t *root, struct arena *arena)
{
	struct level levels[VALUE_DEPTH_MAX];
	struct value *value = convert_one(root, arena);
	struct value *item = NULL;
	size_t depth = 0;

	if (json_is_object(root) || json_is_array(root))
		levels[depth++] = level_of(root, value);
	while (depth > 0) {
		json_t *child = convert_child(&levels[depth - 1], arena, &item);

		if (!child) {
			depth--;
		} else if (json_is_object(child) || json_is_array(child)) {
			assert(depth < VALUE_DEPTH_MAX);
			levels[depth++] = level_of(child, item);
		}
	}
	return value;
}

enum err value_decode_json(struct slice text, struct arena *arena, struct value **value)
{
	struct json_cursor cursor = { text.ptr, text.ptr, VALUE_DEPTH_MAX };
	struct survey survey;
	json_error_t error;
	json_t *root;
	enum err rc;

	if (text.len == 0)
		return ERR_MALFORMED;
	cursor.end += text.len;
	rc = json_skip(&cursor, &text);
	if (rc != OK)
		return rc;
	if (!json_is_done(&cursor))
		return ERR_MALFORMED;
	survey = survey_text(text);
	if (survey.values > VALUE_NODES_MAX)
		return ERR_LIMIT;
	if (survey.wide > 0)
		text = widen(text, survey.wide, arena);
	root = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (!root)
		return json_error_code(&error) == json_error_numeric_overflow
			       ? ERR_LIMIT
			       : ERR_MALFORMED;
	*value = convert(root, arena);
	json_decref(root);
	return OK;
}

/* ---- encoding */

/* The shortest of the usual precisions that reads back as the same number. */
static void write_double(struct buf *out, double real)
{
	char text[32];

	if (!isfinite(real)) {
		buf_append_str(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits,
			       real); /* always fits */
		if (strtod(text, NULL) == real)
			break;
	}
	buf_append_str(out, text);
}

/* A container is only opened. */
static void write_one(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL:
		buf_append_str(out, "null");
		return;
	case VALUE_BOOL:
		buf_append_str(out, value->boolean ? "true" : "false");
		return;
	case VALUE_INT:
		buf_append_int64(out, value->integer);
		return;
	case VALUE_DOUBLE:
		write_double(out, value->real);
		return;
	case VALUE_STRING:
		json_write_string(out, value->bytes);
		return;
	case VALUE_BINARY:
		buf_append_byte(out, '"');
		crypto_base64_encode(out, value->bytes);
		buf_append_byte(out, '"');
		return;
	case VALUE_RAW:
		buf_append_slice(out, value->bytes);
		return;
	case VALUE_ARRAY:
		buf_append_byte(out, '[');
		return;
	case VALUE_MAP:
		buf_append_byte(out, '{');
		return;
	}
}

static bool is_container(const struct value *value)
{
	return value->type == VALUE_ARRAY || value->type == VALUE_MAP;
}

static void write_close(struct buf *out, const struct value *value)
{
	buf_append_byte(out, value->type == VALUE_MAP ? '}' : ']');
}

void value_encode_json(struct buf *out, const struct value *value)
{
	const struct value *parents[ENCODE_DEPTH_MAX];
	size_t depth = 0;

	for (;;) {
		if (depth > 0 && parents[depth - 1]->type == VALUE_MAP) {
			json_write_string(out, value->key);
			buf_append_byte(out, ':');
		}
		write_one(out, value);
		if (is_container(value) && value->first) {
			assert(depth < ENCODE_DEPTH_MAX);
			parents[depth++] = value;
			value = value->first;
			continue;
		}
		if (is_container(value))
			write_close(out, value);
		while (depth > 0 && !value->next) {
			value = parents[--depth];
			write_close(out, value);
		}
		if (depth == 0)
			return;
		buf_append_byte(out, ',');
		value = value->next;
	}
}
