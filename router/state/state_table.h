/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs in this process's memory, for a cluster without Redis. A key goes
 * when its time is over; past keys_max or bytes_max the one that was not touched for
 * longest goes. Lost with the process. Pure.
 */
#ifndef ROUTER_STATE_STATE_TABLE_H
#define ROUTER_STATE_STATE_TABLE_H

#include "proto/base/arena.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/timer.h"
#include "router/state/state.h"

struct state_table_limits {
	size_t keys_max;
	size_t bytes_max;
};

struct state_table {
	struct map items;    /* of struct state_item, by kind, hub and key */
	struct map fields;   /* of struct state_kept: those of all of them */
	struct list by_age;  /* least recently touched first */
	struct wheel expiry; /* of struct state_item */
	uint64_t version;    /* the last one given, to whichever field */
	size_t bytes;	     /* with what keeping them costs */
	struct state_table_limits limits;
	uint64_t evicted_total;
	uint64_t expired_total;
};

/* Versions begin behind `version`: above all those that an earlier process gave. Time is
 * monotonic. */
void state_table_init(struct state_table *table, const struct state_table_limits *limits,
		      uint64_t version, int64_t now_ms, uint64_t seed);
void state_table_fini(struct state_table *table);

/* Answers a question that state_question_check() has let pass; entries are in the arena,
 * their bytes in the table. */
void state_table_ask(struct state_table *table, const struct state_question *question,
		     int64_t now_ms, struct arena *arena, struct state_answer *answer);

/* A key that comes from another router's table, in pieces. */
struct state_moving {
	struct slice hub;
	struct slice key;
	bool is_log;
	bool is_first; /* of its pieces: what is there under the key is no more */
	uint64_t life;
};

/* What is there of it; state_table_arrived() adds the entries of the next piece, in
 * their order, and passes over what can be none; state_table_settle() ends the piece:
 * `last` is of the key. */
struct state_item *state_table_arrive(struct state_table *table,
				      const struct state_moving *moving);
void state_table_arrived(struct state_item *item, const struct state_entry *entry);
void state_table_settle(struct state_table *table, struct state_item *item, uint64_t last,
			int64_t end_ms);

/* Lets those go whose time is over. */
void state_table_advance(struct state_table *table, int64_t now_ms);

#endif
