/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWTs. A stranger's bytes may at most be a token that somebody with a private key made,
 * and no bit of it may change. What somebody with our secret signs may still be anything:
 * so the input is also taken as header, newline and payload, encoded and signed as it
 * should be, and what is accepted then must be what jansson reads. Input: one byte
 * chooses the rules, the rest is the token.
 */
#include <string.h>

#include "gateway/auth.h"
#include "gateway/auth_private.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_oracle.h"

#define SECRET SLICE("0123456789abcdef0123456789abcdef")
#define NOW_S 1700000000
#define LEEWAY_S 60
#define ISSUER "https://issuer/"
#define AUDIENCE "heliograph"

/* Made for this: the private parts are gone, tokens signed with them in the corpus. */
static const char key_set[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rs-1\",\"alg\":\"RS256\",\"e\":\"AQAB\","
	"\"n\":\"vkohH7PWjzJCP3UNG2xvhYpmtVPOisddPlZwlyL-3xGenyO3qsUdlkXTaB0dUW-gTBVEwk_"
	"1i5MmAdQT1Q3iVfRjiyo6janyCoVsGJWOxQKzhXLZDyUnbhx0THKO6PUMYpD_HdAc6Tj7CHbuX2uc"
	"KV8xCgfSu9Iihu68U9578JKBdz9Xpwg7Xvrc87QB7J4mmtwFc2bOaf3OYNaOmJCdY5UYkiPj7ccQkc"
	"w1JvqoynPTiD6PaPLSSyaSXtHMGONyR6nvmiAEzV9e27hB7FkxiwoPU5qHDpm9KDjHrrMHePbVPHBj"
	"cYSnMsUhMlosymfLCdvZg8vwaclCsOYALe0jYw\"},{\"kty\":\"EC\",\"crv\":\"P-256\","
	"\"x\":\"RXpK8xfmy1Q4O-n09yF4Fqx668ysqzzS-OzmOg0LJp4\","
	"\"y\":\"okLUkFZGNSIif48sTr8tD4MyQrvwWm1mEnK6cO4e5ek\"}]}";

static struct auth *auths[2]; /* the second is strict about issuer and audience */

static struct auth *auth_with(char *issuer, char *audience)
{
	char none[] = "";
	char roles[] = "role,roles";
	const struct auth_conf conf = {
		.issuer = issuer,
		.audience = audience,
		.leeway_ms = LEEWAY_S * 1000,
		.user_claim = none,
		.name_claim = none,
		.role_claims = roles,
	};
	struct auth *auth = MEM_NEW(struct auth);
	struct arena arena = ARENA_INIT;
	struct auth_key *key;
	const char *error;
	enum err rc = auth_key_secret(AUTH_HS256, SECRET, SLICE_NONE, &key, &error);

	assert(rc == OK);
	rc = auth_keys_add(&auth->keys, key);
	assert(rc == OK);
	rc = auth_jwks_read(&auth->keys, slice_from_str(key_set), &arena, &error);
	assert(rc == OK);
	auth_rules_init(&auth->rules, &conf);
	arena_fini(&arena);
	return auth;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char none[] = "";
	char issuer[] = ISSUER;
	char audience[] = AUDIENCE;

	(void)argc;
	(void)argv;
	auths[0] = auth_with(none, none);
	auths[1] = auth_with(issuer, audience);
	return 0;
}

static bool check(const struct auth *auth, struct slice token, struct user **user)
{
	enum auth_rc rc;

	*user = NULL;
	rc = auth_check(auth, token, NOW_S, user);
	assert((rc == AUTH_OK) == (*user != NULL));
	assert(rc < AUTH_RC_COUNT && auth_rc_name(rc)[0] != '\0');
	return rc == AUTH_OK;
}

/* With a bit of the text changed it is no token. */
static void check_spoilt(const struct auth *auth, struct slice token, size_t at)
{
	struct buf text = BUF_INIT;
	struct user *user;

	buf_append_slice(&text, token);
	text.ptr[at % text.len] ^= 1;
	assert(!check(auth, buf_slice(&text), &user));
	buf_fini(&text);
}

static void check_stranger(const struct auth *auth, struct slice token)
{
	struct user *user;

	if (check(auth, token, &user))
		check_spoilt(auth, token, (size_t)token.ptr[token.len / 2]);
	user_free(user);
}

static void sign(struct buf *token, struct slice header, struct slice payload)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];

	crypto_base64url_encode(token, header);
	buf_append_byte(token, '.');
	crypto_base64url_encode(token, payload);
	crypto_hmac_sha256(SECRET, buf_slice(token), mac);
	buf_append_byte(token, '.');
	crypto_base64url_encode(token, slice_make((const char *)mac, sizeof(mac)));
}

static void check_header(struct slice header)
{
	json_t *root;

	assert(json_oracle(header, &root) == JSON_GOOD);
	assert(slice_equal(json_oracle_text(root, "alg"), SLICE("HS256")));
	assert(json_object_get(root, "crit") == NULL);
	json_decref(root);
}

static bool is_audience(const json_t *aud)
{
	bool is_there = false;
	size_t i;
	json_t *item;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), AUDIENCE) == 0;
	json_array_foreach(aud, i, item)
	{
		is_there |= json_is_string(item) &&
			    strcmp(json_string_value(item), AUDIENCE) == 0;
	}
	return is_there;
}

static void check_user(struct slice payload, const struct user *user, bool is_strict)
{
	json_t *root;
	json_t *expires;
	const enum json_verdict verdict = json_oracle(payload, &root);

	assert(verdict != JSON_BAD);
	assert(user->roles_n <= USER_ROLES_MAX);
	if (verdict != JSON_GOOD)
		return;
	expires = json_object_get(root, "exp");
	assert(json_is_integer(expires));
	assert(json_integer_value(expires) > NOW_S - LEEWAY_S);
	assert(json_integer_value(expires) == user->expires_unix_s);
	if (json_oracle_text(root, "sub").len > 0)
		assert(slice_equal(user_id(user), json_oracle_text(root, "sub")));
	if (is_strict) {
		assert(slice_equal(json_oracle_text(root, "iss"), SLICE(ISSUER)));
		assert(is_audience(json_object_get(root, "aud")));
	}
	json_decref(root);
}

static void check_signed(const struct auth *auth, struct slice input, bool is_strict)
{
	struct slice payload = input;
	const struct slice header = slice_cut(&payload, '\n');
	struct buf token = BUF_INIT;
	struct user *user;

	sign(&token, header, payload);
	if (check(auth, buf_slice(&token), &user)) {
		check_header(header);
		check_user(payload, user, is_strict);
		check_spoilt(auth, buf_slice(&token), input.len * 31);
	}
	user_free(user);
	buf_fini(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const bool is_strict = fuzz_byte(&input) & 1u;

	check_stranger(auths[is_strict], input);
	check_signed(auths[is_strict], input, is_strict);
	return 0;
}
