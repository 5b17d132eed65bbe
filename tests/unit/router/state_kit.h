/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store of hub state has to do, whichever it is: each case runs against the memory
 * of a shard (test_state_table.c) and against Redis (test_state_redis.c).
 */
#ifndef TESTS_UNIT_ROUTER_STATE_KIT_H
#define TESTS_UNIT_ROUTER_STATE_KIT_H

#include <criterion/criterion.h>

#include "proto/base/arena.h"
#include "router/state/state.h"

/* The store; its test sets these. */
struct state_kit {
	/* Answers with what lives until the next question. */
	const struct state_answer *(*ask)(const struct state_question *question);
	/* Time goes on until nothing is left under the key. */
	void (*wait_gone)(const char *key);
};

extern struct state_kit state_kit;

/* A name of each, and a function state_case_<name>. */
#define STATE_CASES(X)                                                                   \
	X(a_log_nobody_wrote_is_empty)                                                   \
	X(entries_are_numbered_from_one_and_come_back_in_order)                          \
	X(entries_max_stay_and_one_more_drops_the_oldest)                                \
	X(a_smaller_entries_max_cuts_the_log)                                            \
	X(a_log_is_read_between_two_numbers)                                             \
	X(a_number_that_is_not_expected_appends_nothing)                                 \
	X(a_log_is_read_in_pages)                                                        \
	X(past_the_bytes_of_a_key_the_oldest_entries_go)                                 \
	X(any_bytes_are_kept)                                                            \
	X(a_log_is_forgotten_when_its_time_is_over)                                      \
	X(another_log_of_the_key_has_another_life)                                       \
	X(a_field_nobody_put_is_not_found)                                               \
	X(fields_come_back_the_one_put_longest_ago_first)                                \
	X(one_field_too_many_drops_the_one_put_longest_ago)                              \
	X(a_version_that_is_not_expected_puts_nothing)                                   \
	X(versions_grow_also_when_the_key_is_made_anew)                                  \
	X(a_field_is_removed_if_it_is_what_is_expected)                                  \
	X(fields_are_listed_in_pages)                                                    \
	X(no_more_fields_are_listed_than_are_wanted)                                     \
	X(so_many_fields_are_listed_as_are_asked_for)                                    \
	X(past_the_bytes_of_a_key_the_oldest_fields_go)                                  \
	X(fields_are_forgotten_when_their_time_is_over)                                  \
	X(keys_hubs_and_kinds_do_not_meet)                                               \
	X(forgetting_takes_log_and_fields)

#define STATE_CASE_DECLARE(name) void state_case_##name(void);
STATE_CASES(STATE_CASE_DECLARE)
#undef STATE_CASE_DECLARE

/* All of them as tests of a suite. */
#define STATE_CASE_TEST(name)                                                            \
	Test(STATE_SUITE, name)                                                          \
	{                                                                                \
		state_case_##name();                                                     \
	}

/* ---- asking: keys and texts of the hub "hub" */

#define STATE_KIT_TTL_MS 60000

uint64_t state_kit_append(const char *key, const char *text, uint32_t entries_max);
/* "1:one 2:two", and with more pages " ..." */
const char *state_kit_read(const char *key, uint64_t first, uint64_t before,
			   uint32_t entries_max);
uint64_t state_kit_put(const char *key, const char *name, const char *text,
		       uint32_t entries_max);
/* "a=1 b=2" */
const char *state_kit_list(const char *key);

/* With the largest bounds, and nothing expected. */
struct state_question state_kit_question(enum state_op op, const char *key);
const struct state_answer *state_kit_ask(const struct state_question *question);
const struct state_answer *state_kit_read_answer(const char *key, uint64_t first,
						 uint64_t before, uint32_t entries_max);
const struct state_answer *state_kit_put_answer(const char *key, const char *name,
						struct slice bytes, uint64_t expected);
const struct state_answer *state_kit_list_answer(const char *key, uint64_t first);
void state_kit_forget(const char *key);

/* The largest entry, freed by the caller. */
struct slice state_kit_large(void);
void state_kit_large_free(struct slice large);

#define state_kit_expect(got, want)                                                      \
	do {                                                                             \
		const char *got_ = (got);                                                \
		cr_expect_str_eq(got_, want, "got: %s\nwant: %s", got_, want);           \
	} while (0)

#endif
