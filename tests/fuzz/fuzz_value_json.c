/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values out of JSON: what was decoded and encoded decodes as an equal value. jansson
 * says what is JSON.
 */
#include "proto/wire/value.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"
#include "tests/fuzz/value_equal.h"

static void check_again(const struct value *value, struct arena *arena)
{
	struct buf text = BUF_INIT;
	struct value *again = NULL;
	enum err rc;

	value_encode_json(&text, value);
	rc = value_decode_json(buf_slice(&text), arena, &again);
	assert(rc == OK);
	assert(value_equal(value, again));
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = fuzz_slice(data, size);
	struct arena arena = ARENA_INIT;
	struct value *value = NULL;
	json_t *root = NULL;
	const enum err rc = value_decode_json(text, &arena, &value);
	const enum json_verdict verdict = json_oracle(text, &root);

	assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_LIMIT);
	assert((rc == OK) == (value != NULL));
	if (verdict == JSON_GOOD)
		assert(rc != ERR_MALFORMED);
	if (verdict == JSON_BAD)
		assert(rc != OK);
	if (rc == OK)
		check_again(value, &arena);
	json_decref(root);
	arena_fini(&arena);
	return 0;
}
