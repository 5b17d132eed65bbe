/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of MessagePack hub messages: cut into frames, each decoded. Where a frame ends
 * must not depend on how much of the stream is there. Input: one byte says how much of
 * each frame is shown first, the rest is the stream.
 */
#include "proto/wire/hub_msgpack.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hub_again.h"

#define FRAME_BYTES_MAX 2048u

static void check_raw(struct slice raw, struct slice text)
{
	struct msgpack_cursor cursor = msgpack_cursor(raw);
	struct slice all;
	enum err rc;

	if (raw.len == 0)
		return;
	assert(fuzz_is_inside(raw, text));
	rc = msgpack_skip(&cursor, HUB_MSGPACK_DEPTH_MAX - 1, &all);
	assert(rc == OK);
	assert(all.len == raw.len);
}

static void check_message(const struct hub_message *message, struct slice text)
{
	check_raw(message->arguments, text);
	check_raw(message->headers, text);
	check_raw(message->payload, text);
	assert(fuzz_is_inside(message->target, text));
	assert(fuzz_is_inside(message->error, text));
	assert(fuzz_is_inside(message->invocation_id, text));
	assert(message->has_invocation_id == (message->invocation_id.len > 0));
	assert(message->type <= HUB_MESSAGE_SEQUENCE);
	assert(message->stream_ids_n <= HUB_STREAM_IDS_MAX);
	for (size_t i = 0; i < message->stream_ids_n; i++)
		assert(fuzz_is_inside(message->stream_ids[i], text));
}

static void check_frame(struct slice frame, struct slice text)
{
	const struct hub_codec *msgpack = hub_codec(HUB_PROTOCOL_MSGPACK);
	struct arena arena = ARENA_INIT;
	struct hub_message message;
	const char *reason = NULL;
	const enum err rc = hub_msgpack_decode(text, &arena, &message, &reason);

	assert((rc == OK) == (reason == NULL));
	assert(rc == OK || rc == ERR_MALFORMED);
	if (rc == OK) {
		check_message(&message, text);
		if (message.type != HUB_MESSAGE_NONE) {
			hub_again(msgpack, &message, &arena);
			hub_transcoded(msgpack, frame, hub_codec(HUB_PROTOCOL_JSON),
				       &message, &arena);
		}
	}
	arena_fini(&arena);
}

static ssize_t check_cut(struct slice stream, size_t shown, struct slice *text)
{
	const ssize_t len = hub_msgpack_cut(stream, FRAME_BYTES_MAX, text);
	struct slice part;
	const ssize_t early = hub_msgpack_cut(
		slice_make(stream.ptr, shown < stream.len ? shown : stream.len),
		FRAME_BYTES_MAX, &part);

	assert(early == 0 || early == len);
	if (len > 0) {
		assert((size_t)len <= FRAME_BYTES_MAX && (size_t)len <= stream.len);
		assert((early == len) == (shown >= (size_t)len));
		assert(text->ptr + text->len == stream.ptr + len);
	} else if (len == 0) {
		assert(stream.len < FRAME_BYTES_MAX);
	} else {
		assert(len == ERR_LIMIT || len == ERR_MALFORMED);
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = fuzz_slice(data, size);
	const size_t shown = fuzz_byte(&stream);
	struct slice text;

	while (stream.len > 0) {
		const ssize_t len = check_cut(stream, shown, &text);

		if (len <= 0)
			break;
		check_frame(slice_make(stream.ptr, (size_t)len), text);
		stream = slice_from(stream, (size_t)len);
	}
	return 0;
}
