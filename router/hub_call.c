/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a method can know and make: who calls, the arguments, values, and the completion.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "proto/base/crypto.h"
#include "proto/wire/hub_json.h"
#include "router/hub_private.h"

/* In a Complete there is room for so much beside ids and names. */
#define COMPLETE_FRAME_BYTES_MAX (LINK_ENVELOPE_BYTES_MAX - 8192u)

/* ---- who calls */

struct slice hub_connection_id(const struct hub_call *call)
{
	return call->conn->id;
}

struct slice hub_user_id(const struct hub_call *call)
{
	return call->conn->user_id;
}

struct slice hub_user_name(const struct hub_call *call)
{
	return call->conn->user_name.len > 0 ? call->conn->user_name
					     : call->conn->user_id;
}

bool hub_has_role(const struct hub_call *call, struct slice role)
{
	for (size_t i = 0; i < call->conn->roles_n; i++) {
		if (slice_equal(call->conn->roles[i], role))
			return true;
	}
	return false;
}

size_t hub_groups_n(const struct hub_call *call)
{
	return call->conn->groups_n;
}

/* The names stay where they are until the list changes. */
static void groups_index(struct hub_call *call)
{
	const struct conn *conn = call->conn;
	size_t n = 0;

	call->groups = arena_alloc(&call->arena, conn->groups_n * sizeof(*call->groups));
	call->groups_changes = conn->groups_changes;
	LIST_EACH (node, &conn->groups)
		call->groups[n++] = CONTAINER_OF(node, struct conn_group, node)->name;
}

struct slice hub_group_at(struct hub_call *call, size_t index)
{
	if (index >= call->conn->groups_n)
		return SLICE_NONE;
	if (call->groups == NULL || call->groups_changes != call->conn->groups_changes)
		groups_index(call);
	return call->groups[index];
}

/* ---- arguments */

static bool letter_fits(char letter, const struct value *value)
{
	switch (letter) {
	case 's':
		return value->type == VALUE_STRING;
	case 'i':
		return value->type == VALUE_INT;
	case 'n':
		return value->type == VALUE_INT || value->type == VALUE_DOUBLE;
	case 'b':
		return value->type == VALUE_BOOL;
	case 'a':
		return value->type == VALUE_ARRAY;
	case 'm':
		return value->type == VALUE_MAP;
	default:
		assert(letter == 'v');
		return true;
	}
}

enum err hub_call_bind(struct hub_call *call, const struct hub_method *method,
		       struct slice *detail)
{
	const size_t letters_n = strlen(method->arguments);
	const bool is_open = letters_n > 0 && method->arguments[letters_n - 1] == '*';
	const size_t wanted = letters_n - is_open;
	struct value *array;

	if (value_decode_json(call->raw_arguments, &call->arena, &array) != OK ||
	    array->type != VALUE_ARRAY) {
		*detail = SLICE(" InvalidDataException: Error binding arguments.");
		return ERR_MALFORMED;
	}
	if (array->count < wanted || (array->count > wanted && !is_open)) {
		*detail = arena_printf(&call->arena,
				       " InvalidDataException: Invocation provides %zu "
				       "argument(s) but target expects %zu.",
				       array->count, wanted);
		return ERR_ARGUMENT;
	}
	call->arguments =
		arena_alloc(&call->arena, array->count * sizeof(*call->arguments));
	for (const struct value *item = array->first; item != NULL; item = item->next) {
		const size_t i = call->arguments_n++;

		call->arguments[i] = item;
		if (i < wanted && !letter_fits(method->arguments[i], item)) {
			*detail =
				SLICE(" InvalidDataException: Error binding arguments. "
				      "Make sure that the types of the provided values "
				      "match the types of the hub method being invoked.");
			return ERR_ARGUMENT;
		}
	}
	return OK;
}

size_t hub_args_n(const struct hub_call *call)
{
	return call->arguments_n;
}

const struct value *hub_arg(const struct hub_call *call, size_t index)
{
	assert(index < call->arguments_n);
	return call->arguments[index];
}

struct slice hub_arg_string(const struct hub_call *call, size_t index)
{
	const struct value *value = hub_arg(call, index);

	assert(value->type == VALUE_STRING);
	return value->bytes;
}

int64_t hub_arg_int(const struct hub_call *call, size_t index)
{
	const struct value *value = hub_arg(call, index);

	assert(value->type == VALUE_INT);
	return value->integer;
}

bool hub_arg_bool(const struct hub_call *call, size_t index)
{
	const struct value *value = hub_arg(call, index);

	assert(value->type == VALUE_BOOL);
	return value->boolean;
}

/* ---- values */

struct value *hub_null(struct hub_call *call)
{
	return value_nil(&call->arena);
}

struct value *hub_bool(struct hub_call *call, bool boolean)
{
	return value_bool(&call->arena, boolean);
}

struct value *hub_int(struct hub_call *call, int64_t integer)
{
	return value_int(&call->arena, integer);
}

struct value *hub_string(struct hub_call *call, struct slice text)
{
	return value_string(&call->arena, text);
}

