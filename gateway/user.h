/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a connection belongs to: what the token said, fixed for the connection's life.
 */
#ifndef GATEWAY_USER_H
#define GATEWAY_USER_H

#include "proto/base/slice.h"

#define USER_ROLES_MAX 64

/* One allocation; everything points into it. An anonymous user has an empty id. */
struct user {
	struct slice id;
	struct slice name;
	struct slice claims; /* JSON object text, or empty */
	size_t roles_n;
	struct slice roles[]; /* the text is behind them */
};

/* Copies everything. `roles_n` <= USER_ROLES_MAX. */
struct user *user_new(struct slice id, struct slice name, struct slice claims,
		      const struct slice *roles, size_t roles_n);
struct user *user_anonymous(void);
void user_free(struct user *user);

#endif
