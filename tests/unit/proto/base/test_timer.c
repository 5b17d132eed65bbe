/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer wheel on a clock of the test's own: exact expiry, cascades, jumps, callbacks
 * that start, stop and free; and a random run against a list of due times (TEST_SEED
 * repeats it).
 */
#include "proto/base/timer.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"

static struct wheel wheel;

struct probe {
	struct timer timer;
	struct probe *other; /* what the callback acts on */
	int fired;
	int64_t fired_ms;
	int64_t again_ms;
};

static struct probe probes[8];
static struct probe *order[8];
static size_t order_n;

static void on_probe(struct timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	cr_assert_not(timer_is_running(timer), "a timer is stopped when it fires");
	probe->fired++;
	probe->fired_ms = wheel.now_ms;
	if (order_n < 8)
		order[order_n++] = probe;
}

static void setup(void)
{
	wheel_init(&wheel, 1000);
	for (size_t i = 0; i < 8; i++)
		timer_init(&probes[i].timer, on_probe);
}

TestSuite(timer, .init = setup);

static void start(size_t i, int64_t due_ms)
{
	wheel_start(&wheel, &probes[i].timer, due_ms);
}

static void use(size_t i, timer_fn *fn, size_t other)
{
	timer_init(&probes[i].timer, fn);
	probes[i].other = &probes[other];
}

Test(timer, an_empty_wheel_has_nothing_next)
{
	cr_assert_eq(wheel_next_ms(&wheel), -1);
	wheel_advance(&wheel, 1000000000);
	cr_assert_eq(wheel.now_ms, 1000000000);
}

Test(timer, starts_stopped)
{
	cr_assert_not(timer_is_running(&probes[0].timer));
	wheel_stop(&wheel, &probes[0].timer);
	cr_assert_eq(wheel.count, 0);
}

Test(timer, fires_at_its_time_and_not_before)
{
	start(0, 1010);
	cr_assert(timer_is_running(&probes[0].timer));
	wheel_advance(&wheel, 1009);
	cr_assert_eq(probes[0].fired, 0);
	wheel_advance(&wheel, 1010);
	cr_assert_eq(probes[0].fired, 1);
	wheel_advance(&wheel, 5000);
	cr_assert_eq(probes[0].fired, 1);
	cr_assert_eq(wheel.count, 0);
}

Test(timer, every_distance_is_exact)
{
	/* Either side of each level's reach, from starts at odd places of the wheel. */
	static const int64_t starts[] = { 0, 1, 63, 64, 4095, 262143, 123456789 };

	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (int64_t reach = 1; reach <= (int64_t)1 << 36; reach *= 64) {
			for (int64_t off = reach == 1 ? 0 : -2; off <= 2; off++) {
				int64_t due = starts[s] + reach + off;

				wheel_init(&wheel, starts[s]);
				probes[0].fired = 0;
				start(0, due);
				wheel_advance(&wheel, due - 1);
				cr_assert_eq(probes[0].fired, 0, "%" PRId64, due);
				wheel_advance(&wheel, due);
				cr_assert_eq(probes[0].fired, 1, "%" PRId64, due);
			}
		}
	}
}

Test(timer, due_now_fires_at_the_next_advance_without_time_passing)
{
	start(0, 1000);
	cr_assert_eq(wheel_next_ms(&wheel), 0);
	wheel_advance(&wheel, 1000);
	cr_assert_eq(probes[0].fired, 1);
}

Test(timer, a_time_in_the_past_fires_at_the_next_advance)
{
	start(0, 1);
	start(1, -5);
	wheel_advance(&wheel, 1000);
	cr_assert_eq(probes[0].fired, 1);
	cr_assert_eq(probes[1].fired, 1);
}

Test(timer, stopping_stops)
{
	start(0, 1010);
	wheel_stop(&wheel, &probes[0].timer);
	wheel_stop(&wheel, &probes[0].timer);
	cr_assert_eq(wheel.count, 0);
	wheel_advance(&wheel, 2000);
	cr_assert_eq(probes[0].fired, 0);
}

Test(timer, restarting_moves)
{
	start(0, 1010);
	start(0, 1500);
	cr_assert_eq(wheel.count, 1);
	wheel_advance(&wheel, 1499);
	cr_assert_eq(probes[0].fired, 0);
	wheel_advance(&wheel, 1500);
	cr_assert_eq(probes[0].fired, 1);
}

Test(timer, one_jump_fires_in_order_of_due_times)
{
	start(0, 90000000);
	start(1, 1001);
	start(2, 400000);
	start(3, 70000);
	start(4, 1064);
	wheel_advance(&wheel, 100000000);
	cr_assert_eq(order_n, 5);
	cr_assert_eq(order[0], &probes[1]);
	cr_assert_eq(order[1], &probes[4]);
	cr_assert_eq(order[2], &probes[3]);
	cr_assert_eq(order[3], &probes[2]);
	cr_assert_eq(order[4], &probes[0]);
}

