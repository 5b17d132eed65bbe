/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection's life: requests in pieces and in crowds, bodies, refusals, answers that
 * come later, sockets taken over, slow readers.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proto/base/http_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(fields) "POST /echo HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static struct http_kit kit;
static struct http_client client;

static void setup(void)
{
	http_kit_init(&kit);
	http_kit_open(&kit);
	http_client_open(&kit, &client);
}

static void teardown(void)
{
	http_client_close(&client);
	http_kit_fini(&kit);
}

TestSuite(http_conn, .init = setup, .fini = teardown);

/* ---- requests */

Test(http_conn, serves_one_request_after_another)
{
	for (int i = 1; i <= 3; i++) {
		http_client_say(&client, GET("/"));
		http_client_wait(&kit, &client, "hello", i);
	}
	cr_expect_eq(kit.stats.requests_total, 3);
	cr_expect_eq(kit.stats.accepted_total, 1);
}

Test(http_conn, answers_pipelined_requests_in_order)
{
	http_client_say(&client, POST("Content-Length: 3\r\n") "one" GET("/")
					 POST("Content-Length: 3\r\n") "two");
	http_client_wait(&kit, &client, "two", 1);
	cr_expect_eq(http_client_count(&client, "HTTP/1.1 200 OK"), 3);
	cr_expect_lt(strstr(client.in.ptr, "one"), strstr(client.in.ptr, "hello"));
	cr_expect_lt(strstr(client.in.ptr, "hello"), strstr(client.in.ptr, "two"));
}

Test(http_conn, answers_a_crowd_of_pipelined_requests)
{
	struct buf crowd = BUF_INIT;

	for (int i = 0; i < 1000; i++)
		buf_append_str(&crowd, GET("/"));
	http_client_send(&client, crowd.ptr, crowd.len);
	http_client_wait(&kit, &client, "hello", 1000);
	buf_fini(&crowd);
}

static void ask_in_two_pieces(const char *request, const char *expected)
{
	for (size_t at = 1; at < strlen(request); at++) {
		uint64_t before_n = kit.stats.requests_total;

		http_client_send(&client, request, at);
		http_client_turn(&kit, &client);
		http_client_turn(&kit, &client);
		cr_expect_eq(kit.stats.requests_total, before_n, "at %zu", at);
		http_client_say(&client, request + at);
		http_client_wait(&kit, &client, expected, (int)at);
	}
}

Test(http_conn, takes_a_request_split_at_every_byte)
{
	ask_in_two_pieces(POST("Content-Length: 7\r\n") "content", "content");
}

Test(http_conn, takes_a_chunked_request_split_at_every_byte)
{
	ask_in_two_pieces(
		POST("Transfer-Encoding: chunked\r\n") "3\r\ncon\r\n4;x\r\ntent\r\n"
						       "0\r\n\r\n",
		"content");
}

Test(http_conn, takes_a_request_byte_by_byte)
{
	const char *request =
		POST("Transfer-Encoding: chunked\r\n") "2\r\nby\r\n0\r\n\r\n";

	for (size_t i = 0; i < strlen(request); i++) {
		http_client_send(&client, request + i, 1);
		http_client_turn(&kit, &client);
	}
	http_client_wait(&kit, &client, "\r\n\r\nby", 1);
}

Test(http_conn, finds_the_request_behind_a_chunked_body)
{
	http_client_say(
		&client,
		POST("Transfer-Encoding: chunked\r\n") "3\r\none\r\n0\r\n\r\n" GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	cr_expect(http_client_has(&client, "\r\n\r\none"));
}

Test(http_conn, serves_a_client_that_shut_its_side)
{
	http_client_say(&client, GET("/") GET("/"));
	shutdown(client.fd, SHUT_WR);
	http_client_wait(&kit, &client, "hello", 2);
	http_client_wait_end(&kit, &client);
	http_kit_wait_open(&kit, 0);
}

Test(http_conn, end_in_the_middle_of_a_request_is_no_request)
{
	http_client_say(&client, POST("Content-Length: 5\r\n") "hal");
	shutdown(client.fd, SHUT_WR);
	http_client_wait_end(&kit, &client);
	cr_expect_eq(kit.stats.requests_total, 0);
	cr_expect_eq(client.in.len, 0);
}

Test(http_conn, tells_the_clients_address)
{
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	char expected[64];

	http_client_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	cr_assert_eq(getsockname(client.fd, (struct sockaddr *)&own, &len), 0);
	(void)snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(own.sin_port));
	cr_expect_str_eq(http_conn_remote(kit.later), expected);
}

/* ---- 100-continue */

Test(http_conn, tells_a_waiting_client_to_continue)
{
	http_client_say(&client, POST("Expect: 100-continue\r\nContent-Length: 4\r\n"));
	http_client_wait(&kit, &client, "HTTP/1.1 100 Continue\r\n\r\n", 1);
	http_client_say(&client, "body");
	http_client_wait(&kit, &client, "\r\n\r\nbody", 1);
}

