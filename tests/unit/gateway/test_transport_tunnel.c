/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a tunnel that has the connection: A, whose next WebSocket is at g2.
 */
#include "gateway/transport_tunnel.h"

#include <criterion/criterion.h>

#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/stateful.h"
#include "gateway/transport_ws.h"
#include "gateway/tunnel.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"

#define QUARTER (TUNNEL_WINDOW_BYTES / 4)
#define SEQUENCE_TEXT "{\"type\":9,\"sequenceId\":1}~"
#define SEQUENCE "\x81\x1a" SEQUENCE_TEXT
#define CALL(id)                                                                         \
	"{\"type\":1,\"invocationId\":\"" id "\",\"target\":\"F\",\"arguments\":[]}~"

static struct kit kit;
static struct wire *wire;
static struct conn *conn;

static void setup(void)
{
	kit_init(&kit);
	kit.conf->link.window_bytes_max = 4 << 20;
	kit.conf->message_bytes_max = 1 << 20;
	kit.conf->stateful_buffer_bytes_max = 1 << 20;
	kit_start(&kit);
	wire = kit_open_stateful(&kit, 'A');
	conn = wire->conn;
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(transport_tunnel, .init = setup, .fini = teardown);

/* The tunnel `call` is open, and the client has said where it is. */
static void open_tunnel(uint64_t call)
{
	struct buf expected = BUF_INIT;

	pass_request(&kit, 'A', call, WEB_SOCKET, "");
	buf_appendf(&expected,
		    "Response call=%d to=g2 101; Tunnel A call=%d to=g2 data=" SEQUENCE
		    "; ",
		    (int)call, (int)call);
	buf_append_byte(&expected, '\0');
	kit_turn(&kit);
	peer_expect(kit.router, expected.ptr);
	buf_fini(&expected);
	pass_tunnel(&kit, 'A', call, SEQUENCE_TEXT, 0, PASS_ON);
	kit_turn(&kit);
	kit_settle(&kit);
}

/* A client message of `len` bytes in all that means nothing. */
static void pass_ping(uint64_t call, size_t len)
{
	const struct slice head = SLICE("{\"type\":6,\"x\":\"");
	const struct slice tail = SLICE("\"}\x1e");
	struct buf bytes = BUF_INIT;

	buf_append_slice(&bytes, head);
	while (bytes.len < len - tail.len)
		buf_append_byte(&bytes, 'x');
	buf_append_slice(&bytes, tail);
	cr_assert_eq(bytes.len, len);
	pass_tunnel_bytes(&kit, 'A', call, buf_slice(&bytes));
	buf_fini(&bytes);
}

/* As the hub's: `len` bytes with the frame's header. */
static void push(size_t len)
{
	const size_t head = len < 128 ? 2 : len < 65540 ? 4 : 10;
	char *frame = mem_alloc(len - head + 1);

	memset(frame, 'x', len - head);
	frame[len - head] = '\0';
	kit_push(&kit, 'A', frame);
	mem_free(frame);
}

static void expect_waiting(void)
{
	cr_assert_eq(conn->state, CONN_OPEN);
	cr_expect_null(conn->transport);
}

/* ---- the beginning */

Test(transport_tunnel, takes_the_place_of_a_socket)
{
	open_tunnel(7);
	wire_expect_end(wire, "aborted");
	cr_expect_eq(conn->transport->ops, &transport_tunnel_ops);
	cr_expect_eq(kit.metrics->stateful_attached_total, 1);
	cr_expect_eq(kit.metrics->replies, 0);
}

Test(transport_tunnel, comes_no_more_often_than_a_socket)
{
	for (uint64_t call = 1; call <= 3; call++) {
		conn_on_end(conn, CONN_CLOSE_TRANSPORT);
		kit_settle(&kit);
		open_tunnel(call);
	}
	pass_request(&kit, 'A', 4, WEB_SOCKET, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Response call=4 to=g2 429; ");
	cr_expect_not_null(conn->transport);
	cr_expect_eq(kit.metrics->stateful_refused_total, 1);
}

Test(transport_tunnel, whose_answer_finds_no_room_does_not_begin)
{
	peer_fill(kit.router);
	pass_request(&kit, 'A', 1, WEB_SOCKET, "");
	kit_turn(&kit);
	wire_expect_end(wire, "open");
	cr_expect_eq(kit.metrics->reply_refused_total, 1);
	kit_settle(&kit);
}

Test(transport_tunnel, is_not_for_a_connection_that_has_ended)
{
	conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	kit_settle(&kit);
	pass_request(&kit, 'A', 1, WEB_SOCKET, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Response call=1 to=g2 404 body=No Connection with that "
				"ID; ");
	pass_tunnel(&kit, 'A', 1, CALL("1"), 0, PASS_ON);
	peer_expect(kit.router, "");
}

Test(transport_tunnel, of_two_the_last_one_carries)
{
	open_tunnel(1);
	pass_request(&kit, 'A', 2, WEB_SOCKET, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Response call=2 to=g2 101; Tunnel A call=1 to=g2 end "
				"error; Tunnel A call=2 to=g2 data=" SEQUENCE "; ");
	pass_tunnel(&kit, 'A', 1, CALL("1"), 0, PASS_FAILED);
	pass_tunnel(&kit, 'A', 2, SEQUENCE_TEXT, 0, PASS_ON);
	kit_turn(&kit);
	peer_expect(kit.router, "");
	pass_tunnel(&kit, 'A', 2, CALL("1"), 0, PASS_ON);
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; ");
}

Test(transport_tunnel, ends_when_the_client_comes_back_here)
{
	open_tunnel(1);
	wire = kit_attach(&kit, conn);
	wire_expect(wire, SEQUENCE_TEXT);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 end error; ");
	pass_tunnel(&kit, 'A', 1, "", 0, PASS_CLOSED);
	wire_expect_end(wire, "open");
}

/* ---- bytes */

Test(transport_tunnel, carries_both_ways)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1"), 0, PASS_ON);
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; ");
	kit_push(&kit, 'A', "one~");
	kit_push(&kit, 'A', "two~");
	peer_expect(kit.router, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=\x81\x04one~\x81\x04two~; ");
}

Test(transport_tunnel, is_not_another_gateways)
{
	open_tunnel(1);
	pass_tunnel_from(&kit, "g3", 'A', 1, CALL("1"));
	pass_tunnel_from(&kit, "g2", 'A', 2, CALL("1"));
	pass_tunnel_from(&kit, "g2", 'B', 1, CALL("1"));
	kit_turn(&kit);
	peer_expect(kit.router, "");
	cr_expect_not_null(conn->transport);
}

Test(transport_tunnel, tells_what_it_has_read_by_the_quarter)
{
	open_tunnel(1);
	pass_ping(1, QUARTER - 1 - strlen(SEQUENCE_TEXT));
	kit_turn(&kit);
	peer_expect(kit.router, "");
	pass_ping(1, 100);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 taken=65635; ");
}

/* One frame more than the messages may hold goes into the next one. */
Test(transport_tunnel, cuts_between_frames)
{
	kit.conf->queue_bytes_max = 1 << 20;
	open_tunnel(1);
	push(TUNNEL_DATA_BYTES_MAX - 100);
	push(100);
	push(100);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 bytes=65536; "
				"Tunnel A call=1 to=g2 bytes=100; ");
	push(TUNNEL_DATA_BYTES_MAX + 100);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 bytes=65636; ");
}

Test(transport_tunnel, sends_no_more_than_the_window)
{
	const size_t first = strlen(SEQUENCE);

	open_tunnel(1);
	for (int i = 0; i < 3; i++)
		push(QUARTER);
	push(QUARTER - first - 1);
	kit_turn(&kit);
	kit_settle(&kit);
	push(100); /* the last byte of the window lets a message through */
	push(100);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 bytes=200; ");
	push(100);
	kit_turn(&kit);
	peer_expect(kit.router, "Flow A blocked; ");
	cr_expect_eq(conn->ops->queued_bytes(conn->transport), 100);
	/* Less than it had already, and more than there was, say nothing. */
	pass_tunnel(&kit, 'A', 1, "", TUNNEL_WINDOW_BYTES + 1000, PASS_ON);
	kit_turn(&kit);
	peer_expect(kit.router, "");
	pass_tunnel(&kit, 'A', 1, "", QUARTER, PASS_ON);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 bytes=100; Flow A; ");
	cr_expect_eq(conn->ops->queued_bytes(conn->transport), 0);
}

Test(transport_tunnel, what_waits_for_the_turns_end_makes_no_client_slow)
{
	open_tunnel(1);
	push(2 * (size_t)kit.conf->queue_bytes_max);
	push(100);
	cr_expect_eq(conn->ops->queued_bytes(conn->transport), 0);
	kit_turn(&kit);
	cr_expect_not_null(conn->transport);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 0);
}

