/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client is: JWTs signed with HS256 and one key. libjwt checks the signature; what
 * a token may look like at all is decided here first, strictly, and what it means after
 * (docs/decisions/0005-jwt.md). Time is a parameter.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stdint.h>

#include "gateway/user.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define AUTH_TOKEN_BYTES_MAX 8192u
#define AUTH_CLAIMS_MAX 64
#define AUTH_LEEWAY_S 60

struct auth;

/* `key` is copied; empty: every token is refused. */
struct auth *auth_new(struct slice key);
void auth_free(struct auth *auth);

/*
 * The user a token speaks for, owned by the caller. ERR_MALFORMED: no JWT we take;
 * ERR_LIMIT: too long, too many claims or roles; ERR_DENIED: not signed with our key, or
 * no key; ERR_TIMEOUT: expired or not valid yet. One answer for all of them goes to the
 * client.
 */
MUST_CHECK enum err auth_check(const struct auth *auth, struct slice token, int64_t now_s,
			       struct user **user);

struct auth_identity {
	struct slice id;
	struct slice name;	   /* may be empty */
	const struct slice *roles; /* borrowed */
	size_t roles_n;
	int64_t issued_s;
	int64_t expires_s;
};

/* Appends a token that auth_check() takes. ERR_DENIED without a key; ERR_ARGUMENT for
 * text that JSON cannot hold. */
MUST_CHECK enum err auth_mint(const struct auth *auth,
			      const struct auth_identity *identity, struct buf *token);

#endif
