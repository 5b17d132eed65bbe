/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls of g2's clients whose router is lost, and which g2 asks again by another one.
 */
#include <criterion/criterion.h>

#include "gateway/forward.h"
#include "gateway/transport_lp.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"
#include "tests/unit/gateway/reply_kit.h"

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
	if (gateway_conn_find(kit.gateway, kit_id('A')) != NULL)
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	lp_host_free(kit.gateway->lp);
	kit.gateway->lp = NULL;
	cr_expect_eq(kit.metrics->poll_kept_bytes, 0);
	kit_stop(&kit);
}

TestSuite(poll_again, .init = setup, .fini = teardown);

static void poll(uint64_t call, uint64_t id)
{
	pass_poll(&kit, 0, 'A', call, (struct reply_poll){ .id = id });
	kit_turn(&kit);
}

/* By the other router. */
static void again(uint64_t call, uint64_t id, unsigned doubts)
{
	pass_poll(&kit, 1, 'A', call, (struct reply_poll){ id, doubts, 0 });
	kit_turn(&kit);
}

static void push(const char *text)
{
	kit_push(&kit, 'A', text);
	kit_turn(&kit);
}

/* What g2 is told by each of the two routers. */
static void expect(const char *by_first, const char *by_second)
{
	peer_expect(kit.router, by_first);
	peer_expect(kit_router(&kit, 1), by_second);
}

static void answered_first(void)
{
	poll(1, 7);
	push("one~");
	expect("Response call=1 to=g2 200 binary body=one~; ", "");
}

/* ---- what was answered */

Test(poll_again, is_given_the_same_bytes)
{
	answered_first();
	again(2, 7, 1);
	expect("", "Response call=2 to=g2 200 binary body=one~; ");
	cr_expect_eq(kit.metrics->poll_again_total, 1);
	again(3, 7, 2);
	expect("", "Response call=3 to=g2 200 binary body=one~; ");
}

Test(poll_again, what_came_since_is_for_the_next_poll)
{
	answered_first();
	push("two~");
	again(2, 7, 1);
	expect("", "Response call=2 to=g2 200 binary body=one~; ");
	poll(3, 8);
	expect("Response call=3 to=g2 200 binary body=two~; ", "");
}

Test(poll_again, is_given_an_empty_answer_too)
{
	poll(1, 7);
	kit_wait(&kit, kit.conf->poll_timeout_ms);
	expect("Response call=1 to=g2 200; ", "");
	push("one~");
	again(2, 7, 1);
	expect("", "Response call=2 to=g2 200 binary; ");
	poll(3, 8);
	expect("Response call=3 to=g2 200 binary body=one~; ", "");
}

Test(poll_again, who_polls_on_has_the_bytes)
{
	answered_first();
	cr_expect_eq(kit.metrics->poll_kept_bytes, 4);
	poll(2, 8);
	cr_expect_eq(kit.metrics->poll_kept_bytes, 0);
	cr_expect_eq(kit.metrics->poll_again_total, 0);
}

Test(poll_again, who_polls_on_here_has_them_too)
{
	struct asked asked;

	answered_first();
	transport_lp_poll(conn->transport, asked_new(&asked));
	cr_expect_eq(kit.metrics->poll_kept_bytes, 0);
	push("two~");
	asked_expect(&asked, 200, NULL);
	cr_expect_eq(kit.metrics->poll_kept_bytes, 0,
		     "its answer is not lost with a router");
}

Test(poll_again, the_last_bytes_of_an_ended_connection_are_given_again)
{
	poll(1, 7);
	conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	kit_turn(&kit);
	peer_expect(kit.router, "Disconnected A error=; Response call=1 to=g2 200 binary "
				"body={\"type\":7,\"allowReconnect\":true}~; ");
	again(2, 7, 1);
	expect("", "Response call=2 to=g2 200 binary "
		   "body={\"type\":7,\"allowReconnect\":true}~; ");
	again(3, 8, 1);
	expect("", "Response call=3 to=g2 204; ");
}

