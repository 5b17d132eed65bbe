/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP connection: reads, cuts requests out of what was read, hands them to the
 * handler one after another (the next only when the answer before it is wholly written,
 * so a handler that takes the socket over finds nothing of ours in front), writes once at
 * the end of the turn, keeps the deadlines. Ends by shutting its own side first and
 * draining the other a moment, for a reset would take the answer from the client's hands.
 */
#include "proto/base/http_conn.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"

/* Pipelined bytes held while a handler takes its time; past it we stop reading. */
#define AHEAD_BYTES_MAX HTTP_HEAD_BYTES_MAX
/* A head is parsed again when a line ended or this much came: not for every byte. */
#define RESCAN_BYTES 1024u
#define LINGER_MS 1000
#define LINGER_BYTES_MAX (1u << 20)

/* ---- deadlines */

static enum http_deadline deadline_wanted(const struct http_conn *conn)
{
	if (conn->is_short)
		return HTTP_DEADLINE_WRITE;
	switch (conn->state) {
	case HTTP_CONN_HEAD:
		return conn->in.len > 0 || conn->requests_n == 0 ? HTTP_DEADLINE_HEAD
								 : HTTP_DEADLINE_IDLE;
	case HTTP_CONN_BODY:
		return HTTP_DEADLINE_BODY;
	case HTTP_CONN_LINGER:
		return HTTP_DEADLINE_LINGER;
	case HTTP_CONN_ANSWER:
	case HTTP_CONN_CLOSING:
	case HTTP_CONN_CLOSED:
		break;
	}
	return HTTP_DEADLINE_NONE;
}

static int64_t deadline_ms(const struct http_conn *conn, enum http_deadline deadline)
{
	const struct http_options *options = &conn->server->options;

	switch (deadline) {
	case HTTP_DEADLINE_HEAD:
		return options->head_timeout_ms;
	case HTTP_DEADLINE_BODY:
		return conn->since_ms + options->body_timeout_ms -
		       loop_now_ms(conn->server->loop);
	case HTTP_DEADLINE_WRITE:
		return options->write_timeout_ms;
	case HTTP_DEADLINE_IDLE:
		return options->idle_timeout_ms;
	case HTTP_DEADLINE_LINGER:
	case HTTP_DEADLINE_NONE:
		break;
	}
	return LINGER_MS;
}

/* A deadline runs on from where it began: more bytes do not move it, and a body's begins
 * with its head's, where one was waited for. */
static void deadline_set(struct http_conn *conn, enum http_deadline deadline)
{
	if (deadline == conn->deadline)
		return;
	if (deadline != HTTP_DEADLINE_BODY || conn->deadline != HTTP_DEADLINE_HEAD)
		conn->since_ms = loop_now_ms(conn->server->loop);
	conn->deadline = deadline;
	if (deadline == HTTP_DEADLINE_NONE)
		loop_timer_stop(conn->server->loop, &conn->timer);
	else
		loop_timer_start(conn->server->loop, &conn->timer,
				 deadline_ms(conn, deadline));
}

/* What to wait for, until when, and no memory held while waiting for a next request. */
static void conn_update(struct http_conn *conn)
{
	unsigned want = conn->is_short ? LOOP_WRITE : LOOP_READ;

	if (conn->state == HTTP_CONN_CLOSED)
		return;
	if (conn->state == HTTP_CONN_ANSWER && conn->in.len >= AHEAD_BYTES_MAX)
		want &= ~LOOP_READ;
	sock_want(&conn->sock, want);
	deadline_set(conn, deadline_wanted(conn));
	if (conn->in.len == 0)
		buf_fini(&conn->in);
}

/* ---- requests */

static void conn_refuse(struct http_conn *conn, int status)
{
	conn->server->stats->malformed_total++;
	log_info("http.malformed", "remote=%s status=%d", conn->remote, status);
	conn->state = HTTP_CONN_ANSWER;
	conn->is_head = false;
	conn->is_keep_alive = false;
	if (conn->server->options.on_refuse != NULL)
		conn->server->options.on_refuse(conn, status, http_status_text(status));
	else
		http_respond_text(conn, status, http_status_text(status));
}

