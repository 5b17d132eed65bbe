/* SPDX-License-Identifier: Apache-2.0 */
/* What every store does with fields, and with both kinds. */
#include "tests/unit/router/state_kit.h"

static enum err remove_field(const char *key, const char *name, uint64_t expected)
{
	struct state_question question = state_kit_question(STATE_REMOVE, key);

	question.name = slice_from_str(name);
	question.expected = expected;
	return state_kit_ask(&question)->rc;
}

static enum err get(const char *key, const char *name, struct state_entry *entry)
{
	struct state_question question = state_kit_question(STATE_GET, key);
	const struct state_answer *answer;

	question.name = slice_from_str(name);
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->entries_n, answer->rc == OK);
	if (answer->rc == OK)
		*entry = answer->entries[0];
	return answer->rc;
}

void state_case_a_field_nobody_put_is_not_found(void)
{
	struct state_entry entry;

	cr_expect_eq(get("k", "a", &entry), ERR_NOT_FOUND);
	state_kit_expect(state_kit_list("k"), "");
	state_kit_put("k", "b", "1", 10);
	cr_expect_eq(get("k", "a", &entry), ERR_NOT_FOUND);
}

void state_case_fields_come_back_the_one_put_longest_ago_first(void)
{
	struct state_entry entry = { .number = 0 };
	uint64_t version;

	state_kit_put("k", "b", "1", 10);
	state_kit_put("k", "a", "2", 10);
	version = state_kit_put("k", "b", "3", 10);
	state_kit_expect(state_kit_list("k"), "a=2 b=3");
	cr_expect_eq(state_kit_list_answer("k", 0)->last, version);
	cr_assert_eq(get("k", "b", &entry), OK);
	cr_expect_eq(entry.number, version);
	cr_expect(slice_equal(entry.bytes, SLICE("3")));
	cr_expect_eq(state_kit_list_answer("k", version)->entries_n, 1);
	cr_expect_eq(state_kit_list_answer("k", version + 1)->entries_n, 0);
}

void state_case_one_field_too_many_drops_the_one_put_longest_ago(void)
{
	state_kit_put("k", "a", "1", 3);
	state_kit_put("k", "b", "2", 3);
	state_kit_put("k", "c", "3", 3);
	state_kit_put("k", "a", "4", 3);
	state_kit_expect(state_kit_list("k"), "b=2 c=3 a=4");
	state_kit_put("k", "d", "5", 3);
	state_kit_expect(state_kit_list("k"), "c=3 a=4 d=5");
	state_kit_put("k", "d", "6", 1);
	state_kit_expect(state_kit_list("k"), "d=6");
}

void state_case_a_version_that_is_not_expected_puts_nothing(void)
{
	const struct state_answer *answer = state_kit_put_answer("k", "a", SLICE("1"), 7);
	uint64_t version;

	cr_expect_eq(answer->rc, ERR_EXISTS);
	cr_expect_eq(answer->number, 0);
	answer = state_kit_put_answer("k", "a", SLICE("1"), 0);
	cr_expect_eq(answer->rc, OK);
	version = answer->number;
	cr_expect_gt(version, 0);
	cr_expect_lt(version, UINT64_C(1) << 53);
	answer = state_kit_put_answer("k", "a", SLICE("2"), 0);
	cr_expect_eq(answer->rc, ERR_EXISTS);
	cr_expect_eq(answer->number, version);
	cr_expect_eq(state_kit_put_answer("k", "a", SLICE("2"), version - 1)->rc,
		     ERR_EXISTS);
	state_kit_expect(state_kit_list("k"), "a=1");
	cr_expect_eq(state_kit_put_answer("k", "a", SLICE("3"), version)->rc, OK);
	state_kit_expect(state_kit_list("k"), "a=3");
}

