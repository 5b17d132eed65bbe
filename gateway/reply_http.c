/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers a request when its time has come. The HTTP connection knows the reply as its
 * owner, and so it learns of a client that went away meanwhile.
 */
#include "gateway/reply_http.h"

#include <assert.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

struct reply_http {
	struct reply reply;
	struct http_conn *conn; /* borrowed; it tells before it goes */
	bool is_events;
	struct buf headers;
};

static struct reply_http *http_of(struct reply *reply)
{
	return CONTAINER_OF(reply, struct reply_http, reply);
}

static void http_free(struct reply_http *http)
{
	buf_fini(&http->headers);
	mem_free(http);
}

static const char *content_type(const struct reply_answer *answer)
{
	if (answer->status == 204)
		return NULL;
	return answer->is_binary ? "application/octet-stream" : "text/plain";
}

/* To 500, 502, 503 and 504 the EventSource of the official JavaScript client under Node
 * comes again a second later, when the client itself has given it up for another one: it
 * would open a second stream, whose messages and whose end the client takes for its own.
 */
static int status_of(const struct reply_http *http, int status)
{
	return http->is_events && status >= 500 ? 404 : status;
}

static void on_answer(struct reply *reply, const struct reply_answer *answer)
{
	struct reply_http *http = http_of(reply);
	struct http_response response = {
		.status = status_of(http, answer->status),
		.content_type = content_type(answer),
		.body = answer->body,
	};

	if (answer->status == 503 || answer->status == 429)
		buf_append_str(&http->headers, "Retry-After: 5\r\n");
	response.headers = buf_slice(&http->headers);
	http_conn_set_owner(http->conn, NULL);
	http_respond(http->conn, &response);
	http_free(http);
}

static const struct reply_ops reply_http_ops = { .answer = on_answer };

struct reply *reply_http_new(struct http_conn *conn, struct slice headers, bool is_events)
{
	struct reply_http *http = MEM_NEW(struct reply_http);

	assert(http_conn_owner(conn) == NULL);
	http->reply.ops = &reply_http_ops;
	http->conn = conn;
	http->is_events = is_events;
	buf_append_slice(&http->headers, headers);
	http_conn_set_owner(conn, http);
	return &http->reply;
}

void reply_http_take_over(struct reply *reply, struct sock *sock, struct buf *rest)
{
	struct reply_http *http = http_of(reply);

	assert(reply->ops == &reply_http_ops);
	http_conn_set_owner(http->conn, NULL);
	http_take_over(http->conn, sock, NULL, rest);
	http_free(http);
}

void reply_http_stream(struct reply *reply, const char *content_type,
		       struct slice headers, struct buf *head, struct sock *sock)
{
	struct reply_http *http = http_of(reply);
	struct http_response response = { .status = 200, .content_type = content_type };
	struct buf rest = BUF_INIT; /* of the client's bytes; nothing may follow a GET */

	assert(reply->ops == &reply_http_ops);
	buf_append_slice(&http->headers, headers);
	response.headers = buf_slice(&http->headers);
	http_head_encode(http->conn, &response, head);
	reply_http_take_over(reply, sock, &rest);
	buf_fini(&rest);
}

void reply_http_on_gone(struct http_conn *conn)
{
	struct reply_http *http = http_conn_owner(conn);

	assert(http != NULL && http->reply.on_gone != NULL);
	http->reply.on_gone(&http->reply);
	http_free(http);
}
