/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the targets of the hub protocols: a message that was read, and is written by the
 * same codec, is one whole frame that reads as the same message; written by the other one
 * it reads as the same but for the application's values.
 */
#ifndef TESTS_FUZZ_HUB_AGAIN_H
#define TESTS_FUZZ_HUB_AGAIN_H

#include "proto/wire/hub_codec.h"
#include "tests/fuzz/fuzz.h"

static inline void hub_again_equal(const struct hub_message *a,
				   const struct hub_message *b)
{
	assert(a->type == b->type);
	assert(a->has_invocation_id == b->has_invocation_id);
	assert(slice_equal(a->invocation_id, b->invocation_id));
	assert(slice_equal(a->target, b->target));
	assert(slice_equal(a->arguments, b->arguments));
	assert(slice_equal(a->headers, b->headers));
	assert(slice_equal(a->payload, b->payload));
	assert(a->has_result == b->has_result);
	assert(a->has_error == b->has_error);
	assert(slice_equal(a->error, b->error));
	assert(a->allow_reconnect == b->allow_reconnect);
	assert(a->sequence_id == b->sequence_id);
	assert(a->stream_ids_n == b->stream_ids_n);
	for (size_t i = 0; i < a->stream_ids_n; i++)
		assert(slice_equal(a->stream_ids[i], b->stream_ids[i]));
}

/* What a reader leaves in members that its type does not have is nobody's business. */
static inline struct hub_message hub_again_own(const struct hub_message *message)
{
	struct hub_message own = { .type = message->type };
	const bool is_call = message->type == HUB_MESSAGE_INVOCATION ||
			     message->type == HUB_MESSAGE_STREAM_INVOCATION;
	const bool is_of_call = is_call || message->type == HUB_MESSAGE_STREAM_ITEM ||
				message->type == HUB_MESSAGE_COMPLETION ||
				message->type == HUB_MESSAGE_CANCEL_INVOCATION;

	if (is_of_call) {
		own.has_invocation_id = message->has_invocation_id;
		own.invocation_id = message->invocation_id;
		own.headers = message->headers;
	}
	if (is_call) {
		own.target = message->target;
		own.arguments = message->arguments;
		own.stream_ids = message->stream_ids;
		own.stream_ids_n = message->stream_ids_n;
	}
	if (message->type == HUB_MESSAGE_STREAM_ITEM)
		own.payload = message->payload;
	if (message->type == HUB_MESSAGE_COMPLETION) {
		own.has_result = message->has_result;
		own.payload = message->payload;
	}
	if (message->type == HUB_MESSAGE_COMPLETION ||
	    message->type == HUB_MESSAGE_CLOSE) {
		own.has_error = message->has_error;
		own.error = message->error;
	}
	own.allow_reconnect =
		message->type == HUB_MESSAGE_CLOSE && message->allow_reconnect;
	if (message->type == HUB_MESSAGE_ACK || message->type == HUB_MESSAGE_SEQUENCE)
		own.sequence_id = message->sequence_id;
	return own;
}

static inline void hub_again(const struct hub_codec *codec,
			     const struct hub_message *message, struct arena *arena)
{
	struct hub_message first = hub_again_own(message);
	struct hub_message second;
	struct buf out = BUF_INIT;
	struct slice text;
	const char *reason;
	enum err rc;

	codec->encode(&out, &first);
	assert(codec->cut(buf_slice(&out), out.len, &text) == (ssize_t)out.len);
	rc = codec->decode(text, arena, &second, &reason);
	assert(rc == OK);
	second = hub_again_own(&second);
	hub_again_equal(&first, &second);
	buf_fini(&out);
}

/* `frame` is the one that `message` was read from. */
static inline void hub_transcoded(const struct hub_codec *from, struct slice frame,
				  const struct hub_codec *to,
				  const struct hub_message *message, struct arena *arena)
{
	struct hub_message first = hub_again_own(message);
	struct hub_message second;
	struct buf out = BUF_INIT;
	struct slice text;
	const char *reason;

	if (hub_transcode(from, frame, to, arena, &out) == OK) {
		assert(to->cut(buf_slice(&out), out.len, &text) == (ssize_t)out.len);
		/* What one protocol may nest is too deep for the other. */
		if (to->decode(text, arena, &second, &reason) == OK) {
			second = hub_again_own(&second);
			first.arguments = second.arguments;
			first.payload = second.payload;
			first.headers = second.headers;
			hub_again_equal(&first, &second);
		} else {
			assert(slice_equal(slice_from_str(reason),
					   SLICE("The message is nested too deeply.")));
		}
	}
	buf_fini(&out);
}

#endif
