/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the engine have with a worker among themselves: client.c tells it
 * what happens, worker.c turns, worker_phase.c does what is due, worker_count.c counts.
 */
#ifndef BENCH_WORKER_PRIVATE_H
#define BENCH_WORKER_PRIVATE_H

#include "bench/worker.h"

/* The parent's word is looked for at least so often. */
#define WORKER_WAIT_MS 10

/* ---- for clients */

/* Where it connects from. */
struct in_addr worker_source(const struct worker *worker, uint32_t index);

/* Its state has changed from `before`. */
void worker_on_state(struct client *client, enum client_state before);
void worker_on_ready(struct client *client);

/* It failed to open, or had been ready and ended by itself. Closed and CLIENT_IDLE. */
void worker_on_end(struct client *client, bool was_ready, const char *why);
void worker_on_hearing(struct client *client, const struct hearing *hearing);
void worker_on_said(struct client *client, const struct saying *saying, bool is_awaited);

/* Something went wrong that is counted: the parent tells what it was last. */
void worker_trouble(struct worker *worker, struct slice why);

/* Answers that will not come any more. */
void worker_forget(struct worker *worker, uint32_t answers_n);

/* ---- inside the engine (worker.c, worker_phase.c) */

/* Enters the phase that the parent has set, and does what is due in it. Returns the
 * microseconds until there is more to do, at most WORKER_WAIT_MS. */
int64_t worker_step(struct worker *worker);

#endif
