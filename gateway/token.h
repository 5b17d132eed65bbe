/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection tokens: what negotiate hands out and a transport's first request brings
 *back. A token carries all that is known of its connection, signed, so that negotiate
 *stores nothing and any gateway that has the key may take the request. Pure: time and
 *randomness come in.
 *
 *	base64url( gateway u32 | issued_s u32 | id 16 | secret 16 | mac 16 )
 *	mac = HMAC-SHA256(key, hub | all before it), cut to 16 bytes
 */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stdint.h>

#include "gateway/conn.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define TOKEN_RANDOM_BYTES 32
#define TOKEN_LEN 75

/* Clocks of two gateways may differ by this much. */
#define TOKEN_SKEW_S 60

struct token_key {
	uint8_t bytes[32];
};

struct token {
	char text[TOKEN_LEN];
	char id[CONN_ID_LEN]; /* the public connection id inside */
	uint32_t gateway;     /* token_gateway() of who made it */
	uint32_t issued_s;
};

/* Derives the key for tokens alone from a secret of any length. */
void token_key_init(struct token_key *key, struct slice secret);

uint32_t token_gateway(struct slice name);

/* Makes text and id from gateway, issued_s and fresh random bytes. */
void token_make(struct token *token, const struct token_key *key, struct slice hub,
		const uint8_t random[TOKEN_RANDOM_BYTES]);

/*
 * ERR_MALFORMED: no token; ERR_DENIED: not made with this key for this hub; ERR_TIMEOUT:
 * good, but older than `age_max_s`, or from the future.
 */
MUST_CHECK enum err token_check(struct token *token, const struct token_key *key,
				struct slice hub, struct slice text, int64_t now_s,
				int64_t age_max_s);

/* A connection id of its own, for a connection without a token. */
void token_id(char id[CONN_ID_LEN], const uint8_t random[16]);

#endif
