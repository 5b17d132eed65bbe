/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token is checked from the outside in: size, three parts, base64url, header, the key
 * that is meant, signature; only what somebody we trust has signed is read further.
 */
#include "gateway/auth.h"

#include <assert.h>

#include "gateway/auth_object.h"
#include "gateway/auth_private.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"

_Static_assert(AUTH_CLAIMS_MAX <= AUTH_OBJECT_MEMBERS_MAX, "claims are such an object");

/* A token taken apart; slices of the token, or decoded into the arena. */
struct jws {
	struct slice text; /* what is signed */
	struct slice header;
	struct slice payload;
	struct slice signature;
	struct auth_object object; /* the header's, then the payload's */
	enum auth_algorithm algorithm;
	struct slice key_id; /* ptr NULL: none */
};

const char *auth_rc_name(enum auth_rc rc)
{
	static const char *const names[] = {
#define RC_NAME(name, text) text,
		AUTH_RC_LIST(RC_NAME)
#undef RC_NAME
	};

	assert((size_t)rc < sizeof(names) / sizeof(names[0]));
	return names[rc];
}

void auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	auth_keys_fini(&auth->keys);
	for (size_t i = 0; i < auth->others_n; i++)
		auth_key_free(auth->others[i]);
	auth_key_free(auth->dev);
	auth_rules_fini(&auth->rules);
	mem_free(auth);
}

/* ---- the outside */

static enum auth_rc object_read(struct jws *jws, size_t members_max, struct slice text,
				struct arena *arena)
{
	const enum err rc = auth_object_read(&jws->object, members_max, text, arena);

	if (rc == OK)
		return AUTH_OK;
	return rc == ERR_LIMIT ? AUTH_LIMIT : AUTH_MALFORMED;
}

static bool part_decode(struct slice part, struct arena *arena, struct slice *bytes)
{
	struct buf decoded = BUF_INIT;
	bool is_good = part.len > 0 && crypto_base64url_decode(&decoded, part) == OK;

	if (is_good)
		*bytes = arena_dup(arena, buf_slice(&decoded));
	buf_fini(&decoded);
	return is_good;
}

static enum auth_rc parts_read(struct jws *jws, struct slice token, struct arena *arena)
{
	struct slice rest = token;
	const struct slice header = slice_cut(&rest, '.');
	const struct slice payload = slice_cut(&rest, '.');

	/* A fourth part would be in the third, with a dot that base64url has not. */
	if (!part_decode(header, arena, &jws->header) ||
	    !part_decode(payload, arena, &jws->payload) ||
	    !part_decode(rest, arena, &jws->signature))
		return AUTH_MALFORMED;
	jws->text = slice_make(token.ptr, header.len + 1 + payload.len);
	return AUTH_OK;
}

/* ---- the header */

/* Access tokens may call themselves so (RFC 9068). */
static bool is_type_taken(struct slice type)
{
	return slice_equal_nocase(type, SLICE("JWT")) ||
	       slice_equal_nocase(type, SLICE("at+jwt")) ||
	       slice_equal_nocase(type, SLICE("application/at+jwt"));
}

static enum auth_rc header_read(struct jws *jws, struct arena *arena)
{
	/* They name or bring keys, or change what is signed; our keys are configured, and
	 * we know no extension that could be critical. */
	static const struct slice refused[] = {
		{ "crit", 4 }, { "b64", 3 }, { "jku", 3 }, { "jwk", 3 },
		{ "x5u", 3 },  { "x5c", 3 }, { "zip", 3 }, { "enc", 3 },
	};
	const struct auth_object *header = &jws->object;
	struct slice value;
	enum auth_rc rc = object_read(jws, AUTH_HEADER_MEMBERS_MAX, jws->header, arena);

	if (rc != AUTH_OK)
		return rc;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (auth_object_find(header, refused[i]) != NULL)
			return AUTH_HEADER;
	}
	if (auth_object_text(header, SLICE("typ"), arena, &value) != OK ||
	    (value.ptr != NULL && !is_type_taken(value)))
		return AUTH_HEADER;
	if (auth_object_text(header, SLICE("kid"), arena, &jws->key_id) != OK ||
	    jws->key_id.len > AUTH_KEY_ID_BYTES_MAX)
		return AUTH_HEADER;
	if (auth_object_text(header, SLICE("alg"), arena, &value) != OK ||
	    !auth_algorithm_find(value, &jws->algorithm))
		return AUTH_ALGORITHM;
	return AUTH_OK;
}

/* ---- the key */

static enum auth_rc key_find(const struct auth *auth, const struct jws *jws,
			     const struct auth_key **key)
{
	enum err rc;

	if (auth->dev != NULL && slice_equal(jws->key_id, auth_key_id(auth->dev))) {
		*key = auth->dev;
		return auth_key_algorithm(auth->dev) == jws->algorithm ? AUTH_OK
								       : AUTH_ALGORITHM;
	}
	rc = auth_keys_find(&auth->keys, jws->algorithm, jws->key_id, key);
	if (rc == OK)
		return AUTH_OK;
	return rc == ERR_UNSUPPORTED ? AUTH_ALGORITHM : AUTH_NO_KEY;
}

static enum auth_rc signature_check(const struct auth *auth, const struct jws *jws)
{
	const struct auth_key *key;
	enum auth_rc rc = key_find(auth, jws, &key);

	if (rc != AUTH_OK)
		return rc;
	if (auth_key_verify(key, jws->text, jws->signature) == OK)
		return AUTH_OK;
	/* The first key has others beside it. */
	for (size_t i = 0; key == auth->keys.items[0] && i < auth->others_n; i++) {
		if (auth_key_verify(auth->others[i], jws->text, jws->signature) == OK)
			return AUTH_OK;
	}
	return AUTH_SIGNATURE;
}

int64_t auth_fingerprint(const struct auth *auth)
{
	return auth->fingerprint;
}

enum auth_rc auth_check(const struct auth *auth, struct slice token, int64_t now_s,
			struct user **user)
{
	struct arena arena = ARENA_INIT;
	struct jws jws = { .key_id = SLICE_NONE };
	enum auth_rc rc;

	assert(auth != NULL && user != NULL);
	*user = NULL;
	if (token.len > AUTH_TOKEN_BYTES_MAX)
		return AUTH_TOO_LONG;
	rc = parts_read(&jws, token, &arena);
	if (rc == AUTH_OK)
		rc = header_read(&jws, &arena);
	if (rc == AUTH_OK)
		rc = signature_check(auth, &jws);
	if (rc == AUTH_OK)
		rc = object_read(&jws, AUTH_CLAIMS_MAX, jws.payload, &arena);
	if (rc == AUTH_OK)
		rc = auth_claims_check(&auth->rules, &jws.object, jws.payload, now_s,
				       &arena, user);
	assert((rc == AUTH_OK) == (*user != NULL));
	arena_fini(&arena);
	return rc;
}
