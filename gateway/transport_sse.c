/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event stream: an outlet and an inbox.
 *
 * Life: with a connection; closing (the connection is gone, what is queued goes out, then
 * our side is shut and the client's end waited for, one deadline for all of it); freed.
 */
#include "gateway/transport_sse.h"

#include <assert.h>
#include <string.h>

#include "gateway/conn.h"
#include "gateway/conn_out.h"
#include "proto/base/mem.h"

#define READ_BYTES 4096

#define LINE_START SLICE("data: ")
#define LINE_END SLICE("\r\n")

/* Clients, and whatever stands before them, learn by it that the stream is open. */
#define FIRST_LINE SLICE(":\r\n")

struct sse_host {
	struct outlet_host outlets;
	int64_t post_bytes_max;
	struct list streams;
	char read[READ_BYTES]; /* nobody looks at it */
};

struct sse {
	struct transport transport;
	struct sse_host *host; /* borrowed */
	struct list node;
	struct outlet out;
	struct inbox inbox;
	struct loop_defer defer;
	bool is_shut; /* all is sent, our side is shut */
	bool is_freed;
};

static struct sse *sse_of(struct transport *transport)
{
	return CONTAINER_OF(transport, struct sse, transport);
}

/* ---- the host */

static void on_timer(struct outlet *outlet);

struct sse_host *sse_host_new(const struct outlet_host *outlets, int64_t post_bytes_max)
{
	struct sse_host *host = MEM_NEW(struct sse_host);

	assert(outlets->loop != NULL && outlets->metrics != NULL);
	host->outlets = *outlets;
	host->outlets.spool = spool_new();
	host->outlets.on_timer = on_timer;
	host->post_bytes_max = post_bytes_max;
	list_init(&host->streams);
	return host;
}

static void sse_free(struct sse *sse);

void sse_host_free(struct sse_host *host)
{
	if (host == NULL)
		return;
	LIST_EACH (node, &host->streams)
		sse_free(CONTAINER_OF(node, struct sse, node));
	spool_free(host->outlets.spool);
	mem_free(host);
}

/* ---- the end */

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct sse, defer));
}

static void sse_free(struct sse *sse)
{
	if (sse->is_freed)
		return;
	assert(sse->transport.conn == NULL);
	sse->is_freed = true;
	inbox_close(&sse->inbox);
	outlet_fini(&sse->out);
	list_remove(&sse->node);
	sse->host->outlets.metrics->sse_sockets--;
	loop_defer_free(sse->host->outlets.loop, &sse->defer, on_defer);
}

/* The socket is at its end, or of no use any more. The connection, if there is one,
 * aborts the transport from inside. */
static void sse_end(struct sse *sse, enum conn_close_reason reason)
{
	if (sse->transport.conn != NULL)
		conn_on_end(sse->transport.conn, reason);
	else
		sse_free(sse);
	assert(sse->is_freed);
}

/* ---- the socket */

/* All is sent. */
static void on_written(struct sse *sse)
{
	if (!sse->out.is_ending) {
		if (sse->transport.conn != NULL)
			conn_on_drained(sse->transport.conn);
		return;
	}
	if (sse->is_shut)
		return;
	/* Closed at once, a socket with unread bytes would take along what is sent. */
	sse->is_shut = true;
	if (sock_shut_write(&sse->out.sock) != OK)
		sse_free(sse);
}

static void on_flush(struct loop_flush *flush)
{
	struct sse *sse = CONTAINER_OF(flush, struct sse, out.flush);
	enum err rc;

	if (sse->out.is_blocked)
		return;
	rc = outlet_write(&sse->out);
	if (rc == OK)
		on_written(sse);
	else if (rc == ERR_IO)
		sse_end(sse, CONN_CLOSE_TRANSPORT);
}

static void on_timer(struct outlet *outlet)
{
	struct sse *sse = CONTAINER_OF(outlet, struct sse, out);

	if (sse->out.is_ending)
		sse->host->outlets.metrics->sse_close_timeout_total++;
	else
		sse->host->outlets.metrics->send_timeout_total++;
	sse_end(sse, CONN_CLOSE_SLOW);
}

/* A client has nothing more to say on this socket but that it is gone. */
static void on_readable(struct sse *sse)
{
	const ssize_t n = sock_recv(&sse->out.sock, sse->host->read, READ_BYTES);

	if (n <= 0 && n != ERR_AGAIN)
		sse_end(sse, CONN_CLOSE_TRANSPORT);
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct sse *sse = CONTAINER_OF(io, struct sse, out.sock.io);

	outlet_on_ready(&sse->out, ready);
	if ((ready & LOOP_READ) != 0)
		on_readable(sse);
}

