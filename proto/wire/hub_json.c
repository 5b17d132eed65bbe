/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON hub protocol. Members come in any order, so decoding collects every member it
 * knows, remembers which it saw as bits, and only then asks what the type requires. A
 * member of the wrong kind is remembered, too: it is fatal unless the type is unknown,
 * for then its members are none of our business.
 */
#include "proto/wire/hub_json.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "proto/wire/json.h"

_Static_assert(HUB_JSON_DEPTH_MAX <= JSON_CURSOR_DEPTH_MAX, "the scanner goes that deep");

#define HAS_TYPE 0x001u
#define HAS_TARGET 0x002u
#define HAS_ARGUMENTS 0x004u
#define HAS_ID 0x008u
#define HAS_ITEM 0x010u
#define HAS_RESULT 0x020u
#define HAS_ERROR 0x040u
#define HAS_SEQUENCE 0x080u

#define TYPES_MAX 9

static const unsigned required[TYPES_MAX + 1] = {
	[HUB_MESSAGE_INVOCATION] = HAS_TARGET | HAS_ARGUMENTS,
	[HUB_MESSAGE_STREAM_ITEM] = HAS_ID | HAS_ITEM,
	[HUB_MESSAGE_COMPLETION] = HAS_ID,
	[HUB_MESSAGE_STREAM_INVOCATION] = HAS_ID | HAS_TARGET | HAS_ARGUMENTS,
	[HUB_MESSAGE_CANCEL_INVOCATION] = HAS_ID,
	[HUB_MESSAGE_ACK] = HAS_SEQUENCE,
	[HUB_MESSAGE_SEQUENCE] = HAS_SEQUENCE,
};

/* In the order of the bits. */
static const char *const missing[] = {
	"Missing required property 'type'.",
	"Missing required property 'target'.",
	"Missing required property 'arguments'.",
	"Missing required property 'invocationId'.",
	"Missing required property 'item'.",
	"Missing required property 'result'.",
	"Missing required property 'error'.",
	"Missing required property 'sequenceId'.",
};

static const struct hub_message nothing;

struct scan {
	struct json_cursor cursor;
	struct arena *arena; /* borrowed */
	struct hub_message *message;
	struct slice item;
	struct slice result;
	const char *misfit; /* what is wrong with a member of the wrong kind */
	int64_t type;
	unsigned has;
};

ssize_t hub_json_cut(struct slice bytes, size_t frame_max, struct slice *message)
{
	size_t len = bytes.len < frame_max ? bytes.len : frame_max;
	const char *found;

	assert(frame_max > 0 && frame_max <= SSIZE_MAX);
	if (len == 0)
		return 0;
	found = memchr(bytes.ptr, HUB_JSON_END, len);
	if (found == NULL)
		return len == frame_max ? ERR_LIMIT : 0;
	*message = slice_make(bytes.ptr, (size_t)(found - bytes.ptr));
	return found - bytes.ptr + 1;
}

/* ---- decoding: one reader for each kind of member */

static enum err skip_misfit(struct scan *scan, const char *misfit)
{
	struct slice raw;

	scan->misfit = misfit;
	return json_skip(&scan->cursor, &raw);
}

static enum err read_string(struct scan *scan, struct slice *text, unsigned bit,
			    const char *misfit)
{
	if (json_peek(&scan->cursor) != '"')
		return skip_misfit(scan, misfit);
	scan->has |= bit;
	return json_text(&scan->cursor, scan->arena, text);
}

/* Empty is as good as missing. */
static enum err read_name(struct scan *scan, struct slice *text, unsigned bit,
			  const char *misfit)
{
	enum err rc = read_string(scan, text, bit, misfit);

	if (rc == OK && text->len == 0)
		scan->has &= ~bit;
	return rc;
}

/* null is as good as missing. */
static enum err read_id(struct scan *scan)
{
	struct slice *id = &scan->message->invocation_id;

