/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/player.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct player *player;

static void setup(void)
{
	arena_init(&arena);
	player = player_new(&arena, SLICE("c1"));
}

static void teardown(void)
{
	arena_fini(&arena);
}

TestSuite(player, .init = setup, .fini = teardown);

static struct slice number(int i)
{
	return arena_printf(&arena, "%d", i);
}

Test(player, joins_once_and_leaves_once)
{
	cr_expect_eq(player_join(player, SLICE("a")), OK);
	cr_expect_eq(player_join(player, SLICE("b")), OK);
	cr_expect_eq(player_join(player, SLICE("a")), ERR_EXISTS);
	cr_expect(player_is_in(player, SLICE("a")));
	cr_expect_eq(player_leave(player, SLICE("a")), OK);
	cr_expect_eq(player_leave(player, SLICE("a")), ERR_NOT_FOUND);
	cr_expect_not(player_is_in(player, SLICE("a")));
	cr_expect(player_is_in(player, SLICE("b")));
}

Test(player, groups_have_a_limit)
{
	for (int i = 0; i < PLAYER_GROUPS_MAX; i++)
		cr_assert_eq(player_join(player, number(i)), OK);
	cr_expect_eq(player_join(player, SLICE("more")), ERR_LIMIT);
}

Test(player, calls_of_one_method_are_told_apart)
{
	cr_expect_eq(player_call_add(player, SLICE("1"), SLICE("Vote")), OK);
	cr_expect_eq(player_call_add(player, SLICE("2"), SLICE("Vote")), OK);
	cr_expect_eq(player_call_add(player, SLICE("3"), SLICE("Vote")), OK);
	cr_expect(
		slice_equal(player_call_of(player, SLICE("2"))->label, SLICE("Vote#2")));
	cr_expect(
		slice_equal(player_call_named(player, SLICE("Vote#3"))->id, SLICE("3")));
	player_call_remove(player, SLICE("1"));
	player_call_remove(player, SLICE("1"));
	cr_expect_null(player_call_of(player, SLICE("1")));
	cr_expect_null(player_call_named(player, SLICE("Vote")));
	cr_expect_eq(player_call_add(player, SLICE("4"), SLICE("Vote")), OK);
	cr_expect(slice_equal(player_call_of(player, SLICE("4"))->label, SLICE("Vote")));
}

Test(player, calls_have_a_limit)
{
	for (int i = 0; i < PLAYER_CALLS_MAX; i++)
		cr_assert_eq(player_call_add(player, number(i), SLICE("M")), OK);
	cr_expect_eq(player_call_add(player, SLICE("x"), SLICE("M")), ERR_LIMIT);
}

Test(player, the_newest_stream_of_a_name_is_meant)
{
	cr_expect_null(player_upload_named(player, SLICE("~n")));
	cr_expect_eq(player_upload_add(player, SLICE("1"), SLICE("~n")), OK);
	cr_expect_eq(player_upload_add(player, SLICE("2"), SLICE("~n")), OK);
	cr_expect(slice_equal(player_upload_named(player, SLICE("~n"))->id, SLICE("2")));
	player_upload_remove(player, SLICE("2"));
	cr_expect(slice_equal(player_upload_named(player, SLICE("~n"))->id, SLICE("1")));
	player_upload_remove(player, SLICE("x"));
	player_upload_remove(player, SLICE("1"));
	cr_expect_null(player_upload_named(player, SLICE("~n")));
}

Test(player, streams_have_a_limit)
{
	for (int i = 0; i < PLAYER_CALLS_MAX; i++)
		cr_assert_eq(player_upload_add(player, number(i), SLICE("~n")), OK);
	cr_expect_eq(player_upload_add(player, SLICE("x"), SLICE("~n")), ERR_LIMIT);
}

Test(player, answers_the_oldest_question_first)
{
	struct player_question question;

	cr_expect_not(player_question_take(player, &question));
	cr_expect_eq(player_question_add(player, SLICE("1"), SLICE("A")), OK);
	cr_expect_eq(player_question_add(player, SLICE("2"), SLICE("B")), OK);
	cr_assert(player_question_take(player, &question));
	cr_expect(slice_equal(question.event, SLICE("A")));
	cr_assert(player_question_take(player, &question));
	cr_expect(slice_equal(question.id, SLICE("2")));
	cr_expect_not(player_question_take(player, &question));
}

Test(player, questions_have_a_limit)
{
	for (int i = 0; i < PLAYER_CALLS_MAX; i++)
		cr_assert_eq(player_question_add(player, number(i), SLICE("A")), OK);
	cr_expect_eq(player_question_add(player, SLICE("x"), SLICE("A")), ERR_LIMIT);
}
