/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is idle, or serves one request. A server may close an idle one in the very
 * moment that it is used again: then, and only when no byte of an answer has come, the
 * request goes to a fresh connection, once.
 */
#include "bench/http_pool.h"

#include <assert.h>

#include "proto/base/http_answer.h"
#include "proto/base/mem.h"

struct http_pool {
	struct intake *intake;		  /* borrowed */
	const struct sockaddr_in *server; /* borrowed */
	struct list conns;		  /* owned */
	struct list idle;		  /* the last used is the last */
	struct list waiting;		  /* asks */
	struct loop_flush flush;	  /* what waits gets a connection */
	size_t conns_n;
};

struct http_pool_conn {
	struct stream stream;
	struct http_pool *pool; /* borrowed */
	struct list node;
	struct list idle;
	struct loop_defer defer;
	struct http_ask *ask; /* borrowed; NULL: idle, or its owner went away */
	struct http_body body;
	struct buf content; /* owned */
	int status;
	bool is_asked;	 /* an answer is owed */
	bool is_in_body; /* its head has been read */
	bool is_closing;
	bool is_used; /* has served before */
};

static void on_waiting(struct loop_flush *flush);
static size_t on_bytes(struct stream *stream, struct slice bytes);
static void on_end(struct stream *stream, const char *why);

static const struct stream_ops stream_ops = { on_bytes, on_end };

/* ---- life */

struct http_pool *http_pool_new(struct intake *intake, const struct sockaddr_in *server)
{
	struct http_pool *pool = MEM_NEW(struct http_pool);

	pool->intake = intake;
	pool->server = server;
	list_init(&pool->conns);
	list_init(&pool->idle);
	list_init(&pool->waiting);
	loop_flush_init(&pool->flush, on_waiting);
	return pool;
}

static void conn_free(struct loop_defer *defer)
{
	struct http_pool_conn *conn = CONTAINER_OF(defer, struct http_pool_conn, defer);

	buf_fini(&conn->content);
	mem_free(conn);
}

static void conn_close(struct http_pool_conn *conn)
{
	stream_close(&conn->stream);
	list_remove(&conn->node);
	list_remove(&conn->idle);
	conn->pool->conns_n--;
	loop_touch(conn->pool->intake->loop, &conn->pool->flush);
	loop_defer_free(conn->pool->intake->loop, &conn->defer, conn_free);
}

static void ask_done(struct http_ask *ask, int status, struct slice body)
{
	ask->conn = NULL;
	ask->is_busy = false;
	buf_fini(&ask->request);
	ask->fn(ask, status, body);
}

void http_pool_free(struct http_pool *pool)
{
	const struct slice going = SLICE("the worker ends");
	struct list *node;

	if (pool == NULL)
		return;
	while ((node = list_shift(&pool->waiting)) != NULL)
		ask_done(CONTAINER_OF(node, struct http_ask, node), 0, going);
	while (!list_is_empty(&pool->conns)) {
		struct http_pool_conn *conn =
			CONTAINER_OF(pool->conns.next, struct http_pool_conn, node);
		struct http_ask *ask = conn->ask;

		conn_close(conn);
		if (ask != NULL)
			ask_done(ask, 0, going);
	}
	loop_untouch(&pool->flush);
	mem_free(pool);
}

bool http_pool_is_busy(const struct http_pool *pool)
{
	size_t idle_n = 0;

	LIST_EACH (it, &pool->idle)
		idle_n++;
	return !list_is_empty(&pool->waiting) || idle_n < pool->conns_n;
}

/* ---- asking */

void http_ask_init(struct http_ask *ask, http_ask_fn *fn)
{
	*ask = (struct http_ask){ .fn = fn };
	list_init(&ask->node);
}

void http_ask_fini(struct http_ask *ask)
{
	list_remove(&ask->node);
	if (ask->conn != NULL)
		ask->conn->ask = NULL;
	buf_fini(&ask->request);
	ask->conn = NULL;
	ask->is_busy = false;
}

void http_pool_ask(struct http_pool *pool, struct http_ask *ask)
{
	assert(!ask->is_busy);
	assert(ask->request.len > 0);
	ask->is_busy = true;
	ask->is_retried = false;
	list_append(&pool->waiting, &ask->node);
	loop_touch(pool->intake->loop, &pool->flush);
}

static struct http_pool_conn *conn_new(struct http_pool *pool)
{
	const struct in_addr any = { htonl(INADDR_ANY) };
	struct http_pool_conn *conn = MEM_NEW(struct http_pool_conn);

