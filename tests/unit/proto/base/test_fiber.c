/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers: switching, pooling, the cap, deep stacks and the guard page.
 */
#include "proto/base/fiber.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "proto/base/mem.h"
#include "proto/base/sanitize.h"

static struct fiber_pool *pool;

static void setup(void)
{
	pool = fiber_pool_new(4, 2);
}

static void teardown(void)
{
	fiber_pool_free(pool);
}

TestSuite(fiber, .init = setup, .fini = teardown);

static void count_one(struct fiber *self, void *arg)
{
	(void)self;
	++*(int *)arg;
}

/* Yields *arg times, counting down. */
static void count_down(struct fiber *self, void *arg)
{
	int *left = arg;

	while (*left > 0) {
		--*left;
		fiber_yield(self);
	}
}

static void run(struct fiber *fiber)
{
	while (!fiber_resume(fiber))
		;
	fiber_free(fiber);
}

Test(fiber, does_not_start_by_itself)
{
	int n = 0;

	fiber_free(fiber_new(pool, count_one, &n));
	cr_assert_eq(n, 0);
}

Test(fiber, runs_to_its_end)
{
	int n = 0;
	struct fiber *fiber = fiber_new(pool, count_one, &n);

	cr_assert(fiber_resume(fiber));
	cr_assert_eq(n, 1);
	fiber_free(fiber);
}

Test(fiber, stops_at_each_yield)
{
	int left = 3;
	struct fiber *fiber = fiber_new(pool, count_down, &left);

	for (int expected = 2; expected >= 0; expected--) {
		cr_assert_not(fiber_resume(fiber));
		cr_assert_eq(left, expected);
	}
	cr_assert(fiber_resume(fiber));
	fiber_free(fiber);
}

Test(fiber, free_of_null_is_harmless)
{
	fiber_free(NULL);
	fiber_pool_free(NULL);
}

Test(fiber, the_cap_counts_fibers_that_exist)
{
	int n = 0;
	struct fiber *fibers[4];

	for (int i = 0; i < 4; i++) {
		fibers[i] = fiber_new(pool, count_one, &n);
		cr_assert_not_null(fibers[i]);
	}
	cr_assert_eq(fiber_pool_in_use(pool), 4);
	cr_assert_null(fiber_new(pool, count_one, &n));
	fiber_free(fibers[0]);
	cr_assert_eq(fiber_pool_in_use(pool), 3);
	fibers[0] = fiber_new(pool, count_one, &n);
	cr_assert_not_null(fibers[0]);
	for (int i = 0; i < 4; i++)
		run(fibers[i]);
	cr_assert_eq(n, 4);
	cr_assert_eq(fiber_pool_in_use(pool), 0);
}

Test(fiber, a_pool_of_none_gives_none)
{
	struct fiber_pool *none = fiber_pool_new(0, 0);

	cr_assert_null(fiber_new(none, count_one, NULL));
	fiber_pool_free(none);
}

Test(fiber, a_stack_serves_many_fibers)
{
	int n = 0;

	for (int i = 0; i < 1000; i++)
		run(fiber_new(pool, count_one, &n));
	cr_assert_eq(n, 1000);
}

static void note_stack(struct fiber *self, void *arg)
{
	(void)self;
	*(uintptr_t *)arg = (uintptr_t)__builtin_frame_address(0);
}

Test(fiber, the_last_used_stack_is_the_next)
{
	uintptr_t first = 0;
	uintptr_t second = 0;

	run(fiber_new(pool, note_stack, &first));
	run(fiber_new(pool, note_stack, &second));
	cr_assert_eq(first, second);
}

Test(fiber, works_without_spare_stacks)
{
	struct fiber_pool *bare = fiber_pool_new(3, 0);
	int left = 100;

	for (int i = 0; i < 100; i++)
		run(fiber_new(bare, count_down, &left));
	cr_assert_eq(left, 0);
	fiber_pool_free(bare);
}

/* ---- state across switches */

struct worker {
	unsigned seed;
	unsigned sum;
	double product;
};

/* Keeps values of every kind in locals while others run. */
static void work(struct fiber *self, void *arg)
{
	struct worker *worker = arg;
	unsigned sum = worker->seed;
	double product = 1.0;
	char text[200];

	for (unsigned i = 1; i <= 50; i++) {
		memset(text, (int)(worker->seed + i), sizeof(text));
		sum = sum * 31 + i;
		product *= 1.0 + 1.0 / (worker->seed + i);
		fiber_yield(self);
		for (size_t at = 0; at < sizeof(text); at++)
			cr_assert_eq(text[at], (char)(worker->seed + i));
	}
	worker->sum = sum;
	worker->product = product;
}

