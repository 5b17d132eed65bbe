/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets under TLS, against OpenSSL's client over a socketpair: handshakes that succeed
 * and that must not, both kinds of end, a certificate that changes.
 */
#include <criterion/criterion.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proto/base/sock_tls_kit.h"

static struct sock_pair pair;

static void start(void)
{
	sock_pair_init(&pair);
}

static void end(void)
{
	sock_pair_fini(&pair);
}

TestSuite(sock_tls, .init = start, .fini = end, .timeout = 60);

/* ---- handshakes */

Test(sock_tls, shakes_hands_and_moves_bytes)
{
	char name[32];

	cr_expect(sock_is_tls(&pair.owner.sock));
	cr_expect_not(sock_is_open(&pair.owner.sock));
	cr_expect_null(sock_tls_problem(&pair.owner.sock));
	sock_pair_shake(&pair);
	tls_client_write(&pair.client, "to you", 6);
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "to you");
	cr_expect_eq(sock_pair_send(&pair, "and back"), 8);
	tls_client_read(&pair.client);
	cr_expect_str_eq(pair.client.in.ptr, "and back");
	tls_client_peer(&pair.client, name, sizeof(name));
	cr_expect_str_eq(name, "localhost");
}

Test(sock_tls, still_talks_tls_1_2)
{
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_2_VERSION);
	sock_pair_shake(&pair);
	tls_client_write(&pair.client, "old", 3);
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "old");
	cr_expect_str_eq(SSL_get_version(pair.client.ssl), "TLSv1.2");
	cr_expect_eq(SSL_get_secure_renegotiation_support(pair.client.ssl), 1);
}

static void expect_failed(const char *problem)
{
	for (int i = 0; i < 5; i++) {
		(void)tls_client_shake(&pair.client);
		loop_turn(pair.loop, 10);
	}
	cr_expect_eq(pair.owner.last, ERR_IO);
	cr_expect_not(sock_is_open(&pair.owner.sock));
	cr_assert_not_null(sock_tls_problem(&pair.owner.sock));
	cr_expect_str_eq(sock_tls_problem(&pair.owner.sock), problem);
	cr_expect_eq(sock_pair_send(&pair, "x"), ERR_IO);
}

Test(sock_tls, refuses_tls_1_1)
{
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_1_VERSION);
	expect_failed("unsupported protocol");
	cr_expect(pair.client.is_cut);
}

Test(sock_tls, refuses_a_cipher_without_forward_secrecy)
{
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_2_VERSION);
	cr_assert_eq(SSL_set_cipher_list(pair.client.ssl, "AES128-GCM-SHA256"), 1);
	expect_failed("no shared cipher");
}

Test(sock_tls, refuses_who_will_only_talk_another_protocol)
{
	static const unsigned char h2[] = "\x02h2";

	cr_assert_eq(SSL_set_alpn_protos(pair.client.ssl, h2, 3), 0);
	expect_failed("no application protocol");
}

Test(sock_tls, chooses_http_1_1_among_others)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	const unsigned char *chosen = NULL;
	unsigned len = 0;

	cr_assert_eq(SSL_set_alpn_protos(pair.client.ssl, both, sizeof(both) - 1), 0);
	sock_pair_shake(&pair);
	SSL_get0_alpn_selected(pair.client.ssl, &chosen, &len);
	cr_assert_eq(len, 8);
	cr_expect_arr_eq(chosen, "http/1.1", 8);
}

static void say_raw(const char *bytes, size_t len)
{
	cr_assert_eq(write(pair.client.fd, bytes, len), (ssize_t)len);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_IO);
	cr_assert_not_null(sock_tls_problem(&pair.owner.sock));
}

Test(sock_tls, garbage_is_no_hello)
{
	say_raw("\xde\xad\xbe\xef\xde\xad\xbe\xef", 8);
	cr_expect_str_eq(sock_tls_problem(&pair.owner.sock), "wrong version number");
}

