/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each transport against a server that the test plays: what it asks, what it makes of the
 * answers however they are cut, how it ends. A leak or a use after the end is the
 * sanitizer's to find.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "bench/carrier.h"

#include <criterion/criterion.h>

#include "bench/ws_client.h"
#include "proto/base/mem.h"
#include "tests/unit/bench/peer_kit.h"

static struct peer peer;

static void set_up(void)
{
	peer_init(&peer);
}

static void tear_down(void)
{
	peer_fini(&peer);
}

TestSuite(carrier, .init = set_up, .fini = tear_down);

static void send_text(size_t conn, const char *text)
{
	peer_send(&peer, conn, slice_from_str(text));
}

/* ---- WebSockets */

#define UPGRADE "GET /hub?id=ID&access_token=TOKEN HTTP/1.1\r\nHost: host\r\n"

static void accept_websocket(void)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	struct buf answer = BUF_INIT;
	char accept[WS_CLIENT_ACCEPT_BYTES];
	const char *key;

	peer_await_bytes(&peer, 0, 150);
	key = memmem(peer.came[0].ptr, peer.came[0].len, name, sizeof(name) - 1);
	cr_assert_not_null(key);
	ws_client_accept(key + sizeof(name) - 1, accept);
	buf_appendf(&answer,
		    "HTTP/1.1 101 Switching Protocols\r\n"
		    "Sec-WebSocket-Accept: %.*s\r\n\r\n",
		    WS_CLIENT_ACCEPT_BYTES, accept);
	peer_await_request(&peer, 0, UPGRADE, "");
	peer_send(&peer, 0, buf_slice(&answer));
	buf_fini(&answer);
	peer_await_open(&peer);
}

Test(carrier, websockets_talk_both_ways_and_say_goodbye)
{
	struct carrier *carrier = peer_carrier(&peer, &carrier_websockets);

	accept_websocket();
	peer_send(&peer, 0, SLICE("\x81\x03one\x81\x03two"));
	peer_await_heard(&peer, "one|two|");
	carrier->ops->send(carrier, SLICE("hello"));
	carrier->ops->send(carrier, SLICE("again"));
	peer_await_bytes(&peer, 0, 22);
	cr_assert_arr_eq(peer.came[0].ptr, "\x81\x85", 2);
	cr_assert_arr_eq(peer.came[0].ptr + 11, "\x81\x85", 2);
	buf_clear(&peer.came[0]);
	carrier->ops->close(carrier);
	peer_await_bytes(&peer, 0, 6);
	cr_assert_arr_eq(peer.came[0].ptr, "\x88\x80", 2);
	cr_assert_null(peer.ended);
}

Test(carrier, websockets_come_byte_by_byte_and_in_fragments)
{
	static const char frames[] = "\x81\x03one\x01\x02tw\x89\x01p\x80\x01o\x82\x00";
	struct carrier *carrier = peer_carrier(&peer, &carrier_websockets);

	accept_websocket();
	for (size_t i = 0; i < sizeof(frames) - 1; i++) {
		peer_send(&peer, 0, slice_make(frames + i, 1));
		loop_turn(peer.loop, 1);
	}
	peer_await_heard(&peer, "one|two||");
	peer_await_bytes(&peer, 0, 7); /* the pong */
	cr_assert_arr_eq(peer.came[0].ptr, "\x8a\x81", 2);
	carrier->ops->close(carrier);
}

static void expect_websocket_end(struct slice bytes, const char *why)
{
	(void)peer_carrier(&peer, &carrier_websockets);
	accept_websocket();
	peer_send(&peer, 0, bytes);
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, why);
}

Test(carrier, websockets_end_by_close)
{
	expect_websocket_end(SLICE("\x88\x02\x03\xe8"),
			     "the server closed the WebSocket");
}

Test(carrier, websockets_end_by_a_masked_frame)
{
	expect_websocket_end(SLICE("\x81\x81"), "the server sent what is no WebSocket "
						"frame");
}

Test(carrier, websockets_end_by_a_stray_continuation)
{
	expect_websocket_end(SLICE("\x80\x01x"),
			     "the server mixed up WebSocket fragments");
}

Test(carrier, websockets_end_by_a_message_within_a_message)
{
	expect_websocket_end(SLICE("\x01\x01x\x81\x01x"),
			     "the server mixed up WebSocket fragments");
}

Test(carrier, who_reads_nothing_is_given_up)
{
	const size_t len = STREAM_WAITING_BYTES_MAX / 8;
	struct carrier *carrier = peer_carrier(&peer, &carrier_websockets);
	char *bytes = mem_zalloc(len);

	accept_websocket();
	for (int i = 0; i < 10; i++) /* more than the kernel keeps, too */
		carrier->ops->send(carrier, slice_make(bytes, len));
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "the server reads too slowly");
	mem_free(bytes);
}

