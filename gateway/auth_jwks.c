/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key sets as identity providers publish them. What is not understood is refused when the
 * file is read, not when somebody's token comes: only members that say nothing about what
 * a key may do are passed over.
 */
#include <assert.h>

#include "gateway/auth_keys.h"
#include "gateway/auth_object.h"
#include "proto/base/crypto.h"
#include "proto/base/secret.h"

#define KEY_OPS_MAX 8

/* One key of the set. */
struct jwk {
	struct auth_object members;
	struct arena *arena;
	struct slice id;
	const char *error; /* what is wrong with it */
};

static enum err jwk_fail(struct jwk *jwk, const char *error)
{
	jwk->error = error;
	return ERR_ARGUMENT;
}

static bool has(const struct jwk *jwk, struct slice name)
{
	return auth_object_find(&jwk->members, name) != NULL;
}

static enum err private_check(struct jwk *jwk)
{
	static const struct slice names[] = { { "d", 1 },  { "p", 1 },	{ "q", 1 },
					      { "dp", 2 }, { "dq", 2 }, { "qi", 2 },
					      { "oth", 3 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (has(jwk, names[i]))
			return jwk_fail(jwk, "it holds a private key; give the public "
					     "part alone");
	}
	return OK;
}

/* `*is_ours` is false for keys that are not for checking signatures. */
static enum err use_read(struct jwk *jwk, bool *is_ours)
{
	const struct slice *raw = auth_object_find(&jwk->members, SLICE("key_ops"));
	struct slice ops[KEY_OPS_MAX];
	struct slice use;
	size_t n = 0;

	*is_ours = false;
	if (auth_object_text(&jwk->members, SLICE("use"), jwk->arena, &use) != OK)
		return jwk_fail(jwk, "use is not a string");
	if (use.ptr != NULL && !slice_equal(use, SLICE("sig")))
		return OK;
	if (raw == NULL) {
		*is_ours = true;
		return OK;
	}
	if (auth_texts_read(*raw, jwk->arena, ops, KEY_OPS_MAX, &n) != OK)
		return jwk_fail(jwk, "key_ops is not a list of up to 8 strings");
	for (size_t i = 0; i < n; i++)
		*is_ours = *is_ours || slice_equal(ops[i], SLICE("verify"));
	return OK;
}

static enum err id_read(struct jwk *jwk)
{
	if (auth_object_text(&jwk->members, SLICE("kid"), jwk->arena, &jwk->id) != OK)
		return jwk_fail(jwk, "kid is not a string");
	if (jwk->id.len > AUTH_KEY_ID_BYTES_MAX)
		return jwk_fail(jwk, "kid has more than 256 bytes");
	if (jwk->id.ptr != NULL && jwk->id.len == 0)
		return jwk_fail(jwk, "kid is empty");
	return OK;
}

/* The key's own, else what its type is bound to. `first` to `last` go with the type. */
static enum err algorithm_read(struct jwk *jwk, enum auth_algorithm first,
			       enum auth_algorithm last, enum auth_algorithm *algorithm)
{
	struct slice name;

	*algorithm = first;
	if (auth_object_text(&jwk->members, SLICE("alg"), jwk->arena, &name) != OK)
		return jwk_fail(jwk, "alg is not a string");
	if (name.ptr == NULL)
		return OK;
	if (!auth_algorithm_find(name, algorithm))
		return jwk_fail(jwk, "alg is none of HS256, HS384, HS512, RS256, ES256");
	if (*algorithm < first || *algorithm > last)
		return jwk_fail(jwk, "alg does not go with kty");
	return OK;
}

/* Appends what the member holds in base64url. */
static enum err bytes_read(struct jwk *jwk, struct slice name, struct buf *bytes)
{
	struct slice text;

	if (auth_object_text(&jwk->members, name, jwk->arena, &text) != OK ||
	    text.len == 0 || crypto_base64url_decode(bytes, text) != OK)
		return jwk_fail(jwk, "a number or secret of it is missing or not strict "
				     "base64url");
	return OK;
}

static enum err oct_read(struct jwk *jwk, struct auth_key **key)
{
	enum auth_algorithm algorithm;
	struct buf secret = BUF_INIT;
	enum err rc = algorithm_read(jwk, AUTH_HS256, AUTH_HS512, &algorithm);

	if (rc == OK)
		rc = bytes_read(jwk, SLICE("k"), &secret);
	if (rc == OK)
		rc = auth_key_secret(algorithm, buf_slice(&secret), jwk->id, key,
				     &jwk->error);
	secret_fini(&secret);
	return rc;
}

static enum err rsa_read(struct jwk *jwk, struct auth_key **key)
{
	enum auth_algorithm algorithm;
	struct buf n = BUF_INIT;
	struct buf e = BUF_INIT;
	enum err rc = algorithm_read(jwk, AUTH_RS256, AUTH_RS256, &algorithm);

