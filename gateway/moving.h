/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that is on its way from one gateway to another, at either of them
 * (docs/LINK.md, Handing over): handover.c has those that leave, arriving.c those that
 * come. Each router says at some time that what it sends from then on is for the other
 * gateway: it has *cut*. Groups and users are looked up in the index, which changes with
 * the cut; only what goes to all of a hub needs to know who is which.
 */
#ifndef GATEWAY_MOVING_H
#define GATEWAY_MOVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/list.h"
#include "proto/base/timer.h"
#include "proto/link/link.h"

/* Those that leave at a time; the next ones wait for their turn. */
#define HANDOVERS_MAX 64

struct conn;
struct gateway;
struct gateway_router;

/* Part of the gateway. */
struct movings {
	struct list leaving;
	struct list arriving;
	size_t leaving_n;
	uint64_t last_call; /* numbers our own hand-overs */
};

/* First member of both sides' own structs. */
struct moving {
	struct list node;			/* in one of the two lists */
	struct conn *conn;			/* borrowed */
	struct timer timer;			/* of handover_timeout */
	const struct gateway_router **have_cut; /* owned array of borrowed */
	size_t have_cut_n;
	uint64_t call; /* the number of the hand-over, of the gateway that leaves */
};

void movings_init(struct movings *movings);

static inline bool movings_are_any(const struct movings *movings)
{
	return !list_is_empty(&movings->leaving) || !list_is_empty(&movings->arriving);
}

void moving_init(struct moving *moving, struct conn *conn, uint64_t call,
		 timer_fn *on_timer);
void moving_fini(struct moving *moving);

/* NULL: there is none of this connection, or it has another number. */
struct moving *moving_find(const struct list *movings, ProtobufCBinaryData connection,
			   uint64_t call);

/* NULL: it is not among them. */
struct moving *moving_of(const struct list *movings, const struct conn *conn);

void moving_cut(struct moving *moving, const struct gateway_router *router);
bool moving_has_cut(const struct moving *moving, const struct gateway_router *router);

/* What goes to all of a hub, without those who are sent it by way of the other gateway:
 * `deliver` itself, or a copy in `arena`. */
const Link__Deliver *moving_deliver(const struct gateway *gateway,
				    const struct gateway_router *router,
				    const Link__Deliver *deliver, struct arena *arena);

#endif
