/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining and leaving: the owner of the group is told first, the hub's router is answered
 * when the owner has it, and limits, full links and lost owners leave no ghosts.
 */
#include "gateway/join.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define GROUP LINK__KIND__KIND_GROUP

static size_t members(const struct kit *kit, const char *group)
{
	const struct index_key *key =
		index_find(&kit->gateway->index, &kit->gateway->hubs.items[0], GROUP,
			   slice_from_str(group));

	return key != NULL ? key->members_n : 0;
}

Test(join, is_answered_when_the_owner_has_it)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 5);
	cr_expect_eq(members(&kit, "g"), 1);
	peer_expect(kit.router, "Member group g A; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=5 rc=OK join g origin=rX; ");
	cr_expect_eq(kit.metrics->join_total, 1);
	cr_expect_eq(kit.metrics->memberships, 1);
	cr_expect(list_is_empty(&kit.gateway->joins));
	kit_stop(&kit);
}

Test(join, leaving_is_answered_too)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 5);
	kit_settle(&kit);
	kit_settle(&kit);
	kit_join(&kit, 'A', "g", true, 6);
	cr_expect_eq(members(&kit, "g"), 0);
	peer_expect(kit.router, "Member group g A gone; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=6 rc=OK leave g origin=rX; ");
	cr_expect_eq(kit.metrics->leave_total, 1);
	cr_expect_eq(kit.metrics->memberships, 0);
	kit_stop(&kit);
}

Test(join, twice_is_once_and_answered_twice)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 5);
	kit_join(&kit, 'A', "g", false, 6);
	cr_expect_eq(members(&kit, "g"), 1);
	peer_expect(kit.router, "Member group g A; Member group g A; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=5 rc=OK join g origin=rX; "
				"Joined A call=6 rc=OK join g origin=rX; ");
	kit_stop(&kit);
}

Test(join, leaving_what_one_is_not_in_is_fine)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", true, 5);
	kit_join(&kit, 'A', "g", true, 6);
	peer_expect(kit.router, "Member group g A gone; Member group g A gone; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=5 rc=OK leave g origin=rX; "
				"Joined A call=6 rc=OK leave g origin=rX; ");
	kit_stop(&kit);
}

Test(join, nobody_cannot)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	(void)kit_dial(&kit, 'H', NULL);
	wire = kit_open(&kit, 'C', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_expect(kit.router, "Disconnected C error=; ");
	kit_join(&kit, 'A', "g", false, 1);
	kit_join(&kit, 'H', "g", false, 2);
	kit_join(&kit, 'C', "g", false, 3);
	peer_expect(kit.router, "Joined A call=1 rc=ERR_NOT_FOUND join g origin=rX; "
				"Joined H call=2 rc=ERR_NOT_FOUND join g origin=rX; "
				"Joined C call=3 rc=ERR_NOT_FOUND join g origin=rX; ");
	cr_expect_eq(kit.metrics->join_unknown_total, 3);
	cr_expect_eq(kit.gateway->index.memberships_n, 0);
	kit_stop(&kit);
}

/* ---- limits */

Test(join, a_connection_has_so_many_groups)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	kit_join(&kit, 'A', "g1", false, 1);
	kit_join(&kit, 'A', "g2", false, 2);
	kit_join(&kit, 'A', "g3", false, 3);
	kit_settle(&kit);
	kit_settle(&kit);
	kit_join(&kit, 'A', "g4", false, 4);
	peer_expect(kit.router, "Joined A call=4 rc=ERR_LIMIT join g4 origin=rX; ");
	cr_expect_eq(kit.metrics->groups_refused_total, 1);
	/* One it has, and one in the place of another. */
	kit_join(&kit, 'A', "g3", false, 5);
	kit_join(&kit, 'A', "g1", true, 6);
	kit_join(&kit, 'A', "g4", false, 7);
	peer_expect(kit.router,
		    "Member group g3 A; Member group g1 A gone; Member group g4 A; ");
	cr_expect_eq(kit.metrics->groups_refused_total, 1);
	kit_stop(&kit);
}

Test(join, a_group_name_has_so_many_bytes)
{
	static const char name[] = "123456789012345678901234567890123";
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', name + 1, false, 1);
	cr_expect_eq(members(&kit, name + 1), 1);
	kit_settle(&kit);
	kit_settle(&kit);
	kit_join(&kit, 'A', name, false, 2);
	peer_expect(kit.router, "Joined A call=2 rc=ERR_LIMIT join "
				"123456789012345678901234567890123 origin=rX; ");
	cr_expect_eq(kit.metrics->group_name_refused_total, 1);
	cr_expect_eq(members(&kit, name), 0);
	kit_stop(&kit);
}

/* ---- full links: nothing changes that the owner does not hear of */

/* Two routers: one is A's shard and asks, the other owns the group `kit->name`. */
struct apart {
	struct kit kit;
	struct link_peer *asks;
	struct link_peer *owns;
};

static void apart_up(struct apart *apart)
{
	struct kit *kit = &apart->kit;
	const struct gateway_router *shard;
	size_t asks;

	kit_init(kit);
	kit_set(&kit->conf->routers, "r1=a:1,r2=b:2");
	kit_start(kit);
	shard = gateway_owner(kit->gateway, &kit->gateway->hubs.items[0],
			      LINK__KIND__KIND_CONNECTION, kit_id('A'));
	asks = shard == kit->gateway->routers.items[1];
	apart->asks = kit_router(kit, asks);
	apart->owns = kit_router(kit, !asks);
	kit->router = apart->asks;
	(void)kit_name_of(kit, GROUP, !asks, "g");
}

