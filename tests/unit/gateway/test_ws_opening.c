/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening request of a WebSocket, and the answer of RFC 6455's own example.
 */
#include "gateway/ws_opening.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define UPGRADE "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static int check(const char *line, const char *headers)
{
	struct http_request request;
	struct slice key = SLICE_NONE;
	char text[1024];
	int status;

	(void)snprintf(text, sizeof(text), "%s\r\n%s\r\n", line, headers);
	cr_assert_gt(http_parse_request(text, strlen(text), &request), 0, "%s", text);
	status = ws_opening_check(&request, &key);
	if (status == 0)
		cr_expect(slice_equal(key, SLICE(KEY)));
	return status;
}

static int check_headers(const char *headers)
{
	return check("GET /hubs/chat HTTP/1.1", headers);
}

Test(ws_opening, a_good_one)
{
	cr_expect_eq(check_headers(UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"), 0);
}

Test(ws_opening, extensions_and_protocols_are_ignored)
{
	cr_expect_eq(check_headers(UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"
						   "Sec-WebSocket-Extensions: x; y=1\r\n"
						   "Sec-WebSocket-Protocol: chat\r\n"),
		     0);
}

Test(ws_opening, other_versions_are_426)
{
	cr_expect_eq(check_headers(UPGRADE "Sec-WebSocket-Key: " KEY "\r\n"), 426);
	cr_expect_eq(check_headers(UPGRADE "Sec-WebSocket-Version: 8\r\n"
					   "Sec-WebSocket-Key: " KEY "\r\n"),
		     426);
	cr_expect_eq(check_headers(UPGRADE "Sec-WebSocket-Version: 013\r\n"
					   "Sec-WebSocket-Key: " KEY "\r\n"),
		     426);
}

Test(ws_opening, there_is_one_key_and_one_version)
{
	cr_expect_eq(check_headers(UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"
						   "Sec-WebSocket-Key: " KEY "\r\n"),
		     400);
	cr_expect_eq(
		check_headers(UPGRADE VERSION VERSION "Sec-WebSocket-Key: " KEY "\r\n"),
		400);
}

Test(ws_opening, keys_are_16_bytes_of_base64)
{
	static const char *const bad[] = {
		"",
		"Sec-WebSocket-Key:\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbX-sZSBub25jZQ==\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbX sZSBub25jZQ==\r\n",
	};
	char headers[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(headers, sizeof(headers), UPGRADE VERSION "%s", bad[i]);
		cr_expect_eq(check_headers(headers), 400, "%s", bad[i]);
	}
}

Test(ws_opening, the_request_must_be_a_bare_get_upgrade)
{
	cr_expect_eq(check("POST / HTTP/1.1",
			   UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"),
		     400);
	cr_expect_eq(
		check("GET / HTTP/1.0", UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"),
		400);
	cr_expect_eq(check_headers(UPGRADE VERSION "Sec-WebSocket-Key: " KEY "\r\n"
						   "Content-Length: 1\r\n"),
		     400);
	cr_expect_eq(check_headers("Host: a\r\nUpgrade: websocket\r\n" VERSION
				   "Sec-WebSocket-Key: " KEY "\r\n"),
		     400);
	cr_expect_eq(
		check_headers("Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" VERSION
			      "Sec-WebSocket-Key: " KEY "\r\n"),
		400);
}

Test(ws_opening, what_is_meant_is_told_by_upgrade_alone)
{
	static const char text[] =
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\n\r\n";
	static const char other[] =
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websockets\r\n\r\n";
	struct http_request request;

	cr_assert_gt(http_parse_request(text, sizeof(text) - 1, &request), 0);
	cr_expect(ws_opening_is_meant(&request));
	cr_assert_gt(http_parse_request(other, sizeof(other) - 1, &request), 0);
	cr_expect_not(ws_opening_is_meant(&request));
}

Test(ws_opening, the_answer_is_that_of_the_rfc)
{
	struct buf out = BUF_INIT;

	ws_opening_accept(&out, SLICE(KEY));
	buf_append_byte(&out, '\0');
	cr_expect_str_eq(out.ptr,
			 "HTTP/1.1 101 Switching Protocols\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	buf_fini(&out);
}
