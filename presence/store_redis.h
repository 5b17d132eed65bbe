/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that several replicas of presence share: a Redis. docs/PRESENCE.md tells what
 * it keeps there, what ends it, and what happens when Redis is away or has lost it all.
 */
#ifndef PRESENCE_STORE_REDIS_H
#define PRESENCE_STORE_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "presence/store.h"
#include "presence/store_redis_stats.h"
#include "proto/base/redis_secrets.h"
#include "proto/base/redis_stats.h"

struct loop;

struct store_redis_options {
	const char *url;		/* as redis_url.h */
	struct slice password;		/* copied; empty: no AUTH */
	struct slice sentinel_password; /* likewise */
	/* Of all keys, which are "{prefix}:..."; redis_prefix_is_good() checks it. */
	const char *prefix;
	int64_t connect_timeout_ms; /* this and the next: 0 is redis_limits.h's */
	int64_t command_timeout_ms;
	/* Changes that may wait while Redis is away or slow, and their bytes: with one
	 * more they are all given up, and told again. */
	size_t queue_max;
	size_t queue_bytes_max;
	/* The next three are to be the same at all replicas. */
	size_t sessions_max;
	int64_t offline_grace_ms;
	size_t events_max;
	uint64_t seed;
	struct store_redis_stats *stats; /* borrowed, as is the next */
	struct redis_stats *redis_stats;
};

/* Begins to connect. Changes wait for it, questions end with ERR_IO meanwhile. */
struct store *store_redis_new(struct loop *loop,
			      const struct store_redis_options *options);

/* For connections from now on; copied. */
void store_redis_set_secrets(struct store *store, const struct redis_secrets *secrets);

#endif
