/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that tokens may be signed with, and the rule by which a token finds its one:
 *
 * - A token with a `kid` means the key of that id. Where no key has it the token is
 *   refused, unless there is one key in all and that has no id: it answers to any.
 * - A token without a `kid` means the only key of its `alg`; of two neither is tried.
 * - A key serves its own algorithm alone.
 */
#ifndef GATEWAY_AUTH_KEYS_H
#define GATEWAY_AUTH_KEYS_H

#include "gateway/auth_key.h"
#include "proto/base/arena.h"

#define AUTH_KEYS_MAX 32

struct auth_keys {
	struct auth_key *items[AUTH_KEYS_MAX]; /* owned */
	size_t n;
	size_t skipped; /* keys of a set that are not for checking signatures */
};

/* Takes the key over when it returns OK. ERR_LIMIT: AUTH_KEYS_MAX; ERR_EXISTS: its id. */
MUST_CHECK enum err auth_keys_add(struct auth_keys *keys, struct auth_key *key);

/* Frees the keys. */
void auth_keys_fini(struct auth_keys *keys);

/*
 * ERR_NOT_FOUND: no key is meant, or more than one could be; ERR_UNSUPPORTED: the key
 * that is meant has another algorithm, or none has this one. `id` empty with ptr NULL:
 * the token has no kid.
 */
MUST_CHECK enum err auth_keys_find(const struct auth_keys *keys,
				   enum auth_algorithm algorithm, struct slice id,
				   const struct auth_key **key);

/*
 * Adds the keys of a JSON Web Key Set (RFC 7517); auth_jwks.c. Keys whose `use` or
 * `key_ops` is not for checking signatures are skipped and counted. Anything else that is
 * not right fails with a sentence in the arena that names the key by its index: private
 * parts, an unknown `kty` or `alg`, a `kid` twice, weak keys, no key that is left.
 */
MUST_CHECK enum err auth_jwks_read(struct auth_keys *keys, struct slice text,
				   struct arena *arena, const char **error);

#endif
