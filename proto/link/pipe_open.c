/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pipe comes to be: listeners and single dial attempts. Owns NNG's listeners and
 * dialers; every stream they yield is handed to pipe_new() on the loop's thread.
 */
#include "proto/link/pipe_open.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/pipe_set.h"

/* After a failed accept (no descriptors left): at once would spin. */
#define ACCEPT_RETRY_MS 100
/* Group too: the programs of one machine may run as different users of one group. */
#define IPC_MODE 0660

struct pipe_listener {
	struct list node; /* in pipe_set.listeners */
	struct pipe_set *set;
	struct pipe_acceptor *acceptor; /* borrowed */
	nng_stream_listener *stream;	/* owned */
	nng_aio *aio;			/* owned */
	struct pipe_done done;
	struct timer retry;
	struct loop_defer defer;
	bool is_closed;
	char *url; /* owned */
};

struct pipe_dial_op {
	struct list node; /* in pipe_set.dials */
	struct pipe_set *set;
	struct pipe_dial *dial;	   /* borrowed */
	nng_stream_dialer *stream; /* owned; NULL when the url was refused */
	nng_aio *aio;		   /* owned */
	struct pipe_done done;
	int rc; /* NNG's, of an attempt that could not even start */
};

static void on_accepted(void *arg);
static void accept_done(struct pipe_done *done);
static void accept_retry(struct timer *timer);

static bool is_tcp(const char *url)
{
	return !strncmp(url, "tcp://", 6);
}

static bool is_ipc(const char *url)
{
	return !strncmp(url, "ipc://", 6);
}

bool pipe_url_is_known(const char *url)
{
	return is_tcp(url) || is_ipc(url);
}

/* ---- listening */

/* NNG replaces the socket file of a dead process by itself, and removes ours when closed.
 */
static int listener_bind(struct pipe_listener *listener, const char *url)
{
	int rc = nng_stream_listener_alloc(&listener->stream, url);

	if (!rc && is_ipc(url))
		rc = nng_stream_listener_set_int(listener->stream,
						 NNG_OPT_IPC_PERMISSIONS, IPC_MODE);
	if (!rc)
		rc = nng_stream_listener_listen(listener->stream);
	return rc;
}

/* "tcp://host:0" and the bound port give "tcp://host:41532". */
static int listener_name(struct pipe_listener *listener, const char *url)
{
	const char *colon = strrchr(url, ':');
	char text[sizeof(":65535")];
	size_t len = (size_t)(colon - url);
	int port;
	int rc;

	if (!is_tcp(url)) {
		listener->url = mem_dup(url, strlen(url));
		return 0;
	}
	rc = nng_stream_listener_get_int(listener->stream, NNG_OPT_TCP_BOUND_PORT, &port);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), ":%u", (unsigned)port & 0xffff);
	listener->url = mem_alloc(len + sizeof(text));
	memcpy(listener->url, url, len);
	memcpy(listener->url + len, text, sizeof(text));
	return 0;
}

static bool tcp_url_has_port(const char *url)
{
	const char *colon = strrchr(url + 6, ':');

	return colon && !strchr(colon, ']') && colon[1];
}

enum err pipe_listen(struct pipe_set *set, const char *url,
		     struct pipe_acceptor *acceptor, struct pipe_listener **listener)
{
	struct pipe_listener *new;
	int rc;

	assert(acceptor->fn);
	if (!pipe_url_is_known(url))
		return ERR_UNSUPPORTED;
	if (is_tcp(url) && !tcp_url_has_port(url))
		return ERR_ARGUMENT;
	new = MEM_NEW(struct pipe_listener);
	rc = listener_bind(new, url);
	if (!rc)
		rc = listener_name(new, url);
	if (rc) {
		if (new->stream)
			nng_stream_listener_free(new->stream);
		mem_free(new);
		return pipe_err(rc);
	}
	new->set = set;
	new->acceptor = acceptor;
	new->aio = pipe_aio_new(on_accepted, new);
	pipe_done_init(&new->done, accept_done);
	timer_init(&new->retry, accept_retry);
	list_append(&set->listeners, &new->node);
	nng_stream_listener_accept(new->stream, new->aio);
	*listener = new;
	return OK;
}

const char *pipe_listener_url(const struct pipe_listener *listener)
{
	return listener->url;
}

struct pipe_listener *pipe_listener_from_node(struct list *node)
{
	return CONTAINER_OF(node, struct pipe_listener, node);
}

static void listener_free(struct loop_defer *defer)
{
	struct pipe_listener *listener = CONTAINER_OF(defer, struct pipe_listener, defer);

	mem_free(listener->url);
	mem_free(listener);
}

/* A stream that arrived and was not handed over yet is ours to drop. */
static void stream_drop(nng_aio *aio)
{
	nng_stream *stream = nng_aio_result(aio) ? NULL : nng_aio_get_output(aio, 0);

	if (stream)
		nng_stream_free(stream);
}

