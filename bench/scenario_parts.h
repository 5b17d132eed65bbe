/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scenarios have in common: choosing who sends, joining groups at the start, saying
 * a thing. Each returns or calls back as its caller in bench/scenario.h wants it.
 */
#ifndef BENCH_SCENARIO_PARTS_H
#define BENCH_SCENARIO_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/worker.h"

/* The ledger has a row for each receiver of each sender: where everybody hears everybody,
 * only so many of a worker send. */
#define SENDERS_MAX 16

/* Which clients of a worker begin messages, and which of them is next. */
struct senders {
	uint64_t dice;
	uint32_t n;
	uint32_t *clients; /* owned; global numbers */
};

/* All clients of the worker; or, of each block of `block` clients (numbered globally),
 * the first `per_block` that are the worker's. */
void senders_init(struct senders *senders, const struct worker *worker, uint32_t block,
		  uint32_t per_block);
void senders_fini(struct senders *senders);

/* One that is ready, by chance; NULL: none was found in a few tries. */
struct client *senders_pick(struct senders *senders, struct worker *worker);

/* The scenario's own state, when it is nothing but its senders: everybody, or as in
 * senders_init(). Always true. */
bool senders_state_init(struct worker *worker);
bool senders_state_init_some(struct worker *worker, uint32_t block, uint32_t per_block);
void senders_state_fini(struct worker *worker);

/* Says it, with an answer due when `due_us` >= 0. False: worker_fail() was called, since
 * the protocol has no such verb. */
bool scenario_say(struct client *client, struct saying *saying, int64_t due_us);

/* A message to `target`, without an answer; `saying` has verb and name. */
bool scenario_send(struct client *client, struct saying *saying, uint32_t target,
		   uint32_t *seq, int64_t due_us);

/* PHASE_SET_UP: joins, and says so when answered. */
void scenario_join(struct client *client, uint32_t group);

/* The answer to that; true: it was one, and the scenario has nothing to do with it. */
bool scenario_joined(struct client *client, bool is_error);

/* A result that is the payload of a message: counted as one. */
void scenario_on_echo(struct client *client, uint32_t number, struct slice result,
		      bool is_error);

/* scenario->receivers of what goes to all. */
uint32_t receivers_all(const struct bench_conf *conf, uint32_t sender, uint32_t target,
		       uint32_t first, uint32_t n);

/* Options that the scenario cannot do without; false: worker_fail() was called. */
bool scenario_needs_tokens(struct worker *worker);

#endif
