/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long polling transport below a stand-in for its connection; its clock stands.
 */
#include "gateway/transport_lp.h"

#include <criterion/criterion.h>

#include "gateway/conn.h"
#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/reply_kit.h"

#define POLL_MS 90000
#define DISCONNECT_MS 15000
#define ID "abcdefghijklmnopqrstuv"

struct rig {
	struct loop loop;
	struct gateway_conf conf;
	struct gateway_metrics metrics;
	struct lp_host *host;
	struct hub hub;
	struct conn conn;
	struct transport *transport; /* dangles once it is freed */
	int ends;
	int drained;
	enum conn_close_reason reason;
};

void conn_on_bytes(struct conn *conn, struct slice bytes)
{
	(void)conn;
	cr_assert_fail("bytes came: %.*s", SLICE_FMT(bytes));
}

void conn_on_drained(struct conn *conn)
{
	CONTAINER_OF(conn, struct rig, conn)->drained++;
}

/* As the real one: it says good-bye to those who end in order. */
void conn_on_end(struct conn *conn, enum conn_close_reason reason)
{
	struct rig *rig = CONTAINER_OF(conn, struct rig, conn);
	struct transport *transport = rig->transport;
	struct blob *last;

	rig->ends++;
	rig->reason = reason;
	if (reason == CONN_CLOSE_TRANSPORT) {
		transport->ops->abort(transport);
		return;
	}
	last = transport->ops->wrap(SLICE("Close~"), true);
	transport->ops->send(transport, last);
	blob_unref(last);
	transport->ops->close(transport, false);
}

static struct slice id(void)
{
	return SLICE(ID);
}

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	wheel_init(&rig->loop.wheel, 0);
	list_init(&rig->loop.flushes);
	rig->conf.poll_timeout_ms = POLL_MS;
	rig->conf.disconnect_timeout_ms = DISCONNECT_MS;
	rig->conf.post_bytes_max = 1000;
	rig->host = lp_host_new(&rig->loop, &rig->conf, &rig->metrics, 1);
	rig->transport = transport_lp_new(rig->host, &rig->hub, id());
	rig->transport->conn = &rig->conn;
}

static void turn(struct rig *rig, int64_t ms)
{
	fake_loop_turn(&rig->loop, ms);
}

static void poll(struct rig *rig, struct asked *asked)
{
	transport_lp_poll(rig->transport, asked_new(asked));
}

/* The first poll is behind it. */
static void rig_up(struct rig *rig)
{
	struct asked first;

	rig_init(rig);
	poll(rig, &first);
	asked_expect(&first, 200, "");
	cr_assert(first.is_binary);
}

static bool is_there(const struct rig *rig)
{
	return lp_host_find(rig->host, &rig->hub, id()) != NULL;
}

static void rig_fini(struct rig *rig)
{
	if (is_there(rig) && rig->transport->conn != NULL)
		rig->transport->ops->abort(rig->transport);
	lp_host_free(rig->host);
	turn(rig, 0);
	cr_expect_eq(rig->metrics.lp_transports, 0);
	cr_expect_eq(rig->metrics.queue_bytes, 0);
}

static void say(struct rig *rig, const char *text)
{
	struct blob *blob = rig->transport->ops->wrap(slice_from_str(text), true);

	rig->transport->ops->send(rig->transport, blob);
	blob_unref(blob);
}

static void say_bytes(struct rig *rig, size_t len)
{
	struct blob *blob = blob_new(len);

	memset(blob->data, 'x', len);
	rig->transport->ops->send(rig->transport, blob);
	blob_unref(blob);
}

static size_t queued(const struct rig *rig)
{
	return rig->transport->ops->queued_bytes(rig->transport);
}

Test(transport_lp, the_first_poll_is_answered_before_anything_is_there)
{
	struct rig rig;
	struct asked first;

	rig_init(&rig);
	cr_expect(rig.transport->ops->is_polled);
	say(&rig, "{}~");
	poll(&rig, &first);
	asked_expect(&first, 200, "");
	cr_expect(first.is_binary);
	poll(&rig, &first);
	turn(&rig, 0);
	asked_expect(&first, 200, "{}~");
	rig_fini(&rig);
}

Test(transport_lp, a_poll_waits_and_gets_all_of_a_turn)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	turn(&rig, 100);
	asked_expect_waiting(&asked);
	say(&rig, "one~");
	say(&rig, "two~");
	asked_expect_waiting(&asked);
	turn(&rig, 0);
	asked_expect(&asked, 200, "one~two~");
	cr_expect(asked.is_binary);
	cr_expect_eq(rig.metrics.out_bytes_total, 8);
	rig_fini(&rig);
}

