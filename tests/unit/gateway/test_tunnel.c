/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a tunnel that has the socket: a real WebSocket on a socket that the test
 * plays, for connection A, which g2 holds.
 */
#include "gateway/tunnel.h"

#include <criterion/criterion.h>

#include "gateway/drain.h"
#include "gateway/transport_ws.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_sock.h"

#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/pass_kit.h"
#include "tests/unit/gateway/ws_kit.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define QUARTER (TUNNEL_WINDOW_BYTES / 4)
#define TIMEOUT_MS 5000

static struct kit kit;
static struct fake_sock client;

static void setup(void)
{
	struct outlet_host outlets = { .send_timeout_ms = TIMEOUT_MS,
				       .close_timeout_ms = TIMEOUT_MS };

	kit_init(&kit);
	kit.conf->link.window_bytes_max = 4 << 20;
	kit_start(&kit);
	outlets.loop = &kit.loop;
	outlets.metrics = kit.metrics;
	kit.gateway->ws = ws_host_new(&outlets);
}

static void teardown(void)
{
	tunnels_close_all(kit.gateway);
	ws_host_free(kit.gateway->ws);
	kit.gateway->ws = NULL;
	fake_sock_forget(&client);
	cr_expect_eq(kit.metrics->tunnels, 0);
	cr_expect_eq(kit.metrics->ws_sockets, 0);
	kit_stop(&kit);
}

TestSuite(tunnel, .init = setup, .fini = teardown);

/* For a request that had this number. */
static void open_for(struct fake_sock *fake, char letter, uint64_t call)
{
	struct forward forward = { .gateway = kit.gateway,
				   .router = kit.gateway->routers.items[0],
				   .hub = &kit.gateway->hubs.items[0],
				   .id = kit_id(letter),
				   .number = call };
	struct buf rest = BUF_INIT;
	struct sock sock;

	fake_sock_open(fake, &sock);
	tunnel_open(kit.gateway, &forward, SLICE("g2"),
		    transport_ws_new(kit.gateway->ws, &sock, &rest, SLICE(KEY)));
	fake_sock_ready(fake, &kit);
	cr_assert(slice_starts_with(buf_slice(&fake->out), SLICE("HTTP/1.1 101 ")));
	buf_clear(&fake->out);
}

static void client_says(struct fake_sock *fake, unsigned first, const char *payload,
			size_t len)
{
	ws_frame_add(&fake->in, first, payload, len);
	fake_sock_ready(fake, &kit);
}

static void client_sends_bytes(size_t len)
{
	char *bytes = mem_zalloc(len);

	client_says(&client, FIN | WS_BINARY, bytes, len);
	mem_free(bytes);
}

static void pass_bytes(size_t len)
{
	char *bytes = mem_zalloc(len);

	pass_tunnel_bytes(&kit, 'A', 1, slice_make(bytes, len));
	mem_free(bytes);
}

static void expect_out(const char *bytes, size_t len)
{
	cr_assert_eq(client.out.len, len, "%zu for %zu bytes", client.out.len, len);
	cr_expect_arr_eq(client.out.ptr, bytes, len);
	buf_clear(&client.out);
}

static void expect_reading(bool is_reading)
{
	cr_expect_eq((client.want & LOOP_READ) != 0, is_reading);
}

/* ---- bytes */

Test(tunnel, carries_both_ways)
{
	open_for(&client, 'A', 1);
	client_says(&client, FIN | WS_TEXT, "one", 3);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; ");
	pass_tunnel(&kit, 'A', 1, "\x81\x03two", 0, PASS_ON);
	kit_turn(&kit);
	expect_out("\x81\x03two", 5);
	client_says(&client, FIN | WS_PING, "x", 1);
	expect_out("\x8a\x01x", 3);
	peer_expect(kit.router, "");
}

Test(tunnel, is_for_one_connection_of_one_gateway)
{
	open_for(&client, 'A', 1);
	pass_tunnel_from(&kit, "g3", 'A', 1, "x");
	pass_tunnel_from(&kit, "g2", 'A', 2, "x");
	pass_tunnel_from(&kit, "g2", 'B', 1, "x");
	kit_turn(&kit);
	expect_out("", 0);
}

