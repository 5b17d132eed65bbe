/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: limits, ways to break the outside of a good one, keys, and what claims mean.
 * The headers and claims that are refused have tables of their own.
 */
#include "gateway/auth.h"

#include <criterion/criterion.h>
#include <string.h>

#include "proto/base/crypto.h"
#include "tests/unit/gateway/auth_kit.h"

#define ID_URI "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

static struct user *user_of(const char *claims)
{
	struct buf token =
		auth_token_of(SLICE(HEADER), slice_from_str(claims), SLICE(KEY));
	struct auth *auth = auth_of_secret(SLICE(KEY));
	struct user *user = NULL;

	cr_assert_eq(auth_check(auth, buf_slice(&token), NOW, &user), AUTH_OK, "%s",
		     claims);
	auth_free(auth);
	buf_fini(&token);
	return user;
}

/* ---- limits */

/* As many claims as `n`, exp included. */
static enum auth_rc check_claims_n(int n)
{
	struct buf claims = BUF_INIT;
	enum auth_rc rc;

	buf_append_str(&claims, "{" EXP);
	for (int i = 1; i < n; i++)
		buf_appendf(&claims, ",\"c%d\":%d", i, i);
	buf_append_str(&claims, "}");
	rc = auth_check_texts(SLICE(HEADER), buf_slice(&claims));
	buf_fini(&claims);
	return rc;
}

Test(auth, claims_at_their_limit_and_one_past)
{
	cr_expect_eq(check_claims_n(AUTH_CLAIMS_MAX), AUTH_OK);
	cr_expect_eq(check_claims_n(AUTH_CLAIMS_MAX + 1), AUTH_LIMIT);
}

static enum auth_rc check_roles_n(int n)
{
	struct buf claims = BUF_INIT;
	enum auth_rc rc;

	buf_append_str(&claims, "{" EXP ",\"role\":\"first\",\"roles\":[");
	for (int i = 1; i < n; i++)
		buf_appendf(&claims, "%s\"r%d\"", i > 1 ? "," : "", i);
	buf_append_str(&claims, "]}");
	rc = auth_check_texts(SLICE(HEADER), buf_slice(&claims));
	buf_fini(&claims);
	return rc;
}

Test(auth, roles_at_their_limit_and_one_past)
{
	cr_expect_eq(check_roles_n(USER_ROLES_MAX), AUTH_OK);
	cr_expect_eq(check_roles_n(USER_ROLES_MAX + 1), AUTH_LIMIT);
}

/* A token made longer by a claim of `pad` bytes; its length in *len. */
static enum auth_rc check_padded(size_t pad, size_t *len)
{
	struct buf claims = BUF_INIT;
	struct buf token;
	enum auth_rc rc;

	buf_append_str(&claims, "{" EXP ",\"pad\":\"");
	for (size_t i = 0; i < pad; i++)
		buf_append_byte(&claims, 'p');
	buf_append_str(&claims, "\"}");
	token = auth_token_of(SLICE(HEADER), buf_slice(&claims), SLICE(KEY));
	*len = token.len;
	rc = auth_check_one(buf_slice(&token));
	buf_fini(&token);
	buf_fini(&claims);
	return rc;
}

Test(auth, size_at_its_limit_and_past)
{
	size_t len = 0;
	size_t pad = 6000;

	while (len < AUTH_TOKEN_BYTES_MAX - 1)
		cr_assert_eq(check_padded(pad++, &len), AUTH_OK, "%zu bytes", len);
	while (len <= AUTH_TOKEN_BYTES_MAX)
		(void)check_padded(pad++, &len);
	cr_expect_eq(check_padded(pad, &len), AUTH_TOO_LONG);
	cr_expect_eq(check_padded(1 << 20, &len), AUTH_TOO_LONG);
}

Test(auth, a_thousand_levels_are_refused_before_they_are_read)
{
	struct buf claims = BUF_INIT;

	buf_append_str(&claims, "{" EXP ",\"x\":");
	for (int i = 0; i < 1000; i++)
		buf_append_byte(&claims, '[');
	for (int i = 0; i < 1000; i++)
		buf_append_byte(&claims, ']');
	buf_append_str(&claims, "}");
	cr_expect_eq(auth_check_texts(SLICE(HEADER), buf_slice(&claims)), AUTH_LIMIT);
	buf_fini(&claims);
}

/* ---- the outside */

Test(auth, every_flipped_bit_is_refused)
{
	struct buf token = auth_good_token();

	for (size_t i = 0; i < token.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			token.ptr[i] = (char)(token.ptr[i] ^ (1 << bit));
			cr_assert_neq(auth_check_one(buf_slice(&token)), AUTH_OK,
				      "byte %zu bit %d", i, bit);
			token.ptr[i] = (char)(token.ptr[i] ^ (1 << bit));
		}
	}
	cr_expect_eq(auth_check_one(buf_slice(&token)), AUTH_OK);
	buf_fini(&token);
}

Test(auth, every_truncation_is_refused)
{
	struct buf token = auth_good_token();

	for (size_t len = 0; len < token.len; len++)
		cr_assert_neq(auth_check_one(slice_make(token.ptr, len)), AUTH_OK,
			      "%zu bytes", len);
	buf_fini(&token);
}