Test(transport_tunnel, whose_client_does_not_read_makes_it_slow)
{
	open_tunnel(1);
	push(TUNNEL_WINDOW_BYTES);
	kit_turn(&kit);
	push((size_t)kit.conf->queue_bytes_max - 100);
	kit_turn(&kit);
	kit_settle(&kit);
	push(100); /* at the limit */
	cr_expect_eq((int64_t)conn->ops->queued_bytes(conn->transport),
		     kit.conf->queue_bytes_max);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 0);
	push(100); /* past it */
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SLOW], 1);
	peer_expect(kit.router,
		    "Tunnel A call=1 to=g2 end error; Disconnected A error=slow; ");
}

/* ---- the pause */

Test(transport_tunnel, does_not_read_for_a_paused_connection)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1") CALL("2"), 0, PASS_ON);
	cr_expect_neq(conn->paused, 0);
	pass_ping(1, QUARTER);
	pass_tunnel(&kit, 'A', 1, CALL("3"), 0, PASS_ON);
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; Invoke A call=2 id=2 F[]; ");
	kit_complete(&kit, 'A', 1, "");
	kit_turn(&kit);
	kit_turn(&kit);
	cr_expect_neq(conn->paused, 0);
	peer_expect(kit.router, "Invoke A call=3 id=3 F[]; "
				"Tunnel A call=1 to=g2 taken=65736; ");
}

