/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the presence that leads does next about routers that come and go: from the map of
 * shards, the processes that live and what they have said of the map, and the list that
 * is wanted follows the next map, or what is waited for. Pure: time is a parameter, and
 * whoever asks twice is told the same.
 */
#ifndef PRESENCE_SHARD_PLAN_H
#define PRESENCE_SHARD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/link/link_name.h"
#include "proto/link/shard_map.h"

/* A gateway or router that has a lease. */
struct plan_member {
	const char *name; /* borrowed, as the text below */
	bool is_router;
	bool has_told; /* it has said which map it goes by: an older one never does */
	bool is_done;  /* what the phase of that map asks of it */
	uint64_t epoch;
	enum shard_phase phase;
	const char *routers; /* of that map; "" unless it has told */
};

struct plan_view {
	const struct shard_map *map; /* the greatest that anybody knows; epoch 0: none */
	const struct plan_member *members;
	size_t members_n;
	const char *target;  /* the list that is wanted; "": where the map leads */
	uint64_t epoch_kept; /* of a map that nobody goes by any more: ours is above it */
	int64_t now_ms;
	int64_t since_ms;   /* the map is known since then */
	int64_t prepare_ms; /* a PREPARE that takes longer is given up */
	int64_t retry_ms;   /* and none begins before then */
};

enum plan_state {
	PLAN_REST,	/* all is as it is wanted */
	PLAN_STEP,	/* the map `next` is due */
	PLAN_DOING,	/* somebody has not done what the phase asks */
	PLAN_UNTOLD,	/* somebody has not said its map: it is of an older version */
	PLAN_BEHIND,	/* somebody knows a greater map */
	PLAN_ABSENT,	/* a router that is wanted does not live */
	PLAN_DISAGREED, /* at the start: most were not given the same list */
	PLAN_PAUSED,	/* one was given up a moment ago */
	PLAN_REFUSED,	/* the list that is wanted will not do: plan_check() */
};

struct plan {
	enum plan_state state;
	struct shard_offer next; /* PLAN_STEP; its texts are the view's */
	bool is_given_up;	 /* `next` is what was before PREPARE... */
	bool is_late;		 /* ... which took too long */
	struct slice who;	 /* of those waited for, one; the view's, or `name` */
	char name[LINK_NAME_MAX + 1];
};

void plan_make(const struct plan_view *view, struct plan *plan);

/* Is it waited for? Not in PLAN_REST. */
bool plan_waits_for(const struct plan_view *view, const struct plan_member *member);

/*
 * May `target` follow the map? ERR_MALFORMED, ERR_EXISTS (a name twice) and ERR_LIMIT as
 * shard_map_take(); ERR_ARGUMENT: a router in both lists has another address.
 */
MUST_CHECK enum err plan_check(const struct shard_map *map, const char *target);

/* Do both name the same routers at the same addresses? Not if either is no list. */
bool plan_is_same_list(const char *a, const char *b);

/* For people and for machines: "doing". */
const char *plan_state_name(enum plan_state state);

#endif
