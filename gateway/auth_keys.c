/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of keys is a handful: it is walked.
 */
#include "gateway/auth_keys.h"

#include <assert.h>

static const struct auth_key *find_id(const struct auth_keys *keys, struct slice id)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct slice own = auth_key_id(keys->items[i]);

		if (own.len > 0 && slice_equal(own, id))
			return keys->items[i];
	}
	return NULL;
}

enum err auth_keys_add(struct auth_keys *keys, struct auth_key *key)
{
	assert(keys != NULL && key != NULL);
	if (keys->n == AUTH_KEYS_MAX)
		return ERR_LIMIT;
	if (find_id(keys, auth_key_id(key)) != NULL)
		return ERR_EXISTS;
	keys->items[keys->n++] = key;
	return OK;
}

void auth_keys_fini(struct auth_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		auth_key_free(keys->items[i]);
	*keys = (struct auth_keys){ .n = 0 };
}

/* Without a kid: the algorithm must leave no choice. */
static enum err find_only(const struct auth_keys *keys, enum auth_algorithm algorithm,
			  const struct auth_key **key)
{
	*key = NULL;
	for (size_t i = 0; i < keys->n; i++) {
		if (auth_key_algorithm(keys->items[i]) != algorithm)
			continue;
		if (*key != NULL)
			return ERR_NOT_FOUND;
		*key = keys->items[i];
	}
	return *key != NULL ? OK : ERR_UNSUPPORTED;
}

enum err auth_keys_find(const struct auth_keys *keys, enum auth_algorithm algorithm,
			struct slice id, const struct auth_key **key)
{
	assert(keys != NULL && key != NULL);
	*key = NULL;
	if (keys->n == 0)
		return ERR_NOT_FOUND;
	if (id.ptr == NULL)
		return find_only(keys, algorithm, key);
	*key = find_id(keys, id);
	if (*key == NULL && keys->n == 1 && auth_key_id(keys->items[0]).len == 0)
		*key = keys->items[0];
	if (*key == NULL)
		return ERR_NOT_FOUND;
	return auth_key_algorithm(*key) == algorithm ? OK : ERR_UNSUPPORTED;
}
