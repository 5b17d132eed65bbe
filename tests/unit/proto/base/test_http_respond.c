/* SPDX-License-Identifier: Apache-2.0 */
/* What a response looks like on the wire, for each method, status and version. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strptime */
#endif
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/proto/base/http_kit.h"

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

TestSuite(http_respond, .init = setup, .fini = teardown);

/* Sends and waits for an answer's head and, with `body`, for that. */
static void ask(const char *request, const char *body)
{
	http_client_say(&client, request);
	http_client_wait(&kit, &client, "\r\n\r\n", 1);
	if (body)
		http_client_wait(&kit, &client, body, 1);
}

Test(http_respond, get_has_status_fields_and_body)
{
	ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nhello");
	cr_expect_eq(strncmp(client.in.ptr, "HTTP/1.1 200 OK\r\n", 17), 0);
	cr_expect(http_client_has(&client, "\r\nContent-Type: text/plain\r\n"));
	cr_expect(http_client_has(&client, "\r\nContent-Length: 5\r\n"));
	cr_expect(http_client_has(&client, "\r\nX-Content-Type-Options: nosniff\r\n"));
	cr_expect(http_client_has(&client, "\r\nX-Extra: 1\r\n"));
	cr_expect_not(http_client_has(&client, "Connection:"));
}

Test(http_respond, date_is_now_in_http_form)
{
	struct tm tm = { 0 };
	const char *date;
	const char *end;

	ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello");
	date = strstr(client.in.ptr, "\r\nDate: ");
	cr_assert_not_null(date);
	end = strptime(date + 8, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	cr_assert_not_null(end);
	cr_expect_eq(end - date, 8 + 29);
	cr_expect_eq(strncmp(end, "\r\n", 2), 0);
	cr_expect_leq(labs(timegm(&tm) - time(NULL)), 5);
}

Test(http_respond, head_tells_the_length_and_sends_no_body)
{
	http_client_say(&client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
				 "GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
	http_client_wait_end(&kit, &client);
	cr_expect_eq(http_client_count(&client, "Content-Length: 5\r\n"), 2);
	cr_expect_eq(http_client_count(&client, "hello"), 1);
}

Test(http_respond, no_content_has_neither_length_nor_body)
{
	ask("GET /status/204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 204 No Content\r\n"));
	cr_expect_not(http_client_has(&client, "Content-Length"));
	cr_expect_not(http_client_has(&client, "hello"));
}

Test(http_respond, not_modified_has_no_body)
{
	ask("GET /status/304 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 304 Not Modified\r\n"));
	cr_expect_not(http_client_has(&client, "hello"));
}

Test(http_respond, close_is_told_and_done_when_asked_for)
{
	ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "hello");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "\r\nConnection: close\r\n"));
	cr_expect_eq(client.error, 0);
}

Test(http_respond, close_is_told_and_done_when_the_handler_says_last)
{
	ask("GET /last HTTP/1.1\r\nHost: a\r\n\r\n", "hello");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "\r\nConnection: close\r\n"));
}

Test(http_respond, http_1_0_ends_after_one)
{
	ask("GET / HTTP/1.0\r\n\r\n", "hello");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 200 OK\r\n"));
	cr_expect(http_client_has(&client, "\r\nConnection: close\r\n"));
}

Test(http_respond, http_1_0_keeps_alive_when_asked_and_says_so)
{
	ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "hello");
	cr_expect(http_client_has(&client, "\r\nConnection: keep-alive\r\n"));
	http_client_say(&client, "GET / HTTP/1.0\r\n\r\n");
	http_client_wait(&kit, &client, "hello", 2);
}

Test(http_respond, empty_body_has_length_0)
{
	ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", NULL);
	cr_expect(http_client_has(&client, "\r\nContent-Length: 0\r\n"));
}