Test(tunnel, two_of_one_connection_are_apart)
{
	struct fake_sock other;

	open_for(&client, 'A', 1);
	open_for(&other, 'A', 2);
	client_says(&other, FIN | WS_TEXT, "two", 3);
	pass_tunnel(&kit, 'A', 1, "", 0, PASS_FAILED);
	kit_turn(&kit);
	expect_out("\x88\x02\x03\xf3", 4);
	client_says(&other, FIN | WS_TEXT, "three", 5);
	peer_expect(kit.router, "Tunnel A call=2 to=g2 data=two; "
				"Tunnel A call=2 to=g2 data=three; ");
	pass_tunnel(&kit, 'A', 2, "", 0, PASS_CLOSED);
	ws_host_free(kit.gateway->ws);
	kit.gateway->ws = NULL;
	fake_sock_forget(&other);
}

/* ---- the window */

Test(tunnel, reads_until_the_window_is_full)
{
	open_for(&client, 'A', 1);
	client_sends_bytes(TUNNEL_WINDOW_BYTES - 1);
	expect_reading(true);
	kit_settle(&kit);
	client_sends_bytes(1);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=; ");
	expect_reading(false);
	client_says(&client, FIN | WS_TEXT, "one", 3);
	peer_expect(kit.router, "");
	/* What cannot be. */
	pass_tunnel(&kit, 'A', 1, "", TUNNEL_WINDOW_BYTES + 1, PASS_ON);
	fake_sock_ready(&client, &kit);
	expect_reading(false);
	pass_tunnel(&kit, 'A', 1, "", 1, PASS_ON);
	kit_turn(&kit);
	expect_reading(true);
	fake_sock_ready(&client, &kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; ");
	expect_reading(false);
}

Test(tunnel, cuts_what_it_sends)
{
	char *bytes = mem_zalloc(TUNNEL_DATA_BYTES_MAX);

	open_for(&client, 'A', 1);
	ws_frame_add(&client.in, FIN | WS_BINARY, bytes, TUNNEL_DATA_BYTES_MAX);
	ws_frame_add(&client.in, FIN | WS_BINARY, bytes, TUNNEL_DATA_BYTES_MAX);
	client_says(&client, FIN | WS_BINARY, bytes, 100);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 bytes=65536; "
				"Tunnel A call=1 to=g2 bytes=65536; "
				"Tunnel A call=1 to=g2 bytes=100; ");
	expect_reading(true);
	mem_free(bytes);
}

Test(tunnel, tells_what_the_client_took_by_the_quarter)
{
	open_for(&client, 'A', 1);
	pass_bytes(QUARTER - 1);
	kit_turn(&kit);
	peer_expect(kit.router, "");
	pass_bytes(1);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 taken=65536; ");
	client_says(&client, FIN | WS_TEXT, "one", 3);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one taken=65536; ");
}

