/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router between a gateway that leaves, g1, and its successor, g2: whose the
 * connection is at any time, and what both are told when something breaks.
 */
#include "router/handover.h"

#include "router/claim.h"
#include "router/on_peer.h"
#include "tests/unit/router/hub_kit.h"

static struct kit *kit;

/* g1 has c1, which is in the group `lobby`. */
static void setup(void)
{
	kit = kit_new(NULL);
	kit->hub = "chat";
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "lobby", "c1", false);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(handover, .init = setup, .fini = teardown);

static void ask(unsigned call)
{
	Link__Handover handover = LINK__HANDOVER__INIT;
	Link__User user = LINK__USER__INIT;

	handover.hub = link_bytes(SLICE("chat"));
	handover.connection = link_bytes(SLICE("c1"));
	handover.call = call;
	handover.user = &user;
	kit_hear_handover(kit, kit->g1, &handover);
}

static void take(struct link_peer *from, unsigned call, enum err rc, bool is_done)
{
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	taken.hub = link_bytes(SLICE("chat"));
	taken.connection = link_bytes(SLICE("c1"));
	taken.call = call;
	taken.rc = rc;
	taken.is_done = is_done;
	kit_hear_handover_taken(kit, from, &taken);
}

static void rest(unsigned call, bool is_failed)
{
	Link__HandoverRest message = LINK__HANDOVER_REST__INIT;

	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(SLICE("c1"));
	message.call = call;
	message.is_last = !is_failed;
	message.is_failed = is_failed;
	kit_hear_handover_rest(kit, kit->g1, &message);
}

static void move(const char *to, const char *group)
{
	Link__HandoverKey key = LINK__HANDOVER_KEY__INIT;
	Link__HandoverKey *keys = &key;
	Link__HandoverMove message = LINK__HANDOVER_MOVE__INIT;

	key.kind = LINK__KIND__KIND_GROUP;
	key.name = link_bytes(slice_from_str(group));
	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(SLICE("c1"));
	message.call = 1;
	message.gateway = link_bytes(slice_from_str(to));
	message.keys = &keys;
	message.n_keys = 1;
	kit_hear_handover_move(kit, kit->g1, &message);
}

static const char *holder(void)
{
	const struct conn *conn = conn_find(kit->router, link_bytes(SLICE("chat")),
					    link_bytes(SLICE("c1")));

	return conn != NULL ? link_peer_name(conn->gateway->peer) : "nobody";
}

static void take_first(void)
{
	ask(1);
	kit_skip(kit, kit->g2);
	take(kit->g2, 1, OK, false);
	kit_skip(kit, kit->g1);
}

Test(handover, goes_from_one_to_the_other_and_back)
{
	ask(1);
	kit_expect(kit, kit->g2, "handover 1 c1 g1");
	cr_expect_str_eq(holder(), "g1");
	take(kit->g2, 1, OK, false);
	kit_expect(kit, kit->g1, "taken 1 OK g2");
	cr_expect_str_eq(holder(), "g2");
	rest(1, false);
	kit_expect(kit, kit->g2, "rest 1");
	take(kit->g2, 1, OK, true);
	kit_expect(kit, kit->g1, "taken 1 OK done g2");
	cr_expect_str_eq(holder(), "g2");
	cr_expect_eq(kit->router->metrics.handover_done_total, 1);
}

Test(handover, members_move_in_one_turn_and_both_are_told)
{
	const struct group_key key = { SLICE("chat"), LINK__KIND__KIND_GROUP,
				       SLICE("lobby") };
	const struct group *group;

	take_first();
	move("g2", "lobby");
	kit_expect(kit, kit->g1, "moved 1 OK lobby");
	kit_expect(kit, kit->g2, "moved 1 OK lobby");
	group = group_find(&kit->router->groups, &key);
	cr_assert_eq(group->parts_n, 1);
	cr_expect_eq(group->parts[0].gateway, &router_gateway_of(kit->g2)->members);
}

Test(handover, what_was_never_told_does_not_move)
{
	take_first();
	move("g2", "attic");
	kit_expect(kit, kit->g1, "moved 1 OK");
	kit_expect(kit, kit->g2, "moved 1 OK");
}

Test(handover, nothing_moves_to_an_unknown_gateway)
{
	take_first();
	move("g9", "lobby");
	kit_expect(kit, kit->g1, "moved 1 ERR_NOT_FOUND");
	kit_expect_silence(kit, kit->g2);
}

Test(handover, who_leaves_is_not_chosen)
{
	ask(1);
	kit_skip(kit, kit->g2);
	take(kit->g2, 1, ERR_CLOSED, false);
	kit_expect(kit, kit->g1, "taken 1 ERR_CLOSED g2");
	ask(2);
	kit_expect(kit, kit->g1, "taken 2 ERR_NOT_FOUND ");
	kit_expect_silence(kit, kit->g2);
	cr_expect_str_eq(holder(), "g1");
}

Test(handover, one_that_is_refused_may_be_asked_again)
{
	ask(1);
	kit_skip(kit, kit->g2);
	take(kit->g2, 1, ERR_LIMIT, false);
	kit_skip(kit, kit->g1);
	ask(2);
	kit_expect(kit, kit->g2, "handover 2 c1 g1");
}

