/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a connection belongs to: what the token said, fixed for the connection's life.
 */
#ifndef GATEWAY_USER_H
#define GATEWAY_USER_H

#include <stdint.h>

#include "proto/base/slice.h"

#define USER_ROLES_MAX 64

/* Where a text is, in bytes from the start of the user. */
struct user_text {
	uint32_t at;
	uint32_t len;
};

/* One allocation; everything points into it. An anonymous user has an empty id, no claims
 * and no expiry; one with a token may have an empty id too. */
struct user {
	int64_t expires_unix_s; /* the token's exp; 0: anonymous */
	struct user_text id;
	struct user_text name;
	struct user_text claims; /* the token's JSON object, all of it, or empty */
	uint32_t roles_n;
	struct user_text roles[]; /* the text is behind them */
};

static inline struct slice user_text(const struct user *user, struct user_text text)
{
	return slice_make((const char *)user + text.at, text.len);
}

static inline struct slice user_id(const struct user *user)
{
	return user_text(user, user->id);
}

static inline struct slice user_name(const struct user *user)
{
	return user_text(user, user->name);
}

static inline struct slice user_claims(const struct user *user)
{
	return user_text(user, user->claims);
}

static inline struct slice user_role(const struct user *user, size_t i)
{
	return user_text(user, user->roles[i]);
}

/* Copies everything. `roles_n` <= USER_ROLES_MAX. */
struct user *user_new(struct slice id, struct slice name, struct slice claims,
		      const struct slice *roles, size_t roles_n);

/* The same for all of them, and not to be changed. */
struct user *user_anonymous(void);
void user_free(struct user *user);

#endif
