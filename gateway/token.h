/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tokens: what negotiate hands out and a transport's requests bring back. A
 * token carries all that is known of its connection, signed, so that negotiate stores
 * nothing and any gateway that has the key may take the request. It is good for one user
 * alone. Pure: time and randomness come in.
 *
 *	base64url( flags u8 | issued_s u32 | id 16 | secret 16 | mac 16 )
 *	mac = HMAC-SHA256(key, hub | '/' | user id | all before it), cut to 16 bytes
 */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/conn.h"
#include "proto/base/err.h"
#include "proto/base/secret.h"
#include "proto/base/slice.h"

struct crypto_hmac;

#define TOKEN_RANDOM_BYTES 32
#define TOKEN_LEN 71

/* Clocks of two gateways may differ by this much. */
#define TOKEN_SKEW_S 60

/* The first signs; all of them are accepted. */
struct token_key {
	struct crypto_hmac *hmacs[SECRET_LINES_MAX]; /* owned */
	size_t n;
};

struct token {
	char text[TOKEN_LEN];
	char id[CONN_ID_LEN]; /* the public connection id inside */
	uint32_t issued_s;
	bool is_stateful; /* negotiated for stateful reconnect */
};

/* Derives the keys for tokens alone from secrets of any length. */
void token_key_init(struct token_key *key, const struct secrets *secrets);
void token_key_fini(struct token_key *key);

/* Makes text and id from issued_s, is_stateful and fresh random bytes, for that user of
 * the hub; an anonymous one has the empty id. */
void token_make(struct token *token, const struct token_key *key, struct slice hub,
		struct slice user_id, const uint8_t random[TOKEN_RANDOM_BYTES]);

/*
 * ERR_MALFORMED: no token; ERR_DENIED: not made with this key for this hub and user;
 * ERR_TIMEOUT: good, but older than `age_max_s`, or from the future.
 */
MUST_CHECK enum err token_check(struct token *token, const struct token_key *key,
				struct slice hub, struct slice user_id, struct slice text,
				int64_t now_s, int64_t age_max_s);

/* A connection id of its own, for a connection without a token. */
void token_id(char id[CONN_ID_LEN], const uint8_t random[16]);

#endif