	if (json_peek(&scan->cursor) != 'n')
		return read_name(scan, id, HAS_ID,
				 "Expected 'invocationId' to be of type String.");
	scan->has &= ~HAS_ID;
	return json_skip(&scan->cursor, id);
}

static enum err read_raw(struct scan *scan, struct slice *raw, unsigned bit)
{
	scan->has |= bit;
	return json_skip(&scan->cursor, raw);
}

static enum err read_nested(struct scan *scan, char bracket, struct slice *raw,
			    unsigned bit, const char *misfit)
{
	if (json_peek(&scan->cursor) != bracket)
		return skip_misfit(scan, misfit);
	return read_raw(scan, raw, bit);
}

static enum err read_stream_id(struct scan *scan, struct slice *ids, size_t n)
{
	const bool is_text = json_peek(&scan->cursor) == '"';
	struct slice skipped;
	enum err rc;

	if (is_text && n < HUB_STREAM_IDS_MAX)
		return json_text(&scan->cursor, scan->arena, &ids[n]);
	rc = json_skip(&scan->cursor, &skipped);
	if (rc == OK)
		scan->misfit =
			is_text ? "Too many 'streamIds'."
				: "Expected 'streamIds' to be an array of strings.";
	return rc;
}

/* The list is copied at its end, so that what a peer repeats costs the arena no more than
 * it sent. */
static enum err read_stream_ids(struct scan *scan)
{
	struct slice ids[HUB_STREAM_IDS_MAX];
	struct slice *copy;
	bool is_first = true;
	size_t n = 0;
	enum err rc;

	if (json_peek(&scan->cursor) != '[')
		return skip_misfit(scan, "Expected 'streamIds' to be an array of "
					 "strings.");
	rc = json_open(&scan->cursor, '[');
	while (rc == OK) {
		bool more;

		rc = json_next_element(&scan->cursor, &is_first, &more);
		if (rc != OK || !more)
			break;
		rc = read_stream_id(scan, ids, n);
		n += n < HUB_STREAM_IDS_MAX;
	}
	if (rc != OK)
		return rc;
	copy = arena_alloc(scan->arena, n * sizeof(ids[0]));
	memcpy(copy, ids, n * sizeof(ids[0]));
	scan->message->stream_ids = copy;
	scan->message->stream_ids_n = n;
	return OK;
}

static enum err read_boolean(struct scan *scan, bool *value, const char *misfit)
{
	char first = json_peek(&scan->cursor);
	struct slice raw;

	if (first != 't' && first != 'f')
		return skip_misfit(scan, misfit);
	*value = first == 't';
	return json_skip(&scan->cursor, &raw);
}

static enum err read_sequence_id(struct scan *scan)
{
	struct slice raw;
	int64_t id;
	enum err rc = json_skip(&scan->cursor, &raw);

	if (rc != OK)
		return rc;
	scan->has |= HAS_SEQUENCE;
	if (slice_to_int64(raw, &id) == OK && id >= 0)
		scan->message->sequence_id = (uint64_t)id;
	else
		scan->misfit = "Expected 'sequenceId' to be a non-negative integer.";
	return OK;
}

static enum err read_type(struct scan *scan)
{
	struct slice raw;
	enum err rc = json_skip(&scan->cursor, &raw);

	if (rc != OK)
		return rc;
	scan->has |= HAS_TYPE;
	rc = slice_to_int64(raw, &scan->type);
	if (rc == OK && scan->type >= INT32_MIN && scan->type <= INT32_MAX)
		return OK;
	scan->misfit = "Expected 'type' to be an integer.";
	return ERR_MALFORMED;
}

static inline bool is_key(const struct slice *key, struct slice name)
{
	return memcmp(key->ptr, name.ptr, name.len) == 0;
}

/*
 * The length alone tells most names apart. The key comes by pointer: copying a slice
 * whose halves were just written stalls the processor, which showed.
 */
static enum err read_member(struct scan *scan, const struct slice *key)
{
	struct hub_message *message = scan->message;
	struct slice unknown;

