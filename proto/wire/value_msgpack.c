/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values from and to MessagePack. Neither direction recurses. What JSON has no word for
 * takes the form that the common serializers give it there, so that a hub sees the same
 * value whichever protocol a client speaks: a timestamp is ISO 8601 text, an integer key
 * is its decimal digits.
 */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "proto/wire/msgpack.h"
#include "proto/wire/value.h"

/* A hub may put what it got at full depth into containers of its own, and JSON text at
 * full depth into those. */
#define ENCODE_DEPTH_MAX ((size_t)3 * VALUE_DEPTH_MAX)

#define NANOSECONDS 1000000000
#define SECONDS_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* ---- decoding */

struct timestamp {
	int64_t seconds; /* since 1970 */
	uint64_t nanoseconds;
};

static enum err read_timestamp(struct slice bytes, struct timestamp *timestamp)
{
	uint64_t packed;

	switch (bytes.len) {
	case 4:
		timestamp->nanoseconds = 0;
		timestamp->seconds = (int64_t)msgpack_big_endian(bytes.ptr, 4);
		break;
	case 8:
		packed = msgpack_big_endian(bytes.ptr, 8);
		timestamp->nanoseconds = packed >> 34;
		timestamp->seconds = (int64_t)(packed & ((UINT64_C(1) << 34) - 1));
		break;
	case 12:
		timestamp->nanoseconds = msgpack_big_endian(bytes.ptr, 4);
		timestamp->seconds = (int64_t)msgpack_big_endian(bytes.ptr + 4, 8);
		break;
	default:
		return ERR_MALFORMED;
	}
	if (timestamp->nanoseconds >= NANOSECONDS)
		return ERR_MALFORMED;
	if (timestamp->seconds < SECONDS_MIN || timestamp->seconds > SECONDS_MAX)
		return ERR_LIMIT;
	return OK;
}

/* As .NET writes it to JSON: a fraction only when there is one, without zeros at its end.
 */
static struct slice timestamp_text(const struct timestamp *timestamp, struct arena *arena)
{
	char fraction[16] = "";
	size_t len = 0;
	const time_t seconds = timestamp->seconds;
	struct tm tm = { 0 };

	(void)gmtime_r(&seconds, &tm); /* in range: years have four digits */
	if (timestamp->nanoseconds > 0) {
		len = (size_t)snprintf(fraction, sizeof(fraction), ".%09u",
				       (unsigned)timestamp->nanoseconds);
		while (fraction[len - 1] == '0')
			len--;
	}
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d%.*sZ",
			    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			    tm.tm_min, tm.tm_sec, (int)len, fraction);
}

static enum err convert_ext(const struct msgpack_token *token, struct arena *arena,
			    struct value **value)
{
	struct timestamp timestamp;
	enum err rc = ERR_MALFORMED;

	if (token->ext == MSGPACK_EXT_TIMESTAMP)
		rc = read_timestamp(token->bytes, &timestamp);
	if (rc == OK)
		*value = value_string(arena, timestamp_text(&timestamp, arena));
	return rc;
}

/* A container comes without its children. */
static enum err convert_one(const struct msgpack_token *token, struct arena *arena,
			    struct value **value)
{
	switch (token->type) {
	case MSGPACK_NIL:
		*value = value_nil(arena);
		break;
	case MSGPACK_BOOL:
		*value = value_bool(arena, token->boolean);
		break;
	case MSGPACK_INT:
		*value = value_int(arena, token->integer);
		break;
	case MSGPACK_UINT:
		*value = value_double(arena, (double)token->wide);
		break;
	case MSGPACK_DOUBLE:
		*value = value_double(arena, token->real);
		break;
	case MSGPACK_STR:
		*value = value_string(arena, arena_dup(arena, token->bytes));
		break;
	case MSGPACK_BIN:
		*value = value_binary(arena, arena_dup(arena, token->bytes));
		break;
	case MSGPACK_EXT:
		return convert_ext(token, arena, value);
	case MSGPACK_ARRAY:
		*value = value_array(arena);
		break;
	case MSGPACK_MAP:
		*value = value_map(arena);
		break;
	}
	return OK;
}

static enum err read_key(struct msgpack_cursor *cursor, struct arena *arena,
			 struct slice *key)
{
	struct msgpack_token token;
	enum err rc = msgpack_read(cursor, &token);