static enum auth_rc check_with_tail(const char *tail)
{
	struct buf token = auth_good_token();
	enum auth_rc rc;

	buf_append_str(&token, tail);
	rc = auth_check_one(buf_slice(&token));
	buf_fini(&token);
	return rc;
}

Test(auth, longer_signatures_are_refused)
{
	cr_expect_eq(check_with_tail("A"), AUTH_SIGNATURE);
	cr_expect_eq(check_with_tail("AA"), AUTH_MALFORMED);
	cr_expect_eq(check_with_tail("="), AUTH_MALFORMED);
	cr_expect_eq(check_with_tail(" "), AUTH_MALFORMED);
	cr_expect_eq(check_with_tail("\n"), AUTH_MALFORMED);
	cr_expect_eq(check_with_tail("."), AUTH_MALFORMED);
	cr_expect_eq(check_with_tail(".AAAA"), AUTH_MALFORMED);
}

Test(auth, other_numbers_of_parts_are_refused)
{
	cr_expect_eq(auth_check_one(SLICE("")), AUTH_MALFORMED);
	cr_expect_eq(auth_check_one(SLICE(".")), AUTH_MALFORMED);
	cr_expect_eq(auth_check_one(SLICE("..")), AUTH_MALFORMED);
	cr_expect_eq(auth_check_one(SLICE("...")), AUTH_MALFORMED);
	cr_expect_eq(auth_check_one(SLICE("a.b")), AUTH_MALFORMED);
	cr_expect_eq(auth_check_one(SLICE("abc")), AUTH_MALFORMED);
}

Test(auth, an_empty_signature_is_refused)
{
	struct buf token = auth_good_token();

	cr_expect_eq(auth_check_one(slice_make(token.ptr, token.len - 43)),
		     AUTH_MALFORMED);
	buf_fini(&token);
}

/* The good token with `old` in its text replaced, signed as it then stands. */
static enum auth_rc check_resigned(char old, char new)
{
	struct buf token = auth_good_token();
	char *at;
	enum auth_rc rc;

	token.len -= 44;
	at = memchr(token.ptr, old, token.len);
	cr_assert_not_null(at);
	*at = new;
	auth_sign(&token, 0, SLICE(KEY));
	rc = auth_check_one(buf_slice(&token));
	buf_fini(&token);
	return rc;
}

Test(auth, foreign_bytes_are_refused_though_signed)
{
	cr_expect_eq(check_resigned('J', '\0'), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', '='), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', '+'), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', '/'), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', ' '), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', '\n'), AUTH_MALFORMED);
	cr_expect_eq(check_resigned('J', '\xff'), AUTH_MALFORMED);
}

Test(auth, padded_base64_is_refused_though_signed)
{
	struct buf token = BUF_INIT;

	crypto_base64_encode(&token, SLICE("{\"alg\":\"HS256\"}x"));
	buf_append_byte(&token, '.');
	crypto_base64url_encode(&token, SLICE(CLAIMS));
	auth_sign(&token, 0, SLICE(KEY));
	cr_expect_eq(auth_check_one(buf_slice(&token)), AUTH_MALFORMED);
	buf_fini(&token);
}

Test(auth, trailing_bits_must_be_zero)
{
	struct buf token = auth_good_token();
	char last = token.ptr[token.len - 1];

	/* 43 characters carry two bits too many: four texts are the same signature. */
	for (char c = (char)(last + 1); c <= last + 3; c++) {
		token.ptr[token.len - 1] = c;
		cr_expect_neq(auth_check_one(buf_slice(&token)), AUTH_OK, "%c for %c", c,
			      last);
	}
	buf_fini(&token);
}

Test(auth, swapped_header_is_refused)
{
	struct buf good = auth_good_token();
	struct buf token = BUF_INIT;
	struct slice rest = buf_slice(&good);

	(void)slice_cut(&rest, '.');
	crypto_base64url_encode(&token, SLICE("{\"alg\":\"HS256\"}"));
	buf_append_byte(&token, '.');
	buf_append_slice(&token, rest);
	cr_expect_eq(auth_check_one(buf_slice(&token)), AUTH_SIGNATURE);
	buf_fini(&token);
	buf_fini(&good);
}

Test(auth, swapped_claims_are_refused)
{
	struct buf good = auth_good_token();
	struct buf token = BUF_INIT;
	struct slice rest = buf_slice(&good);
	struct slice header = slice_cut(&rest, '.');

	(void)slice_cut(&rest, '.');
	buf_append_slice(&token, header);
	buf_append_byte(&token, '.');
	crypto_base64url_encode(&token, SLICE("{\"sub\":\"u2\"," EXP "}"));
	buf_append_byte(&token, '.');
	buf_append_slice(&token, rest);
	cr_expect_eq(auth_check_one(buf_slice(&token)), AUTH_SIGNATURE);
	buf_fini(&token);
	buf_fini(&good);
}

/* ---- keys */