Test(fiber, interleaved_fibers_keep_their_locals)
{
	struct worker workers[4] = {
		{ .seed = 1 }, { .seed = 2 }, { .seed = 3 }, { .seed = 4 }
	};
	struct fiber *fibers[4];

	for (unsigned i = 0; i < 4; i++)
		fibers[i] = fiber_new(pool, work, &workers[i]);
	for (unsigned turn = 0; turn <= 50; turn++) {
		for (unsigned i = 0; i < 4; i++)
			cr_assert_eq(fiber_resume(fibers[i]), turn == 50);
	}
	for (unsigned i = 0; i < 4; i++) {
		unsigned sum = workers[i].seed;

		for (unsigned k = 1; k <= 50; k++)
			sum = sum * 31 + k;
		cr_assert_eq(workers[i].sum, sum);
		/* The factors (n + 1) / n cancel out. */
		cr_assert_float_eq(workers[i].product,
				   (workers[i].seed + 51.0) / (workers[i].seed + 1.0),
				   1e-9);
		fiber_free(fibers[i]);
	}
}

/* ---- use of another pool's fiber from inside a fiber */

static void run_nested(struct fiber *self, void *arg)
{
	struct fiber_pool *inner = fiber_pool_new(1, 1);
	int left = 2;

	struct fiber *fiber = fiber_new(inner, count_down, &left);

	while (!fiber_resume(fiber))
		fiber_yield(self);
	fiber_free(fiber);
	fiber_pool_free(inner);
	*(int *)arg = left;
}

Test(fiber, pools_nest)
{
	int left = -1;
	struct fiber *fiber = fiber_new(pool, run_nested, &left);

	cr_assert_not(fiber_resume(fiber));
	cr_assert_not(fiber_resume(fiber));
	cr_assert(fiber_resume(fiber));
	cr_assert_eq(left, 0);
	fiber_free(fiber);
}

static void resume_other(struct fiber *self, void *arg)
{
	(void)self;
	fiber_resume(arg);
}

Test(fiber, resuming_inside_a_fiber_is_a_programmer_error, .signal = SIGABRT)
{
	int n = 0;

	fiber_resume(fiber_new(pool, resume_other, fiber_new(pool, count_one, &n)));
}

Test(fiber, resuming_after_the_end_is_a_programmer_error, .signal = SIGABRT)
{
	int n = 0;
	struct fiber *fiber = fiber_new(pool, count_one, &n);

	fiber_resume(fiber);
	fiber_resume(fiber);
}

Test(fiber, freeing_a_waiting_fiber_is_a_programmer_error, .signal = SIGABRT)
{
	int left = 1;
	struct fiber *fiber = fiber_new(pool, count_down, &left);

	fiber_resume(fiber);
	fiber_free(fiber);
}

Test(fiber, yielding_outside_is_a_programmer_error, .signal = SIGABRT)
{
	int n = 0;

	fiber_yield(fiber_new(pool, count_one, &n));
}

Test(fiber, a_pool_in_use_cannot_be_freed, .signal = SIGABRT)
{
	int n = 0;

	fiber_new(pool, count_one, &n);
	fiber_pool_free(pool);
}

/* ---- the stack */

static unsigned dig(unsigned depth)
{
	volatile unsigned char block[1024];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = 1;
	/* Reading after the call keeps the frame from being shared. */
	return depth ? dig(depth - 1) + block[depth] : 1;
}

static void dig_deep(struct fiber *self, void *arg)
{
	*(unsigned *)arg = dig(*(unsigned *)arg);
	fiber_yield(self);
}

Test(fiber, a_deep_stack_fits)
{
	unsigned depth = 80; /* with AddressSanitizer's redzones about 110 of 128 KiB */

	for (int i = 0; i < 3; i++)
		run(fiber_new(pool, dig_deep, &depth));
	cr_assert_eq(depth, 83, "each run dug one deeper");
}

/* AddressSanitizer turns the fault into its own report and abort. */
#if SANITIZE_ADDRESS
#define OVERFLOW_SIGNAL SIGABRT
#else
#define OVERFLOW_SIGNAL SIGSEGV
#endif

#if !SANITIZE_THREAD
Test(fiber, an_overflow_hits_the_guard_page, .signal = OVERFLOW_SIGNAL)
{
	unsigned depth = 200;

	run(fiber_new(pool, dig_deep, &depth));
}
#endif

#if SANITIZE_ADDRESS
static char *leaked;

static void write_too_far(struct fiber *self, void *arg)
{
	char block[32];

	leaked = block;
	fiber_yield(self);
	leaked[*(int *)arg] = 1;
}

Test(fiber, an_overrun_on_a_fiber_stack_is_reported, .signal = SIGABRT)
{
	int at = 32;

	run(fiber_new(pool, write_too_far, &at));
}
#endif

static void jump_about(struct fiber *self, void *arg)
{
	jmp_buf here;

	(void)self;
	if (setjmp(here) == 0)
		longjmp(here, 1);
	++*(int *)arg;
}

Test(fiber, a_longjmp_within_a_fiber_is_its_own_affair)
{
	int n = 0;

	run(fiber_new(pool, jump_about, &n));
	run(fiber_new(pool, jump_about, &n));
	cr_assert_eq(n, 2);
}

static void fill_and_keep(struct fiber *self, void *arg)
{
	char *text = mem_dup("kept", 4);

	fiber_yield(self);
	*(bool *)arg = strcmp(text, "kept") == 0;
	mem_free(text);
}

Test(fiber, heap_memory_may_be_held_across_a_yield)
{
	bool is_kept = false;

	run(fiber_new(pool, fill_and_keep, &is_kept));
	cr_assert(is_kept);
}
