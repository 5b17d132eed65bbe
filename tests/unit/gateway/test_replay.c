/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router or presence that comes back is told, and in which order.
 */
#include "gateway/replay.h"

#include <criterion/criterion.h>

#include "gateway/on_router.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define HELLO "{\"protocol\":\"json\",\"version\":1}~"

Test(replay, an_empty_gateway_says_so)
{
	struct kit kit;

	kit_up(&kit);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Replayed 0; ");
	cr_expect_eq(kit.metrics->replay_total, 2);
	kit_stop(&kit);
}

Test(replay, has_connections_groups_and_users)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	kit_join(&kit, 'A', "g", false, 1);
	kit_settle(&kit);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 200);
	cr_expect_eq(kit.router->session.last_seq, 5);
	kit_stop(&kit);
}

Test(replay, names_the_groups_of_a_connection)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit_join(&kit, 'A', "g", false, 1);
	kit_settle(&kit);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=g; "
				"Member group g A; Replayed 1; ");
	kit_stop(&kit);
}

Test(replay, leaves_out_handshakes)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_dial(&kit, 'H', "ann");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Replayed 0; ");
	kit_stop(&kit);
}

Test(replay, tells_each_router_what_it_owns)
{
	struct kit kit;
	size_t owner;

	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=a:1,r2=b:2");
	kit_start(&kit);
	(void)kit_open(&kit, 'A', NULL);
	owner = gateway_owner(kit.gateway, &kit.gateway->hubs.items[0],
			      LINK__KIND__KIND_CONNECTION,
			      kit_id('A')) == kit.gateway->routers.items[1];
	kit_join(&kit, 'A', kit_name_of(&kit, LINK__KIND__KIND_GROUP, !owner, "g"), false,
		 1);
	kit_settle(&kit);
	kit_settle(&kit);
	fake_peer_renew(kit_router(&kit, owner), 200);
	fake_peer_renew(kit_router(&kit, !owner), 200);
	cr_expect_eq(kit_router(&kit, owner)->session.last_seq, 3);
	cr_expect_eq(kit_router(&kit, !owner)->session.last_seq, 3);
	kit_stop(&kit);
}

/* ---- is_resumed */

Test(replay, what_no_router_has_begun_is_new)
{
	struct kit kit;

	kit_up(&kit);
	wire_in(kit_dial(&kit, 'A', NULL), HELLO);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; ");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; Replayed 1; ");
	fake_peer_ack(kit.router);
	fake_peer_renew(kit.router, 300);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; Replayed 1; ");
	peer_begin(kit.router, kit_id('A'));
	fake_peer_renew(kit.router, 400);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	peer_begin(kit.router, kit_id('B'));
	kit_stop(&kit);
}

Test(replay, what_an_older_router_has_handled_has_begun)
{
	struct kit kit;

	kit_up(&kit);
	kit.router->version = 1;
	wire_in(kit_dial(&kit, 'A', NULL), HELLO);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; ");
	fake_peer_ack(kit.router);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	kit_stop(&kit);
}

Test(replay, who_is_another_routers_by_now_is_begun_there)
{
	struct kit kit;

	kit_init(&kit);
	kit_set(&kit.conf->routers, "r1=test:1,r2=test:2");
	kit_start(&kit);
	wire_in(kit_dial(&kit, 'A', NULL), HELLO);
	for (size_t i = 0; i < 2; i++) {
		struct link_peer *router = kit_router(&kit, i);

		if (kit.gateway->routers.items[i] !=
		    gateway_conn_owner(gateway_conn_find(kit.gateway, kit_id('A'))))
			peer_begin(router, kit_id('A'));
	}
	cr_expect_not(gateway_conn_find(kit.gateway, kit_id('A'))->is_begun);
	kit_stop(&kit);
}

Test(replay, the_same_process_has_seen_all_leave)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	fake_peer_renew(kit.router, 100);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; Replayed 1; ");
	peer_begin(kit.router, kit_id('A'));
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
	kit_stop(&kit);
}

Test(replay, who_was_served_without_us_past_the_lease_is_sent_to_reconnect)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit.router->away_ms = kit.gateway->conf->link.lease_ms;
	fake_peer_renew(kit.router, kit.router->incarnation);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 1);
	kit_stop(&kit);
}

Test(replay, a_shorter_absence_closes_nobody)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit.router->away_ms = kit.gateway->conf->link.lease_ms - 1;
	fake_peer_renew(kit.router, kit.router->incarnation);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 0);
	kit_stop(&kit);
}

static void hear_fence(struct kit *kit)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Fence fence = LINK__FENCE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_FENCE;
	envelope.fence = &fence;
	kit_receive(kit, &envelope);
}

Test(replay, who_was_not_waited_for_closes_its_clients_at_once)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	fake_peer_renew(kit.router, 200);
	hear_fence(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 1);
	kit_stop(&kit);
}