void state_case_versions_grow_also_when_the_key_is_made_anew(void)
{
	uint64_t version = state_kit_put("k", "a", "1", 10);
	uint64_t next = state_kit_put("k", "b", "2", 10);

	cr_expect_gt(next, version);
	version = next;
	cr_expect_eq(remove_field("k", "a", HUB_ANY), OK);
	cr_expect_eq(remove_field("k", "b", HUB_ANY), OK);
	next = state_kit_put("k", "a", "3", 10);
	cr_expect_gt(next, version);
	version = next;
	state_kit_forget("k");
	next = state_kit_put("k", "a", "4", 10);
	cr_expect_gt(next, version);
}

void state_case_a_field_is_removed_if_it_is_what_is_expected(void)
{
	const uint64_t version = state_kit_put("k", "a", "1", 10);

	state_kit_put("k", "b", "2", 10);
	cr_expect_eq(remove_field("k", "a", version + 1), ERR_EXISTS);
	cr_expect_eq(remove_field("k", "a", 0), ERR_EXISTS);
	state_kit_expect(state_kit_list("k"), "a=1 b=2");
	cr_expect_eq(remove_field("k", "a", version), OK);
	state_kit_expect(state_kit_list("k"), "b=2");
	cr_expect_eq(remove_field("k", "a", version), ERR_EXISTS);
	cr_expect_eq(remove_field("k", "a", HUB_ANY), OK);
	cr_expect_eq(remove_field("k", "a", 0), OK);
	cr_expect_eq(remove_field("nobody", "a", 1), ERR_EXISTS);
	cr_expect_eq(remove_field("nobody", "a", HUB_ANY), OK);
}

void state_case_fields_are_listed_in_pages(void)
{
	const struct slice large = state_kit_large();
	const struct state_answer *page;

	for (int i = 0; i < 3; i++)
		cr_assert_eq(state_kit_put_answer(
				     "k", (const char *const[]){ "a", "b", "c" }[i],
				     large, HUB_ANY)
				     ->rc,
			     OK);
	page = state_kit_list_answer("k", 0);
	cr_assert_eq(page->entries_n, 2);
	cr_expect(page->is_more);
	cr_expect(slice_equal(page->entries[0].name, SLICE("a")));
	cr_expect(slice_equal(page->entries[1].bytes, large));
	page = state_kit_list_answer("k", page->entries[1].number + 1);
	cr_assert_eq(page->entries_n, 1);
	cr_expect_not(page->is_more);
	cr_expect(slice_equal(page->entries[0].name, SLICE("c")));
	state_kit_large_free(large);
}

void state_case_so_many_fields_are_listed_as_are_asked_for(void)
{
	struct state_question question = state_kit_question(STATE_LIST, "k");
	const struct state_answer *page;
	uint64_t last = 0;

	for (int i = 0; i < 4; i++)
		last = state_kit_put("k", (const char *const[]){ "a", "b", "c", "a" }[i],
				     "1", HUB_ENTRIES_MAX);
	question.entries_max = 2;
	page = state_kit_ask(&question);
	cr_assert_eq(page->entries_n, 2);
	cr_expect(page->is_more);
	cr_expect_eq(page->last, last);
	cr_expect(slice_equal(page->entries[0].name, SLICE("b")));
	cr_expect(slice_equal(page->entries[1].name, SLICE("c")));
	question.first = page->entries[1].number + 1;
	page = state_kit_ask(&question);
	cr_assert_eq(page->entries_n, 1);
	cr_expect_not(page->is_more);
	cr_expect(slice_equal(page->entries[0].name, SLICE("a")));
	question.first = last + 1;
	page = state_kit_ask(&question);
	cr_expect_eq(page->entries_n, 0);
	cr_expect_not(page->is_more);
	cr_expect_eq(page->last, last);
	question.entries_max = HUB_ENTRIES_MAX + 1;
	cr_expect_eq(state_question_check(&question), ERR_ARGUMENT);
}

