/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs in Redis: each question is one script there, and so one atomic step.
 * Of a key `K` of the hub `H`, with the prefix `P`:
 *
 *	P:state:{H:K}:log       a hash; append.lua tells what is in it
 *	P:state:{H:K}:fields    a hash, and ...
 *	P:state:{H:K}:order     ... a sorted set; put.lua tells
 *
 * All of them expire. What is asked while Redis is away waits, for the command timeout;
 * when it has been away for longer, it fails at once.
 */
#ifndef ROUTER_STATE_STATE_REDIS_H
#define ROUTER_STATE_STATE_REDIS_H

#include "proto/base/loop.h"
#include "proto/base/redis.h"
#include "proto/base/redis_secrets.h"
#include "router/state/state.h"

struct state_redis;

/* The answer to question `call`; it dies when this returns. Of the question there is what
 * it did and to which key. */
typedef void state_redis_fn(void *owner, uint64_t call,
			    const struct state_question *question,
			    const struct state_answer *answer);

struct state_redis_options {
	const struct redis_options *redis; /* where it is; the rest is set here */
	const char *prefix;		   /* copied */
	state_redis_fn *done;
	void *owner;
};

struct state_redis *state_redis_new(struct loop *loop,
				    const struct state_redis_options *options);

/* For connections from now on; copied. */
void state_redis_set_secrets(struct state_redis *redis,
			     const struct redis_secrets *secrets);

/* Ends what is asked. NULL is legal. */
void state_redis_free(struct state_redis *redis);

/* A question that state_question_check() has let pass. */
void state_redis_ask(struct state_redis *redis, const struct state_question *question,
		     uint64_t call);

#endif
