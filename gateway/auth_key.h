/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key that checks signatures of JWTs. It has one algorithm, given by whoever configured
 * it: nothing a token says can make an RSA key serve as an HMAC secret. OpenSSL's headers
 * stay in auth_key.c.
 */
#ifndef GATEWAY_AUTH_KEY_H
#define GATEWAY_AUTH_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define AUTH_RSA_BITS_MIN 2048
#define AUTH_RSA_BITS_MAX 8192
#define AUTH_KEY_ID_BYTES_MAX 256

/* Name in JWTs, least bytes of the secret (RFC 7518, 3.2: as many as the digest has), 0
 * for public keys. The order is that of the option auth_algorithm. */
#define AUTH_ALGORITHM_LIST(X)                                                           \
	X(AUTH_HS256, "HS256", 32)                                                       \
	X(AUTH_HS384, "HS384", 48)                                                       \
	X(AUTH_HS512, "HS512", 64)                                                       \
	X(AUTH_RS256, "RS256", 0)                                                        \
	X(AUTH_ES256, "ES256", 0)

enum auth_algorithm {
#define AUTH_ALGORITHM_ENUM(name, text, bytes_min) name,
	AUTH_ALGORITHM_LIST(AUTH_ALGORITHM_ENUM)
#undef AUTH_ALGORITHM_ENUM
};

const char *auth_algorithm_name(enum auth_algorithm algorithm);

/* Exactly that name. */
bool auth_algorithm_find(struct slice name, enum auth_algorithm *algorithm);

/* 0: the algorithm takes no secret. */
size_t auth_algorithm_secret_min(enum auth_algorithm algorithm);

struct auth_key;

/*
 * These copy what they are given; the caller owns `*key`. On failure `*error` is a
 * constant that says what is wrong, for a message that names the file: ERR_ARGUMENT, or
 * ERR_LIMIT for a key too short or too long. `id` may be empty: the key has none.
 */
MUST_CHECK enum err auth_key_secret(enum auth_algorithm algorithm, struct slice secret,
				    struct slice id, struct auth_key **key,
				    const char **error);

/* One SubjectPublicKeyInfo in PEM, of an RSA key (RS256) or a P-256 one (ES256). */
MUST_CHECK enum err auth_key_pem(enum auth_algorithm algorithm, struct slice pem,
				 struct auth_key **key, const char **error);

/* RS256; big-endian numbers. */
MUST_CHECK enum err auth_key_rsa(struct slice modulus, struct slice exponent,
				 struct slice id, struct auth_key **key,
				 const char **error);

/* ES256: a point of P-256; 32 bytes each. */
MUST_CHECK enum err auth_key_p256(struct slice x, struct slice y, struct slice id,
				  struct auth_key **key, const char **error);

/* NULL is legal. Secrets are overwritten. */
void auth_key_free(struct auth_key *key);

enum auth_algorithm auth_key_algorithm(const struct auth_key *key);
struct slice auth_key_id(const struct auth_key *key);

/* Of an HMAC key, for making tokens; else empty. */
struct slice auth_key_bytes(const struct auth_key *key);

/* ERR_DENIED unless `signature` is this key's over `text`. */
MUST_CHECK enum err auth_key_verify(const struct auth_key *key, struct slice text,
				    struct slice signature);

#endif
