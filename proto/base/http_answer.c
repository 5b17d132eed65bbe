/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memrchr */
#endif
#include "proto/base/http_answer.h"

#include <assert.h>
#include <string.h>

#define STATUS_LINE_BYTES_MIN 12 /* "HTTP/1.1 200" */
#define STATUS_AT 9

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static enum err read_status_line(struct slice line, struct http_answer *answer)
{
	const char *at = line.ptr + STATUS_AT;

	if (line.len < STATUS_LINE_BYTES_MIN ||
	    !(slice_starts_with(line, SLICE("HTTP/1.1 ")) ||
	      slice_starts_with(line, SLICE("HTTP/1.0 "))))
		return ERR_MALFORMED;
	if (!is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]) ||
	    (line.len > STATUS_LINE_BYTES_MIN && at[3] != ' '))
		return ERR_MALFORMED;
	answer->status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	answer->is_closing = line.ptr[7] == '0';
	return OK;
}

static bool has_token(struct slice list, struct slice token)
{
	while (list.ptr != NULL)
		if (slice_equal_nocase(slice_trim(slice_cut(&list, ',')), token))
			return true;
	return false;
}

static enum err read_length(struct slice value, struct http_answer *answer)
{
	int64_t length;

	if (slice_to_int64(value, &length) != OK || length < 0)
		return ERR_MALFORMED;
	if (length > (int64_t)HTTP_ANSWER_BODY_BYTES_MAX)
		return ERR_LIMIT;
	if (answer->body == HTTP_BODY_TO_END)
		answer->body = HTTP_BODY_LENGTH;
	answer->content_length = (uint64_t)length;
	return OK;
}

static enum err read_header(struct slice line, struct http_answer *answer)
{
	struct slice value = line;
	struct slice name = slice_cut(&value, ':');

	if (value.ptr == NULL || name.len == 0 || slice_trim(name).len != name.len)
		return ERR_MALFORMED;
	value = slice_trim(value);
	if (slice_equal_nocase(name, SLICE("Content-Length")))
		return read_length(value, answer);
	if (slice_equal_nocase(name, SLICE("Transfer-Encoding"))) {
		if (!slice_equal_nocase(value, SLICE("chunked")))
			return ERR_MALFORMED;
		answer->body = HTTP_BODY_CHUNKED;
	} else if (slice_equal_nocase(name, SLICE("Connection"))) {
		if (has_token(value, SLICE("close")))
			answer->is_closing = true;
	} else if (slice_equal_nocase(name, SLICE("Sec-WebSocket-Accept"))) {
		answer->accept = value;
	}
	return OK;
}

/* These have no body, whatever their headers say. */
static void settle_body(struct http_answer *answer)
{
	if (answer->status / 100 == 1 || answer->status == 204 || answer->status == 304) {
		answer->body = HTTP_BODY_LENGTH;
		answer->content_length = 0;
	}
	if (answer->body == HTTP_BODY_TO_END)
		answer->is_closing = true;
}

/* The line at `*at`, without its CRLF. ERR_MALFORMED: it ends otherwise. */
static enum err next_line(const char **at, const char *head_end, struct slice *line)
{
	const char *end = memchr(*at, '\n', (size_t)(head_end - *at));

	assert(end != NULL);
	if (end == *at || end[-1] != '\r')
		return ERR_MALFORMED;
	*line = slice_make(*at, (size_t)(end - 1 - *at));
	*at = end + 1;
	return OK;
}

ssize_t http_answer_read(struct slice bytes, struct http_answer *answer)
{
	static const char blank[] = "\r\n\r\n";
	const char *end =
		bytes.len == 0 ? NULL
			       : memmem(bytes.ptr, bytes.len, blank, sizeof(blank) - 1);
	const char *at = bytes.ptr;
	struct slice line;
	enum err rc;

	if (end == NULL)
		return bytes.len < HTTP_ANSWER_HEAD_BYTES_MAX ? 0 : ERR_LIMIT;
	end += sizeof(blank) - 1;
	if (end - bytes.ptr > HTTP_ANSWER_HEAD_BYTES_MAX)
		return ERR_LIMIT;
	*answer = (struct http_answer){ .body = HTTP_BODY_TO_END };
	rc = next_line(&at, end, &line);
	if (rc == OK)
		rc = read_status_line(line, answer);
	while (rc == OK && at < end - 2) {
		rc = next_line(&at, end, &line);
		if (rc == OK)
			rc = read_header(line, answer);
	}
	if (rc != OK)
		return rc;
	settle_body(answer);
	return end - bytes.ptr;
}

/* ---- the body */

void http_body_init(struct http_body *body, const struct http_answer *answer)
{
	*body = (struct http_body){ .kind = answer->body,
				    .left = answer->content_length };
}

ssize_t http_body_read(struct http_body *body, struct slice bytes, struct buf *out,
		       bool *is_done)
{
	size_t n = bytes.len;

	*is_done = false;
	if (body->kind == HTTP_BODY_CHUNKED)
		return http_chunked_decode(&body->chunked, bytes.ptr, bytes.len,
					   HTTP_ANSWER_BODY_BYTES_MAX, out, is_done);
	if (body->kind == HTTP_BODY_LENGTH && n > body->left)
		n = (size_t)body->left;
	if (out->len + n > HTTP_ANSWER_BODY_BYTES_MAX)
		return ERR_LIMIT;
	buf_append(out, bytes.ptr, n);
	if (body->kind == HTTP_BODY_LENGTH) {
		body->left -= n;
		*is_done = body->left == 0;
	}
	return (ssize_t)n;
}