/* From here on either the handler answered, or will, or the socket is somebody else's. */
static void conn_dispatch(struct http_conn *conn, const struct http_request *request)
{
	struct http_server *server = conn->server;

	deadline_set(conn, HTTP_DEADLINE_NONE);
	conn->state = HTTP_CONN_ANSWER;
	conn->is_head = slice_equal(request->method, SLICE("HEAD"));
	conn->is_keep_alive = request->is_keep_alive;
	conn->is_minor_0 = request->minor_version == 0;
	conn->requests_n++;
	server->stats->requests_total++;

	server->is_in_handler = true;
	conn->is_handling = true;
	server->options.on_request(server, conn, request);
	conn->is_handling = false;
	server->is_in_handler = false;

	if (conn->state == HTTP_CONN_CLOSED)
		return;
	buf_consume(&conn->in, conn->request_len);
	buf_fini(&conn->body);
	conn->request_len = 0;
	conn->scanned = 0;
}

/* Chunks stand between the head and what follows; what is decoded is taken out of there.
 */
static enum err conn_decode_chunks(struct http_conn *conn)
{
	char *raw = conn->in.ptr + conn->head_len;
	size_t raw_len = conn->in.len - conn->head_len;
	bool is_done = false;
	ssize_t n = http_chunked_decode(&conn->chunked, raw, raw_len,
					(uint64_t)conn->server->options.body_bytes_max,
					&conn->body, &is_done);

	if (n < 0)
		return (enum err)n;
	memmove(raw, raw + n, raw_len - (size_t)n);
	conn->in.len -= (size_t)n;
	return is_done ? OK : ERR_AGAIN;
}

/*
 * Looks if the body is whole. `request` is the parsed head, or NULL when it was parsed in
 * an earlier turn: then it is parsed anew, for its slices did not outlive that. Returns
 * true when a request was handed on or refused: the state is to be looked at again.
 */
static bool conn_on_body(struct http_conn *conn, struct http_request *request)
{
	struct http_request again;
	enum err rc = conn->in.len < conn->request_len ? ERR_AGAIN : OK;

	if (conn->is_chunked)
		rc = conn_decode_chunks(conn);
	if (rc == ERR_AGAIN)
		return false;
	if (rc != OK) {
		conn_refuse(conn, rc == ERR_LIMIT ? 413 : 400);
		return true;
	}
	if (!request) {
		ssize_t n = http_parse_request(conn->in.ptr, conn->in.len, &again);

		assert(n == (ssize_t)conn->head_len);
		request = &again;
	}
	request->body = slice_make(conn->in.ptr + conn->head_len,
				   conn->request_len - conn->head_len);
	if (conn->is_chunked)
		request->body = buf_slice(&conn->body);
	conn_dispatch(conn, request);
	return true;
}

/*
 * Bytes that come one at a time must not cost a whole parse each: a head of 64 lines and
 * 16 KiB is parsed some 80 times at most.
 */
static bool head_is_worth_parsing(struct http_conn *conn)
{
	size_t fresh = conn->in.len - conn->scanned;

	assert(conn->scanned <= conn->in.len);
	if (fresh == 0)
		return false;
	if (conn->scanned > 0 && fresh < RESCAN_BYTES &&
	    !memchr(conn->in.ptr + conn->scanned, '\n', fresh))
		return false;
	conn->scanned = conn->in.len;
	return true;
}

