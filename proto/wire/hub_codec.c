/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of hub protocols and what is the same for all of them.
 */
#include "proto/wire/hub_codec.h"

#include <assert.h>

#include "proto/wire/hub_json.h"
#include "proto/wire/hub_msgpack.h"

static const struct hub_codec codecs[] = {
	{
		.protocol = HUB_PROTOCOL_JSON,
		.name = "json",
		.is_text = true,
		.cut = hub_json_cut,
		.decode = hub_json_decode,
		.encode = hub_json_encode,
		.decode_value = value_decode_json,
		.encode_value = value_encode_json,
	},
	{
		.protocol = HUB_PROTOCOL_MSGPACK,
		.name = "messagepack",
		.is_text = false,
		.cut = hub_msgpack_cut,
		.decode = hub_msgpack_decode,
		.encode = hub_msgpack_encode,
		.decode_value = value_decode_msgpack,
		.encode_value = value_encode_msgpack,
	},
};

#define CODECS_N (sizeof(codecs) / sizeof(codecs[0]))

const struct hub_codec *hub_codec(enum hub_protocol protocol)
{
	for (size_t i = 0; i < CODECS_N; i++) {
		if (codecs[i].protocol == protocol)
			return &codecs[i];
	}
	return NULL;
}

const struct hub_codec *hub_codec_named(struct slice name)
{
	for (size_t i = 0; i < CODECS_N; i++) {
		if (slice_equal(name, slice_from_str(codecs[i].name)))
			return &codecs[i];
	}
	return NULL;
}

/* ---- one whole frame each */

void hub_encode_ping(const struct hub_codec *codec, struct buf *out)
{
	const struct hub_message message = { .type = HUB_MESSAGE_PING };

	codec->encode(out, &message);
}

void hub_encode_close(const struct hub_codec *codec, struct buf *out, struct slice error,
		      bool allow_reconnect)
{
	const struct hub_message message = {
		.type = HUB_MESSAGE_CLOSE,
		.has_error = error.ptr != NULL,
		.error = error,
		.allow_reconnect = allow_reconnect,
	};

	codec->encode(out, &message);
}

void hub_encode_result(const struct hub_codec *codec, struct buf *out,
		       struct slice invocation_id, struct slice result)
{
	const struct hub_message message = {
		.type = HUB_MESSAGE_COMPLETION,
		.has_invocation_id = true,
		.invocation_id = invocation_id,
		.has_result = result.ptr != NULL,
		.payload = result,
	};

	codec->encode(out, &message);
}

void hub_encode_error(const struct hub_codec *codec, struct buf *out,
		      struct slice invocation_id, struct slice error)
{
	const struct hub_message message = {
		.type = HUB_MESSAGE_COMPLETION,
		.has_invocation_id = true,
		.invocation_id = invocation_id,
		.has_error = true,
		.error = error,
	};

	codec->encode(out, &message);
}

void hub_encode_invocation(const struct hub_codec *codec, struct buf *out,
			   struct slice invocation_id, struct slice target,
			   struct slice arguments)
{
	const struct hub_message message = {
		.type = HUB_MESSAGE_INVOCATION,
		.has_invocation_id = invocation_id.len > 0,
		.invocation_id = invocation_id,
		.target = target,
		.arguments = arguments,
	};

	codec->encode(out, &message);
}

void hub_encode_item(const struct hub_codec *codec, struct buf *out,
		     struct slice invocation_id, struct slice item)
{
	const struct hub_message message = {
		.type = HUB_MESSAGE_STREAM_ITEM,
		.has_invocation_id = true,
		.invocation_id = invocation_id,
		.payload = item,
	};

	codec->encode(out, &message);
}

void hub_encode_sequence(const struct hub_codec *codec, struct buf *out,
			 enum hub_message_type type, uint64_t sequence_id)
{
	const struct hub_message message = { .type = type, .sequence_id = sequence_id };

	assert(type == HUB_MESSAGE_ACK || type == HUB_MESSAGE_SEQUENCE);
	codec->encode(out, &message);
}

/* ---- from one protocol to another */

struct transcoder {
	const struct hub_codec *from;
	const struct hub_codec *to;
	struct arena *arena; /* borrowed */
	struct buf raw;	     /* owned; what one value is written to */
};

static enum err transcode_raw(struct transcoder *transcoder, struct slice *raw,
			      struct value **value)
{
	enum err rc = transcoder->from->decode_value(*raw, transcoder->arena, value);

	if (rc != OK)
		return rc;
	buf_clear(&transcoder->raw);
	transcoder->to->encode_value(&transcoder->raw, *value);
	*raw = arena_dup(transcoder->arena, buf_slice(&transcoder->raw));
	return OK;
}

/* MessagePack says "none" with an empty map, JSON without the member. */
static enum err transcode_headers(struct transcoder *transcoder, struct slice *headers)
{
	struct value *value;
	enum err rc;

	if (headers->len == 0)
		return OK;
	rc = transcode_raw(transcoder, headers, &value);
	if (rc != OK)
		return rc;
	if (value->count == 0)
		*headers = SLICE_NONE;
	for (const struct value *item = value->first; item != NULL; item = item->next) {
		if (item->type != VALUE_STRING)
			return ERR_MALFORMED;
	}
	return OK;
}

static enum err transcode_members(struct transcoder *transcoder,
				  struct hub_message *message)
{
	struct value *value;
	enum err rc = transcode_headers(transcoder, &message->headers);

	if (rc == OK && message->arguments.len > 0)
		rc = transcode_raw(transcoder, &message->arguments, &value);
	if (rc == OK && message->payload.len > 0)
		rc = transcode_raw(transcoder, &message->payload, &value);
	return rc;
}

enum err hub_transcode(const struct hub_codec *from, struct slice frame,
		       const struct hub_codec *to, struct arena *arena, struct buf *out)
{
	struct transcoder transcoder = { from, to, arena, BUF_INIT };
	struct hub_message message;
	struct slice inside;
	const char *reason;
	enum err rc;

	if (frame.len == 0 ||
	    from->cut(frame, frame.len, &inside) != (ssize_t)frame.len ||
	    from->decode(inside, arena, &message, &reason) != OK ||
	    message.type == HUB_MESSAGE_NONE)
		return ERR_MALFORMED;
	rc = transcode_members(&transcoder, &message);
	if (rc == OK)
		to->encode(out, &message);
	buf_fini(&transcoder.raw);
	return rc;
}