Test(auth, other_keys_are_denied)
{
	static const char *const keys[] = { "", "x", (KEY "x"), (" " KEY),
					    "0123456789abcdef0123456789abcdeF" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct buf token = auth_token_of(SLICE(HEADER), SLICE(CLAIMS),
						 slice_from_str(keys[i]));

		cr_expect_eq(auth_check_one(buf_slice(&token)), AUTH_SIGNATURE, "\"%s\"",
			     keys[i]);
		buf_fini(&token);
	}
}

Test(auth, without_a_key_nothing_is_taken)
{
	struct buf good = auth_good_token();
	struct buf empty = auth_token_of(SLICE(HEADER), SLICE(CLAIMS), SLICE(""));

	cr_expect_eq(auth_check_with("", buf_slice(&good), NOW), AUTH_NO_KEY);
	cr_expect_eq(auth_check_with("", buf_slice(&empty), NOW), AUTH_NO_KEY);
	buf_fini(&good);
	buf_fini(&empty);
}

/* ---- what the claims mean */

static void expect_text(struct slice text, const char *expected)
{
	cr_expect_eq(text.len, strlen(expected), "%.*s for %s", SLICE_FMT(text),
		     expected);
	cr_expect(slice_equal(text, slice_from_str(expected)));
}

static void expect_id(const char *claims, const char *id)
{
	struct user *user = user_of(claims);

	expect_text(user_id(user), id);
	user_free(user);
}

Test(auth, id_is_sub_then_nameid_then_the_uri)
{
	expect_id("{" EXP ",\"nameid\":\"n\",\"" ID_URI "\":\"i\",\"sub\":\"s\"}", "s");
	expect_id("{" EXP ",\"" ID_URI "\":\"i\",\"nameid\":\"n\"}", "n");
	expect_id("{" EXP ",\"" ID_URI "\":\"i\"}", "i");
	expect_id("{" EXP ",\"sub\":\"\",\"nameid\":\"n\"}", "n");
	expect_id("{" EXP "}", "");
	expect_id("{" EXP ",\"sub\":\"\\u00e9\\\"\"}", "\xc3\xa9\"");
}

Test(auth, name_and_claims_are_carried)
{
	const char *claims = "{" EXP ",\"name\":\"Ada\",\"tenant\":{\"id\":7}}";
	struct user *user = user_of(claims);

	expect_text(user_name(user), "Ada");
	expect_text(user_claims(user), claims);
	user_free(user);
}

Test(auth, roles_come_from_three_claims_as_text_or_list)
{
	struct user *user =
		user_of("{" EXP ",\"role\":\"a\",\"roles\":[\"b\",\"c\"],\"" ROLE_URI
			"\":\"d\"}");

	cr_assert_eq(user->roles_n, 4);
	expect_text(user_role(user, 0), "a");
	expect_text(user_role(user, 1), "b");
	expect_text(user_role(user, 2), "c");
	expect_text(user_role(user, 3), "d");
	user_free(user);
}

Test(auth, an_empty_list_of_roles_is_none)
{
	struct user *user = user_of("{" EXP ",\"roles\":[]}");

	cr_expect_eq(user->roles_n, 0);
	user_free(user);
}

/* ---- making */

Test(auth, what_is_minted_is_taken)
{
	struct slice roles[] = { SLICE("admin"), SLICE("quo\"ted") };
	const struct auth_identity identity = { .id = SLICE("u\xc3\xa9"),
						.name = SLICE("Ada"),
						.roles = roles,
						.roles_n = 2,
						.issued_s = NOW,
						.expires_s = NOW + 3600 };
	struct auth *auth = auth_of_secret(SLICE(KEY));
	struct buf token = BUF_INIT;
	struct user *user;

	cr_assert_eq(auth_mint(auth, &identity, &token), OK);
	cr_assert_eq(auth_check(auth, buf_slice(&token), NOW, &user), AUTH_OK);
	expect_text(user_id(user), "u\xc3\xa9");
	expect_text(user_name(user), "Ada");
	cr_assert_eq(user->roles_n, 2);
	expect_text(user_role(user, 1), "quo\"ted");
	user_free(user);
	cr_expect_eq(auth_check(auth, buf_slice(&token), NOW + 3660, &user),
		     AUTH_EXPIRED);
	buf_fini(&token);
	auth_free(auth);
}

Test(auth, without_a_key_nothing_is_minted)
{
	const struct auth_identity identity = { .id = SLICE("u1"), .expires_s = NOW };
	struct auth *auth = auth_of_secret(SLICE(""));
	struct buf token = BUF_INIT;

	cr_expect_eq(auth_mint(auth, &identity, &token), ERR_DENIED);
	cr_expect_eq(token.len, 0);
	auth_free(auth);
}

Test(auth, what_json_cannot_hold_is_not_minted)
{
	const struct auth_identity identity = { .id = SLICE("a\0b"), .expires_s = NOW };
	struct auth *auth = auth_of_secret(SLICE(KEY));
	struct buf token = BUF_INIT;

	cr_expect_eq(auth_mint(auth, &identity, &token), ERR_ARGUMENT);
	buf_fini(&token);
	auth_free(auth);
}

Test(auth, free_takes_null)
{
	auth_free(NULL);
}