Test(tunnel, tells_nothing_of_what_the_client_does_not_take)
{
	kit.conf->queue_bytes_max = TUNNEL_WINDOW_BYTES;
	open_for(&client, 'A', 1);
	client.is_stuck = true;
	pass_bytes(TUNNEL_WINDOW_BYTES);
	kit_turn(&kit);
	peer_expect(kit.router, "");
	fake_sock_unstick(&client, &kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 taken=262144; ");
}

Test(tunnel, of_a_client_that_does_not_read_ends)
{
	const size_t max = (size_t)kit.conf->queue_bytes_max;

	open_for(&client, 'A', 1);
	client.is_stuck = true;
	pass_bytes(max - 1);
	kit_turn(&kit);
	pass_bytes(1);
	kit_turn(&kit);
	cr_expect_not_null(client.sock, "at the limit");
	pass_bytes(1);
	cr_expect_null(client.sock, "past it");
	peer_expect(kit.router, "Tunnel A call=1 to=g2 end error; ");
	cr_expect_eq(kit.metrics->tunnel_slow_total, 1);
}

/* A message without bytes had ended it. */
Test(tunnel, one_long_message_makes_no_client_slow)
{
	open_for(&client, 'A', 1);
	client.is_stuck = true;
	pass_bytes(10 * (size_t)kit.conf->queue_bytes_max);
	kit_turn(&kit);
	client_says(&client, FIN | WS_TEXT, "one", 3);
	pass_tunnel(&kit, 'A', 1, "", 3, PASS_ON);
	cr_expect_not_null(client.sock);
	cr_expect_eq(kit.metrics->tunnel_slow_total, 0);
	pass_tunnel(&kit, 'A', 1, "", 3, PASS_CLOSED);
	fake_sock_unstick(&client, &kit);
	cr_expect_eq(client.out.len, 10 * (size_t)kit.conf->queue_bytes_max + 4);
}

Test(tunnel, of_a_client_that_takes_nothing_for_too_long_ends)
{
	open_for(&client, 'A', 1);
	client.is_stuck = true;
	pass_bytes(10);
	kit_turn(&kit);
	kit_wait(&kit, TIMEOUT_MS - 1);
	cr_expect_not_null(client.sock);
	kit_wait(&kit, 1);
	cr_expect_null(client.sock);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 end error; ");
}

/* ---- the end */

Test(tunnel, a_client_that_closes_ends_it_in_order)
{
	open_for(&client, 'A', 1);
	ws_frame_add(&client.in, FIN | WS_TEXT, "one", 3);
	client_says(&client, FIN | WS_CLOSE, "\x03\xe8", 2);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; "
				"Tunnel A call=1 to=g2 end; ");
	expect_out("\x88\x02\x03\xe8", 4);
	cr_expect_null(client.sock);
}

/* All that the client said goes first, even over the window. */
Test(tunnel, the_end_comes_behind_what_was_said)
{
	open_for(&client, 'A', 1);
	client_sends_bytes(TUNNEL_WINDOW_BYTES - 1);
	kit_settle(&kit);
	ws_frame_add(&client.in, FIN | WS_TEXT, "one", 3);
	ws_frame_add(&client.in, FIN | WS_TEXT, "two", 3);
	client_says(&client, FIN | WS_CLOSE, "\x03\xe8", 2);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=onetwo; "
				"Tunnel A call=1 to=g2 end; ");
}

Test(tunnel, a_socket_that_breaks_ends_it_in_error)
{
	open_for(&client, 'A', 1);
	client.is_eof = true;
	fake_sock_ready(&client, &kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 end error; ");
	cr_expect_null(client.sock);
}

/* As at a gateway that holds the connection: it does not wait for another socket. */
Test(tunnel, bytes_that_are_no_websocket_end_the_connection)
{
	open_for(&client, 'A', 1);
	ws_frame_add(&client.in, FIN | WS_TEXT, "one", 3);
	client_says(&client, FIN | 0x3, "x", 1);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; "
				"Tunnel A call=1 to=g2 end error malformed; ");
	expect_out("\x88\x02\x03\xea", 4);
	cr_expect_eq(kit.metrics->ws_malformed_total, 1);
}

Test(tunnel, the_connection_closes_the_socket)
{
	open_for(&client, 'A', 1);
	pass_tunnel(&kit, 'A', 1, "\x81\x03two", 0, PASS_CLOSED);
	kit_turn(&kit);
	expect_out("\x81\x03two\x88\x02\x03\xe8", 9);
	peer_expect(kit.router, "");
	pass_tunnel(&kit, 'A', 1, "\x81\x03two", 0, PASS_ON);
	kit_turn(&kit);
	expect_out("", 0);
}

Test(tunnel, the_connection_closes_the_socket_in_error)
{
	open_for(&client, 'A', 1);
	pass_tunnel(&kit, 'A', 1, "", 0, PASS_FAILED);
	kit_turn(&kit);
	expect_out("\x88\x02\x03\xf3", 4);
}

