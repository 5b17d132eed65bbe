/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question about the state of hubs and its answer, as both stores understand them: the
 * memory of the shard that owns the key (state_table.h) and Redis (state_redis.h).
 * router/hub_state.h says what the operations mean.
 */
#ifndef ROUTER_STATE_STATE_H
#define ROUTER_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "router/hub_changes.h"

/* Once an answer has so many bytes, the rest is for the next page. With the one entry
 * that goes over it, it still fits on a link. */
#define STATE_PAGE_BYTES_MAX ((size_t)1 << 20)

enum state_op {
	STATE_NONE, /* none of ours; refused */
	STATE_APPEND,
	STATE_READ,
	STATE_PUT,
	STATE_GET,
	STATE_LIST, /* entries_max 0: all */
	STATE_REMOVE,
	STATE_FORGET,
};

/* Borrows. What an operation does not need is 0. */
struct state_question {
	enum state_op op;
	struct slice hub;
	struct slice key;
	struct slice name;    /* PUT, GET, REMOVE */
	struct slice bytes;   /* APPEND, PUT */
	uint32_t entries_max; /* of the key; READ, LIST: of the answer */
	int64_t ttl_ms;	      /* APPEND, PUT */
	uint64_t expected;    /* APPEND, PUT, REMOVE; or HUB_ANY */
	uint64_t first;	      /* READ, LIST: numbers or versions from it on, ... */
	uint64_t before;      /* ... READ: and below it; 0: no end */
	int64_t wait_ms;      /* LIST: while there is nothing; 0: not at all */
};

struct state_entry {
	uint64_t number; /* of a field: its version */
	struct slice name;
	struct slice bytes;
};

/* Borrowed: dies with the callback that got it, or the next change of the table. */
struct state_answer {
	/* OK; ERR_EXISTS: not what was expected; ERR_NOT_FOUND; ERR_ARGUMENT, ERR_LIMIT:
	 * refused. ERR_CLOSED: it did not happen, ERR_OUTCOME, ERR_IO: perhaps. */
	enum err rc;
	uint64_t number; /* APPEND, PUT, REMOVE: given; with ERR_EXISTS what is there */
	uint64_t last;	 /* READ, LIST: the newest of all, 0: none */
	uint64_t life;	 /* READ: another one is another log of the same key */
	struct state_entry *entries; /* READ, LIST: ascending; GET: one */
	size_t entries_n;
	bool is_more; /* READ: older ones, LIST: newer ones did not fit */
};

/* Whether it keeps to the limits of hub_state.h; else ERR_ARGUMENT or ERR_LIMIT. */
MUST_CHECK enum err state_question_check(const struct state_question *question);

/* Whether it changes anything. */
bool state_op_is_change(enum state_op op);

#endif
