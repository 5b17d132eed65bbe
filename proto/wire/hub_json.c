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

ssize_t hub_json_cut(struct slice bytes, size_t frame_max)
{
	size_t len = bytes.len < frame_max ? bytes.len : frame_max;
	const char *found;

	assert(frame_max > 0 && frame_max <= SSIZE_MAX);
	if (len == 0)
		return 0;
	found = memchr(bytes.ptr, HUB_JSON_END, len);
	if (found)
		return found - bytes.ptr + 1;
	return len == frame_max ? ERR_LIMIT : 0;
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

static enum err read_stream_ids(struct scan *scan)
{
	static const char misfit[] = "Expected 'streamIds' to be an array of strings.";
	struct slice *ids = &scan->message->stream_ids;
	struct json_cursor cursor;
	bool is_first = true;
	bool more = true;
	enum err rc;

	if (json_peek(&scan->cursor) != '[')
		return skip_misfit(scan, misfit);
	rc = json_skip(&scan->cursor, ids);
	if (rc != OK)
		return rc;
	cursor =
		(struct json_cursor){ ids->ptr, ids->ptr + ids->len, HUB_JSON_DEPTH_MAX };
	rc = json_open(&cursor, '[');
	while (rc == OK) {
		struct slice id;

		rc = json_next_element(&cursor, &is_first, &more);
		if (rc != OK || !more)
			return rc;
		if (json_peek(&cursor) != '"')
			scan->misfit = misfit;
		rc = json_skip(&cursor, &id);
	}
	return rc;
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

/* Opens the object with its type, and the invocation id unless that is empty. */
static void write_head(struct buf *out, const char *head, struct slice invocation_id)
{
	buf_append_str(out, head);
	if (invocation_id.len == 0)
		return;
	buf_append_str(out, ",\"invocationId\":");
	json_write_string(out, invocation_id);
}

static void write_end(struct buf *out)
{
	buf_append_byte(out, '}');
	buf_append_byte(out, HUB_JSON_END);
}

void hub_json_encode_invocation(struct buf *out, struct slice invocation_id,
				struct slice target, struct slice arguments)
{
	assert(arguments.len >= 2);
	write_head(out, "{\"type\":1", invocation_id);
	buf_append_str(out, ",\"target\":");
	json_write_string(out, target);
	buf_append_str(out, ",\"arguments\":");
	buf_append_slice(out, arguments);
	write_end(out);
}

void hub_json_encode_result(struct buf *out, struct slice invocation_id,
			    struct slice result)
{
	assert(invocation_id.len > 0);
	write_head(out, "{\"type\":3", invocation_id);
	if (result.ptr) {
		buf_append_str(out, ",\"result\":");
		buf_append_slice(out, result);
	}
	write_end(out);
}

void hub_json_encode_error(struct buf *out, struct slice invocation_id,
			   struct slice error)
{
	assert(invocation_id.len > 0);
	write_head(out, "{\"type\":3", invocation_id);
	buf_append_str(out, ",\"error\":");
	json_write_string(out, error);
	write_end(out);
}

void hub_json_encode_ping(struct buf *out)
{
	write_head(out, "{\"type\":6", SLICE_NONE);
	write_end(out);
}

void hub_json_encode_close(struct buf *out, struct slice error, bool allow_reconnect)
{
	write_head(out, "{\"type\":7", SLICE_NONE);
	if (error.ptr) {
		buf_append_str(out, ",\"error\":");
		json_write_string(out, error);
	}
	if (allow_reconnect)
		buf_append_str(out, ",\"allowReconnect\":true");
	write_end(out);
}
