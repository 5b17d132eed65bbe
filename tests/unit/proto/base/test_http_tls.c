/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over TLS: requests, sockets taken over, deadlines and counters, a certificate that
 * changes while connections are open, and each kind of client at the other's port.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proto/base/http_kit.h"
#include "tests/unit/proto/base/tls_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define TURNS_MAX 2000

static struct tls_kit certs;
static struct http_kit kit;
static struct tls_client client;

static void setup(void)
{
	tls_kit_init(&certs);
	http_kit_init(&kit);
	kit.options.tls = certs.tls;
	client.fd = -1;
}

static void teardown(void)
{
	if (client.ssl != NULL)
		tls_client_fini(&client);
	http_kit_fini(&kit);
	tls_kit_fini(&certs);
}

TestSuite(http_tls, .init = setup, .fini = teardown, .timeout = 60);

static void turn(struct tls_client *of)
{
	loop_turn(kit.loop, 2);
	tls_client_read(of);
}

/* A connected socket that has said nothing. */
static int connect_raw(void)
{
	struct http_client raw;

	http_client_open(&kit, &raw);
	cr_assert_eq(fcntl(raw.fd, F_SETFL, O_NONBLOCK), 0);
	return raw.fd;
}

static void connect_tls(struct tls_client *to)
{
	tls_client_init(to, connect_raw(), TLS1_3_VERSION);
	for (int i = 0; i < TURNS_MAX && !tls_client_shake(to); i++)
		loop_turn(kit.loop, 2);
	cr_assert(tls_client_shake(to));
}

static void say(struct tls_client *from, const char *text)
{
	tls_client_write(from, text, strlen(text));
}

static void wait_text(struct tls_client *of, const char *text)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		turn(of);
		if (of->in.len > 0 && strstr(of->in.ptr, text) != NULL)
			return;
	}
	cr_assert_fail("no '%s' in: %s", text, of->in.ptr);
}

