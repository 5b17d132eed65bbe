/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the suites of auth share: tokens signed by hand, and checks of them at NOW.
 */
#ifndef TESTS_UNIT_GATEWAY_AUTH_KIT_H
#define TESTS_UNIT_GATEWAY_AUTH_KIT_H

#include "gateway/auth.h"

#define ROLE_URI "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
#define KEY "0123456789abcdef0123456789abcdef"
#define NOW 1700000000
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define EXP "\"exp\":1700000100"
#define CLAIMS "{\"sub\":\"u1\"," EXP "}"

/* Appends the signature of all from `start` on. */
void auth_sign(struct buf *token, size_t start, struct slice key);
struct buf auth_token_of(struct slice header, struct slice claims, struct slice key);
struct buf auth_good_token(void);

/* With the usual rules; an empty secret: no key. */
struct auth *auth_of_secret(struct slice secret);

enum auth_rc auth_check_with(const char *key, struct slice token, int64_t now_s);
enum auth_rc auth_check_one(struct slice token);

/* Of a well-signed token. */
enum auth_rc auth_check_texts(struct slice header, struct slice claims);

#endif
