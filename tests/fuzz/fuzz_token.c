/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tokens. Bytes of a stranger are never taken for a token of ours; a token we
 * made is taken as it is, and with any bit of it changed, for another hub or user, or
 * after its time it is not. Input: a text, or what a token is made of, how it is spoilt,
 * and "hub/user".
 */
#include <string.h>

#include "gateway/token.h"
#include "tests/fuzz/fuzz.h"

#define AGE_MAX_S 15
#define NOW_S 1700000000

static struct token_key key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	token_key_init(&key, &SECRETS_OF(SLICE("the secret of this target")));
	return 0;
}

static void check_stranger(struct slice text)
{
	struct token token;
	const enum err rc = token_check(&token, &key, SLICE("hub"), SLICE_NONE, text,
					NOW_S, AGE_MAX_S);

	assert(rc == ERR_DENIED || rc == ERR_MALFORMED);
	if (text.len != TOKEN_LEN)
		assert(rc == ERR_MALFORMED);
}

static enum err check(const struct token *made, struct slice hub, struct slice user,
		      int64_t age, struct token *seen)
{
	return token_check(seen, &key, hub, user, slice_make(made->text, TOKEN_LEN),
			   made->issued_s + age, AGE_MAX_S);
}

static void check_others(const struct token *made, struct slice hub, struct slice user)
{
	struct token seen;

	if (hub.len > 0)
		assert(check(made, slice_from(hub, 1), user, 0, &seen) == ERR_DENIED);
	if (user.len > 0) {
		assert(check(made, hub, slice_from(user, 1), 0, &seen) == ERR_DENIED);
		assert(check(made, hub, SLICE_NONE, 0, &seen) == ERR_DENIED);
	}
}

static void check_ours(struct slice input)
{
	struct token made = { .issued_s = (uint32_t)fuzz_number(&input, 4) };
	uint8_t random[TOKEN_RANDOM_BYTES] = { 0 };
	const struct slice bytes = fuzz_take(&input, sizeof(random));
	const size_t at = fuzz_byte(&input) % TOKEN_LEN;
	const char change = (char)fuzz_byte(&input);
	const int64_t age = (int16_t)fuzz_number(&input, 2);
	struct slice user = input;
	const struct slice hub = slice_cut(&user, '/');
	struct token seen;
	enum err rc;

	made.is_stateful = change & 1;
	if (bytes.len > 0)
		memcpy(random, bytes.ptr, bytes.len);
	token_make(&made, &key, hub, user, random);
	rc = check(&made, hub, user, age, &seen);
	assert(rc == (age > AGE_MAX_S || age < -TOKEN_SKEW_S ? ERR_TIMEOUT : OK));
	assert(seen.is_stateful == made.is_stateful && seen.issued_s == made.issued_s);
	assert(memcmp(seen.id, made.id, CONN_ID_LEN) == 0);
	check_others(&made, hub, user);
	if (change == 0)
		return;
	made.text[at] ^= change;
	rc = check(&made, hub, user, 0, &seen);
	assert(rc == ERR_DENIED || rc == ERR_MALFORMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice input = fuzz_slice(data, size);

	check_stranger(input);
	check_ours(input);
	return 0;
}
