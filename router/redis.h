/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's clients of Redis: one for the state of hubs, and one for what hubs ask
 * themselves, which can so do no harm to the first.
 */
#ifndef ROUTER_REDIS_H
#define ROUTER_REDIS_H

#include "proto/base/redis.h"
#include "proto/base/redis_secrets.h"

struct hub_redis;
struct hub_script;
struct router;

/* With the scripts of all hubs that are served. `options` has where it is. */
struct hub_redis *hub_redis_new(struct router *router,
				const struct redis_options *options);

/* What a hub asks: a command, or one of its scripts, whose keys come first. */
struct hub_redis_question {
	const struct hub_script *script; /* NULL: a command */
	size_t script_index;		 /* among those of all hubs */
	size_t keys_n;
	const struct slice *words;
	size_t words_n;
};

/* Answers in place of Redis, where hubs are played: `call->done` is called once, later,
 * and before the router ends. */
struct hub_redis_player {
	void (*asked)(struct hub_redis_player *player,
		      const struct hub_redis_question *question, struct redis_call *call);
};

struct hub_redis *hub_redis_new_played(struct router *router,
				       struct hub_redis_player *player);

/* For connections from now on; copied. */
void hub_redis_set_secrets(struct hub_redis *redis, const struct redis_secrets *secrets);

/* Ends what is asked. NULL is legal. */
void hub_redis_free(struct hub_redis *redis);

#endif
