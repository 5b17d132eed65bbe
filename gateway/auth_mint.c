/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens for dev mode, made by libjwt: what checks them is other code than what makes
 * them.
 */
#include <assert.h>
#include <jwt.h>
#include <limits.h>
#include <stdlib.h>

#include "gateway/auth.h"
#include "gateway/auth_private.h"
#include "proto/base/json_write.h"

static void name_write(struct buf *out, struct slice name)
{
	buf_append_byte(out, ',');
	json_write_string(out, name);
	buf_append_byte(out, ':');
}

/* An empty text is no claim. */
static void text_write(struct buf *out, struct slice name, struct slice text)
{
	if (text.len == 0)
		return;
	name_write(out, name);
	json_write_string(out, text);
}

static void roles_write(struct buf *out, const struct auth_rules *rules,
			const struct auth_identity *identity)
{
	if (identity->roles_n == 0 || rules->roles.n == 0)
		return;
	name_write(out, rules->roles.items[0]);
	buf_append_byte(out, '[');
	for (size_t i = 0; i < identity->roles_n; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		json_write_string(out, identity->roles[i]);
	}
	buf_append_byte(out, ']');
}

/* As the rules would have it: claims where they look for them, their issuer, their
 * audience. */
static void claims_write(struct buf *out, const struct auth_rules *rules,
			 const struct auth_identity *identity)
{
	assert(rules->users.n > 0 && rules->names.n > 0);
	buf_append_str(out, "{\"iat\":");
	buf_append_int64(out, identity->issued_s);
	buf_append_str(out, ",\"exp\":");
	buf_append_int64(out, identity->expires_s);
	text_write(out, SLICE("iss"), rules->issuer);
	text_write(out, SLICE("aud"), rules->audience);
	text_write(out, rules->users.items[0], identity->id);
	text_write(out, rules->names.items[0], identity->name);
	roles_write(out, rules, identity);
	buf_append_str(out, "}");
	buf_append_byte(out, '\0');
}

enum err auth_mint(const struct auth *auth, const struct auth_identity *identity,
		   struct buf *token)
{
	struct buf claims = BUF_INIT;
	struct slice secret;
	jwt_t *jwt = NULL;
	char *text = NULL;
	enum err rc = ERR_ARGUMENT;

	assert(auth != NULL && identity != NULL && token != NULL);
	assert(identity->roles != NULL || identity->roles_n == 0);
	if (auth->minter == NULL)
		return ERR_DENIED;
	secret = auth_key_bytes(auth->minter);
	assert(secret.len > 0 && secret.len <= INT_MAX);
	claims_write(&claims, &auth->rules, identity);
	if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims.ptr) == 0 &&
	    jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret.ptr,
			(int)secret.len) == 0 &&
	    (auth->minter != auth->dev ||
	     jwt_add_header(jwt, "kid", AUTH_DEV_KEY_ID) == 0))
		text = jwt_encode_str(jwt);
	if (text != NULL) {
		buf_append_str(token, text);
		rc = OK;
	}
	free(text); /* libjwt's, from malloc */
	jwt_free(jwt);
	buf_fini(&claims);
	return rc;
}