	switch (key->len) {
	case 4:
		if (is_key(key, SLICE("type")))
			return read_type(scan);
		if (is_key(key, SLICE("item")))
			return read_raw(scan, &scan->item, HAS_ITEM);
		break;
	case 5:
		if (is_key(key, SLICE("error")))
			return read_string(scan, &message->error, HAS_ERROR,
					   "Expected 'error' to be of type String.");
		break;
	case 6:
		if (is_key(key, SLICE("target")))
			return read_name(scan, &message->target, HAS_TARGET,
					 "Expected 'target' to be of type String.");
		if (is_key(key, SLICE("result")))
			return read_raw(scan, &scan->result, HAS_RESULT);
		break;
	case 7:
		if (is_key(key, SLICE("headers")))
			return read_nested(scan, '{', &message->headers, 0,
					   "Expected 'headers' to be of type Object.");
		break;
	case 9:
		if (is_key(key, SLICE("arguments")))
			return read_nested(scan, '[', &message->arguments, HAS_ARGUMENTS,
					   "Expected 'arguments' to be of type Array.");
		if (is_key(key, SLICE("streamIds")))
			return read_stream_ids(scan);
		break;
	case 10:
		if (is_key(key, SLICE("sequenceId")))
			return read_sequence_id(scan);
		break;
	case 12:
		if (is_key(key, SLICE("invocationId")))
			return read_id(scan);
		break;
	case 14:
		if (is_key(key, SLICE("allowReconnect")))
			return read_boolean(scan, &message->allow_reconnect,
					    "Expected 'allowReconnect' to be of type "
					    "Boolean.");
		break;
	default:
		break;
	}
	return json_skip(&scan->cursor, &unknown);
}

static enum err read_object(struct scan *scan)
{
	bool is_first = true;
	enum err rc = json_open(&scan->cursor, '{');

	while (rc == OK) {
		struct slice key;
		bool more;

		rc = json_next_member(&scan->cursor, scan->arena, &is_first, &key, &more);
		if (rc == OK && !more)
			return json_is_done(&scan->cursor) ? OK : ERR_MALFORMED;
		if (rc == OK)
			rc = read_member(scan, &key);
	}
	return rc;
}

/* What the type asks for. Returns what is wrong, or NULL. */
static const char *check_members(const struct scan *scan)
{
	unsigned lacks;

	if ((scan->has & HAS_TYPE) == 0)
		return missing[0];
	if (scan->type < 1 || scan->type > TYPES_MAX)
		return NULL;
	if (scan->misfit)
		return scan->misfit;
	lacks = required[scan->type] & ~scan->has;
	if (lacks != 0)
		return missing[__builtin_ctz(lacks)];
	if (scan->type == HUB_MESSAGE_COMPLETION && (scan->has & HAS_RESULT) != 0 &&
	    (scan->has & HAS_ERROR) != 0)
		return "The 'error' and 'result' properties are mutually exclusive.";
	return NULL;
}

static void fill_message(const struct scan *scan, struct hub_message *message)
{
	if (scan->type >= 1 && scan->type <= TYPES_MAX)
		message->type = (enum hub_message_type)scan->type;
	message->has_invocation_id = (scan->has & HAS_ID) != 0;
	message->has_result = (scan->has & HAS_RESULT) != 0;
	message->has_error = (scan->has & HAS_ERROR) != 0;
	if (!message->has_invocation_id)
		message->invocation_id = SLICE_NONE;
	if (message->type == HUB_MESSAGE_STREAM_ITEM)
		message->payload = scan->item;
	if (message->type == HUB_MESSAGE_COMPLETION)
		message->payload = scan->result;
}

enum err hub_json_decode(struct slice text, struct arena *arena,
			 struct hub_message *message, const char **reason)
{
	struct scan scan = { .arena = arena, .message = message };
	enum err rc = ERR_MALFORMED;

