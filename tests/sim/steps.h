/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a cluster, at random: steps of the tables in steps*.c, begun again and
 * again. A schedule leaves most kinds out, so that those that are left meet more often.
 */
#ifndef TESTS_SIM_STEPS_H
#define TESTS_SIM_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/sim.h"

/* Which kinds this schedule has. */
void steps_choose(void);

/* Routers come and go by the list. */
bool steps_has_reshard(void);

/* Gateways are restarted one after the other, and nothing else happens that a client with
 * stateful reconnect could notice: it must keep its session, and its calls must be done.
 */
bool steps_is_rolling(void);

/* Whatever a living process says arrives at once, and is read at once. */
bool steps_keep_in_touch(void);

/* Nothing happens to presence: it can always say which gateways live. */
bool steps_spare_presence(void);

void steps_begin(void);

/* No more, and all that was done is undone: processes go on or are started, ways are
 * open. */
void steps_end(void);

unsigned steps_n(void);

/* ---- for the tables */

enum step_kind {
	STEP_HARSH,
	STEP_OF_PRESENCE, /* ... to presence, too */
	STEP_GENTLE,	  /* nobody loses anything by it but by its own will */
	STEP_ROLL,	  /* ... and only for rolling schedules */
};

struct step {
	const char *name;
	unsigned weight;
	void (*run)(void);
	enum step_kind kind;
};

extern const struct step steps_process[];
extern const size_t steps_process_n;
extern const struct step steps_network[];
extern const size_t steps_network_n;
extern const struct step steps_clients[];
extern const size_t steps_clients_n;

/* What is to be done later; steps_end() forgets it. */
struct later;
typedef void later_fn(unsigned a, unsigned b);
void steps_later(int64_t delay, later_fn *fn, unsigned a, unsigned b);

/* Of the cluster's processes that something may happen to, up or not. */
unsigned steps_any_node(void);

#endif