Test(replay, who_had_no_clients_then_keeps_those_that_came)
{
	struct kit kit;

	kit_up(&kit);
	fake_peer_renew(kit.router, 200);
	(void)kit_open(&kit, 'A', NULL);
	hear_fence(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_FENCED], 0);
	kit_stop(&kit);
}

Test(replay, who_connects_while_the_router_is_away_is_told_once)
{
	struct kit kit;

	kit_up(&kit);
	fake_peer_down(kit.router);
	wire_in(kit_dial(&kit, 'A', NULL), HELLO);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=0 groups=; Replayed 1; ");
	kit_stop(&kit);
}

/* ---- closed connections */

Test(replay, has_those_whose_end_is_not_confirmed)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', "ann");
	conn_close(wire->conn, CONN_CLOSE_TRANSPORT, NULL);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user=ann resumed=1 groups=; Replayed 1; "
				"Disconnected A error=transport; ");
	fake_peer_ack(kit.router);
	cr_expect_eq(kit.gateway->conns.count, 0);
	kit_stop(&kit);
}

Test(replay, an_end_that_was_sent_is_sent_again)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_expect(kit.router, "Disconnected A error=; ");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Disconnected A error=; ");
	kit_stop(&kit);
}

Test(replay, a_confirmed_end_is_over)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Replayed 0; ");
	kit_stop(&kit);
}

/* Fire and forget, then away: the call is run before its connection goes. */
Test(replay, unsent_calls_of_the_gone_stand_before_their_end)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	fake_peer_down(kit.router);
	wire_in(wire, "{\"type\":1,\"target\":\"f\",\"arguments\":[]}~{\"type\":7}~");
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; "
				"Invoke A call=1 id= f[]; Disconnected A error=; ");
	kit_stop(&kit);
}

Test(replay, memberships_that_are_leaving_are_not_told_anew)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', "ann");
	peer_fill(kit.router);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user=ann resumed=1 groups=; Replayed 1; ");
	kit_wait(&kit, 1000);
	peer_expect(kit.router, "Member user ann A gone; Disconnected A error=; ");
	kit_stop(&kit);
}

/* ---- limits */

Test(replay, the_window_does_not_bound_it)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	kit.router->session.bytes_max = 10;
	fake_peer_renew(kit.router, 200);
	peer_expect(kit.router, "Connected A user=ann resumed=1 groups=; "
				"Member user ann A; Replayed 1; ");
	kit_stop(&kit);
}

Test(replay, a_message_too_long_is_counted)
{
	struct kit kit;
	struct buf name = BUF_INIT;

	kit_init(&kit);
	kit.conf->group_name_bytes_max = LINK_ENVELOPE_BYTES_MAX;
	kit.conf->link.window_bytes_max = 4LL * LINK_ENVELOPE_BYTES_MAX;
	kit_start(&kit);
	(void)kit_open(&kit, 'A', NULL);
	memset(buf_reserve(&name, LINK_ENVELOPE_BYTES_MAX), 'n', LINK_ENVELOPE_BYTES_MAX);
	name.len = LINK_ENVELOPE_BYTES_MAX / 2;
	name.ptr[name.len] = '\0';
	kit_join(&kit, 'A', name.ptr, false, 1);
	name.ptr[0] = 'm';
	kit_join(&kit, 'A', name.ptr, false, 2);
	fake_peer_renew(kit.router, 200);
	cr_expect_eq(kit.metrics->replay_refused_total, 1);
	buf_fini(&name);
	kit_stop(&kit);
}

/* ---- what comes over the links */

Test(replay, a_resumed_session_needs_none)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	fake_peer_down(kit.router);
	fake_peer_resume(kit.router);
	peer_expect(kit.router, "");
	kit_stop(&kit);
}

Test(replay, strange_messages_are_counted)
{
	struct kit kit;
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	kit_up(&kit);
	kit_receive(&kit, &envelope);
	envelope.body_case = LINK__ENVELOPE__BODY_CONNECTED;
	envelope.connected = &connected;
	kit_receive(&kit, &envelope);
	cr_expect_eq(kit.metrics->envelope_unknown_total, 2);
	kit_stop(&kit);
}

Test(replay, presence_may_tell_the_topology_and_no_more)
{
	struct kit kit;
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Topology topology = LINK__TOPOLOGY__INIT;
	Link__Deliver deliver = LINK__DELIVER__INIT;

	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2");
	kit_start(&kit);
	envelope.body_case = LINK__ENVELOPE__BODY_TOPOLOGY;
	envelope.topology = &topology;
	gateway_link_ops.on_envelope(kit.gateway->presence.peers[0], &envelope);
	cr_expect_eq(kit.metrics->envelope_unknown_total, 0);
	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &deliver;
	gateway_link_ops.on_envelope(kit.gateway->presence.peers[0], &envelope);
	cr_expect_eq(kit.metrics->envelope_unknown_total, 1);
	cr_expect_eq(kit.metrics->deliver_total, 0);
	kit_stop(&kit);
}