Test(poll_again, nobody_comes_for_them)
{
	answered_first();
	kit_wait(&kit, kit.conf->disconnect_timeout_ms);
	kit_settle(&kit);
	cr_expect_null(gateway_conn_find(kit.gateway, kit_id('A')));
	again(2, 7, 1);
	peer_expect(kit_router(&kit, 1),
		    "Response call=2 to=g2 404 body=No Connection with that ID; ");
}

/* ---- what was not */

Test(poll_again, waits_in_the_place_of_the_first)
{
	poll(1, 7);
	again(2, 7, 1);
	expect("Response call=1 to=g2 204; ", "");
	push("one~");
	expect("", "Response call=2 to=g2 200 binary body=one~; ");
}

Test(poll_again, may_be_the_first_that_comes)
{
	again(2, 7, 1);
	expect("", "");
	push("one~");
	expect("", "Response call=2 to=g2 200 binary body=one~; ");
}

Test(poll_again, is_answered_while_its_client_still_waits)
{
	/* Three quarters of what is left; half of forward_timeout is for the way back. */
	pass_poll(&kit, 1, 'A', 2, (struct reply_poll){ 7, 1, 1125 });
	cr_assert_eq(kit.conf->forward_timeout_ms, 1000);
	kit_wait(&kit, 999);
	expect("", "");
	kit_wait(&kit, 1);
	expect("", "Response call=2 to=g2 200; ");
}

Test(poll_again, waits_no_longer_than_others)
{
	pass_poll(&kit, 1, 'A', 2,
		  (struct reply_poll){ 7, 1, kit.conf->poll_timeout_ms * 2 });
	kit_wait(&kit, kit.conf->poll_timeout_ms);
	expect("", "Response call=2 to=g2 200; ");
}

/* It waited for its router, or on the link. */
Test(poll_again, a_first_that_comes_late_is_answered_in_time_too)
{
	pass_poll(&kit, 0, 'A', 1, (struct reply_poll){ 7, 0, 375 });
	kit_wait(&kit, 1);
	expect("Response call=1 to=g2 200; ", "");
}

/* ---- what was asked before, and comes behind */

Test(poll_again, the_first_does_not_take_its_place)
{
	again(2, 7, 1);
	poll(1, 7);
	expect("Response call=1 to=g2 204; ", "");
	push("one~");
	expect("", "Response call=2 to=g2 200 binary body=one~; ");
}

Test(poll_again, the_first_does_not_take_what_came_since)
{
	answered_first();
	again(2, 7, 1);
	poll(3, 8);
	push("two~");
	expect("Response call=3 to=g2 200 binary body=two~; ",
	       "Response call=2 to=g2 200 binary body=one~; ");
	poll(1, 7);
	expect("Response call=1 to=g2 204; ", "");
	again(4, 8, 1);
	expect("", "Response call=4 to=g2 200 binary body=two~; ");
}

Test(poll_again, nor_does_the_second)
{
	again(3, 7, 2);
	again(2, 7, 1);
	expect("", "Response call=2 to=g2 204; ");
	push("one~");
	expect("", "Response call=3 to=g2 200 binary body=one~; ");
}

/* ---- who asks */

static unsigned answered;

static void on_answer(struct forward *forward, const Link__Response *response)
{
	(void)forward;
	answered = response->status;
}

Test(poll_again, one_in_doubt_is_given_up_before_its_client_polls_anew)
{
	struct forward forward = { .gateway = kit.gateway,
				   .hub = &kit.gateway->hubs.items[0],
				   .id = kit_id('Z'),
				   .kind = POLL,
				   .fn = on_answer };

	cr_assert_eq(forward_start(&forward), OK);
	peer_handle(forward.router->peer);
	fake_peer_renew(forward.router->peer, 101);
	kit_turn(&kit);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	kit_wait(&kit, 9499 - FORWARD_AGAIN_MS);
	cr_expect_eq(answered, 0);
	kit_wait(&kit, 1);
	cr_expect_eq(answered, 404);
}
