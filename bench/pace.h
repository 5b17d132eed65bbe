/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When messages are due: an open-loop schedule that does not wait for answers, so that a
 * server that stalls is charged for all that was due meanwhile (no coordinated omission).
 * Pure: time comes in as an argument.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum pace_kind {
	PACE_STEADY,  /* equal distances */
	PACE_POISSON, /* independent arrivals, the harder and more real case */
};

struct pace {
	enum pace_kind kind;
	double interval_us; /* mean */
	double next_us;	    /* when the next one is due */
	uint64_t random;    /* state; seeded */
};

/* `per_second` > 0. The first arrival is somewhere in the first interval after `start_us`
 * (steady), or as far away as any other (poisson): workers do not march in step. */
void pace_init(struct pace *pace, enum pace_kind kind, double per_second,
	       int64_t start_us, uint64_t seed);

/* True, with its time in `*due_us`, while an arrival is due at or before `now_us`; call
 * it until it says false. */
bool pace_take(struct pace *pace, int64_t now_us, int64_t *due_us);

/* Microseconds until the next one; 0: now. */
int64_t pace_wait_us(const struct pace *pace, int64_t now_us);

/* Another rate from now on (step search). What is overdue is forgotten. */
void pace_change(struct pace *pace, double per_second, int64_t now_us);

#endif
