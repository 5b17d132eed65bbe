/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway tells its connections to one presence of all, its home. This is a gateway as
 * its home sees it: registered in the store when it begins to tell, again when it begins
 * anew, and reset when its registration is void, so that it does.
 *
 * Until the store has answered with the number, what the gateway tells is held.
 */
#ifndef PRESENCE_HOME_H
#define PRESENCE_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/link/link.h"

struct home_call;
struct presence;
struct process;

enum home_state {
	HOME_ELSEWHERE, /* what it tells is not for us, or it is to begin anew */
	HOME_WANTED,	/* the store could not be asked: again soon */
	HOME_ASKED,
	HOME_HERE,
};

/* Embedded in struct process. */
struct home {
	enum home_state state;
	uint64_t registration;	/* HOME_HERE */
	struct home_call *call; /* HOME_ASKED */
	struct buf held;	/* HOME_WANTED, HOME_ASKED: messages, packed */
	bool is_overrun;	/* more came than is held: it has to begin anew */
	bool is_reset_due;
};

/* Of all gateways. */
struct homes {
	struct presence *presence; /* borrowed */
	struct loop_flush flush;   /* resets who has to begin anew */
	struct list lost;	   /* registrations of lost processes, for this turn */
};

void homes_init(struct homes *homes, struct presence *presence);
void homes_fini(struct homes *homes);

void home_init(struct home *home);

/* It is no one's any more; what is held is void, what the store has ends with its lease.
 */
void home_leave(struct home *home);

/* Its process is lost: unless the same one is back by the end of the turn, so are its
 * connections. */
void home_lost(struct process *gateway);

/* It said that it lives, and whether we are its home. */
void home_on_lease(struct process *gateway, bool is_home);
void home_on_opened(struct process *gateway, const Link__Opened *opened);
void home_on_closed(struct process *gateway, const Link__Closed *closed);
void home_on_replayed(struct process *gateway, const Link__Replayed *replayed);

/* It has to tell everything again: a change of its was not kept. */
void home_reset(struct process *gateway);

/* The same for whoever has this registration; nobody may have it any more. */
void homes_reset(struct homes *homes, uint64_t registration);

/* ... and for all of them: the store has lost what it had. */
void homes_reset_all(struct homes *homes);

/* Asks the store for those it could not be asked for before. */
void homes_retry(struct homes *homes);

#endif