void state_case_no_more_fields_are_listed_than_are_wanted(void)
{
	struct state_question question = state_kit_question(STATE_LIST, "k");
	const struct state_answer *answer;

	state_kit_put("k", "a", "1", 10);
	state_kit_put("k", "b", "2", 10);
	question.entries_max = 2;
	cr_expect_not(state_kit_ask(&question)->is_more);
	question.entries_max = 1;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->entries_n, 1);
	cr_expect(answer->is_more);
	cr_expect(slice_equal(answer->entries[0].name, SLICE("a")));
	question.entries_max = 0;
	cr_expect_eq(state_kit_ask(&question)->entries_n, 2);
}

void state_case_past_the_bytes_of_a_key_the_oldest_fields_go(void)
{
	/* With its name of a byte each; so the last one is not full. */
	const unsigned n = HUB_KEY_TOTAL_BYTES_MAX / HUB_ENTRY_BYTES_MAX - 1;
	const struct slice large = state_kit_large();
	struct state_entry entry;
	char name[2] = "A";

	for (unsigned i = 0; i < n; i++, name[0]++)
		cr_assert_eq(state_kit_put_answer("k", name, large, HUB_ANY)->rc, OK);
	cr_assert_eq(state_kit_put_answer(
			     "k", "z", slice_make(large.ptr, large.len - n - 1), HUB_ANY)
			     ->rc,
		     OK);
	cr_expect_eq(get("k", "A", &entry), OK);
	cr_assert_eq(state_kit_put_answer("k", "A", large, HUB_ANY)->rc,
		     OK); /* instead of its own */
	cr_expect_eq(get("k", "B", &entry), OK);
	cr_assert_eq(state_kit_put_answer("k", "y", SLICE_NONE, HUB_ANY)->rc, OK);
	cr_expect_eq(get("k", "B", &entry), ERR_NOT_FOUND);
	cr_expect_eq(get("k", "C", &entry), OK);
	state_kit_large_free(large);
}

void state_case_fields_are_forgotten_when_their_time_is_over(void)
{
	struct state_question question = state_kit_question(STATE_PUT, "gone");

	question.name = SLICE("a");
	question.ttl_ms = 1;
	cr_assert_eq(state_kit_ask(&question)->rc, OK);
	state_kit_put("k", "a", "1", 10);
	state_kit.wait_gone("gone");
	state_kit_expect(state_kit_list("gone"), "");
	state_kit_expect(state_kit_list("k"), "a=1");
}

/* ---- both */

void state_case_keys_hubs_and_kinds_do_not_meet(void)
{
	struct state_question question = state_kit_question(STATE_READ, "");

	state_kit_append("k", "log", 10);
	state_kit_put("k", "a", "field", 10);
	state_kit_append("k2", "other", 10);
	state_kit_expect(state_kit_read("k", 1, 0, 10), "1:log");
	state_kit_expect(state_kit_list("k"), "a=field");
	question.hub = SLICE("hubk");
	cr_expect_eq(state_kit_ask(&question)->entries_n, 0);
	question.hub = SLICE("hu");
	question.key = SLICE("bk");
	cr_expect_eq(state_kit_ask(&question)->entries_n, 0);
	question.hub = SLICE("hub2");
	question.key = SLICE("k");
	cr_expect_eq(state_kit_ask(&question)->entries_n, 0);
}

void state_case_forgetting_takes_log_and_fields(void)
{
	state_kit_append("k", "log", 10);
	state_kit_put("k", "a", "field", 10);
	state_kit_append("k2", "other", 10);
	state_kit_forget("k");
	state_kit_expect(state_kit_read("k", 1, 0, 10), "");
	state_kit_expect(state_kit_list("k"), "");
	state_kit_expect(state_kit_read("k2", 1, 0, 10), "1:other");
	state_kit_forget("k");
	cr_expect_eq(state_kit_append("k", "again", 10), 1);
}
