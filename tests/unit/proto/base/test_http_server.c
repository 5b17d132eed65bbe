/* SPDX-License-Identifier: Apache-2.0 */
/* The server as a whole: addresses, limits, draining and closing. */
#include "proto/base/http_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/http_conn.h"
#include "tests/unit/proto/base/http_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct http_kit kit;

static void setup(void)
{
	http_kit_init(&kit);
}

static void teardown(void)
{
	http_kit_fini(&kit);
}

TestSuite(http_server, .init = setup, .fini = teardown);

/* ---- addresses */

static enum err open_at(const char *address)
{
	struct http_server *server = NULL;
	enum err rc;

	kit.options.address = address;
	rc = http_server_open(kit.loop, &kit.options, &server);
	cr_expect(rc == OK ? http_server_port(server) > 0 : server == NULL);
	http_server_close(server);
	return rc;
}

Test(http_server, opens_at_literals)
{
	cr_expect_eq(open_at("127.0.0.1:0"), OK);
	cr_expect_eq(open_at("0.0.0.0:0"), OK);
	cr_expect_eq(open_at("localhost:0"), OK);
}

Test(http_server, knows_the_form_of_ipv6_literals)
{
	enum err rc = open_at("[::1]:0");

	/* ERR_IO: this machine has no IPv6. */
	cr_expect(rc == OK || rc == ERR_IO);
}

Test(http_server, refuses_what_is_no_address)
{
	static const char *const wrong[] = {
		"",
		"127.0.0.1",
		":80",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:80x",
		"example.org:80",
		"::1:80",
		"[::1]",
		"[::1:80",
		"[]:80",
		"[127.0.0.1]:80",
		"[zz]:80",
		"1.2.3:80",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(open_at(wrong[i]), ERR_ARGUMENT, "%s", wrong[i]);
}

Test(http_server, port_in_use_is_told_by_errno)
{
	char address[32];

	http_kit_open(&kit);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u",
		       http_server_port(kit.server));
	errno = 0;
	cr_expect_eq(open_at(address), ERR_IO);
	cr_expect_eq(errno, EADDRINUSE);
}

Test(http_server, shared_port_is_opened_twice)
{
	char address[32];

	kit.options.is_shared_port = true;
	http_kit_open(&kit);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u",
		       http_server_port(kit.server));
	cr_expect_eq(open_at(address), OK);
}

/* ---- refusals */

static void open_and_say(struct http_client *client, const char *text)
{
	http_kit_open(&kit);
	http_client_open(&kit, client);
	http_client_say(client, text);
}

static void on_refuse(struct http_conn *conn, int status, const char *reason)
{
	const struct http_response response = { .status = status,
						.content_type = "text/own",
						.body = slice_from_str(reason) };

	http_respond(conn, &response);
}

Test(http_server, refusals_may_have_a_form_of_their_own)
{
	struct http_client client;

	kit.options.on_refuse = on_refuse;
	open_and_say(&client, "GET / HTTP/9.9\r\n\r\n");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 505 "));
	cr_expect(http_client_has(&client, "Content-Type: text/own\r\n"));
	cr_expect(http_client_has(&client, "\r\n\r\nHTTP Version Not Supported"));
	http_client_close(&client);
}

/* ---- limits */

Test(http_server, newcomer_over_the_limit_is_closed_at_once)
{
	struct http_client first;
	struct http_client second;

	kit.options.connections_max = 1;
	open_and_say(&first, GET("/"));
	http_client_wait(&kit, &first, "hello", 1);
	http_client_open(&kit, &second);
	http_client_wait_end(&kit, &second);
	cr_expect_eq(kit.stats.refused_total, 1);
	cr_expect_eq(kit.stats.accepted_total, 1);
	http_client_close(&first);
	http_client_close(&second);
}

Test(http_server, place_of_one_that_left_is_free_again)
{
	struct http_client client;

	kit.options.connections_max = 1;
	open_and_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
	http_kit_wait_open(&kit, 0);
	http_client_open(&kit, &client);
	http_client_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
}

Test(http_server, more_newcomers_than_one_turn_takes_are_all_served)
{
	struct http_client clients[80];

	http_kit_open(&kit);
	for (int i = 0; i < 80; i++)
		http_client_open(&kit, &clients[i]);
	http_kit_wait_open(&kit, 80);
	for (int i = 0; i < 80; i++)
		http_client_close(&clients[i]);
}

/* Leaves no descriptor free; returns the limit to put back. */
static rlim_t exhaust_descriptors(void)
{
	struct rlimit limit;
	rlim_t before;
	int lowest = dup(0);

	cr_assert(lowest >= 0);
	close(lowest);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)lowest;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

