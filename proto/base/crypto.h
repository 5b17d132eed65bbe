/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few cryptographic words we need, over OpenSSL's libcrypto and getrandom(2), plus
 * the encodings that go with them. OpenSSL's headers stay in crypto.c.
 */
#ifndef PROTO_BASE_CRYPTO_H
#define PROTO_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define CRYPTO_SHA1_BYTES 20
#define CRYPTO_SHA256_BYTES 32

/* Fills from the kernel's generator; aborts when it cannot. */
void crypto_random(void *ptr, size_t len);
uint64_t crypto_random_uint64(void);

void crypto_sha1(struct slice bytes, uint8_t out[CRYPTO_SHA1_BYTES]);
void crypto_sha256(struct slice bytes, uint8_t out[CRYPTO_SHA256_BYTES]);
void crypto_hmac_sha256(struct slice key, struct slice bytes,
			uint8_t out[CRYPTO_SHA256_BYTES]);

/* The same for a key that is used often: it is prepared once. Of `parts`, one behind the
 * other. */
struct crypto_hmac;
struct crypto_hmac *crypto_hmac_new(struct slice key);
void crypto_hmac_free(struct crypto_hmac *hmac);
void crypto_hmac_of(struct crypto_hmac *hmac, const struct slice *parts, size_t n,
		    uint8_t out[CRYPTO_SHA256_BYTES]);

/* Takes the same time whatever differs; unequal lengths are unequal. */
bool crypto_equal(struct slice a, struct slice b);

/* Appends the encoding: base64 with padding, base64url without. */
void crypto_base64_encode(struct buf *out, struct slice bytes);
void crypto_base64url_encode(struct buf *out, struct slice bytes);

/* Strict: no padding, no foreign byte, no set trailing bit. Appends; ERR_MALFORMED. */
MUST_CHECK enum err crypto_base64url_decode(struct buf *out, struct slice text);

/* As strict, of base64 with its padding. */
MUST_CHECK enum err crypto_base64_decode(struct buf *out, struct slice text);

#endif
