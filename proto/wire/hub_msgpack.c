/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MessagePack hub protocol. Elements come in order, so decoding is one pass: the
 * array's head, the type, what the type asks for, and a skip over the rest.
 */
#include "proto/wire/hub_msgpack.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#define PREFIX_BYTES_MAX 5
#define PREFIX_BITS 7
#define PREFIX_MORE 0x80
#define PREFIX_LAST_MAX 0x07 /* of the fifth byte: lengths stay below 2^31 */
#define BODY_BYTES_MAX 0x7fffffff

enum completion_kind {
	COMPLETION_ERROR = 1,
	COMPLETION_VOID = 2,
	COMPLETION_RESULT = 3,
};

struct reader {
	struct msgpack_cursor cursor;
	struct arena *arena; /* borrowed */
	struct hub_message *message;
	uint32_t left; /* elements of the message */
	const char *reason;
};

/* ---- framing */

ssize_t hub_msgpack_cut(struct slice bytes, size_t frame_max, struct slice *message)
{
	uint64_t body = 0;
	size_t n = 0;
	bool more = true;

	assert(frame_max > 0 && frame_max <= SSIZE_MAX);
	while (more) {
		unsigned char byte;

		if (n == bytes.len)
			return 0;
		byte = (unsigned char)bytes.ptr[n];
		if (n == PREFIX_BYTES_MAX - 1 && byte > PREFIX_LAST_MAX)
			return ERR_MALFORMED;
		body |= (uint64_t)(byte & (PREFIX_MORE - 1)) << (PREFIX_BITS * n);
		more = (byte & PREFIX_MORE) != 0;
		n++;
		/* Bytes to come only add to the length. */
		if (n + more + body > frame_max)
			return ERR_LIMIT;
	}
	if (bytes.len - n < body)
		return 0;
	*message = slice_make(bytes.ptr + n, (size_t)body);
	return (ssize_t)(n + body);
}

/* ---- decoding: one reader for each kind of element */

static enum err fail(struct reader *reader, const char *reason)
{
	reader->reason = reason;
	return ERR_MALFORMED;
}

static enum err read_token(struct reader *reader, struct msgpack_token *token)
{
	if (msgpack_read(&reader->cursor, token) != OK)
		return fail(reader, "The message is not well-formed MessagePack.");
	return OK;
}

static enum err next_element(struct reader *reader)
{
	if (reader->left == 0)
		return fail(reader, "The message has too few elements.");
	reader->left--;
	return OK;
}

static enum err next_token(struct reader *reader, struct msgpack_token *token)
{
	enum err rc = next_element(reader);

	return rc == OK ? read_token(reader, token) : rc;
}

static enum err next_raw(struct reader *reader, struct slice *raw)
{
	enum err rc = next_element(reader);

	if (rc != OK)
		return rc;
	rc = msgpack_skip(&reader->cursor, HUB_MSGPACK_DEPTH_MAX - 1, raw);
	if (rc == ERR_LIMIT)
		return fail(reader, "The message is nested too deeply.");
	if (rc != OK)
		return fail(reader, "The message is not well-formed MessagePack.");
	return OK;
}

static enum err read_string(struct reader *reader, struct slice *text, const char *misfit)
{
	struct msgpack_token token;
	enum err rc = read_token(reader, &token);

	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_STR)
		return fail(reader, misfit);
	*text = token.bytes;
	return OK;
}

static enum err next_string(struct reader *reader, struct slice *text, const char *misfit)
{
	enum err rc = next_element(reader);

	return rc == OK ? read_string(reader, text, misfit) : rc;
}

static enum err read_type(struct reader *reader)
{
	struct msgpack_token token;
	enum err rc = next_token(reader, &token);

	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_INT || token.integer < INT32_MIN ||
	    token.integer > INT32_MAX)
		return fail(reader, "Expected 'type' to be an integer.");
	if (token.integer >= HUB_MESSAGE_INVOCATION &&
	    token.integer <= HUB_MESSAGE_SEQUENCE)
		reader->message->type = (enum hub_message_type)token.integer;
	return OK;
}

