/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long polling: one request after the other on a connection of its own, each answered
 * when there is something; POST requests take what the client sends. The first poll is
 * answered at once and opens the transport. A DELETE says goodbye, for which the carrier
 * outlives its owner's interest.
 */
#include <assert.h>

#include "bench/carrier.h"
#include "bench/poster.h"
#include "proto/base/http_answer.h"
#include "proto/base/mem.h"

struct polling {
	struct carrier carrier;
	struct stream stream;
	struct poster poster;
	struct loop_defer defer;
	struct sockaddr_in server; /* for another connection, when one is closed */
	struct in_addr source;
	struct http_answer answer;
	struct http_body body;
	struct buf content; /* of one answer; owned */
	bool is_in_body;
	bool is_open;
	bool is_closed;
};

static size_t on_bytes(struct stream *stream, struct slice bytes);
static void on_end(struct stream *stream, const char *why);
static void on_poster(struct poster *poster, const char *why);

static const struct stream_ops stream_ops = { on_bytes, on_end };

/* ---- life */

static void polling_ask(struct polling *polling)
{
	buf_appendf(stream_out(&polling->stream), "GET%.*s\r\n",
		    SLICE_FMT(buf_slice(&polling->poster.line)));
}

static struct carrier *polling_open(struct carrier_owner *owner,
				    const struct carrier_target *target, const char **why)
{
	struct polling *polling = MEM_NEW(struct polling);

	polling->server = target->site->server;
	polling->source = target->source;
	if (stream_open(&polling->stream, target->site->intake, &polling->server,
			polling->source, &stream_ops) != OK) {
		*why = err_errno_text();
		mem_free(polling);
		return NULL;
	}
	polling->carrier = (struct carrier){ &carrier_long_polling, owner };
	poster_init(&polling->poster, target, on_poster);
	polling_ask(polling);
	return &polling->carrier;
}

static void polling_free(struct loop_defer *defer)
{
	struct polling *polling = CONTAINER_OF(defer, struct polling, defer);

	poster_fini(&polling->poster);
	buf_fini(&polling->content);
	mem_free(polling);
}

static void polling_send(struct carrier *carrier, struct slice bytes)
{
	struct polling *polling = CONTAINER_OF(carrier, struct polling, carrier);

	poster_send(&polling->poster, bytes);
}

static void polling_drop(struct polling *polling)
{
	assert(!polling->is_closed);
	polling->is_closed = true;
	stream_close(&polling->stream);
}

static void polling_bury(struct polling *polling)
{
	loop_defer_free(polling->stream.intake->loop, &polling->defer, polling_free);
}

static void polling_close(struct carrier *carrier)
{
	struct polling *polling;

	if (carrier == NULL)
		return;
	polling = CONTAINER_OF(carrier, struct polling, carrier);
	polling_drop(polling);
	if (polling->is_open)
		poster_delete(&polling->poster);
	else
		polling_bury(polling);
}

/* The server knows. */
static void polling_end(struct polling *polling, const char *why)
{
	struct carrier_owner *owner = polling->carrier.owner;

	polling_drop(polling);
	polling_bury(polling);
	owner->ops->on_end(owner, why);
}

static void on_poster(struct poster *poster, const char *why)
{
	struct polling *polling = CONTAINER_OF(poster, struct polling, poster);

	if (polling->is_closed)
		polling_bury(polling);
	else
		polling_end(polling, why);
}

/* ---- what comes */

static void poll_again(struct polling *polling)
{
	if (polling->answer.is_closing) {
		struct intake *intake = polling->stream.intake;

		stream_close(&polling->stream);
		if (stream_open(&polling->stream, intake, &polling->server,
				polling->source, &stream_ops) != OK) {
			polling_end(polling, "no connection for the next poll");
			return;
		}
	}
	polling_ask(polling);
}

static void on_answer(struct polling *polling)
{
	struct carrier_owner *owner = polling->carrier.owner;
	struct buf content = polling->content;

	polling->content = BUF_INIT;
	polling->is_in_body = false;
	if (polling->answer.status != 200) {
		polling_end(polling, polling->answer.status == 204
					     ? "the server ended the polling"
					     : "a poll was refused");
		buf_fini(&content);
		return;
	}
	if (!polling->is_open) {
		polling->is_open = true;
		owner->ops->on_open(owner);
	}
	if (!polling->is_closed && content.len > 0)
		owner->ops->on_bytes(owner, buf_slice(&content));
	buf_fini(&content);
	if (!polling->is_closed)
		poll_again(polling);
}

/* Returns the bytes used; ERR_MALFORMED. */
static ssize_t on_part(struct polling *polling, struct slice bytes)
{
	ssize_t head = 0;
	ssize_t n;
	bool is_done;

	if (!polling->is_in_body) {
		head = http_answer_read(bytes, &polling->answer);
		if (head <= 0)
			return head;
		http_body_init(&polling->body, &polling->answer);
		polling->is_in_body = true;
	}
	n = http_body_read(&polling->body, slice_from(bytes, (size_t)head),
			   &polling->content, &is_done);
	if (n < 0)
		return n;
	if (is_done)
		on_answer(polling);
	return head + n;
}

static size_t on_bytes(struct stream *stream, struct slice bytes)
{
	struct polling *polling = CONTAINER_OF(stream, struct polling, stream);
	ssize_t n = on_part(polling, bytes);

	if (n < 0)
		polling_end(polling, "the answer to a poll is not well-formed");
	else if (!polling->is_closed && !polling->is_in_body && (size_t)n < bytes.len &&
		 n > 0)
		polling_end(polling, "more came than was asked for");
	return n < 0 ? 0 : (size_t)n;
}

static void on_end(struct stream *stream, const char *why)
{
	struct polling *polling = CONTAINER_OF(stream, struct polling, stream);

	if (polling->is_in_body && polling->body.kind == HTTP_BODY_TO_END)
		on_answer(polling);
	else
		polling_end(polling, why);
}

const struct carrier_ops carrier_long_polling = {
	.name = "longpolling",
	.negotiated = "LongPolling",
	.needs_id = true,
	.descriptors_n = 1,
	.open = polling_open,
	.send = polling_send,
	.close = polling_close,
};
