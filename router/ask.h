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

/* What came back; the one that was asked for is set when `rc` is OK. Borrowed. */
struct ask_answer {
	enum err rc;
	const Link__Members *members;
	const Link__LogEntries *entries;
};

/* The ask is over and may be freed or used again. */
typedef void ask_fn(struct ask *ask, const struct ask_answer *answer);

struct asks {
	struct loop *loop; /* borrowed */
	struct map by_number;
	uint64_t last_number;
};

struct ask {
	struct asks *asks; /* borrowed */
	ask_fn *fn;
	uint64_t number;
	struct map_node node;
	struct timer timer;
	struct session_ticket ticket;
	const struct link_peer *peer; /* whom; NULL: ourselves */
	bool is_handled;	      /* the peer has it: only its answer is missing */
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

/* ERR_OUTCOME to all that `peer` had handled and not answered. */
void asks_on_lost(struct asks *asks, const struct link_peer *peer);

/* Late and unknown numbers are nobody's. */
void asks_answer(struct asks *asks, uint64_t number, const struct ask_answer *answer);

#endif
