/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's memory budget: near its end nobody new is let in, nearer still the clients
 * that the most waits for are closed.
 */
#ifndef GATEWAY_MEMORY_H
#define GATEWAY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/timer.h"

struct gateway;

enum memory_level { MEMORY_FINE, MEMORY_SHORT, MEMORY_CRITICAL };

/* Part of the gateway. */
struct memory {
	struct timer timer;
	enum memory_level level;
	int64_t machine_bytes; /* what all workers may have, as the system says */
};

/* What follows from `used` of `max` bytes; a level is left a little below where it
 * begins. Pure. */
enum memory_level memory_level_next(enum memory_level level, int64_t used, int64_t max);

void memory_open(struct gateway *gateway);
void memory_close(struct gateway *gateway);

/* Nobody new is let in. */
bool memory_is_short(const struct gateway *gateway);

#endif
