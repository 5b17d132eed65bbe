/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router is left out of the next list while it passes requests on between gateways: no
 * client is told of it.
 */
#include "gateway/routers.h"

#include <criterion/criterion.h>

#include "gateway/forward.h"
#include "gateway/transport_lp.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"
#include "tests/unit/gateway/reshard_kit.h"

static struct forward forward; /* of a client here, about a connection elsewhere */
static unsigned answered;      /* its status */
static struct conn *polled;    /* a connection here, whose client polls elsewhere */

static void on_answer(struct forward *it, const Link__Response *response)
{
	cr_expect_eq(it, &forward);
	answered = response->status;
}

static void set_up(void)
{
	answered = 0;
	memset(&forward, 0, sizeof(forward));
	polled = NULL;
	start(BOTH);
}

static void tear_down(void)
{
	forward_stop(&forward);
	if (polled != NULL)
		conn_close(polled, CONN_CLOSE_SHUTDOWN, NULL);
	lp_host_free(kit.gateway->lp);
	kit.gateway->lp = NULL;
	kit_stop(&kit);
}

TestSuite(router_leaving, .init = set_up, .fini = tear_down);

static void prepare(void)
{
	phase(1, SHARD_PHASE_PREPARE, BOTH, ONE);
	settle();
}

static void commit(void)
{
	phase(1, SHARD_PHASE_COMMIT, BOTH, ONE);
	if (polled != NULL)
		released(r2, mover(), NULL);
	settle();
}

/* ---- where the connection is */

/* By r2, which is the second. */
static void poll_comes(uint64_t call)
{
	pass_request_from(&kit, 1, "chat", kit_id(mover()), call, POLL);
	kit_turn(&kit);
}

static void open_polled(void)
{
	kit.conf->post_bytes_max = 1000;
	polled = pass_open_lp(&kit, mover());
}

Test(router_leaving, a_poll_that_waits_is_answered_through_it)
{
	open_polled();
	poll_comes(1);
	prepare();
	cr_expect_eq(kit.metrics->replies, 1, "which may be given up");
	phase(1, SHARD_PHASE_COMMIT, BOTH, ONE);
	cr_expect_eq(kit.metrics->replies, 0);
	EXPECT(r2, mover(), "Response call=1 to=g2 200; Release @; ");
	cr_expect_eq(polled->state, CONN_OPEN);
	released(r2, mover(), NULL);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(router_leaving, and_so_is_one_that_comes_late)
{
	open_polled();
	prepare();
	commit();
	poll_comes(2);
	cr_expect_eq(kit.metrics->replies, 0);
	peer_expect(r2, "Response call=2 to=g2 200; ");
}

Test(router_leaving, what_is_there_goes_with_the_answer)
{
	open_polled();
	prepare();
	commit();
	kit_push(&kit, mover(), "one~");
	poll_comes(3);
	peer_expect(r2, "Response call=3 to=g2 200 binary body=one~; ");
	cr_expect_eq(polled->state, CONN_OPEN);
}

Test(router_leaving, polls_through_who_stays_go_on_waiting)
{
	open_polled();
	pass_request_from(&kit, 0, "chat", kit_id(mover()), 4, POLL);
	prepare();
	commit();
	cr_expect_eq(kit.metrics->replies, 1);
}

/* ---- where the client is */

static void ask_elsewhere(void)
{
	forward.gateway = kit.gateway;
	forward.hub = hubs_find(&kit.gateway->hubs, SLICE("chat"));
	forward.id = kit_id(mover());
	forward.kind = POST;
	forward.fn = on_answer;
	cr_assert_eq(forward_start(&forward), OK);
	kit_turn(&kit);
}

static void answer_comes(void)
{
	Link__Response response = LINK__RESPONSE__INIT;

	response.call = forward.number;
	response.status = 200;
	forward_on_response(router_named("r2"), &response);
}

Test(router_leaving, is_waited_for_until_it_has_answered)
{
	ask_elsewhere();
	prepare();
	commit();
	cr_expect_not(kit.gateway->reshard.is_done);
	answer_comes();
	settle();
	cr_expect_eq(answered, 200);
	cr_expect(kit.gateway->reshard.is_done);
}

Test(router_leaving, but_not_when_it_is_away)
{
	ask_elsewhere();
	prepare();
	fake_peer_down(r2);
	commit();
	cr_expect(kit.gateway->reshard.is_done);
	fake_peer_resume(r2);
}

Test(router_leaving, nor_for_longer_than_the_timeout)
{
	ask_elsewhere();
	prepare();
	commit();
	kit_wait(&kit, kit.conf->reshard_timeout_ms / 2);
	settle();
	cr_expect_not(kit.gateway->reshard.is_done);
	kit_wait(&kit, kit.conf->reshard_timeout_ms);
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}