static enum err read_headers(struct reader *reader)
{
	static const char misfit[] = "Expected 'headers' to be a map of strings.";
	const char *start = reader->cursor.at;
	struct msgpack_token token;
	enum err rc = next_token(reader, &token);

	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_MAP)
		return fail(reader, misfit);
	if (token.count == 0)
		return OK;
	for (uint64_t n = 2 * (uint64_t)token.count; n > 0 && rc == OK; n--) {
		struct slice text;

		rc = read_string(reader, &text, misfit);
	}
	reader->message->headers = slice_make(start, (size_t)(reader->cursor.at - start));
	return rc;
}

/* Empty and nil are as good as missing. */
static enum err read_id(struct reader *reader, bool is_required)
{
	struct hub_message *message = reader->message;
	struct msgpack_token token;
	enum err rc = next_token(reader, &token);

	if (rc != OK)
		return rc;
	if (token.type == MSGPACK_STR && token.bytes.len > 0) {
		message->has_invocation_id = true;
		message->invocation_id = token.bytes;
		return OK;
	}
	if (token.type != MSGPACK_STR && token.type != MSGPACK_NIL)
		return fail(reader, "Expected 'invocationId' to be a string.");
	return is_required ? fail(reader, "Missing required 'invocationId'.") : OK;
}

/* What all messages of a call begin with. */
static enum err read_call(struct reader *reader, bool is_id_required)
{
	enum err rc = read_headers(reader);

	return rc == OK ? read_id(reader, is_id_required) : rc;
}

static enum err read_target(struct reader *reader)
{
	struct slice *target = &reader->message->target;
	enum err rc = next_string(reader, target, "Expected 'target' to be a string.");

	if (rc == OK && target->len == 0)
		return fail(reader, "Missing required 'target'.");
	return rc;
}

static enum err read_arguments(struct reader *reader)
{
	struct msgpack_cursor ahead = reader->cursor;
	struct msgpack_token token;

	if (reader->left > 0 && msgpack_read(&ahead, &token) == OK &&
	    token.type != MSGPACK_ARRAY)
		return fail(reader, "Expected 'arguments' to be an array.");
	return next_raw(reader, &reader->message->arguments);
}

/* Old clients, and new ones without streams, leave the element out. */
static enum err read_stream_ids(struct reader *reader)
{
	static const char misfit[] = "Expected 'streamIds' to be an array of strings.";
	struct msgpack_token token;
	struct slice *ids;
	enum err rc;

	if (reader->left == 0)
		return OK;
	rc = next_token(reader, &token);
	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_ARRAY)
		return fail(reader, misfit);
	if (token.count > HUB_STREAM_IDS_MAX)
		return fail(reader, "Too many 'streamIds'.");
	if (token.count == 0)
		return OK;
	ids = arena_alloc(reader->arena, token.count * sizeof(*ids));
	for (size_t i = 0; i < token.count && rc == OK; i++)
		rc = read_string(reader, &ids[i], misfit);
	reader->message->stream_ids = ids;
	reader->message->stream_ids_n = token.count;
	return rc;
}

static enum err read_invocation(struct reader *reader, bool is_id_required)
{
	enum err rc = read_call(reader, is_id_required);

	if (rc == OK)
		rc = read_target(reader);
	if (rc == OK)
		rc = read_arguments(reader);
	return rc == OK ? read_stream_ids(reader) : rc;
}

static enum err read_completion(struct reader *reader)
{
	struct hub_message *message = reader->message;
	struct msgpack_token kind;
	enum err rc = read_call(reader, true);

