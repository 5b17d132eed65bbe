/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells every process which processes have a lease: when that changes, and when a process
 * comes up. Until presence has run for a lease it may not have met all, and says so.
 */
#ifndef PRESENCE_TOPOLOGY_H
#define PRESENCE_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/loop.h"

struct presence;

struct topology {
	struct presence *presence; /* borrowed */
	uint64_t version;
	bool is_settled;
	struct timer settle_timer;
	struct loop_flush flush;
};

void topology_init(struct topology *topology, struct presence *presence,
		   int64_t settle_ms);
void topology_fini(struct topology *topology);

/* At the end of the turn everyone who is up is told. */
void topology_changed(struct topology *topology);

/* The same for those who were not told the last time: they were down, or their link full.
 */
void topology_tell(struct topology *topology);

#endif
