/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: what runs in which order within a turn, and when a turn waits. Real time,
 * bounded by deadlines, never by sleeps.
 */
#include "proto/base/loop.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/mem.h"

#define LONG_MS 20000 /* a wait that must not happen; the test would take this long */

static struct loop *loop;
static char trace[128]; /* one letter per callback */
static int ends[2];

static void note(char letter)
{
	size_t len = strlen(trace);

	cr_assert_lt(len + 1, sizeof(trace));
	trace[len] = letter;
}

static int64_t real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void setup(void)
{
	loop = loop_new();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
	loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 60);

static void send_byte(void)
{
	cr_assert_eq(write(ends[1], "x", 1), 1);
}

struct owner {
	struct loop_io io;
	struct timer timer;
	struct loop_flush flush;
	struct loop_defer defer;
	struct owner *other;
	int left;
	int64_t seen_ms;
};

static struct owner a;
static struct owner b;

static void on_read(struct loop_io *io, unsigned ready)
{
	struct owner *owner = CONTAINER_OF(io, struct owner, io);
	char bytes[16];

	note('r');
	(void)ready;
	owner->seen_ms = loop_now_ms(loop);
	cr_assert_gt(read(loop_io_fd(io), bytes, sizeof(bytes)), 0);
}

static void on_flush(struct loop_flush *flush)
{
	(void)flush;
	note('f');
}

static void on_defer(struct loop_defer *defer)
{
	(void)defer;
	note('d');
}

static void on_free_owner(struct loop_defer *defer)
{
	note('d');
	mem_free(CONTAINER_OF(defer, struct owner, defer));
}

static void on_timer(struct timer *timer)
{
	note('t');
	CONTAINER_OF(timer, struct owner, timer)->seen_ms = loop_now_ms(loop);
}

/* ---- waiting */

Test(loop, a_turn_of_zero_does_not_wait)
{
	int64_t before = real_ms();

	loop_turn(loop, 0);
	cr_assert_lt(real_ms() - before, LONG_MS / 2);
}

Test(loop, a_turn_of_zero_does_not_wait_for_a_timer)
{
	int64_t before = real_ms();

	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, LONG_MS);
	loop_turn(loop, 0);
	cr_assert_lt(real_ms() - before, LONG_MS / 2);
	cr_assert_str_eq(trace, "");
	loop_timer_stop(loop, &a.timer);
}

Test(loop, a_turn_waits_no_longer_than_told)
{
	int64_t before = real_ms();

	loop_turn(loop, 20);
	cr_assert_geq(real_ms() - before, 10, "it did wait");
	cr_assert_lt(real_ms() - before, LONG_MS);
}

Test(loop, a_short_wait_wins_over_a_far_timer)
{
	int64_t before = real_ms();

	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, LONG_MS);
	loop_turn(loop, 10);
	cr_assert_lt(real_ms() - before, LONG_MS / 2);
	loop_timer_stop(loop, &a.timer);
}

Test(loop, a_flush_touched_before_the_first_turn_does_not_wait)
{
	int64_t before = real_ms();

	loop_flush_init(&a.flush, on_flush);
	loop_touch(loop, &a.flush);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "f");
	cr_assert_lt(real_ms() - before, LONG_MS / 2);
}

Test(loop, a_free_deferred_before_the_first_turn_does_not_wait)
{
	int64_t before = real_ms();

	loop_defer_free(loop, &a.defer, on_defer);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "d");
	cr_assert_lt(real_ms() - before, LONG_MS / 2);
}

/* ---- time */

Test(loop, a_timer_ends_the_wait_at_its_time)
{
	int64_t started = loop_now_ms(loop);

	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, 30);
	while (!trace[0])
		loop_turn(loop, -1);
	cr_assert_geq(a.seen_ms - started, 30);
	cr_assert_lt(a.seen_ms - started, LONG_MS);
}

Test(loop, a_timer_far_enough_to_cascade)
{
	int64_t started = loop_now_ms(loop);

	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, 200);
	while (!trace[0])
		loop_turn(loop, -1);
	cr_assert_geq(a.seen_ms - started, 200);
}

Test(loop, a_timer_of_zero_runs_in_the_next_turn)
{
	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, 0);
	cr_assert_str_eq(trace, "");
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "t");
}

static void on_timer_again(struct timer *timer)
{
	note('t');
	loop_timer_start(loop, timer, 0);
}