struct value *hub_array(struct hub_call *call)
{
	return value_array(&call->arena);
}

struct value *hub_map(struct hub_call *call)
{
	return value_map(&call->arena);
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
	struct value *copy = ARENA_NEW(&call->arena, struct value);

	/* Children are shared: a value that was given never changes. */
	*copy = *value;
	copy->next = NULL;
	copy->key = SLICE_NONE;
	return copy;
}

static PRINTF_LIKE(2, 0) struct slice
	print(struct hub_call *call, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	text = arena_alloc(&call->arena, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, fmt, args); /* it fits */
	return slice_make(text, (size_t)len);
}

struct slice hub_printf(struct hub_call *call, const char *fmt, ...)
{
	struct slice text;
	va_list args;

	va_start(args, fmt);
	text = print(call, fmt, args);
	va_end(args);
	return text;
}

struct slice hub_concat(struct hub_call *call, struct slice first, struct slice second)
{
	char *bytes = arena_alloc(&call->arena, first.len + second.len);

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
	copy = arena_dup(&call->arena, buf_slice(&text));
	buf_fini(&text);
	return copy;
}

struct value *hub_decode(struct hub_call *call, struct slice json)
{
	struct value *value;

	return value_decode_json(json, &call->arena, &value) == OK ? value : NULL;
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

struct slice hub_new_id(struct hub_call *call)
{
	char bytes[16];
	struct buf text = BUF_INIT;
	struct slice id;

	crypto_random(bytes, sizeof(bytes));
	crypto_base64url_encode(&text, slice_make(bytes, sizeof(bytes)));
	id = arena_dup(&call->arena, buf_slice(&text));
	buf_fini(&text);
	return id;
}

/* ---- answering */

void hub_return(struct hub_call *call, struct value *result)
{
	call->result = result;
}

/* "An unexpected error occurred ...", as SignalR words it. */
static struct slice unexpected(struct hub_call *call, struct slice detail)
{
	return arena_printf(&call->arena,
			    "An unexpected error occurred invoking '%.*s' on the "
			    "server.%.*s",
			    SLICE_FMT(call->target), SLICE_FMT(detail));
}

enum hub_rc hub_fail(struct hub_call *call, const char *fmt, ...)
{
	struct slice text;
	va_list args;

	va_start(args, fmt);
	text = print(call, fmt, args);
	va_end(args);
	text = hub_printf(call, " HubException: %.*s", SLICE_FMT(text));
	call->failure = unexpected(call, text);
	return HUB_FAILED;
}

static struct slice rc_detail(enum hub_rc rc)
{
	switch (rc) {
	case HUB_OK:
	case HUB_FAILED:
		break;
	case HUB_ECANCELED:
		return SLICE(" HubException: The router is going down.");
	case HUB_ETIMEDOUT:
		return SLICE(" HubException: An answer did not come in time.");
	case HUB_EUNAVAILABLE:
		return SLICE(" HubException: Another process was lost meanwhile.");
	case HUB_ENOTFOUND:
		return SLICE(" HubException: The connection is gone.");
	case HUB_ELIMIT:
		return SLICE(" HubException: Over a limit.");
	}
	return SLICE(" HubException: The method failed.");
}

/* The text for the client; ptr NULL: no error. */
static struct slice call_error(struct hub_call *call)
{
	const bool is_detailed = call->runtime->router->conf->is_detailed;

	if (call->failure.ptr != NULL)
		return call->failure;
	if (call->rc != HUB_OK)
		return unexpected(call, is_detailed ? rc_detail(call->rc) : SLICE_NONE);
	if (call->has_send_failed)
		return unexpected(call,
				  SLICE(" HubException: Not every receiver is known to "
					"have been reached."));
	return SLICE_NONE;
}

static void encode_result(const struct hub_call *call, struct buf *frame)
{
	struct buf json = BUF_INIT;

	if (call->result != NULL)
		value_encode_json(&json, call->result);
	else
		buf_append_str(&json, "null");
	hub_json_encode_result(frame, call->invocation_id, buf_slice(&json));
	buf_fini(&json);
}

void hub_call_encode(struct hub_call *call, struct buf *frame)
{
	const struct slice error = call_error(call);

	if (error.ptr != NULL)
		hub_json_encode_error(frame, call->invocation_id, error);
	else
		encode_result(call, frame);
	if (frame->len <= COMPLETE_FRAME_BYTES_MAX)
		return;
	buf_clear(frame);
	call->failure = unexpected(call, SLICE(" HubException: Over a limit."));
	hub_json_encode_error(frame, call->invocation_id, call->failure);
}

void hub_encode_refusal(struct buf *frame, struct slice invocation_id,
			struct slice target, const char *why)
{
	struct buf text = BUF_INIT;

	buf_appendf(&text,
		    "Failed to invoke '%.*s' due to an error on the server. "
		    "HubException: %s",
		    SLICE_FMT(target), why);
	hub_json_encode_error(frame, invocation_id, buf_slice(&text));
	buf_fini(&text);
}
