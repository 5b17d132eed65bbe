/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over the scanner of the hub protocol: the arguments are stepped over, not built, and
 * travel on as they came.
 */
#include "presence/admin_body.h"

#include "proto/link/shard_map.h"
#include "proto/wire/json.h"
#include "proto/wire/value.h"

/* Reads the value of the member `key`. */
typedef enum err member_fn(struct json_cursor *cursor, struct arena *arena,
			   struct slice key, void *into, const char **problem);

static enum err refuse(const char **problem, const char *why)
{
	*problem = why;
	return ERR_ARGUMENT;
}

static enum err read_object(struct slice body, struct arena *arena, member_fn *fn,
			    void *into, const char **problem)
{
	struct json_cursor cursor = { body.ptr, body.ptr + body.len,
				      JSON_CURSOR_DEPTH_MAX };
	bool is_first = true;
	bool more = false;
	struct slice key;
	struct slice raw;
	enum err rc;

	/* All of it, so that what is no JSON is not taken for a wrong member. */
	if (json_skip(&cursor, &raw) != OK || !json_is_done(&cursor))
		return ERR_MALFORMED;
	cursor = (struct json_cursor){ body.ptr, body.ptr + body.len,
				       JSON_CURSOR_DEPTH_MAX };
	if (json_peek(&cursor) != '{')
		return refuse(problem, "The body is an object.");
	rc = json_open(&cursor, '{');
	while (rc == OK) {
		rc = json_next_member(&cursor, arena, &is_first, &key, &more);
		if (rc != OK || !more)
			break;
		rc = fn(&cursor, arena, key, into, problem);
	}
	return rc;
}

/* A string of 1 to `max` bytes that was not there before. */
static enum err read_text(struct json_cursor *cursor, struct arena *arena, size_t max,
			  struct slice *text)
{
	enum err rc;

	if (json_peek(cursor) != '"' || text->ptr != NULL)
		return ERR_ARGUMENT;
	rc = json_text(cursor, arena, text);
	if (rc == OK && (text->len == 0 || text->len > max))
		rc = ERR_ARGUMENT;
	return rc;
}

/* ---- a send */

/* Within what every client can be given, whatever it speaks: where they are made into
 * MessagePack nobody is left to be told. */
static bool are_arguments(struct slice raw, struct arena *arena)
{
	struct value *value;

	return value_decode_json(raw, arena, &value) == OK;
}

static enum err read_excluded(struct json_cursor *cursor, struct arena *arena,
			      struct admin_send *send)
{
	bool is_first = true;
	bool more = false;
	enum err rc;

	if (json_peek(cursor) != '[' || send->excluded != NULL)
		return ERR_ARGUMENT;
	send->excluded = arena_alloc(arena, ADMIN_EXCLUDED_MAX * sizeof(struct slice));
	rc = json_open(cursor, '[');
	while (rc == OK) {
		struct slice id = SLICE_NONE;

		rc = json_next_element(cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		if (send->excluded_n == ADMIN_EXCLUDED_MAX)
			return ERR_ARGUMENT;
		rc = read_text(cursor, arena, SIZE_MAX, &id);
		send->excluded[send->excluded_n++] = id;
	}
	return rc;
}

static enum err read_send(struct json_cursor *cursor, struct arena *arena,
			  struct slice key, void *into, const char **problem)
{
	struct admin_send *send = into;

	if (slice_equal(key, SLICE("target"))) {
		if (read_text(cursor, arena, ADMIN_TARGET_BYTES_MAX, &send->target) != OK)
			return refuse(problem,
				      "target is a text of 1 to 1024 bytes, once.");
	} else if (slice_equal(key, SLICE("arguments"))) {
		if (json_peek(cursor) != '[' || send->arguments.ptr != NULL ||
		    json_skip(cursor, &send->arguments) != OK)
			return refuse(problem, "arguments is an array, once.");
		if (!are_arguments(send->arguments, arena))
			return refuse(problem, "arguments are more than a client could "
					       "be given.");
	} else if (slice_equal(key, SLICE("excluded"))) {
		if (read_excluded(cursor, arena, send) != OK)
			return refuse(problem, "excluded is an array of at most 1000 "
					       "connection ids, once.");
	} else {
		return refuse(problem, "Members are target, arguments and excluded.");
	}
	return OK;
}

enum err admin_body_send(struct slice body, struct arena *arena, struct admin_send *send,
			 const char **problem)
{
	enum err rc;

	*send = (struct admin_send){ .target = SLICE_NONE };
	rc = read_object(body, arena, read_send, send, problem);
	if (rc == OK && send->target.ptr == NULL)
		return refuse(problem, "target is missing.");
	if (rc == OK && send->arguments.ptr == NULL)
		send->arguments = SLICE("[]");
	return rc;
}

/* ---- a reason */

struct reason_read {
	struct admin_reason *reason;
	bool has_reconnect;
};

static enum err read_bool(struct json_cursor *cursor, bool *value)
{
	struct slice raw;

	if (json_skip(cursor, &raw) != OK)
		return ERR_ARGUMENT;
	*value = slice_equal(raw, SLICE("true"));
	return *value || slice_equal(raw, SLICE("false")) ? OK : ERR_ARGUMENT;
}

static enum err read_reason(struct json_cursor *cursor, struct arena *arena,
			    struct slice key, void *into, const char **problem)
{
	struct reason_read *read = into;

	if (slice_equal(key, SLICE("reason"))) {
		if (read_text(cursor, arena, ADMIN_REASON_BYTES_MAX,
			      &read->reason->reason) != OK)
			return refuse(problem,
				      "reason is a text of 1 to 1024 bytes, once.");
	} else if (slice_equal(key, SLICE("allowReconnect"))) {
		if (read->has_reconnect ||
		    read_bool(cursor, &read->reason->allow_reconnect) != OK)
			return refuse(problem, "allowReconnect is true or false, once.");
		read->has_reconnect = true;
	} else {
		return refuse(problem, "Members are reason and allowReconnect.");
	}
	return OK;
}

enum err admin_body_reason(struct slice body, struct arena *arena,
			   struct admin_reason *reason, const char **problem)
{
	struct reason_read read = { .reason = reason };

	*reason = (struct admin_reason){ .reason = SLICE_NONE };
	if (body.len == 0)
		return OK;
	return read_object(body, arena, read_reason, &read, problem);
}

/* ---- a list of routers */

static enum err read_routers(struct json_cursor *cursor, struct arena *arena,
			     struct slice key, void *into, const char **problem)
{
	struct slice *routers = into;

	if (!slice_equal(key, SLICE("routers")))
		return refuse(problem, "The only member is routers.");
	if (read_text(cursor, arena, SHARD_MAP_TEXT_MAX, routers) != OK ||
	    memchr(routers->ptr, '\0', routers->len) != NULL)
		return refuse(problem, "routers is a text of 1 to 65536 bytes, once.");
	return OK;
}

enum err admin_body_routers(struct slice body, struct arena *arena, struct slice *routers,
			    const char **problem)
{
	enum err rc;

	*routers = SLICE_NONE;
	rc = read_object(body, arena, read_routers, routers, problem);
	if (rc == OK && routers->ptr == NULL)
		return refuse(problem, "routers is missing.");
	return rc;
}