Test(loop, a_timer_that_restarts_itself_runs_once_a_turn)
{
	timer_init(&a.timer, on_timer_again);
	loop_timer_start(loop, &a.timer, 0);
	loop_turn(loop, LONG_MS);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "tt");
	loop_timer_stop(loop, &a.timer);
}

Test(loop, a_stopped_timer_does_not_fire)
{
	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, 5);
	loop_timer_stop(loop, &a.timer);
	loop_timer_stop(loop, &a.timer);
	loop_turn(loop, 20);
	cr_assert_str_eq(trace, "");
}

Test(loop, handlers_see_the_time_after_the_wait)
{
	int64_t started = real_ms();
	loop_turn(loop, 20);
	cr_assert_geq(loop_now_ms(loop) - started, 10);
	loop_io_init(&a.io, loop, ends[0], on_read);
	loop_io_want(&a.io, LOOP_READ);
	send_byte();
	started = real_ms();
	loop_turn(loop, LONG_MS);
	cr_assert_geq(a.seen_ms, started);
	loop_io_fini(&a.io);
}

static void on_dawdle(struct loop_flush *flush)
{
	struct owner *owner = CONTAINER_OF(flush, struct owner, flush);
	int64_t now = loop_now_ms(loop);

	note('f');
	while (real_ms() < now + owner->left)
		;
	cr_assert_eq(loop_now_ms(loop), now, "the time stands still within a turn");
}

Test(loop, time_spent_in_a_turn_is_taken_off_the_wait)
{
	loop_flush_init(&a.flush, on_dawdle);
	a.left = 300;
	loop_touch(loop, &a.flush);
	timer_init(&b.timer, on_timer);
	loop_timer_start(loop, &b.timer, 250);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "f");

	int64_t before = real_ms();

	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "ft");
	cr_assert_lt(real_ms() - before, 200, "the timer was due when the turn began");
}

Test(loop, unix_time_is_that_of_the_clock)
{
	int64_t now = (int64_t)time(NULL) * 1000;

	loop_turn(loop, 0);
	cr_assert_geq(loop_unix_ms(loop), now - 1000);
	cr_assert_leq(loop_unix_ms(loop), now + LONG_MS);
}

/* ---- the end of the turn */

static void on_read_touch(struct loop_io *io, unsigned ready)
{
	struct owner *owner = CONTAINER_OF(io, struct owner, io);

	on_read(io, ready);
	loop_touch(loop, &owner->flush);
	loop_touch(loop, &owner->flush);
	loop_defer_free(loop, &owner->defer, on_defer);
}

Test(loop, a_turn_runs_handlers_timers_flushes_frees)
{
	loop_io_init(&a.io, loop, ends[0], on_read_touch);
	loop_flush_init(&a.flush, on_flush);
	timer_init(&a.timer, on_timer);
	loop_io_want(&a.io, LOOP_READ);
	loop_timer_start(loop, &a.timer, 0);
	send_byte();
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "rtfd");
	loop_io_fini(&a.io);
}

Test(loop, touched_once_more_means_once_more_next_turn)
{
	loop_flush_init(&a.flush, on_flush);
	for (int turn = 0; turn < 3; turn++) {
		loop_touch(loop, &a.flush);
		loop_touch(loop, &a.flush);
		loop_turn(loop, LONG_MS);
	}
	cr_assert_str_eq(trace, "fff");
}

Test(loop, untouched_does_not_run)
{
	loop_flush_init(&a.flush, on_flush);
	loop_untouch(&a.flush);
	loop_touch(loop, &a.flush);
	loop_untouch(&a.flush);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "");
}

static void on_flush_touch_other(struct loop_flush *flush)
{
	struct owner *owner = CONTAINER_OF(flush, struct owner, flush);

	note('o');
	if (owner->left-- > 0)
		loop_touch(loop, &owner->other->flush);
}

Test(loop, a_flush_may_touch_others_in_the_same_turn)
{
	loop_flush_init(&a.flush, on_flush_touch_other);
	loop_flush_init(&b.flush, on_flush);
	a.left = 1;
	a.other = &b;
	loop_touch(loop, &a.flush);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "of");
}

static void on_flush_untouch_other(struct loop_flush *flush)
{
	note('u');
	loop_untouch(&CONTAINER_OF(flush, struct owner, flush)->other->flush);
}

