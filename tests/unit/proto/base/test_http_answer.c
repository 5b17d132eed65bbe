/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/http_answer.h"

#include <criterion/criterion.h>

static ssize_t read_text(const char *text, struct http_answer *answer)
{
	return http_answer_read(slice_from_str(text), answer);
}

static void expect_malformed(const char *text)
{
	struct http_answer answer;

	cr_assert_eq(read_text(text, &answer), ERR_MALFORMED, "%s", text);
}

Test(http_answer, reads_a_head_by_length)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
				   "content-length:  12 \r\n\r\nbody";
	struct http_answer answer;

	cr_assert_eq(read_text(text, &answer), (ssize_t)sizeof(text) - 5);
	cr_assert_eq(answer.status, 200);
	cr_assert_eq(answer.body, HTTP_BODY_LENGTH);
	cr_assert_eq(answer.content_length, 12);
	cr_assert_not(answer.is_closing);
}

Test(http_answer, a_head_cut_anywhere_needs_more)
{
	static const char text[] = "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n";
	struct http_answer answer;

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		cr_assert_eq(http_answer_read(slice_make(text, n), &answer), 0);
	cr_assert_eq(read_text(text, &answer), (ssize_t)sizeof(text) - 1);
	cr_assert_eq(answer.status, 404);
}

Test(http_answer, kinds_of_bodies)
{
	struct http_answer answer;

	cr_assert_gt(read_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
			       &answer),
		     0);
	cr_assert_eq(answer.body, HTTP_BODY_CHUNKED);
	cr_assert_not(answer.is_closing);
	cr_assert_gt(read_text("HTTP/1.1 200 OK\r\n\r\n", &answer), 0);
	cr_assert_eq(answer.body, HTTP_BODY_TO_END);
	cr_assert(answer.is_closing);
	cr_assert_gt(read_text("HTTP/1.1 204 No Content\r\n\r\n", &answer), 0);
	cr_assert_eq(answer.body, HTTP_BODY_LENGTH);
	cr_assert_eq(answer.content_length, 0);
	cr_assert_gt(
		read_text("HTTP/1.1 101\r\nTransfer-Encoding: chunked\r\n\r\n", &answer),
		0);
	cr_assert_eq(answer.body, HTTP_BODY_LENGTH);
}

Test(http_answer, who_closes_says_so)
{
	struct http_answer answer;

	cr_assert_gt(read_text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
			       "Connection: keep-alive, Close\r\n\r\n",
			       &answer),
		     0);
	cr_assert(answer.is_closing);
	cr_assert_gt(read_text("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", &answer),
		     0);
	cr_assert(answer.is_closing);
}

Test(http_answer, finds_the_accept_header)
{
	struct http_answer answer;

	cr_assert_gt(read_text("HTTP/1.1 101 Switching Protocols\r\n"
			       "sec-websocket-accept: abc=\r\n\r\n",
			       &answer),
		     0);
	cr_assert(slice_equal(answer.accept, SLICE("abc=")));
}

Test(http_answer, malformed_heads)
{
	expect_malformed("HTTP/1.1 20 OK\r\n\r\n");
	expect_malformed("HTTP/1.1 2000\r\n\r\n");
	expect_malformed("HTTP/1.1 2x0 OK\r\n\r\n");
	expect_malformed("HTTP/2 200 OK\r\n\r\n");
	expect_malformed("ICY 200 OK\r\n\r\n");
	expect_malformed("\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nno colon\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\n: no name\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\n folded: b\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\nA: b\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n");
	expect_malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n");
}

Test(http_answer, the_head_has_a_limit)
{
	static char text[HTTP_ANSWER_HEAD_BYTES_MAX + 1];
	struct http_answer answer;
	const size_t max = HTTP_ANSWER_HEAD_BYTES_MAX;

	memset(text, 'x', sizeof(text));
	memcpy(text, "HTTP/1.1 204 No\r\nA: ", 20);
	cr_assert_eq(http_answer_read(slice_make(text, max - 1), &answer), 0);
	cr_assert_eq(http_answer_read(slice_make(text, max), &answer), ERR_LIMIT);
	memcpy(text + max - 4, "\r\n\r\n", 4);
	cr_assert_eq(http_answer_read(slice_make(text, max), &answer), (ssize_t)max);
	text[max - 4] = 'x';
	memcpy(text + max - 3, "\r\n\r\n", 4);
	cr_assert_eq(http_answer_read(slice_make(text, max + 1), &answer), ERR_LIMIT);
}