Test(tunnel, is_not_closed_before_its_client_has_settled)
{
	open_for(&client, 'A', 1);
	kit_wait(&kit, TUNNEL_SETTLE_MS);
	tunnels_close(kit.gateway, 1);
	cr_expect_eq(kit.metrics->tunnels, 1, "it has not spoken");
	client_says(&client, FIN | WS_TEXT, "one", 3);
	tunnels_close(kit.gateway, 0);
	cr_expect_eq(kit.metrics->tunnels, 1);
	tunnels_close(kit.gateway, 1);
	kit_turn(&kit);
	cr_expect_eq(kit.metrics->tunnels, 0);
	expect_out("\x88\x02\x03\xf3", 4);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; "
				"Tunnel A call=1 to=g2 end error; ");
}

/* drain_timeout is 2 s, half of it for the telling. */
Test(tunnel, that_has_not_settled_goes_at_the_end_of_a_drain)
{
	open_for(&client, 'A', 1);
	gateway_proc_ops.drain(&kit.proc, kit.gateway);
	kit_wait(&kit, 980);
	cr_expect_eq(kit.metrics->tunnels, 1);
	kit_wait(&kit, 20);
	cr_expect_eq(kit.metrics->tunnels, 0);
}

Test(tunnel, that_has_just_been_opened_is_closed_last)
{
	open_for(&client, 'A', 1);
	client_says(&client, FIN | WS_TEXT, "one", 3);
	kit_wait(&kit, TUNNEL_SETTLE_MS - 1);
	tunnels_close(kit.gateway, SIZE_MAX);
	cr_expect_eq(kit.metrics->tunnels, 1);
	kit_wait(&kit, 1);
	tunnels_close(kit.gateway, SIZE_MAX);
	cr_expect_eq(kit.metrics->tunnels, 0);
	kit_turn(&kit);
}

Test(tunnel, ends_with_its_router)
{
	open_for(&client, 'A', 1);
	fake_peer_renew(kit.router, 101);
	cr_expect_null(client.sock);
	cr_expect_eq(kit.metrics->tunnel_lost_total, 1);
	peer_expect(kit.router, "Replayed 0; ");
}

Test(tunnel, ends_when_its_bytes_find_no_room)
{
	open_for(&client, 'A', 1);
	peer_fill(kit.router);
	client_sends_bytes(100);
	cr_expect_null(client.sock);
	cr_expect_eq(kit.metrics->tunnel_lost_total, 1);
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
}

Test(tunnel, an_end_that_finds_no_room_makes_both_start_over)
{
	open_for(&client, 'A', 1);
	peer_fill(kit.router);
	client.is_eof = true;
	fake_sock_ready(&client, &kit);
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
	cr_expect_eq(kit.metrics->tunnel_lost_total, 1);
}

Test(tunnel, the_word_of_bytes_taken_finds_no_room)
{
	open_for(&client, 'A', 1);
	peer_fill(kit.router);
	pass_bytes(QUARTER);
	kit_turn(&kit);
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
}

Test(tunnel, drains)
{
	open_for(&client, 'A', 1);
	client_says(&client, FIN | WS_TEXT, "one", 3);
	kit_wait(&kit, TUNNEL_SETTLE_MS);
	gateway_proc_ops.drain(&kit.proc, kit.gateway);
	kit_turn(&kit);
	peer_expect(kit.router, "Tunnel A call=1 to=g2 data=one; "
				"Tunnel A call=1 to=g2 end error; ");
	expect_out("\x88\x02\x03\xf3", 4);
	cr_expect_not(kit.proc.is_drained, "the client may yet answer");
	client_says(&client, FIN | WS_CLOSE, "\x03\xf3", 2);
	kit_wait(&kit, 20);
	kit_wait(&kit, 20);
	cr_expect(kit.proc.is_drained);
}

/* ---- nobody's */

Test(tunnel, that_opens_for_nobody_is_ended)
{
	pass_response(&kit, 'A', 9, 101, "");
	peer_expect(kit.router, "Tunnel A call=9 to=g2 end error; ");
	peer_fill(kit.router);
	pass_response(&kit, 'A', 9, 101, "");
	kit_turn(&kit);
	cr_expect_eq(kit.router->resets, 1);
	cr_expect_eq(kit.metrics->response_late_total, 2);
}
