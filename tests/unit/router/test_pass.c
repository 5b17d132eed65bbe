/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests, answers and tunnels between two gateways: who gets what, and what is told
 * when one of the two is gone.
 */
#include "router/pass.h"

#include "proto/link/link_private.h"
#include "tests/unit/router/hub_kit.h"

#define POLL LINK__REQUEST_KIND__REQUEST_KIND_POLL
#define GONE LINK__REQUEST_KIND__REQUEST_KIND_GONE

struct asked {
	Link__RequestKind kind;
	bool may_claim;
	const char *body;
};

static void ask(struct kit *kit, struct link_peer *from, unsigned call, struct asked what)
{
	Link__Request request = LINK__REQUEST__INIT;

	request.hub = link_bytes(SLICE("chat"));
	request.connection = link_bytes(SLICE("c1"));
	request.call = call;
	request.kind = what.kind;
	request.may_claim = what.may_claim;
	request.origin = link_bytes(SLICE("made-up"));
	if (what.body != NULL)
		request.body = link_bytes(slice_from_str(what.body));
	kit_hear_request(kit, from, &request);
}

static void respond(struct kit *kit, struct link_peer *from, const char *to,
		    unsigned call, unsigned status)
{
	Link__Response response = LINK__RESPONSE__INIT;

	response.origin = link_bytes(slice_from_str(to));
	response.call = call;
	response.status = status;
	response.body = link_bytes(SLICE("bytes"));
	kit_hear_response(kit, from, &response);
}

static void tunnel(struct kit *kit, struct link_peer *from, const char *to, unsigned call,
		   bool is_end)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;

	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(SLICE("c1"));
	message.call = call;
	message.gateway = link_bytes(slice_from_str(to));
	message.data = link_bytes(SLICE("data"));
	message.is_end = is_end;
	kit_hear_tunnel(kit, from, &message);
}

/* g1 holds c1. */
static struct kit *kit_held(void)
{
	struct kit *kit = kit_new(NULL);

	kit->hub = "chat";
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	return kit;
}

static struct kit *kit_with_tunnel(void)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7,
	    (struct asked){ LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET, false, NULL });
	respond(kit, kit->g1, "g2", 7, 101);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	return kit;
}

static size_t passes_n(const struct kit *kit)
{
	return kit->router->passes.by_call.count;
}

Test(pass, a_request_goes_to_the_holder_and_its_answer_back)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, true, "body" });
	kit_expect(kit, kit->g1, "request 3 c1 7 of g2 body");
	respond(kit, kit->g1, "g2", 7, 200);
	kit_expect(kit, kit->g2, "response 200 to g2 7 c1 g1 bytes");
	cr_expect_eq(passes_n(kit), 0);
	respond(kit, kit->g1, "g2", 7, 200);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(kit->router->metrics.response_late_total, 1);
	kit_free(kit);
}

/* By a clock of g2's own. */
static void ask_late(struct kit *kit, unsigned call, uint64_t age_ms, uint64_t good_ms)
{
	Link__Request request = LINK__REQUEST__INIT;

	request.hub = link_bytes(SLICE("chat"));
	request.connection = link_bytes(SLICE("c1"));
	request.call = call;
	request.kind = LINK__REQUEST_KIND__REQUEST_KIND_POST;
	request.at_ms = 500;
	request.good_ms = good_ms;
	kit->g2->batch_at_ms = 500 + age_ms;
	kit_hear_request(kit, kit->g2, &request);
}

Test(pass, a_request_that_was_too_long_on_its_way_goes_nowhere)
{
	struct kit *kit = kit_held();

	ask_late(kit, 7, 1000, 1000);
	kit_expect(kit, kit->g2, "response 503 to g2 7 c1  ");
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.request_stale_total, 1);
	cr_expect_eq(passes_n(kit), 0);
	/* What is left of its time goes along, by the router's clock. */
	ask_late(kit, 8, 1000, 1000 + KIT_LEFT_MS_MAX);
	kit_expect(kit, kit->g1, "request 4 c1 8 of g2  in time");
	ask_late(kit, 9, 1000, 0);
	kit_expect(kit, kit->g1, "request 4 c1 9 of g2 ");
	cr_expect_eq(kit->router->metrics.request_stale_total, 1);
	kit_free(kit);
}

Test(pass, whom_nobody_holds_may_be_claimed)
{
	struct kit *kit = kit_new(NULL);

	ask(kit, kit->g1, 1, (struct asked){ POLL, false, NULL });
	kit_expect(kit, kit->g1, "response 404 to g1 1 c1  ");
	ask(kit, kit->g1, 2, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "response 0 to g1 2 c1  ");
	ask(kit, kit->g2, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "request 3 c1 1 of g2 ");
	kit_expect_silence(kit, kit->g2);
	kit_free(kit);
}

