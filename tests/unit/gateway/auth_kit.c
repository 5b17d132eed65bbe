/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens signed by hand, so that anything at all can be signed.
 */
#include "tests/unit/gateway/auth_kit.h"

#include <criterion/criterion.h>

#include "proto/base/crypto.h"

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

enum err auth_check_with(const char *key, struct slice token, int64_t now_s)
{
	struct auth *auth = auth_new(slice_from_str(key));
	struct user *user = NULL;
	enum err rc = auth_check(auth, token, now_s, &user);

	cr_expect_eq(user == NULL, rc != OK);
	user_free(user);
	auth_free(auth);
	return rc;
}

enum err auth_check_one(struct slice token)
{
	return auth_check_with(KEY, token, NOW);
}

enum err auth_check_texts(struct slice header, struct slice claims)
{
	struct buf token = auth_token_of(header, claims, SLICE(KEY));
	enum err rc = auth_check_one(buf_slice(&token));

	buf_fini(&token);
	return rc;
}

struct buf auth_good_token(void)
{
	return auth_token_of(SLICE(HEADER), SLICE(CLAIMS), SLICE(KEY));
}
