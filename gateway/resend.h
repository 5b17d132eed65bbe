/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bookkeeping of a stateful connection (docs/WIRE.md, stateful reconnect): which of
 * the counted messages the client has, which must go out again, and which that come in
 * are new. Ids are implicit, from 1, each direction its own. Pure.
 */
#ifndef GATEWAY_RESEND_H
#define GATEWAY_RESEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/blob.h"
#include "proto/base/err.h"

struct resend {
	/* Out: kept from the first that is not acknowledged to the last that was added.
	 */
	struct blob **ring; /* owned; one reference each */
	uint32_t cap;	    /* a power of two, or 0 */
	uint32_t head;
	uint32_t n;
	uint64_t first_id; /* of ring[head]; the next id when n is 0 */
	uint64_t next_id;  /* of the first that this transport has not been given */
	size_t bytes;	   /* of all that are kept */
	size_t given;	   /* of those that this transport has been given */

	/* In. */
	uint64_t received;   /* the highest id handled */
	uint64_t at;	     /* the id of the last counted message read */
	uint64_t acked;	     /* the last that we told the client */
	bool is_out_of_step; /* a transport is new: nothing counts until a Sequence */
};

void resend_init(struct resend *resend);
void resend_fini(struct resend *resend);

/* ---- out */

/* Keeps a message until it is acknowledged; takes its own reference. */
void resend_add(struct resend *resend, struct blob *wrapped);

/*
 * The next message to give to the transport, borrowed; NULL: none, or those that it was
 * given and the client has not acknowledged are `window` bytes already. The first is
 * always given, however long it is.
 */
struct blob *resend_next(struct resend *resend, size_t window);

/* The client has all up to `id`. ERR_MALFORMED: it was never sent so much. */
MUST_CHECK enum err resend_on_ack(struct resend *resend, uint64_t id);

/* A new transport: all that is kept goes out again. Returns the id to tell in our
 * Sequence. */
uint64_t resend_again(struct resend *resend);

/* The one at this place, from the oldest on; borrowed. */
struct blob *resend_at(const struct resend *resend, uint32_t index);

/* Puts all of `older` in front of what is kept, none of which was given to a transport;
 * `older` ends empty. The first of all has the id `first_id` then, and so much of the
 * client's has been handled: it goes on where another gateway left off. */
void resend_put_in_front(struct resend *resend, struct resend *older, uint64_t first_id,
			 uint64_t received);

/* ---- in */

/* A counted message was read; true: it is new and is to be handled. */
bool resend_on_message(struct resend *resend);

/* What comes next has this id. ERR_MALFORMED: one between is missing for ever. */
MUST_CHECK enum err resend_on_sequence(struct resend *resend, uint64_t id);

/* The id to acknowledge, which counts as told; 0: nothing new. */
uint64_t resend_take_ack(struct resend *resend);

#endif
