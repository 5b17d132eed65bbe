/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One WebSocket: an outlet and a frame parser. Reading happens on the event, into a
 * buffer all sockets share; what cannot be parsed yet is kept.
 *
 * Life: with a connection; closing (our Close is queued, the connection is gone, one
 * deadline for all the rest); freed. A socket that failed closes too, but believes
 * nothing it reads.
 */
#include "gateway/transport_ws.h"

#include <assert.h>
#include <string.h>

#include "gateway/conn.h"
#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/outlet.h"
#include "gateway/ws_frame.h"
#include "gateway/ws_opening.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define READ_BYTES 65536u

/* A client that pings and does not read gets no Pong beyond so many that wait; the last
 * one would do (RFC 6455 5.5.3). */
#define PONG_QUEUE_BYTES_MAX 4096u
#define CONTROL_HEADER_BYTES 2u

struct ws_host {
	struct outlet_host outlets; /* its spool is owned */
	struct list sockets;
	char read[WS_PENDING_BYTES_MAX + READ_BYTES]; /* meaningless between reads */
};

struct ws {
	struct transport transport;
	struct ws_far *far;   /* borrowed; instead of a connection */
	struct ws_host *host; /* borrowed */
	union {
		struct list node;	 /* in host->sockets */
		struct loop_defer defer; /* once it is freed */
	};
	struct outlet out;
	struct ws_parser parser;
	struct buf *pending; /* owned; read, not parsed: the start of a frame, or all
				since a pause; NULL: nothing */
	bool is_paused;
	bool is_shut;  /* failed, all is sent, our side is shut */
	bool is_ended; /* the client's Close is here, or the socket is at its end */
	bool is_freed;
	uint16_t pong_bytes; /* queued since all was sent */
};

/* docs/PERFORMANCE.md, Memory: a million of each. */
_Static_assert(sizeof(struct ws) <= 344, "an idle WebSocket is small");

/* ---- the host */

static void on_timer(struct outlet *outlet);

struct ws_host *ws_host_new(const struct outlet_host *outlets)
{
	struct ws_host *host = mem_alloc(sizeof(*host));

	assert(outlets->loop != NULL && outlets->metrics != NULL);
	host->outlets = *outlets;
	host->outlets.spool = spool_new();
	host->outlets.on_timer = on_timer;
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
	spool_free(host->outlets.spool);
	mem_free(host);
}

/* ---- what is not parsed */

static size_t pending_bytes(const struct ws *ws)
{
	return ws->pending != NULL ? ws->pending->len : 0;
}

static void pending_keep(struct ws *ws, const char *ptr, size_t len)
{
	if (len == 0)
		return;
	if (ws->pending == NULL)
		ws->pending = MEM_NEW(struct buf);
	buf_append(ws->pending, ptr, len);
}

static void pending_drop(struct ws *ws)
{
	if (ws->pending == NULL)
		return;
	buf_fini(ws->pending);
	mem_free(ws->pending);
	ws->pending = NULL;
}

/* ---- the end */

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct ws, defer));
}

static void ws_free(struct ws *ws)
{
	if (ws->is_freed)
		return;
	assert(ws->transport.conn == NULL && ws->far == NULL);
	ws->is_freed = true;
	outlet_fini(&ws->out);
	list_remove(&ws->node);
	pending_drop(ws);
	ws->host->outlets.metrics->ws_sockets--;
	loop_defer_free(ws->host->outlets.loop, &ws->defer, on_defer);
}

/* The connection ends the transport: it calls close or abort from inside. */
static void end_conn(struct ws *ws, enum conn_close_reason reason)
{
	if (ws->transport.conn)
		conn_on_end(ws->transport.conn, reason);
	else if (ws->far != NULL)
		ws->far->ops->on_end(ws->far, reason);
	assert(!ws->transport.conn && ws->far == NULL);
}

/* The socket itself is at its end; what was not sent never will be. */
static void on_gone(struct ws *ws)
{
	ws->is_ended = true;
	end_conn(ws, CONN_CLOSE_TRANSPORT);
	ws_free(ws);
}

/* ---- out */

