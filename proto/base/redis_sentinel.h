/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks Sentinels, one after the other, who the master is. The one that knew it is asked
 * first the next time.
 */
#ifndef PROTO_BASE_REDIS_SENTINEL_H
#define PROTO_BASE_REDIS_SENTINEL_H

#include "proto/base/err.h"
#include "proto/base/loop.h"
#include "proto/base/redis_conn.h"
#include "proto/base/redis_url.h"
#include "proto/base/secret.h"

struct redis_sentinel;

/* OK: the master is at `address`. ERR_NOT_FOUND: none of them could be asked and knew it;
 * `why`, a constant, is the reason of the last. In a later turn than the question. */
typedef void redis_sentinel_fn(struct redis_sentinel *sentinel, enum err rc,
			       const struct redis_address *address, const char *why);

struct redis_sentinel {
	struct redis_conn conn;
	struct timer timer;		 /* the time to answer */
	const struct redis_url *url;	 /* borrowed */
	const struct secrets *passwords; /* borrowed; n 0: none */
	size_t password_at;		 /* the one that is said */
	int64_t timeout_ms;		 /* to connect, and again to answer */
	redis_sentinel_fn *fn;
	size_t first; /* that is asked first */
	size_t asked; /* how many were, by the question under way */
	bool is_asking;
	bool is_let_in; /* its AUTH was answered, or none was said */
};

void redis_sentinel_init(struct redis_sentinel *sentinel, struct loop *loop,
			 const struct redis_url *url, redis_sentinel_fn *fn);
void redis_sentinel_fini(struct redis_sentinel *sentinel);

void redis_sentinel_ask(struct redis_sentinel *sentinel);

/* fn will not be called. Harmless when nothing is asked. */
void redis_sentinel_cancel(struct redis_sentinel *sentinel);

#endif
