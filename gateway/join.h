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

/* Is an answer about the connection still to be given? */
bool join_is_under_way(const struct gateway *gateway, struct slice connection);

/* A connection goes over: from here on the owner of the key takes it to be the other
 * gateway's, or ours. */
void join_move_away(struct conn *conn, Link__Kind kind, struct slice name);
void join_arrive(struct conn *conn, Link__Kind kind, struct slice name);

/* ... and it is not here: the owner that has moved it is told that it is nowhere. */
void join_undo_move(struct gateway *gateway, struct gateway_router *router,
		    const Link__HandoverMoved *moved, const Link__HandoverKey *key);

/* Leaves without a word: when the process ends. */
void join_forget(struct conn *conn);

/* Tells one owner of `key` of all its members here; for the replay. */
MUST_CHECK enum err join_replay_key(const struct index_key *key,
				    const struct gateway_router *owner);

/* Tells the second owners of the keys that it is in and that move; adds how many it
 * looked at. */
MUST_CHECK enum err join_tell_other(struct conn *conn, size_t *told);

/* The answers to that router are nobody's any more. */
void joins_on_left(const struct gateway_router *router);

/* Forgets the answers that were still to be given: when the process ends. */
void joins_free(struct gateway *gateway);

#endif