static void queue_frame(struct ws *ws, enum ws_opcode opcode, struct slice payload)
{
	char header[WS_HEADER_BYTES_MAX];
	size_t n = ws_frame_header(header, opcode, payload.len);
	struct blob *blob = blob_new(n + payload.len);

	memcpy(blob->data, header, n);
	if (payload.len > 0)
		memcpy(blob->data + n, payload.ptr, payload.len);
	outlet_add(&ws->out, blob);
	blob_unref(blob);
}

/* All is sent; `was_stuck`: the kernel did not take it at first. */
static void on_written(struct ws *ws, bool was_stuck)
{
	ws->pong_bytes = 0;
	if (!ws->out.is_ending) {
		if (ws->transport.conn != NULL && was_stuck)
			conn_on_drained(ws->transport.conn);
		else if (ws->far != NULL)
			ws->far->ops->on_drained(ws->far);
		return;
	}
	if (ws->parser.close_code != 0 && !ws->is_shut) {
		/* Its Close will not be seen: the end of the stream has to do. */
		ws->is_shut = true;
		if (sock_shut_write(&ws->out.sock) != OK) {
			ws_free(ws);
			return;
		}
	}
	if (ws->is_ended)
		ws_free(ws);
}

static void on_timer(struct outlet *outlet)
{
	struct ws *ws = CONTAINER_OF(outlet, struct ws, out);

	if (ws->out.is_ending) {
		ws->host->outlets.metrics->ws_close_timeout_total++;
		ws_free(ws);
		return;
	}
	ws->host->outlets.metrics->send_timeout_total++;
	end_conn(ws, CONN_CLOSE_SLOW);
}

/* ---- in */

static void on_close_frame(struct ws *ws)
{
	ws->is_ended = true;
	end_conn(ws, CONN_CLOSE_CLIENT);
	/* Its answer, a Close, is queued now, or was before. */
	loop_touch(ws->host->outlets.loop, &ws->out.flush);
}

static void on_malformed(struct ws *ws)
{
	ws->host->outlets.metrics->ws_malformed_total++;
	log_debug("ws.malformed", "code=%d", (int)ws->parser.close_code);
	end_conn(ws, CONN_CLOSE_PROTOCOL);
}

/* However much else waits: a client that is behind must not take us for gone. */
static void on_ping(struct ws *ws, struct slice payload)
{
	if (ws->out.is_ending || ws->pong_bytes >= PONG_QUEUE_BYTES_MAX)
		return;
	queue_frame(ws, WS_PONG, payload);
	ws->pong_bytes = (uint16_t)(ws->pong_bytes + CONTROL_HEADER_BYTES + payload.len);
}

/* What brings the connection nothing is counted against its bytes here. */
static void count_idle_frame(struct ws *ws, const struct ws_event *event, size_t n)
{
	const bool is_idle = event->payload.len == 0 || event->opcode >= WS_CLOSE;

	if (is_idle && ws->transport.conn != NULL)
		conn_count_bytes(ws->transport.conn, n);
}

