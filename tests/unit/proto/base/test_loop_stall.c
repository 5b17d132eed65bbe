/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which turns of the loop are stalls. Real time; no turn is expected to be short.
 */
#include <criterion/criterion.h>

#include "proto/base/loop.h"
#include "proto/base/stall.h"

#define LONG_MS 20000 /* a wait that must not happen; the test would take this long */

static struct loop *loop;

static void setup(void)
{
	loop = loop_new();
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(loop_stall, .init = setup, .fini = teardown, .timeout = 60);

static void on_busy(struct timer *timer)
{
	const int64_t end_us = loop_clock_us() + STALL_MS * 1000;

	(void)timer;
	while (loop_clock_us() < end_us + 1000)
		;
}

Test(loop_stall, a_turn_that_takes_long_is_a_stall)
{
	const struct stalls before = stalls_counted();
	struct timer timer;

	timer_init(&timer, on_busy);
	loop_timer_start(loop, &timer, 0);
	loop_turn(loop, LONG_MS);
	loop_turn(loop, 0); /* looks back */
	cr_expect_gt(stalls_counted().n, before.n);
	cr_expect_geq(stalls_counted().ms, before.ms + STALL_MS);
}

static void on_idle(struct timer *timer)
{
	(void)timer;
}

Test(loop_stall, a_turn_that_waits_for_long_is_none)
{
	enum { TURNS = 5 };
	const struct stalls before = stalls_counted();
	struct timer timer;

	/* What is short may take long on a busy machine, but not each time. */
	timer_init(&timer, on_idle);
	for (int i = 0; i < TURNS; i++) {
		loop_timer_start(loop, &timer, STALL_MS + 10);
		while (timer_is_running(&timer))
			loop_turn(loop, LONG_MS);
	}
	loop_turn(loop, 0);
	cr_expect_lt(stalls_counted().n, before.n + TURNS);
}