Test(http_conn, a_client_that_sends_its_body_needs_no_leave)
{
	http_client_say(&client,
			POST("Expect: 100-continue\r\nContent-Length: 4\r\n") "body");
	http_client_wait(&kit, &client, "\r\n\r\nbody", 1);
	cr_expect_not(http_client_has(&client, "100 Continue"));
}

Test(http_conn, a_body_too_large_gets_no_leave)
{
	http_client_say(&client,
			POST("Expect: 100-continue\r\nContent-Length: 65537\r\n"));
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 413 "));
	cr_expect_not(http_client_has(&client, "100 Continue"));
}

/* ---- refusals */

struct refusal {
	const char *request;
	const char *expected;
};

static const struct refusal REFUSALS[] = {
	{ "GET / HTTP/1.1\n\n", "HTTP/1.1 400 Bad Request\r\n" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "HTTP/1.1 400 " },
	{ POST("Content-Length: 65537\r\n"), "HTTP/1.1 413 Content Too Large\r\n" },
	{ POST("Transfer-Encoding: chunked\r\n") "10001\r\n", "HTTP/1.1 413 " },
	{ POST("Transfer-Encoding: chunked\r\n") "x\r\n", "HTTP/1.1 400 " },
	{ POST("Transfer-Encoding: gzip\r\n"), "HTTP/1.1 501 Not Implemented\r\n" },
	{ "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
	  "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
};

Test(http_conn, refuses_and_ends_the_connection)
{
	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
		struct http_client other;

		http_client_open(&kit, &other);
		http_client_say(&other, REFUSALS[i].request);
		http_client_wait_end(&kit, &other);
		cr_expect(http_client_has(&other, REFUSALS[i].expected), "%s",
			  other.in.ptr);
		cr_expect(http_client_has(&other, "\r\nConnection: close\r\n"));
		cr_expect_eq(other.error, 0);
		cr_expect_eq(kit.stats.malformed_total, i + 1);
		http_client_close(&other);
	}
	cr_expect_eq(kit.stats.requests_total, 0);
}

Test(http_conn, refuses_lines_and_heads_that_are_too_long)
{
	static char line[16384];
	struct http_client other;

	memset(line, 'x', sizeof(line));
	http_client_say(&client, "GET /");
	http_client_send(&client, line, 9000);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 414 URI Too Long\r\n"));

	http_client_open(&kit, &other);
	http_client_say(&other, "GET / HTTP/1.1\r\nX: ");
	http_client_send(&other, line, 9000);
	http_client_wait_end(&kit, &other);
	cr_expect(http_client_has(&other,
				  "HTTP/1.1 431 Request Header Fields Too Large\r\n"));
	http_client_close(&other);
}

Test(http_conn, answers_what_came_before_the_malformed_part)
{
	http_client_say(&client, GET("/") "\r\n");
	http_client_wait_end(&kit, &client);
	cr_expect_lt(strstr(client.in.ptr, "HTTP/1.1 200 "),
		     strstr(client.in.ptr, "HTTP/1.1 400 "));
}

Test(http_conn, refused_client_reads_its_answer_though_it_sent_more)
{
	static const char more[500000];

	http_client_say(&client, "bad\r\n\r\n");
	http_client_send(&client, more, sizeof(more));
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 400 Bad Request\r\n"));
	cr_expect_eq(client.error, 0);
}

Test(http_conn, does_not_drain_a_refused_client_for_ever)
{
	http_client_say(&client, "bad\r\n\r\n");
	http_client_wait_end(&kit, &client);
	cr_expect_eq(kit.stats.open, 1);
	http_kit_wait_open(&kit, 0);
}

Test(http_conn, takes_a_body_at_its_limit)
{
	static const char body[65536];
	char head[128];

	(void)snprintf(head, sizeof(head), POST("Content-Length: %zu\r\n"), sizeof(body));
	http_client_say(&client, head);
	http_client_send(&client, body, sizeof(body));
	http_client_wait_len(&kit, &client, sizeof(body));
	cr_expect(http_client_has(&client, "HTTP/1.1 200 OK"));
}

/* ---- answers that come later */

Test(http_conn, answer_may_come_later)
{
	http_client_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_respond_text(kit.later, 404, "No Connection with that ID");
	kit.later = NULL;
	http_client_wait(&kit, &client, "\r\n\r\nNo Connection with that ID", 1);
	cr_expect(http_client_has(&client, "HTTP/1.1 404 Not Found\r\n"));
}