	if (rc != OK)
		return rc;
	if (token.type == MSGPACK_INT) {
		*key = arena_printf(arena, "%lld", (long long)token.integer);
		return OK;
	}
	if (token.type == MSGPACK_UINT) {
		*key = arena_printf(arena, "%llu", (unsigned long long)token.wide);
		return OK;
	}
	if (token.type != MSGPACK_STR || slice_find(token.bytes, '\0') >= 0)
		return ERR_MALFORMED;
	*key = arena_dup(arena, token.bytes);
	return OK;
}

/* A container whose children are being read. */
struct level {
	struct value *container;
	uint32_t left;
};

/* Reads one value, or a container's head, into the innermost container. */
static enum err read_into(struct msgpack_cursor *cursor, struct arena *arena,
			  struct level *level, struct msgpack_token *token,
			  struct value **item)
{
	const bool is_member = level != NULL && level->container->type == VALUE_MAP;
	struct slice key = SLICE_NONE;
	enum err rc = OK;

	if (is_member)
		rc = read_key(cursor, arena, &key);
	if (rc == OK)
		rc = msgpack_read(cursor, token);
	if (rc == OK)
		rc = convert_one(token, arena, item);
	if (rc != OK || level == NULL)
		return rc;
	assert(level->left > 0);
	level->left--;
	if (is_member)
		value_set(level->container, key, *item);
	else
		value_add(level->container, *item);
	return OK;
}

enum err value_decode_msgpack(struct slice bytes, struct arena *arena,
			      struct value **value)
{
	struct msgpack_cursor cursor = msgpack_cursor(bytes);
	struct level levels[MSGPACK_DEPTH_MAX];
	struct value *root = NULL;
	size_t depth = 0;
	size_t n = 0;

	do {
		struct msgpack_token token;
		struct value *item = NULL;
		enum err rc;

		if (n++ == VALUE_NODES_MAX)
			return ERR_LIMIT;
		rc = read_into(&cursor, arena, depth > 0 ? &levels[depth - 1] : NULL,
			       &token, &item);
		if (rc != OK)
			return rc;
		if (root == NULL)
			root = item;
		if (token.type == MSGPACK_ARRAY || token.type == MSGPACK_MAP) {
			if (depth == MSGPACK_DEPTH_MAX)
				return ERR_LIMIT;
			levels[depth++] = (struct level){ item, token.count };
		}
		while (depth > 0 && levels[depth - 1].left == 0)
			depth--;
	} while (depth > 0);
	if (cursor.at != cursor.end)
		return ERR_MALFORMED;
	*value = root;
	return OK;
}

/* ---- encoding */

/* Siblings that are still to be written. */
struct row {
	const struct value *next;
	bool is_map;
};

/* What RAW stands for; a hub's text that is no JSON is nil. */
static const struct value *open_raw(const struct value *value, struct arena *arena)
{
	struct value *decoded;

	if (value_decode_json(value->bytes, arena, &decoded) != OK)
		decoded = value_nil(arena);
	return decoded;
}

/* A container is only opened. */
static void write_one(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL:
	case VALUE_RAW: /* was replaced by what it stands for */
		msgpack_write_nil(out);
		return;
	case VALUE_BOOL:
		msgpack_write_bool(out, value->boolean);
		return;
	case VALUE_INT:
		msgpack_write_int(out, value->integer);
		return;
	case VALUE_DOUBLE:
		msgpack_write_double(out, value->real);
		return;
	case VALUE_STRING:
		msgpack_write_str(out, value->bytes);
		return;
	case VALUE_BINARY:
		msgpack_write_bin(out, value->bytes);
		return;
	case VALUE_ARRAY:
		msgpack_write_array(out, value->count);
		return;
	case VALUE_MAP:
		msgpack_write_map(out, value->count);
		return;
	}
}

static bool is_container(const struct value *value)
{
	return value->type == VALUE_ARRAY || value->type == VALUE_MAP;
}

void value_encode_msgpack(struct buf *out, const struct value *value)
{
	struct row rows[ENCODE_DEPTH_MAX + 1];
	struct arena arena = ARENA_INIT; /* for what RAW stands for */
	size_t depth = 1;

	rows[0] = (struct row){ value, false };
	while (depth > 0) {
		struct row *row = &rows[depth - 1];
		const struct value *item = row->next;

		if (item == NULL) {
			depth--;
			continue;
		}
		row->next = depth > 1 ? item->next : NULL;
		if (row->is_map)
			msgpack_write_str(out, item->key);
		if (item->type == VALUE_RAW)
			item = open_raw(item, &arena);
		write_one(out, item);
		if (!is_container(item) || item->first == NULL)
			continue;
		assert(depth <= ENCODE_DEPTH_MAX);
		rows[depth++] = (struct row){ item->first, item->type == VALUE_MAP };
	}
	arena_fini(&arena);
}
