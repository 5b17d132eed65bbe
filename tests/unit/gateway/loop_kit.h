/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop without descriptors whose clock stands until it is told. fake_loop.h defines
 * what it does.
 */
#ifndef TESTS_UNIT_GATEWAY_LOOP_KIT_H
#define TESTS_UNIT_GATEWAY_LOOP_KIT_H

#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/base/timer.h"

struct loop {
	struct wheel wheel;
	struct list flushes;
	struct loop_defer *defers;
	int64_t now_ms;
};

/* One turn; the clock moves `ms` before it. */
void fake_loop_turn(struct loop *loop, int64_t ms);

#endif
