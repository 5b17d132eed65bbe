/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --check of a server that is a child of the test and says what the test wants, once.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/check.h"

struct server {
	int fd;
	int port;
	pid_t pid;
};

/* Says a first piece, then a byte at a time, until nobody listens. */
static void drip(int fd, const char *first)
{
	static const struct timespec pause = { .tv_nsec = 50 * 1000000L };

	(void)send(fd, first, strlen(first), MSG_NOSIGNAL);
	while (send(fd, "a", 1, MSG_NOSIGNAL) == 1)
		(void)nanosleep(&pause, NULL); /* not to wait for something: it is slow */
}

/* `answer` NULL: it accepts nobody. */
static void server_start(struct server *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	char request[4096];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(server->fd, (const struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(server->fd, 1), 0);
	cr_assert_eq(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	server->pid = answer != NULL ? fork() : -1;
	if (server->pid == 0) {
		const int fd = accept(server->fd, NULL, NULL);
		const ssize_t n = recv(fd, request, sizeof(request) - 1, 0);

		request[n > 0 ? n : 0] = '\0';
		/* What it was asked for shows in a refusal. */
		if (strncmp(answer, "drip", 4) == 0) {
			drip(fd, answer + 4);
		} else if (strncmp(answer, "echo", 4) == 0) {
			dprintf(fd, "HTTP/1.1 500 No\r\n\r\n%.*s",
				(int)strcspn(request, "\r"), request);
		} else {
			(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		}
		close(fd);
		_exit(0);
	}
}

static void server_stop(const struct server *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	close(server->fd);
}

/* Asks http://127.0.0.1:port and `path`; `said`: what stderr begins with, behind the URL.
 */
static void expect_check(const char *answer, const char *path, int status,
			 const char *said)
{
	struct server server;
	char expected[512] = "";
	char text[512] = "";
	char url[128];
	FILE *err;

	cr_redirect_stderr();
	server_start(&server, answer);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	cr_expect_eq(check_main("prog", url), status, "%s", answer);
	server_stop(&server);
	fflush(stderr);
	err = cr_get_redirected_stderr();
	if (status != 0)
		(void)snprintf(expected, sizeof(expected), "prog: %s: %s\n", url, said);
	if (fgets(text, sizeof(text), err) == NULL)
		text[0] = '\0';
	cr_expect_str_eq(text, expected);
}

Test(check, two_hundred_is_well)
{
	expect_check("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n", "/readyz", 0,
		     "");
}

Test(check, another_status_is_not_and_says_why)
{
	expect_check("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\ndraining\nmore",
		     "/readyz", 1, "503 draining");
}

Test(check, controls_of_an_answer_are_not_shown)
{
	expect_check("HTTP/1.1 404 No\r\n\r\nno\033[2Jsuch", "", 1, "404 no");
}

Test(check, it_asks_for_the_path)
{
	expect_check("echo", "/readyz?verbose", 1, "500 GET /readyz?verbose HTTP/1.1");
}

Test(check, without_a_path_it_asks_for_the_root)
{
	expect_check("echo", "", 1, "500 GET / HTTP/1.1");
}

Test(check, what_is_no_http_is_not_well)
{
	expect_check("SSH-2.0-OpenSSH\r\n\r\n", "/", 1, "that is no answer of HTTP");
}

Test(check, half_a_head_is_not_well)
{
	expect_check("HTTP/1.1 200 OK\r\n", "/", 1, "that is no answer of HTTP");
}

Test(check, no_answer_is_not_well)
{
	expect_check("", "/", 1, "no answer");
}

Test(check, a_server_that_hangs_is_given_up)
{
	expect_check(NULL, "/", 1, "no answer in time");
}

/* Each piece of it comes in time. What is too long is far beyond the deadline, but does
 * not depend on how busy the machine is: at 50 ms a byte the answer takes 15 minutes. */
Test(check, a_server_that_drips_is_given_up, .timeout = 60)
{
	expect_check("dripHTTP/1.1 200 OK\r\nX: ", "/", 1, "no answer in time");
}

Test(check, the_head_of_an_answer_that_is_well_is_enough, .timeout = 60)
{
	expect_check("dripHTTP/1.1 200 OK\r\n\r\n", "/", 0, "");
}

Test(check, so_is_the_first_line_of_one_that_is_not, .timeout = 60)
{
	expect_check("dripHTTP/1.1 503 No\r\n\r\ndraining\n", "/", 1, "503 draining");
}

static void expect_url(const char *url, const char *said)
{
	char expected[4096];
	char text[4096] = "";

	(void)snprintf(expected, sizeof(expected), "prog: %s: %s\n", url, said);
	cr_expect_eq(check_main("prog", url), 1);
	fflush(stderr);
	cr_expect_not_null(fgets(text, sizeof(text), cr_get_redirected_stderr()));
	cr_expect_str_eq(text, expected);
}

Test(check, urls_that_are_none_are_refused)
{
	static const char *const urls[] = {
		"",
		"127.0.0.1:80",
		"https://127.0.0.1/",
		"http://",
		"http:///x",
		"http://:80/",
		"http://a:",
		"http://a:/x",
		"http://a:0/",
		"http://a:65536/",
		"http://a:74626/",
		"http://a:http/",
		"http://a:-1/",
		"http://a:18446744073709551617/",
		"http://[]:1",
		"http://[::1]x/",
		"http://a/ HTTP/1.1",
		"http://a/\r",
		"http://[::1",
		"http://[::1:80/x",
	};

	cr_redirect_stderr();
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		expect_url(urls[i], "expected http://host[:port][/path]");
}

Test(check, a_url_has_2048_bytes_at_most)
{
	char url[2050];

	cr_redirect_stderr();
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:1/%02030d", 0);
	cr_assert_eq(strlen(url), 2049);
	expect_url(url, "expected http://host[:port][/path]");
	url[2048] = '\0';
	expect_url(url, "Connection refused");
}

Test(check, an_address_in_brackets_is_one_of_ipv6)
{
	cr_redirect_stderr();
	expect_url("http://[127.0.0.1]:1/x", "Connection refused");
	expect_url("http://[127.0.0.1]:65535/x", "Connection refused");
}
