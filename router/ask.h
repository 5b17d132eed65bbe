/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions this router has put to others (and to itself) and waits for: each has a
 * number, a deadline, and is answered exactly once: by the answer, by the loss of whom it
 * was put to, or by time.
 */
#ifndef ROUTER_ASK_H
#define ROUTER_ASK_H

#include "proto/base/loop.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

struct ask;
struct redis_reply;
struct state_answer;

/* What came back; the one that was asked for is set when `rc` is OK. Borrowed. */
struct ask_answer {
	enum err rc;
	const Link__Members *members;
	const Link__Answer *answer;
	const struct state_answer *state; /* also when `rc` is what it says */
	const struct redis_reply *reply;
};

/* The ask is over and may be freed or used again. */
typedef void ask_fn(struct ask *ask, const struct ask_answer *answer);

struct asks {
	struct loop *loop; /* borrowed */
	struct map by_number;
	uint64_t last_number;
	size_t old_n; /* that left before asks_age() for an owner of a key */
	size_t old_sends_n;
	void (*on_old_over)(struct asks *asks); /* the last of them is answered */
};

/* How an ask has left. */
enum ask_route {
	ASK_UNROUTED, /* not for the owner of a key, or for one that stays */
	ASK_ROUTED,
	ASK_ROUTED_SEND,
};

struct ask {
	struct asks *asks; /* borrowed */
	ask_fn *fn;
	uint64_t number;
	struct map_node node;
	struct timer timer;
	struct session_ticket ticket;
	const struct link_peer *peer; /* whom; NULL: ourselves */
	enum ask_route route;
	bool is_handled; /* the peer has it: only its answer is missing */
	bool is_old;
};

void asks_init(struct asks *asks, struct loop *loop, uint64_t seed);
void asks_fini(struct asks *asks); /* nothing may be left */

/* Answers all with ERR_CANCELED. */
void asks_cancel(struct asks *asks);

/* Numbers it and starts the clock. */
void ask_start(struct ask *ask, struct asks *asks, int64_t timeout_ms, ask_fn *fn);

/* It goes to `peer`, whose loss answers it from now on; sent with the ticket returned. */
struct session_ticket *ask_put_to(struct ask *ask, const struct link_peer *peer);

/* The same by number; NULL: it is over, nobody waits. */
struct session_ticket *asks_put_to(struct asks *asks, uint64_t number,
				   const struct link_peer *peer);

/* Answers it with ERR_CANCELED: who asked does not wait any more. */
void ask_cancel(struct ask *ask);

/* ERR_OUTCOME to all that `peer` had handled and not answered. */
void asks_on_lost(struct asks *asks, const struct link_peer *peer);

/* Owners are others from now on: what has left for one is old. */
void asks_age(struct asks *asks);

/* ERR_OUTCOME to all that left for owners of keys: these may be others long since. */
void asks_lose_routed(struct asks *asks);

/* NULL: it is over, nobody waits. */
struct ask *asks_find(const struct asks *asks, uint64_t number);

/* Late and unknown numbers are nobody's. */
void asks_answer(struct asks *asks, uint64_t number, const struct ask_answer *answer);

#endif