/* It had said all that before it left. */
Test(transport_tunnel, a_client_that_left_is_heard_to_the_end)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1") CALL("2") CALL("3"), 0, PASS_ON);
	pass_tunnel(&kit, 'A', 1, CALL("4"), 0, PASS_CLOSED);
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; Invoke A call=2 id=2 F[]; ");
	cr_assert_eq(conn->state, CONN_OPEN);
	push(100); /* nobody reads it */
	kit_complete(&kit, 'A', 1, "");
	kit_complete(&kit, 'A', 2, "");
	kit_turn(&kit);
	kit_turn(&kit);
	peer_expect(kit.router, "Invoke A call=3 id=3 F[]; Invoke A call=4 id=4 F[]; ");
	cr_assert_eq(conn->state, CONN_OPEN);
	kit_complete(&kit, 'A', 3, "");
	kit_turn(&kit);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_CLIENT], 1);
	peer_expect(kit.router, "Disconnected A error=; ");
}

Test(transport_tunnel, a_lost_router_does_not_hurry_a_client_that_left)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1") CALL("2"), 0, PASS_CLOSED);
	kit_settle(&kit);
	fake_peer_renew(kit.router, 101);
	kit_turn(&kit);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->stateful_detached_total, 1); /* the first socket */
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_CLIENT], 1);
}

