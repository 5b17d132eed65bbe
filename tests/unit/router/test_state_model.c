/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and Redis, asked the same by chance, answer the same; the numbers of versions
 * differ, what they say does not.
 *
 *	TEST_SEED=n repeats a run, TEST_STEPS=n makes it longer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/crypto.h"
#include "router/state/state_redis.h"
#include "router/state/state_table.h"
#include "tests/unit/proto/base/redis_kit.h"
#include "tests/unit/router/state_kit.h"

#define STEPS 3000
#define KEYS 3
#define NAMES 40

static struct redis_kit kit;
static struct redis_server server;
static struct state_redis *redis;
static struct state_table table;
static struct arena arena;
static struct state_answer mine;
static bool is_answered;
static char large[HUB_ENTRY_BYTES_MAX];

/* What a field's version is in memory and in Redis; 0: it is not there. */
static uint64_t versions[KEYS][NAMES][2];
static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
static uint64_t lives[KEYS][2];
static struct state_question current; /* as Redis is asked it */
static uint64_t dice;
static bool is_large; /* most entries are, for a while */

static unsigned chance(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

/* ---- the same question to both */

static void expect_same_entries(const struct state_question *question,
				const struct state_answer *theirs)
{
	cr_assert_eq(mine.entries_n, theirs->entries_n, "%zu here, %zu there",
		     mine.entries_n, theirs->entries_n);
	for (size_t i = 0; i < mine.entries_n; i++) {
		cr_assert(slice_equal(mine.entries[i].name, theirs->entries[i].name) ||
			  question->op == STATE_GET);
		cr_assert(slice_equal(mine.entries[i].bytes, theirs->entries[i].bytes));
		if (question->op == STATE_READ)
			cr_assert_eq(mine.entries[i].number, theirs->entries[i].number);
	}
}

static void on_done(void *owner, uint64_t key, const struct state_question *done,
		    const struct state_answer *theirs)
{
	const struct state_question *question = &current;
	const enum state_op op = done->op;
	uint64_t *life = lives[key];

	cr_assert_eq(owner, &kit);
	is_answered = true;
	cr_assert_eq(op, current.op);
	cr_assert_eq(mine.rc, theirs->rc, "op %d: %s here, %s there", (int)op,
		     err_name(mine.rc), err_name(theirs->rc));
	cr_assert_eq(mine.is_more, theirs->is_more);
	if (op == STATE_APPEND)
		cr_assert_eq(mine.number, theirs->number);
	if (op == STATE_READ) {
		cr_assert_eq(mine.last, theirs->last);
		cr_assert_eq(mine.life == life[0], theirs->life == life[1]);
		life[0] = mine.life;
		life[1] = theirs->life;
	}
	expect_same_entries(question, theirs);
	if (op == STATE_PUT) {
		uint64_t *version =
			versions[key][strchr(names, question->name.ptr[0]) - names];

		version[0] = mine.number;
		version[1] = theirs->number;
	}
}

static void ask_both(unsigned key, struct state_question question, uint64_t expected)
{
	arena_reset(&arena);
	state_table_ask(&table, &question, 1000, &arena, &mine);
	current = question;
	current.expected = expected;
	is_answered = false;
	state_redis_ask(redis, &current, key);
	REDIS_KIT_WAIT(&kit, is_answered);
}

/* ---- what chance asks */

static struct slice some_bytes(void)
{
	const unsigned kind = chance(20);

	if (is_large ? kind < 15 : kind == 0)
		return slice_make(large, sizeof(large) - chance(1000));
	return slice_make(large, kind);
}

static void some_log_step(unsigned key, struct state_question *question)
{
	uint64_t expected = HUB_ANY;

	if (chance(3) == 0) {
		question->op = STATE_READ;
		question->first = chance(30);
		question->before = chance(2) * chance(60);
		question->entries_max = chance(12);
	} else {
		question->op = STATE_APPEND;
		question->bytes = some_bytes();
		if (chance(4) == 0)
			expected = chance(20);
	}
	question->expected = expected;
	ask_both(key, *question, expected);
}

static void some_field_step(unsigned key, struct state_question *question)
{
	static const enum state_op ops[] = { STATE_PUT, STATE_PUT,  STATE_PUT,
					     STATE_GET, STATE_LIST, STATE_REMOVE };
	const unsigned name = chance(NAMES);
	const uint64_t *version = versions[key][name];
	const unsigned expects = chance(4);
	uint64_t expected = HUB_ANY;

	question->op = ops[chance(6)];
	question->name = slice_make(&names[name], 1);
	question->bytes = question->op == STATE_PUT ? some_bytes() : SLICE_NONE;
	if (question->op == STATE_LIST)
		question->entries_max = chance(NAMES);
	question->expected = HUB_ANY;
	if (expects == 0)
		question->expected = expected = 0;
	if (expects == 1) { /* perhaps of a field that is gone */
		question->expected = version[0];
		expected = version[1];
	}
	ask_both(key, *question, expected);
}

Test(state_model, memory_and_redis_answer_the_same, .timeout = 300)
{
	const struct state_table_limits limits = { 1000, (size_t)1 << 30 };
	const char *seed = getenv("TEST_SEED");
	const char *steps = getenv("TEST_STEPS");
	const unsigned n = steps != NULL ? (unsigned)strtoul(steps, NULL, 10) : STEPS;
	struct redis_options client = { .url = kit.url, .stats = &kit.stats };
	const struct state_redis_options options = {
		.redis = &client, .prefix = "test", .done = on_done, .owner = &kit
	};

	dice = seed != NULL ? strtoull(seed, NULL, 10) : crypto_random_uint64() >> 40;
	fprintf(stderr, "state_model: TEST_SEED=%llu\n", (unsigned long long)dice);
	memset(large, 'x', sizeof(large));
	arena_init(&arena);
	redis_kit_init(&kit);
	redis_server_start(&kit, &server, NULL);
	client.url = kit.url;
	redis = state_redis_new(kit.loop, &options);
	state_table_init(&table, &limits, 5000, 1000, 7);
	for (unsigned i = 0; i < n; i++) {
		const unsigned key = chance(KEYS);
		struct state_question question = state_kit_question(
			STATE_FORGET, (const char *const[]){ "", "k", "k2" }[key]);

		is_large = i % 1000 > 900;
		question.entries_max = is_large ? HUB_ENTRIES_MAX : 1 + chance(8);
		if (chance(200) == 0)
			ask_both(key, question, HUB_ANY);
		else if (chance(2) == 0)
			some_log_step(key, &question);
		else
			some_field_step(key, &question);
	}
	state_table_fini(&table);
	state_redis_free(redis);
	redis_server_kill(&server);
	redis_kit_fini(&kit);
	arena_fini(&arena);
}
