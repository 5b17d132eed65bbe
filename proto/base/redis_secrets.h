/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passwords of a Redis client, which may change while it lives.
 */
#ifndef PROTO_BASE_REDIS_SECRETS_H
#define PROTO_BASE_REDIS_SECRETS_H

#include "proto/base/secret.h"

struct redis;

/* Of each the first line is tried first, and the next when the server refuses it. */
struct redis_secrets {
	struct secrets password; /* n 0: no AUTH */
	struct secrets sentinel_password;
};

/* For connections from now on: one that stands has logged in. Copied. */
void redis_set_secrets(struct redis *redis, const struct redis_secrets *secrets);

#endif
