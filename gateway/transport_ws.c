/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One WebSocket: a socket, a frame parser and a queue. Reading happens on the event, into
 * a buffer all sockets share; what cannot be parsed yet is kept. Writing happens at the
 * end of the turn; the write event is armed only while the kernel takes less than there
 * is.
 *
 * Life: with a connection; closing (our Close is queued, the connection is gone, one
 * deadline for all the rest); freed. A socket that failed closes too, but believes
 * nothing it reads.
 */
#include "gateway/transport_ws.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/conn.h"
#include "gateway/queue.h"
#include "gateway/ws_frame.h"
#include "gateway/ws_opening.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define READ_BYTES 65536u
#define WRITE_BLOBS_MAX 64

/* A client that pings and does not read gets no Pong beyond this; one will do (RFC 6455
 * 5.5.3). */
#define PONG_QUEUE_BYTES_MAX 4096u

struct ws_host {
	struct loop *loop; /* borrowed */
	struct ws_host_options options;
	struct list sockets;
	char read[WS_PENDING_BYTES_MAX + READ_BYTES]; /* meaningless between reads */
};

struct ws {
	struct transport transport;
	struct ws_host *host; /* borrowed */
	struct list node;
	struct loop_io io;
	struct loop_flush flush;
	struct loop_defer defer;
	struct timer
		timer; /* closing: the deadline; else runs while a write is blocked */
	struct ws_parser parser;
	struct queue queue;
	struct buf pending; /* read, not parsed: the start of a frame, or all since a
			       pause */
	bool is_paused;
	bool is_blocked; /* the kernel takes no more */
	bool is_closing; /* our Close is in the queue */
	bool is_shut;	 /* failed, all is sent, our side is shut */
	bool is_ended;	 /* the client's Close is here, or the socket is at its end */
	bool is_freed;
};

/* ---- the host */

struct ws_host *ws_host_new(struct loop *loop, const struct ws_host_options *options)
{
	struct ws_host *host = mem_alloc(sizeof(*host));

	assert(options->metrics);
	host->loop = loop;
	host->options = *options;
	list_init(&host->sockets);
	return host;
}

static void ws_free(struct ws *ws);

void ws_host_free(struct ws_host *host)
{
	if (!host)
		return;
	LIST_EACH (node, &host->sockets)
		ws_free(CONTAINER_OF(node, struct ws, node));
	mem_free(host);
}

/* ---- the end */

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct ws, defer));
}

static void ws_free(struct ws *ws)
{
	int fd = loop_io_fd(&ws->io);

	if (ws->is_freed)
		return;
	assert(!ws->transport.conn);
	ws->is_freed = true;
	loop_io_fini(&ws->io);
	loop_timer_stop(ws->host->loop, &ws->timer);
	loop_untouch(&ws->flush);
	list_remove(&ws->node);
	(void)close(fd); /* nobody is left to tell */
	queue_fini(&ws->queue);
	buf_fini(&ws->pending);
	ws->host->options.metrics->ws_sockets--;
	loop_defer_free(ws->host->loop, &ws->defer, on_defer);
}

/* The connection ends the transport: it calls close or abort from inside. */
static void end_conn(struct ws *ws, enum conn_close_reason reason)
{
	if (ws->transport.conn)
		conn_on_end(ws->transport.conn, reason);
	assert(!ws->transport.conn);
}

/* The socket itself is at its end; what was not sent never will be. */
static void on_gone(struct ws *ws)
{
	ws->is_ended = true;
	end_conn(ws, CONN_CLOSE_TRANSPORT);
	ws_free(ws);
}

/* ---- out */

static void want(struct ws *ws)
{
	unsigned reading = ws->is_paused ? 0 : LOOP_READ;

	loop_io_want(&ws->io, reading | (ws->is_blocked ? LOOP_WRITE : 0));
}

static void queue_frame(struct ws *ws, enum ws_opcode opcode, struct slice payload)
{
	char header[WS_HEADER_BYTES_MAX];
	size_t n = ws_frame_header(header, opcode, payload.len);
	struct blob *blob = blob_new(n + payload.len);

	memcpy(blob->data, header, n);
	if (payload.len > 0)
		memcpy(blob->data + n, payload.ptr, payload.len);
	queue_add(&ws->queue, blob);
	blob_unref(blob);
	loop_touch(ws->host->loop, &ws->flush);
}

static void on_blocked(struct ws *ws)
{
	ws->host->options.metrics->ws_write_blocked_total++;
	ws->is_blocked = true;
	if (!ws->is_closing)
		loop_timer_start(ws->host->loop, &ws->timer,
				 ws->host->options.send_timeout_ms);
	want(ws);
}

