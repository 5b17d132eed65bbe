/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/base/loop.h in virtual time, without libevent. A turn has the order of the real
 * one: descriptors and what was posted (shuffled), timers, flushes, what is put off. How
 * long after its cause a turn comes, and how long it takes, is chance.
 */
#include "tests/sim/loop.h"

#include <assert.h>

#include "proto/base/mem.h"
#include "tests/sim/node.h"
#include "tests/sim/sim.h"
#include "tests/sim/sock.h"

#define IOS_MAX 512u
#define FLUSH_ROUNDS_MAX 64u
#define LAG_MAX 100		   /* microseconds from cause to turn */
#define LAG_RARE_MAX (15 * SIM_MS) /* when others have the processor */
#define COST_MAX 150

struct loop {
	struct sim_node *node; /* borrowed */
	struct sim_event turn;
	struct wheel wheel;
	int64_t now_ms;
	int64_t unix_ms;
	int64_t busy_until;
	struct loop_io *ios[IOS_MAX]; /* that want something */
	size_t ios_n;
	struct list posts;
	struct list flushes;
	struct loop_defer *defers;
	struct loop_defer **defers_last;
	bool is_stopping;
	bool is_turning;
	bool is_paused;
	bool is_killed;
};

static uint64_t turns;

static void on_turn(struct sim_event *event);

static void loop_read_clocks(struct loop *loop)
{
	loop->now_ms = sim_now() / SIM_MS;
	loop->unix_ms = sim_node_unix_ms(loop->node);
}

/* ---- life */

struct loop *loop_new(void)
{
	struct loop *loop = MEM_NEW(struct loop);

	loop->node = sim_node_current();
	sim_event_init(&loop->turn, on_turn);
	list_init(&loop->posts);
	list_init(&loop->flushes);
	loop->defers_last = &loop->defers;
	loop_read_clocks(loop);
	wheel_init(&loop->wheel, loop->now_ms);
	sim_loop_wake(loop);
	return loop;
}

static void run_defers(struct loop *loop)
{
	while (loop->defers != NULL) {
		struct loop_defer *defer = loop->defers;

		loop->defers = defer->next;
		if (loop->defers == NULL)
			loop->defers_last = &loop->defers;
		defer->fn(defer);
	}
}

void loop_free(struct loop *loop)
{
	assert(!loop->is_turning);
	run_defers(loop);
	assert(loop->wheel.count == 0);
	assert(loop->ios_n == 0);
	while (list_shift(&loop->flushes) != NULL)
		;
	sim_cancel(&loop->turn);
	mem_free(loop);
}

void loop_run(struct loop *loop)
{
	(void)loop;
	assert(false); /* the agenda runs it */
}

void loop_turn(struct loop *loop, int64_t wait_ms)
{
	(void)loop;
	(void)wait_ms;
	assert(false);
}

void loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

