/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of clients: who shows one of the authority is known by name, who shows
 * none is nobody, who shows another one is sent away.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/proto/base/http_kit.h"
#include "tests/unit/proto/base/tls_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define TURNS_MAX 2000

static struct tls_kit server; /* its certificate is the authority as well */
static struct tls_kit stranger;
static struct http_kit kit;
static struct tls_client client;

static void setup(void)
{
	char error[TLS_ERROR_BYTES];

	tls_kit_init(&server);
	tls_kit_init(&stranger);
	cr_assert_eq(tls_verify_clients(server.tls, server.cert, error), OK, "%s", error);
	http_kit_init(&kit);
	kit.options.tls = server.tls;
	client.fd = -1;
}

static void teardown(void)
{
	if (client.ssl != NULL)
		tls_client_fini(&client);
	http_kit_fini(&kit);
	tls_kit_fini(&server);
	tls_kit_fini(&stranger);
}

TestSuite(tls_clients, .init = setup, .fini = teardown, .timeout = 60);

/* With a certificate, or, NULL, without. */
static void connect_with(const struct tls_kit *own, int version)
{
	struct http_client raw;

	http_kit_open(&kit);
	http_client_open(&kit, &raw);
	cr_assert_eq(fcntl(raw.fd, F_SETFL, O_NONBLOCK), 0);
	tls_client_init(&client, raw.fd, version);
	if (own != NULL) {
		cr_assert_eq(
			SSL_use_certificate_file(client.ssl, own->cert, SSL_FILETYPE_PEM),
			1);
		cr_assert_eq(
			SSL_use_PrivateKey_file(client.ssl, own->key, SSL_FILETYPE_PEM),
			1);
	}
	for (int i = 0; i < TURNS_MAX && !tls_client_shake(&client); i++)
		loop_turn(kit.loop, 2);
	cr_assert(tls_client_shake(&client));
}

/* The request whose connection the test looks at. */
static void ask_later(void)
{
	tls_client_write(&client, GET("/later"), strlen(GET("/later")));
	for (int i = 0; i < TURNS_MAX && kit.later == NULL; i++) {
		loop_turn(kit.loop, 2);
		tls_client_read(&client);
	}
	cr_assert_not_null(kit.later);
}

static void expect_peer(bool is_verified, const char *name)
{
	char found[16] = "unset";

	cr_expect_eq(http_conn_peer(kit.later, found, sizeof(found)), is_verified);
	cr_expect_str_eq(found, name);
	http_respond_text(kit.later, 200, "now");
	kit.later = NULL;
}

Test(tls_clients, one_of_the_authority_is_known_by_name)
{
	connect_with(&server, TLS1_3_VERSION);
	ask_later();
	expect_peer(true, "localhost");
}

Test(tls_clients, with_tls_1_2_as_well)
{
	connect_with(&server, TLS1_2_VERSION);
	ask_later();
	expect_peer(true, "localhost");
}

Test(tls_clients, a_name_that_does_not_fit_is_cut)
{
	tls_kit_certify(&server, "0123456789abcdefghij", 30);
	char error[TLS_ERROR_BYTES];

	tls_unref(server.tls);
	cr_assert_eq(tls_new(server.cert, server.key, &server.tls, error), OK);
	cr_assert_eq(tls_verify_clients(server.tls, server.cert, error), OK);
	kit.options.tls = server.tls;
	connect_with(&server, TLS1_3_VERSION);
	ask_later();
	expect_peer(true, "0123456789abcde");
}

Test(tls_clients, who_shows_none_is_nobody)
{
	connect_with(NULL, TLS1_3_VERSION);
	ask_later();
	expect_peer(false, "");
}

static void expect_refused(void)
{
	tls_client_write(&client, GET("/"), strlen(GET("/")));
	for (int i = 0; i < TURNS_MAX && !client.is_cut && !client.is_ended; i++) {
		loop_turn(kit.loop, 2);
		tls_client_read(&client);
	}
	cr_expect_eq(kit.stats.tls_failed_total, 1);
	cr_expect_eq(kit.stats.requests_total, 0);
}

Test(tls_clients, one_of_a_stranger_is_refused)
{
	connect_with(&stranger, TLS1_3_VERSION);
	expect_refused();
}

Test(tls_clients, one_that_is_over_is_refused)
{
	char error[TLS_ERROR_BYTES];

	tls_kit_certify(&server, "localhost", -1);
	tls_unref(server.tls);
	cr_assert_eq(tls_new(server.cert, server.key, &server.tls, error), OK);
	cr_assert_eq(tls_verify_clients(server.tls, server.cert, error), OK);
	kit.options.tls = server.tls;
	connect_with(&server, TLS1_3_VERSION);
	expect_refused();
}

Test(tls_clients, sessions_are_not_resumed)
{
	connect_with(&server, TLS1_3_VERSION);
	ask_later();
	expect_peer(true, "localhost");
	cr_expect_not(SSL_SESSION_has_ticket(SSL_get0_session(client.ssl)));
}

Test(tls_clients, the_authority_must_be_there)
{
	char error[TLS_ERROR_BYTES] = "";

	cr_expect_eq(tls_verify_clients(stranger.tls, "/nowhere/ca.pem", error), ERR_IO);
	cr_expect_not_null(strstr(error, "/nowhere/ca.pem: "), "%s", error);
}

Test(tls_clients, the_authority_must_be_pem)
{
	char error[TLS_ERROR_BYTES] = "";

	tls_kit_write(stranger.cert, "not a certificate\n");
	cr_expect_eq(tls_verify_clients(stranger.tls, stranger.cert, error),
		     ERR_ARGUMENT);
	cr_expect_eq(strncmp(error, stranger.cert, strlen(stranger.cert)), 0, "%s",
		     error);
}
