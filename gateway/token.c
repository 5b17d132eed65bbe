/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and checks connection tokens. The MAC is compared before anything in the token is
 * believed, in constant time.
 */
#include "gateway/token.h"

#include <assert.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/crypto.h"

#define FLAG_STATEFUL 1u
#define ISSUED_AT 1u
#define ID_AT 5u
#define ID_BYTES 16u
#define MAC_AT (ID_AT + TOKEN_RANDOM_BYTES)
#define MAC_BYTES 16u
#define RAW_BYTES (MAC_AT + MAC_BYTES)

static void put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 |
	       in[3];
}

static struct slice bytes_slice(const uint8_t *bytes, size_t len)
{
	return slice_make((const char *)bytes, len);
}

static void encode(char *out, size_t out_len, struct slice bytes)
{
	struct buf text = BUF_INIT;

	crypto_base64url_encode(&text, bytes);
	assert(text.len == out_len);
	memcpy(out, text.ptr, out_len);
	buf_fini(&text);
}

/* No hub's name holds the separator, and what follows the user's id has one length. */
static void mac_of(struct crypto_hmac *hmac, struct slice hub, struct slice user_id,
		   const uint8_t *raw, uint8_t mac[CRYPTO_SHA256_BYTES])
{
	const struct slice parts[] = { hub, SLICE("/"), user_id,
				       bytes_slice(raw, MAC_AT) };

	assert(slice_find(hub, '/') < 0);
	crypto_hmac_of(hmac, parts, sizeof(parts) / sizeof(parts[0]), mac);
}

void token_key_init(struct token_key *key, const struct secrets *secrets)
{
	uint8_t bytes[CRYPTO_SHA256_BYTES];

	assert(key && secrets->n > 0);
	for (key->n = 0; key->n < secrets->n; key->n++) {
		assert(secrets->items[key->n].len > 0);
		crypto_hmac_sha256(secrets->items[key->n],
				   SLICE("heliograph connection token"), bytes);
		key->hmacs[key->n] = crypto_hmac_new(bytes_slice(bytes, sizeof(bytes)));
	}
	explicit_bzero(bytes, sizeof(bytes));
}

void token_key_fini(struct token_key *key)
{
	for (size_t i = 0; i < key->n; i++)
		crypto_hmac_free(key->hmacs[i]);
	*key = (struct token_key){ .n = 0 };
}

void token_id(char id[CONN_ID_LEN], const uint8_t random[16])
{
	encode(id, CONN_ID_LEN, bytes_slice(random, ID_BYTES));
}

void token_make(struct token *token, const struct token_key *key, struct slice hub,
		struct slice user_id, const uint8_t random[TOKEN_RANDOM_BYTES])
{
	uint8_t raw[RAW_BYTES];
	uint8_t mac[CRYPTO_SHA256_BYTES];

	assert(token && key);
	raw[0] = token->is_stateful ? FLAG_STATEFUL : 0;
	put_u32(raw + ISSUED_AT, token->issued_s);
	memcpy(raw + ID_AT, random, TOKEN_RANDOM_BYTES);
	mac_of(key->hmacs[0], hub, user_id, raw, mac);
	memcpy(raw + MAC_AT, mac, MAC_BYTES);
	encode(token->text, TOKEN_LEN, bytes_slice(raw, sizeof(raw)));
	token_id(token->id, raw + ID_AT);
}

static enum err raw_check(struct token *token, const struct token_key *key,
			  struct slice hub, struct slice user_id, const uint8_t *raw)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	bool is_good = false;

	for (size_t i = 0; !is_good && i < key->n; i++) {
		mac_of(key->hmacs[i], hub, user_id, raw, mac);
		is_good = crypto_equal(bytes_slice(mac, MAC_BYTES),
				       bytes_slice(raw + MAC_AT, MAC_BYTES));
	}
	if (!is_good)
		return ERR_DENIED;
	token->is_stateful = (raw[0] & FLAG_STATEFUL) != 0;
	token->issued_s = get_u32(raw + ISSUED_AT);
	token_id(token->id, raw + ID_AT);
	return OK;
}

/* NOLINTNEXTLINE(readability-function-size): a token is for a hub, a user and a time */
enum err token_check(struct token *token, const struct token_key *key, struct slice hub,
		     struct slice user_id, struct slice text, int64_t now_s,
		     int64_t age_max_s)
{
	struct buf raw = BUF_INIT;
	enum err rc = ERR_MALFORMED;
	int64_t age;

	assert(token && key);
	if (text.len != TOKEN_LEN || crypto_base64url_decode(&raw, text))
		goto out;
	assert(raw.len == RAW_BYTES);
	memcpy(token->text, text.ptr, TOKEN_LEN);
	rc = raw_check(token, key, hub, user_id, (const uint8_t *)raw.ptr);
	if (rc)
		goto out;
	age = now_s - token->issued_s;
	if (age > age_max_s || age < -TOKEN_SKEW_S)
		rc = ERR_TIMEOUT;
out:
	buf_fini(&raw);
	return rc;
}