Test(http_server, rests_without_descriptors_and_goes_on_with_them)
{
	struct http_client client;
	struct rlimit limit;
	rlim_t before;

	open_and_say(&client, GET("/"));
	before = exhaust_descriptors();
	http_kit_wait_uint64(&kit, &kit.stats.accept_failed_total, 1);
	for (int i = 0; i < 5; i++)
		loop_turn(kit.loop, 2);
	cr_expect_eq(kit.stats.accept_failed_total, 1, "it spins");
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = before;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
}

/* Opens descriptors until `last` is one. */
static void take_descriptors(int last)
{
	int fd;

	do {
		fd = dup(0);
		cr_assert(fd >= 0 && fd <= last);
	} while (fd < last);
}

Test(http_server, leaves_the_spare_descriptors_to_others)
{
	struct rlimit limit;
	struct http_client first;
	struct http_client second;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 256;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	kit.options.spare_descriptors = 60;
	http_kit_open(&kit);
	/* The first client has 194, and 195 is the last for its other end. */
	take_descriptors(193);
	http_client_open(&kit, &first);
	http_client_say(&first, GET("/"));
	http_client_wait(&kit, &first, "hello", 1);
	cr_expect_eq(kit.stats.refused_total, 0);
	http_client_open(&kit, &second);
	http_client_wait_end(&kit, &second);
	cr_expect_eq(kit.stats.refused_total, 1);
	http_client_close(&first);
	http_client_close(&second);
}

Test(http_server, spares_a_quarter_where_there_are_few_descriptors)
{
	struct rlimit limit;
	struct http_client client;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 256;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	kit.options.spare_descriptors = 1000;
	http_kit_open(&kit);
	take_descriptors(191 - 2);
	http_client_open(&kit, &client);
	http_client_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
}

/* ---- draining and closing */

Test(http_server, drain_closes_idle_connections)
{
	struct http_client client;

	open_and_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	http_server_drain(kit.server);
	http_client_wait_end(&kit, &client);
	cr_expect_eq(kit.stats.open, 0);
	http_client_close(&client);
}

Test(http_server, drain_finishes_the_request_under_way)
{
	struct http_client client;

	open_and_say(&client, "GET / HTTP/1.1\r\n");
	http_kit_wait_open(&kit, 1);
	loop_turn(kit.loop, 2);
	http_server_drain(kit.server);
	http_client_say(&client, "Host: a\r\n\r\n");
	http_client_wait(&kit, &client, "hello", 1);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "\r\nConnection: close\r\n"));
	http_client_close(&client);
}

Test(http_server, drain_waits_for_the_handler)
{
	struct http_client client;

	open_and_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_server_drain(kit.server);
	http_respond_text(kit.later, 200, "at last");
	kit.later = NULL;
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "at last"));
	cr_expect(http_client_has(&client, "\r\nConnection: close\r\n"));
	http_client_close(&client);
}

Test(http_server, drain_serves_who_already_stood_in_the_queue)
{
	struct http_client client;

	open_and_say(&client, GET("/"));
	http_server_drain(kit.server);
	http_client_wait(&kit, &client, "hello", 1);
	http_client_close(&client);
}

Test(http_server, drained_port_refuses_newcomers)
{
	char address[32];

	http_kit_open(&kit);
	http_server_drain(kit.server);
	http_server_drain(kit.server);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u",
		       http_server_port(kit.server));
	cr_expect_eq(open_at(address), OK, "still listening");
}

Test(http_server, close_tells_waiting_handlers)
{
	struct http_client client;

	open_and_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	http_server_close(kit.server);
	kit.server = NULL;
	cr_expect_eq(kit.gone_n, 1);
	cr_expect_eq(kit.stats.open, 0);
	http_client_wait_end(&kit, &client);
	http_client_close(&client);
}

Test(http_server, close_of_null_is_legal)
{
	http_server_close(NULL);
}

Test(http_server, counts_without_the_owners_stats)
{
	struct http_client client;

	kit.options.stats = NULL;
	open_and_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	cr_expect_eq(kit.stats.requests_total, 0);
	http_client_close(&client);
}

static void check_address(const char *host, uint16_t port, const char *wanted)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	char text[HTTP_REMOTE_BYTES];

	cr_assert_eq(inet_pton(AF_INET, host, &in.sin_addr), 1);
	http_format_address((const struct sockaddr *)&in, text);
	cr_expect_str_eq(text, wanted);
}

Test(http_server, addresses_are_written_in_decimal)
{
	check_address("0.0.0.0", 0, "0.0.0.0:0");
	check_address("255.255.255.255", 65535, "255.255.255.255:65535");
	check_address("10.9.100.109", 10000, "10.9.100.109:10000");
	check_address("127.0.0.1", 9999, "127.0.0.1:9999");
	check_address("1.20.99.200", 101, "1.20.99.200:101");
}
