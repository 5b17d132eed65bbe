/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases that all stores share, against a redis-server of the test's own, and what
 * only Redis has: what is there, when it is away, when it refuses.
 */
#include "router/state/state_redis.h"

#include <signal.h>
#include <stdio.h>

#include "tests/unit/proto/base/redis_kit.h"
#include "tests/unit/router/state_kit.h"

#define ENTRIES_MAX 1100

static struct redis_kit kit;
static struct redis_server server;
static struct state_redis *redis;

/* The last answer, copied. */
static struct arena arena;
static struct state_answer answer;
static struct state_entry entries[ENTRIES_MAX];
static uint64_t answered_n;

static void on_done(void *owner, uint64_t call, const struct state_question *question,
		    const struct state_answer *from)
{
	cr_assert_eq(owner, &kit);
	cr_assert_eq(call, answered_n + 1);
	cr_assert_neq(question->op, STATE_NONE);
	cr_assert_gt(question->hub.len, 0);
	cr_assert_lt(from->entries_n, ENTRIES_MAX);
	answered_n++;
	arena_reset(&arena);
	answer = *from;
	answer.entries = entries;
	for (size_t i = 0; i < from->entries_n; i++)
		entries[i] = (struct state_entry){
			.number = from->entries[i].number,
			.name = arena_dup(&arena, from->entries[i].name),
			.bytes = arena_dup(&arena, from->entries[i].bytes),
		};
}

static const struct state_answer *ask_redis(const struct state_question *question)
{
	const uint64_t call = answered_n + 1;

	state_redis_ask(redis, question, call);
	REDIS_KIT_WAIT(&kit, answered_n == call);
	return &answer;
}

static void wait_gone(const char *key)
{
	struct state_question log = state_kit_question(STATE_READ, key);
	struct state_question fields = state_kit_question(STATE_LIST, key);

	REDIS_KIT_WAIT(&kit,
		       ask_redis(&log)->last == 0 && ask_redis(&fields)->entries_n == 0);
}

static void open_state(void)
{
	const struct redis_options client = {
		.url = kit.url,
		.password = kit.options.password,
		.command_timeout_ms = kit.options.command_timeout_ms,
		.stats = &kit.stats,
	};
	const struct state_redis_options options = {
		.redis = &client,
		.prefix = "test",
		.done = on_done,
		.owner = &kit,
	};

	redis = state_redis_new(kit.loop, &options);
}

static void setup(void)
{
	arena_init(&arena);
	redis_kit_init(&kit);
	redis_server_start(&kit, &server, NULL);
	redis_kit_open(&kit); /* for commands of the tests */
	redis_kit_wait_up(&kit);
	open_state();
	state_kit = (struct state_kit){ .ask = ask_redis, .wait_gone = wait_gone };
}

static void teardown(void)
{
	state_redis_free(redis);
	redis_server_kill(&server);
	redis_kit_fini(&kit);
	arena_fini(&arena);
}

TestSuite(state_redis, .init = setup, .fini = teardown);

#define STATE_SUITE state_redis
STATE_CASES(STATE_CASE_TEST)

/* ---- what is there */

/* The integer that a command of one word and one argument answers. */
static int64_t number_of(const char *command, const char *key)
{
	static struct asked asked;

	redis_kit_ask(&kit, &asked, command, key, NULL);
	redis_kit_wait(&kit, &asked);
	cr_assert_eq(asked.type, REDIS_INTEGER, "%s: %s", command, asked.text);
	return asked.integer;
}

Test(state_redis, keys_are_as_documented_and_expire)
{
	static const char *const keys[] = { "test:state:{hub:k}:log",
					    "test:state:{hub:k}:fields",
					    "test:state:{hub:k}:order" };
	static struct asked asked;

	state_kit_append("k", "one", 10);
	state_kit_put("k", "a", "1", 10);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_gt(number_of("PTTL", keys[i]), STATE_KIT_TTL_MS / 2);
		cr_expect_leq(number_of("PTTL", keys[i]), STATE_KIT_TTL_MS);
	}
	redis_kit_ask(&kit, &asked, "DBSIZE", NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.integer, 3);
	state_kit_forget("k");
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(number_of("EXISTS", keys[i]), 0);
}

