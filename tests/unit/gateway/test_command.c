/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence has a gateway do, and what it is answered.
 */
#include "gateway/command.h"

#include <criterion/criterion.h>

#include "gateway/on_router.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

static struct kit kit;
static struct link_peer *presence;

static void set_up(void)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2");
	kit.conf->link.lease_ms = 900000;
	kit_start(&kit);
	presence = kit.gateway->presence.peers[0];
}

static void tear_down(void)
{
	kit_stop(&kit);
}

TestSuite(command, .init = set_up, .fini = tear_down, .timeout = 60);

static void command(Link__CommandKind kind, Link__Command *message)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	message->call = 7;
	message->command = kind;
	envelope.body_case = LINK__ENVELOPE__BODY_COMMAND;
	envelope.command = message;
	gateway_link_ops.on_envelope(presence, &envelope);
}

/* About the connection of that letter. */
static void command_to(Link__CommandKind kind, char letter)
{
	Link__Command message = LINK__COMMAND__INIT;

	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(kit_id(letter));
	command(kind, &message);
}

static void join(char letter, const char *group)
{
	kit_join(&kit, letter, group, false, 1);
	kit_settle(&kit);
	kit_settle(&kit);
}

/* ---- DISCONNECT */

Test(command, disconnect_ends_a_connection_with_its_text)
{
	struct wire *wire = kit_open(&kit, 'A', NULL);
	Link__Command message = LINK__COMMAND__INIT;

	message.connection = link_bytes(kit_id('A'));
	message.text = link_bytes(SLICE("Out."));
	command(LINK__COMMAND_KIND__COMMAND_DISCONNECT, &message);
	wire_expect(wire, "{\"type\":7,\"error\":\"Out.\"}~");
	wire_expect_end(wire, "closed");
	peer_expect(presence, "Closed A; CommandDone 7 OK size=0; ");
}

Test(command, disconnect_may_allow_to_come_back)
{
	struct wire *wire = kit_open(&kit, 'A', NULL);
	Link__Command message = LINK__COMMAND__INIT;

	message.connection = link_bytes(kit_id('A'));
	message.allow_reconnect = true;
	command(LINK__COMMAND_KIND__COMMAND_DISCONNECT, &message);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
}

Test(command, disconnect_of_nobody_is_not_found)
{
	struct wire *wire = kit_open(&kit, 'A', NULL);

	(void)kit_dial(&kit, 'H', NULL);
	command_to(LINK__COMMAND_KIND__COMMAND_DISCONNECT, 'X');
	command_to(LINK__COMMAND_KIND__COMMAND_DISCONNECT, 'H');
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	command_to(LINK__COMMAND_KIND__COMMAND_DISCONNECT, 'A');
	peer_expect(presence, "CommandDone 7 ERR_NOT_FOUND size=0; "
			      "CommandDone 7 ERR_NOT_FOUND size=0; Closed A; "
			      "CommandDone 7 ERR_NOT_FOUND size=0; ");
}

Test(command, a_connection_of_another_hub_is_not_meant)
{
	struct wire *wire = kit_open(&kit, 'A', NULL);
	Link__Command message = LINK__COMMAND__INIT;

	message.hub = link_bytes(SLICE("other"));
	message.connection = link_bytes(kit_id('A'));
	command(LINK__COMMAND_KIND__COMMAND_DISCONNECT, &message);
	peer_expect(presence, "CommandDone 7 ERR_NOT_FOUND size=0; ");
	cr_expect(wire_is_open(wire));
}

/* ---- CONNECTION */

Test(command, connection_tells_the_groups_in_order)
{
	(void)kit_open(&kit, 'A', "ann");
	join('A', "b");
	join('A', "a");
	join('A', "c");
	command_to(LINK__COMMAND_KIND__COMMAND_CONNECTION, 'A');
	peer_expect(presence, "CommandDone 7 OK chat/a chat/b chat/c size=3; ");
}