Test(sock_tls, plain_http_is_no_hello)
{
	say_raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
	cr_expect_str_eq(sock_tls_problem(&pair.owner.sock), "http request");
}

Test(sock_tls, hello_cut_in_two_is_one)
{
	char hello[4096];
	char rest;
	ssize_t n;
	int ends[2];

	/* The client speaks into another pair; its bytes go on in two pieces. */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	cr_assert_eq(SSL_set_fd(pair.client.ssl, ends[0]), 1);
	cr_expect_not(tls_client_shake(&pair.client));
	n = read(ends[1], hello, sizeof(hello));
	cr_assert_gt(n, 100);
	cr_assert_eq(write(pair.client.fd, hello, 3), 3);
	sock_pair_turns(&pair, 2);
	cr_expect_eq(pair.owner.last, ERR_AGAIN);
	cr_expect_str_eq(sock_tls_problem(&pair.owner.sock), "not finished");
	cr_assert_eq(write(pair.client.fd, hello + 3, (size_t)n - 3), n - 3);
	sock_pair_turns(&pair, 2);
	cr_expect_eq(recv(pair.client.fd, &rest, 1, MSG_PEEK), 1);
	cr_expect_eq(rest, 22, "a handshake record"); /* ServerHello */
	cr_assert_eq(SSL_set_fd(pair.client.ssl, pair.client.fd), 1);
	close(ends[0]);
	close(ends[1]);
	sock_pair_shake(&pair);
}

/* Somebody looked if the port is open: that is no failed handshake. */
Test(sock_tls, who_leaves_without_a_word_failed_at_nothing)
{
	cr_assert_eq(shutdown(pair.client.fd, SHUT_WR), 0);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_IO);
	cr_expect_null(sock_tls_problem(&pair.owner.sock));
}

Test(sock_tls, leaving_amid_the_handshake_is_a_failed_one)
{
	cr_expect_not(tls_client_shake(&pair.client));
	sock_pair_turns(&pair, 2);
	cr_assert_eq(shutdown(pair.client.fd, SHUT_WR), 0);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_IO);
	cr_assert_not_null(sock_tls_problem(&pair.owner.sock));
}

Test(sock_tls, renegotiation_is_refused_and_changes_nothing)
{
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_2_VERSION);
	sock_pair_shake(&pair);
	cr_assert_eq(SSL_renegotiate(pair.client.ssl), 1);
	cr_expect_neq(SSL_do_handshake(pair.client.ssl), 1);
	sock_pair_turns(&pair, 3);
	cr_expect_neq(SSL_do_handshake(pair.client.ssl), 1);
	cr_expect_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
	cr_expect_eq(pair.owner.last, ERR_AGAIN, "still there");
	cr_expect_eq(sock_pair_send(&pair, "x"), 1);
}

/* ---- ends */

Test(sock_tls, goodbye_comes_behind_the_bytes)
{
	sock_pair_shake(&pair);
	tls_client_write(&pair.client, "last", 4);
	(void)SSL_shutdown(pair.client.ssl);
	sock_pair_turns(&pair, 3);
	sock_pair_expect(&pair, "last");
	cr_expect_eq(pair.owner.last, 0);
	cr_expect_eq(sock_pair_send(&pair, "ours goes on"), 12);
}

Test(sock_tls, end_without_goodbye_is_a_loss)
{
	sock_pair_shake(&pair);
	tls_client_write(&pair.client, "last", 4);
	cr_assert_eq(shutdown(pair.client.fd, SHUT_WR), 0);
	sock_pair_turns(&pair, 3);
	sock_pair_expect(&pair, "last");
	cr_expect_eq(pair.owner.last, ERR_IO);
	cr_expect_eq(sock_pair_send(&pair, "x"), ERR_IO);
	cr_expect_null(sock_tls_problem(&pair.owner.sock), "there was a handshake");
}

