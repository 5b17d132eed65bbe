/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "gateway/stateful.h"
#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define SEQUENCE(id) "{\"type\":9,\"sequenceId\":" id "}~"
#define ACK(id) "{\"type\":8,\"sequenceId\":" id "}~"
#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"F\",\"arguments\":[]}~"

static struct kit kit;
static struct wire *wire;
static struct conn *conn;

static void setup(void)
{
	kit_up(&kit);
	wire = kit_open_stateful(&kit, 'A');
	conn = wire->conn;
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(stateful, .init = setup, .fini = teardown);

/* The socket breaks; a new one is there at once. */
static void reattach(void)
{
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	wire_expect_end(wire, "aborted");
	wire = kit_attach(&kit, conn);
}

Test(stateful, version_1_of_the_handshake_is_without)
{
	struct wire *other = kit_dial(&kit, 'B', NULL);

	other->conn->may_resume = true;
	wire_in(other, "{\"protocol\":\"json\",\"version\":1}~");
	cr_expect_null(other->conn->stateful);
	conn_on_end(other->conn, CONN_CLOSE_TRANSPORT);
	wire_expect_end(other, "aborted");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TRANSPORT], 1);
}

/* One that has not said anything since its handshake. */
static struct wire *open_shy(void)
{
	struct wire *shy = kit_dial(&kit, 'B', NULL);

	shy->conn->may_resume = true;
	wire_in(shy, "{\"protocol\":\"json\",\"version\":2}~");
	wire_expect(shy, "{}~");
	kit_push(&kit, 'B', "one~");
	kit_push(&kit, 'B', "two~");
	wire_expect(shy, "");
	return shy;
}

Test(stateful, nothing_is_sent_before_the_client_says_something)
{
	struct wire *shy = open_shy();

	wire_in(shy, "{\"type\":6}~");
	wire_expect(shy, "one~two~");
	kit_push(&kit, 'B', "three~");
	wire_expect(shy, "three~");
}

Test(stateful, a_client_that_says_nothing_is_not_waited_for)
{
	struct wire *shy = open_shy();

	kit_wait(&kit, 499);
	wire_expect(shy, "");
	kit_wait(&kit, 1);
	wire_expect(shy, "one~two~");
}

Test(stateful, what_is_held_goes_out_before_a_close)
{
	struct wire *shy = open_shy();

	conn_close(shy->conn, CONN_CLOSE_SHUTDOWN, NULL);
	wire_expect(shy, "one~two~{\"type\":7,\"allowReconnect\":true}~");
}

Test(stateful, what_is_held_goes_out_behind_the_sequence_of_a_new_socket)
{
	struct wire *shy = open_shy();

	conn_on_end(shy->conn, CONN_CLOSE_TRANSPORT);
	shy = kit_attach(&kit, shy->conn);
	wire_expect(shy, SEQUENCE("1") "one~two~");
}

Test(stateful, what_the_client_has_not_acknowledged_goes_out_again)
{
	kit_push(&kit, 'A', "one~");
	kit_push(&kit, 'A', "two~");
	wire_expect(wire, "one~two~");
	wire_in(wire, ACK("1"));
	reattach();
	wire_expect(wire, SEQUENCE("2") "two~");
	kit_push(&kit, 'A', "three~");
	wire_expect(wire, "three~");
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->stateful_attached_total, 1);
}

Test(stateful, what_is_sent_meanwhile_waits)
{
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	kit_push(&kit, 'A', "one~");
	kit_turn(&kit);
	wire = kit_attach(&kit, conn);
	wire_expect(wire, SEQUENCE("1") "one~");
	cr_expect_eq(kit.metrics->connections, 1);
}

Test(stateful, nobody_is_told_of_a_new_transport)
{
	reattach();
	peer_expect(kit.router, "");
	cr_expect_eq(kit.metrics->connections_total, 1);
}