Test(http_answer, the_body_has_a_limit)
{
	struct http_answer answer;

	cr_assert_gt(
		read_text("HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n", &answer),
		0);
	cr_assert_eq(
		read_text("HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n", &answer),
		ERR_LIMIT);
}

/* ---- bodies */

static void expect_body(const struct http_answer *answer, struct slice bytes, size_t step,
			const char *expected, bool is_done)
{
	struct http_body body;
	struct buf out = BUF_INIT;
	bool done = false;

	http_body_init(&body, answer);
	for (size_t at = 0; at < bytes.len && !done; at += step) {
		struct slice part = slice_from(bytes, at);
		ssize_t n;

		part.len = part.len < step ? part.len : step;
		n = http_body_read(&body, part, &out, &done);
		cr_assert_geq(n, 0);
		if (!done)
			cr_assert_eq((size_t)n, part.len);
	}
	cr_assert_eq(done, is_done);
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(expected)));
	buf_fini(&out);
}

Test(http_answer, bodies_come_however_they_are_cut)
{
	const struct http_answer by_length = { .body = HTTP_BODY_LENGTH,
					       .content_length = 5 };
	const struct http_answer chunked = { .body = HTTP_BODY_CHUNKED };
	const struct http_answer to_end = { .body = HTTP_BODY_TO_END };

	for (size_t step = 1; step < 30; step++) {
		expect_body(&by_length, SLICE("Hello next"), step, "Hello", true);
		expect_body(&by_length, SLICE("Hell"), step, "Hell", false);
		expect_body(&chunked, SLICE("3\r\nHel\r\n2;x=y\r\nlo\r\n0\r\n\r\nnext"),
			    step, "Hello", true);
		expect_body(&chunked, SLICE("3\r\nHel\r\n2\r\nlo\r\n"), step, "Hello",
			    false);
		expect_body(&to_end, SLICE("Hello"), step, "Hello", false);
	}
}

Test(http_answer, an_empty_body_is_done_at_once)
{
	const struct http_answer none = { .body = HTTP_BODY_LENGTH };

	struct http_body body;
	struct buf out = BUF_INIT;
	bool done = false;

	http_body_init(&body, &none);
	cr_assert_eq(http_body_read(&body, SLICE_NONE, &out, &done), 0);
	cr_assert(done);
}

Test(http_answer, malformed_chunks)
{
	const struct http_answer chunked = { .body = HTTP_BODY_CHUNKED };
	struct http_body body;
	struct buf out = BUF_INIT;
	bool done;

	http_body_init(&body, &chunked);
	cr_assert_eq(http_body_read(&body, SLICE("zz\r\n"), &out, &done), ERR_MALFORMED);
	http_body_init(&body, &chunked);
	cr_assert_eq(http_body_read(&body, SLICE("400001\r\n"), &out, &done), ERR_LIMIT);
	buf_fini(&out);
}

Test(http_answer, a_body_to_the_end_has_a_limit)
{
	const struct http_answer to_end = { .body = HTTP_BODY_TO_END };
	struct http_body body;
	struct buf out = BUF_INIT;
	bool done;

	http_body_init(&body, &to_end);
	memset(buf_reserve(&out, HTTP_ANSWER_BODY_BYTES_MAX), 'x',
	       HTTP_ANSWER_BODY_BYTES_MAX);
	out.len = HTTP_ANSWER_BODY_BYTES_MAX - 1;
	cr_assert_eq(http_body_read(&body, SLICE("x"), &out, &done), 1);
	cr_assert_eq(http_body_read(&body, SLICE("x"), &out, &done), ERR_LIMIT);
	buf_fini(&out);
}
