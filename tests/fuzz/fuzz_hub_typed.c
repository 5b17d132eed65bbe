/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of clients as the structs of a hub. What is read and made a value again reads as
 * the same; what is refused has a text. The first byte says which protocol and type.
 */
#define TYPED_TYPES_ONLY
#include "router/hub_private.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/router/typed.gen.h"

static bool decode(struct slice input, bool is_json, struct arena *arena,
		   struct value **value)
{
	return (is_json ? value_decode_json(input, arena, value)
			: value_decode_msgpack(input, arena, value)) == OK;
}

/* The value by way of the struct; NULL: it is refused. */
static struct value *pass(struct hub_call *call, const struct value *value,
			  bool is_everything)
{
	struct typed_everything everything;
	struct typed_options options;

	if (is_everything)
		return typed_everything_read(call, value, &everything) == HUB_OK
			       ? typed_everything_value(call, &everything)
			       : NULL;
	return typed_options_read(call, value, &options) == HUB_OK
		       ? typed_options_value(call, &options)
		       : NULL;
}

static void check_same(const struct value *a, const struct value *b)
{
	struct buf one = BUF_INIT;
	struct buf two = BUF_INIT;

	value_encode_json(&one, a);
	value_encode_json(&two, b);
	assert(slice_equal(buf_slice(&one), buf_slice(&two)));
	buf_fini(&one);
	buf_fini(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const uint8_t choice = fuzz_byte(&input);
	const bool is_everything = (choice & 2) != 0;
	struct hub_call call = { .rc = HUB_OK };
	struct value *value;
	struct value *passed;
	struct value *again;

	if (decode(input, (choice & 1) == 0, &call.arena, &value)) {
		passed = pass(&call, value, is_everything);
		assert((passed == NULL) == (call.failure.len > 0));
		if (passed != NULL) {
			again = pass(&call, passed, is_everything);
			assert(again != NULL);
			check_same(passed, again);
		}
	}
	arena_fini(&call.arena);
	return 0;
}
