/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One schedule: virtual time, an agenda of what happens when, and chance that comes from
 * the schedule's seed alone. A schedule has a process of its own, so this is global.
 *
 * Nothing here may depend on the machine: the same seed gives the same trace.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

#define SIM_MS INT64_C(1000)
#define SIM_S INT64_C(1000000)

/* ---- life */

/* `out` is where a failure and, when `is_verbose`, the trace go; a descriptor. */
void sim_start(uint64_t seed, int out, bool is_verbose);

/* Virtual microseconds. */
int64_t sim_now(void);

/* ---- chance: each use has a stream of its own, so that one more draw of the product's
 * does not change the faults */

enum sim_chance { SIM_PLAN, SIM_NET, SIM_TURNS, SIM_CLIENTS, SIM_PRODUCT, SIM_CHANCES };

uint64_t sim_random(enum sim_chance of);

/* 0 to n - 1. */
uint64_t sim_below(enum sim_chance of, uint64_t n);

/* low to high, both included. */
int64_t sim_between(enum sim_chance of, int64_t low, int64_t high);

/* True `n` times of a thousand. */
bool sim_often(enum sim_chance of, unsigned n);

/* ---- the agenda */

struct sim_event;
typedef void sim_event_fn(struct sim_event *event);

/* Embedded in who waits. */
struct sim_event {
	sim_event_fn *fn;
	int64_t at;
	uint64_t tie; /* among those of one moment */
	size_t place; /* in the heap, from 1; 0: it waits for nothing */
};

static inline void sim_event_init(struct sim_event *event, sim_event_fn *fn)
{
	*event = (struct sim_event){ .fn = fn };
}

/* At that time, or now if it is past; an event that waits is moved. */
void sim_at(struct sim_event *event, int64_t at);
void sim_after(struct sim_event *event, int64_t delay);
void sim_cancel(struct sim_event *event);

static inline bool sim_is_waiting(const struct sim_event *event)
{
	return event->place != 0;
}

/* Lets everything happen up to that time. */
void sim_run_until(int64_t at);

/* ---- what is told of it */

/* Goes into the trace, which is hashed. */
void sim_trace(const char *fmt, ...) PRINTF_LIKE(1, 2);
uint64_t sim_trace_hash(void);
bool sim_is_verbose(void);

/* A promise is broken: says which and ends the process. */
void sim_fail(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

/* As sim_fail() unless it holds. */
#define sim_expect(holds, ...)                                                           \
	do {                                                                             \
		if (!(holds))                                                            \
			sim_fail(__VA_ARGS__);                                           \
	} while (0)

#endif
