/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests about connections that are not held here: what the router is asked, and when
 * the client is told.
 */
#include "gateway/forward.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"

#define FORWARDS 4

/* Who asks, and what it was told. */
struct asker {
	struct forward forward;
	int answers;
	unsigned status;
	char body[16];
	struct asker *leaves; /* with its answer this one goes away, too */
	bool is_again;	      /* it asks anew at once */
};

static struct kit kit;
static struct asker askers[FORWARDS];

static void on_answer(struct forward *forward, const Link__Response *response)
{
	struct asker *asker = CONTAINER_OF(forward, struct asker, forward);

	asker->answers++;
	asker->status = response->status;
	cr_assert_lt(response->body.len, sizeof(asker->body));
	if (response->body.len > 0)
		memcpy(asker->body, response->body.data, response->body.len);
	if (asker->leaves != NULL)
		forward_stop(&asker->leaves->forward);
	if (asker->is_again)
		cr_expect_eq(forward_start(forward), OK);
}

static void setup(void)
{
	memset(askers, 0, sizeof(askers));
	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=test:1,r2=test:2");
	kit_start(&kit);
}

static void teardown(void)
{
	for (size_t i = 0; i < FORWARDS; i++)
		forward_stop(&askers[i].forward);
	cr_expect_eq(kit.metrics->forwards, 0);
	kit_stop(&kit);
}

TestSuite(forward, .init = setup, .fini = teardown);

/* A letter whose connection router `i` owns. */
static char letter_of(size_t i)
{
	char letter = 'A';

	while (gateway_owner(kit.gateway, &kit.gateway->hubs.items[0],
			     LINK__KIND__KIND_CONNECTION,
			     kit_id(letter)) != kit.gateway->routers.items[i])
		letter++;
	cr_assert_leq(letter, 'Z');
	return letter;
}

static enum err start_at(struct asker *asker, size_t router, Link__RequestKind kind)
{
	asker->forward.gateway = kit.gateway;
	asker->forward.hub = &kit.gateway->hubs.items[0];
	asker->forward.id = kit_id(letter_of(router));
	asker->forward.kind = kind;
	asker->forward.fn = on_answer;
	return forward_start(&asker->forward);
}

static struct asker *ask(Link__RequestKind kind)
{
	struct asker *asker = askers;

	while (asker->forward.is_started)
		asker++;
	cr_assert_eq(start_at(asker, 0, kind), OK);
	return asker;
}

static void answer(uint64_t call, unsigned status, const char *body)
{
	pass_response(&kit, letter_of(0), call, status, body);
}

/* `text` with the letter of router 0 for each '@'. */
static void expect(const char *text)
{
	struct buf out = BUF_INIT;

	for (; *text != '\0'; text++)
		buf_append_byte(&out, *text == '@' ? letter_of(0) : *text);
	buf_append_byte(&out, '\0');
	peer_expect(kit.router, out.ptr);
	buf_fini(&out);
}

static void expect_answer(const struct asker *asker, unsigned status)
{
	cr_expect_eq(asker->answers, 1, "%d answers", asker->answers);
	cr_expect_eq(asker->status, status, "%u for %u", asker->status, status);
	cr_expect_not(asker->forward.is_started);
}

static void expect_waiting(const struct asker *asker)
{
	cr_expect_eq(asker->answers, 0, "answered %u", asker->status);
	cr_expect(asker->forward.is_started);
}

/* ---- asking */

Test(forward, asks_the_router_that_owns_the_id)
{
	struct asker *asker = &askers[0];

	asker->forward.body = SLICE("text");
	asker->forward.may_claim = true;
	cr_assert_eq(start_at(asker, 0, POLL), OK);
	expect("Request @ call=1 poll claim body=text; ");
	peer_expect(kit_router(&kit, 1), "");
	expect_waiting(asker);
	answer(1, 200, "body");
	expect_answer(asker, 200);
	cr_expect_str_eq(asker->body, "body");
	answer(1, 200, "body");
	expect_answer(asker, 200);
	cr_expect_eq(kit.metrics->response_late_total, 1);
}

Test(forward, what_is_asked_is_good_for_three_quarters_of_the_time)
{
	expect_waiting(ask(POST));
	kit_wait(&kit, 500);
	answer(1, 503, "");
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Request @ call=1 post; Request @ call=2 post; ");
	cr_expect_eq(peer_good_ms, 338, "of 450");
}

Test(forward, a_full_link_is_waited_for)
{
	peer_fill(kit.router);
	cr_expect_eq(start_at(&askers[0], 0, POST), OK);
	cr_expect_eq(start_at(&askers[1], 1, POST), OK);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect_waiting(&askers[0]);
	kit_settle(&kit);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Request @ call=4 post; ");
	answer(4, 200, "");
	expect_answer(&askers[0], 200);
	cr_expect_eq(kit.metrics->forward_again_total, 2);
	cr_expect_eq(kit.metrics->forward_refused_total, 0);
	kit_settle(&kit);
}

