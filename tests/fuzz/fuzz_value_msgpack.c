/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values out of MessagePack: what was decoded and encoded decodes as an equal value, and
 * what is well-formed is stepped over as it is decoded. Every value has a JSON form.
 */
#include "proto/wire/msgpack.h"
#include "proto/wire/value.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/value_equal.h"

static void check_again(const struct value *value, struct arena *arena)
{
	struct buf bytes = BUF_INIT;
	struct value *again = NULL;
	enum err rc;

	value_encode_msgpack(&bytes, value);
	rc = value_decode_msgpack(buf_slice(&bytes), arena, &again);
	assert(rc == OK);
	assert(value_equal(value, again));
	buf_fini(&bytes);
}

static void check_json(const struct value *value, struct arena *arena)
{
	struct buf text = BUF_INIT;
	struct value *again = NULL;
	enum err rc;

	value_encode_json(&text, value);
	rc = value_decode_json(buf_slice(&text), arena, &again);
	assert(rc == OK);
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = fuzz_slice(data, size);
	struct msgpack_cursor cursor = msgpack_cursor(bytes);
	struct arena arena = ARENA_INIT;
	struct value *value = NULL;
	struct slice raw;
	const enum err skipped = msgpack_skip(&cursor, MSGPACK_DEPTH_MAX, &raw);
	const enum err rc = value_decode_msgpack(bytes, &arena, &value);

	assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_LIMIT);
	assert((rc == OK) == (value != NULL));
	if (rc == OK) {
		assert(skipped == OK && raw.len == bytes.len);
		check_again(value, &arena);
		check_json(value, &arena);
	}
	arena_fini(&arena);
	return 0;
}
