/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario says who talks to whom. It is a row of a table: what it is, what it needs,
 * and what happens when a client is ready, a message is due, something was heard. One
 * instance runs in each worker process; client and target numbers are global, so that
 * workers agree without talking: who is in which group follows from numbers alone.
 */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/conf.h"
#include "bench/payload.h"

struct worker;

/*
 * A target is a number too, of what kind in its upper bits, so that each way from a
 * sender to a target is a row of its own in the ledger.
 */
enum target_kind {
	TARGET_ALL,	   /* everybody */
	TARGET_ECHO,	   /* the sender itself */
	TARGET_GROUP,	   /* members of group N */
	TARGET_USER,	   /* connections of user N */
	TARGET_CONNECTION, /* client N */
	TARGET_PAIR,	   /* client N, in a group that it has just joined */
	TARGET_NOBODY,	   /* that group, which it has left */
	TARGET_STREAM,	   /* items of the sender's own stream */
	TARGET_GROUND,	   /* background of what is measured: counted, not timed */
};

#define TARGET_KIND_SHIFT 27
#define TARGET_NUMBER_MAX ((1u << TARGET_KIND_SHIFT) - 1)

static inline uint32_t target_make(enum target_kind kind, uint32_t number)
{
	return ((uint32_t)kind << TARGET_KIND_SHIFT) | (number & TARGET_NUMBER_MAX);
}

static inline enum target_kind target_kind(uint32_t target)
{
	return (enum target_kind)(target >> TARGET_KIND_SHIFT);
}

static inline uint32_t target_number(uint32_t target)
{
	return target & TARGET_NUMBER_MAX;
}

struct scenario {
	const char *name;   /* as --scenario names it: "send-to-group" */
	const char *help;   /* one sentence */
	const char *rate;   /* what --rate counts: "messages/s", "connections/s" ... */
	bool needs_ids;	    /* clients keep their connection id */
	bool needs_results; /* of the dialect */
	bool starts_closed; /* PHASE_CONNECT opens nothing: on_due does */
	bool is_held;	    /* PHASE_MEASURE lasts hold_ms instead of duration_ms */
	bool is_persistent; /* a client that cannot connect tries for ever */

	/* Makes worker->scenario_state, if any, from the configuration; false with
	 * worker_fail() called when the options do not fit. May be NULL. */
	bool (*init)(struct worker *worker);
	void (*fini)(struct worker *worker);

	/* PHASE_SET_UP, once per client: join groups and the like; calls
	 * worker_set_up_done() once per client, at once or when answered. NULL: nothing
	 * to set up. */
	void (*set_up)(struct client *client);

	/* One message (or whatever the rate counts) is due now; the scenario picks the
	 * client. In PHASE_WARM_UP and PHASE_MEASURE. False: no client can do it now; the
	 * worker counts it as skipped, and asks no more in this turn. NULL: nothing is
	 * ever due. */
	bool (*on_due)(struct worker *worker, int64_t due_us);

	/* The client is ready again after the scenario had closed it (churn), or for the
	 * first time. May be NULL. */
	void (*on_ready)(struct client *client);

	/* It failed to open, or ended by itself, and is CLIENT_IDLE; all are about to be
	 * closed, for the run is over; a message came, not judged yet. May be NULL. */
	void (*on_end)(struct client *client, const char *why);
	void (*on_over)(struct worker *worker);
	void (*on_heard)(struct client *client, const struct payload *payload);

	/* A message for this client, read and counted by worker_on_message(). May be
	 * NULL. */
	void (*on_message)(struct client *client, const struct payload *payload);

	/* The answer to invocation `number`, counted by the worker; `result` is a
	 * string's bytes or a number's decimal text; empty: none. May be NULL. */
	void (*on_answer)(struct client *client, uint32_t number, struct slice result,
			  bool is_error);

	/* A server stream's item, or a question (its `id` is to be answered). */
	void (*on_item)(struct client *client, uint32_t number, struct slice payload);
	void (*on_question)(struct client *client, struct slice id, struct slice payload);

	/* How many receivers a message of `sender` to `target` has among the `n` clients
	 * from `first` on: all clients for what the run expects, the worker's own for
	 * in_flight. NULL: 0. */
	uint32_t (*receivers)(const struct bench_conf *conf, uint32_t sender,
			      uint32_t target, uint32_t first, uint32_t n);

	/* Whether `client` is one of them: others are strangers. NULL: all are. */
	bool (*is_receiver)(const struct bench_conf *conf, uint32_t client,
			    uint32_t sender, uint32_t target);
};

/* By name; NULL: none. */
const struct scenario *scenario_named(const char *name);

/* All of them, ended by NULL. */
extern const struct scenario *const scenarios[];

#endif