Test(forward, a_full_link_is_waited_for_until_the_deadline)
{
	peer_fill(kit.router);
	cr_expect_eq(start_at(&askers[0], 0, POST), OK);
	kit_wait(&kit, 1000 - 1);
	expect_answer(&askers[0], 503);
	cr_expect_eq(kit.metrics->forward_failed_total, 1);
	kit_settle(&kit);
}

Test(forward, forwards_max_are_under_way_and_no_more)
{
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(start_at(&askers[i], i % 2, POST), OK);
	cr_expect_eq(start_at(&askers[3], 0, POST), ERR_LIMIT);
	cr_expect_eq(kit.metrics->forward_refused_total, 1);
	answer(1, 200, "");
	cr_expect_eq(start_at(&askers[3], 0, POST), OK);
	cr_expect_eq(kit.metrics->forwards, 3);
	cr_expect_eq(kit.metrics->forward_total, 4);
}

/* ---- deadlines */

Test(forward, without_an_answer_it_is_taken_back)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	kit_wait(&kit, 999);
	expect_waiting(asker);
	kit_wait(&kit, 1);
	expect_answer(asker, 503);
	expect("Request @ call=1 gone; ");
	cr_expect_eq(kit.metrics->forward_timeout_total, 1);
	cr_expect_eq(kit.metrics->forward_failed_total, 1);
	answer(1, 200, "");
	expect_answer(asker, 503);
}

Test(forward, a_poll_may_wait_as_long_as_polls_do)
{
	struct asker *asker = ask(POLL);

	kit_wait(&kit, 9999);
	expect_waiting(asker);
	kit_wait(&kit, 1);
	expect_answer(asker, 404);
}

Test(forward, asks_again_when_told_to)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	answer(1, 503, "");
	kit_wait(&kit, FORWARD_AGAIN_MS - 1);
	expect("");
	kit_wait(&kit, 1);
	expect("Request @ call=2 post; ");
	answer(1, 200, "");
	expect_waiting(asker);
	answer(2, 200, "");
	expect_answer(asker, 200);
	cr_expect_eq(kit.metrics->forward_again_total, 1);
}

Test(forward, asks_again_as_long_as_there_is_time)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	kit_wait(&kit, 1000 - FORWARD_AGAIN_MS - 1);
	answer(1, 503, "");
	expect_waiting(asker);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Request @ call=2 post; ");
	kit_wait(&kit, 1);
	expect("Request @ call=2 gone; ");
	expect_answer(asker, 503);
}

Test(forward, gives_up_when_the_next_time_would_be_too_late)
{
	struct asker *asker = ask(POST);

	kit_wait(&kit, 1000 - FORWARD_AGAIN_MS);
	answer(1, 503, "");
	expect_answer(asker, 503);
	cr_expect_eq(kit.metrics->forward_failed_total, 1);
}

Test(forward, asks_again_until_the_link_has_room)
{
	struct asker *asker = ask(POST);

	answer(1, 503, "");
	peer_fill(kit.router);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect_waiting(asker);
	kit_settle(&kit);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Request @ call=3 post; ");
	answer(3, 200, "");
	expect_answer(asker, 200);
}

Test(forward, a_link_without_room_ends_it_in_time)
{
	struct asker *asker = ask(POST);

	answer(1, 503, "");
	peer_fill(kit.router);
	for (int i = 1; i < 1000 / FORWARD_AGAIN_MS - 1; i++) {
		kit_wait(&kit, FORWARD_AGAIN_MS);
		expect_waiting(asker);
	}
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect_answer(asker, 503);
	kit_settle(&kit);
}

/* ---- the client goes away */

Test(forward, is_taken_back_when_nobody_waits)
{
	struct asker *asker = ask(POLL);

	kit_settle(&kit);
	forward_stop(&asker->forward);
	expect("Request @ call=1 gone; ");
	forward_stop(&asker->forward);
	expect("");
	answer(1, 200, "body");
	cr_expect_eq(asker->answers, 0);
	cr_expect_eq(kit.metrics->response_late_total, 1);
}

Test(forward, between_two_requests_there_is_none_to_take_back)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	answer(1, 503, "");
	forward_stop(&asker->forward);
	kit_wait(&kit, 1000);
	expect("");
	cr_expect_eq(asker->answers, 0);
}

Test(forward, that_cannot_be_taken_back_is_counted)
{
	struct asker *asker = ask(POST);

	peer_fill(kit.router);
	forward_stop(&asker->forward);
	cr_expect_eq(kit.metrics->forward_untold_total, 1);
	kit_settle(&kit);
	answer(1, 200, "");
	cr_expect_eq(asker->answers, 0);
}