static void expect_no_websocket(const char *answer, const char *why)
{
	(void)peer_carrier(&peer, &carrier_websockets);
	peer_await_request(&peer, 0, UPGRADE, "");
	send_text(0, answer);
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, why);
	cr_assert_eq(peer.opened_n, 0);
}

Test(carrier, websockets_refused)
{
	expect_no_websocket("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
			    "WebSocket refused: 404");
}

Test(carrier, websockets_with_somebody_elses_key)
{
	expect_no_websocket("HTTP/1.1 101 Yes\r\n"
			    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
			    "the server took another WebSocket key");
}

Test(carrier, websockets_answered_by_something_else)
{
	expect_no_websocket("+OK hello\r\n\r\n",
			    "the answer to the WebSocket request is no HTTP");
}

Test(carrier, websockets_cut_off)
{
	(void)peer_carrier(&peer, &carrier_websockets);
	accept_websocket();
	peer_hang_up(&peer, 0);
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "the server closed the connection");
}

Test(carrier, nobody_listens)
{
	const char *why = NULL;
	const struct carrier_target target = { .site = &peer.site };
	struct carrier *carrier;

	cr_assert_eq(shutdown(peer.listener, SHUT_RDWR), 0);
	carrier = carrier_websockets.open(&peer.owner, &target, &why);
	if (carrier == NULL)
		return; /* the kernel said so at once */
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "connection refused");
}

/* ---- Server-Sent Events */

#define EVENTS "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

static struct carrier *open_events(const char *head)
{
	struct carrier *carrier = peer_carrier(&peer, &carrier_sse);

	peer_await_request(&peer, 0, UPGRADE "Accept: text/event-stream\r\n", "");
	send_text(0, head);
	peer_await_open(&peer);
	return carrier;
}

Test(carrier, events_come_however_they_are_cut)
{
	static const char text[] = ":\r\ndata: one\r\n\r\ndata:two\n\nid: 1\r\n"
				   "data: a\r\ndata: b\r\n\r\n";
	struct carrier *carrier = open_events(EVENTS "\r\n");

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		peer_send(&peer, 0, slice_make(text + i, 1));
		loop_turn(peer.loop, 1);
	}
	peer_await_heard(&peer, "one|two|a|\n|b|");
	carrier->ops->close(carrier);
}

Test(carrier, events_come_in_chunks)
{
	struct carrier *carrier =
		open_events(EVENTS "Transfer-Encoding: chunked\r\n\r\n");

	send_text(0, "6\r\ndata: \r\n5\r\none\r\n\r\n");
	peer_turn(&peer);
	send_text(0, "2\r\n\r\n\r\nd\r\ndata: two\r\n\r\n\r\n");
	peer_await_heard(&peer, "one|two|");
	carrier->ops->close(carrier);
}

Test(carrier, events_end_with_the_last_chunk)
{
	(void)open_events(EVENTS "Transfer-Encoding: chunked\r\n\r\n");
	send_text(0, "0\r\n\r\n");
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "the server ended the event stream");
}

Test(carrier, events_in_chunks_that_are_none)
{
	(void)open_events(EVENTS "Transfer-Encoding: chunked\r\n\r\n");
	send_text(0, "data: one\r\n\r\n");
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "the event stream is not well-formed");
}

Test(carrier, events_refused)
{
	(void)peer_carrier(&peer, &carrier_sse);
	peer_await_request(&peer, 0, UPGRADE, "");
	send_text(0, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "event stream refused: 401");
}

#define POST                                                                             \
	"POST /hub?id=ID HTTP/1.1\r\nHost: host\r\nAuthorization: Bearer TOKEN\r\n"      \
	"Content-Type: text/plain;charset=UTF-8\r\n"
#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Test(carrier, posts_go_one_at_a_time_over_one_connection)
{
	struct carrier *carrier = open_events(EVENTS "\r\n");

	carrier->ops->send(carrier, SLICE("one "));
	carrier->ops->send(carrier, SLICE("two "));
	peer_await_request(&peer, 1, POST, "one two ");
	carrier->ops->send(carrier, SLICE("three "));
	peer_turn(&peer);
	carrier->ops->send(carrier, SLICE("four "));
	peer_turn(&peer);
	cr_assert_eq(peer.came[1].len, 0);
	send_text(1, OK_EMPTY);
	peer_await_request(&peer, 1, POST, "three four ");
	cr_assert_eq(peer.conns_n, 2);
	carrier->ops->close(carrier);
}

