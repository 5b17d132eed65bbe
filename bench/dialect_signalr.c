/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SignalR's two hub protocols, by the codecs of proto/wire. What comes most is a JSON
 * invocation of Receive with one string that needs no unescaping: that is known by its
 * first and last bytes, and only what looks otherwise goes through the whole scanner.
 */
#include <assert.h>
#include <string.h>

#include "bench/dialect.h"
#include "bench/payload.h"
#include "proto/wire/hub_codec.h"
#include "proto/wire/hub_json.h"
#include "proto/wire/json.h"
#include "proto/wire/msgpack.h"

/* A payload, the longest name, and the envelope around them; JSON may double it. */
#define FRAME_BYTES_MAX (2u * PAYLOAD_BYTES_MAX + 4096u)

#define ARGUMENTS_DEPTH_MAX 8

/* What a verb invokes, and with what. */
struct form {
	const char *target; /* NULL: it is no invocation */
	bool has_name;
	bool has_payload;
	bool has_numbers;
	enum hub_message_type type;
};

static const struct form forms[VERBS] = {
	[VERB_ECHO] = { "Echo", false, true, false, HUB_MESSAGE_INVOCATION },
	[VERB_BROADCAST] = { "Broadcast", false, true, false, HUB_MESSAGE_INVOCATION },
	[VERB_SEND_GROUP] = { "SendToGroup", true, true, false, HUB_MESSAGE_INVOCATION },
	[VERB_SEND_USER] = { "SendToUser", true, true, false, HUB_MESSAGE_INVOCATION },
	[VERB_SEND_CONNECTION] = { "SendToConnection", true, true, false,
				   HUB_MESSAGE_INVOCATION },
	[VERB_JOIN] = { "JoinGroup", true, false, false, HUB_MESSAGE_INVOCATION },
	[VERB_LEAVE] = { "LeaveGroup", true, false, false, HUB_MESSAGE_INVOCATION },
	[VERB_STREAM] = { "Stream", false, false, true, HUB_MESSAGE_STREAM_INVOCATION },
	[VERB_UPLOAD] = { "Upload", false, false, false, HUB_MESSAGE_INVOCATION },
	[VERB_UPLOAD_ITEM] = { NULL, false, true, false, HUB_MESSAGE_STREAM_ITEM },
	[VERB_UPLOAD_END] = { NULL, false, false, false, HUB_MESSAGE_COMPLETION },
	[VERB_ASK] = { "Ask", true, true, false, HUB_MESSAGE_INVOCATION },
	[VERB_ANSWER] = { NULL, false, true, false, HUB_MESSAGE_COMPLETION },
	[VERB_PING] = { NULL, false, false, false, HUB_MESSAGE_PING },
};

/* Values in either protocol. */
struct writer {
	void (*array)(struct buf *out, size_t n);
	void (*next)(struct buf *out); /* between two elements */
	void (*end)(struct buf *out);
	void (*text)(struct buf *out, struct slice text);
	void (*integer)(struct buf *out, int64_t value);
};

/* ---- saying */

static void json_array(struct buf *out, size_t n)
{
	(void)n; /* JSON does not tell beforehand */
	buf_append_byte(out, '[');
}

static void json_next(struct buf *out)
{
	buf_append_byte(out, ',');
}

static void json_end(struct buf *out)
{
	buf_append_byte(out, ']');
}

static void msgpack_next(struct buf *out)
{
	(void)out; /* elements stand side by side */
}

static const struct writer json_writer = { json_array, json_next, json_end,
					   json_write_string, buf_append_int64 };

static const struct writer msgpack_writer = { msgpack_write_array, msgpack_next,
					      msgpack_next, msgpack_write_str,
					      msgpack_write_int };

static void write_arguments(struct buf *out, const struct writer *writer,
			    const struct form *form, const struct saying *saying)
{
	size_t n = (size_t)form->has_name + form->has_payload +
		   2 * (size_t)form->has_numbers;

	writer->array(out, n);
	if (form->has_name)
		writer->text(out, saying->name);
	if (form->has_name && form->has_payload)
		writer->next(out);
	if (form->has_payload)
		writer->text(out, saying->payload);
	if (form->has_numbers) {
		writer->integer(out, saying->number);
		writer->next(out);
		writer->integer(out, saying->size);
	}
	writer->end(out);
}

static bool say(struct buf *out, const struct saying *saying,
		const struct hub_codec *codec, const struct writer *writer)
{
	const struct form *form = &forms[saying->verb];
	struct hub_message message = { .type = form->type };
	struct buf raw = BUF_INIT;

	message.invocation_id = saying->id;
	message.has_invocation_id = saying->id.len > 0;
	if (form->target != NULL) {
		write_arguments(&raw, writer, form, saying);
		message.target = slice_from_str(form->target);
		message.arguments = buf_slice(&raw);
	} else if (form->has_payload) {
		writer->text(&raw, saying->payload);
		message.payload = buf_slice(&raw);
		message.has_result = form->type == HUB_MESSAGE_COMPLETION;
	}
	if (saying->verb == VERB_UPLOAD) {
		message.stream_ids = &message.invocation_id;
		message.stream_ids_n = 1;
	}
	codec->encode(out, &message);
	buf_fini(&raw);
	return true;
}

