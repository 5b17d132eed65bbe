/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Send to several gateways: who gets it, and when and how it is answered. The send
 * comes from another router, so the answer is a message.
 */
#include "router/fanout.h"

#include "tests/unit/router/hub_kit.h"

static bool is_shard_ack; /* of what is sent next */

static struct kit *kit_of_two(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();
	struct kit *kit;

	conf.routers = routers;
	kit = kit_new_conf(NULL, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	return kit;
}

static void send_to(struct kit *kit, Link__Kind kind, const char *name, uint64_t call)
{
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };
	Link__Send send = LINK__SEND__INIT;

	payload.protocol = 1;
	payload.frame = link_bytes(SLICE("{}\x1e"));
	send.hub = link_bytes(slice_from_str(kit->hub));
	send.kind = kind;
	send.name = link_bytes(slice_from_str(name));
	send.payloads = payloads;
	send.n_payloads = 1;
	send.call = call;
	send.is_shard_ack = is_shard_ack;
	kit_hear_send(kit, kit->r2, &send);
}

static void send_to_group(struct kit *kit, uint64_t call)
{
	send_to(kit, LINK__KIND__KIND_GROUP, "gg", call);
}

static struct kit *kit_with_members_at_both(void)
{
	struct kit *kit = kit_of_two();

	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "gg", "c1", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "gg", "c2", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "gg", "c3", false);
	return kit;
}

Test(fanout, one_message_a_gateway_and_one_answer_when_all_have_it)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 5);
	kit_expect(kit, kit->g1, "deliver group gg {}");
	kit_expect(kit, kit->g2, "deliver group gg {}");
	kit_expect_silence(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect_silence(kit, kit->r2);
	kit_ack(kit, kit->g2);
	kit_expect(kit, kit->r2, "sent OK");
	cr_expect_eq(kit->call, 5);
	kit_free(kit);
}

Test(fanout, only_gateways_with_members_get_it)
{
	struct kit *kit = kit_with_members_at_both();

	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "gg", "c1", true);
	send_to_group(kit, 5);
	kit_expect_silence(kit, kit->g1);
	kit_expect(kit, kit->g2, "deliver group gg {}");
	kit_free(kit);
}

Test(fanout, a_group_without_members_is_answered_at_once)
{
	struct kit *kit = kit_of_two();

	send_to_group(kit, 5);
	kit_expect(kit, kit->r2, "sent OK");
	cr_expect_eq(kit->router->metrics.send_empty_total, 1);
	kit_free(kit);
}

Test(fanout, users_are_not_groups)
{
	struct kit *kit = kit_with_members_at_both();

	send_to(kit, LINK__KIND__KIND_USER, "gg", 5);
	kit_expect_silence(kit, kit->g1);
	kit_expect(kit, kit->r2, "sent OK");
	kit_free(kit);
}

Test(fanout, a_kind_we_do_not_know_is_counted)
{
	struct kit *kit = kit_with_members_at_both();

	send_to(kit, (Link__Kind)99, "gg", 5);
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.envelope_unknown_total, 1);
	kit_free(kit);
}

Test(fanout, a_member_of_a_kind_that_has_none_is_counted)
{
	struct kit *kit = kit_of_two();

	kit_member(kit, kit->g1, LINK__KIND__KIND_ALL, "gg", "c1", false);
	kit_member(kit, kit->g1, (Link__Kind)257, "gg", "c1", false);
	cr_expect_eq(kit->router->groups.groups.count, 0);
	cr_expect_eq(kit->router->metrics.envelope_unknown_total, 2);
	kit_free(kit);
}

Test(fanout, nobody_is_told_who_did_not_ask)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 0);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_expect_silence(kit, kit->r2);
	kit_free(kit);
}

Test(fanout, a_gateway_that_came_back_as_another_took_its_receivers_along)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 5);
	kit_skip(kit, kit->g1);
	kit_restart(kit, kit->g2);
	kit_expect(kit, kit->r2, "sent OK");
	kit_free(kit);
}

Test(fanout, of_a_gateway_that_is_not_heard_of_nobody_knows)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 5);
	kit_skip(kit, kit->g1);
	kit_gone(kit, kit->g2);
	kit_expect(kit, kit->r2, "sent ERR_OUTCOME");
	kit_free(kit);
}

/* Before it, they wait: test_backlog.c. */
Test(fanout, a_full_backlog_refuses_the_send_for_all)
{
	struct kit *kit = kit_with_members_at_both();
	int n = 0;

	while (kit->router->metrics.send_failed_total == 0 && n++ < 100000)
		send_to_group(kit, 0);
	cr_expect_eq(kit->router->metrics.backlog_refused_total, 1);
	kit_skip(kit, kit->g1);
	send_to_group(kit, 5);
	kit_expect_silence(kit, kit->g1);
	kit_expect(kit, kit->r2, "sent ERR_LIMIT");
	kit_free(kit);
}

Test(fanout, may_be_confirmed_by_the_shard_alone)
{
	struct kit *kit = kit_with_members_at_both();

	is_shard_ack = true;
	send_to_group(kit, 5);
	kit_expect(kit, kit->r2, "sent OK");
	kit_expect(kit, kit->g1, "deliver group gg {}");
	kit_expect(kit, kit->g2, "deliver group gg {}");
	kit_ack(kit, kit->g1);
	kit_ack(kit, kit->g2);
	kit_expect_silence(kit, kit->r2);
	kit_free(kit);
}

Test(fanout, may_outlive_the_asking_router)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 5);
	kit_restart(kit, kit->r2);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	kit_expect(kit, kit->r2, "sent OK");
	kit_free(kit);
}

Test(fanout, may_be_under_way_when_the_router_stops)
{
	struct kit *kit = kit_with_members_at_both();

	send_to_group(kit, 5);
	kit_free(kit);
}
