/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every question is answered exactly once, whatever happens first.
 */
#include "router/ask.h"

#include <criterion/criterion.h>

#define SEED 12345
#define ASKS_N 3

static struct loop *loop;
static struct asks asks;
static struct ask items[ASKS_N];
static enum err answers[ASKS_N];
static int answers_n[ASKS_N];

/* Only its address counts. */
static char peer_memory[2];
static const struct link_peer *const peer = (const void *)&peer_memory[0];
static const struct link_peer *const other = (const void *)&peer_memory[1];

static void on_answer(struct ask *ask, const struct ask_answer *answer)
{
	const ptrdiff_t i = ask - items;

	answers[i] = answer->rc;
	answers_n[i]++;
}

static void start(int i)
{
	ask_start(&items[i], &asks, 60000, on_answer);
}

static void expect_answer(int i, enum err rc)
{
	cr_expect_eq(answers_n[i], 1, "ask %d has %d answers", i, answers_n[i]);
	cr_expect_eq(answers[i], rc, "ask %d: %s", i, err_name(answers[i]));
}

/* The peer's handler has run, or the message is lost. */
static void ticket_called(int i, enum err rc)
{
	items[i].ticket.fn(&items[i].ticket, rc);
}

static void setup(void)
{
	loop = loop_new();
	asks_init(&asks, loop, SEED);
}

static void teardown(void)
{
	asks_cancel(&asks);
	asks_fini(&asks);
	loop_free(loop);
}

TestSuite(ask, .init = setup, .fini = teardown);

Test(ask, an_answer_finds_its_ask)
{
	const struct ask_answer answer = { .rc = ERR_NOT_FOUND };

	start(0);
	start(1);
	asks_answer(&asks, items[1].number, &answer);
	expect_answer(1, ERR_NOT_FOUND);
	cr_expect_eq(answers_n[0], 0);
}

Test(ask, a_second_answer_is_nobodys)
{
	const struct ask_answer ok = { .rc = OK };
	const struct ask_answer late = { .rc = ERR_LIMIT };

	start(0);
	asks_answer(&asks, items[0].number, &ok);
	asks_answer(&asks, items[0].number, &late);
	expect_answer(0, OK);
}

Test(ask, numbers_do_not_start_where_the_last_process_did)
{
	struct asks next;

	asks_init(&next, loop, SEED + 2);
	cr_expect_neq(next.last_number, asks.last_number);
	cr_expect_neq(asks.last_number, 0);
	asks_fini(&next);
}

Test(ask, time_answers)
{
	ask_start(&items[0], &asks, 1, on_answer);
	while (answers_n[0] == 0)
		loop_turn(loop, 100);
	expect_answer(0, ERR_TIMEOUT);
}

Test(ask, cancel_answers_all)
{
	start(0);
	start(1);
	asks_cancel(&asks);
	expect_answer(0, ERR_CANCELED);
	expect_answer(1, ERR_CANCELED);
	cr_expect_eq(asks.by_number.count, 0);
}

Test(ask, what_the_peer_had_handled_is_lost_with_it)
{
	start(0);
	ask_put_to(&items[0], peer);
	ticket_called(0, OK);
	cr_expect_eq(answers_n[0], 0);
	asks_on_lost(&asks, other);
	cr_expect_eq(answers_n[0], 0);
	asks_on_lost(&asks, peer);
	expect_answer(0, ERR_OUTCOME);
}

Test(ask, what_the_peer_had_not_handled_is_left_to_its_ticket)
{
	start(0);
	start(1);
	ask_put_to(&items[0], peer);
	ask_put_to(&items[1], peer);
	asks_on_lost(&asks, peer);
	cr_expect_eq(answers_n[0], 0);
	ticket_called(0, ERR_OUTCOME);
	ticket_called(1, ERR_CLOSED);
	expect_answer(0, ERR_OUTCOME);
	expect_answer(1, ERR_CLOSED);
}

Test(ask, one_put_to_ourselves_is_not_lost_with_a_peer)
{
	start(0);
	asks_on_lost(&asks, peer);
	cr_expect_eq(answers_n[0], 0);
}

Test(ask, is_put_to_a_peer_by_number)
{
	start(0);
	cr_expect_eq(asks_put_to(&asks, items[0].number, peer), &items[0].ticket);
	cr_expect_null(asks_put_to(&asks, items[0].number + 1, peer));
	cr_expect_eq(items[0].peer, peer);
}

Test(ask, an_answered_ask_leaves_no_ticket_behind)
{
	const struct ask_answer ok = { .rc = OK };
	struct session session;

	session_init(&session, 1000);
	start(0);
	cr_assert_eq(session_append(&session, SLICE("x"), SESSION_KEEP,
				    ask_put_to(&items[0], peer)),
		     OK);
	asks_answer(&asks, items[0].number, &ok);
	session_fini(&session);
	expect_answer(0, OK);
}
