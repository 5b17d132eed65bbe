/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake. Which protocols we speak is the codecs' table and nothing else: one that
 * is not in it is refused by name, whether the world knows it or not.
 */
#include "proto/wire/handshake.h"

#include "proto/wire/hub_codec.h"
#include "proto/wire/hub_json.h"
#include "proto/wire/json.h"

/* 2 promises nothing but that the client knows of stateful reconnect. */
#define HANDSHAKE_VERSION_MAX 2

struct request {
	struct slice protocol; /* ptr NULL: not seen */
	int64_t version;
	bool has_version;
};

static enum err read_version(struct json_cursor *cursor, struct request *request,
			     const char **detail)
{
	struct slice raw;
	enum err rc = json_skip(cursor, &raw);

	if (rc != OK)
		return rc;
	rc = slice_to_int64(raw, &request->version);
	if (rc != OK || request->version < INT32_MIN || request->version > INT32_MAX) {
		*detail = "Expected 'version' to be an integer.";
		return ERR_MALFORMED;
	}
	request->has_version = true;
	return OK;
}

static enum err read_member(struct json_cursor *cursor, struct arena *arena,
			    struct slice key, struct request *request,
			    const char **detail)
{
	if (slice_equal(key, SLICE("version")))
		return read_version(cursor, request, detail);
	if (!slice_equal(key, SLICE("protocol")))
		return json_skip(cursor, &key);
	if (json_peek(cursor) != '"') {
		*detail = "Expected 'protocol' to be of type String.";
		return ERR_MALFORMED;
	}
	return json_text(cursor, arena, &request->protocol);
}

static enum err read_request(struct slice text, struct arena *arena,
			     struct request *request, const char **detail)
{
	struct json_cursor cursor = { text.ptr, text.ptr, HUB_JSON_DEPTH_MAX };
	bool is_first = true;
	bool more = true;
	enum err rc;

	*detail = "The handshake is not a JSON object.";
	if (text.len == 0)
		return ERR_MALFORMED;
	cursor.end += text.len;
	rc = json_open(&cursor, '{');
	while (rc == OK) {
		struct slice key;

		rc = json_next_member(&cursor, arena, &is_first, &key, &more);
		if (rc != OK || !more)
			break;
		rc = read_member(&cursor, arena, key, request, detail);
	}
	if (rc != OK || !json_is_done(&cursor))
		return ERR_MALFORMED;
	if (!request->protocol.ptr)
		*detail = "Missing required property 'protocol'.";
	else if (!request->has_version)
		*detail = "Missing required property 'version'.";
	else
		*detail = NULL;
	return *detail ? ERR_MALFORMED : OK;
}

enum err handshake_decode(struct slice text, struct arena *arena,
			  struct handshake *handshake, struct slice *error,
			  const char **detail)
{
	struct request request = { .protocol = SLICE_NONE };
	const struct hub_codec *codec;

	if (read_request(text, arena, &request, detail) != OK) {
		*error = SLICE(
			"An unexpected error occurred during connection handshake.");
		return ERR_MALFORMED;
	}
	codec = hub_codec_named(request.protocol);
	if (codec == NULL) {
		*error = arena_join(arena, SLICE("The protocol '"), request.protocol,
				    SLICE("' is not supported."));
		return ERR_UNSUPPORTED;
	}
	if (request.version > HANDSHAKE_VERSION_MAX) {
		*error = arena_printf(arena,
				      "The server does not support version %lld of the "
				      "'%.*s' protocol.",
				      (long long)request.version,
				      SLICE_FMT(request.protocol));
		return ERR_UNSUPPORTED;
	}
	handshake->protocol = codec->protocol;
	handshake->version = request.version;
	*error = SLICE_NONE;
	return OK;
}

void handshake_encode_response(struct buf *out, struct slice error)
{
	buf_append_byte(out, '{');
	if (error.ptr) {
		buf_append_str(out, "\"error\":");
		json_write_string(out, error);
	}
	buf_append_byte(out, '}');
	buf_append_byte(out, HUB_JSON_END);
}