Test(timer, callbacks_see_the_new_time)
{
	start(0, 1010);
	wheel_advance(&wheel, 3000);
	cr_assert_eq(probes[0].fired_ms, 3000);
}

Test(timer, never_is_far_away)
{
	start(0, INT64_MAX);
	wheel_advance(&wheel, (int64_t)1 << 40);
	cr_assert_eq(probes[0].fired, 0);
	cr_assert(timer_is_running(&probes[0].timer));
}

Test(timer, a_jump_of_years_takes_no_walk)
{
	clock_t before = clock();

	for (int i = 0; i < 100; i++) {
		start(0, wheel.now_ms + ((int64_t)1 << 40));
		wheel_advance(&wheel, wheel.now_ms + ((int64_t)1 << 40));
	}
	cr_assert_eq(probes[0].fired, 100);
	/* Walking 2^40 ms a hundred times would take days. */
	cr_assert_lt(clock() - before, 5 * CLOCKS_PER_SEC);
}

Test(timer, next_is_never_late_and_gets_there_in_few_steps)
{
	for (int64_t delay = 0; delay < 40000000; delay = delay * 3 / 2 + 1) {
		int steps = 0;

		probes[0].fired = 0;
		start(0, wheel.now_ms + delay);
		while (!probes[0].fired) {
			int64_t next = wheel_next_ms(&wheel);

			cr_assert_geq(next, 0);
			cr_assert_leq(wheel.now_ms + next, probes[0].timer.due_ms);
			wheel_advance(&wheel, wheel.now_ms + next);
			steps++;
		}
		cr_assert_eq(wheel.now_ms, probes[0].timer.due_ms);
		cr_assert_leq(steps, WHEEL_LEVELS);
	}
}

Test(timer, next_is_exact_for_the_near)
{
	for (int64_t delay = 0; delay < WHEEL_SLOTS; delay++) {
		start(0, 1000 + delay);
		cr_assert_eq(wheel_next_ms(&wheel), delay);
	}
}

Test(timer, time_does_not_go_back, .signal = SIGABRT)
{
	wheel_advance(&wheel, 999);
}

/* ---- callbacks that change the wheel */

static void on_restart_self(struct timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	on_probe(timer);
	wheel_start(&wheel, timer, wheel.now_ms + probe->again_ms);
}

static void on_stop_other(struct timer *timer)
{
	on_probe(timer);
	wheel_stop(&wheel, &CONTAINER_OF(timer, struct probe, timer)->other->timer);
}

static void on_start_other(struct timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	on_probe(timer);
	wheel_start(&wheel, &probe->other->timer, wheel.now_ms + probe->again_ms);
}

Test(timer, a_callback_restarts_its_timer)
{
	use(0, on_restart_self, 0);
	probes[0].again_ms = 100;
	start(0, 1100);
	for (int64_t now = 1000; now <= 2000; now++)
		wheel_advance(&wheel, now);
	cr_assert_eq(probes[0].fired, 10);
}

Test(timer, restarting_for_now_waits_for_the_next_advance)
{
	use(0, on_restart_self, 0);
	start(0, 1000);
	wheel_advance(&wheel, 1000);
	cr_assert_eq(probes[0].fired, 1);
	cr_assert_eq(wheel_next_ms(&wheel), 0);
	wheel_advance(&wheel, 1000);
	cr_assert_eq(probes[0].fired, 2);
}

Test(timer, a_callback_stops_another_due_in_the_same_slot)
{
	use(0, on_stop_other, 1);
	start(0, 1010);
	start(1, 1010);
	start(2, 1010);
	wheel_advance(&wheel, 1010);
	cr_assert_eq(probes[1].fired, 0);
	cr_assert_eq(probes[2].fired, 1);
	cr_assert_eq(wheel.count, 0);
}

Test(timer, a_callback_stops_another_due_in_a_later_slot_of_the_jump)
{
	use(0, on_stop_other, 1);
	start(0, 1010);
	start(1, 900000);
	wheel_advance(&wheel, 1000000);
	cr_assert_eq(probes[1].fired, 0);
	cr_assert_eq(wheel.count, 0);
}

Test(timer, a_callback_restarts_another_due_in_the_same_slot)
{
	use(0, on_start_other, 1);
	probes[0].again_ms = 50;
	start(0, 1010);
	start(1, 1010);
	wheel_advance(&wheel, 1010);
	cr_assert_eq(probes[1].fired, 0);
	wheel_advance(&wheel, 1060);
	cr_assert_eq(probes[1].fired, 1);
}

Test(timer, a_callback_starts_a_stopped_one)
{
	use(0, on_start_other, 1);
	probes[0].again_ms = 5;
	start(0, 1010);
	wheel_advance(&wheel, 1010);
	cr_assert_eq(wheel_next_ms(&wheel), 5);
	wheel_advance(&wheel, 1015);
	cr_assert_eq(probes[1].fired, 1);
}

static void on_free_self(struct timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	probe->other->fired++;
	mem_free(probe);
}