Test(pass, what_has_ended_is_not_held_again_while_its_token_is_fresh)
{
	struct kit *kit = kit_new(NULL);
	Link__Claim claim = LINK__CLAIM__INIT;

	claim.hub = link_bytes(SLICE("chat"));
	claim.connection = link_bytes(SLICE("c1"));
	kit_hear_claim(kit, kit->g1, &claim);
	claim.is_gone = true;
	claim.fresh_ms = 60000;
	kit_hear_claim(kit, kit->g1, &claim);
	ask(kit, kit->g2, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g2, "response 410 to g2 1 c1  ");
	ask(kit, kit->g1, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "response 410 to g1 1 c1  ");
	kit_free(kit);
}

Test(pass, what_has_ended_is_forgotten_when_its_token_is_too_old)
{
	struct kit *kit = kit_new(NULL);
	Link__Claim claim = LINK__CLAIM__INIT;
	const int64_t begin_ms = loop_now_ms(kit->loop);

	claim.hub = link_bytes(SLICE("chat"));
	claim.connection = link_bytes(SLICE("c1"));
	kit_hear_claim(kit, kit->g1, &claim);
	claim.is_gone = true;
	claim.fresh_ms = 20;
	kit_hear_claim(kit, kit->g1, &claim);
	while (loop_now_ms(kit->loop) < begin_ms + 40)
		loop_turn(kit->loop, 5);
	ask(kit, kit->g2, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g2, "response 0 to g2 1 c1  ");
	cr_expect(list_is_empty(&kit->router->claims.gone));
	kit_free(kit);
}

Test(pass, what_has_ended_is_forgotten_without_new_claims)
{
	struct kit *kit = kit_new(NULL);
	Link__Claim claim = LINK__CLAIM__INIT;
	const int64_t begin_ms = loop_now_ms(kit->loop);

	claim.hub = link_bytes(SLICE("chat"));
	for (int i = 0; i < 2; i++) {
		claim.connection = link_bytes(i == 0 ? SLICE("c1") : SLICE("c2"));
		claim.is_gone = false;
		kit_hear_claim(kit, kit->g1, &claim);
		claim.is_gone = true;
		claim.fresh_ms = i == 0 ? 20 : 60000;
		kit_hear_claim(kit, kit->g1, &claim);
	}
	claims_forget(kit->router);
	cr_expect_eq(kit->router->claims.by_id.count, 2);
	while (loop_now_ms(kit->loop) < begin_ms + 40)
		loop_turn(kit->loop, 5);
	claims_forget(kit->router);
	cr_expect_eq(kit->router->claims.by_id.count, 1);
	kit_free(kit);
}

Test(pass, the_holder_itself_is_not_asked)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g1, 1, (struct asked){ POLL, false, NULL });
	kit_expect(kit, kit->g1, "response 404 to g1 1 c1  ");
	ask(kit, kit->g1, 2, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "response 0 to g1 2 c1  ");
	kit_free(kit);
}

Test(pass, nobody_is_told_no_during_a_rebuild)
{
	const struct router_conf conf = kit_conf();
	struct kit *kit = kit_new_conf(NULL, &conf);

	kit->hub = "chat";
	ask(kit, kit->g1, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "response 503 to g1 1 c1  ");
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	ask(kit, kit->g1, 2, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g2, "request 3 c1 2 of g1 ");
	kit_free(kit);
}

Test(pass, claims_max_means_come_again)
{
	struct kit *kit = kit_new(NULL);

	kit->conf.claims_max = 0;
	ask(kit, kit->g1, 1, (struct asked){ POLL, true, NULL });
	kit_expect(kit, kit->g1, "response 503 to g1 1 c1  ");
	kit_free(kit);
}

Test(pass, has_a_limit)
{
	struct kit *kit = kit_held();

	kit->conf.passes_max = 2;
	ask(kit, kit->g2, 1, (struct asked){ POLL, false, NULL });
	ask(kit, kit->g2, 2, (struct asked){ POLL, false, NULL });
	kit_skip(kit, kit->g1);
	ask(kit, kit->g2, 3, (struct asked){ POLL, false, NULL });
	kit_expect(kit, kit->g2, "response 503 to g2 3 c1  ");
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.pass_refused_total, 1);
	kit_free(kit);
}

Test(pass, a_number_is_used_once)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 1, (struct asked){ POLL, false, NULL });
	kit_skip(kit, kit->g1);
	ask(kit, kit->g2, 1, (struct asked){ POLL, false, NULL });
	kit_expect(kit, kit->g2, "response 503 to g2 1 c1  ");
	cr_expect_eq(passes_n(kit), 1);
	kit_free(kit);
}

Test(pass, a_full_link_to_the_holder_means_come_again)
{
	struct router_conf conf = kit_conf();
	struct kit *kit;
	char body[400];

	conf.link.window_bytes_max = 600;
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	kit = kit_new_conf(NULL, &conf);
	kit->hub = "chat";
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	ask(kit, kit->g2, 1, (struct asked){ POLL, false, body });
	ask(kit, kit->g2, 2, (struct asked){ POLL, false, body });
	kit_expect(kit, kit->g2, "response 503 to g2 2 c1  ");
	cr_expect_eq(passes_n(kit), 1);
	kit_free(kit);
}