Test(transport_tunnel, a_broken_socket_is_not_waited_for)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1") CALL("2"), 0, PASS_ON);
	pass_tunnel(&kit, 'A', 1, CALL("3"), 0, PASS_FAILED);
	expect_waiting();
}

/* ---- the end */

Test(transport_tunnel, a_client_that_closes_ends_its_connection)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, CALL("1"), 0, PASS_CLOSED);
	peer_expect(kit.router, "Invoke A call=1 id=1 F[]; Disconnected A error=; ");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_CLIENT], 1);
}

Test(transport_tunnel, a_broken_socket_is_followed_by_another)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, "", 0, PASS_FAILED);
	expect_waiting();
	peer_expect(kit.router, "");
	kit_push(&kit, 'A', "one~");
	pass_request(&kit, 'A', 2, WEB_SOCKET, "");
	kit_turn(&kit);
	peer_expect(kit.router, "Response call=2 to=g2 101; "
				"Tunnel A call=2 to=g2 data=" SEQUENCE "\x81\x04one~; ");
}

/* As one at a socket here. */
Test(transport_tunnel, bytes_that_are_no_websocket_end_the_connection)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, "", 0, PASS_MALFORMED);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_PROTOCOL], 1);
	peer_expect(kit.router, "Disconnected A error=protocol; ");
}

Test(transport_tunnel, a_connection_that_ends_takes_the_socket_along)
{
	open_tunnel(1);
	kit_push(&kit, 'A', "one~");
	conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=\x81\x04one~"
				"\x81\x21{\"type\":7,\"allowReconnect\":true}~; "
				"Tunnel A call=1 to=g2 end; Disconnected A error=; ");
	pass_tunnel(&kit, 'A', 1, CALL("1"), 0, PASS_FAILED);
	kit_turn(&kit);
	peer_expect(kit.router, "");
}

Test(transport_tunnel, says_so_when_the_connection_ends_in_error)
{
	open_tunnel(1);
	pass_tunnel(&kit, 'A', 1, "nonsense~", 0, PASS_ON);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_PROTOCOL], 1);
	peer_expect(kit.router,
		    "Tunnel A call=1 to=g2 bytes=78; Tunnel A call=1 to=g2 end "
		    "error; Disconnected A error=protocol; ");
}

Test(transport_tunnel, ends_with_its_router)
{
	open_tunnel(1);
	fake_peer_renew(kit.router, 101);
	expect_waiting();
	peer_expect(kit.router, "Connected A user= resumed=1 groups=; Replayed 1; ");
}

Test(transport_tunnel, ends_when_its_bytes_find_no_room)
{
	open_tunnel(1);
	peer_fill(kit.router);
	push(100);
	kit_turn(&kit);
	expect_waiting();
	cr_expect_eq(kit.router->resets, 1);
	fake_peer_renew(kit.router, 101);
	kit_settle(&kit);
	wire = kit_attach(&kit, conn);
	cr_expect_gt(wire->out.len, 90, "what was lost comes again");
}

/* There is no successor. */
static void take_nobody(void)
{
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	taken.connection = link_bytes(kit_id('A'));
	taken.call = 1;
	taken.rc = ERR_NOT_FOUND;
	envelope.body_case = LINK__ENVELOPE__BODY_HANDOVER_TAKEN;
	envelope.handover_taken = &taken;
	kit_receive(&kit, &envelope);
}

Test(transport_tunnel, drains_with_its_connection)
{
	open_tunnel(1);
	gateway_proc_ops.drain(&kit.proc, kit.gateway);
	kit_turn(&kit);
	peer_expect(kit.router, "Handover A call=1 user=; ");
	take_nobody();
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=\x81\x21{\"type\":7,"
				"\"allowReconnect\":true}~; Tunnel A call=1 to=g2 end; "
				"Disconnected A error=; ");
}
