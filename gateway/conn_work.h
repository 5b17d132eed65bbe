/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is under way at a connection. Most have nothing most of the time, so it is a block
 * of its own, which comes with the first need and goes with the last.
 */
#ifndef GATEWAY_CONN_WORK_H
#define GATEWAY_CONN_WORK_H

#include "gateway/conn.h"
#include "proto/link/session_ticket.h"

struct conn_work {
	struct conn *conn;	  /* borrowed */
	struct list calls;	  /* invoke.h: in flight, oldest first */
	struct list uploads;	  /* upload.h: streams that the client sends */
	struct buf partial;	  /* read, not handled: a start, or all since a pause */
	struct buf held;	  /* whole frames that wait for a move: release.h */
	bool has_held_streams;	  /* ... and begin streams of the client */
	int64_t partial_ms;	  /* loop time at which its message began */
	struct loop_flush resume; /* a pause that is over */
	struct list backlog_node; /* in gateway_router->backlog: CONN_PAUSE_LINK */
	struct timer rate_timer;  /* of CONN_PAUSE_RATE */
	int64_t leave_ms; /* drain.c: it goes when its calls are over, or then; 0: not */
	struct session_ticket connected_ticket;
	struct session_ticket disconnected_tickets[2]; /* of each shard that knows it */
};

struct conn_work *conn_work_need(struct conn *conn);

/* For whoever has ended something, when it is at its own end. */
void conn_work_free_when_idle(struct conn *conn);

static inline size_t conn_partial_bytes(const struct conn *conn)
{
	return conn->work != NULL ? conn->work->partial.len : 0;
}

/* Nothing is read any more; calls, uploads and tickets stay. */
void conn_work_stop(struct conn *conn);

/* Calls and uploads are over. */
void conn_work_free(struct conn *conn);

#endif
