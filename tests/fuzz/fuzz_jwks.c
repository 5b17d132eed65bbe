/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key sets as identity providers publish them. A set is taken whole or not at all, with
 * keys of known algorithms and different ids, and a refusal says why.
 */
#include "gateway/auth_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

static void check_keys(const struct auth_keys *keys, struct slice text)
{
	json_t *root;

	if (json_oracle(text, &root) == JSON_GOOD) {
		assert(json_is_array(json_object_get(root, "keys")));
		assert(json_array_size(json_object_get(root, "keys")) ==
		       keys->n + keys->skipped);
	}
	json_decref(root);
	for (size_t i = 0; i < keys->n; i++) {
		const struct auth_key *key = keys->items[i];
		const struct auth_key *found;
		const struct slice id = auth_key_id(key);

		assert(auth_key_algorithm(key) <= AUTH_ES256);
		assert(id.len <= AUTH_KEY_ID_BYTES_MAX);
		if (id.len == 0)
			continue;
		assert(auth_keys_find(keys, auth_key_algorithm(key), id, &found) == OK);
		assert(found == key);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = fuzz_slice(data, size);
	struct auth_keys keys = { .n = 0 };
	struct arena arena = ARENA_INIT;
	const char *error = NULL;
	const enum err rc = auth_jwks_read(&keys, text, &arena, &error);

	assert(keys.n <= AUTH_KEYS_MAX);
	if (rc == OK) {
		assert(keys.n > 0);
		check_keys(&keys, text);
	} else {
		assert(error != NULL && error[0] != '\0');
	}
	auth_keys_fini(&keys);
	arena_fini(&arena);
	return 0;
}
