/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake request. jansson judges: what we take is an object with a protocol we
 * speak and a version in range; and whatever is refused, the answer to it is JSON.
 */
#include "proto/wire/handshake.h"

#include "proto/wire/hub_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

static void check_taken(const struct handshake *handshake, const json_t *root)
{
	assert(handshake->protocol == HUB_PROTOCOL_JSON ||
	       handshake->protocol == HUB_PROTOCOL_MSGPACK);
	if (root == NULL)
		return;
	assert(json_is_object(root));
	assert(slice_equal(json_oracle_text(root, "protocol"),
			   handshake->protocol == HUB_PROTOCOL_JSON
				   ? SLICE("json")
				   : SLICE("messagepack")));
	assert(json_integer_value(json_object_get(root, "version")) ==
	       handshake->version);
}

static void check_answer(struct slice error)
{
	struct buf out = BUF_INIT;
	json_t *root;

	handshake_encode_response(&out, error);
	assert(out.ptr[out.len - 1] == HUB_JSON_END);
	assert(slice_find(buf_slice(&out), HUB_JSON_END) == (ptrdiff_t)out.len - 1);
	assert(json_oracle(slice_make(out.ptr, out.len - 1), &root) == JSON_GOOD);
	assert(json_object_size(root) == (error.ptr != NULL ? 1 : 0));
	if (error.ptr != NULL)
		assert(slice_equal(json_oracle_text(root, "error"), error));
	json_decref(root);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = fuzz_slice(data, size);
	struct arena arena = ARENA_INIT;
	struct handshake handshake;
	struct slice error = SLICE_NONE;
	const char *detail = NULL;
	json_t *root = NULL;
	const enum err rc = handshake_decode(text, &arena, &handshake, &error, &detail);
	const enum json_verdict verdict = json_oracle(text, &root);

	assert((rc == OK) == (error.ptr == NULL));
	assert((rc == ERR_MALFORMED) == (detail != NULL));
	if (verdict == JSON_BAD)
		assert(rc == ERR_MALFORMED);
	if (rc == OK)
		check_taken(&handshake, root);
	check_answer(error);
	json_decref(root);
	arena_fini(&arena);
	return 0;
}