	if (rc == OK)
		rc = next_token(reader, &kind);
	if (rc != OK)
		return rc;
	if (kind.type != MSGPACK_INT || kind.integer < COMPLETION_ERROR ||
	    kind.integer > COMPLETION_RESULT)
		return fail(reader, "The completion's kind is not known.");
	message->has_error = kind.integer == COMPLETION_ERROR;
	message->has_result = kind.integer == COMPLETION_RESULT;
	if (message->has_error)
		return next_string(reader, &message->error,
				   "Expected 'error' to be a string.");
	return message->has_result ? next_raw(reader, &message->payload) : OK;
}

/* Both elements may be left out. */
static enum err read_close(struct reader *reader)
{
	struct hub_message *message = reader->message;
	struct msgpack_token token;
	enum err rc;

	if (reader->left == 0)
		return OK;
	rc = next_token(reader, &token);
	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_STR && token.type != MSGPACK_NIL)
		return fail(reader, "Expected 'error' to be a string.");
	message->has_error = token.type == MSGPACK_STR;
	if (message->has_error)
		message->error = token.bytes;
	if (reader->left == 0)
		return OK;
	rc = next_token(reader, &token);
	if (rc == OK && token.type != MSGPACK_BOOL)
		return fail(reader, "Expected 'allowReconnect' to be a boolean.");
	if (rc == OK)
		message->allow_reconnect = token.boolean;
	return rc;
}

static enum err read_sequence_id(struct reader *reader)
{
	struct msgpack_token token;
	enum err rc = next_token(reader, &token);

	if (rc != OK)
		return rc;
	if (token.type != MSGPACK_INT || token.integer < 0)
		return fail(reader,
			    "Expected 'sequenceId' to be a non-negative integer.");
	reader->message->sequence_id = (uint64_t)token.integer;
	return OK;
}

static enum err read_elements(struct reader *reader)
{
	enum err rc;

	switch (reader->message->type) {
	case HUB_MESSAGE_INVOCATION:
		return read_invocation(reader, false);
	case HUB_MESSAGE_STREAM_INVOCATION:
		return read_invocation(reader, true);
	case HUB_MESSAGE_STREAM_ITEM:
		rc = read_call(reader, true);
		return rc == OK ? next_raw(reader, &reader->message->payload) : rc;
	case HUB_MESSAGE_COMPLETION:
		return read_completion(reader);
	case HUB_MESSAGE_CANCEL_INVOCATION:
		return read_call(reader, true);
	case HUB_MESSAGE_CLOSE:
		return read_close(reader);
	case HUB_MESSAGE_ACK:
	case HUB_MESSAGE_SEQUENCE:
		return read_sequence_id(reader);
	case HUB_MESSAGE_PING:
	case HUB_MESSAGE_NONE:
		break;
	}
	return OK;
}

static enum err read_message(struct reader *reader)
{
	struct msgpack_token array;
	struct slice unknown;
	enum err rc;

	if (msgpack_read(&reader->cursor, &array) != OK || array.type != MSGPACK_ARRAY)
		return fail(reader, "The message is not a MessagePack array.");
	reader->left = array.count;
	rc = read_type(reader);
	if (rc == OK)
		rc = read_elements(reader);
	while (rc == OK && reader->left > 0)
		rc = next_raw(reader, &unknown);
	if (rc == OK && reader->cursor.at != reader->cursor.end)
		return fail(reader, "The message does not fill its frame.");
	return rc;
}

enum err hub_msgpack_decode(struct slice bytes, struct arena *arena,
			    struct hub_message *message, const char **reason)
{
	struct reader reader = {
		.cursor = msgpack_cursor(bytes),
		.arena = arena,
		.message = message,
	};
	enum err rc;

	*message = (struct hub_message){ 0 };
	rc = read_message(&reader);
	*reason = reader.reason;
	assert((rc == OK) == (reader.reason == NULL));
	return rc;
}

/* ---- encoding */

static void write_type(struct buf *out, const struct hub_message *message, size_t count)
{
	msgpack_write_array(out, count);
	msgpack_write_int(out, message->type);
}

