/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One worker process: its share of the clients on one loop. It follows the phases that
 * the parent sets in the shared page, keeps the pace, and counts.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/conf.h"
#include "bench/ledger.h"
#include "bench/pace.h"
#include "bench/payload.h"
#include "bench/scenario.h"
#include "bench/stats.h"
#include "proto/base/arena.h"
#include "proto/base/loop.h"

struct worker {
	const struct bench_conf *conf;	 /* borrowed */
	const struct scenario *scenario; /* borrowed */
	const struct dialect *dialect;	 /* borrowed */
	const struct carrier_ops *carrier;
	struct intake intake;
	struct carrier_site site;
	struct loop *loop;     /* owned */
	struct share *share;   /* shared with the parent */
	struct stats *stats;   /* &share->stats */
	struct ledger *ledger; /* owned */
	struct pace pace;
	struct arena arena; /* of one message heard */
	uint32_t number;    /* this worker: 0 .. conf->workers - 1 */
	uint32_t first;	    /* its clients are first .. first + clients_n - 1 */
	uint32_t clients_n;
	struct client *clients; /* owned */
	uint32_t opening_n;	/* not ready yet, in flight */
	uint32_t ready_n;
	uint32_t lost_n;   /* given up: failed to open too often */
	uint32_t set_up_n; /* clients whose set-up is done */
	enum phase phase;
	void *scenario_state; /* the scenario's own */

	/* ---- the engine's own */
	struct pace ramp;	     /* of connecting */
	struct loop_io tick;	     /* a timer finer than the loop's */
	int64_t tick_us;	     /* for when it is set; 0: not */
	int64_t measure_us;	     /* when PHASE_MEASURE began */
	int64_t progress_us;	     /* when something awaited came last */
	uint64_t rate_milli;	     /* what the pace is set to */
	uint32_t opened_n;	     /* clients opened for the first time */
	uint32_t asked_n;	     /* clients whose set-up was begun */
	uint64_t awaited_deliveries; /* what in_flight holds */
	uint32_t awaited_answers;    /* that, too */
	uint32_t receivers_n;	     /* own, of the last message sent */
	char *payload;		     /* owned; conf->size bytes, its filling written */
	char id[CLIENT_ID_BYTES];
	struct buf out;	  /* one message being said */
	struct buf reply; /* a dialect's */
};

/*
 * The whole life of a worker process; returns its exit code. conf->workers is set.
 *
 * share->phase_done: CONNECT once all clients are ready or given up, SET_UP once all are
 * set up, WARM_UP and MEASURE at once, DRAIN once no answer is due (whether all
 * deliveries have come only the parent sees, by everybody's sums), CLOSE at the end.
 *
 * With a rate of 0 the loop is closed: whenever the window of in_flight (1 if it is 0) is
 * open, the next message is due. It is open while this worker's own clients are due fewer
 * answers than in_flight, and no more deliveries than in_flight - 1 messages like the
 * last one cause. What has not come a second after anything else is not waited for.
 */
int worker_run(const struct bench_conf *conf, uint32_t number, struct share *share);

/* This client, by global index; NULL: another worker's. */
struct client *worker_client(struct worker *worker, uint32_t index);

/* The run cannot go on; the parent prints it. */
void worker_fail(struct worker *worker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- for scenarios */

/* Writes payload head and filling of conf->size into the worker's own buffer, takes its
 * number from ++*seq (the sender's, of this target) and counts it as sent with all the
 * deliveries it must cause. With in_flight it stays in flight until this worker's clients
 * have received all that is due to them. */
struct slice worker_payload(struct client *client, uint32_t target, uint32_t *seq,
			    int64_t due_us);

/*
 * What a message goes through: read, whole as it was sent (malformed), checked against
 * is_receiver (strangers) and ledger (duplicates, reordered, gaps), and only when it is
 * the first of its number to one who should have it counted in deliveries and, unless its
 * target is TARGET_GROUND, timed. So due_deliveries - deliveries of the whole run is what
 * was lost. Scenarios call it for payloads that come as results or questions.
 */
void worker_on_message(struct client *client, struct slice text);

/* The ledger's part of that alone, for what has numbers but no head (stream items): true
 * when it is to be counted in deliveries. */
bool worker_note(struct client *client, uint32_t sender, uint32_t target, uint32_t seq);

void worker_set_up_done(struct client *client);

/* Opens a closed client, whose connect time counts from `due_us`; closes one. What the
 * worker counts of open and opening clients stays right. */
void worker_open(struct client *client, int64_t due_us);
void worker_close(struct client *client);

bool worker_is_measuring(const struct worker *worker);

#endif
