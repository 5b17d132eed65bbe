/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-Sent Events: an answer that goes on brings what the server sends, POST requests
 * take what the client sends. Lines are given out where they were read, unless the answer
 * comes in chunks: then they are put together first.
 */
#include <assert.h>
#include <string.h>

#include "bench/carrier.h"
#include "bench/poster.h"
#include "proto/base/http_answer.h"
#include "proto/base/mem.h"

struct sse {
	struct carrier carrier;
	struct stream stream;
	struct poster poster;
	struct loop_defer defer;
	struct http_body body;
	struct buf text; /* decoded chunks, up to a line's end; owned */
	bool is_open;	 /* the head of the answer has come */
	bool is_closed;
	bool is_in_event; /* a line of data has come, the blank one not */
};

static size_t on_bytes(struct stream *stream, struct slice bytes);
static void on_end(struct stream *stream, const char *why);
static void on_post_failed(struct poster *poster, const char *why);

static const struct stream_ops stream_ops = { on_bytes, on_end };

/* ---- life */

static struct carrier *sse_open(struct carrier_owner *owner,
				const struct carrier_target *target, const char **why)
{
	struct sse *sse = MEM_NEW(struct sse);
	struct buf *out;

	if (stream_open(&sse->stream, target->site->intake, &target->site->server,
			target->source, &stream_ops) != OK) {
		*why = err_errno_text();
		mem_free(sse);
		return NULL;
	}
	sse->carrier = (struct carrier){ &carrier_sse, owner };
	poster_init(&sse->poster, target, on_post_failed);
	out = stream_out(&sse->stream);
	carrier_request(out, "GET", target, true);
	buf_append_str(out, "Accept: text/event-stream\r\nCache-Control: no-cache\r\n"
			    "\r\n");
	return &sse->carrier;
}

static void sse_free(struct loop_defer *defer)
{
	struct sse *sse = CONTAINER_OF(defer, struct sse, defer);

	buf_fini(&sse->text);
	mem_free(sse);
}

static void sse_send(struct carrier *carrier, struct slice bytes)
{
	struct sse *sse = CONTAINER_OF(carrier, struct sse, carrier);

	poster_send(&sse->poster, bytes);
}

static void sse_close(struct carrier *carrier)
{
	struct sse *sse;

	if (carrier == NULL)
		return;
	sse = CONTAINER_OF(carrier, struct sse, carrier);
	assert(!sse->is_closed);
	sse->is_closed = true;
	poster_fini(&sse->poster);
	stream_close(&sse->stream);
	loop_defer_free(sse->stream.intake->loop, &sse->defer, sse_free);
}

static void sse_end(struct sse *sse, const char *why)
{
	struct carrier_owner *owner = sse->carrier.owner;

	sse_close(&sse->carrier);
	owner->ops->on_end(owner, why);
}

/* ---- what comes */

/* Returns the bytes used; 0: more are needed, or it has ended. */
static size_t on_head(struct sse *sse, struct slice bytes)
{
	struct http_answer answer;
	ssize_t n = http_answer_read(bytes, &answer);

	if (n == 0)
		return 0;
	if (n < 0 || answer.status != 200) {
		sse_end(sse, n < 0		    ? "the answer to GET is no HTTP"
			     : answer.status == 401 ? "event stream refused: 401"
			     : answer.status == 404 ? "event stream refused: 404"
						    : "event stream refused");
		return 0;
	}
	http_body_init(&sse->body, &answer);
	sse->is_open = true;
	sse->carrier.owner->ops->on_open(sse->carrier.owner);
	return (size_t)n;
}

static void give(struct sse *sse, struct slice bytes)
{
	if (!sse->is_closed && bytes.len > 0)
		sse->carrier.owner->ops->on_bytes(sse->carrier.owner, bytes);
}

/* One line without its end. Lines of one event are parted by a line feed. */
static void on_line(struct sse *sse, struct slice line)
{
	const struct slice name = SLICE("data:");

	if (line.len == 0) {
		sse->is_in_event = false;
	} else if (slice_starts_with(line, name)) {
		line = slice_from(line, name.len);
		if (line.len > 0 && line.ptr[0] == ' ')
			line = slice_from(line, 1);
		if (sse->is_in_event)
			give(sse, SLICE("\n"));
		sse->is_in_event = true;
		give(sse, line);
	}
}

/* Returns how much of it were whole lines. */
static size_t on_text(struct sse *sse, struct slice text)
{
	size_t used = 0;

	while (!sse->is_closed && used < text.len) {
		const char *at = text.ptr + used;
		const char *end = memchr(at, '\n', text.len - used);
		size_t len;

		if (end == NULL)
			break;
		len = (size_t)(end - at);
		used += len + 1;
		on_line(sse,
			slice_make(at, len > 0 && at[len - 1] == '\r' ? len - 1 : len));
	}
	return used;
}

static size_t on_chunks(struct sse *sse, struct slice bytes)
{
	bool is_done = false;
	ssize_t n = http_body_read(&sse->body, bytes, &sse->text, &is_done);

	if (n < 0) {
		sse_end(sse, "the event stream is not well-formed");
		return 0;
	}
	buf_consume(&sse->text, on_text(sse, buf_slice(&sse->text)));
	if (sse->text.len == 0)
		buf_fini(&sse->text);
	if (is_done && !sse->is_closed)
		sse_end(sse, "the server ended the event stream");
	return (size_t)n;
}

static size_t on_bytes(struct stream *stream, struct slice bytes)
{
	struct sse *sse = CONTAINER_OF(stream, struct sse, stream);
	size_t used = 0;

	if (!sse->is_open) {
		used = on_head(sse, bytes);
		if (used == 0 || sse->is_closed)
			return used;
	}
	bytes = slice_from(bytes, used);
	return used + (sse->body.kind == HTTP_BODY_TO_END ? on_text(sse, bytes)
							  : on_chunks(sse, bytes));
}

static void on_end(struct stream *stream, const char *why)
{
	sse_end(CONTAINER_OF(stream, struct sse, stream), why);
}

static void on_post_failed(struct poster *poster, const char *why)
{
	sse_end(CONTAINER_OF(poster, struct sse, poster), why);
}

const struct carrier_ops carrier_sse = {
	.name = "sse",
	.negotiated = "ServerSentEvents",
	.needs_id = true,
	.has_pings = true,
	.is_text_only = true,
	.descriptors_n = 1,
	.open = sse_open,
	.send = sse_send,
	.close = sse_close,
};