Test(state_redis, nothing_is_left_of_what_was_dropped)
{
	for (int i = 0; i < 20; i++)
		state_kit_append("k", "0123456789", 3);
	/* the entries, first, last, total and life */
	cr_expect_eq(number_of("HLEN", "test:state:{hub:k}:log"), 3 + 4);
	for (int i = 0; i < 20; i++)
		state_kit_put("k", (const char *const[]){ "a", "b", "c", "d" }[i % 4],
			      "x", 3);
	/* the values, version and total */
	cr_expect_eq(number_of("HLEN", "test:state:{hub:k}:fields"), 3 + 2);
	cr_expect_eq(number_of("ZCARD", "test:state:{hub:k}:order"), 3);
}

Test(state_redis, half_of_the_fields_evicted_is_all_of_them_gone)
{
	struct state_question question = state_kit_question(STATE_GET, "k");

	state_kit_put("k", "a", "1", 10);
	cr_expect_eq(number_of("DEL", "test:state:{hub:k}:order"), 1);
	cr_expect_str_empty(state_kit_list("k"));
	question.name = SLICE("a");
	cr_expect_eq(ask_redis(&question)->rc, ERR_NOT_FOUND);
	state_kit_put("k", "b", "2", 10);
	cr_expect_eq(number_of("HLEN", "test:state:{hub:k}:fields"), 1 + 2);
	cr_expect_eq(number_of("DEL", "test:state:{hub:k}:fields"), 1);
	cr_expect_str_empty(state_kit_list("k"));
	state_kit_put("k", "c", "3", 10);
	cr_expect_str_eq(state_kit_list("k"), "c=3");
	cr_expect_eq(number_of("ZCARD", "test:state:{hub:k}:order"), 1);
}

Test(state_redis, a_page_of_what_was_evicted_says_nothing_of_more)
{
	struct state_question question = state_kit_question(STATE_LIST, "k");

	for (int i = 0; i < 20; i++)
		state_kit_put("k", (const char[]){ (char)('a' + i), '\0' }, "1", 100);
	cr_expect_eq(number_of("DEL", "test:state:{hub:k}:fields"), 1);
	question.entries_max = HUB_CHANGES_MAX;
	cr_expect_eq(ask_redis(&question)->entries_n, 0);
	cr_expect_not(answer.is_more);
	cr_expect_eq(answer.last, 0);
}

/* What a removal made anew would stay for ever. */
Test(state_redis, a_removal_leaves_nothing_of_half_of_the_fields)
{
	static const char *const keys[] = { "test:state:{hub:k}:fields",
					    "test:state:{hub:k}:order" };
	struct state_question question = state_kit_question(STATE_REMOVE, "k");

	question.name = SLICE("a");
	for (size_t i = 0; i < 2; i++) {
		const uint64_t version = state_kit_put("k", "a", "1", 10);

		state_kit_put("k", "b", "2", 10);
		cr_expect_eq(number_of("DEL", keys[i]), 1);
		question.expected = i == 0 ? version : HUB_ANY;
		cr_expect_eq(ask_redis(&question)->rc, i == 0 ? ERR_EXISTS : OK);
		cr_expect_eq(answer.number, 0);
		cr_expect_eq(number_of("EXISTS", keys[0]), 0);
		cr_expect_eq(number_of("EXISTS", keys[1]), 0);
	}
}

Test(state_redis, another_connection_reads_it_all)
{
	state_kit_append("k", "one", 10);
	state_kit_put("k", "a", "1", 10);
	state_redis_free(redis);
	open_state();
	cr_expect_str_eq(state_kit_read("k", 1, 0, 10), "1:one");
	cr_expect_str_eq(state_kit_list("k"), "a=1");
}