	if (rc == OK)
		rc = bytes_read(jwk, SLICE("n"), &n);
	if (rc == OK)
		rc = bytes_read(jwk, SLICE("e"), &e);
	if (rc == OK)
		rc = auth_key_rsa(buf_slice(&n), buf_slice(&e), jwk->id, key,
				  &jwk->error);
	buf_fini(&n);
	buf_fini(&e);
	return rc;
}

static enum err ec_read(struct jwk *jwk, struct auth_key **key)
{
	enum auth_algorithm algorithm;
	struct buf x = BUF_INIT;
	struct buf y = BUF_INIT;
	struct slice curve;
	enum err rc = algorithm_read(jwk, AUTH_ES256, AUTH_ES256, &algorithm);

	if (rc == OK &&
	    (auth_object_text(&jwk->members, SLICE("crv"), jwk->arena, &curve) != OK ||
	     !slice_equal(curve, SLICE("P-256"))))
		rc = jwk_fail(jwk, "crv must be P-256");
	if (rc == OK)
		rc = bytes_read(jwk, SLICE("x"), &x);
	if (rc == OK)
		rc = bytes_read(jwk, SLICE("y"), &y);
	if (rc == OK)
		rc = auth_key_p256(buf_slice(&x), buf_slice(&y), jwk->id, key,
				   &jwk->error);
	buf_fini(&x);
	buf_fini(&y);
	return rc;
}

static enum err type_read(struct jwk *jwk, struct auth_key **key)
{
	struct slice type;

	if (auth_object_text(&jwk->members, SLICE("kty"), jwk->arena, &type) != OK)
		return jwk_fail(jwk, "kty is not a string");
	if (slice_equal(type, SLICE("oct")))
		return oct_read(jwk, key);
	if (slice_equal(type, SLICE("RSA")))
		return rsa_read(jwk, key);
	if (slice_equal(type, SLICE("EC")))
		return ec_read(jwk, key);
	return jwk_fail(jwk, "kty is none of oct, RSA, EC");
}

/* `*key` stays NULL for one that is skipped. */
static enum err jwk_read(struct jwk *jwk, struct slice text, struct auth_key **key)
{
	bool is_ours = false;
	enum err rc;

	if (auth_object_read(&jwk->members, AUTH_OBJECT_MEMBERS_MAX, text, jwk->arena) !=
	    OK)
		return jwk_fail(jwk, "it is not a JSON object with each name once");
	rc = private_check(jwk);
	if (rc == OK)
		rc = use_read(jwk, &is_ours);
	if (rc != OK || !is_ours)
		return rc;
	rc = id_read(jwk);
	return rc == OK ? type_read(jwk, key) : rc;
}

static enum err jwk_add(struct auth_keys *keys, struct slice text, struct jwk *jwk)
{
	struct auth_key *key = NULL;
	enum err rc = jwk_read(jwk, text, &key);

	if (rc != OK)
		return rc;
	if (key == NULL) {
		keys->skipped++;
		return OK;
	}
	rc = auth_keys_add(keys, key);
	if (rc == OK)
		return OK;
	auth_key_free(key);
	return jwk_fail(jwk, rc == ERR_EXISTS ? "another key has the same kid"
					      : "more than 32 keys");
}

static enum err set_fail(const char **error, const char *text)
{
	*error = text;
	return ERR_ARGUMENT;
}

static enum err list_read(struct auth_keys *keys, struct slice raw, struct arena *arena,
			  const char **error)
{
	struct json_cursor cursor = { raw.ptr, raw.ptr + raw.len, AUTH_OBJECT_DEPTH_MAX };
	bool is_first = true;
	bool more = true;

	if (json_open(&cursor, '[') != OK)
		return set_fail(error, "keys is not a list");
	for (size_t i = 0; more; i++) {
		struct jwk jwk = { .arena = arena };
		struct slice text = SLICE_NONE;

		/* The text as a whole was found to be JSON before. */
		if (json_next_element(&cursor, &is_first, &more) != OK ||
		    (more && json_skip(&cursor, &text) != OK))
			return set_fail(error, "keys is not a list");
		if (more && jwk_add(keys, text, &jwk) != OK)
			return set_fail(
				error,
				arena_printf(arena, "key %zu: %s", i, jwk.error).ptr);
	}
	return OK;
}

enum err auth_jwks_read(struct auth_keys *keys, struct slice text, struct arena *arena,
			const char **error)
{
	struct auth_object set;
	const struct slice *list;
	const size_t before = keys->n;
	enum err rc;

	assert(arena != NULL && error != NULL);
	if (auth_object_read(&set, AUTH_OBJECT_MEMBERS_MAX, text, arena) != OK)
		return set_fail(error, "not a JSON object with each name once");
	list = auth_object_find(&set, SLICE("keys"));
	if (list == NULL)
		return set_fail(error, "it has no member \"keys\"");
	rc = list_read(keys, *list, arena, error);
	if (rc == OK && keys->n == before)
		return set_fail(error, "no key in it is for checking signatures");
	return rc;
}
