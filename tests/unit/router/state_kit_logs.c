/* SPDX-License-Identifier: Apache-2.0 */
/* What every store does with logs. */
#include "tests/unit/router/state_kit.h"

void state_case_a_log_nobody_wrote_is_empty(void)
{
	state_kit_expect(state_kit_read("k", 1, 0, 10), "");
	cr_expect_eq(state_kit_read_answer("k", 1, 0, 10)->last, 0);
}

void state_case_entries_are_numbered_from_one_and_come_back_in_order(void)
{
	cr_expect_eq(state_kit_append("k", "one", 10), 1);
	cr_expect_eq(state_kit_append("k", "two", 10), 2);
	cr_expect_eq(state_kit_append("k", "three", 10), 3);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "1:one 2:two 3:three");
	cr_expect_eq(state_kit_read_answer("k", 1, 0, 10)->last, 3);
}

void state_case_entries_max_stay_and_one_more_drops_the_oldest(void)
{
	for (int i = 0; i < 3; i++)
		state_kit_append("k", "x", 3);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "1:x 2:x 3:x");
	cr_expect_eq(state_kit_append("k", "y", 3), 4);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "2:x 3:x 4:y");
}

void state_case_a_smaller_entries_max_cuts_the_log(void)
{
	for (int i = 0; i < 5; i++)
		state_kit_append("k", "x", 5);
	state_kit_append("k", "y", 2);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "5:x 6:y");
}

void state_case_a_log_is_read_between_two_numbers(void)
{
	for (int i = 0; i < 6; i++)
		state_kit_append("k", "x", 5); /* 2 to 6 are left */
	state_kit_expect(state_kit_read("k", 4, 0, 10), "4:x 5:x 6:x");
	state_kit_expect(state_kit_read("k", 1, 4, 10), "2:x 3:x");
	state_kit_expect(state_kit_read("k", 3, 5, 10), "3:x 4:x");
	state_kit_expect(state_kit_read("k", 1, 0, 2), "5:x 6:x");
	state_kit_expect(state_kit_read("k", 1, 5, 2), "3:x 4:x");
	state_kit_expect(state_kit_read("k", 7, 0, 10), "");
	state_kit_expect(state_kit_read("k", 1, 2, 10), "");
	state_kit_expect(state_kit_read("k", 5, 4, 10), "");
	state_kit_expect(state_kit_read("k", UINT64_MAX, 0, 10), "");
	state_kit_expect(state_kit_read("k", 0, UINT64_MAX, 1), "6:x");
	state_kit_expect(state_kit_read("k", 1, 0, 0), "");
	cr_expect_eq(state_kit_read_answer("k", 1, 0, 0)->last, 6);
}

static const struct state_answer *append_expecting(const char *key, uint64_t expected)
{
	struct state_question question = state_kit_question(STATE_APPEND, key);

	question.bytes = SLICE("z");
	question.expected = expected;
	return state_kit_ask(&question);
}

void state_case_a_number_that_is_not_expected_appends_nothing(void)
{
	const struct state_answer *answer = append_expecting("k", 2);

	cr_expect_eq(answer->rc, ERR_EXISTS);
	cr_expect_eq(answer->number, 1);
	cr_expect_eq(append_expecting("k", 1)->rc, OK);
	answer = append_expecting("k", 1);
	cr_expect_eq(answer->rc, ERR_EXISTS);
	cr_expect_eq(answer->number, 2);
	cr_expect_eq(append_expecting("k", 0)->rc, ERR_EXISTS);
	cr_expect_eq(append_expecting("k", UINT64_MAX - 1)->rc, ERR_EXISTS);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "1:z");
	cr_expect_eq(append_expecting("k", 2)->rc, OK);
}

static uint64_t append_bytes(const char *key, struct slice bytes)
{
	struct state_question question = state_kit_question(STATE_APPEND, key);
	const struct state_answer *answer;

	question.bytes = bytes;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->rc, OK, "%s", err_name(answer->rc));
	return answer->number;
}

