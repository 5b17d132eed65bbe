/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of JSON hub messages: cut into frames, each decoded. jansson judges whether a
 * text is JSON and what its strings say; of equal members the last one counts, for it as
 * for us.
 */
#include "proto/wire/hub_json.h"

#include "proto/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hub_again.h"
#include "tests/fuzz/json_oracle.h"

#define FRAME_BYTES_MAX 2048u

static enum err skip_all(struct slice text)
{
	struct json_cursor cursor = { text.ptr, text.ptr, HUB_JSON_DEPTH_MAX };
	struct slice raw;
	enum err rc;

	if (text.len == 0)
		return ERR_MALFORMED;
	cursor.end += text.len;
	rc = json_skip(&cursor, &raw);
	return rc == OK && !json_is_done(&cursor) ? ERR_MALFORMED : rc;
}

static void check_text(const json_t *root, const char *name, struct slice text)
{
	if (json_is_string(json_object_get(root, name)))
		assert(slice_equal(json_oracle_text(root, name), text));
}

static void check_raw(struct slice raw, struct slice text, char bracket)
{
	if (raw.len == 0)
		return;
	assert(fuzz_is_inside(raw, text));
	assert(skip_all(raw) == OK);
	assert(bracket == '\0' || raw.ptr[0] == bracket);
}

static void check_message(const struct hub_message *message, const json_t *root,
			  struct slice text)
{
	check_raw(message->arguments, text, '[');
	check_raw(message->headers, text, '{');
	check_raw(message->payload, text, '\0');
	assert(message->type <= HUB_MESSAGE_SEQUENCE);
	assert(message->stream_ids_n <= HUB_STREAM_IDS_MAX);
	assert(message->has_invocation_id == (message->invocation_id.len > 0));
	if (root == NULL || message->type == HUB_MESSAGE_NONE)
		return;
	assert(json_is_object(root));
	assert(json_integer_value(json_object_get(root, "type")) ==
	       (json_int_t)message->type);
	check_text(root, "target", message->target);
	check_text(root, "error", message->error);
	check_text(root, "invocationId", message->invocation_id);
}

/* In every way it can be written. */
static void check_written(const struct hub_message *message, struct slice text,
			  struct arena *arena)
{
	const struct hub_codec *json = hub_codec(HUB_PROTOCOL_JSON);
	struct buf frame = BUF_INIT;

	hub_again(json, message, arena);
	buf_append_slice(&frame, text);
	buf_append_byte(&frame, HUB_JSON_END);
	hub_transcoded(json, buf_slice(&frame), hub_codec(HUB_PROTOCOL_MSGPACK), message,
		       arena);
	buf_fini(&frame);
}

static void check_frame(struct slice text)
{
	struct arena arena = ARENA_INIT;
	struct hub_message message;
	const char *reason = NULL;
	json_t *root = NULL;
	const enum err rc = hub_json_decode(text, &arena, &message, &reason);
	const enum err skipped = skip_all(text);
	const enum json_verdict verdict = json_oracle(text, &root);

	assert((rc == OK) == (reason == NULL));
	assert(rc == OK || rc == ERR_MALFORMED);
	if (verdict == JSON_GOOD)
		assert(skipped == OK || skipped == ERR_LIMIT);
	if (verdict == JSON_BAD)
		assert(skipped != OK);
	if (rc == OK) {
		assert(skipped == OK);
		check_message(&message, root, text);
		if (message.type != HUB_MESSAGE_NONE)
			check_written(&message, text, &arena);
	}
	json_decref(root);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = fuzz_slice(data, size);
	struct slice text;

	while (stream.len > 0) {
		const ssize_t len = hub_json_cut(stream, FRAME_BYTES_MAX, &text);

		if (len <= 0) {
			assert(len == ERR_LIMIT ? stream.len >= FRAME_BYTES_MAX
						: slice_find(stream, HUB_JSON_END) < 0);
			check_frame(stream); /* as if its end were there */
			break;
		}
		assert((size_t)len <= FRAME_BYTES_MAX);
		assert(text.ptr == stream.ptr && text.len == (size_t)len - 1);
		assert(slice_find(stream, HUB_JSON_END) == len - 1);
		check_frame(text);
		stream = slice_from(stream, (size_t)len);
	}
	return 0;
}
