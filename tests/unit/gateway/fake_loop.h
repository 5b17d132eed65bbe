/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for proto/base/loop.c: timers on the real wheel, a clock that moves when it
 * is told to, no descriptors. Definitions: for the one source of a test program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_LOOP_H
#define TESTS_UNIT_GATEWAY_FAKE_LOOP_H

#include "tests/unit/gateway/loop_kit.h"

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

int64_t loop_unix_ms(const struct loop *loop)
{
	return 1700000000000 + loop->now_ms;
}

int64_t loop_clock_us(void)
{
	return 0;
}

void loop_timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms)
{
	wheel_start(&loop->wheel, timer, loop->now_ms + delay_ms);
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	wheel_stop(&loop->wheel, timer);
}

void loop_flush_init(struct loop_flush *flush, loop_flush_fn *fn)
{
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
	defer->fn = fn;
	defer->next = loop->defers;
	loop->defers = defer;
}

void fake_loop_turn(struct loop *loop, int64_t ms)
{
	struct list *node;

	loop->now_ms += ms;
	wheel_advance(&loop->wheel, loop->now_ms);
	while ((node = list_shift(&loop->flushes)) != NULL) {
		struct loop_flush *flush = CONTAINER_OF(node, struct loop_flush, node);

		flush->fn(flush);
	}
	while (loop->defers != NULL) {
		struct loop_defer *defer = loop->defers;

		loop->defers = defer->next;
		defer->fn(defer);
	}
}

#endif
