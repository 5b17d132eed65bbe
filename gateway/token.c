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

#define ID_AT 8u
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

/* What follows the hub's name has one length, so the two need no separator. */
static void mac_of(const struct token_key *key, struct slice hub, const uint8_t *raw,
		   uint8_t mac[CRYPTO_SHA256_BYTES])
{
	struct buf signed_bytes = BUF_INIT;

	buf_append_slice(&signed_bytes, hub);
	buf_append(&signed_bytes, raw, MAC_AT);
	crypto_hmac_sha256(bytes_slice(key->bytes, sizeof(key->bytes)),
			   buf_slice(&signed_bytes), mac);
	buf_fini(&signed_bytes);
}

void token_key_init(struct token_key *key, struct slice secret)
{
	assert(key && secret.len > 0);
	crypto_hmac_sha256(secret, SLICE("heliograph connection token"), key->bytes);
}

uint32_t token_gateway(struct slice name)
{
	uint8_t digest[CRYPTO_SHA1_BYTES];

	crypto_sha1(name, digest);
	return get_u32(digest);
}

void token_id(char id[CONN_ID_LEN], const uint8_t random[16])
{
	encode(id, CONN_ID_LEN, bytes_slice(random, ID_BYTES));
}

void token_make(struct token *token, const struct token_key *key, struct slice hub,
		const uint8_t random[TOKEN_RANDOM_BYTES])
{
	uint8_t raw[RAW_BYTES];
	uint8_t mac[CRYPTO_SHA256_BYTES];

	assert(token && key);
	put_u32(raw, token->gateway);
	put_u32(raw + 4, token->issued_s);
	memcpy(raw + ID_AT, random, TOKEN_RANDOM_BYTES);
	mac_of(key, hub, raw, mac);
	memcpy(raw + MAC_AT, mac, MAC_BYTES);
	encode(token->text, TOKEN_LEN, bytes_slice(raw, sizeof(raw)));
	token_id(token->id, raw + ID_AT);
}

static enum err raw_check(struct token *token, const struct token_key *key,
			  struct slice hub, const uint8_t *raw)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];

	mac_of(key, hub, raw, mac);
	if (!crypto_equal(bytes_slice(mac, MAC_BYTES),
			  bytes_slice(raw + MAC_AT, MAC_BYTES)))
		return ERR_DENIED;
	token->gateway = get_u32(raw);
	token->issued_s = get_u32(raw + 4);
	token_id(token->id, raw + ID_AT);
	return OK;
}

enum err token_check(struct token *token, const struct token_key *key, struct slice hub,
		     struct slice text, int64_t now_s, int64_t age_max_s)
{
	struct buf raw = BUF_INIT;
	enum err rc = ERR_MALFORMED;
	int64_t age;

	assert(token && key);
	if (text.len != TOKEN_LEN || crypto_base64url_decode(&raw, text))
		goto out;
	assert(raw.len == RAW_BYTES);
	memcpy(token->text, text.ptr, TOKEN_LEN);
	rc = raw_check(token, key, hub, (const uint8_t *)raw.ptr);
	if (rc)
		goto out;
	age = now_s - token->issued_s;
	if (age > age_max_s || age < -TOKEN_SKEW_S)
		rc = ERR_TIMEOUT;
out:
	buf_fini(&raw);
	return rc;
}
