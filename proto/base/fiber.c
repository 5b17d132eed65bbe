/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers over ucontext: makecontext() starts a new stack once, every later switch is
 * _setjmp/_longjmp, which make no system call because they leave the signal mask alone. A
 * stack runs many fibers, one after the other, from the endless loop in fiber_main().
 * Under valgrind the switches are guessed right, as the stacks lie far apart.
 */

/* The fortified longjmp aborts unless it goes up the same stack, which ours never does.
 * The macro's name is reserved, but undefining it is the documented way to opt out. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreserved-macro-identifier"
#endif
#undef _FORTIFY_SOURCE

#include "proto/base/fiber.h"

#include <assert.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "proto/base/mem.h"
#include "proto/base/sanitize.h"

#define FIBER_GUARD_BYTES 65536u /* the largest page any kernel uses */

enum fiber_state { FIBER_NEW, FIBER_RUNNING, FIBER_WAITING, FIBER_DONE, FIBER_SPARE };

struct fiber {
	struct fiber *next; /* while spare */
	struct fiber_pool *pool;
	char *map; /* owned: the guard, then the stack */
	fiber_fn *fn;
	void *arg;
	enum fiber_state state;
	bool is_started; /* the stack is inside fiber_main */
	jmp_buf inside;
	jmp_buf outside;
	void *inside_fake, *outside_fake; /* AddressSanitizer's shadow of either stack */
	void *inside_tsan, *outside_tsan; /* ThreadSanitizer's handle of either */
	struct sanitize_stack inside_stack, outside_stack;
};

/* makecontext passes ints only, so the pointer travels in halves. */
union fiber_halves {
	struct fiber *fiber;
	unsigned half[2];
};

struct fiber_pool {
	struct fiber *spare; /* owned; the warmest first */
	size_t spare_n;
	size_t spare_max;
	size_t fibers_n;
	size_t fibers_max;
	struct fiber *running; /* NULL outside any fiber */
};

static struct fiber *fiber_map(struct fiber_pool *pool);
static void fiber_unmap(struct fiber *fiber);
static void fiber_start(struct fiber *fiber) __attribute__((noreturn));
static void fiber_main(unsigned first, unsigned second) __attribute__((noreturn));
static void fiber_leave(struct fiber *fiber, enum fiber_state state);

struct fiber_pool *fiber_pool_new(size_t fibers_max, size_t spare_max)
{
	struct fiber_pool *pool = MEM_NEW(struct fiber_pool);

	pool->fibers_max = fibers_max;
	pool->spare_max = spare_max;
	return pool;
}

void fiber_pool_free(struct fiber_pool *pool)
{
	if (!pool)
		return;
	assert(pool->fibers_n == 0);
	while (pool->spare) {
		struct fiber *fiber = pool->spare;

		pool->spare = fiber->next;
		fiber_unmap(fiber);
	}
	mem_free(pool);
}

size_t fiber_pool_in_use(const struct fiber_pool *pool)
{
	return pool->fibers_n;
}

struct fiber *fiber_new(struct fiber_pool *pool, fiber_fn *fn, void *arg)
{
	struct fiber *fiber = pool->spare;

	assert(fn);
	if (pool->fibers_n >= pool->fibers_max)
		return NULL;
	if (fiber) {
		pool->spare = fiber->next;
		pool->spare_n--;
	} else {
		fiber = fiber_map(pool);
		if (!fiber)
			return NULL;
	}
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->state = FIBER_NEW;
	pool->fibers_n++;
	return fiber;
}

bool fiber_resume(struct fiber *fiber)
{
	struct fiber_pool *pool = fiber->pool;

	assert(!pool->running);
	assert(fiber->state == FIBER_NEW || fiber->state == FIBER_WAITING);
	pool->running = fiber;
	fiber->state = FIBER_RUNNING;
	fiber->outside_tsan = sanitize_fiber_current();
	sanitize_switch(&fiber->outside_fake, &fiber->inside_stack);
	if (_setjmp(fiber->outside) == 0) {
		sanitize_fiber_enter(fiber->inside_tsan);
		if (fiber->is_started)
			_longjmp(fiber->inside, 1);
		fiber_start(fiber);
	}
	sanitize_switched(fiber->outside_fake, &fiber->inside_stack);
	pool->running = NULL;
	return fiber->state == FIBER_DONE;
}

