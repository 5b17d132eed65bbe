/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tokens: what is made is taken, and nothing else is.
 */
#include "gateway/token.h"

#include <criterion/criterion.h>

#include "proto/base/buf.h"

#define NOW 1700000000
#define AGE_MAX 15
#define USER "ann"

static const uint8_t RANDOM[TOKEN_RANDOM_BYTES] = { 1,	2,  3,	4,  5,	6,  7,	8,
						    9,	10, 11, 12, 13, 14, 15, 16,
						    17, 18, 19, 20, 21, 22, 23, 24,
						    25, 26, 27, 28, 29, 30, 31, 32 };
static const char ALPHABET[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct token_key keys[4]; /* of the test */
static size_t keys_n;

static struct token_key key_of(const char *secret)
{
	struct token_key *key = &keys[keys_n++];

	token_key_init(key, &SECRETS_OF(slice_from_str(secret)));
	return *key;
}

static void keys_fini(void)
{
	while (keys_n > 0)
		token_key_fini(&keys[--keys_n]);
}

TestSuite(token, .fini = keys_fini);

static struct token make(const struct token_key *key, const char *hub)
{
	struct token token = { .issued_s = NOW };

	token_make(&token, key, slice_from_str(hub), SLICE(USER), RANDOM);
	return token;
}

static enum err check_text(const struct token_key *key, const char *hub,
			   struct slice text, int64_t now_s)
{
	struct token token;

	return token_check(&token, key, slice_from_str(hub), SLICE(USER), text, now_s,
			   AGE_MAX);
}

static struct slice text_of(const struct token *token)
{
	return slice_make(token->text, TOKEN_LEN);
}

Test(token, comes_back_as_it_was_made)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");
	struct token read;

	cr_assert_eq(token_check(&read, &key, SLICE("chat"), SLICE(USER), text_of(&made),
				 NOW, AGE_MAX),
		     OK);
	cr_expect_arr_eq(read.id, made.id, CONN_ID_LEN);
	cr_expect_not(read.is_stateful);
	cr_expect_eq(read.issued_s, NOW);
}

Test(token, the_public_id_is_the_id_bytes_alone)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");
	char id[CONN_ID_LEN];

	token_id(id, RANDOM);
	cr_expect_arr_eq(made.id, id, CONN_ID_LEN);
	cr_expect_arr_eq(id, "AQIDBAUGBwgJCgsMDQ4PEA", CONN_ID_LEN);
}

Test(token, the_other_half_of_the_randomness_changes_the_text_alone)
{
	struct token_key key = key_of("secret");
	struct token first = make(&key, "chat");
	struct token second = { .issued_s = first.issued_s };
	uint8_t random[TOKEN_RANDOM_BYTES];

	memcpy(random, RANDOM, sizeof(random));
	random[31] ^= 1;
	token_make(&second, &key, SLICE("chat"), SLICE(USER), random);
	cr_expect_arr_eq(first.id, second.id, CONN_ID_LEN);
	cr_expect_arr_neq(first.text, second.text, TOKEN_LEN);
}

Test(token, every_single_character_counts)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");

	for (size_t i = 0; i < TOKEN_LEN; i++) {
		for (size_t j = 0; j < 64; j++) {
			char text[TOKEN_LEN];

			memcpy(text, made.text, TOKEN_LEN);
			if (text[i] == ALPHABET[j])
				continue;
			text[i] = ALPHABET[j];
			cr_assert_neq(check_text(&key, "chat",
						 slice_make(text, TOKEN_LEN), NOW),
				      OK, "character %zu as %c", i, ALPHABET[j]);
		}
	}
}

Test(token, another_hub_is_denied)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");

	cr_expect_eq(check_text(&key, "relay", text_of(&made), NOW), ERR_DENIED);
	cr_expect_eq(check_text(&key, "cha", text_of(&made), NOW), ERR_DENIED);
	cr_expect_eq(check_text(&key, "Chat", text_of(&made), NOW), ERR_DENIED);
}

Test(token, another_user_is_denied)
{
	static const char *const others[] = { "", "bob", "Ann", "ann ", "an", "nn" };
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");
	struct token read;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_eq(token_check(&read, &key, SLICE("chat"),
					 slice_from_str(others[i]), text_of(&made), NOW,
					 AGE_MAX),
			     ERR_DENIED, "user '%s'", others[i]);
}