bool sim_loop_is_stopping(const struct loop *loop)
{
	return loop->is_stopping;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

int64_t loop_unix_ms(const struct loop *loop)
{
	return loop->unix_ms;
}

int64_t loop_clock_us(void)
{
	return sim_now();
}

/* ---- when the next turn is */

static void turn_at(struct loop *loop, int64_t at)
{
	int64_t lag = sim_between(SIM_TURNS, 1, LAG_MAX);

	if (loop->is_paused || loop->is_killed)
		return;
	if (sim_often(SIM_TURNS, 4))
		lag = sim_between(SIM_TURNS, 1, LAG_RARE_MAX);
	at = (at > loop->busy_until ? at : loop->busy_until) + lag;
	if (!sim_is_waiting(&loop->turn) || loop->turn.at > at)
		sim_at(&loop->turn, at);
}

void sim_loop_wake(struct loop *loop)
{
	turn_at(loop, sim_now());
}

static bool has_ready(const struct loop *loop)
{
	for (size_t i = 0; i < loop->ios_n; i++) {
		if (sim_sock_ready(loop_io_fd(loop->ios[i])) & loop->ios[i]->want)
			return true;
	}
	return false;
}

static void plan_next(struct loop *loop)
{
	const int64_t next_ms = wheel_next_ms(&loop->wheel);

	if (loop->defers != NULL || !list_is_empty(&loop->flushes) ||
	    !list_is_empty(&loop->posts) || has_ready(loop))
		turn_at(loop, sim_now());
	if (next_ms >= 0)
		turn_at(loop, (loop->wheel.now_ms + next_ms) * SIM_MS);
}

void sim_post(struct loop *loop, struct sim_post *post)
{
	if (!list_is_linked(&post->node))
		list_append(&loop->posts, &post->node);
	sim_loop_wake(loop);
}

void sim_loop_pause(struct loop *loop, bool is_paused)
{
	loop->is_paused = is_paused;
	if (is_paused)
		sim_cancel(&loop->turn);
	else
		sim_loop_wake(loop);
}

void sim_loop_kill(struct loop *loop)
{
	loop->is_killed = true;
	sim_cancel(&loop->turn);
}

uint64_t sim_loop_turns(void)
{
	return turns;
}

/* ---- descriptors */

void loop_io_init(struct loop_io *io, struct loop *loop, int fd, loop_io_fn *fn)
{
	assert(fd >= 0 && fn != NULL);
	io->event.ev_fd = fd;
	io->loop = loop;
	io->fn = fn;
	io->want = 0;
}

static void ios_remove(struct loop *loop, const struct loop_io *io)
{
	for (size_t i = 0; i < loop->ios_n; i++) {
		if (loop->ios[i] != io)
			continue;
		loop->ios[i] = loop->ios[--loop->ios_n];
		return;
	}
}

void loop_io_want(struct loop_io *io, unsigned want)
{
	struct loop *loop = io->loop;

	assert((want & ~(LOOP_READ | LOOP_WRITE)) == 0);
	if (want == io->want)
		return;
	if (io->want == 0) {
		assert(loop->ios_n < IOS_MAX);
		loop->ios[loop->ios_n++] = io;
	} else if (want == 0) {
		ios_remove(loop, io);
	}
	io->want = want;
	if (want != 0)
		sim_loop_wake(loop);
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
	if (!loop->is_turning)
		plan_next(loop);
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	wheel_stop(&loop->wheel, timer);
}

/* ---- the end of the turn */

void loop_flush_init(struct loop_flush *flush, loop_flush_fn *fn)
{
	list_init(&flush->node);
	flush->fn = fn;
}

void loop_touch(struct loop *loop, struct loop_flush *flush)
{
	if (!list_is_linked(&flush->node))
		list_append(&loop->flushes, &flush->node);
	if (!loop->is_turning)
		sim_loop_wake(loop);
}

void loop_untouch(struct loop_flush *flush)
{
	list_remove(&flush->node);
}

void loop_defer_free(struct loop *loop, struct loop_defer *defer, loop_defer_fn *fn)
{
	defer->fn = fn;
	defer->next = NULL;
	*loop->defers_last = defer;
	loop->defers_last = &defer->next;
}

/* ---- one turn */

static bool is_wanting(const struct loop *loop, const struct loop_io *io)
{
	for (size_t i = 0; i < loop->ios_n; i++) {
		if (loop->ios[i] == io)
			return true;
	}
	return false;
}

static void run_io(struct loop *loop, struct loop_io *io)
{
	unsigned ready;

	/* Those before it may have ended it. */
	if (!is_wanting(loop, io))
		return;
	ready = sim_sock_ready(loop_io_fd(io)) & io->want;
	if (ready != 0)
		io->fn(io, ready);
}

static void run_ios(struct loop *loop)
{
	struct loop_io *ios[IOS_MAX];
	const size_t n = loop->ios_n;

	for (size_t i = 0; i < n; i++) {
		const size_t j = (size_t)sim_below(SIM_TURNS, i + 1);

		if (j != i)
			ios[i] = ios[j];
		ios[j] = loop->ios[i];
	}
	for (size_t i = 0; i < n; i++)
		run_io(loop, ios[i]);
}

static void run_posts(struct loop *loop)
{
	struct list round;
	struct list *node;

	list_init(&round);
	list_splice(&round, &loop->posts);
	while ((node = list_shift(&round)) != NULL) {
		struct sim_post *post = CONTAINER_OF(node, struct sim_post, node);

		post->fn(post);
	}
}

static void run_flushes(struct loop *loop)
{
	struct list round;
	struct list *node;

	list_init(&round);
	for (unsigned i = 0; i < FLUSH_ROUNDS_MAX && !list_is_empty(&loop->flushes);
	     i++) {
		list_splice(&round, &loop->flushes);
		while ((node = list_shift(&round)) != NULL) {
			struct loop_flush *flush =
				CONTAINER_OF(node, struct loop_flush, node);

			flush->fn(flush);
		}
	}
}

static void on_turn(struct sim_event *event)
{
	struct loop *loop = CONTAINER_OF(event, struct loop, turn);
	struct sim_node *node = loop->node;

	assert(!loop->is_turning && !loop->is_paused && !loop->is_killed);
	turns++;
	sim_node_enter(node);
	loop->is_turning = true;
	loop_read_clocks(loop);
	if (sim_often(SIM_TURNS, 500)) {
		run_posts(loop);
		run_ios(loop);
	} else {
		run_ios(loop);
		run_posts(loop);
	}
	wheel_advance(&loop->wheel, loop->now_ms);
	run_flushes(loop);
	run_defers(loop);
	loop->is_turning = false;
	loop->busy_until = sim_now() + sim_between(SIM_TURNS, 1, COST_MAX);
	plan_next(loop);
	sim_node_leave(node);
}
