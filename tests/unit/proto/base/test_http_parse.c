/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head parser against a table of accepted and refused requests, each also fed as
 * every one of its prefixes; the limits, at and one past; and the helpers that read a
 * request. Query decoding has its own suite, as has the chunked coding.
 */
#include "proto/base/http_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" H

/* `expected`: 0 when the whole is one legal head, else the status it is refused with. */
struct vector {
	const char *bytes;
	size_t len;
	int expected;
};

/* clang-format off */
#define V(text, expected) { text, sizeof(text) - 1, expected },

static const struct vector VECTORS[] = {
	/* legal */
	V(GET H "\r\n", 0)
	V("GET / HTTP/1.0\r\n\r\n", 0)
	V("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0)
	V("GET /hubs/chat?id=a%2Fb&x=[1]{}|^` HTTP/1.1\r\n" H "\r\n", 0)
	V("GET //double//slash HTTP/1.1\r\n" H "\r\n", 0)
	V("GET /a:b@c;d=e,f!$&'()*+~_- HTTP/1.1\r\n" H "\r\n", 0)
	V("GET /? HTTP/1.1\r\n" H "\r\n", 0)
	V("GET /?a?b/c HTTP/1.1\r\n" H "\r\n", 0)
	V("OPTIONS * HTTP/1.1\r\n" H "\r\n", 0)
	V("OPTIONS /x HTTP/1.1\r\n" H "\r\n", 0)
	V("M-SEARCH / HTTP/1.1\r\n" H "\r\n", 0)
	V(GET "HOST: example.org:8080\r\n\r\n", 0)
	V(GET "host: [::1]:8080\r\n\r\n", 0)
	V(GET "Host:a\r\n\r\n", 0)
	V(GET "Host: a_b-c.d~%41\r\n\r\n", 0) V(GET "Host: a:\r\n\r\n", 0)
	V(GET "Host: a:00080\r\n\r\n", 0) V(GET "Host: a:65535\r\n\r\n", 0)
	V(GET "Host: [::1]\r\n\r\n", 0) V(GET "Host: [::1]:\r\n\r\n", 0)
	V(GET "Host: [::FFFF:127.0.0.1]:65535\r\n\r\n", 0)
	V(GET "Host: \t a \t \r\n\r\n", 0)
	V(GET H "X-Empty:\r\n\r\n", 0)
	V(GET H "X-Blank: \t \r\n\r\n", 0)
	V(GET H "X: a\tb  c\r\n\r\n", 0)
	V(GET H "X: \xc3\xa9\xff\r\n\r\n", 0)
	V(GET H "!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n", 0)
	V(GET H "X: a:b:c\r\nX: again\r\n\r\n", 0)
	V(POST "Content-Length: 0\r\n\r\n", 0)
	V(POST "Content-Length: 007\r\n\r\n", 0)
	V(POST "Content-Length: \t5 \r\n\r\n", 0)
	V(POST "Content-Length: 9223372036854775807\r\n\r\n", 0)
	V(POST "Transfer-Encoding: chunked\r\n\r\n", 0)
	V(POST "TRANSFER-ENCODING: Chunked \r\n\r\n", 0)
	V(POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", 0)
	V(GET H "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", 0)

	/* lines and their ends */
	V("\r\n" GET H "\r\n", 400)
	V("\n" GET H "\r\n", 400)
	V("GET / HTTP/1.1\n" H "\r\n", 400)
	V(GET "Host: a\n\r\n", 400)
	V(GET H "\n", 400)
	V(GET H "X: a\n\r\n", 400)
	V(GET H "X: a\nContent-Length: 5\r\n\r\n", 400)
	V(GET H "X: a\rb\r\n\r\n", 400)
	V(GET H "X: a\r\r\n\r\n", 400)
	V("GET / HTTP/1.1\r" H "\r\n", 400)
	V(GET H "\rX", 400)
	V(GET H "X: a\r\n b\r\n\r\n", 400)
	V(GET H "X: a\r\n\tb\r\n\r\n", 400)
	V(GET " Host: a\r\n\r\n", 400)
	V(GET H " \r\n\r\n", 400)
	V(GET H "X: a\0b\r\n\r\n", 400)
	V(GET H "X\0: a\r\n\r\n", 400)
	V("GET /\0 HTTP/1.1\r\n" H "\r\n", 400)
	V(GET H "X: a\x7f\r\n\r\n", 400)
	V(GET H "X: \x01\r\n\r\n", 400)
	V(GET H "X: \x0b\r\n\r\n", 400)
	V("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400)

	/* request line */
	V("GET  / HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /  HTTP/1.1\r\n" H "\r\n", 400)
	V("GET / HTTP/1.1 \r\n" H "\r\n", 400)
	V(" GET / HTTP/1.1\r\n" H "\r\n", 400)
	V("GET\t/\tHTTP/1.1\r\n" H "\r\n", 400)
	V("GET /\r\n" H "\r\n", 400)
	V("GET\r\n" H "\r\n", 400)
	V("GET / a HTTP/1.1\r\n" H "\r\n", 400)
	V("G(T / HTTP/1.1\r\n" H "\r\n", 400)
	V("GET\xc3 / HTTP/1.1\r\n" H "\r\n", 400)
	V("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" H "\r\n", 400)
	V("GET  HTTP/1.1\r\n" H "\r\n", 400)
	V("GET * HTTP/1.1\r\n" H "\r\n", 400)
	V("GET http://a/ HTTP/1.1\r\n" H "\r\n", 400)
	V("GET a HTTP/1.1\r\n" H "\r\n", 400)
	V("GET ?x HTTP/1.1\r\n" H "\r\n", 400)
	V("CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 400)
	V("CONNECT / HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /#x HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /?a#x HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /\\x HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /\"x HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /?<x> HTTP/1.1\r\n" H "\r\n", 400)
	V("GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400)
	V("GET / http/1.1\r\n" H "\r\n", 400)
	V("GET / HTTP/1\r\n" H "\r\n", 400)
	V("GET / HTTP/1.10\r\n" H "\r\n", 400)
	V("GET / HTTP/11\r\n" H "\r\n", 400)
	V("GET / HTTP/1,1\r\n" H "\r\n", 400)
	V("GET / HTTP/a.1\r\n" H "\r\n", 400)
	V("GET / HTTP/1.a\r\n" H "\r\n", 400)
	V("GET / SIP/2.0.\r\n" H "\r\n", 400)
	V("GET / HTTP/0.9\r\n" H "\r\n", 505)
	V("GET / HTTP/1.2\r\n" H "\r\n", 505)
	V("GET / HTTP/2.0\r\n" H "\r\n", 505)
	V("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)

	/* fields */
	V(GET H ": a\r\n\r\n", 400)
	V(GET H "X\r\n\r\n", 400)
	V(GET H "X : a\r\n\r\n", 400)
	V(GET H "X\t: a\r\n\r\n", 400)
	V(GET H "X Y: a\r\n\r\n", 400)
	V(GET H "X(: a\r\n\r\n", 400)
	V(GET H "X\xc3: a\r\n\r\n", 400)
	V(GET "\r\n", 400)
	V(GET "X: a\r\n\r\n", 400)
	V(GET H H "\r\n", 400)
	V(GET H "host: b\r\n\r\n", 400)
	V("GET / HTTP/1.0\r\n" H H "\r\n", 400)
	V(GET "Host:\r\n\r\n", 400)
	V(GET "Host: a b\r\n\r\n", 400) V(GET "Host: a,b\r\n\r\n", 400)
	V(GET "Host: u@a\r\n\r\n", 400) V(GET "Host: a/b\r\n\r\n", 400)
	V(GET "Host : a\r\n\r\n", 400)
	V(GET "Host: :80\r\n\r\n", 400) V(GET "Host: a:b\r\n\r\n", 400)
	V(GET "Host: a:-1\r\n\r\n", 400) V(GET "Host: a:80:80\r\n\r\n", 400)
	V(GET "Host: a:65536\r\n\r\n", 400) V(GET "Host: a:000080\r\n\r\n", 400)
	V(GET "Host: ::1\r\n\r\n", 400) V(GET "Host: [::1\r\n\r\n", 400)
	V(GET "Host: ::1]\r\n\r\n", 400) V(GET "Host: []\r\n\r\n", 400)
	V(GET "Host: [a.b%25c]\r\n\r\n", 400) V(GET "Host: [::1]80\r\n\r\n", 400)
	V(GET "Host: [::1]]:80\r\n\r\n", 400) V(GET "Host: [::1]:65536\r\n\r\n", 400)

	/* where the body ends */
	V(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400)
	V(POST "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n", 400)
	V(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400)
	V(POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 400)
	V(POST "Content-Length: 5, 5\r\n\r\n", 400)
	V(POST "Content-Length: +5\r\n\r\n", 400)
	V(POST "Content-Length: -5\r\n\r\n", 400)
	V(POST "Content-Length: 5 5\r\n\r\n", 400)
	V(POST "Content-Length: 0x5\r\n\r\n", 400)
	V(POST "Content-Length: 5a\r\n\r\n", 400)
	V(POST "Content-Length: 5.0\r\n\r\n", 400)
	V(POST "Content-Length:\r\n\r\n", 400)
	V(POST "Content-Length : 5\r\n\r\n", 400)
	V(POST "Content-Length: 9223372036854775808\r\n\r\n", 400)
	V(POST "Content-Length: 18446744073709551621\r\n\r\n", 400)
	V(POST "Content-Length: 00000000000000000005\r\n\r\n", 400)
	V(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400)
	V(POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding: chunked,\r\n\r\n", 400)
	V(POST "Transfer-Encoding: ,chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding:\r\n\r\n", 400)
	V(POST "Transfer-Encoding : chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n", 400)
	V("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400)
	V(POST "Transfer-Encoding: xchunked\r\n\r\n", 501)
	V(POST "Transfer-Encoding: gzip\r\n\r\n", 501)
	V(POST "Transfer-Encoding: identity\r\n\r\n", 501)
	V(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501)
	V(POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 501)
	V(POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 501)
	V(POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 501)
	V(POST "Expect: 200-ok\r\n\r\n", 417) V(POST "Expect:\r\n\r\n", 417)
	V(POST "Expect: 100-continue, 100-continue\r\n\r\n", 417)
	V(POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 417)
};
/* clang-format on */

#define VECTORS_N (sizeof(VECTORS) / sizeof(VECTORS[0]))

/* A copy of exactly `len` bytes, so that the sanitizer sees a read past them. */
static ssize_t parse_exact(const char *bytes, size_t len, struct http_request *request)
{
	static char *copy;

	free(copy); /* slices of the last call die here */
	copy = malloc(len ? len : 1);
	cr_assert(copy);
	memcpy(copy, bytes, len);
	return http_parse_request(copy, len, request);
}

static ssize_t parse(const char *text, struct http_request *request)
{
	return parse_exact(text, strlen(text), request);
}

Test(http_parse, gives_each_vector_its_verdict)
{
	struct http_request request;

	for (size_t i = 0; i < VECTORS_N; i++) {
		const struct vector *v = &VECTORS[i];
		ssize_t n = parse_exact(v->bytes, v->len, &request);

		cr_expect(request.refusal == v->expected, "%zu: %d, not %d: %s", i,
			  request.refusal, v->expected, v->bytes);
		cr_expect(v->expected ? n < 0 : n == (ssize_t)v->len, "%zu: %zd: %s", i,
			  n, v->bytes);
	}
	cr_assert(VECTORS_N >= 80);
}

Test(http_parse, wants_more_of_every_prefix_of_a_legal_head)
{
	struct http_request request;

	for (size_t i = 0; i < VECTORS_N && VECTORS[i].expected == 0; i++) {
		for (size_t len = 0; len < VECTORS[i].len; len++)
			cr_expect(parse_exact(VECTORS[i].bytes, len, &request) == 0,
				  "%zu at %zu: %s", i, len, VECTORS[i].bytes);
	}
}

Test(http_parse, never_accepts_a_prefix_of_a_refused_head)
{
	struct http_request request;

	for (size_t i = 0; i < VECTORS_N; i++) {
		const struct vector *v = &VECTORS[i];

		for (size_t len = 0; v->expected && len < v->len; len++) {
			ssize_t n = parse_exact(v->bytes, len, &request);

			cr_expect(n == 0 || (n < 0 && request.refusal == v->expected),
				  "%zu at %zu: %s", i, len, v->bytes);
		}
	}
}

Test(http_parse, stops_at_the_end_of_the_head)
{
	struct http_request request;

	cr_assert(parse(GET H "\r\nGET /next", &request) == 27);
}

Test(http_parse, gives_the_parts)
{
	struct http_request request;

	cr_assert(parse("POST /hubs/chat?id=7 HTTP/1.1\r\nHost: a\r\nX-A:  b c \r\n"
			"Content-Length: 12\r\n\r\n",
			&request) > 0);
	cr_expect(slice_equal(request.method, SLICE("POST")));
	cr_expect(slice_equal(request.target, SLICE("/hubs/chat?id=7")));
	cr_expect(slice_equal(request.path, SLICE("/hubs/chat")));
	cr_expect(slice_equal(request.query, SLICE("id=7")));
	cr_expect(request.headers_n == 3);
	cr_expect(slice_equal(request.headers[1].name, SLICE("X-A")));
	cr_expect(slice_equal(request.headers[1].value, SLICE("b c")));
	cr_expect(request.content_length == 12);
	cr_expect(request.minor_version == 1);
	cr_expect(!request.is_chunked && !request.is_upgrade && !request.is_continue);
}

Test(http_parse, a_path_without_a_query_has_an_empty_one)
{
	struct http_request request;

	cr_assert(parse("GET /a HTTP/1.1\r\n" H "\r\n", &request) > 0);
	cr_expect(slice_equal(request.path, SLICE("/a")));
	cr_expect(request.query.len == 0);
}

static bool is_kept(const char *version, const char *fields)
{
	struct http_request request;
	char text[256];

	(void)snprintf(text, sizeof(text), "GET / HTTP/%s\r\n" H "%s\r\n", version,
		       fields);
	cr_assert(parse(text, &request) > 0);
	return request.is_keep_alive;
}

Test(http_parse, keeps_alive_as_version_and_connection_say)
{
	cr_expect(is_kept("1.1", ""));
	cr_expect(is_kept("1.1", "Connection: keep-alive\r\n"));
	cr_expect(!is_kept("1.1", "Connection: Close\r\n"));
	cr_expect(!is_kept("1.1", "Connection: upgrade\r\nConnection: x, close\r\n"));
	cr_expect(is_kept("1.1", "Connection: closed\r\n"));
	cr_expect(!is_kept("1.0", ""));
	cr_expect(is_kept("1.0", "Connection: Keep-Alive\r\n"));
	cr_expect(!is_kept("1.0", "Connection: keep-alive, close\r\n"));
}

Test(http_parse, sees_an_upgrade_in_the_connection_list)
{
	struct http_request request;

	cr_assert(parse(GET H "Connection: keep-alive, Upgrade\r\n\r\n", &request) > 0);
	cr_expect(request.is_upgrade);
}

Test(http_parse, expects_continue_on_1_1_only)
{
	struct http_request request;

	cr_assert(parse(POST "Expect: 100-Continue\r\n\r\n", &request) > 0);
	cr_expect(request.is_continue);
	cr_assert(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &request) > 0);
	cr_expect(!request.is_continue);
	cr_assert(parse("POST / HTTP/1.0\r\nExpect: more\r\n\r\n", &request) > 0);
	cr_expect(!request.is_continue);
}

Test(http_parse, counts_fields_of_a_name)
{
	struct http_request request;

	cr_assert(parse(GET H "X: a\r\nx: b\r\nX-Y: c\r\n\r\n", &request) > 0);
	cr_expect(http_header_count(&request, SLICE("X")) == 2);
	cr_expect(http_header_count(&request, SLICE("y")) == 0);
}

/* ---- limits */

static char big[HTTP_HEAD_BYTES_MAX + 64];

static size_t big_add(size_t at, const char *text)
{
	memcpy(big + at, text, strlen(text));
	return at + strlen(text);
}

static size_t big_fill(size_t at, size_t n)
{
	memset(big + at, 'x', n);
	return at + n;
}

/* Fills up a head with fields so that it has `len` bytes with its end. */
static size_t make_head(size_t len)
{
	size_t at = big_add(0, GET H);

	while (len - at > 8000)
		at = big_add(big_fill(big_add(at, "X: "), 4000), "\r\n");
	at = big_fill(big_add(at, "X: "), len - at - 7);
	return big_add(at, "\r\n\r\n");
}

static int refusal_of(size_t len)
{
	struct http_request request;
	ssize_t n = parse_exact(big, len, &request);

	cr_assert(n <= 0 ? request.refusal != 0 || n == 0 : n == (ssize_t)len);
	return request.refusal;
}

static size_t make_request_line(size_t len)
{
	size_t at = big_fill(big_add(0, "GET /"), len - 5 - 9);

	return big_add(at, " HTTP/1.1\r\n" H "\r\n");
}

Test(http_parse, takes_a_request_line_at_its_limit_and_no_longer)
{
	cr_expect(refusal_of(make_request_line(8192)) == 0);
	cr_expect(refusal_of(make_request_line(8193)) == 414);
}

Test(http_parse, refuses_a_long_request_line_before_it_ends)
{
	struct http_request request;

	make_request_line(9000);
	cr_expect(parse_exact(big, 8192, &request) == 0);
	cr_expect(parse_exact(big, 8193, &request) == ERR_LIMIT);
	cr_expect(request.refusal == 414);
}

static size_t make_field(size_t len)
{
	return big_add(big_fill(big_add(0, GET H "X: "), len - 3), "\r\n\r\n");
}

Test(http_parse, takes_a_field_at_its_limit_and_no_longer)
{
	cr_expect(refusal_of(make_field(8192)) == 0);
	cr_expect(refusal_of(make_field(8193)) == 431);
}

Test(http_parse, takes_a_head_at_its_limit_and_no_longer)
{
	cr_expect(refusal_of(make_head(HTTP_HEAD_BYTES_MAX)) == 0);
	cr_expect(refusal_of(make_head(HTTP_HEAD_BYTES_MAX + 1)) == 431);
}

Test(http_parse, refuses_a_head_that_reached_the_limit_without_its_end)
{
	struct http_request request;

	make_head(HTTP_HEAD_BYTES_MAX + 1);
	cr_expect(parse_exact(big, HTTP_HEAD_BYTES_MAX - 1, &request) == 0);
	cr_expect(parse_exact(big, HTTP_HEAD_BYTES_MAX, &request) == ERR_LIMIT);
}

static size_t make_fields(size_t n)
{
	size_t at = big_add(0, GET H);

	for (size_t i = 1; i < n; i++)
		at = big_add(at, "X: a\r\n");
	return big_add(at, "\r\n");
}

Test(http_parse, takes_64_fields_and_no_more)
{
	cr_expect(refusal_of(make_fields(64)) == 0);
	cr_expect(refusal_of(make_fields(65)) == 431);
}

/* ---- byte classes, all 256 of each against the text of the standard */

static bool takes_byte(const char *before, int byte, const char *after)
{
	struct http_request request;
	size_t at = big_add(0, before);

	big[at] = (char)byte;
	return parse_exact(big, big_add(at + 1, after), &request) > 0;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

Test(http_parse, knows_every_byte)
{
	for (int c = 1; c < 256; c++) {
		bool is_visible = c > 0x20 && c < 0x7f;
		bool is_value = c == '\t' || (c >= 0x20 && c != 0x7f);
		/* '?' is legal in the target, but begins the query. */
		bool is_path = strchr(LETTERS "-._~%!$&'()*+,;=:@/?", c) != NULL;
		bool is_query = is_visible && !strchr("\"#<>", c);

		cr_expect(takes_byte(GET H "X", c, ": a\r\n\r\n") ==
				  (strchr(LETTERS "!#$%&'*+-.^_`|~:", c) != NULL),
			  "name %d", c);
		cr_expect(takes_byte(GET H "X: a", c, "b\r\n\r\n") == is_value,
			  "value %d", c);
		cr_expect(takes_byte("GET /a", c, "b HTTP/1.1\r\n" H "\r\n") == is_path,
			  "path %d", c);
		cr_expect(takes_byte("GET /?a", c, "b HTTP/1.1\r\n" H "\r\n") == is_query,
			  "query %d", c);
		cr_expect(takes_byte(GET "Host: a", c, "b\r\n\r\n") ==
				  (strchr(LETTERS "-._~%", c) != NULL),
			  "host %d", c);
	}
}

/* ---- helpers */

Test(http_parse, finds_the_first_header_of_a_name)
{
	struct http_request request;

	cr_assert(parse(GET H "X-A: 1\r\nx-a: 2\r\nX-E:\r\n\r\n", &request) > 0);
	cr_expect(slice_equal(http_header_find(&request, SLICE("x-A")), SLICE("1")));
	cr_expect(http_header_find(&request, SLICE("x-e")).ptr != NULL);
	cr_expect(http_header_find(&request, SLICE("x-")).ptr == NULL);
}

Test(http_parse, finds_tokens_in_lists_over_several_headers)
{
	struct http_request request;
	struct slice name = SLICE("accept");

	cr_assert(parse(GET H "Accept: a, Text/Event-Stream\r\nAccept:, b\r\n\r\n",
			&request) > 0);
	cr_expect(http_header_has_token(&request, name, SLICE("text/event-stream")));
	cr_expect(http_header_has_token(&request, name, SLICE("B")));
	cr_expect(!http_header_has_token(&request, name, SLICE("text")));
	cr_expect(!http_header_has_token(&request, SLICE("x"), SLICE("a")));
}
