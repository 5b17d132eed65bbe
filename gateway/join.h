/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining and leaving. The index changes together with the Member message that tells the
 * key's owner, and only when the owner has it is the answer given: so that the very next
 * send to the group finds the change, wherever it is made.
 */
#ifndef GATEWAY_JOIN_H
#define GATEWAY_JOIN_H

#include "gateway/gateway.h"

/* A hub's wish for one of our connections; Joined goes back to `router`. */
void join_on_join(struct gateway *gateway, struct gateway_router *router,
		  const Link__Join *from);

/* Puts an open connection under its user. ERR_LIMIT: the owner's link is full. */
MUST_CHECK enum err join_user(struct conn *conn);

/* The connection leaves what it is in. ERR_LIMIT: an owner's link is full; what is left
 * is to be told later, by another call. */
MUST_CHECK enum err join_leave_all(struct conn *conn);

/* Leaves without a word: when the process ends. */
void join_forget(struct conn *conn);

/* Tells the owner of `key` of all its members here; for the replay. */
MUST_CHECK enum err join_replay_key(const struct index_key *key);

/* An answer to that router did not fit: starts over with it. */
void join_on_resync(struct loop_flush *flush);

/* Forgets the answers that were still to be given: when the process ends. */
void joins_free(struct gateway *gateway);

#endif