/* The array of a message that belongs to a call: it has headers and an id. */
static void write_call(struct buf *out, const struct hub_message *message, size_t count)
{
	assert(message->type == HUB_MESSAGE_INVOCATION || message->invocation_id.len > 0);
	write_type(out, message, count);
	if (message->headers.len > 0)
		buf_append_slice(out, message->headers);
	else
		msgpack_write_map(out, 0);
	if (message->invocation_id.len > 0)
		msgpack_write_str(out, message->invocation_id);
	else
		msgpack_write_nil(out);
}

static void write_invocation(struct buf *out, const struct hub_message *message)
{
	assert(message->arguments.len > 0);
	write_call(out, message, 6);
	msgpack_write_str(out, message->target);
	buf_append_slice(out, message->arguments);
	msgpack_write_array(out, message->stream_ids_n);
	for (size_t i = 0; i < message->stream_ids_n; i++)
		msgpack_write_str(out, message->stream_ids[i]);
}

static void write_completion(struct buf *out, const struct hub_message *message)
{
	assert(!message->has_result || (!message->has_error && message->payload.len > 0));
	write_call(out, message, message->has_error || message->has_result ? 5 : 4);
	if (message->has_error) {
		msgpack_write_int(out, COMPLETION_ERROR);
		msgpack_write_str(out, message->error);
	} else if (message->has_result) {
		msgpack_write_int(out, COMPLETION_RESULT);
		buf_append_slice(out, message->payload);
	} else {
		msgpack_write_int(out, COMPLETION_VOID);
	}
}

static void write_close(struct buf *out, const struct hub_message *message)
{
	write_type(out, message, 3);
	if (message->has_error)
		msgpack_write_str(out, message->error);
	else
		msgpack_write_nil(out);
	msgpack_write_bool(out, message->allow_reconnect);
}

static void write_body(struct buf *out, const struct hub_message *message)
{
	switch (message->type) {
	case HUB_MESSAGE_INVOCATION:
	case HUB_MESSAGE_STREAM_INVOCATION:
		write_invocation(out, message);
		break;
	case HUB_MESSAGE_STREAM_ITEM:
		write_call(out, message, 4);
		buf_append_slice(out, message->payload);
		break;
	case HUB_MESSAGE_COMPLETION:
		write_completion(out, message);
		break;
	case HUB_MESSAGE_CANCEL_INVOCATION:
		write_call(out, message, 3);
		break;
	case HUB_MESSAGE_CLOSE:
		write_close(out, message);
		break;
	case HUB_MESSAGE_ACK:
	case HUB_MESSAGE_SEQUENCE:
		assert(message->sequence_id <= INT64_MAX);
		write_type(out, message, 2);
		msgpack_write_int(out, (int64_t)message->sequence_id);
		break;
	case HUB_MESSAGE_PING:
		write_type(out, message, 1);
		break;
	case HUB_MESSAGE_NONE:
		break;
	}
}

static size_t make_prefix(char prefix[PREFIX_BYTES_MAX], size_t body)
{
	size_t n = 0;

	assert(body <= BODY_BYTES_MAX);
	for (; body >= PREFIX_MORE; body >>= PREFIX_BITS)
		prefix[n++] = (char)(body | PREFIX_MORE);
	prefix[n++] = (char)body;
	return n;
}

/* The length goes in front when it is known: its own bytes are few, the body is moved. */
void hub_msgpack_encode(struct buf *out, const struct hub_message *message)
{
	const size_t start = out->len;
	char prefix[PREFIX_BYTES_MAX];
	size_t body;
	size_t n;
	char *at;

	assert(message->type >= HUB_MESSAGE_INVOCATION &&
	       message->type <= HUB_MESSAGE_SEQUENCE);
	write_body(out, message);
	body = out->len - start;
	n = make_prefix(prefix, body);
	(void)buf_reserve(out, n); /* where the body goes is computed below */
	at = out->ptr + start;
	memmove(at + n, at, body);
	memcpy(at, prefix, n);
	out->len += n;
}