Test(stateful, a_client_that_does_not_come_back_is_gone)
{
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	kit_wait(&kit, 4999);
	peer_expect(kit.router, "");
	kit_wait(&kit, 1);
	peer_expect(kit.router, "Disconnected A error=transport; ");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_TRANSPORT], 1);
}

Test(stateful, messages_said_again_are_handled_once)
{
	wire_in(wire, CALL("1"));
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; ");
	reattach();
	wire_expect(wire, SEQUENCE("1"));
	wire_in(wire, SEQUENCE("1") CALL("1") CALL("2"));
	peer_expect(kit.router, "Invoke A call=2 id=2 F[]; ");
	cr_expect_eq(kit.metrics->stateful_repeated_total, 1);
}

Test(stateful, nothing_counts_before_the_clients_sequence)
{
	reattach();
	wire_in(wire, CALL("1") "{\"type\":6}~");
	peer_expect(kit.router, "");
	wire_in(wire, SEQUENCE("1") CALL("1"));
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; ");
}

Test(stateful, a_gap_is_fatal)
{
	reattach();
	buf_clear(&wire->out);
	wire_in(wire, SEQUENCE("2"));
	wire_expect(wire, "{\"type\":7,\"error\":\"Connection closed with an error.\","
			  "\"allowReconnect\":true}~");
	wire_expect_end(wire, "failed");
}

Test(stateful, an_ack_of_what_was_never_sent_is_ignored)
{
	kit_push(&kit, 'A', "one~");
	wire_expect(wire, "one~");
	wire_in(wire, ACK("2"));
	cr_expect_eq(kit.metrics->stateful_acks_ahead_total, 1);
	reattach();
	wire_expect(wire, SEQUENCE("1") "one~");
}

Test(stateful, what_was_handled_is_acknowledged_after_a_second)
{
	wire_in(wire, CALL("1") CALL("2"));
	kit_wait(&kit, 999);
	wire_expect(wire, "");
	kit_wait(&kit, 1);
	wire_expect(wire, ACK("2"));
	kit_wait(&kit, 5000);
	wire_expect(wire, "");
}

Test(stateful, an_ack_that_may_be_lost_is_told_again)
{
	wire_in(wire, CALL("1"));
	kit_wait(&kit, 1000);
	wire_expect(wire, ACK("1"));
	reattach();
	wire_expect(wire, SEQUENCE("1"));
	kit_wait(&kit, 1000);
	wire_expect(wire, ACK("1"));
}

Test(stateful, the_start_of_a_message_dies_with_its_transport)
{
	wire_in(wire, "{\"type\":1,\"tar");
	reattach();
	wire_in(wire, SEQUENCE("1") CALL("1"));
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; ");
}

Test(stateful, what_waited_in_a_pause_comes_again_too)
{
	wire_in(wire, CALL("1") CALL("2") CALL("3"));
	cr_expect(wire->is_paused, "invocations_max is 2");
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; Invoke A call=2 id=2 F[]; ");
	reattach();
	cr_expect(wire->is_paused, "a new transport is paused as the old one was");
	kit_complete(&kit, 'A', 1, "one~");
	kit_turn(&kit);
	cr_expect_not(wire->is_paused);
	wire_in(wire, SEQUENCE("1") CALL("1") CALL("2") CALL("3"));
	peer_expect(kit.router, "Invoke A call=3 id=3 F[]; ");
}

Test(stateful, the_window_holds_back_what_is_over_it)
{
	struct buf frame = BUF_INIT;

	for (int i = 0; i < 150; i++)
		buf_append_byte(&frame, 'x');
	buf_append_byte(&frame, '\0');
	kit_push(&kit, 'A', frame.ptr);
	kit_push(&kit, 'A', "second~");
	kit_push(&kit, 'A', frame.ptr);
	kit_push(&kit, 'A', "last~");
	cr_expect_eq(wire->out.len, 150 + 7, "the window is 200");
	peer_expect(kit.router, "Flow A blocked; ");
	wire_in(wire, ACK("1"));
	cr_expect_eq(wire->out.len, 150 + 7 + 150 + 5);
	peer_expect(kit.router, "Flow A; ");
	buf_fini(&frame);
}