static void on_written(struct ws *ws)
{
	ws->is_blocked = false;
	if (!ws->is_closing) {
		loop_timer_stop(ws->host->loop, &ws->timer);
	} else if (ws->parser.close_code != 0 && !ws->is_shut) {
		/* Its Close will not be seen: the end of the stream has to do. */
		ws->is_shut = true;
		(void)shutdown(loop_io_fd(&ws->io),
			       SHUT_WR); /* the dead show on reading */
	}
	want(ws);
	if (ws->is_closing && ws->is_ended)
		ws_free(ws);
}

/* Until the queue is empty or the kernel's buffer full. */
static void write_queue(struct ws *ws)
{
	struct iovec iov[WRITE_BLOBS_MAX];

	while (ws->queue.n > 0) {
		int iov_n = queue_peek(&ws->queue, iov, WRITE_BLOBS_MAX);
		struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)iov_n };
		ssize_t n = sendmsg(loop_io_fd(&ws->io), &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			on_blocked(ws);
			return;
		}
		if (n < 0) {
			on_gone(ws);
			return;
		}
		ws->host->options.metrics->out_bytes_total += (uint64_t)n;
		queue_consume(&ws->queue, (size_t)n);
	}
	on_written(ws);
}

static void on_timer(struct timer *timer)
{
	struct ws *ws = CONTAINER_OF(timer, struct ws, timer);

	if (ws->is_closing) {
		ws->host->options.metrics->ws_close_timeout_total++;
		ws_free(ws);
		return;
	}
	ws->host->options.metrics->ws_send_timeout_total++;
	end_conn(ws, CONN_CLOSE_SLOW);
}

/* ---- in */

static void on_close_frame(struct ws *ws)
{
	ws->is_ended = true;
	end_conn(ws, CONN_CLOSE_CLIENT);
	/* Its answer, a Close, is queued now, or was before. */
	loop_touch(ws->host->loop, &ws->flush);
}

static void on_malformed(struct ws *ws)
{
	ws->host->options.metrics->ws_malformed_total++;
	log_debug("ws.malformed", "code=%d", (int)ws->parser.close_code);
	end_conn(ws, CONN_CLOSE_PROTOCOL);
}

static void on_event(struct ws *ws, const struct ws_event *event)
{
	switch ((int)event->opcode) {
	case WS_CLOSE:
		on_close_frame(ws);
		break;
	case WS_PING:
		if (!ws->is_closing && ws->queue.bytes < PONG_QUEUE_BYTES_MAX)
			queue_frame(ws, WS_PONG, event->payload);
		break;
	case WS_PONG:
		break;
	default:
		if (ws->transport.conn && event->payload.len > 0)
			conn_on_bytes(ws->transport.conn, event->payload);
		break;
	}
}

/* True while what comes is still worth parsing. */
static bool is_parsing(const struct ws *ws)
{
	return !ws->is_freed && !ws->is_ended && ws->parser.close_code == 0;
}

/* Returns how many bytes were used or are of no use any more. */
static size_t parse(struct ws *ws, char *ptr, size_t len)
{
	struct ws_event event;
	size_t at = 0;

	while (at < len && is_parsing(ws) && !ws->is_paused) {
		ssize_t n = ws_frame_next(&ws->parser, ptr + at, len - at, &event);

		if (n == 0)
			return at;
		if (n < 0) {
			on_malformed(ws);
			return len;
		}
		on_event(ws, &event);
		at += (size_t)n;
	}
	return is_parsing(ws) ? at : len;
}

/* What was kept, after a pause or from behind the opening request. */
static void parse_pending(struct ws *ws)
{
	/* Ours for the while: the connection may end the transport with bytes in its
	 * hands. */
	struct buf bytes = ws->pending;
	size_t used;

	buf_init(&ws->pending);
	used = parse(ws, bytes.ptr, bytes.len);
	if (!ws->is_freed && used < bytes.len)
		buf_append(&ws->pending, bytes.ptr + used, bytes.len - used);
	buf_fini(&bytes);
}

static void on_readable(struct ws *ws)
{
	char *read = ws->host->read;
	size_t kept = ws->pending.len;
	size_t used;
	ssize_t n;

	/* More than the start of a frame: this turn's flush parses it first. */
	if (kept > WS_PENDING_BYTES_MAX)
		return;
	n = recv(loop_io_fd(&ws->io), read + kept, READ_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_gone(ws);
		return;
	}
	ws->host->options.metrics->in_bytes_total += (uint64_t)n;
	if (kept > 0)
		memcpy(read, ws->pending.ptr, kept);
	buf_fini(&ws->pending);
	used = parse(ws, read, kept + (size_t)n);
	if (!ws->is_freed && used < kept + (size_t)n)
		buf_append(&ws->pending, read + used, kept + (size_t)n - used);
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct ws *ws = CONTAINER_OF(io, struct ws, io);

	if (ready & LOOP_WRITE) {
		ws->is_blocked = false;
		loop_touch(ws->host->loop, &ws->flush);
	}
	if ((ready & LOOP_READ) && !ws->is_paused)
		on_readable(ws);
}