Test(transport_lp, what_comes_between_polls_is_there_for_the_next)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	say(&rig, "one~");
	turn(&rig, 100);
	say(&rig, "two~");
	cr_expect_eq(queued(&rig), 8);
	cr_expect_eq(rig.metrics.queue_bytes, 8);
	poll(&rig, &asked);
	cr_expect_eq(queued(&rig), 0, "a poll that waits makes nobody slow");
	turn(&rig, 0);
	asked_expect(&asked, 200, "one~two~");
	rig_fini(&rig);
}

Test(transport_lp, an_answer_is_full_at_its_limit)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	say_bytes(&rig, LP_ANSWER_BYTES_MAX - 1);
	say_bytes(&rig, 1);
	say_bytes(&rig, 1);
	poll(&rig, &asked);
	turn(&rig, 0);
	cr_expect_eq(asked.body_len, LP_ANSWER_BYTES_MAX);
	cr_expect_eq(queued(&rig), 1);
	cr_expect_eq(rig.drained, 0);
	poll(&rig, &asked);
	turn(&rig, 0);
	cr_expect_eq(asked.body_len, 1);
	cr_expect_eq(rig.drained, 1);
	rig_fini(&rig);
}

Test(transport_lp, one_message_goes_out_however_long)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	say_bytes(&rig, LP_ANSWER_BYTES_MAX + 1);
	say(&rig, "next~");
	poll(&rig, &asked);
	turn(&rig, 0);
	cr_expect_eq(asked.body_len, LP_ANSWER_BYTES_MAX + 1);
	poll(&rig, &asked);
	turn(&rig, 0);
	asked_expect(&asked, 200, "next~");
	rig_fini(&rig);
}

Test(transport_lp, many_small_messages_go_out_together)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	for (int i = 0; i < 200; i++)
		say(&rig, "x");
	poll(&rig, &asked);
	turn(&rig, 0);
	cr_expect_eq(asked.body_len, 200);
	rig_fini(&rig);
}

Test(transport_lp, a_poll_times_out_empty_and_not_sooner)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	turn(&rig, POLL_MS - 1);
	asked_expect_waiting(&asked);
	turn(&rig, 1);
	asked_expect(&asked, 200, "");
	cr_expect_not(asked.is_binary);
	cr_expect_eq(rig.metrics.poll_timeout_total, 1);
	cr_expect_eq(rig.ends, 0);
	rig_fini(&rig);
}

Test(transport_lp, a_newer_poll_ends_the_older)
{
	struct rig rig;
	struct asked older;
	struct asked newer;

	rig_up(&rig);
	poll(&rig, &older);
	poll(&rig, &newer);
	asked_expect(&older, 204, "");
	asked_expect_waiting(&newer);
	say(&rig, "one~");
	turn(&rig, 0);
	asked_expect(&newer, 200, "one~");
	cr_expect_eq(rig.metrics.poll_replaced_total, 1);
	rig_fini(&rig);
}

Test(transport_lp, without_a_poll_the_client_is_gone_at_the_timeout_and_not_sooner)
{
	struct rig rig;

	rig_up(&rig);
	turn(&rig, DISCONNECT_MS - 1);
	cr_expect_eq(rig.ends, 0);
	turn(&rig, 1);
	cr_expect_eq(rig.ends, 1);
	cr_expect_eq(rig.reason, CONN_CLOSE_TRANSPORT);
	cr_expect(rig.conn.is_overdue);
	cr_expect_not(is_there(&rig));
	cr_expect_eq(rig.metrics.lp_disconnect_total, 1);
	rig_fini(&rig);
}

Test(transport_lp, each_poll_gives_the_client_its_whole_time_again)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	for (int i = 0; i < 3; i++) {
		turn(&rig, DISCONNECT_MS - 1);
		say(&rig, "x");
		poll(&rig, &asked);
		turn(&rig, 0);
		asked_expect(&asked, 200, "x");
	}
	cr_expect_eq(rig.ends, 0);
	rig_fini(&rig);
}

Test(transport_lp, a_client_whose_poll_broke_off_may_come_back)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	turn(&rig, DISCONNECT_MS * 2);
	asked_go(&asked);
	say(&rig, "one~");
	turn(&rig, DISCONNECT_MS - 1);
	cr_expect_eq(rig.ends, 0);
	poll(&rig, &asked);
	turn(&rig, 0);
	asked_expect(&asked, 200, "one~");
	rig_fini(&rig);
}

Test(transport_lp, or_is_gone)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	asked_go(&asked);
	turn(&rig, DISCONNECT_MS);
	cr_expect_eq(rig.reason, CONN_CLOSE_TRANSPORT);
	cr_expect_not(is_there(&rig));
	rig_fini(&rig);
}

