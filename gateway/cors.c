/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An origin is scheme://host[:port] and nothing else. The reader is stricter than a
 * browser needs, because what it does not take is foreign.
 */
#include "gateway/cors.h"

#include <assert.h>

#define REQUEST_HEADERS_BYTES_MAX 1024
#define NAMES_PLAIN "authorization, content-type, x-requested-with, x-signalr-user-agent"

struct origin {
	struct slice scheme;
	struct slice host; /* with its brackets */
	int64_t port;	   /* 0: none is known */
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *marks)
{
	return c != '\0' && strchr(marks, c) != NULL;
}

/* ---- reading */

static bool is_scheme(struct slice text)
{
	if (text.len == 0 || !is_letter(text.ptr[0]))
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) &&
		    !is_one_of(text.ptr[i], "+-."))
			return false;
	}
	return true;
}

static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) &&
		    !is_one_of(text.ptr[i], "-._"))
			return false;
	}
	return text.len > 0;
}

static bool is_ipv6(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!is_digit(c) && !is_one_of(c, "abcdefABCDEF:."))
			return false;
	}
	return slice_find(text, ':') >= 0;
}

/* 0: no port has that number. */
static int64_t read_port(struct slice text)
{
	int64_t port;

	if (text.len == 0 || text.len > 5 || !is_digit(text.ptr[0]) ||
	    text.ptr[0] == '0' || slice_to_int64(text, &port) != OK || port > UINT16_MAX)
		return 0;
	return port;
}

static int64_t default_port(struct slice scheme)
{
	if (slice_equal_nocase(scheme, SLICE("https")))
		return 443;
	return slice_equal_nocase(scheme, SLICE("http")) ? 80 : 0;
}

/* "host[:port]" of a scheme that is known. */
static enum err read_host(struct slice text, struct origin *origin)
{
	size_t len = 0;

	if (text.len > 0 && text.ptr[0] == '[') {
		const ptrdiff_t end = slice_find(text, ']');

		if (end < 0 || !is_ipv6(slice_make(text.ptr + 1, (size_t)end - 1)))
			return ERR_MALFORMED;
		len = (size_t)end + 1;
	} else {
		const ptrdiff_t colon = slice_find(text, ':');

		len = colon < 0 ? text.len : (size_t)colon;
		if (!is_name(slice_make(text.ptr, len)))
			return ERR_MALFORMED;
	}
	origin->host = slice_make(text.ptr, len);
	origin->port = default_port(origin->scheme);
	if (len == text.len)
		return OK;
	origin->port = text.ptr[len] == ':' ? read_port(slice_from(text, len + 1)) : 0;
	return origin->port > 0 ? OK : ERR_MALFORMED;
}

static enum err read_origin(struct slice text, struct origin *origin)
{
	origin->scheme = slice_cut(&text, ':');
	if (!is_scheme(origin->scheme) || !slice_starts_with(text, SLICE("//")))
		return ERR_MALFORMED;
	return read_host(slice_from(text, 2), origin);
}

static bool is_equal(const struct origin *a, const struct origin *b)
{
	return slice_equal_nocase(a->scheme, b->scheme) &&
	       slice_equal_nocase(a->host, b->host) && a->port == b->port;
}

/* ---- the rule */

static bool is_same(const struct origin *origin, const struct cors_site *site)
{
	struct origin own = { .scheme = site->is_https ? SLICE("https") : SLICE("http") };

	return read_host(site->host, &own) == OK && is_equal(&own, origin);
}

/* `origin` is NULL for "null", the origin of pages that have none. */
static bool is_listed(const char *origins, const struct origin *origin)
{
	struct slice rest = slice_from_str(origins);

	while (rest.len > 0) {
		const struct slice text = slice_trim(slice_cut(&rest, ','));
		struct origin listed;

		if (origin == NULL && slice_equal(text, SLICE("null")))
			return true;
		if (origin != NULL && slice_equal(text, SLICE("*")))
			return true;
		if (origin != NULL && read_origin(text, &listed) == OK &&
		    is_equal(&listed, origin))
			return true;
	}
	return false;
}

/* How many there are, and the first of them. */
static size_t find_origins(const struct http_request *request, struct slice *first)
{
	size_t n = 0;

	for (size_t i = 0; i < request->headers_n; i++) {
		if (!slice_equal_nocase(request->headers[i].name, SLICE("Origin")))
			continue;
		if (n++ == 0)
			*first = request->headers[i].value;
	}
	return n;
}

enum cors_verdict cors_judge(const char *origins, const struct cors_site *site,
			     const struct http_request *request, struct slice *origin)
{
	struct origin parsed;
	struct slice text = SLICE_NONE;
	const size_t n = find_origins(request, &text);
	const bool is_null = slice_equal(text, SLICE("null"));

	assert(origins != NULL && site != NULL && origin != NULL);
	*origin = SLICE_NONE;
	if (n == 0)
		return CORS_NO_ORIGIN;
	if (n > 1 || (!is_null && read_origin(text, &parsed) != OK))
		return CORS_FOREIGN;
	if (!is_null && is_same(&parsed, site))
		return CORS_SAME;
	if (!is_listed(origins, is_null ? NULL : &parsed))
		return CORS_FOREIGN;
	*origin = text;
	return CORS_LISTED;
}

bool cors_is_list(const char *origins)
{
	struct slice rest = slice_from_str(origins);

	while (rest.len > 0) {
		const struct slice text = slice_trim(slice_cut(&rest, ','));
		struct origin origin;

		if (!slice_equal(text, SLICE("*")) && !slice_equal(text, SLICE("null")) &&
		    read_origin(text, &origin) != OK)
			return false;
	}
	return true;
}

/* ---- answers */

bool cors_is_preflight(const struct http_request *request)
{
	return slice_equal(request->method, SLICE("OPTIONS")) &&
	       http_header_find(request, SLICE("Access-Control-Request-Method")).len > 0;
}

void cors_allow(struct buf *headers, struct slice origin)
{
	assert(origin.len > 0);
	buf_append_str(headers, "Access-Control-Allow-Origin: ");
	buf_append_slice(headers, origin);
	buf_append_str(headers, "\r\nAccess-Control-Allow-Credentials: true\r\n");
}

static bool is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) &&
		    !is_one_of(text.ptr[i], "!#$%&'*+-.^_`|~"))
			return false;
	}
	return text.len > 0;
}

/* A list of names that may be said again as it stands. */
static bool are_tokens(struct slice list)
{
	if (list.len == 0 || list.len > REQUEST_HEADERS_BYTES_MAX ||
	    list.ptr[list.len - 1] == ',')
		return false;
	while (list.len > 0) {
		if (!is_token(slice_trim(slice_cut(&list, ','))))
			return false;
	}
	return true;
}

void cors_allow_more(struct buf *headers, const struct http_request *request)
{
	const struct slice asked =
		http_header_find(request, SLICE("Access-Control-Request-Headers"));

	buf_append_str(headers,
		       "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"
		       "Access-Control-Max-Age: 600\r\n"
		       "Access-Control-Allow-Headers: ");
	buf_append_slice(headers, are_tokens(asked) ? asked : SLICE(NAMES_PLAIN));
	buf_append_str(headers, "\r\n");
}
