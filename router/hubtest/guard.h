/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which step runs, for the moment when it takes the program with it: a method that
 * crashes or never comes back leaves the scenario's line behind.
 */
#ifndef ROUTER_HUBTEST_GUARD_H
#define ROUTER_HUBTEST_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/slice.h"

/* Of real time, in seconds, that methods may go on between two turns of the loop. */
#define GUARD_PATIENCE 5u
#define GUARD_PATIENCE_MAX 3600u

/* The step at that line; is_shown: stdout has its line already. */
void guard_step(const char *path, size_t line_no, struct slice command, bool is_shown);

/* From now on methods have so many seconds, then the program ends with 1; 0: no limit. */
void guard_patience(unsigned seconds);

/* They have come to rest, or begin again. */
void guard_rest(void);
void guard_begin(void);

/* The line of the step, unless it is shown. Safe in handlers of signals. */
void guard_show(void);

#endif