Test(http_conn, next_request_waits_for_the_answer_before)
{
	http_client_say(&client, GET("/later") GET("/"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_client_turn(&kit, &client);
	cr_expect_eq(kit.stats.requests_total, 1);
	http_respond_text(kit.later, 200, "first");
	kit.later = NULL;
	http_client_wait(&kit, &client, "hello", 1);
	cr_expect_lt(strstr(client.in.ptr, "first"), strstr(client.in.ptr, "hello"));
}

Test(http_conn, client_that_left_is_told_to_the_waiting_handler)
{
	http_client_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_client_close(&client);
	http_kit_wait_int(&kit, &kit.gone_n, 1);
	cr_expect_eq(kit.stats.open, 0);
}

Test(http_conn, handler_that_answered_is_not_told)
{
	http_client_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
	http_kit_wait_open(&kit, 0);
	cr_expect_eq(kit.gone_n, 0);
}

/* A flood behind an unanswered request stays with the client: its sends come to a stop.
 */
Test(http_conn, stops_reading_while_an_answer_is_owed)
{
	static const char flood[1 << 20];
	size_t sent = 0;
	int idle_n = 0;

	http_client_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	while (idle_n < 20 && sent < (128u << 20)) {
		ssize_t n = send(client.fd, flood, sizeof(flood),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		idle_n = n > 0 ? 0 : idle_n + 1;
		sent += n > 0 ? (size_t)n : 0;
		http_client_turn(&kit, &client);
	}
	cr_expect_lt(sent, 128u << 20);
	cr_expect_eq(kit.gone_n, 0);
}

/* ---- taking over */

Test(http_conn, taken_socket_comes_with_what_was_read_behind_the_request)
{
	http_client_say(&client, GET("/take") "frames");
	http_kit_wait_uint64(&kit, &kit.stats.requests_total, 1);
	cr_assert(kit.taken >= 0);
	cr_expect(slice_equal(buf_slice(&kit.rest), SLICE("frames")));
	cr_expect(fcntl(kit.taken, F_GETFL) & O_NONBLOCK);
	cr_expect_eq(kit.stats.open, 0);
	cr_assert_eq(send(kit.taken, "ours", 4, 0), 4);
	http_client_wait(&kit, &client, "ours", 1);
	cr_expect_eq(client.in.len, 4);
}

Test(http_conn, socket_may_be_taken_behind_pipelined_requests)
{
	http_client_say(&client, GET("/") GET("/take"));
	http_kit_wait_uint64(&kit, &kit.stats.requests_total, 2);
	cr_assert(kit.taken >= 0);
	cr_expect_eq(kit.rest.len, 0);
	http_client_wait(&kit, &client, "hello", 1);
}

Test(http_conn, socket_may_be_taken_later)
{
	http_client_say(&client, GET("/later") "frames");
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_take_over(kit.later, &kit.sock, NULL, &kit.rest);
	kit.taken = sock_fd(&kit.sock);
	kit.later = NULL;
	cr_expect(slice_equal(buf_slice(&kit.rest), SLICE("frames")));
	loop_turn(kit.loop, 0);
	cr_expect_eq(kit.gone_n, 0);
}

Test(http_conn, head_for_who_takes_the_socket_has_no_length)
{
	const struct http_response response = { .status = 200,
						.content_type = "text/event-stream",
						.headers = SLICE("X-Extra: 1\r\n") };
	struct buf head = BUF_INIT;

	http_client_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_head_encode(kit.later, &response, &head);
	http_take_over(kit.later, &kit.sock, NULL, &kit.rest);
	kit.taken = sock_fd(&kit.sock);
	kit.later = NULL;
	cr_assert_eq(send(kit.taken, head.ptr, head.len, MSG_NOSIGNAL),
		     (ssize_t)head.len);
	http_client_wait_len(&kit, &client, head.len);
	cr_expect_eq(strncmp(client.in.ptr, "HTTP/1.1 200 OK\r\nDate: ", 23), 0);
	cr_expect(http_client_has(&client, "GMT\r\nConnection: close\r\n"
					   "Content-Type: text/event-stream\r\n"
					   "X-Content-Type-Options: nosniff\r\n"
					   "X-Extra: 1\r\n\r\n"));
	cr_expect_eq(client.in.len, head.len);
	buf_fini(&head);
}

Test(http_conn, taken_socket_outlives_the_server)
{
	http_client_say(&client, GET("/take"));
	http_kit_wait_uint64(&kit, &kit.stats.requests_total, 1);
	http_server_close(kit.server);
	kit.server = NULL;
	cr_expect_eq(send(kit.taken, "x", 1, MSG_NOSIGNAL), 1);
}

/* ---- large answers */

Test(http_conn, large_answer_reaches_a_reader_whole)
{
	http_client_say(&client, GET("/big") GET("/last"));
	http_client_wait_len(&kit, &client, HTTP_KIT_BIG + 200);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "Content-Length: 16777216\r\n"));
	cr_expect_eq(memcmp(client.in.ptr + client.in.len - 5, "hello", 5), 0);
}

Test(http_conn, client_that_leaves_amid_a_large_answer_is_forgotten)
{
	http_client_say(&client, GET("/big"));
	http_kit_wait_uint64(&kit, &kit.stats.requests_total, 1);
	http_client_close(&client);
	http_kit_wait_open(&kit, 0);
}