Test(forward, a_claim_for_who_has_left_is_given_back)
{
	struct asker *asker = ask(POLL);

	kit_settle(&kit);
	forward_stop(&asker->forward);
	answer(1, 0, "");
	expect("Request @ call=1 gone; Claim @ gone fresh=0; ");
}

Test(forward, a_tunnel_for_who_has_left_is_ended)
{
	struct asker *asker = ask(WEB_SOCKET);

	kit_settle(&kit);
	forward_stop(&asker->forward);
	answer(1, 101, "");
	expect("Request @ call=1 gone; Tunnel @ call=1 to=g2 end error; ");
}

/* ---- the router goes away */

/* It had handled the request, and may have passed it on; long enough to ask again. */
static void lose_handled(struct asker *asker)
{
	kit_settle(&kit);
	cr_assert(asker->forward.is_handled);
	fake_peer_renew(kit.router, 101);
	kit_turn(&kit);
	expect("Replayed 0; ");
	cr_expect_eq(kit.metrics->forward_lost_total, 1);
	kit_wait(&kit, FORWARD_AGAIN_MS);
}

Test(forward, a_post_that_was_lost_is_not_said_twice)
{
	struct asker *asker = ask(POST);

	lose_handled(asker);
	expect_answer(asker, 503);
	expect("");
}

Test(forward, a_poll_whose_answer_may_be_lost_is_asked_again)
{
	struct asker *asker = ask(POLL);

	lose_handled(asker);
	expect("Request @ call=2 poll-again doubts=1; ");
	cr_expect_eq(peer_poll_id, asker->forward.poll_id);
	answer(1, 204, "");
	answer(2, 200, "");
	expect_answer(asker, 200);
}

Test(forward, a_websocket_that_was_lost_is_asked_for_again)
{
	struct asker *asker = ask(WEB_SOCKET);

	lose_handled(asker);
	expect("Request @ call=2 socket; ");
	answer(2, 404, "");
	expect_answer(asker, 404);
}

Test(forward, a_delete_that_was_lost_is_said_again)
{
	struct asker *asker = ask(DELETE);

	lose_handled(asker);
	expect("Request @ call=2 delete; ");
}

/* Nobody knows whether it was handled. */
Test(forward, a_post_under_way_to_a_lost_router_is_not_said_twice)
{
	struct asker *asker = ask(POST);

	expect("Request @ call=1 post; ");
	fake_peer_renew(kit.router, 101);
	expect_answer(asker, 503);
}

Test(forward, a_websocket_under_way_to_a_lost_router_is_asked_for_again)
{
	struct asker *asker = ask(WEB_SOCKET);

	expect("Request @ call=1 socket; ");
	fake_peer_renew(kit.router, 101);
	kit_turn(&kit);
	expect("Replayed 0; ");
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Request @ call=2 socket; ");
	expect_waiting(asker);
}

Test(forward, what_was_not_sent_goes_to_the_next_router)
{
	struct asker *asker = ask(POST);

	fake_peer_renew(kit.router, 101);
	kit_wait(&kit, FORWARD_AGAIN_MS);
	expect("Replayed 0; Request @ call=1 post; ");
	answer(1, 200, "");
	expect_answer(asker, 200);
	cr_expect_eq(kit.metrics->forward_lost_total, 0);
}

Test(forward, a_stream_that_breaks_loses_nothing)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	fake_peer_down(kit.router);
	kit_turn(&kit);
	fake_peer_resume(kit.router);
	kit_turn(&kit);
	expect_waiting(asker);
	answer(1, 200, "");
	expect_answer(asker, 200);
}

Test(forward, through_another_router_goes_on)
{
	struct asker *other = &askers[1];
	struct asker *asker = ask(POST);

	cr_assert_eq(start_at(other, 1, POST), OK);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 101);
	kit_turn(&kit);
	expect_answer(asker, 503);
	expect_waiting(other);
}

/* ---- from inside the answer */

Test(forward, one_answer_may_end_the_others_of_a_lost_router)
{
	struct asker *first = ask(POST);
	struct asker *second = ask(POST);
	struct asker *third = ask(POST);

	first->leaves = second;
	kit_settle(&kit);
	fake_peer_renew(kit.router, 101);
	kit_turn(&kit);
	expect_answer(first, 503);
	cr_expect_eq(second->answers, 0);
	cr_expect_not(second->forward.is_started);
	expect_answer(third, 503);
}

Test(forward, may_begin_anew_from_its_answer)
{
	struct asker *asker = ask(POST);

	kit_settle(&kit);
	asker->is_again = true;
	answer(1, 404, "");
	asker->is_again = false;
	expect("Request @ call=2 post; ");
	answer(2, 200, "");
	cr_expect_eq(asker->answers, 2);
	cr_expect_eq(asker->status, 200);
}
