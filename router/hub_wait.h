/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one answer that a call waits for: put a question with `wait->ask`, then
 * hub_wait_end() stops the fiber until the answer is here. What came is in the wait; it
 * was copied to where the call's values live.
 */
#ifndef ROUTER_HUB_WAIT_H
#define ROUTER_HUB_WAIT_H

#include "router/hub_private.h"
#include "router/state/state.h"

/* A key's owner may change while it is asked: so often the next one is. */
#define HUB_OWNERS_MAX 4

struct hub_wait {
	struct ask ask;
	struct hub_call *call;
	enum err rc;
	enum hub_rc hub_rc; /* what the answer itself says when `rc` is OK */
	struct hub_member *members;
	size_t members_n;
	struct slice next;	   /* the cursor behind them */
	struct state_answer state; /* its entries are ours */
	const struct value *result;
	struct slice redis_error;
};

/* NULL: the call is canceled. It waits for await_timeout, or until then. */
MUST_CHECK struct hub_wait *hub_wait_new(struct hub_call *call);
MUST_CHECK struct hub_wait *hub_wait_new_until(struct hub_call *call, int64_t end_ms);

/* When what is awaited from now on, in several questions, has to be there. */
int64_t hub_wait_deadline(const struct hub_call *call);

enum hub_rc hub_wait_end(struct hub_wait *wait);

/* ---- hub_state.c, hub_redis.c: take an answer in */

void hub_wait_take_state(struct hub_wait *wait, const struct state_answer *answer);
void hub_wait_take_reply(struct hub_wait *wait, const struct redis_reply *reply);

#endif
