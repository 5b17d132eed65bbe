/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One schedule from its seed: a cluster comes up, clients have traffic while faults
 * happen to it, all is healed, everybody who is there must get what is sent now, all
 * leave, and nothing may be left.
 */
#ifndef TESTS_SIM_SCHEDULE_H
#define TESTS_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/history.h"

struct schedule_result {
	bool is_done;
	int64_t virtual_us;
	uint64_t turns;
	uint64_t bytes;
	uint64_t hash;
	unsigned steps; /* faults */
	unsigned handed_over;
	struct history_figures history;
};

/* Fails by sim_fail(). */
void schedule_run(uint64_t seed, int out, bool is_verbose, bool is_quiet,
		  struct schedule_result *result);

#endif
