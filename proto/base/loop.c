/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop over libevent's core. libevent waits and calls descriptor and signal handlers;
 * timers live on our wheel, for which libevent holds a single timeout. The loop owns what
 * is pending for the end of the turn (touched flushes, deferred frees), never the
 * objects.
 */
#include "proto/base/loop.h"

#include <assert.h>
#include <time.h>

#include "proto/base/log.h"
#include "proto/base/loop_hold.h"
#include "proto/base/mem.h"
#include "proto/base/stall.h"

/* Flushes that keep touching each other go on next turn, so that others get served. */
#define FLUSH_ROUNDS_MAX 64u

struct loop {
	struct event_base *base; /* owned */
	struct event timeout;	 /* ends the wait when the wheel has something */
	struct wheel wheel;
	int64_t now_ms;
	int64_t unix_ms;
	struct list flushes;		 /* touched in this turn */
	struct loop_defer *defers;	 /* oldest first */
	struct loop_defer **defers_last; /* where the next one is linked */
	bool is_stopping;
	bool is_turning;
	bool has_turned; /* before that is start-up, which may take its time */
	bool is_awake;	 /* this turn's time has been read */
	bool is_held;	 /* time moves by loop_pass() alone */
};

static void loop_wake(struct loop *loop);
static void loop_wait(struct loop *loop, int64_t wait_ms);
static int64_t loop_wait_ms(const struct loop *loop, int64_t wait_ms);
static void loop_run_flushes(struct loop *loop);
static void loop_run_defers(struct loop *loop);
static void on_timeout(evutil_socket_t fd, short what, void *arg);
static void on_io(evutil_socket_t fd, short what, void *arg);
static void on_signal(evutil_socket_t fd, short what, void *arg);

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts = { 0, 0 };
	int rc = clock_gettime(clock, &ts);

	assert(rc == 0);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t clock_ms(clockid_t clock)
{
	return clock_us(clock) / 1000;
}

int64_t loop_clock_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* ---- life */

struct loop *loop_new(void)
{
	struct loop *loop = MEM_NEW(struct loop);

	loop->base = event_base_new();
	if (!loop->base)
		fatal("the event loop cannot start: no descriptor or memory left");
	evtimer_assign(&loop->timeout, loop->base, on_timeout, loop);
	list_init(&loop->flushes);
	loop->defers_last = &loop->defers;
	loop_wake(loop);
	loop->is_awake = false;
	wheel_init(&loop->wheel, loop->now_ms);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	assert(!loop->is_turning);
	loop_run_defers(loop);
	assert(loop->wheel.count == 0);
	while (list_shift(&loop->flushes))
		; /* only unlinked, so that a late loop_untouch() does not reach us */
	event_del(&loop->timeout);
	event_base_free(loop->base);
	mem_free(loop);
}

void loop_run(struct loop *loop)
{
	while (!loop->is_stopping)
		loop_turn(loop, -1);
	loop->is_stopping = false;
}

void loop_turn(struct loop *loop, int64_t wait_ms)
{
	assert(!loop->is_turning);
	loop->is_turning = true;
	loop_wait(loop, loop_wait_ms(loop, wait_ms));
	loop_wake(loop);
	wheel_advance(&loop->wheel, loop->now_ms);
	loop_run_flushes(loop);
	loop_run_defers(loop);
	loop->is_awake = false;
	loop->is_turning = false;
	loop->has_turned = true;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

int64_t loop_unix_ms(const struct loop *loop)
{
	return loop->unix_ms;
}

/* ---- descriptors */

void loop_io_init(struct loop_io *io, struct loop *loop, int fd, loop_io_fn *fn)
{
	int rc = event_assign(&io->event, loop->base, fd, EV_PERSIST, on_io, io);

	assert(rc == 0);
	assert(fd >= 0);
	assert(fn);
	io->loop = loop;
	io->fn = fn;
	io->want = 0;
}

void loop_io_want(struct loop_io *io, unsigned want)
{
	unsigned what = EV_PERSIST;
	int rc = 0;

	assert((want & ~(LOOP_READ | LOOP_WRITE)) == 0);
	if (want == io->want)
		return;
	if (io->want)
		event_del(&io->event);
	io->want = want;
	if (!want)
		return;
	what |= want & LOOP_READ ? EV_READ : 0u;
	what |= want & LOOP_WRITE ? EV_WRITE : 0u;
	rc = event_assign(&io->event, io->loop->base, loop_io_fd(io), (short)what, on_io,
			  io);
	assert(rc == 0);
	/* Fails for a descriptor that cannot be polled, or for want of kernel memory: the
	 * one is a mistake in the program, the other ends it as in mem_alloc(). */
	rc = event_add(&io->event, NULL);
	assert(rc == 0);
}

void loop_io_fini(struct loop_io *io)
{
	loop_io_want(io, 0);
}

int loop_io_fd(const struct loop_io *io)
{
	return io->event.ev_fd;
}

/* ---- time */

void loop_timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms)
{
	wheel_start(&loop->wheel, timer, loop->now_ms + delay_ms);
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	wheel_stop(&loop->wheel, timer);
}