void fiber_yield(struct fiber *self)
{
	assert(self->pool->running == self);
	fiber_leave(self, FIBER_WAITING);
}

bool fiber_is_overrun(const struct fiber *fiber, const void *address)
{
	const char *at = address;

	return fiber != NULL && at >= fiber->map && at < fiber->map + FIBER_GUARD_BYTES;
}

void fiber_free(struct fiber *fiber)
{
	if (!fiber)
		return;

	struct fiber_pool *pool = fiber->pool;

	assert(fiber->state == FIBER_NEW || fiber->state == FIBER_DONE);
	assert(pool->fibers_n > 0);
	pool->fibers_n--;
	if (pool->spare_n >= pool->spare_max) {
		fiber_unmap(fiber);
		return;
	}
	fiber->state = FIBER_SPARE;
	fiber->next = pool->spare;
	pool->spare = fiber;
	pool->spare_n++;
}

static struct fiber *fiber_map(struct fiber_pool *pool)
{
	char *map =
		mmap(NULL, FIBER_GUARD_BYTES + FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	if (mprotect(map, FIBER_GUARD_BYTES, PROT_NONE) != 0) {
		munmap(map, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
		return NULL;
	}

	struct fiber *fiber = MEM_NEW(struct fiber);

	fiber->pool = pool;
	fiber->map = map;
	fiber->inside_stack.ptr = map + FIBER_GUARD_BYTES;
	fiber->inside_stack.len = FIBER_STACK_BYTES;
	fiber->inside_tsan = sanitize_fiber_new();
	return fiber;
}

static void fiber_unmap(struct fiber *fiber)
{
	sanitize_fiber_free(fiber->inside_tsan);
	/* The addresses may come back as something else: no old redzone may stay. */
	sanitize_unpoison(fiber->map, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
	munmap(fiber->map, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
	mem_free(fiber);
}

/* The first switch to a stack: from here on it is inside fiber_main. This frame is left
 * without a return, so the sanitizer's redzones around its locals would stay for ever. */
__attribute__((no_sanitize("address"))) static void fiber_start(struct fiber *fiber)
{
	ucontext_t context;
	union fiber_halves self = { .fiber = fiber };
	int rc = getcontext(&context);

	assert(rc == 0);
	fiber->is_started = true;
	context.uc_link = NULL;
	context.uc_stack.ss_sp = fiber->map + FIBER_GUARD_BYTES;
	context.uc_stack.ss_size = FIBER_STACK_BYTES;
	makecontext(&context, (void (*)(void))fiber_main, 2, self.half[0], self.half[1]);
	setcontext(&context);
	abort(); /* setcontext returns only when it has failed */
}

static void fiber_main(unsigned first, unsigned second)
{
	union fiber_halves self = { .half = { first, second } };
	struct fiber *fiber = self.fiber;

	sanitize_switched(NULL, &fiber->outside_stack);
	for (;;) {
		fiber->fn(fiber, fiber->arg);
		fiber_leave(fiber, FIBER_DONE);
	}
}

/* Back to fiber_resume; returns when the stack is resumed, maybe as another fiber. */
static void fiber_leave(struct fiber *fiber, enum fiber_state state)
{
	bool is_done = state == FIBER_DONE;

	fiber->state = state;
	fiber->inside_fake = NULL;
	sanitize_switch(is_done ? NULL : &fiber->inside_fake, &fiber->outside_stack);
	if (_setjmp(fiber->inside) == 0) {
		sanitize_fiber_enter(fiber->outside_tsan);
		_longjmp(fiber->outside, 1);
	}
	sanitize_switched(fiber->inside_fake, &fiber->outside_stack);
}
