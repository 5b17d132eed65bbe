/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What POSTs bring: in order, held back by a pause, bounded. The connection is a
 * stand-in.
 */
#include "gateway/inbox.h"

#include <criterion/criterion.h>

#include "proto/base/buf.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/reply_kit.h"

#define BYTES_MAX 100

struct rig {
	struct loop loop;
	struct gateway_metrics metrics;
	struct transport transport;
	struct inbox inbox;
	struct conn conn;
	struct buf in;
	int pauses;	 /* so many more bodies pause the connection */
	bool is_closing; /* the next body ends it */
};

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	struct rig *rig = CONTAINER_OF(conn, struct rig, conn);

	buf_append_slice(&rig->in, bytes);
	if (rig->pauses > 0) {
		rig->pauses--;
		inbox_pause(&rig->inbox, true);
	}
	if (rig->is_closing) {
		rig->transport.conn = NULL;
		inbox_close(&rig->inbox);
	}
}

void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	(void)conn;
	cr_assert_fail("ended with %d", (int)reason);
}

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	wheel_init(&rig->loop.wheel, 0);
	list_init(&rig->loop.flushes);
	rig->transport.conn = &rig->conn;
	inbox_init(&rig->inbox, &rig->transport, &rig->loop, &rig->metrics, BYTES_MAX);
}

static void rig_fini(struct rig *rig)
{
	rig->transport.conn = NULL;
	inbox_close(&rig->inbox);
	buf_fini(&rig->in);
}

static void post(struct rig *rig, struct asked *asked, const char *body)
{
	inbox_post(&rig->inbox, slice_from_str(body), asked_new(asked));
}

static void expect_in(const struct rig *rig, const char *text)
{
	cr_expect(slice_equal(buf_slice(&rig->in), slice_from_str(text)), "got '%.*s'",
		  SLICE_FMT(buf_slice(&rig->in)));
}

static void resume(struct rig *rig)
{
	inbox_pause(&rig->inbox, false);
	fake_loop_turn(&rig->loop, 0);
}

Test(inbox, a_body_is_given_on_and_answered_at_once)
{
	struct rig rig;
	struct asked asked;

	rig_init(&rig);
	post(&rig, &asked, "one");
	asked_expect(&asked, 200, "");
	cr_expect_not(asked.is_binary);
	post(&rig, &asked, "");
	asked_expect(&asked, 200, "");
	expect_in(&rig, "one");
	cr_expect_eq(rig.metrics.post_total, 2);
	cr_expect_eq(rig.metrics.in_bytes_total, 3);
	rig_fini(&rig);
}

Test(inbox, in_a_pause_the_answers_wait_and_so_do_later_bodies)
{
	struct rig rig;
	struct asked first;
	struct asked second;
	struct asked third;

	rig_init(&rig);
	rig.pauses = 1;
	post(&rig, &first, "1");
	post(&rig, &second, "2");
	post(&rig, &third, "3");
	expect_in(&rig, "1");
	asked_expect_waiting(&first);
	asked_expect_waiting(&second);
	resume(&rig);
	expect_in(&rig, "123");
	asked_expect(&first, 200, "");
	asked_expect(&second, 200, "");
	asked_expect(&third, 200, "");
	cr_expect_eq(rig.inbox.posts_n, 0);
	rig_fini(&rig);
}

Test(inbox, a_body_that_waited_may_pause_again)
{
	struct rig rig;
	struct asked first;
	struct asked second;
	struct asked third;

	rig_init(&rig);
	rig.pauses = 2;
	post(&rig, &first, "1");
	post(&rig, &second, "2");
	post(&rig, &third, "3");
	resume(&rig);
	expect_in(&rig, "12");
	asked_expect(&first, 200, "");
	asked_expect_waiting(&second);
	asked_expect_waiting(&third);
	resume(&rig);
	expect_in(&rig, "123");
	asked_expect(&third, 200, "");
	rig_fini(&rig);
}

Test(inbox, what_comes_behind_those_that_wait_waits_too)
{
	struct rig rig;
	struct asked first;
	struct asked second;

	rig_init(&rig);
	rig.pauses = 1;
	post(&rig, &first, "1");
	inbox_pause(&rig.inbox, false);
	/* The pause is over, but this turn's flush has not been. */
	post(&rig, &second, "2");
	asked_expect_waiting(&second);
	fake_loop_turn(&rig.loop, 0);
	asked_expect(&second, 200, "");
	expect_in(&rig, "12");
	rig_fini(&rig);
}

Test(inbox, as_many_wait_as_may_and_one_more_is_refused)
{
	struct rig rig;
	struct asked asked[INBOX_POSTS_MAX];
	struct asked refused;

	rig_init(&rig);
	rig.pauses = 1;
	for (int i = 0; i < INBOX_POSTS_MAX; i++)
		post(&rig, &asked[i], "x");
	post(&rig, &refused, "x");
	asked_expect(&refused, 503, NULL);
	cr_expect_eq(rig.metrics.post_refused_total, 1);
	resume(&rig);
	for (int i = 0; i < INBOX_POSTS_MAX; i++)
		asked_expect(&asked[i], 200, "");
	cr_expect_eq(rig.in.len, INBOX_POSTS_MAX);
	rig_fini(&rig);
}

Test(inbox, as_many_bytes_wait_as_may_and_one_more_is_refused)
{
	char body[BYTES_MAX + 1] = "";
	struct rig rig;
	struct asked first;
	struct asked full;
	struct asked refused;

	rig_init(&rig);
	rig.pauses = 1;
	memset(body, 'x', BYTES_MAX);
	post(&rig, &first, "given on");
	post(&rig, &full, body);
	asked_expect_waiting(&full);
	post(&rig, &refused, "y");
	asked_expect(&refused, 503, NULL);
	resume(&rig);
	asked_expect(&full, 200, "");
	/* Room again. */
	inbox_pause(&rig.inbox, true);
	post(&rig, &full, body);
	asked_expect_waiting(&full);
	rig_fini(&rig);
	asked_expect(&full, 404, "");
}

Test(inbox, bytes_of_a_client_that_went_away_count)
{
	struct rig rig;
	struct asked first;
	struct asked second;
	struct asked third;

	rig_init(&rig);
	rig.pauses = 1;
	post(&rig, &first, "1");
	post(&rig, &second, "2");
	post(&rig, &third, "3");
	asked_go(&first);
	asked_go(&second);
	resume(&rig);
	expect_in(&rig, "123");
	asked_expect(&third, 200, "");
	rig_fini(&rig);
}

Test(inbox, a_body_that_ends_the_connection_was_taken)
{
	struct rig rig;
	struct asked asked;

	rig_init(&rig);
	rig.is_closing = true;
	post(&rig, &asked, "bye");
	asked_expect(&asked, 200, "");
	post(&rig, &asked, "late");
	asked_expect(&asked, 404, "");
	expect_in(&rig, "bye");
	rig_fini(&rig);
}

Test(inbox, the_end_answers_who_waits)
{
	struct rig rig;
	struct asked first;
	struct asked second;
	struct asked third;

	rig_init(&rig);
	rig.pauses = 1;
	post(&rig, &first, "1");
	post(&rig, &second, "2");
	post(&rig, &third, "3");
	rig.is_closing = true;
	resume(&rig);
	expect_in(&rig, "12");
	asked_expect(&first, 200, "");
	asked_expect(&second, 200, "");
	asked_expect(&third, 404, "");
	rig_fini(&rig);
}
