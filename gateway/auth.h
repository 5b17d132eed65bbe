/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client is: JWTs, and the keys they may be signed with. What a token may look like
 * at all is decided first, strictly; then by which key it must be signed, which is never
 * for the token to say; and then what it means (docs/decisions/0005-jwt.md). Time is a
 * parameter.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stdint.h>

#include "gateway/auth_conf.h"
#include "gateway/auth_rc.h"
#include "gateway/user.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define AUTH_TOKEN_BYTES_MAX 8192u
#define AUTH_JWKS_BYTES_MAX 65536u
#define AUTH_CLAIMS_MAX 64
#define AUTH_HEADER_MEMBERS_MAX 16
#define AUTH_ERROR_MAX 512

struct auth;

/*
 * Reads the files that `conf` names; nothing of it is kept. `dev_secret` is what dev mode
 * signs with, and takes, when `conf` has no HS256 secret; empty: none. On failure nothing
 * is made, and `error` says which option, which file and what. auth_load.c.
 */
MUST_CHECK enum err auth_load(const struct auth_conf *conf, struct slice dev_secret,
			      struct auth **auth, char error[AUTH_ERROR_MAX]);

/* The same at start-up: ends the program on failure. Never NULL. */
struct auth *auth_open(const struct auth_conf *conf, struct slice dev_secret);

/* Puts another in the place of `*auth`. On failure the old one stays, and a log line says
 * why. Users that were read before stay what they are. */
MUST_CHECK enum err auth_reload(struct auth **auth, const struct auth_conf *conf,
				struct slice dev_secret);

/* As secrets_fingerprint(), of the secrets in auth_key_file; 0: there are none. */
int64_t auth_fingerprint(const struct auth *auth);

/* NULL is legal. */
void auth_free(struct auth *auth);

/* AUTH_OK: the user a token speaks for, owned by the caller. One answer for all else goes
 * to the client. */
MUST_CHECK enum auth_rc auth_check(const struct auth *auth, struct slice token,
				   int64_t now_s, struct user **user);

struct auth_identity {
	struct slice id;
	struct slice name;	   /* may be empty */
	const struct slice *roles; /* borrowed */
	size_t roles_n;
	int64_t issued_s;
	int64_t expires_s;
};

/* Appends a token that auth_check() takes, signed with HS256, for dev mode. ERR_DENIED
 * without a secret; ERR_ARGUMENT for text that JSON cannot hold. auth_mint.c. */
MUST_CHECK enum err auth_mint(const struct auth *auth,
			      const struct auth_identity *identity, struct buf *token);

#endif