/* Two of the largest are a page. */
void state_case_a_log_is_read_in_pages(void)
{
	const struct slice large = state_kit_large();
	const struct state_answer *page;

	for (int i = 0; i < 5; i++)
		(void)append_bytes("k", large);
	page = state_kit_read_answer("k", 1, 0, 10);
	cr_assert_eq(page->entries_n, 2);
	cr_expect(page->is_more);
	cr_expect_eq(page->entries[0].number, 4);
	cr_expect(slice_equal(page->entries[1].bytes, large));
	page = state_kit_read_answer("k", 1, 4, 8);
	cr_assert_eq(page->entries_n, 2);
	cr_expect(page->is_more);
	cr_expect_eq(page->entries[0].number, 2);
	page = state_kit_read_answer("k", 1, 2, 6);
	cr_assert_eq(page->entries_n, 1);
	cr_expect_not(page->is_more);
	cr_expect_not(state_kit_read_answer("k", 4, 0, 10)->is_more);
	cr_expect_not(state_kit_read_answer("k", 1, 0, 2)->is_more);
	state_kit_large_free(large);
}

void state_case_past_the_bytes_of_a_key_the_oldest_entries_go(void)
{
	const unsigned n = HUB_KEY_TOTAL_BYTES_MAX / HUB_ENTRY_BYTES_MAX;
	const struct slice large = state_kit_large();

	for (unsigned i = 0; i < n; i++)
		(void)append_bytes("k", large);
	cr_expect_eq(state_kit_read_answer("k", 1, 2, 1)->entries_n, 1);
	cr_expect_eq(state_kit_append("k", "", HUB_ENTRIES_MAX), n + 1);
	cr_expect_eq(state_kit_read_answer("k", 1, 2, 1)->entries_n, 1);
	cr_expect_eq(state_kit_append("k", "x", HUB_ENTRIES_MAX), n + 2);
	cr_expect_eq(state_kit_read_answer("k", 1, 2, 1)->entries_n, 0);
	cr_expect_eq(state_kit_read_answer("k", 1, 3, 1)->entries_n, 1);
	state_kit_large_free(large);
}

void state_case_any_bytes_are_kept(void)
{
	struct state_question question = state_kit_question(STATE_APPEND, "");
	const struct slice bytes = SLICE("\0}{:\xff\r\n");
	const struct state_answer *answer;

	question.key = bytes;
	question.bytes = bytes;
	cr_assert_eq(state_kit_ask(&question)->rc, OK);
	question.op = STATE_PUT;
	question.name = bytes;
	cr_assert_eq(state_kit_ask(&question)->rc, OK);
	question.op = STATE_READ;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->entries_n, 1);
	cr_expect(slice_equal(answer->entries[0].bytes, bytes));
	question.op = STATE_LIST;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->entries_n, 1);
	cr_expect(slice_equal(answer->entries[0].name, bytes));
	cr_expect(slice_equal(answer->entries[0].bytes, bytes));
	question.op = STATE_GET;
	question.name = SLICE_NONE;
	cr_expect_eq(state_kit_ask(&question)->rc, ERR_NOT_FOUND);
}

static void append_briefly(const char *key)
{
	struct state_question question = state_kit_question(STATE_APPEND, key);

	question.bytes = SLICE("x");
	question.ttl_ms = 1;
	cr_assert_eq(state_kit_ask(&question)->rc, OK);
}

void state_case_a_log_is_forgotten_when_its_time_is_over(void)
{
	state_kit_append("k", "longer", 10);
	append_briefly("gone");
	state_kit.wait_gone("gone");
	state_kit_expect(state_kit_read("gone", 1, 0, 10), "");
	cr_expect_eq(state_kit_read_answer("gone", 1, 0, 10)->last, 0);
	cr_expect_eq(state_kit_read_answer("k", 1, 0, 10)->entries[0].bytes.len, 6);
}

void state_case_another_log_of_the_key_has_another_life(void)
{
	uint64_t life;

	state_kit_append("k", "x", 10);
	life = state_kit_read_answer("k", 1, 0, 10)->life;
	cr_expect_neq(life, 0);
	state_kit_append("k", "x", 10);
	cr_expect_eq(state_kit_read_answer("k", 1, 0, 10)->life, life);
	state_kit_forget("k");
	cr_expect_eq(state_kit_append("k", "x", 10), 1);
	cr_expect_neq(state_kit_read_answer("k", 1, 0, 10)->life, life);
}
