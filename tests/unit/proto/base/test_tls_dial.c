/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Against a server of OpenSSL's own in a process of its own, which answers what it reads
 * with the same, once, or is silent, or hangs up.
 */
#include "proto/base/tls_dial.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/proto/base/tls_kit.h"

enum manner { ECHO, ECHO_AND_CUT, SILENT, HANG_UP };

static struct tls_kit kit;
static struct tls_dial *dial;
static char error[TLS_ERROR_BYTES];
static pid_t server;
static int fd = -1;

static void serve(int to, enum manner manner)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *ssl;
	char bytes[64];
	int n;

	if (manner == HANG_UP)
		_exit(0);
	if (manner == SILENT) {
		/* Until the other side has had enough. */
		while (read(to, bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	SSL_CTX_use_certificate_chain_file(context, kit.cert);
	SSL_CTX_use_PrivateKey_file(context, kit.key, SSL_FILETYPE_PEM);
	ssl = SSL_new(context);
	SSL_set_fd(ssl, to);
	if (SSL_accept(ssl) != 1)
		_exit(1);
	n = SSL_read(ssl, bytes, sizeof(bytes));
	SSL_write(ssl, bytes, n);
	if (manner == ECHO)
		SSL_shutdown(ssl);
	_exit(0);
}

static void start(enum manner manner)
{
	const struct timeval timeout = { .tv_sec = manner == SILENT ? 0 : 10,
					 .tv_usec = 20000 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	server = fork();
	if (server == 0) {
		close(fds[0]);
		serve(fds[1], manner);
	}
	close(fds[1]);
	fd = fds[0];
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
		     0);
}

static void setup(void)
{
	tls_kit_init(&kit);
}

static void teardown(void)
{
	tls_dial_close(dial);
	close(fd);
	if (server > 0)
		waitpid(server, NULL, 0);
	tls_kit_fini(&kit);
}

TestSuite(tls_dial, .init = setup, .fini = teardown);

static enum err open_as(const char *host, const char *ca)
{
	const struct tls_dial_options options = { .host = host, .ca_path = ca };

	return tls_dial_open(fd, &options, &dial, error);
}

static void expect_said(const char *part)
{
	cr_expect_not_null(strstr(error, part), "\"%s\" does not say \"%s\"", error,
			   part);
}

Test(tls_dial, bytes_go_there_and_back_and_the_end_is_seen)
{
	char bytes[64];

	start(ECHO);
	cr_assert_eq(open_as("localhost", kit.cert), OK, "%s", error);
	cr_assert_eq(tls_dial_send(dial, SLICE("hello")), OK);
	cr_assert_eq(tls_dial_recv(dial, bytes, sizeof(bytes)), 5);
	cr_expect_arr_eq(bytes, "hello", 5);
	cr_expect_eq(tls_dial_recv(dial, bytes, sizeof(bytes)), 0);
}

Test(tls_dial, an_end_without_a_goodbye_is_an_error)
{
	char bytes[64];

	start(ECHO_AND_CUT);
	cr_assert_eq(open_as("localhost", kit.cert), OK, "%s", error);
	cr_assert_eq(tls_dial_send(dial, SLICE("x")), OK);
	cr_assert_eq(tls_dial_recv(dial, bytes, sizeof(bytes)), 1);
	cr_expect_eq(tls_dial_recv(dial, bytes, sizeof(bytes)), ERR_IO);
}

Test(tls_dial, a_certificate_for_another_host_will_not_do)
{
	start(ECHO);
	cr_expect_eq(open_as("example.org", kit.cert), ERR_DENIED);
	expect_said("certificate");
}

Test(tls_dial, nor_one_for_a_name_when_an_address_was_dialed)
{
	start(ECHO);
	cr_expect_eq(open_as("127.0.0.1", kit.cert), ERR_DENIED);
	expect_said("certificate");
}

Test(tls_dial, nor_one_by_an_authority_that_is_not_known)
{
	start(ECHO);
	cr_expect_eq(open_as("localhost", NULL), ERR_DENIED);
	expect_said("certificate");
}

Test(tls_dial, silence_is_a_timeout)
{
	start(SILENT);
	cr_expect_eq(open_as("localhost", kit.cert), ERR_TIMEOUT);
	expect_said("in time");
}

Test(tls_dial, a_server_that_hangs_up_is_an_error)
{
	start(HANG_UP);
	cr_expect_eq(open_as("localhost", kit.cert), ERR_IO);
}

Test(tls_dial, files_that_will_not_do_are_named)
{
	struct tls_dial_options options = { .host = "localhost", .ca_path = "/nowhere" };

	start(SILENT);
	cr_expect_eq(tls_dial_open(fd, &options, &dial, error), ERR_ARGUMENT);
	expect_said("/nowhere");
	options.ca_path = kit.cert;
	options.cert_path = kit.key;
	options.key_path = kit.key;
	cr_expect_eq(tls_dial_open(fd, &options, &dial, error), ERR_ARGUMENT);
	expect_said(kit.key);
	options.cert_path = kit.cert;
	options.key_path = kit.cert;
	cr_expect_eq(tls_dial_open(fd, &options, &dial, error), ERR_ARGUMENT);
	expect_said(kit.cert);
	options.key_path = kit.key;
	cr_assert_eq(chmod(kit.key, 0644), 0);
	cr_expect_eq(tls_dial_open(fd, &options, &dial, error), ERR_ARGUMENT);
	expect_said(kit.key);
}
