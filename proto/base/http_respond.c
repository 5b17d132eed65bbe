/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Response heads for http_server.h: the status line, the fields that every response has,
 * the caller's fields, the body. Only appends; the connection's flush writes, or whoever
 * takes the socket over.
 */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "proto/base/http_conn.h"

struct status_text {
	int status;
	const char *text;
};

static const struct status_text STATUS_TEXTS[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < sizeof(STATUS_TEXTS) / sizeof(STATUS_TEXTS[0]); i++) {
		if (STATUS_TEXTS[i].status == status)
			return STATUS_TEXTS[i].text;
	}
	return "Unknown";
}

/* IMF-fixdate by hand: strftime() would follow a locale. Made once a second. */
static const char *date_text(struct http_server *server)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t now_s = loop_unix_ms(server->loop) / 1000;
	time_t now = (time_t)now_s;
	struct tm tm;

	if (now_s == server->date_s)
		return server->date;
	if (!gmtime_r(&now, &tm))
		return server->date;
	server->date_s = now_s;
	(void)snprintf(
		server->date, sizeof(server->date), /* truncated past the year 9999 */
		"%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + (size_t)tm.tm_wday * 3,
		(unsigned)tm.tm_mday % 100u, months + (size_t)tm.tm_mon * 3,
		(unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
		(unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
	return server->date;
}

static const char *connection_text(const struct http_conn *conn, bool is_last)
{
	if (is_last)
		return "Connection: close\r\n";
	return conn->is_minor_0 ? "Connection: keep-alive\r\n" : "";
}

/* Status line and date. Plain appends, not printf: it is on every request's way. */
static void append_status(struct http_conn *conn, int status, struct buf *out)
{
	buf_append_str(out, "HTTP/1.1 ");
	buf_append_int64(out, status);
	buf_append_byte(out, ' ');
	buf_append_str(out, http_status_text(status));
	buf_append_str(out, "\r\nDate: ");
	buf_append_str(out, date_text(conn->server));
	buf_append_str(out, "\r\n");
}

/* Without a length there is no body, or one that ends with the connection. */
static void append_head(struct http_conn *conn, const struct http_response *response,
			bool is_last, bool has_length, struct buf *out)
{
	assert(conn->state == HTTP_CONN_ANSWER);
	assert(response->status >= 200 && response->status <= 599);
	assert(response->headers.len == 0 ||
	       (response->headers.len > 2 &&
		response->headers.ptr[response->headers.len - 1] == '\n'));

	append_status(conn, response->status, out);
	buf_append_str(out, connection_text(conn, is_last));
	if (response->content_type) {
		buf_append_str(out, "Content-Type: ");
		buf_append_str(out, response->content_type);
		buf_append_str(out, "\r\n");
	}
	if (has_length) {
		buf_append_str(out, "Content-Length: ");
		buf_append_int64(out, (int64_t)response->body.len);
		buf_append_str(out, "\r\n");
	}
	buf_append_str(out, "X-Content-Type-Options: nosniff\r\n");
	buf_append_slice(out, response->headers);
	buf_append_str(out, "\r\n");
}

void http_head_encode(struct http_conn *conn, const struct http_response *response,
		      struct buf *head)
{
	assert(response->body.len == 0);
	append_head(conn, response, true, false, head);
}

void http_respond(struct http_conn *conn, const struct http_response *response)
{
	const bool is_last =
		response->is_last || !conn->is_keep_alive || conn->server->is_draining;
	const bool has_body =
		!conn->is_head && response->status != 204 && response->status != 304;

	append_head(conn, response, is_last, response->status != 204, &conn->out);
	if (has_body)
		buf_append_slice(&conn->out, response->body);

	conn->is_keep_alive = !is_last;
	conn->state = is_last ? HTTP_CONN_CLOSING : HTTP_CONN_HEAD;
	loop_touch(conn->server->loop, &conn->flush);
}

void http_respond_text(struct http_conn *conn, int status, const char *text)
{
	struct http_response response = {
		.status = status,
		.content_type = "text/plain",
		.body = slice_from_str(text),
	};

	http_respond(conn, &response);
}