	conn->pool = pool;
	if (stream_open(&conn->stream, pool->intake, pool->server, any, &stream_ops) !=
	    OK) {
		mem_free(conn);
		return NULL;
	}
	list_init(&conn->node);
	list_init(&conn->idle);
	list_append(&pool->conns, &conn->node);
	pool->conns_n++;
	return conn;
}

static struct http_pool_conn *conn_take(struct http_pool *pool)
{
	struct list *last = pool->idle.prev;

	if (last == &pool->idle)
		return conn_new(pool);
	list_remove(last);
	return CONTAINER_OF(last, struct http_pool_conn, idle);
}

static void conn_serve(struct http_pool_conn *conn, struct http_ask *ask)
{
	conn->ask = ask;
	conn->is_asked = true;
	conn->is_in_body = false;
	ask->conn = conn;
	buf_append_slice(stream_out(&conn->stream), buf_slice(&ask->request));
}

static void on_waiting(struct loop_flush *flush)
{
	struct http_pool *pool = CONTAINER_OF(flush, struct http_pool, flush);

	while (!list_is_empty(&pool->waiting) &&
	       (!list_is_empty(&pool->idle) || pool->conns_n < HTTP_POOL_CONNS_MAX)) {
		struct http_pool_conn *conn = conn_take(pool);
		struct list *first = list_shift(&pool->waiting);
		struct http_ask *ask = CONTAINER_OF(first, struct http_ask, node);

		if (conn == NULL)
			ask_done(ask, 0, slice_from_str(err_errno_text()));
		else
			conn_serve(conn, ask);
	}
}

/* ---- answers */

static void conn_fail(struct http_pool_conn *conn, const char *why)
{
	struct http_ask *ask = conn->ask;
	bool is_stale = conn->is_used && !conn->is_in_body;

	conn->ask = NULL;
	conn_close(conn);
	if (ask == NULL)
		return;
	ask->conn = NULL;
	if (is_stale && !ask->is_retried) {
		ask->is_retried = true;
		list_append(&conn->pool->waiting, &ask->node);
	} else {
		ask_done(ask, 0, slice_from_str(why));
	}
}

/* The connection is free, or gone, before the owner hears. */
static void conn_answered(struct http_pool_conn *conn)
{
	struct http_ask *ask = conn->ask;
	struct buf content = conn->content;

	conn->content = BUF_INIT;
	conn->ask = NULL;
	conn->is_asked = false;
	conn->is_used = true;
	if (conn->is_closing) {
		conn_close(conn);
	} else {
		list_append(&conn->pool->idle, &conn->idle);
		loop_touch(conn->pool->intake->loop, &conn->pool->flush);
	}
	if (ask != NULL)
		ask_done(ask, conn->status, buf_slice(&content));
	buf_fini(&content);
}

/* Returns the bytes used; 0: more are needed; an error. */
static ssize_t read_head(struct http_pool_conn *conn, struct slice bytes)
{
	struct http_answer answer;
	ssize_t n = http_answer_read(bytes, &answer);

	if (n <= 0)
		return n;
	if (answer.status / 100 == 1) /* "continue" and the like: the answer comes yet */
		return n;
	conn->status = answer.status;
	conn->is_closing = answer.is_closing;
	conn->is_in_body = true;
	http_body_init(&conn->body, &answer);
	return n;
}

static size_t on_bytes(struct stream *stream, struct slice bytes)
{
	struct http_pool_conn *conn = CONTAINER_OF(stream, struct http_pool_conn, stream);
	size_t used = 0;
	bool is_done = false;
	ssize_t n = 1;

	while (n > 0 && !conn->is_in_body && used < bytes.len) {
		n = conn->is_asked ? read_head(conn, slice_from(bytes, used))
				   : ERR_MALFORMED;
		used += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0 && conn->is_in_body) {
		n = http_body_read(&conn->body, slice_from(bytes, used), &conn->content,
				   &is_done);
		used += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 || (is_done && used < bytes.len))
		conn_fail(conn, "the server sent what is not an HTTP answer");
	else if (is_done)
		conn_answered(conn);
	return used;
}

static void on_end(struct stream *stream, const char *why)
{
	struct http_pool_conn *conn = CONTAINER_OF(stream, struct http_pool_conn, stream);

	if (conn->is_in_body && conn->is_asked && conn->body.kind == HTTP_BODY_TO_END)
		conn_answered(conn);
	else
		conn_fail(conn, why);
}