/* `text` with the group's name for each '$'. */
static void expect(const struct apart *apart, struct link_peer *peer, const char *text)
{
	struct buf sent = BUF_INIT;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '$')
			buf_append_str(&sent, apart->kit.name);
		else
			buf_append_byte(&sent, *at);
	}
	buf_append_byte(&sent, '\0');
	peer_expect(peer, sent.ptr);
	buf_fini(&sent);
}

Test(join, a_full_owner_refuses_and_nothing_changes)
{
	struct apart apart;
	struct kit *kit = &apart.kit;

	apart_up(&apart);
	(void)kit_open(kit, 'A', NULL);
	peer_fill(apart.owns);
	kit_join(kit, 'A', kit->name, false, 5);
	cr_expect_eq(members(kit, kit->name), 0);
	expect(&apart, apart.asks, "Joined A call=5 rc=ERR_LIMIT join $ origin=rX; ");
	cr_expect_eq(apart.owns->resets, 0);
	cr_expect(list_is_empty(&kit->gateway->joins));
	kit_settle(kit);
	kit_join(kit, 'A', kit->name, false, 6);
	kit_settle(kit);
	cr_expect_eq(members(kit, kit->name), 1);
	kit_settle(kit);
	peer_fill(apart.owns);
	kit_join(kit, 'A', kit->name, true, 7);
	cr_expect_eq(members(kit, kit->name), 1);
	expect(&apart, apart.asks, "Joined A call=7 rc=ERR_LIMIT leave $ origin=rX; ");
	kit_stop(kit);
}

Test(join, answers_that_meet_a_full_link_start_over_with_the_router)
{
	struct apart apart;
	struct kit *kit = &apart.kit;

	apart_up(&apart);
	(void)kit_open(kit, 'A', NULL);
	kit_join(kit, 'A', kit->name, false, 5);
	kit_join(kit, 'B', kit->name, false, 6);
	peer_fill(apart.asks);
	kit_join(kit, 'B', kit->name, false, 7);
	peer_handle(apart.owns);
	cr_expect(list_is_empty(&kit->gateway->joins));
	cr_expect_eq(apart.asks->resets, 0, "not while a message is handled");
	kit_turn(kit);
	cr_expect_eq(apart.asks->resets, 1);
	kit_stop(kit);
}

/* ---- the owner, or the connection, is lost in between */

Test(join, a_lost_owner_is_told_again)
{
	struct apart apart;
	struct kit *kit = &apart.kit;

	apart_up(&apart);
	(void)kit_open(kit, 'A', NULL);
	kit_join(kit, 'A', kit->name, false, 5);
	fake_peer_renew(apart.owns, 200);
	expect(&apart, apart.owns, "Member group $ A; Replayed 0; Member group $ A; ");
	peer_expect(apart.asks, "");
	fake_peer_ack(apart.owns);
	expect(&apart, apart.asks, "Joined A call=5 rc=OK join $ origin=rX; ");
	cr_expect(list_is_empty(&kit->gateway->joins));
	kit_stop(kit);
}

Test(join, a_leave_that_was_lost_is_told_again)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	kit_settle(&kit);
	kit_settle(&kit);
	kit_join(&kit, 'A', "g", true, 2);
	peer_expect(kit.router, "Member group g A gone; ");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Member group g A gone; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=2 rc=OK leave g origin=rX; ");
	kit_stop(&kit);
}

Test(join, what_a_later_wish_undid_is_not_told_again)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	kit_join(&kit, 'A', "g", true, 2);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Joined A call=1 rc=OK join g origin=rX; "
				"Member group g A gone; ");
	kit_stop(&kit);
}

Test(join, a_lost_owner_may_have_no_room)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	kit.router->session.bytes_max = 10;
	fake_peer_renew(kit.router, 200);
	cr_expect(list_is_empty(&kit.gateway->joins));
	cr_expect_eq(members(&kit, "g"), 1);
	kit_stop(&kit);
}

Test(join, a_connection_that_ends_in_between_is_no_error)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_expect(kit.router, "Member group g A; Member group g A gone; "
				"Disconnected A error=; ");
	fake_peer_ack(kit.router);
	peer_expect(kit.router, "Joined A call=1 rc=OK join g origin=rX; ");
	kit_stop(&kit);
}

/* The id came back before the owner did: its group is not the new connection's. */
Test(join, the_next_owner_of_an_id_is_not_joined)
{
	struct apart apart;
	struct kit *kit = &apart.kit;
	struct wire *wire;

	apart_up(&apart);
	wire = kit_open(kit, 'A', NULL);
	fake_peer_down(apart.owns);
	kit_join(kit, 'A', kit->name, false, 1);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_handle(apart.asks);
	kit_turn(kit);
	wire = kit_dial(kit, 'A', NULL);
	wire_in(wire, "{\"protocol\":\"json\",\"version\":1}~");
	fake_peer_renew(apart.owns, 200);
	peer_expect(apart.owns, "Replayed 0; ");
	cr_expect_eq(members(kit, kit->name), 0);
	cr_expect(list_is_empty(&kit->gateway->joins));
	kit_stop(kit);
}

Test(join, a_group_has_members_of_its_hub_only)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	cr_expect_null(index_find(&kit.gateway->index, &kit.gateway->hubs.items[1], GROUP,
				  SLICE("g")));
	kit_stop(&kit);
}
