/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases that all stores share, and what only memory has: its room, and who goes when
 * it is over.
 */
#include "router/state/state_table.h"
#include "tests/unit/router/state_kit.h"

#define BYTES_MAX ((size_t)64 << 20)

static struct state_table table;
static struct arena arena;
static struct state_answer answer;
static int64_t now_ms;

static const struct state_answer *ask_table(const struct state_question *question)
{
	arena_reset(&arena);
	state_table_ask(&table, question, now_ms, &arena, &answer);
	return &answer;
}

static void wait_gone(const char *key)
{
	(void)key; /* all that were put for a moment */
	now_ms += 1;
}

static void open_table(size_t keys_max, size_t bytes_max)
{
	const struct state_table_limits limits = { keys_max, bytes_max };

	now_ms = 1000;
	arena_init(&arena);
	state_table_init(&table, &limits, 5000, now_ms, 7);
	state_kit = (struct state_kit){ .ask = ask_table, .wait_gone = wait_gone };
}

static void setup(void)
{
	open_table(100, BYTES_MAX);
}

static void teardown(void)
{
	state_table_fini(&table);
	cr_expect_eq(table.bytes, 0);
	arena_fini(&arena);
}

TestSuite(state_table, .init = setup, .fini = teardown);

#define STATE_SUITE state_table
STATE_CASES(STATE_CASE_TEST)

/* ---- room */

static void limit(size_t keys_max, size_t bytes_max)
{
	table.limits = (struct state_table_limits){ keys_max, bytes_max };
}

Test(state_table, keys_max_stay_and_one_more_evicts_the_least_recently_used)
{
	limit(3, BYTES_MAX);
	state_kit_append("a", "1", 10);
	state_kit_put("a", "f", "2", 10);
	state_kit_append("c", "3", 10);
	cr_expect_eq(table.evicted_total, 0);
	cr_expect_str_eq(state_kit_read("a", 1, 0, 10), "1:1"); /* touches it */
	state_kit_append("d", "4", 10);
	cr_expect_eq(table.evicted_total, 1);
	cr_expect_str_empty(state_kit_list("a"));
	cr_expect_str_eq(state_kit_read("a", 1, 0, 10), "1:1");
	cr_expect_str_eq(state_kit_read("c", 1, 0, 10), "1:3");
	cr_expect_eq(table.items.count, 3);
}

Test(state_table, bytes_max_stay_and_one_more_evicts)
{
	size_t two;

	state_kit_append("a", "1", 10);
	state_kit_append("b", "2", 10);
	two = table.bytes;
	limit(100, two);
	state_kit_append("b", "", 1);
	cr_expect_eq(table.evicted_total, 0);
	state_kit_append("b", "33", 1);
	cr_expect_eq(table.evicted_total, 1);
	cr_expect_str_empty(state_kit_read("a", 1, 0, 10));
	cr_expect_str_eq(state_kit_read("b", 1, 0, 10), "3:33");
}

Test(state_table, one_key_alone_drops_its_own_oldest_over_bytes_max)
{
	state_kit_append("a", "1", 10);
	limit(100, table.bytes);
	state_kit_append("a", "2", 10);
	cr_expect_str_eq(state_kit_read("a", 1, 0, 10), "2:2");
	cr_expect_eq(table.evicted_total, 0);
}

Test(state_table, what_is_larger_than_all_stays_alone)
{
	limit(100, 1);
	state_kit_append("a", "1", 10);
	state_kit_put("b", "f", "2", 10);
	cr_expect_str_empty(state_kit_read("a", 1, 0, 10));
	cr_expect_str_eq(state_kit_list("b"), "f=2");
}

Test(state_table, empty_entries_are_not_free)
{
	limit(100, 2000);
	for (int i = 0; i < 500; i++)
		state_kit_append("a", "", HUB_ENTRIES_MAX);
	cr_expect_leq(table.bytes, 2000);
}

/* ---- time */

Test(state_table, a_change_starts_the_time_anew)
{
	state_kit_append("a", "1", 10);
	now_ms += STATE_KIT_TTL_MS - 1;
	state_kit_append("a", "2", 10);
	now_ms += STATE_KIT_TTL_MS - 1;
	cr_expect_str_eq(state_kit_read("a", 1, 0, 10), "1:1 2:2");
	now_ms += 1;
	cr_expect_str_empty(state_kit_read("a", 1, 0, 10));
	cr_expect_eq(table.expired_total, 1);
}

Test(state_table, what_nobody_asks_for_goes_in_time)
{
	state_kit_append("a", "1", 10);
	state_kit_put("b", "f", "1", 10);
	now_ms += STATE_KIT_TTL_MS;
	state_table_advance(&table, now_ms);
	cr_expect_eq(table.items.count, 0);
	cr_expect_eq(table.bytes, 0);
	cr_expect_eq(table.expired_total, 2);
}

Test(state_table, the_longest_time_is_kept)
{
	struct state_question question = {
		.op = STATE_APPEND,
		.key = SLICE("a"),
		.entries_max = 1,
		.ttl_ms = HUB_TTL_MS_MAX,
		.expected = HUB_ANY,
	};

	cr_assert_eq(state_question_check(&question), OK);
	(void)ask_table(&question);
	now_ms += HUB_TTL_MS_MAX - 1;
	state_table_advance(&table, now_ms);
	cr_expect_eq(table.items.count, 1);
	now_ms += 1;
	state_table_advance(&table, now_ms);
	cr_expect_eq(table.items.count, 0);
	question.ttl_ms++;
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
}

/* ---- limits */

static struct state_question sound(void)
{
	return (struct state_question){ .op = STATE_PUT, .entries_max = 1, .ttl_ms = 1 };
}

Test(state_table, questions_are_checked)
{
	static char bytes[HUB_ENTRY_BYTES_MAX + 1];
	struct state_question question = sound();

	cr_expect_eq(state_question_check(&question), OK);
	question.entries_max = 0;
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
	question.entries_max = HUB_ENTRIES_MAX;
	cr_expect_eq(state_question_check(&question), OK);
	question.entries_max++;
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
	question = sound();
	question.ttl_ms = 0;
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
	question = sound();
	question.key = question.name = slice_make(bytes, HUB_KEY_BYTES_MAX);
	question.bytes = slice_make(bytes, HUB_ENTRY_BYTES_MAX);
	cr_expect_eq(state_question_check(&question), OK);
	question.key.len++;
	cr_expect_eq(state_question_check(&question), ERR_LIMIT);
	question.key.len--;
	question.name.len++;
	cr_expect_eq(state_question_check(&question), ERR_LIMIT);
	question.name.len--;
	question.bytes.len++;
	cr_expect_eq(state_question_check(&question), ERR_LIMIT);
	question = (struct state_question){ .op = STATE_NONE };
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
	question = (struct state_question){ .op = STATE_READ,
					    .entries_max = HUB_ENTRIES_MAX + 1 };
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
}
