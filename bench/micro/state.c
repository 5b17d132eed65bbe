/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hub state costs in the memory of a shard and in Redis, side by side: an entry
 * appended to a log, a log's last fifty read, a field put; on 1,000 keys, entries of 200
 * bytes. In memory without the link to the owner; in Redis with the whole way there and
 * back, one question at a time and 64 at a time.
 *
 *	state             memory alone
 *	state URL         both: redis://127.0.0.1:6379, which it fills
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/redis.h"
#include "router/state/state_redis.h"
#include "router/state/state_table.h"

#define KEYS 1000
#define ENTRY_BYTES 200
#define LAST 50
#define TTL_MS 600000
#define MEMORY_N 1000000
#define REDIS_N 50000
#define FLIGHT 64

static const char *const names[] = { [STATE_APPEND] = "append to a log",
				     [STATE_READ] = "read its last 50",
				     [STATE_PUT] = "put a field" };

struct bench {
	struct loop *loop;
	struct state_redis *redis;
	unsigned asked_n;
	unsigned answered_n;
	unsigned wanted_n;
	enum state_op op;
};

static struct state_question question_of(enum state_op op, unsigned i)
{
	static char entry[ENTRY_BYTES];
	static char key[16];
	static char name[16];
	const int key_len = snprintf(key, sizeof(key), "room-%u", i * 7919u % KEYS);
	const int name_len = snprintf(name, sizeof(name), "field-%u", i % LAST);

	return (struct state_question){
		.op = op,
		.hub = SLICE("chat"),
		.key = slice_make(key, (size_t)key_len),
		.name = slice_make(name, op == STATE_PUT ? (size_t)name_len : 0),
		.bytes = slice_make(entry, op == STATE_READ ? 0 : sizeof(entry)),
		.entries_max = LAST,
		.ttl_ms = TTL_MS,
		.expected = HUB_ANY,
	};
}

static void tell(const char *where, enum state_op op, int64_t start_us, unsigned n)
{
	const double us = (double)(loop_clock_us() - start_us);

	printf("%-22s %-18s %8.2f us each %10.0f a second\n", where, names[op], us / n,
	       n / us * 1e6);
}

/* ---- memory */

static void run_memory(struct state_table *table, enum state_op op)
{
	const int64_t start_us = loop_clock_us();
	struct arena arena = ARENA_INIT;
	struct state_answer answer = { .rc = OK };

	for (unsigned i = 0; i < MEMORY_N; i++) {
		const struct state_question question = question_of(op, i);

		arena_reset(&arena);
		state_table_ask(table, &question, 1, &arena, &answer);
		assert(answer.rc == OK);
	}
	tell("memory", op, start_us, MEMORY_N);
	arena_fini(&arena);
}

/* ---- Redis */

static void ask_next(struct bench *bench)
{
	const struct state_question question = question_of(bench->op, bench->asked_n++);

	state_redis_ask(bench->redis, &question, bench->asked_n);
}

static void on_done(void *owner, uint64_t call, const struct state_question *question,
		    const struct state_answer *answer)
{
	struct bench *bench = owner;

	(void)call; /* any of them */
	assert(question->op == bench->op && answer->rc == OK);
	bench->answered_n++;
	if (bench->asked_n < bench->wanted_n)
		ask_next(bench);
}

static void run_redis(struct bench *bench, enum state_op op, unsigned flight)
{
	const int64_t start_us = loop_clock_us();
	char where[32];

	bench->op = op;
	bench->asked_n = bench->answered_n = 0;
	bench->wanted_n = flight == 1 ? REDIS_N / 10 : REDIS_N;
	for (unsigned i = 0; i < flight; i++)
		ask_next(bench);
	while (bench->answered_n < bench->wanted_n)
		loop_turn(bench->loop, -1);
	(void)snprintf(where, sizeof(where), "Redis, %u at a time", flight);
	tell(where, op, start_us, bench->wanted_n);
}

int main(int argc, char **argv)
{
	static const enum state_op ops[] = { STATE_APPEND, STATE_READ, STATE_PUT };
	const struct state_table_limits limits = { 10 * KEYS, (size_t)1 << 30 };
	struct bench bench = { .loop = loop_new() };
	struct redis_options redis = { .url = argv[1] };
	const struct state_redis_options options = {
		.redis = &redis, .prefix = "bench", .done = on_done, .owner = &bench
	};
	struct state_table table;

	log_open(LOG_LOGFMT, LOG_WARN, "bench");
	state_table_init(&table, &limits, 1, 1, 7);
	if (argc > 1)
		bench.redis = state_redis_new(bench.loop, &options);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		run_memory(&table, ops[i]);
		if (argc > 1) {
			run_redis(&bench, ops[i], 1);
			run_redis(&bench, ops[i], FLIGHT);
		}
	}
	state_redis_free(bench.redis);
	state_table_fini(&table);
	loop_free(bench.loop);
	return 0;
}
