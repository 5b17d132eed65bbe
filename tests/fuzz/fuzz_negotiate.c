/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query of a negotiate: percent-decoding, the version asked for, and the answer to
 * it, which must be JSON whatever was asked. Input: one byte chooses the lowest version
 * and the transports, the rest is the query.
 */
#include "proto/wire/negotiate.h"

#include "proto/base/http_parse.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

/* What was decoded, escaped throughout, must be found as the same. */
static void check_escaped(struct slice key, struct slice value, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	struct buf query = BUF_INIT;
	struct slice again;
	enum err rc;

	buf_append_slice(&query, key);
	buf_append_byte(&query, '=');
	for (size_t i = 0; i < value.len; i++) {
		const unsigned char byte = (unsigned char)value.ptr[i];

		buf_append_byte(&query, '%');
		buf_append_byte(&query, digits[byte >> 4]);
		buf_append_byte(&query, digits[byte & 15u]);
	}
	rc = http_query_find(buf_slice(&query), key, arena, &again);
	assert(rc == OK);
	assert(slice_equal(value, again));
	buf_fini(&query);
}

static void check_query(struct slice query, struct arena *arena)
{
	static const struct slice keys[] = { { "id", 2 }, { "access_token", 12 } };
	struct slice value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const enum err rc = http_query_find(query, keys[i], arena, &value);

		assert(rc == OK || rc == ERR_NOT_FOUND || rc == ERR_MALFORMED);
		if (rc != OK)
			continue;
		assert(value.len <= query.len && slice_find(value, '\0') < 0);
		assert(value.ptr[value.len] == '\0');
		check_escaped(keys[i], value, arena);
	}
}

static void check_json(const struct buf *out, const char *name, struct slice text)
{
	json_t *root;

	assert(json_oracle(buf_slice(out), &root) == JSON_GOOD);
	assert(slice_equal(json_oracle_text(root, name), text));
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice query = fuzz_slice(data, size);
	const uint8_t choice = fuzz_byte(&query);
	struct negotiate_answer answer = {
		.id = SLICE("id"),
		.token = SLICE("token"),
		.transports = choice >> 1 & 7u,
		.is_stateful = choice >> 4 & 1u,
	};
	struct arena arena = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct slice error;
	const enum err rc =
		negotiate_version(query, choice & 1, &arena, &answer.version, &error);

	assert((rc == OK) == (error.ptr == NULL));
	if (rc == OK) {
		assert(answer.version >= (choice & 1) && answer.version <= 1);
		negotiate_encode(&out, &answer);
		check_json(&out, "connectionId", answer.id);
	} else {
		assert(rc == ERR_MALFORMED || rc == ERR_UNSUPPORTED);
		negotiate_encode_error(&out, error);
		check_json(&out, "error", error);
	}
	check_query(query, &arena);
	buf_fini(&out);
	arena_fini(&arena);
	return 0;
}
