/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one worker process has counted, in memory that it shares with the parent: the
 * worker alone writes it, the parent reads it for the progress line and the result. Also
 * the few words by which the parent leads the workers through the phases of a run.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "bench/histogram.h"

/* A run goes through these in order, all workers together. */
enum phase {
	PHASE_CONNECT, /* connections open at the ramp's pace */
	PHASE_SET_UP,  /* groups are joined, and whatever the scenario needs */
	PHASE_WARM_UP, /* traffic that is not measured */
	PHASE_MEASURE,
	PHASE_DRAIN, /* nothing new is sent; what is on the way arrives */
	PHASE_CLOSE,
	PHASES
};

/* X-list: name, help. Counters only grow; what is lost is due_deliveries - deliveries. */
#define STATS_COUNTERS(X)                                                                \
	X(connects_started, "connections begun")                                         \
	X(connects, "connections that are open and ready, in all")                       \
	X(connect_errors, "connections that failed to open")                             \
	X(closes, "connections that ended although nobody asked")                        \
	X(reconnects, "connections opened again by the churn scenario")                  \
	X(sent, "messages sent")                                                         \
	X(sent_bytes, "bytes of their payloads")                                         \
	X(begun, "what --rate counts, of what was due")                                  \
	X(skipped, "the others: no client was free, or in_flight was reached")           \
	X(due_deliveries, "deliveries that what was sent must cause")                    \
	X(deliveries, "messages received, duplicates and strangers aside")               \
	X(delivered_bytes, "bytes of their payloads")                                    \
	X(duplicates, "received twice")                                                  \
	X(reordered, "received after a later one of the same sender and target")         \
	X(gaps, "missing when a later one came")                                         \
	X(strangers, "received by somebody they were not for")                           \
	X(malformed, "received and not understood")                                      \
	X(invocations, "invocations with an answer due")                                 \
	X(results, "answers without error")                                              \
	X(errors, "answers with an error, and refused requests")                         \
	X(joins, "groups joined or left")                                                \
	X(items, "stream items received")                                                \
	X(uploads, "stream items sent")                                                  \
	X(pings, "keep-alive messages sent")

#define STATS_DECLARE(name, help) uint64_t name;

struct stats {
	STATS_COUNTERS(STATS_DECLARE)
	uint64_t open;			/* connections open now */
	struct histogram delivery_us;	/* due -> received, PHASE_MEASURE only */
	struct histogram invocation_us; /* due -> answered, PHASE_MEASURE only */
	struct histogram connect_us;	/* begun -> ready for messages, always */
};

#undef STATS_DECLARE

/* Of rate_milli, between the steps of a search: nothing is begun. */
#define STATS_RATE_PAUSED 1

#define STATS_TROUBLE_BYTES 160

/* One worker's shared page. */
struct share {
	_Atomic int phase;	     /* parent: where the run is; enum phase */
	_Atomic int64_t phase_at_us; /* parent: when it began */
	/* parent: messages a second of all workers, x 1000; 0: closed loop. A search
	 * changes it in PHASE_MEASURE; what the old rate had due is dropped. */
	_Atomic uint64_t rate_milli;
	_Atomic int phase_done; /* worker: the last phase that needs nothing more */
	_Atomic int is_failed;	/* worker: `error` says why; it ends */
	char error[256];
	char trouble[STATS_TROUBLE_BYTES]; /* worker: what went wrong last, in words */
	struct stats stats;		   /* worker */
};

#endif