Test(sock_tls, garbage_behind_the_handshake_is_a_loss)
{
	sock_pair_shake(&pair);
	cr_assert_eq(write(pair.client.fd, "garbage, and long enough", 24), 24);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_IO);
}

Test(sock_tls, reads_on_behind_its_own_end)
{
	sock_pair_shake(&pair);
	cr_expect_eq(sock_pair_send(&pair, "bye"), 3);
	cr_expect_eq(sock_shut_write(&pair.owner.sock), OK);
	tls_client_read(&pair.client);
	cr_expect_str_eq(pair.client.in.ptr, "bye");
	cr_expect(pair.client.is_ended);
	tls_client_write(&pair.client, "late", 4);
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "late");
}

Test(sock_tls, ends_before_a_handshake_too)
{
	char byte;

	cr_expect_eq(sock_shut_write(&pair.owner.sock), OK);
	cr_expect_eq(read(pair.client.fd, &byte, 1), 0);
}

Test(sock_tls, closing_says_goodbye)
{
	sock_pair_shake(&pair);
	sock_fini(&pair.owner.sock);
	tls_client_read(&pair.client);
	cr_expect(pair.client.is_ended);
	buf_fini(&pair.owner.in);
	tls_client_fini(&pair.client);
	sock_pair_open(&pair, TLS1_3_VERSION);
}

/* How many writes a fresh connection's kernel takes. */
static int count_writes(void)
{
	int n = 0;

	sock_pair_shake(&pair);
	while (sock_pair_send(&pair, "as long as it gets") > 0)
		n++;
	return n;
}

Test(sock_tls, goodbye_waits_for_the_kernel)
{
	int n = count_writes();

	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_3_VERSION);
	sock_pair_shake(&pair);
	for (int i = 0; i < n; i++)
		cr_assert_gt(sock_pair_send(&pair, "as long as it gets"), 0);
	cr_expect_eq(sock_shut_write(&pair.owner.sock), OK);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.calls, 0, "a goodbye is not the owner's");
	/* Reads until there is nothing, not to the end: that is yet to be sent. */
	tls_client_read(&pair.client);
	cr_expect_not(pair.client.is_ended);
	sock_pair_turns(&pair, 3);
	tls_client_read(&pair.client);
	cr_expect(pair.client.is_ended);
	cr_expect_eq(pair.client.in.len, (size_t)n * 18);
}

Test(sock_tls, owner_may_close_amid_a_waiting_goodbye)
{
	int n = count_writes();

	cr_expect_gt(n, 0);
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_3_VERSION);
	sock_pair_shake(&pair);
	for (int i = 0; i < n; i++)
		cr_assert_gt(sock_pair_send(&pair, "as long as it gets"), 0);
	cr_expect_eq(sock_shut_write(&pair.owner.sock), OK);
	sock_fini(&pair.owner.sock);
	sock_pair_turns(&pair, 2);
	sock_init(&pair.owner.sock, pair.loop, dup(pair.client.fd), NULL,
		  sock_owner_on_io);
}

/* ---- a new certificate */

Test(sock_tls, connection_outlives_its_certificate)
{
	char error[TLS_ERROR_BYTES];
	char name[32];

	sock_pair_shake(&pair);
	tls_unref(pair.certs.tls);
	tls_kit_certify(&pair.certs, "renewed", 30);
	cr_assert_eq(tls_new(pair.certs.cert, pair.certs.key, &pair.certs.tls, error),
		     OK);
	tls_client_write(&pair.client, "on", 2);
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "on");
	cr_expect_eq(sock_pair_send(&pair, "and on"), 6);
	sock_pair_close(&pair);
	sock_pair_open(&pair, TLS1_3_VERSION);
	sock_pair_shake(&pair);
	tls_client_peer(&pair.client, name, sizeof(name));
	cr_expect_str_eq(name, "renewed");
}