static void on_event(struct ws *ws, const struct ws_event *event)
{
	switch ((int)event->opcode) {
	case WS_CLOSE:
		on_close_frame(ws);
		break;
	case WS_PING:
		on_ping(ws, event->payload);
		break;
	case WS_PONG:
		break;
	default:
		if (event->payload.len == 0)
			break;
		if (ws->transport.conn)
			conn_on_bytes(ws->transport.conn, event->payload);
		else if (ws->far != NULL)
			ws->far->ops->on_bytes(ws->far, event->payload);
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
		count_idle_frame(ws, &event, (size_t)n);
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
	struct buf *bytes = ws->pending;
	size_t used;

	ws->pending = NULL;
	used = parse(ws, bytes->ptr, bytes->len);
	if (!ws->is_freed)
		pending_keep(ws, bytes->ptr + used, bytes->len - used);
	buf_fini(bytes);
	mem_free(bytes);
}

static void on_readable(struct ws *ws)
{
	char *read = ws->host->read;
	size_t kept = pending_bytes(ws);
	size_t used;
	ssize_t n;

	/* More than the start of a frame: this turn's flush parses it first. */
	if (kept > WS_PENDING_BYTES_MAX)
		return;
	n = sock_recv(&ws->out.sock, read + kept, READ_BYTES);
	if (n == ERR_AGAIN)
		return;
	if (n <= 0) {
		on_gone(ws);
		return;
	}
	ws->host->outlets.metrics->in_bytes_total += (uint64_t)n;
	if (kept > 0)
		memcpy(read, ws->pending->ptr, kept);
	pending_drop(ws);
	used = parse(ws, read, kept + (size_t)n);
	if (!ws->is_freed)
		pending_keep(ws, read + used, kept + (size_t)n - used);
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct ws *ws = CONTAINER_OF(io, struct ws, out.sock.io);

	outlet_on_ready(&ws->out, ready);
	if ((ready & LOOP_READ) && !ws->is_paused)
		on_readable(ws);
}

static void on_flush(struct loop_flush *flush)
{
	struct ws *ws = CONTAINER_OF(flush, struct ws, out.flush);
	const bool was_stuck = ws->out.is_waiting;
	enum err rc = ERR_AGAIN;

	if (pending_bytes(ws) > 0 && !ws->is_paused)
		parse_pending(ws);
	if (!ws->is_freed && !ws->out.is_blocked)
		rc = outlet_write(&ws->out);
	if (rc == OK)
		on_written(ws, was_stuck);
	else if (rc == ERR_IO)
		on_gone(ws);
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

	assert(!ws->out.is_ending);
	/* A client that has sent Close reads no more messages. */
	if (!ws->is_ended)
		outlet_add(&ws->out, wrapped);
}

static size_t ws_queued_bytes(const struct transport *transport)
{
	const struct ws *ws = (const struct ws *)(const void *)transport;

	return outlet_stuck_bytes(&ws->out);
}

static bool ws_has_room(struct transport *transport, size_t len, size_t max)
{
	return outlet_has_room(&ws_of(transport)->out, len, max);
}

static void ws_pause(struct transport *transport, bool is_paused)
{
	struct ws *ws = ws_of(transport);

	ws->is_paused = is_paused;
	outlet_read(&ws->out, !is_paused);
	if (!is_paused && pending_bytes(ws) > 0)
		loop_touch(ws->host->outlets.loop, &ws->out.flush);
}

static void ws_close(struct transport *transport, bool is_error)
{
	struct ws *ws = ws_of(transport);
	unsigned code = is_error ? WS_CLOSE_INTERNAL : WS_CLOSE_NORMAL;
	char payload[2];

	assert(!ws->out.is_ending);
	ws->transport.conn = NULL;
	ws->far = NULL;
	if (ws->parser.close_code != 0)
		code = ws->parser.close_code;
	payload[0] = (char)(uint8_t)(code >> 8);
	payload[1] = (char)(uint8_t)code;
	queue_frame(ws, WS_CLOSE, slice_make(payload, sizeof(payload)));
	ws->is_paused = false;
	outlet_end(&ws->out);
	outlet_read(&ws->out, true);
}

static void ws_abort(struct transport *transport)
{
	struct ws *ws = ws_of(transport);

	ws->transport.conn = NULL;
	ws->far = NULL;
	ws_free(ws);
}

const struct transport_ops transport_ws_ops = {
	.kind = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS,
	.wrap = ws_wrap,
	.send = ws_send,
	.queued_bytes = ws_queued_bytes,
	.has_room = ws_has_room,
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
	outlet_add(&ws->out, blob);
	blob_unref(blob);
	buf_fini(&text);
}

struct transport *transport_ws_new(struct ws_host *host, struct sock *sock,
				   struct buf *rest, struct slice key)
{
	struct ws *ws = MEM_NEW(struct ws);

	assert(sock != NULL && rest != NULL);
	ws->transport.ops = &transport_ws_ops;
	ws->host = host;
	list_append(&host->sockets, &ws->node);
	outlet_init(&ws->out, &host->outlets, sock, on_io, on_flush);
	pending_keep(ws, rest->ptr, rest->len);
	buf_fini(rest);
	queue_accept(ws, key);
	host->outlets.metrics->ws_sockets++;
	return &ws->transport;
}

void transport_ws_set_far(struct transport *transport, struct ws_far *far)
{
	assert(transport->conn == NULL);
	ws_of(transport)->far = far;
}

void transport_ws_start(struct transport *transport)
{
	struct ws *ws = ws_of(transport);

	assert(transport->conn != NULL || ws->far != NULL);
	outlet_read(&ws->out, !ws->is_paused);
	loop_touch(ws->host->outlets.loop, &ws->out.flush);
}