/* As docs/OPERATING.md has it, but for the prefix. */
Test(state_redis, the_documented_rights_suffice)
{
	static struct asked asked;

	redis_kit_ask(&kit, &asked, "ACL", "SETUSER", "hubs", "on", ">secret",
		      "resetkeys", "~test:state:*", "resetchannels", "-@all", "+ping",
		      "+role", "+select", "+evalsha", "+script|load", "+time", NULL);
	redis_kit_wait(&kit, &asked);
	redis_kit_ask(&kit, &asked, "ACL", "SETUSER", "hubs", "+exists", "+del",
		      "+pexpire", "+hget", "+hmget", "+hset", "+hdel", "+hstrlen",
		      "+hincrby", "+zadd", "+zrem", "+zscore", "+zcard", "+zrange",
		      "+zpopmin", NULL);
	redis_kit_wait(&kit, &asked);
	cr_assert_neq(asked.type, REDIS_ERROR, "%s", asked.text);
	state_redis_free(redis);
	(void)snprintf(kit.url, sizeof(kit.url), "unix://hubs@%s", server.socket);
	kit.options.password = SLICE("secret");
	open_state();
	for (int i = 0; i < 3; i++)
		state_kit_append("k", "x", 2);
	cr_expect_str_eq(state_kit_read("k", 1, 0, 10), "2:x 3:x");
	for (int i = 0; i < 4; i++)
		state_kit_put("k", (const char *const[]){ "a", "b", "c", "a" }[i], "x",
			      2);
	state_kit_forget("k");
	state_case_a_field_is_removed_if_it_is_what_is_expected();
	state_case_forgetting_takes_log_and_fields();
}

/* ---- away, and not as it should be */

Test(state_redis, what_is_asked_while_it_is_away_waits_for_it)
{
	const struct state_question question = state_kit_question(STATE_FORGET, "k");

	state_kit_append("k", "one", 10);
	redis_server_kill(&server);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	state_redis_ask(redis, &question, answered_n + 1);
	redis_server_start(&kit, &server, NULL);
	REDIS_KIT_WAIT(&kit, answered_n == 2);
	cr_expect_eq(answer.rc, OK);
}

Test(state_redis, what_waited_too_long_did_not_happen)
{
	const struct state_question question = state_kit_question(STATE_FORGET, "k");

	state_redis_free(redis);
	kit.options.command_timeout_ms = 50;
	open_state();
	state_kit_append("k", "one", 10);
	redis_server_kill(&server);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	/* The first may still have been sent, the next is behind the loss. */
	(void)ask_redis(&question);
	cr_expect_eq(ask_redis(&question)->rc, ERR_CLOSED);
}

Test(state_redis, what_was_sent_and_lost_may_have_happened)
{
	const struct state_question question = state_kit_question(STATE_FORGET, "k");

	state_kit_append("k", "one", 10);
	cr_assert_eq(kill(server.pid, SIGSTOP), 0);
	state_redis_ask(redis, &question, answered_n + 1);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 1);
	redis_server_kill(&server);
	REDIS_KIT_WAIT(&kit, answered_n == 2);
	cr_expect_eq(answer.rc, ERR_OUTCOME);
}

Test(state_redis, a_key_of_another_type_is_an_error_and_harms_no_other)
{
	const struct state_question question = state_kit_question(STATE_READ, "k");
	static struct asked asked;

	redis_kit_ask(&kit, &asked, "SET", "test:state:{hub:k}:log", "x", NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(ask_redis(&question)->rc, ERR_IO);
	cr_expect_eq(ask_redis(&question)->rc, ERR_IO);
	cr_expect_eq(state_kit_append("other", "one", 10), 1);
}

Test(state_redis, what_is_under_way_ends_when_it_is_freed)
{
	const struct state_question question = state_kit_question(STATE_READ, "k");

	state_redis_ask(redis, &question, 1);
	state_redis_free(redis);
	redis = NULL;
	cr_expect_eq(answered_n, 1);
	cr_expect_neq(answer.rc, OK);
}
