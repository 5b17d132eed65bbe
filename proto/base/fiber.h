/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers: functions with a stack of their own that can stop in the middle. Only hub
 * methods run in them and only router/hub*.c calls this. Stacks are pooled, guarded by an
 * unreadable page below, FIBER_STACK_BYTES long, and capped in number.
 */
#ifndef PROTO_BASE_FIBER_H
#define PROTO_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#define FIBER_STACK_BYTES (128u * 1024u)

struct fiber;
struct fiber_pool;

typedef void fiber_fn(struct fiber *self, void *arg);

/* At most `fibers_max` fibers exist at once; at most `spare_max` idle stacks are kept. */
struct fiber_pool *fiber_pool_new(size_t fibers_max, size_t spare_max);
void fiber_pool_free(struct fiber_pool *pool); /* all fibers must have been freed */
size_t fiber_pool_in_use(const struct fiber_pool *pool);

/* Not started yet. NULL when the cap is reached or no stack could be mapped. */
struct fiber *fiber_new(struct fiber_pool *pool, fiber_fn *fn, void *arg);

/* Runs until it yields or its function returns; returns true when it has returned. Only
 * from outside any fiber. */
bool fiber_resume(struct fiber *fiber);

/* Only from inside `self`: back to whoever resumed it. */
void fiber_yield(struct fiber *self);

/* Is the address in the guard below its stack, where a stack that is used up ends? */
bool fiber_is_overrun(const struct fiber *fiber, const void *address);

/* The fiber must not have started, or have returned. NULL is legal. */
void fiber_free(struct fiber *fiber);

#endif