static bool json_say(struct buf *out, const struct saying *saying)
{
	return say(out, saying, hub_codec(HUB_PROTOCOL_JSON), &json_writer);
}

static bool msgpack_say(struct buf *out, const struct saying *saying)
{
	return say(out, saying, hub_codec(HUB_PROTOCOL_MSGPACK), &msgpack_writer);
}

static void json_greet(struct buf *out)
{
	buf_append_str(out, "{\"protocol\":\"json\",\"version\":1}");
	buf_append_byte(out, HUB_JSON_END);
}

static void msgpack_greet(struct buf *out)
{
	buf_append_str(out, "{\"protocol\":\"messagepack\",\"version\":1}");
	buf_append_byte(out, HUB_JSON_END);
}

/* ---- hearing */

/* {} or {"error":"..."} in JSON, in both protocols. */
static ssize_t hear_greeting(struct slice bytes, struct arena *arena, struct hearing *out)
{
	struct json_cursor cursor;
	struct slice text;
	struct slice key;
	bool is_first = true;
	bool more = true;
	ssize_t n = hub_json_cut(bytes, FRAME_BYTES_MAX, &text);

	if (n <= 0)
		return n;
	cursor = (struct json_cursor){ text.ptr, text.ptr + text.len,
				       ARGUMENTS_DEPTH_MAX };
	if (json_open(&cursor, '{') != OK)
		return ERR_MALFORMED;
	out->heard = HEARD_READY;
	while (more) {
		if (json_next_member(&cursor, arena, &is_first, &key, &more) != OK)
			return ERR_MALFORMED;
		if (more && slice_equal(key, SLICE("error"))) {
			out->heard = HEARD_REFUSED;
			if (json_text(&cursor, arena, &out->error) != OK)
				return ERR_MALFORMED;
		} else if (more && json_skip(&cursor, &text) != OK) {
			return ERR_MALFORMED;
		}
	}
	return n;
}

/* A string's bytes, or the text of what is none. */
static enum err json_value(struct slice raw, struct arena *arena, struct slice *text)
{
	struct json_cursor cursor;

	if (raw.len == 0 || slice_equal(raw, SLICE("null")))
		return OK;
	cursor = (struct json_cursor){ raw.ptr, raw.ptr + raw.len, ARGUMENTS_DEPTH_MAX };
	if (json_peek(&cursor) == '"')
		return json_text(&cursor, arena, text);
	*text = raw;
	return OK;
}

static enum err json_first(struct slice arguments, struct arena *arena,
			   struct slice *text)
{
	struct json_cursor cursor = { arguments.ptr, arguments.ptr + arguments.len,
				      ARGUMENTS_DEPTH_MAX };
	struct slice raw = SLICE_NONE;
	bool is_first = true;
	bool more;

	if (json_open(&cursor, '[') != OK ||
	    json_next_element(&cursor, &is_first, &more) != OK)
		return ERR_MALFORMED;
	if (more && json_skip(&cursor, &raw) != OK)
		return ERR_MALFORMED;
	return json_value(raw, arena, text);
}

static enum err msgpack_value(struct slice raw, struct arena *arena, struct slice *text)
{
	struct msgpack_cursor cursor;
	struct msgpack_token token;

	if (raw.len == 0)
		return OK;
	cursor = msgpack_cursor(raw);
	if (msgpack_read(&cursor, &token) != OK)
		return ERR_MALFORMED;
	if (token.type == MSGPACK_STR)
		*text = token.bytes;
	else if (token.type == MSGPACK_INT)
		*text = arena_printf(arena, "%lld", (long long)token.integer);
	else if (token.type != MSGPACK_NIL)
		*text = raw;
	return OK;
}

static enum err msgpack_first(struct slice arguments, struct arena *arena,
			      struct slice *text)
{
	struct msgpack_cursor cursor = msgpack_cursor(arguments);
	struct msgpack_token token;

	if (msgpack_read(&cursor, &token) != OK || token.type != MSGPACK_ARRAY)
		return ERR_MALFORMED;
	if (token.count == 0)
		return OK;
	return msgpack_value(slice_make(cursor.at, (size_t)(cursor.end - cursor.at)),
			     arena, text);
}

typedef enum err value_fn(struct slice raw, struct arena *arena, struct slice *text);

static enum err hear_invocation(const struct hub_message *message, struct arena *arena,
				value_fn *first, struct hearing *out)
{
	const bool is_question = message->has_invocation_id;

	/* A hub may call other methods, too, which are nothing to a scenario. */
	if (!slice_equal_nocase(message->target,
				is_question ? SLICE("Answer") : SLICE("Receive")))
		return OK;
	out->heard = is_question ? HEARD_QUESTION : HEARD_MESSAGE;
	out->id = message->invocation_id;
	return first(message->arguments, arena, &out->payload);
}

