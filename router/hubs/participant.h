/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in a document, and where their cursors are. Who is there says the group: nobody
 * is left behind by a router or gateway that dies. Cursors are state of the hub, one of
 * each connection.
 */
#ifndef ROUTER_HUBS_PARTICIPANT_H
#define ROUTER_HUBS_PARTICIPANT_H

#include "router/hubs/collaboration.h"

/* Connections that are looked at for the list of those who are in a document. */
#define PARTICIPANTS_MAX 256

/* "#1f77b4": the same of a user at all times and in all documents. */
struct slice participant_color(struct slice user_id);

/* The caller's. */
enum hub_rc participant_await_put(struct hub_call *call, struct slice document_id,
				  const struct collaboration_position *cursor);
enum hub_rc participant_await_remove(struct hub_call *call, struct slice document_id);

/* Each user once, with the cursor that was moved last. */
enum hub_rc participant_await_list(struct hub_call *call, struct slice document_id,
				   const struct collaboration_active_user **users,
				   size_t *n);

/* Is a connection of the group's in it? Of a user's, any but the caller's. */
enum hub_rc participant_await_has_connection(struct hub_call *call,
					     struct slice document_id,
					     struct slice connection_id, bool *is_there);
enum hub_rc participant_await_has_others(struct hub_call *call, struct slice document_id,
					 bool *are_there);

#endif
