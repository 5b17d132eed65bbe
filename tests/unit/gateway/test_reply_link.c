/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of g2's clients about connections that are held here, and what becomes of
 * answers that are lost.
 */
#include "gateway/reply_link.h"

#include <criterion/criterion.h>

#include "gateway/conn_in.h"
#include "gateway/transport_lp.h"
#include "proto/base/mem.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"
#include "tests/unit/gateway/reply_kit.h"

#define UNKNOWN "Response call=1 to=g2 404; "
#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"F\",\"arguments\":[]}~"

static struct kit kit;
static struct conn *conn;

static void setup(void)
{
	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=test:1,r2=test:2");
	kit.conf->post_bytes_max = 1000;
	kit_start(&kit);
	conn = pass_open_lp(&kit, 'A');
}

static void teardown(void)
{
	struct map_node *node = map_next(&kit.gateway->conns, NULL);

	while (node != NULL) {
		struct conn *it = CONTAINER_OF(node, struct conn, node);

		node = map_next(&kit.gateway->conns, node);
		conn_close(it, CONN_CLOSE_SHUTDOWN, NULL);
	}
	lp_host_free(kit.gateway->lp);
	kit.gateway->lp = NULL;
	kit_stop(&kit);
}

TestSuite(reply_link, .init = setup, .fini = teardown);

/* A poll from g2 that is answered "one~", unless the link is full. */
static void answer_poll(void)
{
	pass_request(&kit, 'A', 1, POLL, "");
	kit_push(&kit, 'A', "one~");
	kit_turn(&kit);
}

static void expect_ended(void)
{
	cr_expect_eq(conn->state, CONN_CLOSED);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TRANSPORT], 1);
	cr_expect_eq(kit.metrics->reply_lost_total, 1);
	cr_expect_eq(kit.metrics->replies, 0);
}

static void expect_going_on(void)
{
	cr_expect_eq(conn->state, CONN_OPEN);
	cr_expect_eq(kit.metrics->reply_lost_total, 0);
	cr_expect_eq(kit.metrics->replies, 0);
}

/* ---- answers */

Test(reply_link, a_post_is_handled_and_answered)
{
	pass_request(&kit, 'A', 1, POST, CALL("1"));
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; Response call=1 to=g2 200; ");
	expect_going_on();
	cr_expect_eq(conn->calls_n, 1);
}

Test(reply_link, a_post_that_comes_too_late_is_not_handled)
{
	kit.router->age_ms = 750;
	pass_request_good_for(&kit, 'A', 1, 750, CALL("1"));
	peer_expect(kit.router, "Response call=1 to=g2 503; ");
	cr_expect_eq(kit.metrics->request_stale_total, 1);
	cr_expect_eq(conn->calls_n, 0);
	pass_request_good_for(&kit, 'A', 2, 751, CALL("2"));
	peer_expect(kit.router, "Invoke A call=1 id=2 F[]; Response call=2 to=g2 200; ");
	cr_expect_eq(kit.metrics->request_stale_total, 1);
	expect_going_on();
}

Test(reply_link, a_poll_waits_for_what_there_is)
{
	pass_request(&kit, 'A', 1, POLL, "");
	kit_turn(&kit);
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->replies, 1);
	kit_push(&kit, 'A', "one~");
	kit_turn(&kit);
	peer_expect(kit.router, "Response call=1 to=g2 200 binary body=one~; ");
	expect_going_on();
}

Test(reply_link, a_delete_ends_the_connection)
{
	pass_request(&kit, 'A', 1, DELETE, "");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_CLIENT], 1);
	cr_expect_eq(kit.metrics->replies, 0);
}

/* ---- a poll's bytes */

/* Their client polls again, or is gone in disconnect_timeout. */
Test(reply_link, a_connection_survives_the_router_that_had_its_bytes)
{
	answer_poll();
	fake_peer_renew(kit.router, 101);
	expect_going_on();
	kit_settle(&kit);
}

Test(reply_link, bytes_that_find_no_room_end_the_connection)
{
	pass_request(&kit, 'A', 1, POLL, "");
	kit_push(&kit, 'A', "one~");
	peer_fill(kit.router);
	kit_turn(&kit);
	expect_ended();
	cr_expect_eq(kit.metrics->reply_refused_total, 1);
	kit_settle(&kit);
}

Test(reply_link, a_stream_that_breaks_loses_no_bytes)
{
	answer_poll();
	fake_peer_down(kit.router);
	kit_turn(&kit);
	fake_peer_resume(kit.router);
	kit_settle(&kit);
	expect_going_on();
}

Test(reply_link, an_answer_without_bytes_may_be_lost)
{
	pass_request(&kit, 'A', 1, POLL, "");
	kit_wait(&kit, 9000);
	fake_peer_renew(kit.router, 101);
	expect_going_on();
	cr_expect_eq(kit.metrics->poll_timeout_total, 1);
}

