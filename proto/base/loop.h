/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread, one loop per process. A turn is: wait for events and call their handlers,
 * fire due timers, flush what was touched (once each), free what was deferred. Handlers
 * append to queues and touch; only flush functions write to sockets.
 *
 * Callbacks receive the embedded struct they registered; CONTAINER_OF leads to the owner.
 */
#ifndef PROTO_BASE_LOOP_H
#define PROTO_BASE_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/timer.h"

struct loop;

/* ---- life */

struct loop *loop_new(void);

/* Runs what is deferred, then frees. Every io, timer and signal must be gone before. */
void loop_free(struct loop *loop);

/* Turns until loop_stop(). */
void loop_run(struct loop *loop);

/* One turn, for tests; waits at most `wait_ms` (-1: until an event or timer). */
void loop_turn(struct loop *loop, int64_t wait_ms);

void loop_stop(struct loop *loop); /* the current turn is finished first */

/* Monotonic milliseconds, read once per turn; Unix time, for what people and tokens read
 * and never for timers; monotonic microseconds of this very moment, for measuring. */
int64_t loop_now_ms(const struct loop *loop);
int64_t loop_unix_ms(const struct loop *loop);
int64_t loop_clock_us(void);

/* ---- descriptors */

#define LOOP_READ 1u
#define LOOP_WRITE 2u
struct loop_io;
/* `ready` is LOOP_READ, LOOP_WRITE or both. May call loop_io_fini on itself. */
typedef void loop_io_fn(struct loop_io *io, unsigned ready);

struct loop_io {
	struct event event;
	struct loop *loop; /* borrowed */
	loop_io_fn *fn;
	unsigned want; /* what is armed now */
};

/* Does not own `fd` and arms nothing yet. */
void loop_io_init(struct loop_io *io, struct loop *loop, int fd, loop_io_fn *fn);

/* Level-triggered interest from now on; 0 disarms. Free of cost when nothing changes. */
void loop_io_want(struct loop_io *io, unsigned want);

/* Disarms; does not close. Safe inside its own callback and when called twice. */
void loop_io_fini(struct loop_io *io);
int loop_io_fd(const struct loop_io *io);

/* ---- time */

void loop_timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop *loop, struct timer *timer);

/* ---- the end of the turn */

struct loop_flush;
typedef void loop_flush_fn(struct loop_flush *flush);

struct loop_flush {
	struct list node;
	loop_flush_fn *fn;
};

void loop_flush_init(struct loop_flush *flush, loop_flush_fn *fn);

/* Calls flush->fn once at the end of this turn, however often it is touched until then. A
 * flush function may touch others: they run in the same turn. */
void loop_touch(struct loop *loop, struct loop_flush *flush);

/* Takes a touched flush back; harmless otherwise. */
void loop_untouch(struct loop_flush *flush);

struct loop_defer;
typedef void loop_defer_fn(struct loop_defer *defer);

struct loop_defer {
	struct loop_defer *next;
	loop_defer_fn *fn;
};

/* Calls fn(defer), which frees the owner, after this turn's flushes: when no caller of
 * the owner is on the stack any more. Once per object. */
void loop_defer_free(struct loop *loop, struct loop_defer *defer, loop_defer_fn *fn);

/* ---- signals */

struct loop_signal;
typedef void loop_signal_fn(struct loop_signal *signal);

struct loop_signal {
	struct event event;
	struct loop *loop; /* borrowed */
	loop_signal_fn *fn;
};

/* Runs fn on the loop, in a turn of its own, each time `signo` arrived. */
void loop_signal_start(struct loop *loop, struct loop_signal *signal, int signo,
		       loop_signal_fn *fn);
void loop_signal_stop(struct loop_signal *signal);

#endif
