/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/poster.h"

static void on_flush(struct loop_flush *flush);
static void on_answer(struct http_ask *ask, int status, struct slice body);
static void on_deleted(struct http_ask *ask, int status, struct slice body);

void poster_init(struct poster *poster, const struct carrier_target *target,
		 poster_fn *fn)
{
	*poster = (struct poster){ .fn = fn, .is_text = target->is_text };
	poster->pool = target->site->pool;
	poster->loop = target->site->intake->loop;
	carrier_request(&poster->line, "", target, false);
	http_ask_init(&poster->ask, on_answer);
	loop_flush_init(&poster->flush, on_flush);
}

void poster_fini(struct poster *poster)
{
	loop_untouch(&poster->flush);
	http_ask_fini(&poster->ask);
	buf_fini(&poster->line);
	buf_fini(&poster->pending);
}

void poster_send(struct poster *poster, struct slice bytes)
{
	buf_append_slice(&poster->pending, bytes);
	loop_touch(poster->loop, &poster->flush);
}

static void on_flush(struct loop_flush *flush)
{
	struct poster *poster = CONTAINER_OF(flush, struct poster, flush);
	struct buf *out = &poster->ask.request;

	if (poster->ask.is_busy || poster->pending.len == 0)
		return;
	buf_appendf(out, "POST%.*sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		    SLICE_FMT(buf_slice(&poster->line)),
		    poster->is_text ? "text/plain;charset=UTF-8"
				    : "application/octet-stream",
		    poster->pending.len);
	buf_append_slice(out, buf_slice(&poster->pending));
	buf_fini(&poster->pending);
	http_pool_ask(poster->pool, &poster->ask);
}

static void on_answer(struct http_ask *ask, int status, struct slice body)
{
	struct poster *poster = CONTAINER_OF(ask, struct poster, ask);

	(void)body;
	if (status == 200)
		loop_touch(poster->loop, &poster->flush);
	else
		poster->fn(poster, status == 0	   ? "a POST got no answer"
				   : status == 404 ? "a POST was refused: 404"
						   : "a POST was refused");
}

void poster_delete(struct poster *poster)
{
	loop_untouch(&poster->flush);
	http_ask_fini(&poster->ask);
	http_ask_init(&poster->ask, on_deleted);
	buf_appendf(&poster->ask.request, "DELETE%.*s\r\n",
		    SLICE_FMT(buf_slice(&poster->line)));
	http_pool_ask(poster->pool, &poster->ask);
}

static void on_deleted(struct http_ask *ask, int status, struct slice body)
{
	struct poster *poster = CONTAINER_OF(ask, struct poster, ask);

	(void)status; /* a server may have ended it first, */
	(void)body;   /* and nobody is left to mind */
	poster->fn(poster, NULL);
}
