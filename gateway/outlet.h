/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending half of a transport that has a socket: what waits is written at the end of
 * the turn, with a write event while the kernel takes less than there is, and the time a
 * client may take nothing. Embedded in its transport.
 *
 * What waits is a range of the host's spool and behind it a queue. Only the queue
 * outlives the turn.
 */
#ifndef GATEWAY_OUTLET_H
#define GATEWAY_OUTLET_H

#include "gateway/metrics.h"
#include "gateway/queue.h"
#include "gateway/spool.h"
#include "gateway/transport.h"
#include "proto/base/loop.h"
#include "proto/base/sock.h"

struct outlet;

/* What all outlets of a kind share. */
struct outlet_host {
	struct loop *loop; /* borrowed */
	int64_t send_timeout_ms;
	int64_t close_timeout_ms;
	struct gateway_metrics *metrics; /* borrowed */
	void (*on_timer)(struct outlet *outlet);
	struct spool *spool; /* borrowed; NULL: nothing is copied together */
};

/* What every write looks at comes first, in one cache line. */
struct outlet {
	const struct outlet_host *host; /* borrowed */
	struct spool_range spooled;	/* goes first */
	bool is_reading : 1;		/* the owner wants to hear of what comes in */
	bool is_blocked : 1;		/* the kernel takes no more */
	bool is_waiting : 1; /* ... or did not: the write event is armed, the timer runs
			      */
	bool is_ending : 1;
	struct loop_flush flush;
	struct queue queue;
	struct sock sock;
	/* Owned. Is there while a write is blocked; once outlet_end() was called it is
	 * the deadline for all the rest. */
	struct outlet_timer *timer;
};

/* Takes the socket; `on_io` and `on_flush` are the owner's, as the host's on_timer. */
void outlet_init(struct outlet *outlet, const struct outlet_host *host, struct sock *sock,
		 loop_io_fn *on_io, loop_flush_fn *on_flush);

/* Closes the socket, drops what waits. Not twice. */
void outlet_fini(struct outlet *outlet);

/* Queues it for the end of the turn; takes its own reference. */
void outlet_add(struct outlet *outlet, struct blob *blob);

/* Writes until nothing waits (OK) or the kernel's buffer is full (ERR_AGAIN: goes on by
 * itself). ERR_IO: the socket is lost; nothing was freed. */
MUST_CHECK enum err outlet_write(struct outlet *outlet);

/* For the owner's on_io: when it may write again the flush is touched. */
void outlet_on_ready(struct outlet *outlet, unsigned ready);

void outlet_read(struct outlet *outlet, bool is_reading);

/* What waits because the client does not read. What no write was tried for yet is no sign
 * of that. */
static inline size_t outlet_stuck_bytes(const struct outlet *outlet)
{
	return outlet->is_blocked ? outlet->queue.bytes : 0;
}

/* All that waits. */
static inline size_t outlet_queued_bytes(const struct outlet *outlet)
{
	return spool_range_len(&outlet->spooled) + outlet->queue.bytes;
}

/* It seems that there is too much: a write is tried at once. */
bool outlet_make_room(struct outlet *outlet, size_t len, size_t max);

/* As transport.h's. */
static inline bool outlet_has_room(struct outlet *outlet, size_t len, size_t max)
{
	return outlet_queued_bytes(outlet) + len <= max ||
	       outlet_make_room(outlet, len, max);
}

/* From now on the timer is the deadline of the close. */
void outlet_end(struct outlet *outlet);

#endif
