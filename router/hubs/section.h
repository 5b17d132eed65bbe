/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections of a document: lines that a user asks others to leave alone. They are one
 * list in the state of the hub, changed as a whole, so that of two who want the same
 * lines one gets them. A section ends when it is given back, when its connection ends,
 * and by itself after a while; what a connection has left behind that nobody could end
 * stands in nobody's way.
 *
 * They are for people: operations are not checked against them, and lines are not moved
 * by what is typed above them.
 */
#ifndef ROUTER_HUBS_SECTION_H
#define ROUTER_HUBS_SECTION_H

#include "router/hubs/collaboration.h"

/* What a change of the list ended with, beside HUB_OK. */
struct section_change {
	struct collaboration_section made; /* lock_id empty: none */
	struct slice conflicting_user;	   /* ... since this one has lines of it */
	const struct slice *released;	   /* ids of those that have ended */
	size_t released_n;
};

/* Those that have not expired. */
enum hub_rc section_await_list(struct hub_call *call, struct slice document_id,
			       const struct collaboration_section **sections, size_t *n);

/* The same lines again by the same connection: for longer, by the same id. */
enum hub_rc section_await_lock(struct hub_call *call, struct slice document_id,
			       int64_t start_line, int64_t end_line,
			       struct section_change *change);

/* HUB_OK, too, when there is none of that id. Another user's fails. */
enum hub_rc section_await_unlock(struct hub_call *call, struct slice document_id,
				 struct slice lock_id, struct section_change *change);

/* All of the caller's connection. */
enum hub_rc section_await_leave(struct hub_call *call, struct slice document_id,
				struct section_change *change);

#endif