Test(http_tls, requests_are_answered)
{
	http_kit_open(&kit);
	connect_tls(&client);
	say(&client, GET("/"));
	wait_text(&client, "hello");
	say(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nback");
	wait_text(&client, "back");
	cr_expect_eq(kit.stats.tls_handshakes_total, 1);
	cr_expect_eq(kit.stats.tls_failed_total, 0);
	cr_expect_eq(kit.stats.requests_total, 2);
}

Test(http_tls, pipelined_requests_in_one_record_are_all_answered)
{
	struct buf many = BUF_INIT;

	http_kit_open(&kit);
	connect_tls(&client);
	for (int i = 0; i < 300; i++)
		buf_append_str(&many, GET("/"));
	buf_append_str(&many, GET("/last"));
	tls_client_write(&client, many.ptr, many.len);
	for (int i = 0; i < TURNS_MAX && !client.is_ended; i++)
		turn(&client);
	cr_expect(client.is_ended, "with a goodbye");
	cr_expect_eq(kit.stats.requests_total, 301);
	buf_fini(&many);
}

Test(http_tls, large_answer_reaches_a_reader_whole)
{
	http_kit_open(&kit);
	connect_tls(&client);
	say(&client, GET("/big") GET("/last"));
	for (int i = 0; i < 100000 && !client.is_ended; i++)
		turn(&client);
	cr_expect(client.is_ended);
	cr_expect_gt(client.in.len, HTTP_KIT_BIG);
	cr_expect_eq(memcmp(client.in.ptr + client.in.len - 5, "hello", 5), 0);
}

Test(http_tls, taken_socket_stays_encrypted)
{
	char text[] = "ours";
	struct iovec iov = { text, 4 };

	http_kit_open(&kit);
	connect_tls(&client);
	say(&client, GET("/take") "frames");
	for (int i = 0; i < TURNS_MAX && kit.taken < 0; i++)
		turn(&client);
	cr_assert(kit.taken >= 0);
	cr_expect(sock_is_tls(&kit.sock));
	cr_expect(slice_equal(buf_slice(&kit.rest), SLICE("frames")));
	cr_expect_eq(sock_sendv(&kit.sock, &iov, 1), 4);
	wait_text(&client, "ours");
}

Test(http_tls, conn_knows_that_it_is_encrypted)
{
	http_kit_open(&kit);
	connect_tls(&client);
	say(&client, GET("/later"));
	for (int i = 0; i < TURNS_MAX && kit.later == NULL; i++)
		turn(&client);
	cr_assert_not_null(kit.later);
	cr_expect(http_conn_is_tls(kit.later));
	http_respond_text(kit.later, 200, "now");
	kit.later = NULL;
	wait_text(&client, "now");
}

Test(http_tls, head_timeout_covers_the_handshake)
{
	kit.options.head_timeout_ms = 30;
	http_kit_open(&kit);
	tls_client_init(&client, connect_raw(), TLS1_3_VERSION);
	(void)tls_client_shake(&client); /* a hello, and never more */
	http_kit_wait_uint64(&kit, &kit.stats.timeouts_total, 1);
	cr_expect_eq(kit.stats.tls_failed_total, 1);
	cr_expect_eq(kit.stats.open, 0);
}

Test(http_tls, silent_client_times_out_and_failed_at_nothing)
{
	kit.options.head_timeout_ms = 30;
	http_kit_open(&kit);
	tls_client_init(&client, connect_raw(), TLS1_3_VERSION);
	http_kit_wait_uint64(&kit, &kit.stats.timeouts_total, 1);
	cr_expect_eq(kit.stats.tls_failed_total, 0);
}

Test(http_tls, plain_request_ends_cleanly)
{
	struct http_client plain;

	http_kit_open(&kit);
	http_client_open(&kit, &plain);
	http_client_say(&plain, GET("/"));
	http_client_wait_end(&kit, &plain);
	cr_expect_eq(plain.error, 0, "a FIN, no reset");
	cr_expect_eq(kit.stats.tls_failed_total, 1);
	cr_expect_eq(kit.stats.requests_total, 0);
	http_client_close(&plain);
}

Test(http_tls, hello_at_the_plain_port_is_a_bad_request)
{
	char byte[13] = "";

	kit.options.tls = NULL;
	http_kit_open(&kit);
	tls_client_init(&client, connect_raw(), TLS1_3_VERSION);
	cr_expect_not(tls_client_shake(&client));
	for (int i = 0; i < 5; i++)
		loop_turn(kit.loop, 2);
	cr_assert_eq(recv(client.fd, byte, sizeof(byte) - 1, 0), 12);
	cr_expect_str_eq(byte, "HTTP/1.1 400");
	cr_expect_eq(kit.stats.malformed_total, 1);
}

Test(http_tls, new_certificate_is_for_new_connections)
{
	struct tls_client second;
	char error[TLS_ERROR_BYTES];
	char name[32];

	http_kit_open(&kit);
	connect_tls(&client);
	tls_kit_certify(&certs, "renewed", 30);
	tls_unref(certs.tls);
	cr_assert_eq(tls_new(certs.cert, certs.key, &certs.tls, error), OK);
	http_server_set_tls(kit.server, certs.tls);
	connect_tls(&second);
	tls_client_peer(&second, name, sizeof(name));
	cr_expect_str_eq(name, "renewed");
	say(&client, GET("/"));
	wait_text(&client, "hello");
	say(&second, GET("/"));
	wait_text(&second, "hello");
	tls_client_fini(&second);
	cr_expect_eq(kit.stats.tls_handshakes_total, 2);
}

Test(http_tls, sessions_are_resumed)
{
	SSL_SESSION *session;

	http_kit_open(&kit);
	connect_tls(&client);
	say(&client, GET("/"));
	wait_text(&client, "hello");
	session = SSL_get1_session(client.ssl);
	cr_assert(SSL_SESSION_is_resumable(session));
	/* Else OpenSSL takes the end for a failure, and the session for spent. */
	SSL_set_shutdown(client.ssl, SSL_SENT_SHUTDOWN);
	tls_client_fini(&client);
	tls_client_init(&client, connect_raw(), TLS1_3_VERSION);
	cr_assert_eq(SSL_set_session(client.ssl, session), 1);
	SSL_SESSION_free(session);
	for (int i = 0; i < TURNS_MAX && !tls_client_shake(&client); i++)
		loop_turn(kit.loop, 2);
	cr_expect_eq(SSL_session_reused(client.ssl), 1);
	say(&client, GET("/"));
	wait_text(&client, "hello");
}
