/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of an HTTP/1.1 server, as a client reads them: the head, then the body by
 * length, in chunks (which http_parse.h reads), or to the connection's end. Pure.
 */
#ifndef PROTO_BASE_HTTP_ANSWER_H
#define PROTO_BASE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/buf.h"
#include "proto/base/http_parse.h"
#include "proto/base/slice.h"

#define HTTP_ANSWER_HEAD_BYTES_MAX 16384u
#define HTTP_ANSWER_BODY_BYTES_MAX (4u << 20)

enum http_body_kind {
	HTTP_BODY_LENGTH, /* may be 0 */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_TO_END,
};

struct http_answer {
	int status;
	bool is_closing;     /* the connection serves no other request */
	struct slice accept; /* Sec-WebSocket-Accept, of the input */
	enum http_body_kind body;
	uint64_t content_length;
};

/*
 * Reads a head. Returns its length; 0: its end is not there yet; ERR_MALFORMED;
 * ERR_LIMIT: longer than HTTP_ANSWER_HEAD_BYTES_MAX, or its body than
 * HTTP_ANSWER_BODY_BYTES_MAX.
 */
ssize_t http_answer_read(struct slice bytes, struct http_answer *answer);

struct http_body {
	enum http_body_kind kind;
	uint64_t left; /* LENGTH */
	struct http_chunked chunked;
};

void http_body_init(struct http_body *body, const struct http_answer *answer);

/*
 * Takes what came of the body and appends its content to `out`, which the caller may
 * empty between calls. Returns the bytes used; ERR_MALFORMED; ERR_LIMIT. `*is_done` after
 * the last; a body to the end is never done by itself.
 */
ssize_t http_body_read(struct http_body *body, struct slice bytes, struct buf *out,
		       bool *is_done);

#endif