Test(pass, the_holder_hears_that_the_asker_waits_no_more)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, false, NULL });
	kit_skip(kit, kit->g1);
	ask(kit, kit->g2, 7, (struct asked){ GONE, false, NULL });
	kit_expect(kit, kit->g1, "request 6 c1 7 of g2 ");
	ask(kit, kit->g2, 7, (struct asked){ GONE, false, NULL });
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(passes_n(kit), 0);
	kit_free(kit);
}

Test(pass, only_the_holder_answers)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, false, NULL });
	respond(kit, kit->g2, "g2", 7, 200);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(passes_n(kit), 1);
	kit_free(kit);
}

Test(pass, a_lost_holder_is_a_404)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, false, NULL });
	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2, "response 404 to g2 7 c1  ");
	cr_expect_eq(passes_n(kit), 0);
	kit_free(kit);
}

Test(pass, a_lost_asker_waits_no_more)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, false, NULL });
	kit_skip(kit, kit->g1);
	kit_gone(kit, kit->g2);
	kit_expect(kit, kit->g1, "request 6 c1 7 of g2 ");
	cr_expect_eq(passes_n(kit), 0);
	kit_free(kit);
}

Test(pass, a_tunnel_carries_both_ways_until_one_end_closes_it)
{
	struct kit *kit = kit_with_tunnel();

	tunnel(kit, kit->g2, "g1", 7, false);
	kit_expect(kit, kit->g1, "tunnel c1 7 from g2 data");
	tunnel(kit, kit->g1, "g2", 7, false);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1 data");
	ask(kit, kit->g2, 7, (struct asked){ GONE, false, NULL });
	tunnel(kit, kit->g1, "g2", 7, true);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1 data end");
	cr_expect_eq(passes_n(kit), 0);
	tunnel(kit, kit->g2, "g1", 7, false);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1  error");
	tunnel(kit, kit->g2, "g1", 7, true);
	kit_expect_silence(kit, kit->g2);
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(pass, a_tunnel_is_for_its_two_gateways)
{
	struct kit *kit = kit_with_tunnel();
	struct link_peer *g3 = kit_gateway(kit, "g3");

	kit_skip(kit, g3);
	tunnel(kit, g3, "g1", 7, false);
	kit_expect(kit, g3, "tunnel c1 7 from g1  error");
	tunnel(kit, g3, "g2", 7, false);
	kit_expect(kit, g3, "tunnel c1 7 from g2  error");
	kit_expect_silence(kit, kit->g1);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(passes_n(kit), 1);
	kit_free(kit);
}

/* Both number what they ask alike. */
Test(pass, two_tunnels_of_one_number_are_two)
{
	struct kit *kit = kit_with_tunnel();
	Link__Request request = LINK__REQUEST__INIT;

	kit_connect(kit, kit->g2, "c2", "bob");
	kit_turn(kit);
	request.hub = link_bytes(SLICE("chat"));
	request.connection = link_bytes(SLICE("c2"));
	request.call = 7;
	request.kind = LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET;
	kit_hear_request(kit, kit->g1, &request);
	kit_skip(kit, kit->g2);
	cr_expect_eq(passes_n(kit), 2);

	tunnel(kit, kit->g1, "g2", 7, false);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1 data");
	kit_expect_silence(kit, kit->g1);
	respond(kit, kit->g2, "g1", 7, 101);
	kit_skip(kit, kit->g1);
	tunnel(kit, kit->g1, "g2", 7, true);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1 data end");
	cr_expect_eq(passes_n(kit), 1);
	kit_free(kit);
}

Test(pass, no_tunnel_before_its_101)
{
	struct kit *kit = kit_held();

	ask(kit, kit->g2, 7, (struct asked){ POLL, false, NULL });
	tunnel(kit, kit->g2, "g1", 7, false);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1  error");
	kit_free(kit);
}

Test(pass, a_tunnel_ends_with_the_holder)
{
	struct kit *kit = kit_with_tunnel();

	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2, "tunnel c1 7 from g1  error");
	cr_expect_eq(passes_n(kit), 0);
	kit_free(kit);
}

Test(pass, a_tunnel_ends_with_the_asker)
{
	struct kit *kit = kit_with_tunnel();

	kit_gone(kit, kit->g2);
	kit_expect(kit, kit->g1, "tunnel c1 7 from g2  error");
	cr_expect_eq(passes_n(kit), 0);
	kit_free(kit);
}

Test(pass, what_is_under_way_ends_with_the_router)
{
	struct kit *kit = kit_with_tunnel();

	ask(kit, kit->g2, 8, (struct asked){ POLL, false, NULL });
	cr_expect_eq(passes_n(kit), 2);
	kit_free(kit);
}