	*message = nothing;
	*reason = NULL;
	scan.cursor = (struct json_cursor){ text.ptr, text.ptr, HUB_JSON_DEPTH_MAX };
	if (text.len > 0) {
		scan.cursor.end += text.len;
		rc = read_object(&scan);
	}
	if (rc == OK)
		*reason = check_members(&scan);
	else if (rc == ERR_LIMIT)
		*reason = "The message is nested too deeply.";
	else
		*reason = scan.misfit ? scan.misfit : "The message is not a JSON object.";
	if (*reason)
		return ERR_MALFORMED;
	fill_message(&scan, message);
	return OK;
}

/* ---- encoding */

static void write_text(struct buf *out, const char *name, struct slice text)
{
	buf_append_str(out, name);
	json_write_string(out, text);
}

static void write_raw(struct buf *out, const char *name, struct slice raw)
{
	buf_append_str(out, name);
	buf_append_slice(out, raw);
}

/* Those that belong to a call have headers and an id. */
static void write_call(struct buf *out, const struct hub_message *message)
{
	assert(message->type == HUB_MESSAGE_INVOCATION || message->invocation_id.len > 0);
	if (message->headers.len > 0)
		write_raw(out, ",\"headers\":", message->headers);
	if (message->invocation_id.len > 0)
		write_text(out, ",\"invocationId\":", message->invocation_id);
}

static void write_invocation(struct buf *out, const struct hub_message *message)
{
	assert(message->arguments.len >= 2);
	write_text(out, ",\"target\":", message->target);
	write_raw(out, ",\"arguments\":", message->arguments);
	if (message->stream_ids_n == 0)
		return;
	buf_append_str(out, ",\"streamIds\":");
	for (size_t i = 0; i < message->stream_ids_n; i++) {
		buf_append_byte(out, i == 0 ? '[' : ',');
		json_write_string(out, message->stream_ids[i]);
	}
	buf_append_byte(out, ']');
}

static void write_completion(struct buf *out, const struct hub_message *message)
{
	assert(!message->has_result || !message->has_error);
	if (message->has_error)
		write_text(out, ",\"error\":", message->error);
	else if (message->has_result)
		write_raw(out, ",\"result\":", message->payload);
}

static void write_close(struct buf *out, const struct hub_message *message)
{
	if (message->has_error)
		write_text(out, ",\"error\":", message->error);
	if (message->allow_reconnect)
		buf_append_str(out, ",\"allowReconnect\":true");
}

static void write_members(struct buf *out, const struct hub_message *message)
{
	switch (message->type) {
	case HUB_MESSAGE_INVOCATION:
	case HUB_MESSAGE_STREAM_INVOCATION:
		write_call(out, message);
		write_invocation(out, message);
		break;
	case HUB_MESSAGE_STREAM_ITEM:
		write_call(out, message);
		write_raw(out, ",\"item\":", message->payload);
		break;
	case HUB_MESSAGE_COMPLETION:
		write_call(out, message);
		write_completion(out, message);
		break;
	case HUB_MESSAGE_CANCEL_INVOCATION:
		write_call(out, message);
		break;
	case HUB_MESSAGE_CLOSE:
		write_close(out, message);
		break;
	case HUB_MESSAGE_ACK:
	case HUB_MESSAGE_SEQUENCE:
		assert(message->sequence_id <= INT64_MAX);
		buf_append_str(out, ",\"sequenceId\":");
		buf_append_int64(out, (int64_t)message->sequence_id);
		break;
	case HUB_MESSAGE_PING:
	case HUB_MESSAGE_NONE:
		break;
	}
}

void hub_json_encode(struct buf *out, const struct hub_message *message)
{
	assert(message->type >= 1 && message->type <= TYPES_MAX);
	buf_append_str(out, "{\"type\":");
	buf_append_byte(out, (char)('0' + message->type));
	write_members(out, message);
	buf_append_byte(out, '}');
	buf_append_byte(out, HUB_JSON_END);
}
