/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request head: lines first, then the request line and the fields, then what the
 * fields mean together (Host, framing, connection). Each byte is judged where it stands,
 * so a prefix of a head gives either "need more" or the verdict of the whole. Two readers
 * of the same bytes disagreeing is how requests are smuggled: nothing here is lenient.
 */
#include "proto/base/http_parse.h"

#include <assert.h>

/* Which of the ASCII bytes are legal; bytes from 0x80 on never are. */
struct byte_set {
	uint64_t low;
	uint64_t high;
};

/* RFC 9110 tchar. */
static const struct byte_set TOKEN_BYTES = { 0x03ff6cfa00000000, 0x57ffffffc7fffffe };
/* RFC 3986 pchar, '/' and '%'. */
static const struct byte_set PATH_BYTES = { 0x2ffffff200000000, 0x47fffffe87ffffff };
/* What browsers leave unescaped in a query: all visible but '"', '#', '<' and '>'. */
static const struct byte_set QUERY_BYTES = { 0xaffffff200000000, 0x7fffffffffffffff };
/* RFC 3986 unreserved and '%': names in use; no user, no list. */
static const struct byte_set HOST_BYTES = { 0x03ff602000000000, 0x47fffffe87fffffe };
/* An IPv6 address, with or without an IPv4 one at its end. */
static const struct byte_set IPV6_BYTES = { 0x07ff400000000000, 0x0000007e0000007e };

#define METHOD_BYTES_MAX 32u
/* 19 digits hold every value up to INT64_MAX without overflow in 64 bits. */
#define LENGTH_DIGITS_MAX 19u
#define PORT_DIGITS_MAX 5u

static bool is_all_of(struct slice s, const struct byte_set *set)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		uint64_t word = c < 64 ? set->low : set->high;

		if (c >= 128 || !(word >> (c & 63u) & 1u))
			return false;
	}
	return true;
}

