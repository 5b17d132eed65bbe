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
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

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

bool crypto_equal(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	return CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.len) == 0;
}

/* Three bytes become four letters; returns how many letters carry bits of `bytes`. */
static size_t group_encode(struct slice bytes, const char *letters, char out[4])
{
	uint32_t bits = 0;
	size_t n = bytes.len < 3 ? bytes.len : 3;

	assert(n > 0);
	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < n ? (uint8_t)bytes.ptr[i] : 0);
	for (size_t i = 0; i < 4; i++)
		out[i] = letters[bits >> (18 - 6 * i) & 63];
	return n + 1;
}

static void encode(struct buf *out, struct slice bytes, const char *letters,
		   bool is_padded)
{
	char group[4];

	assert(bytes.ptr != NULL || bytes.len == 0);
	while (bytes.len > 0) {
		size_t n = group_encode(bytes, letters, group);

		for (size_t i = n; i < 4; i++)
			group[i] = '=';
		buf_append(out, group, is_padded ? 4 : n);
		bytes = slice_from(bytes, 3);
	}
}

void crypto_base64_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, base64_letters, true);
}

void crypto_base64url_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, base64url_letters, false);
}

/* The six bits of a base64url letter, or -1. */
static int letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

enum err crypto_base64url_decode(struct buf *out, struct slice text)
{
	size_t start = out->len;
	uint32_t bits = 0;
	unsigned n_bits = 0;

	/* One letter over a multiple of four has six bits: no byte at all. */
	if (text.len % 4 == 1)
		return ERR_MALFORMED;
	for (size_t i = 0; i < text.len; i++) {
		int value = letter_value(text.ptr[i]);

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
