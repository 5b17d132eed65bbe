/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of clients that check the promise of joining and leaving, step by step; part of
 * the scenarios join-leave and mixed. A round is: the first joins the pair's own group;
 * when that is answered the second sends to it, which must arrive; when that is confirmed
 * the first leaves; and when that is answered the second sends again, which must not.
 */
#ifndef BENCH_SCENARIO_JOIN_H
#define BENCH_SCENARIO_JOIN_H

#include "bench/scenario.h"

struct pairs; /* opaque; of one worker */

/* The worker's clients two by two; NULL with worker_fail() called: it has only one. */
struct pairs *pairs_new(struct worker *worker);
void pairs_free(struct pairs *pairs);

/* Begins a round of a pair that rests; false: none does. */
bool pairs_begin(struct pairs *pairs, int64_t due_us);

/* The next step, if the answer was to the last. */
void pairs_on_answer(struct pairs *pairs, struct client *client, uint32_t number,
		     bool is_error);

/* Of targets of the kinds TARGET_PAIR and TARGET_NOBODY. */
uint32_t pairs_receivers(uint32_t target, uint32_t first, uint32_t n);
bool pairs_is_receiver(uint32_t client, uint32_t target);

#endif