Test(reply_link, an_answer_without_bytes_needs_no_room)
{
	peer_fill(kit.router);
	pass_request(&kit, 'A', 1, POST, "");
	expect_going_on();
	cr_expect_eq(kit.metrics->reply_refused_total, 1);
	kit_settle(&kit);
}

/* ---- who asked goes away */

Test(reply_link, a_poll_that_is_taken_back_takes_nothing_along)
{
	struct asked poll;

	pass_request(&kit, 'A', 1, POLL, "");
	pass_request(&kit, 'A', 1, GONE, "");
	expect_going_on();
	kit_push(&kit, 'A', "one~");
	kit_turn(&kit);
	peer_expect(kit.router, "");
	transport_lp_poll(conn->transport, asked_new(&poll));
	kit_turn(&kit);
	asked_expect(&poll, 200, NULL);
	cr_expect_eq(poll.body_len, 4);
}

Test(reply_link, what_is_answered_cannot_be_taken_back)
{
	answer_poll();
	pass_request(&kit, 'A', 1, GONE, "");
	kit_settle(&kit);
	expect_going_on();
}

Test(reply_link, a_post_that_waits_is_handled_without_its_client)
{
	pass_request(&kit, 'A', 1, POST, CALL("1") CALL("2"));
	pass_request(&kit, 'A', 2, POST, CALL("3"));
	cr_expect_eq(kit.metrics->replies, 2);
	pass_request(&kit, 'A', 2, GONE, "");
	pass_request(&kit, 'A', 1, GONE, "");
	kit_complete(&kit, 'A', 1, "");
	kit_complete(&kit, 'A', 2, "");
	kit_turn(&kit);
	kit_turn(&kit);
	expect_going_on();
	cr_expect_eq(conn->calls_n, 1);
	cr_expect_eq(kit.gateway->last_call, 3);
}

Test(reply_link, a_lost_router_takes_who_waits_along)
{
	struct asked poll;

	pass_request(&kit, 'A', 1, POLL, "");
	fake_peer_renew(kit.router, 101);
	expect_going_on();
	kit_settle(&kit);
	transport_lp_poll(conn->transport, asked_new(&poll));
	asked_expect_waiting(&poll);
	kit_push(&kit, 'A', "one~");
	kit_turn(&kit);
	asked_expect(&poll, 200, NULL);
}

/* The first was asked by a former life of g2, which router 0 has not missed yet. */
Test(reply_link, routers_number_apart)
{
	(void)pass_open_lp(&kit, 'B');
	pass_request(&kit, 'A', 1, POLL, "");
	pass_request_from(&kit, 1, "chat", kit_id('B'), 1, POLL);
	kit_turn(&kit);
	peer_expect(kit_router(&kit, 1), "");
	cr_expect_eq(kit.metrics->replies, 2);
	pass_request(&kit, 'A', 1, GONE, "");
	cr_expect_eq(kit.metrics->replies, 1);
	kit_push(&kit, 'B', "one~");
	kit_turn(&kit);
	peer_expect(kit_router(&kit, 1), "Response call=1 to=g2 200 binary body=one~; ");
	kit_settle(&kit);
}

/* ---- what no gateway asks */

Test(reply_link, of_an_unknown_hub_is_unknown)
{
	pass_request_from(&kit, 0, "none", kit_id('A'), 1, POLL);
	peer_expect(kit.router, UNKNOWN);
}

Test(reply_link, an_id_of_another_length_is_unknown)
{
	static const char ids[] = "AAAAAAAAAAAAAAAAAAAAAAA"; /* one too many */

	pass_request_from(&kit, 0, "chat", slice_make(ids, CONN_ID_LEN - 1), 1, POLL);
	pass_request_from(&kit, 0, "chat", slice_make(ids, CONN_ID_LEN + 1), 1, POLL);
	peer_expect(kit.router, UNKNOWN UNKNOWN);
}

Test(reply_link, of_an_unknown_kind_is_unknown)
{
	pass_request(&kit, 'A', 1, LINK__REQUEST_KIND__REQUEST_KIND_NONE, "");
	pass_request(&kit, 'A', 1, (Link__RequestKind)(POLL_AGAIN + 1), "");
	peer_expect(kit.router, UNKNOWN UNKNOWN);
	expect_going_on();
}

Test(reply_link, a_number_that_is_taken_is_refused)
{
	pass_request(&kit, 'A', 1, POLL, "");
	pass_request(&kit, 'A', 1, POST, "");
	peer_expect(kit.router, UNKNOWN);
	cr_expect_eq(kit.metrics->replies, 1);
	peer_fill(kit.router);
	pass_request(&kit, 'A', 1, POST, "");
	cr_expect_eq(kit.metrics->reply_refused_total, 1);
	kit_settle(&kit);
}

Test(reply_link, a_connection_that_is_not_here_is_unknown)
{
	pass_request(&kit, 'B', 1, POLL, "");
	peer_expect(kit.router,
		    "Response call=1 to=g2 404 body=No Connection with that ID; ");
}
