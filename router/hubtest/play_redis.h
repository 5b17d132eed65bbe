/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis, as hubs ask it: each question becomes a line, and waits for what the scenario
 * answers, the oldest first. State that hubs keep (hub_state.h) stays in memory.
 */
#ifndef ROUTER_HUBTEST_PLAY_REDIS_H
#define ROUTER_HUBTEST_PLAY_REDIS_H

#include "proto/base/arena.h"
#include "proto/wire/value.h"
#include "router/hubtest/lines.h"
#include "router/redis.h"

struct play_redis {
	struct hub_redis_player player;
	struct list calls;   /* of struct redis_call, by its node */
	struct lines *lines; /* borrowed; where questions are told */
};

/* The router has a Redis from now on; it has none. */
void play_redis_open(struct play_redis *redis, struct router *router,
		     struct lines *lines);

/* Whoever waits is told that the connection is lost. */
void play_redis_close(struct play_redis *redis);

bool play_redis_is_open(const struct play_redis *redis);

/* The oldest question has this answer; false: nothing is asked. A value of an error is a
 * string. */
bool play_redis_answer(struct play_redis *redis, const struct value *answer,
		       struct arena *arena);
bool play_redis_refuse(struct play_redis *redis, struct slice error);

/* It may have happened: the connection was lost before its answer. */
bool play_redis_lose(struct play_redis *redis);

#endif
