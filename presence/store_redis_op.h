/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of the store on their way to Redis: a letter, which run.lua knows, and
 * arguments; and how what comes back becomes an answer.
 */
#ifndef PRESENCE_STORE_REDIS_OP_H
#define PRESENCE_STORE_REDIS_OP_H

#include <stdbool.h>

#include "presence/store.h"
#include "proto/base/buf.h"
#include "proto/base/redis.h"

struct op;
struct store_redis;

/* rc OK: `reply` is what the script answered. */
typedef void op_done_fn(struct store_redis *redis, struct op *op, enum err rc,
			const struct redis_reply *reply);

struct op_kind {
	char letter;
	bool is_change;	    /* its outcome must not be unknown */
	bool is_waiting;    /* it waits while Redis is away */
	bool is_of_gateway; /* of a registration */
	op_done_fn *done;
};

struct op {
	struct list node;
	const struct op_kind *kind;
	struct store_call *call; /* borrowed; NULL: the store's own */
	uint64_t registration;	 /* 0: of none */
	uint64_t load_n;	 /* of the store's own */
	int64_t asked_ms;	 /* Unix time */
	size_t cost;		 /* as many simple ones take */
	size_t place;		 /* in its batch */
	size_t bytes;
	size_t args_n;
	struct slice args[]; /* with their bytes behind them */
};

extern const struct op_kind op_gateway_new, op_gateway_renew, op_gateway_replayed,
	op_gateway_retire, op_add, op_remove, op_sweep, op_settle, op_user, op_connection,
	op_list, op_count, op_events, op_mark, op_marked, op_shards, op_shards_step,
	op_shards_target;

/* A copy of `args`. Cost 1. */
struct op *op_new(const struct op_kind *kind, struct store_call *call,
		  const struct slice *args, size_t n);

/* Ends it: calls back, and frees. */
void op_end(struct store_redis *redis, struct op *op, enum err rc,
	    const struct redis_reply *reply);

/* The one number that was answered, in a reply or in what was kept. */
MUST_CHECK enum err op_read_number(const struct redis_reply *reply, int64_t *number);

/* The answer of one whose reply nobody knows, though Redis has carried it out: `kept` is
 * what the script left of it. */
void op_end_kept(struct store_redis *redis, struct op *op, struct slice kept);

#endif
