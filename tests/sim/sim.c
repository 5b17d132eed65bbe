/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap of events, and splitmix64 for chance.
 */
#include "tests/sim/sim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_MAX 65536u
#define LINE_BYTES 4096
#define TIME_AT_START (1000 * SIM_S)
#define EXIT_BROKEN 3

static struct {
	uint64_t chances[SIM_CHANCES];
	int64_t now;
	struct sim_event *heap[EVENTS_MAX + 1]; /* from 1 */
	size_t n;
	uint64_t hash;
	uint64_t seed;
	int out;
	bool is_verbose;
} sim;

/* ---- chance */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t sim_random(enum sim_chance of)
{
	sim.chances[of] += UINT64_C(0x9e3779b97f4a7c15);
	return mix(sim.chances[of]);
}

uint64_t sim_below(enum sim_chance of, uint64_t n)
{
	assert(n > 0);
	return sim_random(of) % n;
}

int64_t sim_between(enum sim_chance of, int64_t low, int64_t high)
{
	assert(low <= high);
	return low + (int64_t)sim_below(of, (uint64_t)(high - low) + 1);
}

bool sim_often(enum sim_chance of, unsigned n)
{
	return sim_below(of, 1000) < n;
}

/* ---- life */

void sim_start(uint64_t seed, int out, bool is_verbose)
{
	sim.seed = seed;
	sim.out = out;
	sim.is_verbose = is_verbose;
	sim.now = TIME_AT_START;
	for (size_t i = 0; i < SIM_CHANCES; i++)
		sim.chances[i] = mix(seed * SIM_CHANCES + i + 1);
}

int64_t sim_now(void)
{
	return sim.now;
}

bool sim_is_verbose(void)
{
	return sim.is_verbose;
}

/* ---- the agenda */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void put(size_t place, struct sim_event *event)
{
	sim.heap[place] = event;
	event->place = place;
}

static void rise(struct sim_event *event)
{
	size_t place = event->place;

	while (place > 1 && is_before(event, sim.heap[place / 2])) {
		put(place, sim.heap[place / 2]);
		place /= 2;
	}
	put(place, event);
}

static void sink(struct sim_event *event)
{
	size_t place = event->place;

	for (;;) {
		size_t next = place * 2;

		if (next > sim.n)
			break;
		if (next < sim.n && is_before(sim.heap[next + 1], sim.heap[next]))
			next++;
		if (!is_before(sim.heap[next], event))
			break;
		put(place, sim.heap[next]);
		place = next;
	}
	put(place, event);
}

void sim_cancel(struct sim_event *event)
{
	const size_t place = event->place;
	struct sim_event *last = sim.heap[sim.n];

	if (place == 0)
		return;
	event->place = 0;
	sim.n--;
	if (last == event)
		return;
	put(place, last);
	rise(last);
	sink(last);
}

void sim_at(struct sim_event *event, int64_t at)
{
	sim_cancel(event);
	assert(event->fn != NULL && sim.n < EVENTS_MAX);
	event->at = at > sim.now ? at : sim.now;
	event->tie = sim_random(SIM_TURNS);
	put(++sim.n, event);
	rise(event);
}

void sim_after(struct sim_event *event, int64_t delay)
{
	sim_at(event, sim.now + delay);
}

void sim_run_until(int64_t at)
{
	while (sim.n > 0 && sim.heap[1]->at <= at) {
		struct sim_event *event = sim.heap[1];

		sim.now = event->at;
		sim_cancel(event);
		event->fn(event);
	}
	sim.now = at;
}

/* ---- what is told of it */

/* FNV-1a: also over what nobody reads. */
static void hash_bytes(const char *ptr, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sim.hash = (sim.hash ^ (uint8_t)ptr[i]) * UINT64_C(0x100000001b3);
}

static void say(const char *ptr, size_t len)
{
	/* Who does not want to hear of it is not waited for. */
	if (write(sim.out, ptr, len) < 0)
		return;
}

void sim_trace(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int len;
	int n;

	len = snprintf(line, sizeof(line), "%" PRId64 ".%06" PRId64 " ",
		       (sim.now - TIME_AT_START) / SIM_S, sim.now % SIM_S);
	va_start(args, fmt);
	n = vsnprintf(line + len, sizeof(line) - (size_t)len - 1, fmt, args);
	va_end(args);
	len += n < (int)sizeof(line) - len - 1 ? n : (int)sizeof(line) - len - 2;
	line[len++] = '\n';
	hash_bytes(line, (size_t)len);
	if (sim.is_verbose)
		say(line, (size_t)len);
}

uint64_t sim_trace_hash(void)
{
	return sim.hash;
}

void sim_fail(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int len;
	int n;

	len = snprintf(line, sizeof(line),
		       "seed %" PRIu64 " at %" PRId64 " ms: ", sim.seed,
		       (sim.now - TIME_AT_START) / SIM_MS);
	va_start(args, fmt);
	n = vsnprintf(line + len, sizeof(line) - (size_t)len - 1, fmt, args);
	va_end(args);
	len += n < (int)sizeof(line) - len - 1 ? n : (int)sizeof(line) - len - 2;
	line[len++] = '\n';
	say(line, (size_t)len);
	_exit(EXIT_BROKEN);
}
