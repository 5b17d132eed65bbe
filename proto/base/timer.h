/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers on a hierarchical wheel. Pure: time is a parameter, so tests and the simulator
 * run it on a clock of their own. Start, stop and expiry are O(1); a timer costs four
 * words. A timer never fires early; it fires at the first advance at or after its due
 * time.
 */
#ifndef PROTO_BASE_TIMER_H
#define PROTO_BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"

struct timer;

/* May start or stop any timer, itself included, and may free the struct around it. */
typedef void timer_fn(struct timer *timer);

struct timer {
	struct list node;
	int64_t due_ms;
	timer_fn *fn;
};

#define WHEEL_LEVELS 5
#define WHEEL_SLOTS 64

struct wheel {
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	uint64_t occupied[WHEEL_LEVELS]; /* a bit for each slot; one that is not set is
					    empty */
	int64_t now_ms;
	size_t count;
};

void wheel_init(struct wheel *wheel, int64_t now_ms);

/* The function is set once; a timer starts stopped. */
void timer_init(struct timer *timer, timer_fn *fn);

static inline bool timer_is_running(const struct timer *timer)
{
	return list_is_linked(&timer->node);
}

/* (Re)starts `timer` to fire at `due_ms`; a time in the past fires at the next advance.
 */
void wheel_start(struct wheel *wheel, struct timer *timer, int64_t due_ms);

/* Stopping a stopped timer is harmless. */
void wheel_stop(struct wheel *wheel, struct timer *timer);

/* Moves time on and calls what is due, in order of due slots. */
void wheel_advance(struct wheel *wheel, int64_t now_ms);

/* Milliseconds from the wheel's now to the next moment worth an advance; -1 when no timer
 * runs. */
int64_t wheel_next_ms(const struct wheel *wheel);

#endif