/* ---- events */

/* Cuts a line off. To a client LF, CR LF and a CR alone each end one, so what is left in
 * would be taken for a field of the stream. False: it was the last. */
static bool line_cut(struct slice *rest, struct slice *line)
{
	size_t at = 0;
	size_t end_len = 1;

	while (at < rest->len && rest->ptr[at] != '\n' && rest->ptr[at] != '\r')
		at++;
	*line = slice_make(rest->ptr, at);
	if (at == rest->len)
		return false;
	if (rest->ptr[at] == '\r' && at + 1 < rest->len && rest->ptr[at + 1] == '\n')
		end_len = 2;
	*rest = slice_from(*rest, at + end_len);
	return true;
}

static char *put(char *to, struct slice text)
{
	if (text.len > 0)
		memcpy(to, text.ptr, text.len);
	return to + text.len;
}

static size_t event_bytes(struct slice frames)
{
	size_t bytes = LINE_END.len;
	struct slice line;
	bool is_more;

	do {
		is_more = line_cut(&frames, &line);
		bytes += LINE_START.len + line.len + LINE_END.len;
	} while (is_more);
	return bytes;
}

static struct blob *sse_wrap(struct slice frames, bool is_text)
{
	struct blob *blob = blob_new(event_bytes(frames));
	char *to = blob->data;
	struct slice line;
	bool is_more;

	assert(is_text); /* the handshake refuses other protocols */
	do {
		is_more = line_cut(&frames, &line);
		to = put(to, LINE_START);
		to = put(to, line);
		to = put(to, LINE_END);
	} while (is_more);
	to = put(to, LINE_END);
	assert(to == blob->data + blob->len);
	return blob;
}

/* ---- what the connection asks for */

static void sse_send(struct transport *transport, struct blob *wrapped)
{
	struct sse *sse = sse_of(transport);

	assert(!sse->out.is_ending);
	outlet_add(&sse->out, wrapped);
}

static size_t sse_queued_bytes(const struct transport *transport)
{
	const struct sse *sse = (const struct sse *)(const void *)transport;

	return outlet_stuck_bytes(&sse->out);
}

static bool sse_has_room(struct transport *transport, size_t len, size_t max)
{
	return outlet_has_room(&sse_of(transport)->out, len, max);
}

static struct inbox *sse_inbox(struct transport *transport)
{
	return &sse_of(transport)->inbox;
}

static void sse_pause(struct transport *transport, bool is_paused)
{
	inbox_pause(&sse_of(transport)->inbox, is_paused);
}

static void sse_close(struct transport *transport, bool is_error)
{
	struct sse *sse = sse_of(transport);

	(void)is_error; /* a stream's end has no code; the hub Close has said why */
	assert(!sse->out.is_ending);
	transport->conn = NULL;
	inbox_close(&sse->inbox);
	outlet_end(&sse->out);
	loop_touch(sse->host->outlets.loop, &sse->out.flush);
}

static void sse_abort(struct transport *transport)
{
	transport->conn = NULL;
	sse_free(sse_of(transport));
}

const struct transport_ops transport_sse_ops = {
	.kind = LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS,
	.wrap = sse_wrap,
	.send = sse_send,
	.queued_bytes = sse_queued_bytes,
	.has_room = sse_has_room,
	.inbox = sse_inbox,
	.pause = sse_pause,
	.close = sse_close,
	.abort = sse_abort,
};

/* ---- the beginning */

static void queue_head(struct sse *sse, struct slice head)
{
	struct blob *blob = blob_new(head.len + FIRST_LINE.len);

	(void)put(put(blob->data, head), FIRST_LINE);
	outlet_add(&sse->out, blob);
	blob_unref(blob);
}

struct transport *transport_sse_new(struct sse_host *host, struct sock *sock,
				    struct slice head)
{
	struct sse *sse = MEM_NEW(struct sse);

	assert(sock != NULL);
	sse->transport.ops = &transport_sse_ops;
	sse->host = host;
	list_append(&host->streams, &sse->node);
	outlet_init(&sse->out, &host->outlets, sock, on_io, on_flush);
	inbox_init(&sse->inbox, &sse->transport, host->outlets.loop,
		   host->outlets.metrics, host->post_bytes_max);
	queue_head(sse, head);
	host->outlets.metrics->sse_sockets++;
	return &sse->transport;
}

void transport_sse_start(struct transport *transport)
{
	struct sse *sse = sse_of(transport);

	assert(transport->conn != NULL);
	outlet_read(&sse->out, true);
	loop_touch(sse->host->outlets.loop, &sse->out.flush);
}