void pipe_listener_close(struct pipe_listener *listener)
{
	if (!listener || listener->is_closed)
		return;
	listener->is_closed = true;
	nng_stream_listener_close(listener->stream);
	nng_aio_stop(listener->aio);
	stream_drop(listener->aio);
	nng_aio_free(listener->aio);
	nng_stream_listener_free(listener->stream);
	pipe_done_revoke(listener->set, &listener->done);
	loop_timer_stop(listener->set->loop, &listener->retry);
	list_remove(&listener->node);
	loop_defer_free(listener->set->loop, &listener->defer, listener_free);
}

/* On NNG's thread. */
static void on_accepted(void *arg)
{
	struct pipe_listener *listener = arg;

	pipe_done_post(listener->set, &listener->done);
}

static void stream_accept(struct pipe_listener *listener, nng_stream *stream)
{
	struct pipe_set *set = listener->set;
	struct pipe *pipe;

	if (set->pipe_count >= PIPE_COUNT_MAX) {
		log_warn("link.accept_refused", "url=%s pipes=%u", listener->url,
			 set->pipe_count);
		nng_stream_free(stream);
		return;
	}
	pipe = pipe_new(set, stream);
	listener->acceptor->fn(listener->acceptor, pipe);
	assert(pipe_is_taken(pipe));
}

static void accept_done(struct pipe_done *done)
{
	struct pipe_listener *listener = CONTAINER_OF(done, struct pipe_listener, done);
	int rc = nng_aio_result(listener->aio);
	nng_stream *stream;

	if (rc) {
		log_warn("link.accept_failed", "url=%s error=\"%s\"", listener->url,
			 nng_strerror(rc));
		loop_timer_start(listener->set->loop, &listener->retry, ACCEPT_RETRY_MS);
		return;
	}
	stream = nng_aio_get_output(listener->aio, 0);
	/* Before the callback, which may close the listener. */
	nng_stream_listener_accept(listener->stream, listener->aio);
	stream_accept(listener, stream);
}

static void accept_retry(struct timer *timer)
{
	struct pipe_listener *listener = CONTAINER_OF(timer, struct pipe_listener, retry);

	nng_stream_listener_accept(listener->stream, listener->aio);
}

/* ---- dialling */

/* On NNG's thread. */
static void on_dialed(void *arg)
{
	struct pipe_dial_op *op = arg;

	pipe_done_post(op->set, &op->done);
}

static void dial_done(struct pipe_done *done)
{
	struct pipe_dial_op *op = CONTAINER_OF(done, struct pipe_dial_op, done);
	struct pipe_dial *dial = op->dial;
	struct pipe *pipe = NULL;
	int rc = op->rc ? op->rc : nng_aio_result(op->aio);

	if (!rc) {
		pipe = pipe_new(op->set, nng_aio_get_output(op->aio, 0));
		nng_aio_set_output(op->aio, 0, NULL);
	}
	pipe_dial_op_free(op);
	dial->fn(dial, pipe, pipe_err(rc));
	assert(!pipe || pipe_is_taken(pipe));
}

void pipe_dial_init(struct pipe_dial *dial, pipe_dial_fn *fn)
{
	dial->fn = fn;
	dial->op = NULL;
}

void pipe_dial_start(struct pipe_set *set, const char *url, struct pipe_dial *dial)
{
	struct pipe_dial_op *op = MEM_NEW(struct pipe_dial_op);

	assert(!dial->op);
	op->set = set;
	op->dial = dial;
	op->aio = pipe_aio_new(on_dialed, op);
	pipe_done_init(&op->done, dial_done);
	list_append(&set->dials, &op->node);
	dial->op = op;

	op->rc = pipe_url_is_known(url) ? nng_stream_dialer_alloc(&op->stream, url)
					: NNG_ENOTSUP;
	if (op->rc) {
		pipe_done_post(set, &op->done);
		return;
	}
	nng_aio_set_timeout(op->aio, PIPE_DIAL_TIMEOUT_MS);
	nng_stream_dialer_dial(op->stream, op->aio);
}

void pipe_dial_cancel(struct pipe_dial *dial)
{
	if (dial->op)
		pipe_dial_op_free(dial->op);
}

struct pipe_dial_op *pipe_dial_op_from_node(struct list *node)
{
	return CONTAINER_OF(node, struct pipe_dial_op, node);
}

void pipe_dial_op_free(struct pipe_dial_op *op)
{
	op->dial->op = NULL;
	nng_aio_stop(op->aio);
	stream_drop(op->aio);
	nng_aio_free(op->aio);
	if (op->stream)
		nng_stream_dialer_free(op->stream);
	pipe_done_revoke(op->set, &op->done);
	list_remove(&op->node);
	mem_free(op);
}
