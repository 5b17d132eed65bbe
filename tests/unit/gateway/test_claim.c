/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers are told of the connections that this gateway holds.
 */
#include "gateway/claim.h"

#include <criterion/criterion.h>

#include "gateway/conn_in.h"
#include "gateway/transport_lp.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"
#include "tests/unit/gateway/reply_kit.h"

#define NOW_S 1700001000 /* when the kit starts */

static struct kit kit;
static struct hub *hub;

static void setup(void)
{
	struct gateway *gateway;

	kit_init(&kit);
	kit.conf->post_bytes_max = 1000;
	kit_start(&kit);
	gateway = kit.gateway;
	gateway->lp = lp_host_new(gateway->loop, gateway->conf, &gateway->metrics, 1);
	lp_host_set_on_gone(gateway->lp, gateway, claim_on_end);
	hub = hubs_find(&gateway->hubs, SLICE("chat"));
}

static void close_conns(void)
{
	struct map_node *node = map_next(&kit.gateway->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		node = map_next(&kit.gateway->conns, node);
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	}
}

static void teardown(void)
{
	close_conns();
	lp_host_free(kit.gateway->lp);
	kit.gateway->lp = NULL;
	kit_stop(&kit);
}

TestSuite(claim, .init = setup, .fini = teardown);

static void add(char letter, int64_t fresh_s)
{
	claim_add(kit.gateway, hub, kit_id(letter), NOW_S + fresh_s);
}

static void end(char letter)
{
	claim_on_end(kit.gateway, hub, kit_id(letter));
}

Test(claim, is_told_once)
{
	add('A', 10);
	add('A', 10);
	peer_expect(kit.router, "Claim A fresh=10999; ");
	cr_expect_eq(kit.metrics->claims, 1);
}

Test(claim, ends_with_what_is_left_of_its_tokens_time)
{
	add('A', 10);
	add('B', 10);
	add('C', 10);
	kit_settle(&kit);
	end('A');
	kit_wait(&kit, 10998);
	end('B');
	kit_wait(&kit, 1);
	end('C');
	end('C');
	peer_expect(kit.router, "Claim A gone fresh=10999; Claim B gone fresh=1; "
				"Claim C gone fresh=0; ");
	cr_expect_eq(kit.metrics->claims, 0);
}

Test(claim, that_never_was_does_not_end)
{
	end('A');
	peer_expect(kit.router, "");
}

Test(claim, lasts_as_long_as_the_connection)
{
	struct wire *wire;

	add('A', 10);
	wire = kit_open(&kit, 'A', NULL);
	end('A');
	peer_expect(kit.router, "");
	conn_on_end(wire->conn, CONN_CLOSE_TRANSPORT);
	peer_expect(kit.router,
		    "Claim A gone fresh=10999; Disconnected A error=transport; ");
}

Test(claim, lasts_while_a_stateful_connection_waits)
{
	struct wire *wire;

	add('A', 10);
	wire = kit_open_stateful(&kit, 'A');
	conn_on_end(wire->conn, CONN_CLOSE_TRANSPORT);
	kit_wait(&kit, 4999);
	cr_expect_eq(kit.metrics->claims, 1);
	kit_wait(&kit, 1);
	peer_expect(kit.router,
		    "Claim A gone fresh=5999; Disconnected A error=transport; ");
}

Test(claim, of_a_handshake_that_fails_ends)
{
	struct wire *wire;

	add('A', 10);
	wire = kit_dial(&kit, 'A', NULL);
	kit_settle(&kit);
	wire_in(wire, "nonsense~");
	peer_expect(kit.router, "Claim A gone fresh=10999; ");
}

/* The hub's Close waits for the next poll, which may come in anywhere. */
Test(claim, lasts_until_a_polling_client_was_told_of_its_end)
{
	struct transport *transport;
	struct conn *conn;
	struct asked first;
	struct asked next;
	struct asked last;

	add('A', 10);
	transport = transport_lp_new(kit.gateway->lp, hub, kit_id('A'));
	conn = conn_new(kit.gateway, hub, kit_id('A').ptr, user_anonymous(), transport,
			"10.0.0.9:1");
	transport_lp_poll(transport, asked_new(&first));
	conn_on_bytes(conn, SLICE("{\"protocol\":\"json\",\"version\":1}\x1e"));
	kit_settle(&kit);
	conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	peer_expect(kit.router, "Disconnected A error=; ");
	transport_lp_poll(transport, asked_new(&next));
	kit_turn(&kit);
	asked_expect(&next, 200, NULL);
	peer_expect(kit.router, "");
	transport_lp_poll(transport, asked_new(&last));
	kit_turn(&kit);
	asked_expect(&last, 204, "");
	peer_expect(kit.router, "Claim A gone fresh=10999; ");
}

/* ---- a router that knows nothing */

Test(claim, is_replayed_before_its_connection)
{
	add('A', 10);
	(void)kit_open(&kit, 'A', NULL);
	add('B', 10);
	add('C', 10);
	end('C');
	kit_settle(&kit);
	(void)kit_dial(&kit, 'B', NULL);
	fake_peer_renew(kit.router, 101);
	peer_handle(kit.router); /* in the order of a hash */
	cr_expect_eq(kit.metrics->claims, 2);
	conn_close(gateway_conn_find(kit.gateway, kit_id('B')), CONN_CLOSE_SHUTDOWN,
		   NULL);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 102);
	peer_expect(kit.router,
		    "Claim A fresh=10999; Connected A user= resumed=1 groups=; "
		    "Replayed 1; ");
}

Test(claim, that_was_not_told_yet_is_told_once)
{
	add('A', 10);
	fake_peer_renew(kit.router, 101);
	peer_expect(kit.router, "Claim A fresh=10999; Replayed 0; ");
}

Test(claim, an_end_that_was_not_told_needs_no_telling)
{
	add('A', 10);
	kit_settle(&kit);
	end('A');
	fake_peer_renew(kit.router, 101);
	peer_expect(kit.router, "Replayed 0; ");
}

/* ---- a full link */

Test(claim, without_room_makes_both_start_over)
{
	peer_fill(kit.router);
	add('A', 10);
	cr_expect_eq(kit.router->resets, 0);
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
	fake_peer_renew(kit.router, 100);
	peer_expect(kit.router, "Claim A fresh=10999; Replayed 0; ");
}

Test(claim, whose_end_has_no_room_makes_both_start_over)
{
	add('A', 10);
	kit_settle(&kit);
	peer_fill(kit.router);
	end('A');
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
	cr_expect_eq(kit.metrics->claims, 0);
}

/* ---- for a client that went away meanwhile */

Test(claim, that_nobody_wants_is_given_back)
{
	pass_response(&kit, 'A', 1, 0, "");
	peer_expect(kit.router, "Claim A gone fresh=0; ");
}

Test(claim, that_somebody_has_is_not_given_back)
{
	add('A', 10);
	kit_settle(&kit);
	pass_response(&kit, 'A', 1, 0, "");
	peer_expect(kit.router, "");
}

Test(claim, that_is_refused_ends_the_connection)
{
	struct wire *wire;

	add('A', 10);
	wire = kit_open(&kit, 'A', NULL);
	kit_abort(&kit, 'A', "Connection closed with an error.", false);
	wire_expect_end(wire, "closed");
	peer_expect(kit.router, "Claim A gone fresh=10999; Disconnected A error=; ");
}