Test(carrier, a_refused_post_ends_it)
{
	struct carrier *carrier = open_events(EVENTS "\r\n");

	carrier->ops->send(carrier, SLICE("x"));
	peer_await_request(&peer, 1, POST, "x");
	send_text(1, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "a POST was refused: 404");
}

/* An idle connection may go at any moment; what was never answered is asked once more. */
Test(carrier, a_post_survives_that_its_connection_was_closed)
{
	struct carrier *carrier = open_events(EVENTS "\r\n");

	carrier->ops->send(carrier, SLICE("one"));
	peer_await_request(&peer, 1, POST, "one");
	send_text(1, OK_EMPTY);
	peer_turn(&peer);
	carrier->ops->send(carrier, SLICE("two"));
	peer_await_request(&peer, 1, POST, "two");
	peer_hang_up(&peer, 1);
	peer_await_request(&peer, 2, POST, "two");
	peer_hang_up(&peer, 2); /* a fresh one: no third try */
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, "a POST got no answer");
}

/* ---- long polling */

#define POLL                                                                             \
	"GET /hub?id=ID HTTP/1.1\r\nHost: host\r\nAuthorization: Bearer TOKEN\r\n\r\n"
#define GOODBYE "DELETE /hub?id=ID HTTP/1.1\r\n"

Test(carrier, polls_follow_each_other_until_goodbye)
{
	struct carrier *carrier = peer_carrier(&peer, &carrier_long_polling);

	peer_await_request(&peer, 0, POLL, "");
	send_text(0, OK_EMPTY);
	peer_await_open(&peer);
	peer_await_request(&peer, 0, POLL, "");
	send_text(0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\no");
	peer_turn(&peer);
	send_text(0, "ne");
	peer_await_heard(&peer, "one|");
	peer_await_request(&peer, 0, POLL, "");
	send_text(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "3\r\ntwo\r\n0\r\n\r\n");
	peer_await_heard(&peer, "one|two|");
	peer_await_request(&peer, 0, POLL, "");
	carrier->ops->close(carrier);
	peer_await_request(&peer, 1, GOODBYE, "");
	cr_assert(http_pool_is_busy(peer.site.pool));
	send_text(1, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
	peer_turn(&peer);
	cr_assert_not(http_pool_is_busy(peer.site.pool));
	cr_assert_null(peer.ended);
}

Test(carrier, polls_go_on_over_another_connection)
{
	struct carrier *carrier = peer_carrier(&peer, &carrier_long_polling);

	peer_await_request(&peer, 0, POLL, "");
	send_text(0, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
		     "Content-Length: 0\r\n\r\n");
	peer_await_request(&peer, 1, POLL, "");
	send_text(1, "HTTP/1.1 200 OK\r\n\r\nuntil");
	peer_turn(&peer);
	send_text(1, " the end");
	peer_hang_up(&peer, 1);
	peer_await_heard(&peer, "until the end|");
	peer_await_request(&peer, 2, POLL, "");
	cr_assert_eq(peer.opened_n, 1);
	cr_assert_null(peer.ended);
	carrier->ops->close(carrier);
}

static void expect_poll_end(const char *answer, const char *why)
{
	(void)peer_carrier(&peer, &carrier_long_polling);
	peer_await_request(&peer, 0, POLL, "");
	send_text(0, answer);
	peer_await_end(&peer);
	cr_assert_str_eq(peer.ended, why);
}

Test(carrier, polling_is_ended)
{
	expect_poll_end("HTTP/1.1 204 No Content\r\n\r\n",
			"the server ended the polling");
}

Test(carrier, a_poll_is_refused)
{
	expect_poll_end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
			"a poll was refused");
}

Test(carrier, a_poll_is_answered_with_nonsense)
{
	expect_poll_end("nonsense\r\n\r\n", "the answer to a poll is not well-formed");
}

Test(carrier, a_poll_is_answered_twice)
{
	expect_poll_end(OK_EMPTY OK_EMPTY, "more came than was asked for");
}

/* ---- TCP */

Test(carrier, tcp_is_bytes)
{
	struct carrier *carrier = peer_carrier(&peer, &carrier_tcp);

	peer_await_open(&peer);
	carrier->ops->send(carrier, SLICE("hello"));
	peer_await_bytes(&peer, 0, 5);
	cr_assert_arr_eq(peer.came[0].ptr, "hello", 5);
	send_text(0, "there");
	peer_await_heard(&peer, "there|");
	peer_hang_up(&peer, 0);
	peer_await_end(&peer);
}
