/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done from time to time: sweep the store, in slices that let others have
 * their turn; end its quiet phase once every gateway has had a lease to tell; ask again
 * for what could not be asked.
 */
#ifndef PRESENCE_UPKEEP_H
#define PRESENCE_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "presence/store_answer.h"
#include "proto/base/loop.h"

struct presence;

struct upkeep {
	struct presence *presence; /* borrowed */
	struct timer sweep_timer;
	struct timer settle_timer;
	struct store_call sweep_call;
	struct store_call settle_call;
	bool is_sweeping; /* the store is asked, and has not answered */
	bool is_settling;
	bool is_settled; /* the store's quiet phase is over, as far as we were told */
	bool is_away;	 /* the store was, when we last looked */
	int64_t sweep_due_ms;	/* of its timer */
	int64_t sweep_after_ms; /* not before: gateways were not heard because of us */
	size_t swept_n;		/* connections, since the last time it was said */
	size_t swept_users_n;
};

/* `is_shared`: the store may know gateways that we have not heard yet. */
void upkeep_init(struct upkeep *upkeep, struct presence *presence, bool is_shared);

/* The store is still there, and calls nobody back any more. */
void upkeep_fini(struct upkeep *upkeep);

/* Something was retired: sweep in the next turn. */
void upkeep_sweep_soon(struct upkeep *upkeep);

/* We stood still: leases may have run out for no other reason. */
void upkeep_stalled(struct upkeep *upkeep);

/* The store begins anew, and is quiet again. */
void upkeep_lost(struct upkeep *upkeep);

#endif
