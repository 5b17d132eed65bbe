/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends that wait because too much waits for a peer that they go to. What came first to a
 * key leaves first; sends to other keys go their way. It is bounded by link_window, and
 * a send waits no longer than hub_await_timeout.
 */
#ifndef ROUTER_BACKLOG_H
#define ROUTER_BACKLOG_H

#include "proto/link/link.h"

struct router;

/* Keys share them; who shares one with a key that waits, waits too. */
#define BACKLOG_SLOTS 1024u

struct backlog {
	struct router *router; /* borrowed */
	struct list held;      /* oldest first */
	size_t held_n;
	size_t bytes;
	uint32_t slots[BACKLOG_SLOTS]; /* how many wait in each */
	bool is_releasing;
	bool is_full; /* half of what may wait does: no call begins (hub_queue.c) */
	struct loop_flush flush; /* lets go at the end of the turn */
	struct timer timer;	 /* of the oldest */
};

void backlog_init(struct backlog *backlog, struct router *router);
void backlog_fini(struct backlog *backlog);

/* It waits for room, or its peers do not keep up. */
bool backlog_is_on(const struct backlog *backlog);

/*
 * Keeps a copy for as long as the send must wait, and then handles it as if it came now;
 * `origin` NULL: from ourselves. ERR_AGAIN: it need not wait. ERR_LIMIT: too much does.
 */
MUST_CHECK enum err backlog_hold(struct backlog *backlog, struct link_peer *origin,
				 const Link__Send *send);

/* A peer has room, or is gone; or a rebuild is over. */
void backlog_on_room(struct backlog *backlog);

#endif