static bool is_control(char byte)
{
	unsigned char c = (unsigned char)byte;

	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static ssize_t refuse(struct http_request *request, enum err rc, int status)
{
	request->refusal = status;
	return rc;
}

/*
 * The line at `ptr` without its CRLF. Returns the bytes used with CRLF, 0 when the line
 * is not complete, ERR_MALFORMED, ERR_LIMIT.
 */
static ssize_t line_next(const char *ptr, size_t len, struct slice *line)
{
	for (size_t i = 0; i < len; i++) {
		if (ptr[i] == '\r') {
			if (i + 1 == len)
				return 0;
			if (ptr[i + 1] != '\n')
				return ERR_MALFORMED;
			*line = slice_make(ptr, i);
			return (ssize_t)i + 2;
		}
		if (i == HTTP_LINE_BYTES_MAX)
			return ERR_LIMIT;
		if (is_control(ptr[i]))
			return ERR_MALFORMED;
	}
	return 0;
}

/* "HTTP/" digit "." digit; versions that are not ours are told apart from nonsense. */
static ssize_t parse_version(struct slice text, struct http_request *request)
{
	if (text.len != 8 || !slice_starts_with(text, SLICE("HTTP/")) ||
	    text.ptr[6] != '.' || text.ptr[5] < '0' || text.ptr[5] > '9' ||
	    text.ptr[7] < '0' || text.ptr[7] > '9')
		return refuse(request, ERR_MALFORMED, 400);
	if (text.ptr[5] != '1' || text.ptr[7] > '1')
		return refuse(request, ERR_UNSUPPORTED, 505);
	request->minor_version = text.ptr[7] - '0';
	return OK;
}

static bool parse_target(struct http_request *request)
{
	struct slice rest = request->target;

	if (slice_equal(request->target, SLICE("*"))) {
		request->path = request->target;
		return slice_equal(request->method, SLICE("OPTIONS"));
	}
	request->path = slice_cut(&rest, '?');
	request->query =
		rest.ptr ? rest : slice_from(request->target, request->target.len);
	return slice_starts_with(request->path, SLICE("/")) &&
	       is_all_of(request->path, &PATH_BYTES) &&
	       is_all_of(request->query, &QUERY_BYTES);
}

static ssize_t parse_request_line(struct slice line, struct http_request *request)
{
	struct slice version = line;
	ssize_t rc;

	request->method = slice_cut(&version, ' ');
	request->target = slice_cut(&version, ' ');
	if (!version.ptr || request->method.len == 0 ||
	    request->method.len > METHOD_BYTES_MAX ||
	    !is_all_of(request->method, &TOKEN_BYTES))
		return refuse(request, ERR_MALFORMED, 400);
	rc = parse_version(version, request);
	if (rc != OK)
		return rc;
	/* CONNECT's target has a form of its own, which only proxies serve. */
	if (!parse_target(request) || slice_equal(request->method, SLICE("CONNECT")))
		return refuse(request, ERR_MALFORMED, 400);
	return OK;
}

static ssize_t parse_header(struct slice line, struct http_request *request)
{
	struct slice value = line;
	struct slice name = slice_cut(&value, ':');

	/* A folded line begins with a blank, which is not a token byte either. */
	if (!value.ptr || name.len == 0 || !is_all_of(name, &TOKEN_BYTES))
		return refuse(request, ERR_MALFORMED, 400);
	if (request->headers_n == HTTP_HEADERS_MAX)
		return refuse(request, ERR_LIMIT, 431);
	request->headers[request->headers_n++] =
		(struct http_header){ name, slice_trim(value) };
	return OK;
}

static bool parse_length(struct slice digits, uint64_t *length)
{
	uint64_t value = 0;

	if (digits.len == 0 || digits.len > LENGTH_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(digits.ptr[i] - '0');
	}
	*length = value;
	return value <= INT64_MAX;
}

/* Anything but the one word: "chunked" twice is nonsense, another coding is not ours. */
static ssize_t parse_coding(struct slice value, struct http_request *request)
{
	size_t chunked_n = 0;
	struct slice rest = value;

	request->is_chunked = slice_equal_nocase(value, SLICE("chunked"));
	if (request->is_chunked)
		return OK;
	while (rest.ptr) {
		struct slice coding = slice_trim(slice_cut(&rest, ','));

		chunked_n += slice_equal_nocase(coding, SLICE("chunked"));
		if (coding.len == 0 || chunked_n > 1)
			return refuse(request, ERR_MALFORMED, 400);
	}
	return refuse(request, ERR_UNSUPPORTED, 501);
}

/* Where the request ends: exactly one way to tell, or none at all. */
static ssize_t check_framing(struct http_request *request)
{
	size_t lengths_n = http_header_count(request, SLICE("content-length"));
	size_t codings_n = http_header_count(request, SLICE("transfer-encoding"));
	struct slice value;

	if (lengths_n + codings_n > 1)
		return refuse(request, ERR_MALFORMED, 400);
	if (codings_n == 1) {
		if (request->minor_version == 0)
			return refuse(request, ERR_MALFORMED, 400);
		value = http_header_find(request, SLICE("transfer-encoding"));
		return parse_coding(value, request);
	}
	value = http_header_find(request, SLICE("content-length"));
	if (lengths_n == 1 && !parse_length(value, &request->content_length))
		return refuse(request, ERR_MALFORMED, 400);
	return OK;
}

/* "a", "a:80", "[::1]:80"; RFC 3986 allows a colon without a port. */
static bool is_host(struct slice host)
{
	struct slice port = host;
	struct slice name;
	uint64_t number = 0;

	if (slice_starts_with(host, SLICE("["))) {
		port = slice_from(host, 1);
		name = slice_cut(&port, ']');
		if (port.ptr == NULL || name.len == 0 || !is_all_of(name, &IPV6_BYTES))
			return false;
		if (port.len == 0)
			return true;
		/* Nothing but a port may stand behind the bracket. */
		if (slice_cut(&port, ':').len > 0)
			return false;
	} else {
		name = slice_cut(&port, ':');
		if (name.len == 0 || !is_all_of(name, &HOST_BYTES))
			return false;
	}
	if (port.len == 0)
		return true;
	return port.len <= PORT_DIGITS_MAX && parse_length(port, &number) &&
	       number <= UINT16_MAX;
}

static ssize_t check_host(struct http_request *request)
{
	size_t n = http_header_count(request, SLICE("host"));
	struct slice host = http_header_find(request, SLICE("host"));

	if (n > 1 || (n == 0 && request->minor_version == 1))
		return refuse(request, ERR_MALFORMED, 400);
	if (n == 1 && !is_host(host))
		return refuse(request, ERR_MALFORMED, 400);
	return OK;
}

/* What we do not know we cannot meet; to ignore it would be to say that we did. */
static ssize_t check_expectation(struct http_request *request)
{
	struct slice name = SLICE("expect");
	struct slice value = http_header_find(request, name);

	if (value.ptr == NULL || request->minor_version == 0)
		return OK;
	if (http_header_count(request, name) > 1 ||
	    !slice_equal_nocase(value, SLICE("100-continue")))
		return refuse(request, ERR_UNSUPPORTED, 417);
	request->is_continue = true;
	return OK;
}

static void read_connection(struct http_request *request)
{
	struct slice name = SLICE("connection");
	bool is_close = http_header_has_token(request, name, SLICE("close"));

	if (request->minor_version == 1)
		request->is_keep_alive = !is_close;
	else
		request->is_keep_alive =
			!is_close &&
			http_header_has_token(request, name, SLICE("keep-alive"));
	request->is_upgrade = http_header_has_token(request, name, SLICE("upgrade"));
}

/* Everything but headers[], of which only the first headers_n are ever looked at. */
static void request_init(struct http_request *request)
{
	request->method = SLICE_NONE;
	request->target = SLICE_NONE;
	request->path = SLICE_NONE;
	request->query = SLICE_NONE;
	request->headers_n = 0;
	request->content_length = 0;
	request->minor_version = 0;
	request->is_chunked = false;
	request->is_keep_alive = false;
	request->is_upgrade = false;
	request->is_continue = false;
	request->refusal = 0;
	request->body = SLICE_NONE;
}

/* All lines up to the empty one; as http_parse_request(). */
static ssize_t parse_lines(const char *ptr, size_t len, struct http_request *request)
{
	size_t at = 0;

	while (at < len) {
		struct slice line;
		ssize_t n = line_next(ptr + at, len - at, &line);
		ssize_t rc;

		if (n == ERR_LIMIT)
			return refuse(request, ERR_LIMIT, at == 0 ? 414 : 431);
		if (n < 0)
			return refuse(request, ERR_MALFORMED, 400);
		if (n == 0)
			return 0;
		if (at > 0 && line.len == 0)
			return (ssize_t)at + n;
		rc = at == 0 ? parse_request_line(line, request)
			     : parse_header(line, request);
		if (rc != OK)
			return rc;
		at += (size_t)n;
	}
	return 0;
}

ssize_t http_parse_request(const char *ptr, size_t len, struct http_request *request)
{
	bool is_full = len >= HTTP_HEAD_BYTES_MAX;
	ssize_t n;
	ssize_t rc;

	assert(ptr || len == 0);
	assert(request);

	request_init(request);
	n = parse_lines(ptr, is_full ? HTTP_HEAD_BYTES_MAX : len, request);
	if (n == 0 && is_full)
		return refuse(request, ERR_LIMIT, 431);
	if (n <= 0)
		return n;
	rc = check_host(request);
	if (rc == OK)
		rc = check_framing(request);
	if (rc == OK)
		rc = check_expectation(request);
	if (rc != OK)
		return rc;
	read_connection(request);
	assert(n <= (ssize_t)HTTP_HEAD_BYTES_MAX);
	assert(!(request->is_chunked && request->content_length));
	return n;
}

size_t http_header_count(const struct http_request *request, struct slice name)
{
	size_t n = 0;

	for (size_t i = 0; i < request->headers_n; i++)
		n += slice_equal_nocase(request->headers[i].name, name);
	return n;
}

struct slice http_header_find(const struct http_request *request, struct slice name)
{
	for (size_t i = 0; i < request->headers_n; i++) {
		if (slice_equal_nocase(request->headers[i].name, name))
			return request->headers[i].value;
	}
	return SLICE_NONE;
}

static bool has_token(struct slice list, struct slice token)
{
	while (list.ptr) {
		if (slice_equal_nocase(slice_trim(slice_cut(&list, ',')), token))
			return true;
	}
	return false;
}

bool http_header_has_token(const struct http_request *request, struct slice name,
			   struct slice token)
{
	assert(token.len > 0);

	for (size_t i = 0; i < request->headers_n; i++) {
		if (slice_equal_nocase(request->headers[i].name, name) &&
		    has_token(request->headers[i].value, token))
			return true;
	}
	return false;
}

bool http_header_has_etag(const struct http_request *request, struct slice etag)
{
	struct slice list = http_header_find(request, SLICE("if-none-match"));

	assert(etag.len > 2);
	while (list.ptr) {
		struct slice tag = slice_trim(slice_cut(&list, ','));

		if (slice_starts_with(tag, SLICE("W/")))
			tag = slice_from(tag, 2);
		if (slice_equal(tag, etag) || slice_equal(tag, SLICE("*")))
			return true;
	}
	return false;
}
