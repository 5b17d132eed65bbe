/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's descriptors and signals: what is armed, what a callback is told, and ending
 * an io inside callbacks. What a turn does besides is in test_loop.c.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/loop.h"
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

TestSuite(loop_io, .init = setup, .fini = teardown, .timeout = 60);

static void send_byte(void)
{
	cr_assert_eq(write(ends[1], "x", 1), 1);
}

struct owner {
	struct loop_io io;
	struct loop_flush flush;
	struct loop_defer defer;
	struct loop_signal signal;
	struct owner *other;
	unsigned ready;
};

static struct owner a;
static struct owner b;

static void on_ready(struct loop_io *io, unsigned ready)
{
	note('i');
	CONTAINER_OF(io, struct owner, io)->ready = ready;
}

static void on_flush(struct loop_flush *flush)
{
	(void)flush;
	note('f');
}

Test(loop_io, a_readable_descriptor_ends_the_wait)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	cr_assert_eq(loop_io_fd(&a.io), ends[0]);
	loop_io_want(&a.io, LOOP_READ);
	send_byte();
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "i");
	cr_assert_eq(a.ready, LOOP_READ);
	loop_io_fini(&a.io);
}

Test(loop_io, interest_is_level_triggered_until_withdrawn)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, LOOP_READ);
	send_byte();
	loop_turn(loop, LONG_MS);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "ii");
	loop_io_want(&a.io, 0);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "ii");
	loop_io_want(&a.io, LOOP_READ);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "iii");
	loop_io_fini(&a.io);
}

Test(loop_io, init_arms_nothing)
{
	send_byte();
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "");
	loop_io_fini(&a.io);
}

Test(loop_io, read_and_write_are_told_apart)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, LOOP_READ | LOOP_WRITE);
	loop_turn(loop, LONG_MS);
	cr_assert_eq(a.ready, LOOP_WRITE);
	send_byte();
	loop_turn(loop, LONG_MS);
	cr_assert_eq(a.ready, LOOP_READ | LOOP_WRITE);
	loop_io_want(&a.io, LOOP_READ);
	loop_turn(loop, LONG_MS);
	cr_assert_eq(a.ready, LOOP_READ);
	loop_io_fini(&a.io);
}

Test(loop_io, a_hangup_is_readable)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, LOOP_READ);
	shutdown(ends[1], SHUT_RDWR);
	loop_turn(loop, LONG_MS);
	cr_assert_eq(a.ready, LOOP_READ);
	loop_io_fini(&a.io);
}

Test(loop_io, fini_twice_is_harmless)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, LOOP_READ);
	loop_io_fini(&a.io);
	loop_io_fini(&a.io);
	send_byte();
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "");
}

static void on_free_owner(struct loop_defer *defer)
{
	note('d');
	mem_free(CONTAINER_OF(defer, struct owner, defer));
}

static void on_close(struct loop_io *io, unsigned ready)
{
	struct owner *owner = CONTAINER_OF(io, struct owner, io);

	(void)ready;
	note('i');
	loop_io_fini(io);
	loop_defer_free(loop, &owner->defer, on_free_owner);
}

Test(loop_io, a_callback_may_end_its_own_io_and_owner)
{
	struct owner *owner = MEM_NEW(struct owner);

	loop_io_init(&owner->io, loop, ends[0], on_close);
	loop_io_want(&owner->io, LOOP_READ | LOOP_WRITE);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "id");
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "id");
}

static void on_end_both(struct loop_io *io, unsigned ready)
{
	struct owner *owner = CONTAINER_OF(io, struct owner, io);

	(void)ready;
	note('i');
	loop_io_fini(io);
	loop_io_fini(&owner->other->io);
}

Test(loop_io, a_callback_may_end_another_that_is_ready_too)
{
	loop_io_init(&a.io, loop, ends[0], on_end_both);
	loop_io_init(&b.io, loop, ends[1], on_end_both);
	a.other = &b;
	b.other = &a;
	loop_io_want(&a.io, LOOP_WRITE);
	loop_io_want(&b.io, LOOP_WRITE);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "i");
}

Test(loop_io, a_busy_descriptor_does_not_keep_a_turn_of_zero)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, LOOP_WRITE);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "i");
	loop_io_fini(&a.io);
}

Test(loop_io, a_foreign_interest_is_a_programmer_error, .signal = SIGABRT)
{
	loop_io_init(&a.io, loop, ends[0], on_ready);
	loop_io_want(&a.io, 4);
}

/* ---- signals */

static void on_usr1(struct loop_signal *signal)
{
	(void)signal;
	note('g');
	loop_touch(loop, &a.flush);
}

Test(loop_io, a_signal_runs_on_the_loop)
{
	loop_flush_init(&a.flush, on_flush);
	loop_signal_start(loop, &a.signal, SIGUSR1, on_usr1);
	raise(SIGUSR1);
	cr_assert_str_eq(trace, "", "not in the signal's context");
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "gf");
	raise(SIGUSR1);
	loop_turn(loop, LONG_MS);
	cr_assert_str_eq(trace, "gfgf");
	loop_signal_stop(&a.signal);
}

Test(loop_io, a_stopped_signal_is_not_ours)
{
	struct sigaction was;

	signal(SIGUSR1, SIG_IGN);
	loop_signal_start(loop, &a.signal, SIGUSR1, on_usr1);
	loop_signal_stop(&a.signal);
	cr_assert_eq(sigaction(SIGUSR1, NULL, &was), 0);
	cr_assert_eq(was.sa_handler, SIG_IGN, "the former action is back");
	raise(SIGUSR1);
	loop_turn(loop, 0);
	cr_assert_str_eq(trace, "");
}