/* Its streams go on, for all that the last one did not take. */
Test(stateful, a_new_transport_has_nothing_stuck)
{
	wire->is_stuck = true;
	kit_push(&kit, 'A',
		 "more than the bytes at which streams rest, in a single message, which "
		 "the client does not read~");
	peer_expect(kit.router, "Flow A blocked; ");
	reattach();
	peer_expect(kit.router, "Flow A; ");
	cr_expect_not(conn->is_blocked);
}

Test(stateful, a_queue_that_grows_too_long_closes_it)
{
	const size_t max = (size_t)kit.conf->queue_bytes_max;
	char text[101] = { 0 };

	memset(text, 'x', 99);
	text[99] = '~';
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	while (stateful_waiting_bytes(conn) + 100 <= max)
		kit_push(&kit, 'A', text);
	cr_expect_eq(stateful_waiting_bytes(conn), max, "at the limit");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 0);
	kit_push(&kit, 'A', "~");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 1, "past it");
}

/* What its socket does not take counts with what its window holds back. */
Test(stateful, a_socket_and_a_window_share_the_limit)
{
	const size_t max = (size_t)kit.conf->queue_bytes_max;
	char text[101] = { 0 };
	size_t before = wire->out.len;

	memset(text, 'x', 99);
	text[99] = '~';
	buf_consume(&wire->out, before);
	wire->is_stuck = true;
	for (size_t n = 0; n < max; n += 100)
		kit_push(&kit, 'A', text);
	cr_expect_eq(wire->out.len, 200, "the window");
	cr_expect_eq(wire->out.len + stateful_waiting_bytes(conn), max, "at the limit");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 0);
	kit_push(&kit, 'A', "~");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 1, "past it");
}

Test(stateful, a_second_socket_takes_over_from_one_that_looks_alive)
{
	struct wire *old = wire;

	wire = kit_attach(&kit, conn);
	wire_expect_end(old, "aborted");
	wire_expect(wire, SEQUENCE("1"));
	kit_push(&kit, 'A', "one~");
	wire_expect(wire, "one~");
}

Test(stateful, a_close_of_either_side_is_the_end)
{
	wire_in(wire, "{\"type\":7}~");
	wire_expect_end(wire, "closed");
	cr_expect_eq(conn->state, CONN_CLOSED);
	cr_expect_not(stateful_may_attach(conn));
}

Test(stateful, a_client_closing_its_socket_in_order_is_the_end)
{
	conn_on_end(conn, CONN_CLOSE_CLIENT);
	wire_expect_end(wire, "closed");
	cr_expect_eq(conn->state, CONN_CLOSED);
}

Test(stateful, transports_are_counted_by_the_minute)
{
	for (int i = 0; i < 3; i++)
		cr_expect(stateful_take_turn(conn));
	cr_expect_not(stateful_take_turn(conn));
	cr_expect_eq(kit.metrics->stateful_refused_total, 1);
	for (int i = 0; i < 4; i++) {
		kit_wait(&kit, 15000);
		wire_in(wire, "{\"type\":6}~");
	}
	cr_expect(stateful_take_turn(conn));
}

Test(stateful, a_ping_is_not_counted)
{
	kit_push(&kit, 'A', "one~");
	kit_wait(&kit, 15000);
	wire_expect(wire, "one~{\"type\":6}~");
	reattach();
	wire_expect(wire, SEQUENCE("1") "one~");
}

Test(stateful, the_process_may_end_while_a_client_is_away)
{
	kit_push(&kit, 'A', "one~");
	conn_on_end(conn, CONN_CLOSE_TRANSPORT);
	kit_push(&kit, 'A', "two~");
}
