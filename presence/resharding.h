/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routers that come and go, as presence sees it. Every replica knows the greatest map of
 * shards that anybody told it, and tells it to all whose link is up; the one of them that
 * leads (a lease in the store) makes the next map when shard_plan.h says so, and only if
 * the store still has the one it believes in. docs/PRESENCE.md, "Routers that come and
 * go".
 */
#ifndef PRESENCE_RESHARDING_H
#define PRESENCE_RESHARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "presence/shard_plan.h"
#include "presence/store_answer.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/link/link.h"

struct presence;
struct process;

/* What a gateway or router has said of its map, and was told; all zero: nothing. */
struct resharding_said {
	bool has_told;
	bool is_done;
	uint64_t epoch;
	enum shard_phase phase;
	char *routers;	  /* owned; of epoch 0, else NULL */
	uint64_t version; /* of what it was told */
};

/* A map that the store is asked to take. */
struct resharding_step {
	struct store_call call;
	bool is_under_way;
	bool is_given_up; /* it is what was before PREPARE... */
	bool is_late;	  /* ... which took too long: that is not tried again at once */
	bool is_first;	  /* of a cluster that begins */
	uint64_t epoch;
	enum shard_phase phase;
	struct buf routers;
	struct buf next;
};

struct resharding {
	struct presence *presence; /* borrowed */
	struct shard_map map;	   /* epoch 0: nobody told of any */
	uint64_t version;	   /* of it, for those who are told */
	int64_t since_ms;	   /* it is ours since then */
	int64_t retry_ms;	   /* none begins before */
	struct buf wanted;	   /* the list that the store has for us */
	struct buf leader;	   /* as the store last said */
	struct buf self;	   /* what we call ourselves there */
	uint64_t kept_epoch;	   /* the store's map */
	enum shard_phase kept_phase;
	struct store_call ask_call;
	struct store_call aim_call;
	bool is_asking;
	bool is_aiming;
	struct resharding_step step;
	struct timer timer;
	struct loop_flush flush;
	enum plan_state waited; /* what is waited for, for whom, and since when */
	struct buf waited_who;
	int64_t waited_ms;
	bool is_logged; /* the log has it */
};

/* Whom the plan looks at: a view with memory of its own. */
struct resharding_view {
	struct plan_view view;
	struct plan_member *members; /* owned */
};

void resharding_init(struct resharding *resharding, struct presence *presence);

/* The store is still there, and calls nobody back any more. */
void resharding_fini(struct resharding *resharding);

/* After SIGHUP: the option may be another. */
void resharding_reload(struct resharding *resharding);

/* The store has this list now. */
void resharding_want(struct resharding *resharding, struct slice list);

/* Its link is up, with a new incarnation or not: told before anything else. */
void resharding_on_up(struct resharding *resharding, struct process *process);
void resharding_on_shards(struct resharding *resharding, struct process *process,
			  const Link__Shards *said);

/* It is being freed. */
void resharding_forget(struct resharding *resharding, struct process *process);

/* Who lives is another question now; or the store was told something. */
void resharding_look(struct resharding *resharding);
void resharding_ask(struct resharding *resharding);

/* Does anybody go by a map that was made? If not, the store's is of a cluster that is no
 * more, and the lists that processes are given now count. */
bool resharding_is_begun(const struct resharding *resharding);

/* ---- for people */

bool resharding_is_leader(const struct resharding *resharding);
const char *resharding_target(const struct resharding *resharding);
bool resharding_is_option(const struct resharding *resharding);
void resharding_view_init(struct resharding_view *view,
			  const struct resharding *resharding);
void resharding_view_fini(struct resharding_view *view);

#endif
