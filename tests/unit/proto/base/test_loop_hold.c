/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/loop_hold.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct loop *loop;
static struct timer timer;
static int64_t fired_ms = -1;

static void setup(void)
{
	loop = loop_new();
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(loop_hold, .init = setup, .fini = teardown, .timeout = 60);

static void on_timer(struct timer *which)
{
	cr_assert_eq(which, &timer);
	fired_ms = loop_now_ms(loop);
}

Test(loop_hold, held_time_stands_still)
{
	const int64_t now_ms = loop_now_ms(loop);
	const int64_t before = loop_clock_us();

	loop_hold(loop, 5000);
	while (loop_clock_us() - before < 2000)
		loop_turn(loop, 0);
	cr_assert_eq(loop_now_ms(loop), now_ms);
	cr_assert_eq(loop_unix_ms(loop), 5000);
}

Test(loop_hold, passed_time_stops_at_each_timer)
{
	int64_t started;
	int64_t passed = 0;

	loop_hold(loop, 0);
	timer_init(&timer, on_timer);
	started = loop_now_ms(loop);
	loop_timer_start(loop, &timer, 300000);
	while (fired_ms < 0 && passed < 400000) {
		passed += loop_pass(loop, 400000 - passed);
		loop_turn(loop, 0);
	}
	cr_assert_eq(passed, 300000);
	cr_assert_eq(fired_ms, started + 300000);
	cr_assert_eq(loop_unix_ms(loop), 300000);
	cr_assert_eq(loop_pass(loop, 7), 7);
}

Test(loop_hold, a_held_loop_that_waits_is_a_programmer_error, .signal = SIGABRT)
{
	loop_hold(loop, 0);
	loop_turn(loop, 1);
}
