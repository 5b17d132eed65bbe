/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests come from libcrypto, randomness straight from the kernel: a generator of our
 * own in user space would have to survive fork(). The base64 forms are written here,
 * because libcrypto's decoder skips what a strict reader of tokens must refuse.
 */
#include "proto/base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proto/base/mem.h"

static const char base64_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void crypto_random(void *ptr, size_t len)
{
	char *at = ptr;

	assert(ptr != NULL || len == 0);
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* Going on with guessable tokens would be worse than not going on. */
		if (n <= 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

uint64_t crypto_random_uint64(void)
{
	uint64_t value;

	crypto_random(&value, sizeof(value));
	return value;
}

/* libcrypto takes "no bytes" best with a pointer that is not NULL. */
static const void *bytes_of(struct slice s)
{
	assert(s.ptr != NULL || s.len == 0);
	return s.ptr ? s.ptr : "";
}

void crypto_sha1(struct slice bytes, uint8_t out[CRYPTO_SHA1_BYTES])
{
	int ok = EVP_Digest(bytes_of(bytes), bytes.len, out, NULL, EVP_sha1(), NULL);

	/* It fails only without memory or without the algorithm: neither can be served.
	 */
	if (!ok)
		abort();
}

void crypto_sha256(struct slice bytes, uint8_t out[CRYPTO_SHA256_BYTES])
{
	if (!EVP_Digest(bytes_of(bytes), bytes.len, out, NULL, EVP_sha256(), NULL))
		abort();
}

void crypto_hmac_sha256(struct slice key, struct slice bytes,
			uint8_t out[CRYPTO_SHA256_BYTES])
{
	unsigned len = 0;

	assert(key.len <= INT_MAX);
	if (!HMAC(EVP_sha256(), bytes_of(key), (int)key.len, bytes_of(bytes), bytes.len,
		  out, &len))
		abort();
	assert(len == CRYPTO_SHA256_BYTES);
}

/* libcrypto looks its algorithms up by name and works the key in, each time anew: four
 * fifths of what a short message costs. A context that keeps both starts over for less.
 */
struct crypto_hmac {
	EVP_MAC_CTX *context; /* owned */
};

struct crypto_hmac *crypto_hmac_new(struct slice key)
{
	struct crypto_hmac *hmac = MEM_NEW(struct crypto_hmac);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	char digest[] = SN_sha256;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	/* As above: it fails without memory or without the algorithm. */
	hmac->context = EVP_MAC_CTX_new(mac);
	if (hmac->context == NULL ||
	    !EVP_MAC_init(hmac->context, bytes_of(key), key.len, params))
		abort();
	EVP_MAC_free(mac); /* the context keeps it */
	return hmac;
}

void crypto_hmac_free(struct crypto_hmac *hmac)
{
	if (hmac == NULL)
		return;
	EVP_MAC_CTX_free(hmac->context); /* wipes the key */
	mem_free(hmac);
}

void crypto_hmac_of(struct crypto_hmac *hmac, const struct slice *parts, size_t n,
		    uint8_t out[CRYPTO_SHA256_BYTES])
{
	size_t len = 0;
	int ok = EVP_MAC_init(hmac->context, NULL, 0, NULL); /* the same key again */

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_MAC_update(hmac->context, bytes_of(parts[i]), parts[i].len);
	if (!ok || !EVP_MAC_final(hmac->context, out, &len, CRYPTO_SHA256_BYTES))
		abort();
	assert(len == CRYPTO_SHA256_BYTES);
}

bool crypto_equal(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	return CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.len) == 0;
}

static void encode(struct buf *out, struct slice bytes, const char *letters,
		   bool is_padded)
{
	char *start = buf_reserve(out, (bytes.len + 2) / 3 * 4);
	char *at = start;

	assert(bytes.ptr != NULL || bytes.len == 0);
	for (size_t i = 0; i < bytes.len; i += 3) {
		const size_t left = bytes.len - i;
		const uint8_t *from = (const uint8_t *)bytes.ptr + i;
		const uint32_t bits = (uint32_t)from[0] << 16 |
				      (left > 1 ? (uint32_t)from[1] << 8 : 0) |
				      (left > 2 ? from[2] : 0);

		*at++ = letters[bits >> 18];
		*at++ = letters[bits >> 12 & 63];
		if (left > 1 || is_padded)
			*at++ = left > 1 ? letters[bits >> 6 & 63] : '=';
		if (left > 2 || is_padded)
			*at++ = left > 2 ? letters[bits & 63] : '=';
	}
	out->len += (size_t)(at - start);
}

void crypto_base64_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, base64_letters, true);
}

void crypto_base64url_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, base64url_letters, false);
}

/* The six bits of a letter, or -1; `last` are those for 62 and 63. */
static int letter_value(char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

static enum err decode(struct buf *out, struct slice text, const char last[2])
{
	size_t start = out->len;
	uint32_t bits = 0;
	unsigned n_bits = 0;

	/* One letter over a multiple of four has six bits: no byte at all. */
	if (text.len % 4 == 1)
		return ERR_MALFORMED;
	for (size_t i = 0; i < text.len; i++) {
		int value = letter_value(text.ptr[i], last);

		if (value < 0)
			goto fail;
		bits = bits << 6 | (uint32_t)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			buf_append_byte(out, (char)(bits >> n_bits & 0xff));
			bits &= (1u << n_bits) - 1;
		}
	}
	/* Bits that no byte holds must be zero, or two texts would name the same bytes.
	 */
	if (bits != 0)
		goto fail;
	return OK;
fail:
	out->len = start;
	return ERR_MALFORMED;
}

enum err crypto_base64url_decode(struct buf *out, struct slice text)
{
	return decode(out, text, "-_");
}

enum err crypto_base64_decode(struct buf *out, struct slice text)
{
	if (text.len % 4 != 0)
		return ERR_MALFORMED;
	/* What is left when two are gone is no multiple of four: a third is foreign. */
	for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
		text.len--;
	return decode(out, text, "+/");
}