static bool conn_on_head(struct http_conn *conn)
{
	struct http_request request;
	ssize_t n;

	if (!head_is_worth_parsing(conn))
		return false;
	n = http_parse_request(conn->in.ptr, conn->in.len, &request);
	if (n == 0)
		return false;
	if (n < 0) {
		conn_refuse(conn, request.refusal);
		return true;
	}
	if (request.content_length > (uint64_t)conn->server->options.body_bytes_max) {
		conn_refuse(conn, 413);
		return true;
	}
	conn->state = HTTP_CONN_BODY;
	conn->head_len = (size_t)n;
	conn->request_len = conn->head_len + (size_t)request.content_length;
	conn->is_chunked = request.is_chunked;
	conn->chunked = (struct http_chunked){ 0 };
	/* A client that already sends its body waits for no leave to do so. */
	if (request.is_continue && conn->in.len == conn->head_len &&
	    (request.is_chunked || request.content_length > 0)) {
		buf_append_str(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
		loop_touch(conn->server->loop, &conn->flush);
		return false;
	}
	return conn_on_body(conn, &request);
}

static void conn_process(struct http_conn *conn)
{
	bool is_going_on = true;

	while (is_going_on && conn->out.len == 0) {
		if (conn->state == HTTP_CONN_HEAD)
			is_going_on = conn_on_head(conn);
		else if (conn->state == HTTP_CONN_BODY)
			is_going_on = conn_on_body(conn, NULL);
		else
			is_going_on = false;
	}
}

/* ---- the end of the turn */

/* Returns false when the connection is closed. */
static bool conn_write(struct http_conn *conn)
{
	struct iovec rest = { .iov_base = conn->out.ptr + conn->out_at,
			      .iov_len = conn->out.len - conn->out_at };
	ssize_t n = sock_sendv(&conn->sock, &rest, 1);

	if (n < 0 && n != ERR_AGAIN) {
		http_conn_close(conn);
		return false;
	}
	if (n > 0) {
		conn->out_at += (size_t)n;
		/* Each step of a slow write has the whole time again; a body that was
		 * asked for has not. */
		if (conn->deadline == HTTP_DEADLINE_WRITE)
			deadline_set(conn, HTTP_DEADLINE_NONE);
	}
	conn->is_short = conn->out_at < conn->out.len;
	if (!conn->is_short) {
		buf_fini(&conn->out);
		conn->out_at = 0;
	}
	return true;
}

static void conn_linger(struct http_conn *conn)
{
	if (sock_shut_write(&conn->sock) != OK) {
		http_conn_close(conn);
		return;
	}
	conn->state = HTTP_CONN_LINGER;
	conn->linger_left = LINGER_BYTES_MAX;
	buf_fini(&conn->in);
	buf_fini(&conn->body);
}

static void conn_on_flush(struct loop_flush *flush)
{
	struct http_conn *conn = CONTAINER_OF(flush, struct http_conn, flush);

	if (conn->out.len > 0 && !conn_write(conn))
		return;
	if (conn->out.len == 0) {
		if (conn->state == HTTP_CONN_CLOSING)
			conn_linger(conn);
		else
			conn_process(conn);
	}
	conn_update(conn);
}

/* ---- events */

/* The reads make it, without a word; counted once. */
static void conn_note_handshake(struct http_conn *conn)
{
	if (conn->is_secured || !sock_is_tls(&conn->sock) || !sock_is_open(&conn->sock))
		return;
	conn->is_secured = true;
	conn->server->stats->tls_handshakes_total++;
}

static void conn_on_read(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	ssize_t n = sock_recv(&conn->sock, server->scratch, sizeof(server->scratch));

	conn_note_handshake(conn);
	if (n == ERR_AGAIN)
		return;
	if (n <= 0) {
		http_conn_close(conn);
		return;
	}
	if (conn->state == HTTP_CONN_LINGER) {
		if ((size_t)n > conn->linger_left) {
			http_conn_close(conn);
			return;
		}
		conn->linger_left -= (size_t)n;
		return;
	}
	buf_append(&conn->in, server->scratch, (size_t)n);
	conn_process(conn);
	conn_update(conn);
}

static void conn_on_io(struct loop_io *io, unsigned ready)
{
	struct http_conn *conn = CONTAINER_OF(io, struct http_conn, sock.io);

	if (ready & LOOP_WRITE)
		loop_touch(conn->server->loop, &conn->flush);
	if (ready & LOOP_READ)
		conn_on_read(conn);
}

static void conn_on_timer(struct timer *timer)
{
	struct http_conn *conn = CONTAINER_OF(timer, struct http_conn, timer);
	enum http_deadline deadline = conn->deadline;

	conn->deadline = HTTP_DEADLINE_NONE;
	if (deadline != HTTP_DEADLINE_IDLE && deadline != HTTP_DEADLINE_LINGER)
		conn->server->stats->timeouts_total++;
	/* Who has sent nothing of a request asked nothing and gets no answer. */
	if (deadline == HTTP_DEADLINE_BODY ||
	    (deadline == HTTP_DEADLINE_HEAD && conn->in.len > 0))
		conn_refuse(conn, 408);
	else
		http_conn_close(conn);
}

/* ---- life */

void http_conn_open(struct http_server *server, int fd, const struct sockaddr *remote)
{
	struct http_conn *conn = MEM_NEW(struct http_conn);
	conn->server = server;
	http_format_address(remote, conn->remote);
	sock_init(&conn->sock, server->loop, fd, server->options.tls, conn_on_io);
	loop_flush_init(&conn->flush, conn_on_flush);
	timer_init(&conn->timer, conn_on_timer);
	list_init(&conn->node);
	list_append(&server->conns, &conn->node);
	server->open++;
	server->stats->open++;
	server->stats->accepted_total++;
	conn_update(conn);
}

static void conn_free(struct loop_defer *defer)
{
	struct http_conn *conn = CONTAINER_OF(defer, struct http_conn, defer);

	buf_fini(&conn->in);
	buf_fini(&conn->body);
	buf_fini(&conn->out);
	mem_free(conn);
}

/* Out of the server, the socket being closed or somebody else's; the memory stays until
 * the turn ends. */
static void conn_detach(struct http_conn *conn)
{
	struct http_server *server = conn->server;

	assert(conn->state != HTTP_CONN_CLOSED);
	conn->state = HTTP_CONN_CLOSED;
	deadline_set(conn, HTTP_DEADLINE_NONE);
	loop_untouch(&conn->flush);
	list_remove(&conn->node);
	server->open--;
	server->stats->open--;
	loop_defer_free(server->loop, &conn->defer, conn_free);
}

void http_conn_close(struct http_conn *conn)
{
	bool is_awaited = conn->state == HTTP_CONN_ANSWER;
	const char *problem = sock_tls_problem(&conn->sock);

	assert(!conn->is_handling);
	if (problem != NULL) {
		conn->server->stats->tls_failed_total++;
		log_info("http.tls_failed", "remote=%s reason=\"%s\"", conn->remote,
			 problem);
	}
	conn_detach(conn);
	sock_fini(&conn->sock);
	if (is_awaited && conn->server->options.on_gone)
		conn->server->options.on_gone(conn);
}

bool http_conn_is_idle(const struct http_conn *conn)
{
	return conn->state == HTTP_CONN_HEAD && conn->requests_n > 0 &&
	       conn->in.len == 0 && conn->out.len == 0;
}

void http_take_over(struct http_conn *conn, struct sock *to, loop_io_fn *fn,
		    struct buf *rest)
{
	assert(conn->state == HTTP_CONN_ANSWER);
	assert(conn->out.len == 0);
	assert(conn->in.len >= conn->request_len);

	/* `in` itself stays: inside the handler the request's slices point into it. */
	buf_append_slice(rest, slice_from(buf_slice(&conn->in), conn->request_len));
	conn_detach(conn);
	sock_move(to, &conn->sock, fn);
}

void http_conn_set_owner(struct http_conn *conn, void *owner)
{
	conn->owner = owner;
}

void *http_conn_owner(const struct http_conn *conn)
{
	return conn->owner;
}

struct http_server *http_conn_server(const struct http_conn *conn)
{
	return conn->server;
}

bool http_conn_is_tls(const struct http_conn *conn)
{
	return sock_is_tls(&conn->sock);
}

bool http_conn_peer(const struct http_conn *conn, char *name, size_t size)
{
	return sock_tls_peer(&conn->sock, name, size);
}

const char *http_conn_remote(const struct http_conn *conn)
{
	return conn->remote;
}
