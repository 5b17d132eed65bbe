/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wheel: level 0 has a slot for each of the next 64 ms, and each level above is 64
 * times coarser. A timer waits at the lowest level that reaches its due time; when the
 * wheel comes to the start of a coarse slot, its timers move down ("cascade"). What lies
 * beyond the top level (12 days) waits in its farthest slot and is placed anew from
 * there.
 *
 * Invariant: a level above 0 never holds a timer in its current slot, and level 0 holds
 * in its current slot only what is due. So an advance goes from one occupied slot to the
 * next, however far it is.
 */
#include "proto/base/timer.h"

#include <assert.h>

#define WHEEL_SLOT_BITS 6
#define WHEEL_TIME_MAX (INT64_MAX / 2)

_Static_assert(WHEEL_SLOTS == 1 << WHEEL_SLOT_BITS,
	       "a slot is a run of bits of the time");
_Static_assert(WHEEL_SLOTS == 64, "a level's slots are the bits of a word");

static void wheel_place(struct wheel *wheel, struct timer *timer);
static void wheel_cascade(struct wheel *wheel);
static int64_t wheel_next(const struct wheel *wheel);

static size_t slot_index(int64_t tick)
{
	return (size_t)tick % WHEEL_SLOTS;
}

/* Takes all timers out of a slot. A stopped one leaves its bit behind, until here. */
static void slot_take(struct wheel *wheel, size_t level, size_t i, struct list *to)
{
	list_splice(to, &wheel->slots[level][i]);
	wheel->occupied[level] &= ~(UINT64_C(1) << i);
}

void wheel_init(struct wheel *wheel, int64_t now_ms)
{
	assert(now_ms >= 0);
	assert(now_ms <= WHEEL_TIME_MAX);
	for (size_t level = 0; level < WHEEL_LEVELS; level++) {
		for (size_t i = 0; i < WHEEL_SLOTS; i++)
			list_init(&wheel->slots[level][i]);
		wheel->occupied[level] = 0;
	}
	wheel->now_ms = now_ms;
	wheel->count = 0;
}

void timer_init(struct timer *timer, timer_fn *fn)
{
	assert(fn);
	list_init(&timer->node);
	timer->due_ms = 0;
	timer->fn = fn;
}

void wheel_start(struct wheel *wheel, struct timer *timer, int64_t due_ms)
{
	assert(timer->fn);
	wheel_stop(wheel, timer);
	timer->due_ms = due_ms;
	wheel_place(wheel, timer);
	wheel->count++;
}

void wheel_stop(struct wheel *wheel, struct timer *timer)
{
	if (!timer_is_running(timer))
		return;
	assert(wheel->count > 0);
	list_remove(&timer->node);
	wheel->count--;
}

void wheel_advance(struct wheel *wheel, int64_t now_ms)
{
	struct list due;
	struct list *node = NULL;
	int64_t next = 0;

	assert(now_ms >= wheel->now_ms);
	assert(now_ms <= WHEEL_TIME_MAX);
	list_init(&due);
	while ((next = wheel_next(wheel)) <= now_ms) {
		wheel->now_ms = next;
		wheel_cascade(wheel);
		slot_take(wheel, 0, slot_index(next), &due);
	}
	wheel->now_ms = now_ms;

	/* Callbacks come last: they find the wheel whole and at its new time. One that
	 * stops another due timer takes it out of `due`; one that starts a timer puts it
	 * into the wheel for a later advance, so this loop ends. */
	while ((node = list_shift(&due))) {
		struct timer *timer = CONTAINER_OF(node, struct timer, node);

		assert(wheel->count > 0);
		wheel->count--;
		timer->fn(timer);
	}
}

int64_t wheel_next_ms(const struct wheel *wheel)
{
	int64_t next = wheel_next(wheel);

	return next == INT64_MAX ? -1 : next - wheel->now_ms;
}

static void wheel_place(struct wheel *wheel, struct timer *timer)
{
	int64_t now = wheel->now_ms;
	int64_t due = timer->due_ms > now ? timer->due_ms : now;
	size_t level = 0;

	while (level < WHEEL_LEVELS - 1 && due - now >= WHEEL_SLOTS) {
		now >>= WHEEL_SLOT_BITS;
		due >>= WHEEL_SLOT_BITS;
		level++;
	}
	if (due - now >= WHEEL_SLOTS)
		due = now + WHEEL_SLOTS - 1;
	list_append(&wheel->slots[level][slot_index(due)], &timer->node);
	wheel->occupied[level] |= UINT64_C(1) << slot_index(due);
}

/* Moves down the timers of each coarse slot that begins now. */
static void wheel_cascade(struct wheel *wheel)
{
	int64_t tick = wheel->now_ms;

	for (size_t level = 1; level < WHEEL_LEVELS; level++) {
		struct list moved;
		struct list *node = NULL;

		if (slot_index(tick) != 0)
			return;
		tick >>= WHEEL_SLOT_BITS;
		list_init(&moved);
		slot_take(wheel, level, slot_index(tick), &moved);
		while ((node = list_shift(&moved)))
			wheel_place(wheel, CONTAINER_OF(node, struct timer, node));
	}
}

/* The first tick from `tick` on whose slot has a timer; above level 0 the current slot is
 * empty. INT64_MAX: none. */
static int64_t level_next(const struct wheel *wheel, unsigned level, int64_t tick)
{
	const size_t start = slot_index(tick);
	const uint64_t bits = wheel->occupied[level];
	/* Bit i is the slot of tick + i. */
	uint64_t ahead =
		start == 0 ? bits : bits >> start | bits << (WHEEL_SLOTS - start);

	if (level > 0)
		ahead &= ~UINT64_C(1);
	for (; ahead != 0; ahead &= ahead - 1) {
		const int64_t at = tick + __builtin_ctzll(ahead);

		if (!list_is_empty(&wheel->slots[level][slot_index(at)]))
			return at;
	}
	return INT64_MAX;
}

/* When the next occupied slot begins, INT64_MAX for never. The start of a coarse slot can
 * come before an occupied finer one, but never before the level's own next boundary. */
static int64_t wheel_next(const struct wheel *wheel)
{
	int64_t next = INT64_MAX;

	if (!wheel->count)
		return next;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		const unsigned shift = level * WHEEL_SLOT_BITS;
		const int64_t tick = wheel->now_ms >> shift;
		const int64_t found = level_next(wheel, level, tick);

		if (found < INT64_MAX && found << shift < next)
			next = found << shift;
	}
	return next;
}