static void on_free_other(struct timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	wheel_stop(&wheel, &probe->other->timer);
	mem_free(probe->other);
	probe->other = NULL;
	probe->fired++;
}

Test(timer, a_callback_frees_its_struct)
{
	for (int i = 0; i < 3; i++) {
		struct probe *probe = MEM_NEW(struct probe);

		timer_init(&probe->timer, on_free_self);
		probe->other = &probes[0];
		wheel_start(&wheel, &probe->timer, 1010);
	}
	wheel_advance(&wheel, 1010);
	cr_assert_eq(probes[0].fired, 3);
}

Test(timer, a_callback_frees_the_next_one_in_its_slot)
{
	struct probe *victim = MEM_NEW(struct probe);

	timer_init(&victim->timer, on_probe);
	use(0, on_free_other, 0);
	probes[0].other = victim;
	start(0, 1010);
	wheel_start(&wheel, &victim->timer, 1010);
	start(1, 1010);
	wheel_advance(&wheel, 1010);
	cr_assert_eq(probes[0].fired, 1);
	cr_assert_eq(probes[1].fired, 1);
}

/* ---- against a model */

#define MODEL_TIMERS 300
#define MODEL_STEPS 20000

struct modelled {
	struct timer timer;
	int64_t due_ms; /* -1 while stopped */
};

static struct modelled modelled[MODEL_TIMERS];
static uint64_t random_state;
static int64_t last_due_ms;

/* xorshift64* */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1du;
}

/* Short and long spans alike: a random number of random bits. */
static int64_t random_span(unsigned bits_max)
{
	return (int64_t)(random_next() >> (63 - random_next() % bits_max));
}

/* What is started late counts as due at the time of its start. */
static void model_start(struct modelled *it, int64_t due_ms)
{
	it->due_ms = due_ms > wheel.now_ms ? due_ms : wheel.now_ms;
	wheel_start(&wheel, &it->timer, due_ms);
}

static void on_modelled(struct timer *timer)
{
	struct modelled *it = CONTAINER_OF(timer, struct modelled, timer);
	struct modelled *other = &modelled[random_next() % MODEL_TIMERS];

	cr_assert_geq(it->due_ms, 0, "a stopped timer fired");
	cr_assert_leq(it->due_ms, wheel.now_ms, "a timer fired early");
	cr_assert_geq(it->due_ms, last_due_ms, "timers fired out of order");
	last_due_ms = it->due_ms;
	it->due_ms = -1;
	switch (random_next() % 6) {
	case 0: /* later than now, so that "all due have fired" can be checked */
		model_start(it, wheel.now_ms + 1 + random_span(30));
		break;
	case 1:
		model_start(other, wheel.now_ms + 1 + random_span(20));
		break;
	case 2:
		other->due_ms = -1;
		wheel_stop(&wheel, &other->timer);
		break;
	default:
		break;
	}
}

static void model_check(void)
{
	size_t count = 0;
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < MODEL_TIMERS; i++) {
		bool is_running = modelled[i].due_ms >= 0;

		cr_assert_eq(timer_is_running(&modelled[i].timer), is_running);
		count += is_running;
		if (is_running && modelled[i].due_ms < first)
			first = modelled[i].due_ms;
	}
	cr_assert_eq(wheel.count, count);
	if (!count) {
		cr_assert_eq(wheel_next_ms(&wheel), -1);
		return;
	}
	cr_assert_geq(wheel_next_ms(&wheel), 0);
	if (first > wheel.now_ms)
		cr_assert_leq(wheel.now_ms + wheel_next_ms(&wheel), first);
}

static void model_step(void)
{
	struct modelled *it = &modelled[random_next() % MODEL_TIMERS];

	switch (random_next() % 8) {
	case 0:
		it->due_ms = -1;
		wheel_stop(&wheel, &it->timer);
		return;
	case 1:
		model_start(it, wheel.now_ms - random_span(10));
		return;
	case 2:
	case 3:
	case 4:
		model_start(it, wheel.now_ms + random_span(33));
		return;
	default:
		break;
	}
	wheel_advance(&wheel, wheel.now_ms + random_span(random_next() % 50 ? 16 : 34));
	for (size_t i = 0; i < MODEL_TIMERS; i++) {
		bool is_due =
			modelled[i].due_ms >= 0 && modelled[i].due_ms <= wheel.now_ms;

		cr_assert_not(is_due, "a timer did not fire");
	}
}

Test(timer, a_random_run_agrees_with_the_model)
{
	const char *seed = getenv("TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	fprintf(stderr, "repeat with: TEST_SEED=%" PRIu64 "\n", random_state);
	random_state = random_state * 2 + 1;
	wheel_init(&wheel, random_span(40));
	for (size_t i = 0; i < MODEL_TIMERS; i++) {
		timer_init(&modelled[i].timer, on_modelled);
		modelled[i].due_ms = -1;
	}
	for (int i = 0; i < MODEL_STEPS; i++) {
		model_step();
		model_check();
	}
}