Test(token, hub_and_user_are_told_apart)
{
	struct token_key key = key_of("secret");
	struct token made = { .issued_s = NOW };
	struct token read;

	token_make(&made, &key, SLICE("chat"), SLICE("room/ann"), RANDOM);
	cr_expect_eq(token_check(&read, &key, SLICE("chatroom"), SLICE("ann"),
				 text_of(&made), NOW, AGE_MAX),
		     ERR_DENIED);
	cr_expect_eq(token_check(&read, &key, SLICE("chat"), SLICE("room/ann"),
				 text_of(&made), NOW, AGE_MAX),
		     OK);
}

Test(token, says_that_it_is_stateful)
{
	struct token_key key = key_of("secret");
	struct token made = { .issued_s = NOW, .is_stateful = true };
	struct token read = { .is_stateful = false };

	token_make(&made, &key, SLICE("chat"), SLICE(USER), RANDOM);
	cr_expect_eq(token_check(&read, &key, SLICE("chat"), SLICE(USER), text_of(&made),
				 NOW, AGE_MAX),
		     OK);
	cr_expect(read.is_stateful);
}

Test(token, another_key_is_denied)
{
	struct token_key ours = key_of("secret");
	struct token_key theirs = key_of("Secret");
	struct token made = make(&theirs, "chat");

	cr_expect_eq(check_text(&ours, "chat", text_of(&made), NOW), ERR_DENIED);
}

static struct token_key keys_of(const char *first, const char *second)
{
	struct token_key *key = &keys[keys_n++];
	const struct secrets secrets = {
		.items = { slice_from_str(first), slice_from_str(second) }, .n = 2
	};

	token_key_init(key, &secrets);
	return *key;
}

Test(token, the_first_key_signs_and_each_is_taken)
{
	struct token_key ours = keys_of("new", "old");
	struct token_key theirs = keys_of("old", "new");
	struct token made = make(&ours, "chat");
	struct token their = make(&theirs, "chat");

	cr_expect_eq(check_text(&ours, "chat", text_of(&made), NOW), OK);
	cr_expect_eq(check_text(&ours, "chat", text_of(&their), NOW), OK);
	cr_expect_eq(check_text(&theirs, "chat", text_of(&made), NOW), OK);
}

Test(token, a_key_that_is_dropped_is_no_key)
{
	struct token_key before = keys_of("old", "new");
	struct token_key after = key_of("new");
	struct token made = make(&before, "chat");

	cr_expect_eq(check_text(&after, "chat", text_of(&made), NOW), ERR_DENIED);
}

Test(token, age_at_its_limit_and_one_past)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");

	cr_expect_eq(check_text(&key, "chat", text_of(&made), NOW + AGE_MAX), OK);
	cr_expect_eq(check_text(&key, "chat", text_of(&made), NOW + AGE_MAX + 1),
		     ERR_TIMEOUT);
}

Test(token, skew_at_its_limit_and_one_past)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");

	cr_expect_eq(check_text(&key, "chat", text_of(&made), NOW - TOKEN_SKEW_S), OK);
	cr_expect_eq(check_text(&key, "chat", text_of(&made), NOW - TOKEN_SKEW_S - 1),
		     ERR_TIMEOUT);
}

Test(token, an_expired_token_still_tells_its_id)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");
	struct token read;

	cr_assert_eq(token_check(&read, &key, SLICE("chat"), SLICE(USER), text_of(&made),
				 NOW + 100, AGE_MAX),
		     ERR_TIMEOUT);
	cr_expect_arr_eq(read.id, made.id, CONN_ID_LEN);
}

Test(token, other_forms_are_malformed)
{
	struct token_key key = key_of("secret");
	struct token made = make(&key, "chat");
	char longer[TOKEN_LEN + 1];

	memcpy(longer, made.text, TOKEN_LEN);
	longer[TOKEN_LEN] = 'A';
	cr_expect_eq(check_text(&key, "chat", slice_make(longer, TOKEN_LEN + 1), NOW),
		     ERR_MALFORMED);
	cr_expect_eq(check_text(&key, "chat", slice_make(longer, TOKEN_LEN - 1), NOW),
		     ERR_MALFORMED);
	cr_expect_eq(check_text(&key, "chat", SLICE(""), NOW), ERR_MALFORMED);
	cr_expect_eq(check_text(&key, "chat", slice_make(made.id, CONN_ID_LEN), NOW),
		     ERR_MALFORMED);
	longer[10] = '=';
	cr_expect_eq(check_text(&key, "chat", slice_make(longer, TOKEN_LEN), NOW),
		     ERR_MALFORMED);
	longer[10] = '\0';
	cr_expect_eq(check_text(&key, "chat", slice_make(longer, TOKEN_LEN), NOW),
		     ERR_MALFORMED);
	longer[10] = '+';
	cr_expect_eq(check_text(&key, "chat", slice_make(longer, TOKEN_LEN), NOW),
		     ERR_MALFORMED);
}
