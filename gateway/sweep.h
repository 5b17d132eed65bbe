/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with more receivers than one turn should serve. Such a message is kept with
 * its key (a group, a user) or hub, and each turn gives a slice of the receivers all that
 * they are due, so that others get in between.
 *
 * Nobody can tell by what he receives, only by when: before anything else is sent to a
 * connection, or it leaves the key, it is caught up (sweep_catch_up).
 *
 * Receivers stand in their list by what they have had. A key and its memberships, a hub
 * and its connections count the messages kept for them: `serial` all, `served` those this
 * one has had. A slice takes from the front, gives all that is between the two and moves
 * the receiver to the back, where joiners stand, who are due nothing older. Outside of
 * sweeps all are equal.
 */
#ifndef GATEWAY_SWEEP_H
#define GATEWAY_SWEEP_H

#include "gateway/conn.h"
#include "proto/base/list.h"

struct index_key;
struct parcel;

struct sweep {
	struct list node;      /* in sweeps->active */
	struct hub *hub;       /* borrowed */
	struct index_key *key; /* borrowed; NULL: all of the hub */
	bool is_over;	       /* its key is gone */
	struct list parcels;   /* owned; that someone is still due, oldest first */
	uint32_t parcels_n;
};

/* Messages that one connection, or several, are due. */
struct sweep_due {
	struct parcel **parcels; /* owned array of borrowed */
	size_t n;
	size_t cap;
	size_t bytes; /* as the longest of their protocols has them */
};

/* So many connections are given the same messages together. */
#define SWEEP_BATCH 64

struct sweeps {
	struct list active; /* owned; whose turn it is first */
	size_t active_n;
	size_t of_keys_n;	    /* active ones whose receivers are not all of a hub */
	uint32_t arrivals;	    /* of messages kept; never 0 */
	struct timer timer;	    /* runs while there are active ones */
	struct sweep_due due;	    /* of the connection that is looked at */
	struct sweep_due batch_due; /* of those in `batch` */
	struct conn *batch[SWEEP_BATCH];
	size_t batch_n;
};

void sweeps_init(struct gateway *gateway);
void sweeps_fini(struct gateway *gateway); /* with whatever is kept */

/* Has a message for so many receivers to go by sweep_take()? `sweep` is the key's or
 * hub's, NULL: none is active. */
bool sweep_is_needed(const struct gateway *gateway, const struct sweep *sweep,
		     size_t receivers_n);

/*
 * Keeps the message for the key's members, or (NULL) for all of the hub, but for those it
 * excludes, who must be caught up. False: it is to be sent at once, since it has few
 * receivers or too much is kept already; they are caught up now, which may have ended
 * some, and the key with the last.
 */
MUST_CHECK bool sweep_take(struct gateway *gateway, struct hub *hub,
			   struct index_key *key, const Link__Deliver *deliver);

/* Sends what it is due. May close the connection. */
void sweep_catch_up(struct conn *conn);

/* The last member leaves its key. */
void sweep_on_gone(struct sweep *sweep);

#endif