static enum err hear_completion(const struct hub_message *message, struct arena *arena,
				value_fn *value, struct hearing *out)
{
	out->heard = message->has_error ? HEARD_ERROR : HEARD_RESULT;
	out->id = message->invocation_id;
	out->error = message->error;
	return value(message->payload, arena, &out->payload);
}

static enum err hear_message(const struct hub_message *message, struct arena *arena,
			     value_fn *first, value_fn *value, struct hearing *out)
{
	switch (message->type) {
	case HUB_MESSAGE_INVOCATION:
		return hear_invocation(message, arena, first, out);
	case HUB_MESSAGE_STREAM_ITEM:
		out->heard = HEARD_ITEM;
		out->id = message->invocation_id;
		return value(message->payload, arena, &out->payload);
	case HUB_MESSAGE_COMPLETION:
		return hear_completion(message, arena, value, out);
	case HUB_MESSAGE_CLOSE:
		out->heard = HEARD_CLOSE;
		out->error = message->error;
		out->allow_reconnect = message->allow_reconnect;
		return OK;
	case HUB_MESSAGE_NONE:
	case HUB_MESSAGE_STREAM_INVOCATION:
	case HUB_MESSAGE_CANCEL_INVOCATION:
	case HUB_MESSAGE_PING:
	case HUB_MESSAGE_ACK:
	case HUB_MESSAGE_SEQUENCE:
		break;
	}
	return OK;
}

static ssize_t hear(struct slice bytes, struct arena *arena, struct hearing *out,
		    const struct hub_codec *codec)
{
	const bool is_json = codec->is_text;
	struct hub_message message;
	const char *reason;
	struct slice frame;
	ssize_t n = codec->cut(bytes, FRAME_BYTES_MAX, &frame);

	if (n <= 0)
		return n;
	if (codec->decode(frame, arena, &message, &reason) != OK)
		return ERR_MALFORMED;
	if (hear_message(&message, arena, is_json ? json_first : msgpack_first,
			 is_json ? json_value : msgpack_value, out) != OK)
		return ERR_MALFORMED;
	return n;
}

/* Length of the message when it is the plain case; 0: look closer. */
static size_t json_glance(struct slice bytes, struct hearing *out)
{
	static const char prefix[] =
		"{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"";
	static const char suffix[] = "\"]}\x1e";
	const struct slice head = { prefix, sizeof(prefix) - 1 };
	const struct slice tail = { suffix, sizeof(suffix) - 1 };
	const char *text = bytes.ptr + head.len;
	const char *end;
	size_t len;

	if (bytes.len < head.len + tail.len || memcmp(bytes.ptr, head.ptr, head.len) != 0)
		return 0;
	end = memchr(text, '"', bytes.len - head.len);
	if (end == NULL || (size_t)(bytes.ptr + bytes.len - end) < tail.len ||
	    memcmp(end, tail.ptr, tail.len) != 0)
		return 0;
	len = (size_t)(end - text);
	if (memchr(text, '\\', len) != NULL)
		return 0;
	out->heard = HEARD_MESSAGE;
	out->payload = slice_make(text, len);
	return head.len + len + tail.len;
}

static ssize_t json_hear(struct slice bytes, bool is_ready, struct arena *arena,
			 struct hearing *out, struct buf *reply)
{
	size_t n;

	(void)reply; /* SignalR answers no pings */
	*out = (struct hearing){ .heard = HEARD_NOTHING };
	if (!is_ready)
		return hear_greeting(bytes, arena, out);
	n = json_glance(bytes, out);
	return n > 0 ? (ssize_t)n : hear(bytes, arena, out, hub_codec(HUB_PROTOCOL_JSON));
}

static ssize_t msgpack_hear(struct slice bytes, bool is_ready, struct arena *arena,
			    struct hearing *out, struct buf *reply)
{
	(void)reply; /* SignalR answers no pings */
	*out = (struct hearing){ .heard = HEARD_NOTHING };
	if (!is_ready)
		return hear_greeting(bytes, arena, out);
	return hear(bytes, arena, out, hub_codec(HUB_PROTOCOL_MSGPACK));
}

const struct dialect dialect_json = {
	.name = "json",
	.is_text = true,
	.is_negotiated = true,
	.has_greeting = true,
	.has_results = true,
	.has_pings = true,
	.greet = json_greet,
	.hear = json_hear,
	.say = json_say,
};

const struct dialect dialect_messagepack = {
	.name = "messagepack",
	.is_text = false,
	.is_negotiated = true,
	.has_greeting = true,
	.has_results = true,
	.has_pings = true,
	.greet = msgpack_greet,
	.hear = msgpack_hear,
	.say = msgpack_say,
};