Test(loop, a_flush_may_take_back_one_that_is_next)
{
	loop_flush_init(&a.flush, on_flush_untouch_other);
	loop_flush_init(&b.flush, on_flush);
	a.other = &b;
	loop_touch(loop, &a.flush);
	loop_touch(loop, &b.flush);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "u");
}

static void on_flush_forever(struct loop_flush *flush)
{
	CONTAINER_OF(flush, struct owner, flush)->left++;
	loop_touch(loop, flush);
}

Test(loop, a_flush_that_touches_itself_does_not_hold_the_loop)
{
	loop_flush_init(&a.flush, on_flush_forever);
	loop_touch(loop, &a.flush);
	loop_turn(loop, 0);

	int first = a.left;

	cr_assert_gt(first, 1);
	loop_turn(loop, LONG_MS);
	cr_assert_gt(a.left, first, "and goes on next turn, without waiting");
	loop_untouch(&a.flush);
}

static void on_defer_again(struct loop_defer *defer)
{
	struct owner *owner = CONTAINER_OF(defer, struct owner, defer);

	note('D');
	loop_defer_free(loop, &owner->other->defer, on_defer);
	loop_touch(loop, &owner->flush);
}

Test(loop, a_free_may_defer_another_and_touch_for_the_next_turn)
{
	loop_flush_init(&a.flush, on_flush);
	a.other = &b;
	loop_defer_free(loop, &a.defer, on_defer_again);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "Dd");
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "Ddf");
}

Test(loop, frees_run_oldest_first)
{
	static struct owner owners[3];

	loop_defer_free(loop, &owners[0].defer, on_defer);
	owners[1].other = &owners[2];
	loop_flush_init(&owners[1].flush, on_flush);
	loop_defer_free(loop, &owners[1].defer, on_defer_again);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "dDd");
	loop_untouch(&owners[1].flush);
}

Test(loop, what_is_still_deferred_is_freed_with_the_loop)
{
	struct loop *other = loop_new();
	struct owner *owner = MEM_NEW(struct owner);

	loop_defer_free(other, &owner->defer, on_free_owner);
	loop_free(other);
	cr_assert_str_eq(trace, "d");
}

Test(loop, a_touched_flush_outlives_the_loop)
{
	struct loop *other = loop_new();

	loop_flush_init(&a.flush, on_flush);
	loop_touch(other, &a.flush);
	loop_free(other);
	loop_untouch(&a.flush);
	cr_assert_str_eq(trace, "");
}

Test(loop, free_of_null_is_harmless)
{
	loop_free(NULL);
}

Test(loop, a_running_timer_at_the_end_is_a_programmer_error, .signal = SIGABRT)
{
	timer_init(&a.timer, on_timer);
	loop_timer_start(loop, &a.timer, 5);
	loop_free(loop);
}

/* ---- running and stopping */

static void on_stop(struct timer *timer)
{
	struct owner *owner = CONTAINER_OF(timer, struct owner, timer);

	note('s');
	loop_stop(loop);
	loop_touch(loop, &owner->flush);
	loop_defer_free(loop, &owner->defer, on_defer);
}

Test(loop, stop_finishes_the_turn)
{
	timer_init(&a.timer, on_stop);
	loop_flush_init(&a.flush, on_flush);
	loop_timer_start(loop, &a.timer, 1);
	loop_run(loop);
	cr_assert_str_eq(trace, "sfd");
}

Test(loop, stopped_before_it_runs_it_does_not_wait)
{
	loop_stop(loop);
	loop_run(loop);
	cr_assert_str_eq(trace, "");
}

Test(loop, runs_again_after_a_stop)
{
	timer_init(&a.timer, on_stop);
	loop_flush_init(&a.flush, on_flush);
	for (int i = 0; i < 2; i++) {
		loop_timer_start(loop, &a.timer, 1);
		loop_run(loop);
	}
	cr_assert_str_eq(trace, "sfdsfd");
}

static void on_turn_inside(struct timer *timer)
{
	(void)timer;
	loop_turn(loop, 0);
}

Test(loop, a_turn_inside_a_turn_is_a_programmer_error, .signal = SIGABRT)
{
	timer_init(&a.timer, on_turn_inside);
	loop_timer_start(loop, &a.timer, 0);
	loop_turn(loop, 0);
}