Test(transport_lp, after_the_end_the_rest_is_polled_then_204_then_nothing_is_left)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	say(&rig, "last~");
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	turn(&rig, 0);
	cr_expect(is_there(&rig) && !lp_host_is_quiet(rig.host));
	poll(&rig, &asked);
	turn(&rig, 0);
	asked_expect(&asked, 200, "last~Close~");
	cr_expect(lp_host_is_quiet(rig.host));
	poll(&rig, &asked);
	turn(&rig, 0);
	asked_expect(&asked, 204, "");
	cr_expect_not(asked.is_binary);
	cr_expect_not(is_there(&rig));
	rig_fini(&rig);
}

Test(transport_lp, a_poll_that_waits_gets_the_last_bytes)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	turn(&rig, 0);
	asked_expect(&asked, 200, "Close~");
	cr_expect(is_there(&rig));
	rig_fini(&rig);
}

Test(transport_lp, what_nobody_polls_after_the_end_is_dropped)
{
	struct rig rig;

	rig_up(&rig);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	turn(&rig, LP_COMES_BACK_MS - 1);
	cr_expect_not(lp_host_is_quiet(rig.host));
	turn(&rig, 1);
	cr_expect(lp_host_is_quiet(rig.host), "it may come, but is not waited for");
	turn(&rig, DISCONNECT_MS - LP_COMES_BACK_MS - 1);
	cr_expect(is_there(&rig) && rig.ends == 1);
	turn(&rig, 1);
	cr_expect_not(is_there(&rig));
	rig_fini(&rig);
}

Test(transport_lp, a_poll_may_break_off_after_the_end)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	asked_go(&asked);
	turn(&rig, 0);
	cr_expect(is_there(&rig));
	poll(&rig, &asked);
	turn(&rig, 0);
	asked_expect(&asked, 200, "Close~");
	rig_fini(&rig);
}

Test(transport_lp, an_abort_ends_the_poll_and_drops_the_rest)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	poll(&rig, &asked);
	say(&rig, "lost~");
	rig.transport->ops->abort(rig.transport);
	asked_expect(&asked, 204, "");
	cr_expect_not(is_there(&rig));
	turn(&rig, 0);
	rig_fini(&rig);
}

Test(transport_lp, a_delete_ends_all_at_once)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	say(&rig, "unread~");
	poll(&rig, &asked);
	transport_lp_delete(rig.transport);
	asked_expect(&asked, 204, "");
	cr_expect_eq(rig.reason, CONN_CLOSE_CLIENT);
	cr_expect_eq(rig.ends, 1);
	cr_expect_not(is_there(&rig));
	turn(&rig, 0);
	rig_fini(&rig);
}

Test(transport_lp, a_delete_after_the_end_drops_the_rest)
{
	struct rig rig;

	rig_up(&rig);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	transport_lp_delete(rig.transport);
	cr_expect_eq(rig.ends, 1);
	cr_expect_not(is_there(&rig));
	cr_expect(lp_host_is_quiet(rig.host));
	rig_fini(&rig);
}

Test(transport_lp, a_pause_and_the_end_reach_the_inbox)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	rig.transport->ops->pause(rig.transport, true);
	inbox_post(transport_lp_ops.inbox(rig.transport), SLICE("x"), asked_new(&asked));
	turn(&rig, 0);
	asked_expect_waiting(&asked);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	asked_expect(&asked, 404, "");
	inbox_post(transport_lp_ops.inbox(rig.transport), SLICE("x"), asked_new(&asked));
	asked_expect(&asked, 404, "");
	rig_fini(&rig);
}

Test(transport_lp, is_found_on_its_hub_alone)
{
	struct rig rig;
	struct hub other = { .conf = NULL };

	rig_init(&rig);
	cr_expect_eq(lp_host_find(rig.host, &rig.hub, id()), rig.transport);
	cr_expect_null(lp_host_find(rig.host, &other, id()));
	cr_expect_null(lp_host_find(rig.host, &rig.hub, SLICE("abcdefghijklmnopqrstuw")));
	cr_expect_null(lp_host_find(NULL, &rig.hub, id()));
	cr_expect(lp_host_is_quiet(NULL));
	rig_fini(&rig);
}

Test(transport_lp, the_host_ends_what_is_left)
{
	struct rig rig;
	struct asked asked;

	rig_up(&rig);
	conn_on_end(&rig.conn, CONN_CLOSE_SHUTDOWN);
	poll(&rig, &asked);
	rig_fini(&rig);
	asked_expect(&asked, 204, "");
}
