/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negotiate answer. A client that asks for a newer version than ours gets ours; one
 * that asks for none speaks version 0.
 */
#include "proto/wire/negotiate.h"

#include <assert.h>

#include "proto/base/http_parse.h"
#include "proto/wire/json.h"

#define NEGOTIATE_VERSION_MAX 1

static const struct {
	unsigned bit;
	const char *json;
} transports[] = {
	{ TRANSPORT_WEBSOCKETS,
	  "{\"transport\":\"WebSockets\",\"transferFormats\":[\"Text\",\"Binary\"]}" },
	{ TRANSPORT_SSE,
	  "{\"transport\":\"ServerSentEvents\",\"transferFormats\":[\"Text\"]}" },
	{ TRANSPORT_LONG_POLLING,
	  "{\"transport\":\"LongPolling\",\"transferFormats\":[\"Text\",\"Binary\"]}" },
};

/* What the query asks for; 0 when it does not ask. */
static enum err asked_version(struct slice query, struct arena *arena, int64_t *version)
{
	struct slice value;
	enum err rc = http_query_find(query, SLICE("negotiateVersion"), arena, &value);

	*version = 0;
	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc == OK)
		rc = slice_to_int64(value, version);
	if (rc != OK || *version < INT32_MIN || *version > INT32_MAX)
		return ERR_MALFORMED;
	return OK;
}

enum err negotiate_version(struct slice query, int version_min, struct arena *arena,
			   int *version, struct slice *error)
{
	int64_t asked;

	assert(version_min >= 0 && version_min <= NEGOTIATE_VERSION_MAX);
	*error = SLICE_NONE;
	if (asked_version(query, arena, &asked) != OK) {
		*error = SLICE("The client requested a non-integer protocol version.");
		return ERR_MALFORMED;
	}
	if (asked < version_min) {
		*error = arena_printf(
			arena,
			"The client requested version '%lld', but the server "
			"does not support this version.",
			(long long)asked);
		return ERR_UNSUPPORTED;
	}
	*version = asked > NEGOTIATE_VERSION_MAX ? NEGOTIATE_VERSION_MAX : (int)asked;
	return OK;
}

static void write_transports(struct buf *out, unsigned bits)
{
	const char *separator = "";

	buf_append_str(out, ",\"availableTransports\":[");
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		if ((bits & transports[i].bit) == 0)
			continue;
		buf_append_str(out, separator);
		buf_append_str(out, transports[i].json);
		separator = ",";
	}
	buf_append_byte(out, ']');
}

void negotiate_encode(struct buf *out, const struct negotiate_answer *answer)
{
	assert(answer->version >= 0 && answer->version <= NEGOTIATE_VERSION_MAX);
	assert(answer->id.len > 0);
	buf_append_str(out, "{\"negotiateVersion\":");
	buf_append_int64(out, answer->version);
	buf_append_str(out, ",\"connectionId\":");
	json_write_string(out, answer->id);
	if (answer->version > 0) {
		assert(answer->token.len > 0);
		buf_append_str(out, ",\"connectionToken\":");
		json_write_string(out, answer->token);
		if (answer->is_stateful)
			buf_append_str(out, ",\"useStatefulReconnect\":true");
	}
	write_transports(out, answer->transports);
	buf_append_byte(out, '}');
}

void negotiate_encode_redirect(struct buf *out, struct slice url, struct slice token)
{
	assert(url.len > 0);
	buf_append_str(out, "{\"url\":");
	json_write_string(out, url);
	if (token.len > 0) {
		buf_append_str(out, ",\"accessToken\":");
		json_write_string(out, token);
	}
	buf_append_byte(out, '}');
}

void negotiate_encode_error(struct buf *out, struct slice error)
{
	buf_append_str(out, "{\"error\":");
	json_write_string(out, error);
	buf_append_byte(out, '}');
}