Test(command, connection_without_groups_has_none)
{
	(void)kit_open(&kit, 'A', "ann");
	command_to(LINK__COMMAND_KIND__COMMAND_CONNECTION, 'A');
	peer_expect(presence, "CommandDone 7 OK size=0; ");
	command_to(LINK__COMMAND_KIND__COMMAND_CONNECTION, 'X');
	peer_expect(presence, "CommandDone 7 ERR_NOT_FOUND size=0; ");
}

Test(command, connection_tells_its_groups_by_pages)
{
	Link__Command message = LINK__COMMAND__INIT;

	(void)kit_open(&kit, 'A', NULL);
	join('A', "");
	join('A', "a");
	join('A', "b");
	message.connection = link_bytes(kit_id('A'));
	message.limit = 1;
	command(LINK__COMMAND_KIND__COMMAND_CONNECTION, &message);
	peer_expect(presence, "CommandDone 7 OK chat/ size=3 next=n; ");
	message.cursor = link_bytes(SLICE("n"));
	message.limit = 2;
	command(LINK__COMMAND_KIND__COMMAND_CONNECTION, &message);
	peer_expect(presence, "CommandDone 7 OK chat/a chat/b size=3; ");
	message.cursor = link_bytes(SLICE("nb"));
	command(LINK__COMMAND_KIND__COMMAND_CONNECTION, &message);
	peer_expect(presence, "CommandDone 7 OK size=3; ");
	message.cursor = link_bytes(SLICE("b"));
	command(LINK__COMMAND_KIND__COMMAND_CONNECTION, &message);
	peer_expect(presence, "CommandDone 7 ERR_ARGUMENT size=0; ");
}

/* ---- DRAIN */

Test(command, drain_begins_when_the_answer_is_heard)
{
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	cr_expect_not(kit.proc.is_drain_asked);
	peer_expect(presence, "CommandDone 7 OK size=0; ");
	fake_peer_ack(presence);
	cr_expect(kit.proc.is_drain_asked);
}

Test(command, drain_does_not_wait_for_a_presence_that_is_gone)
{
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	fake_peer_down(presence);
	kit_wait(&kit, 249);
	cr_expect_not(kit.proc.is_drain_asked);
	kit_wait(&kit, 1);
	cr_expect(kit.proc.is_drain_asked);
}

Test(command, drain_twice_is_once)
{
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	peer_expect(presence, "CommandDone 7 OK size=0; CommandDone 7 OK size=0; ");
	fake_peer_ack(presence);
	kit.proc.is_drain_asked = false;
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	kit_settle(&kit);
	kit_wait(&kit, 1000);
	cr_expect_not(kit.proc.is_drain_asked);
}

Test(command, drain_of_one_that_drains_by_a_signal_is_fine)
{
	kit.proc.is_draining = true;
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	peer_expect(presence, "CommandDone 7 OK size=0; ");
	fake_peer_ack(presence);
	kit_wait(&kit, 1000);
	cr_expect_not(kit.proc.is_drain_asked);
}

Test(command, drain_may_find_no_room_for_its_answer)
{
	peer_fill(presence);
	command_to(LINK__COMMAND_KIND__COMMAND_DRAIN, 'X');
	cr_expect_eq(kit.metrics->command_refused_total, 1);
	kit_wait(&kit, 250);
	cr_expect(kit.proc.is_drain_asked);
}

/* ---- others */

Test(command, a_routers_command_is_not_for_a_gateway)
{
	command_to(LINK__COMMAND_KIND__COMMAND_JOIN, 'A');
	command_to((Link__CommandKind)99, 'A');
	peer_expect(presence, "CommandDone 7 ERR_UNSUPPORTED size=0; "
			      "CommandDone 7 ERR_UNSUPPORTED size=0; ");
	cr_expect_eq(kit.metrics->command_total, 2);
}