static void on_flush(struct loop_flush *flush)
{
	struct ws *ws = CONTAINER_OF(flush, struct ws, flush);

	if (ws->pending.len > 0 && !ws->is_paused)
		parse_pending(ws);
	if (!ws->is_freed && !ws->is_blocked)
		write_queue(ws);
}

/* ---- what the connection asks for */

static struct blob *ws_wrap(struct slice frames, bool is_text)
{
	char header[WS_HEADER_BYTES_MAX];
	size_t n = ws_frame_header(header, is_text ? WS_TEXT : WS_BINARY, frames.len);
	struct blob *blob = blob_new(n + frames.len);

	memcpy(blob->data, header, n);
	if (frames.len > 0)
		memcpy(blob->data + n, frames.ptr, frames.len);
	return blob;
}

static struct ws *ws_of(struct transport *transport)
{
	return CONTAINER_OF(transport, struct ws, transport);
}

static void ws_send(struct transport *transport, struct blob *wrapped)
{
	struct ws *ws = ws_of(transport);

	assert(!ws->is_closing);
	/* A client that has sent Close reads no more messages. */
	if (ws->is_ended)
		return;
	queue_add(&ws->queue, wrapped);
	loop_touch(ws->host->loop, &ws->flush);
}

static size_t ws_queued_bytes(const struct transport *transport)
{
	const struct ws *ws = (const struct ws *)(const void *)transport;

	/* What no write was tried for yet is no sign of a slow reader. */
	return ws->is_blocked ? ws->queue.bytes : 0;
}

static void ws_pause(struct transport *transport, bool is_paused)
{
	struct ws *ws = ws_of(transport);

	ws->is_paused = is_paused;
	want(ws);
	if (!is_paused && ws->pending.len > 0)
		loop_touch(ws->host->loop, &ws->flush);
}

static void ws_close(struct transport *transport, bool is_error)
{
	struct ws *ws = ws_of(transport);
	unsigned code = is_error ? WS_CLOSE_INTERNAL : WS_CLOSE_NORMAL;
	char payload[2];

	assert(!ws->is_closing);
	ws->transport.conn = NULL;
	if (ws->parser.close_code != 0)
		code = ws->parser.close_code;
	payload[0] = (char)(uint8_t)(code >> 8);
	payload[1] = (char)(uint8_t)code;
	queue_frame(ws, WS_CLOSE, slice_make(payload, sizeof(payload)));
	ws->is_closing = true;
	ws->is_paused = false;
	loop_timer_start(ws->host->loop, &ws->timer, ws->host->options.close_timeout_ms);
	want(ws);
}

static void ws_abort(struct transport *transport)
{
	struct ws *ws = ws_of(transport);

	ws->transport.conn = NULL;
	ws_free(ws);
}

const struct transport_ops transport_ws_ops = {
	.kind = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS,
	.wrap = ws_wrap,
	.send = ws_send,
	.queued_bytes = ws_queued_bytes,
	.pause = ws_pause,
	.close = ws_close,
	.abort = ws_abort,
};

/* ---- the beginning */

static void queue_accept(struct ws *ws, struct slice key)
{
	struct buf text = BUF_INIT;
	struct blob *blob;

	ws_opening_accept(&text, key);
	blob = blob_from(buf_slice(&text));
	queue_add(&ws->queue, blob);
	blob_unref(blob);
	buf_fini(&text);
}

struct transport *transport_ws_new(struct ws_host *host, int fd, struct buf *rest,
				   struct slice key)
{
	struct ws *ws = MEM_NEW(struct ws);

	assert(fd >= 0 && rest);
	ws->transport.ops = &transport_ws_ops;
	ws->host = host;
	list_append(&host->sockets, &ws->node);
	loop_io_init(&ws->io, host->loop, fd, on_io);
	loop_flush_init(&ws->flush, on_flush);
	timer_init(&ws->timer, on_timer);
	queue_init(&ws->queue);
	ws->pending = *rest;
	buf_init(rest);
	queue_accept(ws, key);
	host->options.metrics->ws_sockets++;
	return &ws->transport;
}

void transport_ws_start(struct transport *transport)
{
	struct ws *ws = ws_of(transport);

	assert(transport->conn);
	want(ws);
	loop_touch(ws->host->loop, &ws->flush);
}
