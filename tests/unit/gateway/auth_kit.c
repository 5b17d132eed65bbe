/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens signed by hand, so that anything at all can be signed.
 */
#include "tests/unit/gateway/auth_kit.h"

#include <criterion/criterion.h>

#include "gateway/auth_private.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"

void auth_sign(struct buf *token, size_t start, struct slice key)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];

	crypto_hmac_sha256(key, slice_from(buf_slice(token), start), mac);
	buf_append_byte(token, '.');
	crypto_base64url_encode(token, slice_make((const char *)mac, sizeof(mac)));
}

struct buf auth_token_of(struct slice header, struct slice claims, struct slice key)
{
	struct buf token = BUF_INIT;

	crypto_base64url_encode(&token, header);
	buf_append_byte(&token, '.');
	crypto_base64url_encode(&token, claims);
	auth_sign(&token, 0, key);
	return token;
}

struct auth *auth_of_secret(struct slice secret)
{
	char none[] = "";
	char roles[] = "role,roles," ROLE_URI;
	const struct auth_conf conf = { .issuer = none,
					.audience = none,
					.leeway_ms = AUTH_LEEWAY_MS_MAX,
					.user_claim = none,
					.name_claim = none,
					.role_claims = roles };
	struct auth *auth = MEM_NEW(struct auth);
	struct auth_key *key;
	const char *error;

	auth_rules_init(&auth->rules, &conf);
	if (secret.len == 0)
		return auth;
	cr_assert_eq(auth_key_secret(AUTH_HS256, secret, SLICE_NONE, &key, &error), OK);
	cr_assert_eq(auth_keys_add(&auth->keys, key), OK);
	auth->minter = key;
	return auth;
}

enum auth_rc auth_check_with(const char *key, struct slice token, int64_t now_s)
{
	struct auth *auth = auth_of_secret(slice_from_str(key));
	struct user *user = NULL;
	enum auth_rc rc = auth_check(auth, token, now_s, &user);

	cr_expect_eq(user == NULL, rc != AUTH_OK);
	user_free(user);
	auth_free(auth);
	return rc;
}

enum auth_rc auth_check_one(struct slice token)
{
	return auth_check_with(KEY, token, NOW);
}

enum auth_rc auth_check_texts(struct slice header, struct slice claims)
{
	struct buf token = auth_token_of(header, claims, SLICE(KEY));
	enum auth_rc rc = auth_check_one(buf_slice(&token));

	buf_fini(&token);
	return rc;
}

struct buf auth_good_token(void)
{
	return auth_token_of(SLICE(HEADER), SLICE(CLAIMS), SLICE(KEY));
}
