/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict HTTP/1.1 request parser. Pure: bytes in, slices into those bytes out, no
 * memory of its own. CRLF only, no folding, token characters in names, no control bytes
 * in values, one Content-Length, Transfer-Encoding exactly "chunked" and never beside
 * Content-Length, exactly one Host on 1.1, a name or an address with or without a port,
 * origin-form or "*" targets. What is ambiguous is refused.
 */
#ifndef PROTO_BASE_HTTP_PARSE_H
#define PROTO_BASE_HTTP_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define HTTP_HEADERS_MAX 64
#define HTTP_LINE_BYTES_MAX 8192u
#define HTTP_HEAD_BYTES_MAX 16384u

struct http_header {
	struct slice name;
	struct slice value; /* trimmed */
};

struct http_request {
	struct slice method;
	struct slice target; /* as sent */
	struct slice path;   /* before '?', still percent-encoded */
	struct slice query;  /* after '?', or empty */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t headers_n;
	uint64_t content_length; /* 0 without a body */
	int minor_version;	 /* 0 or 1 */
	bool is_chunked;
	bool is_keep_alive;
	bool is_upgrade;  /* Connection: Upgrade was sent */
	bool is_continue; /* Expect: 100-continue */
	int refusal; /* the status to answer when the head was refused; 0 otherwise */
	struct slice body; /* set by the server once complete */
};

/*
 * Parses one request head at `ptr`. Returns the head's length (> 0); 0 when more bytes
 * are needed; ERR_MALFORMED (400), ERR_LIMIT (past a limit above: 414 for the request
 * line, 431 for the rest), or ERR_UNSUPPORTED (an HTTP version: 505, a transfer
 * coding: 501, an expectation: 417). Then request->refusal holds that status, and nothing
 * else in `request` may be used. A line's limit does not count its CRLF; the head's limit
 * counts everything.
 */
ssize_t http_parse_request(const char *ptr, size_t len, struct http_request *request);

/* How many headers of that name (case-insensitive) there are. */
size_t http_header_count(const struct http_request *request, struct slice name);

/* The first header of that name (case-insensitive); ptr NULL when absent. */
struct slice http_header_find(const struct http_request *request, struct slice name);

/* True when the comma-separated list header `name` has `token` (case-insensitive). */
bool http_header_has_token(const struct http_request *request, struct slice name,
			   struct slice token);

/* Does If-None-Match name `etag`, which has its quotes? Compared weakly (RFC 9110). */
bool http_header_has_etag(const struct http_request *request, struct slice etag);

/*
 * Finds `key` (case-insensitive) in the query and percent-decodes its value into the
 * arena;
 * '+' is a space. ERR_NOT_FOUND; ERR_MALFORMED on a bad escape or a NUL.
 */
MUST_CHECK enum err http_query_find(struct slice query, struct slice key,
				    struct arena *arena, struct slice *value);

/* Does http_query_find() take `sent`, as it stands in the query, for `key`? */
bool http_query_is_key(struct slice sent, struct slice key, struct arena *arena);

/* Percent-decodes a path segment. ERR_MALFORMED on a bad escape or a NUL. */
MUST_CHECK enum err http_path_decode(struct slice path, struct arena *arena,
				     struct slice *out);

/* 0 to 15; -1 when `c` is no hexadecimal digit. */
int http_hex_value(char c);

/* A size line with its extensions, which are checked and dropped. */
#define HTTP_CHUNK_LINE_MAX 256u

/* All zero at first. */
struct http_chunked {
	uint64_t left;	   /* of the chunk */
	uint32_t line_len; /* of the size line so far */
	int state;
};

/*
 * Decodes a chunked body incrementally: takes bytes from `ptr`, appends content to
 * `body`, which holds nothing else. Returns bytes used (>= 0), sets *is_done after the
 * last chunk; trailers are refused. ERR_MALFORMED, also for a size line over its limit;
 * ERR_LIMIT past `body_max`.
 */
ssize_t http_chunked_decode(struct http_chunked *state, const char *ptr, size_t len,
			    uint64_t body_max, struct buf *body, bool *is_done);

#endif