Test(handover, an_answer_to_an_earlier_one_is_taken_back)
{
	ask(1);
	rest(1, true);
	kit_skip(kit, kit->g2);
	take(kit->g2, 1, OK, false);
	kit_expect(kit, kit->g2, "rest 1 failed");
	kit_expect_silence(kit, kit->g1);
	cr_expect_str_eq(holder(), "g1");
	cr_expect_eq(kit->router->metrics.handover_late_total, 1);
}

Test(handover, given_up_before_it_is_taken_it_stays)
{
	ask(1);
	kit_skip(kit, kit->g2);
	rest(1, true);
	kit_expect(kit, kit->g2, "rest 1 failed");
	cr_expect_str_eq(holder(), "g1");
}

Test(handover, given_up_afterwards_it_ends)
{
	take_first();
	rest(1, true);
	kit_expect(kit, kit->g2, "rest 1 failed");
	cr_expect_str_eq(holder(), "nobody");
}

Test(handover, a_successor_that_lets_go_ends_it)
{
	take_first();
	take(kit->g2, 1, ERR_OUTCOME, false);
	kit_expect(kit, kit->g1, "taken 1 ERR_OUTCOME g2");
	cr_expect_str_eq(holder(), "nobody");
}

Test(handover, a_successor_that_is_away_before_it_took_it_is_not_waited_for)
{
	struct link_peer *g3;

	ask(1);
	kit_skip(kit, kit->g2);
	g3 = kit_gateway(kit, "g3");
	kit_replayed(kit, g3);
	kit_turn(kit);
	router_link_ops.on_down(kit->g2);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "taken 1 ERR_CLOSED ");
	ask(2);
	router_link_ops.on_up(kit->g2, false);
	take(kit->g2, 1, OK, false);
	kit_expect(kit, kit->g2, "rest 1 failed");
	take(g3, 2, OK, false);
	cr_expect_str_eq(holder(), "g3");
}

/* It may be back before the time is over. */
Test(handover, the_only_successor_is_waited_for)
{
	ask(1);
	kit_skip(kit, kit->g2);
	router_link_ops.on_down(kit->g2);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	router_link_ops.on_up(kit->g2, false);
	take(kit->g2, 1, OK, false);
	cr_expect_str_eq(holder(), "g2");
}

Test(handover, one_that_is_away_is_asked_when_there_is_no_other)
{
	router_link_ops.on_down(kit->g2);
	kit_turn(kit);
	ask(1);
	kit_expect_silence(kit, kit->g1);
	router_link_ops.on_up(kit->g2, false);
	take(kit->g2, 1, OK, false);
	cr_expect_str_eq(holder(), "g2");
}

Test(handover, one_that_is_away_for_long_is_not_asked)
{
	router_link_ops.on_down(kit->g2);
	router_gateway_of(kit->g2)->away_since_ms -= 1001;
	kit_turn(kit);
	ask(1);
	kit_expect(kit, kit->g1, "taken 1 ERR_NOT_FOUND ");
}

Test(handover, one_that_is_there_is_asked_before_one_that_is_away)
{
	struct link_peer *g3 = kit_gateway(kit, "g3");

	kit_replayed(kit, g3);
	router_link_ops.on_down(kit->g2);
	kit_turn(kit);
	ask(1);
	take(g3, 1, OK, false);
	cr_expect_str_eq(holder(), "g3");
}

/* What is to be told finds no room: the link is reset in the midst of it. */
Test(handover, a_successor_that_reads_nothing_may_be_given_up)
{
	struct link_peer *g3 = kit_gateway(kit, "g3");
	Link__HandoverRest fill = LINK__HANDOVER_REST__INIT;

	kit_replayed(kit, g3);
	ask(1);
	while (link_send_handover_rest(kit->g2, &fill, NULL) == OK)
		;
	rest(1, true);
	kit_turn(kit);
	cr_expect_str_eq(holder(), "g1");
}

Test(handover, a_successor_that_is_away_with_it_is_waited_for)
{
	take_first();
	router_link_ops.on_down(kit->g2);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	cr_expect_str_eq(holder(), "g2");
}

Test(handover, a_lost_successor_leaves_it_where_it_was)
{
	ask(1);
	kit_gone(kit, kit->g2);
	kit_expect(kit, kit->g1, "taken 1 ERR_OUTCOME ");
	cr_expect_str_eq(holder(), "g1");
}

Test(handover, lost_with_it_the_successor_takes_it_along)
{
	take_first();
	kit_gone(kit, kit->g2);
	kit_expect(kit, kit->g1, "taken 1 ERR_OUTCOME done ");
	cr_expect_str_eq(holder(), "nobody");
}

Test(handover, a_gateway_lost_half_way_takes_it_along)
{
	take_first();
	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2, "rest 1 failed");
	cr_expect_str_eq(holder(), "nobody");
}

Test(handover, the_rest_of_nothing_is_refused)
{
	rest(7, false);
	kit_expect(kit, kit->g1, "taken 7 ERR_NOT_FOUND done ");
	rest(7, true);
	kit_expect_silence(kit, kit->g1);
}

/* Its token opens no other connection while it is fresh. */
Test(handover, one_that_failed_is_remembered)
{
	Link__Claim message = LINK__CLAIM__INIT;

	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(SLICE("c1"));
	message.fresh_ms = 60000;
	kit_hear_claim(kit, kit->g1, &message);
	ask(1);
	take(kit->g2, 1, OK, false);
	take(kit->g2, 1, ERR_OUTCOME, false);
	cr_expect(claim_is_gone(kit->router, message.hub, message.connection));
}
