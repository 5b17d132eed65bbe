/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster of a scenario: a real router on a stage, one gateway in miniature that
 * holds the players, and a presence that says what it is told. What players see becomes
 * lines. Nothing moves by itself: a command is handed in (act.h), then everything runs
 * until it waits; time is part of it, and moves by world_pass() alone.
 */
#ifndef ROUTER_HUBTEST_WORLD_H
#define ROUTER_HUBTEST_WORLD_H

#include "proto/base/log.h"
#include "router/hubtest/lines.h"
#include "router/hubtest/play_redis.h"
#include "router/hubtest/player.h"
#include "router/hubtest/stage.h"

#define WORLD_PLAYERS_MAX 64
#define WORLD_LINES_MAX                                                                  \
	1000 /* of one step: a hub that says more does not come to rest                  \
	      */

/* Where time begins: 2026-01-01T00:00:00Z. */
#define WORLD_UNIX_MS 1767225600000

struct world {
	struct stage stage;
	struct link_peer *gateway;
	struct player *players[WORLD_PLAYERS_MAX]; /* in the arena; in order of coming */
	size_t players_n;
	struct slice hub;     /* of those who connect from now on; borrowed */
	uint64_t last_number; /* of invocations, streams and changes */
	struct lines *lines;  /* borrowed: what is seen in this step */
	struct log_tap tap;   /* hubs' lines in the log */
	struct play_redis redis;
	uint64_t *counted;    /* array, in the arena: hubs' counters as last told */
	struct arena arena;   /* of players; as long as the world */
	struct arena scratch; /* of one message */
};

/* `conf` outlives it; `hub` is one of its. */
void world_open(struct world *world, const struct router_conf *conf, struct slice hub,
		struct lines *lines);
void world_close(struct world *world);

/* NULL: nobody of that name, or it is gone. */
struct player *world_player(const struct world *world, struct slice name);

/* A new one. NULL: there are too many. */
struct player *world_player_add(struct world *world, struct slice name);

/* "1", "2", ... in the arena. */
struct slice world_number(struct world *world);

/* The gateway says it. */
void world_hear(struct world *world, const Link__Envelope *envelope);

/* The player is in a group, or its user has this connection; or no more. */
void world_member(struct world *world, const struct player *player, Link__Kind kind,
		  struct slice name, bool is_gone);

/* Its memberships, then itself, are gone; `error` may be empty. */
void world_disconnect(struct world *world, struct player *player, struct slice error);

/* Runs until all wait. ERR_LIMIT: they do not come to rest. */
MUST_CHECK enum err world_settle(struct world *world);

/* Time moves on, timer by timer, and all runs. */
MUST_CHECK enum err world_pass(struct world *world, int64_t ms);

#endif