void loop_hold(struct loop *loop, int64_t unix_ms)
{
	assert(!loop->is_turning);
	loop->is_held = true;
	loop->unix_ms = unix_ms;
}

int64_t loop_pass(struct loop *loop, int64_t ms)
{
	const int64_t next = wheel_next_ms(&loop->wheel);

	assert(loop->is_held && !loop->is_turning);
	assert(ms > 0);
	if (next >= 0 && next < ms)
		ms = next > 0 ? next : 1;
	loop->now_ms += ms;
	loop->unix_ms += ms;
	return ms;
}

/* ---- the end of the turn */

void loop_flush_init(struct loop_flush *flush, loop_flush_fn *fn)
{
	assert(fn);
	list_init(&flush->node);
	flush->fn = fn;
}

void loop_touch(struct loop *loop, struct loop_flush *flush)
{
	if (!list_is_linked(&flush->node))
		list_append(&loop->flushes, &flush->node);
}

void loop_untouch(struct loop_flush *flush)
{
	list_remove(&flush->node);
}

void loop_defer_free(struct loop *loop, struct loop_defer *defer, loop_defer_fn *fn)
{
	assert(fn);
	defer->fn = fn;
	defer->next = NULL;
	*loop->defers_last = defer;
	loop->defers_last = &defer->next;
}

/* ---- signals */

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int signo,
		       loop_signal_fn *fn)
{
	int rc = evsignal_assign(&signal->event, loop->base, signo, on_signal, signal);

	assert(rc == 0);
	assert(fn);
	signal->loop = loop;
	signal->fn = fn;
	rc = event_add(&signal->event, NULL);
	assert(rc == 0);
}

void loop_signal_stop(struct loop_signal *signal)
{
	event_del(&signal->event);
}

/* ---- one turn, in order */

/* What the turn before took after its time was read. */
static int64_t loop_took_ms(const struct loop *loop)
{
	const int64_t took_ms =
		loop->is_held ? 0 : clock_ms(CLOCK_MONOTONIC) - loop->wheel.now_ms;

	if (loop->has_turned)
		stall_note(took_ms);
	return took_ms;
}

/* Pending work does not wait; neither does it wait longer than the wheel allows. */
static int64_t loop_wait_ms(const struct loop *loop, int64_t wait_ms)
{
	const int64_t took_ms = loop_took_ms(loop);
	int64_t next = wheel_next_ms(&loop->wheel);

	assert(!loop->is_held || wait_ms == 0);
	if (loop->defers || !list_is_empty(&loop->flushes))
		return 0;
	if (next < 0 || wait_ms == 0)
		return wait_ms;
	next -= took_ms;
	if (next < 0)
		next = 0;
	return wait_ms < 0 || next < wait_ms ? next : wait_ms;
}

static void loop_wait(struct loop *loop, int64_t wait_ms)
{
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
	int rc = 0;

	if (wait_ms == 0) {
		flags |= EVLOOP_NONBLOCK;
	} else if (wait_ms < 0) {
		event_del(&loop->timeout);
	} else {
		struct timeval tv = { (time_t)(wait_ms / 1000),
				      (suseconds_t)(wait_ms % 1000) * 1000 };

		rc = event_add(&loop->timeout, &tv);
		assert(rc == 0);
	}
	rc = event_base_loop(loop->base, flags);
	assert(rc >= 0);
}

/* The first to run after the wait reads the turn's time. */
static void loop_wake(struct loop *loop)
{
	if (loop->is_awake || loop->is_held)
		return;
	loop->is_awake = true;
	loop->now_ms = clock_ms(CLOCK_MONOTONIC);
	loop->unix_ms = clock_ms(CLOCK_REALTIME);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	loop_wake(arg);
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	unsigned ready = 0;

	(void)fd;
	loop_wake(io->loop);
	ready |= what & EV_READ ? LOOP_READ : 0u;
	ready |= what & EV_WRITE ? LOOP_WRITE : 0u;
	if (ready)
		io->fn(io, ready);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *signal = arg;

	(void)fd;
	(void)what;
	loop_wake(signal->loop);
	signal->fn(signal);
}

static void loop_run_flushes(struct loop *loop)
{
	struct list round;
	struct list *node = NULL;

	list_init(&round);
	for (unsigned i = 0; i < FLUSH_ROUNDS_MAX && !list_is_empty(&loop->flushes);
	     i++) {
		list_splice(&round, &loop->flushes);
		while ((node = list_shift(&round))) {
			struct loop_flush *flush =
				CONTAINER_OF(node, struct loop_flush, node);

			flush->fn(flush);
		}
	}
}

static void loop_run_defers(struct loop *loop)
{
	while (loop->defers) {
		struct loop_defer *defer = loop->defers;

		loop->defers = defer->next;
		if (!loop->defers)
			loop->defers_last = &loop->defers;
		defer->fn(defer);
	}
}
