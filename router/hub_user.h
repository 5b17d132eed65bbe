/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of hubs that have a user and no connection, among those that have one.
 */
#ifndef ROUTER_HUB_USER_H
#define ROUTER_HUB_USER_H

#include "router/hub_private.h"

void hub_users_init(struct hub_served *hub);
void hub_users_fini(struct hub_served *hub); /* no call may be left */

/* Its call->conn is nobody's. */
static inline bool hub_call_is_user(const struct hub_call *call)
{
	return call->kind == HUB_CALL_USER_ONLINE || call->kind == HUB_CALL_USER_OFFLINE;
}

/* hub_queue.c: puts one into the queue of a connection that stands for a user. */
void hub_user_call(struct conn *conn, enum hub_call_kind kind);

/* Such a call is over; such a connection is freed when that was the last. */
void hub_user_call_over(const struct hub_call *call);
void hub_user_rest(struct conn *conn);

#endif
