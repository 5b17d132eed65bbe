/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/link/pipe.h and pipe_open.h over the simulated network, without NNG and threads.
 * What NNG would complete on a thread of its own is posted to the loop.
 */
#include "proto/link/pipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "proto/link/pipe_open.h"
#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/node.h"

#define HEAD_BYTES 4u
#define RECV_BYTES (64u << 10)
#define HOST_BYTES 64

struct pipe_set {
	struct loop *loop; /* borrowed */
	struct list pipes;
	struct list listeners;
	struct list dials;
};

struct pipe {
	struct list node;
	struct pipe_set *set;
	struct pipe_owner *owner; /* borrowed */
	struct net_end *end;
	struct sim_post post;
	struct loop_flush flush;
	struct loop_defer defer;
	struct buf in;
	struct buf out;
	size_t frame_bytes_max;
	bool is_closed;
	bool is_paused;
	bool is_drain_wanted;
	char peer[32];
};

struct pipe_listener {
	struct list node;
	struct pipe_set *set;
	struct pipe_acceptor *acceptor; /* borrowed */
	struct net_listener *net;
	struct sim_post post;
	struct loop_defer defer;
	bool is_closed;
	char *url; /* owned */
};

struct pipe_dial_op {
	struct list node;
	struct pipe_set *set;
	struct pipe_dial *dial; /* borrowed */
	struct net_end *end;	/* NULL: there is no such host */
	struct sim_post post;
	struct timer timeout;
};

/* ---- one per process */

struct pipe_set *pipe_set_new(struct loop *loop)
{
	struct pipe_set *set = MEM_NEW(struct pipe_set);

	set->loop = loop;
	list_init(&set->pipes);
	list_init(&set->listeners);
	list_init(&set->dials);
	return set;
}

void pipe_set_free(struct pipe_set *set)
{
	if (set == NULL)
		return;
	LIST_EACH (node, &set->dials)
		pipe_dial_cancel(CONTAINER_OF(node, struct pipe_dial_op, node)->dial);
	LIST_EACH (node, &set->listeners)
		pipe_listener_close(CONTAINER_OF(node, struct pipe_listener, node));
	LIST_EACH (node, &set->pipes)
		pipe_close(CONTAINER_OF(node, struct pipe, node));
	mem_free(set);
}

/* ---- a pipe's life */

static void on_wake(void *owner)
{
	struct pipe *pipe = owner;

	sim_post(pipe->set->loop, &pipe->post);
}

static void on_post(struct sim_post *post);
static void on_flush(struct loop_flush *flush);

static struct pipe *pipe_new(struct pipe_set *set, struct net_end *end)
{
	struct pipe *pipe = MEM_NEW(struct pipe);

	pipe->set = set;
	pipe->end = end;
	pipe->frame_bytes_max = PIPE_FRAME_BYTES_MAX;
	sim_post_init(&pipe->post, on_post);
	loop_flush_init(&pipe->flush, on_flush);
	list_init(&pipe->node);
	list_append(&set->pipes, &pipe->node);
	net_set_owner(end, on_wake, pipe);
	(void)snprintf(pipe->peer, sizeof(pipe->peer), "sim:%u", net_peer_host(end));
	on_wake(pipe);
	return pipe;
}

void pipe_set_owner(struct pipe *pipe, struct pipe_owner *owner)
{
	assert(!pipe->is_closed);
	pipe->owner = owner;
}

struct pipe_owner *pipe_owner(const struct pipe *pipe)
{
	return pipe->owner;
}

void pipe_set_frame_max(struct pipe *pipe, size_t bytes_max)
{
	assert(bytes_max <= PIPE_FRAME_BYTES_MAX);
	pipe->frame_bytes_max = bytes_max;
}

const char *pipe_peer(const struct pipe *pipe)
{
	return pipe->peer;
}

static void pipe_free(struct loop_defer *defer)
{
	struct pipe *pipe = CONTAINER_OF(defer, struct pipe, defer);

	buf_fini(&pipe->in);
	buf_fini(&pipe->out);
	mem_free(pipe);
}

void pipe_close(struct pipe *pipe)
{
	if (pipe->is_closed)
		return;
	pipe->is_closed = true;
	net_close(pipe->end);
	sim_post_revoke(&pipe->post);
	loop_untouch(&pipe->flush);
	list_remove(&pipe->node);
	loop_defer_free(pipe->set->loop, &pipe->defer, pipe_free);
}

static void pipe_end(struct pipe *pipe, enum err rc)
{
	pipe_close(pipe);
	pipe->owner->ops->on_closed(pipe->owner, pipe, rc);
}

/* ---- sending */

enum err pipe_send(struct pipe *pipe, const struct slice *parts, unsigned n)
{
	char head[HEAD_BYTES];
	size_t len = 0;

	assert(!pipe->is_closed && n <= PIPE_PARTS_MAX);
	for (unsigned i = 0; i < n; i++) {
		if (parts[i].len > PIPE_FRAME_BYTES_MAX - len)
			return ERR_LIMIT;
		len += parts[i].len;
	}
	if (pipe->out.len >= PIPE_UNSENT_BYTES_MAX)
		return ERR_AGAIN;
	for (unsigned i = 0; i < HEAD_BYTES; i++)
		head[i] = (char)(uint8_t)(len >> (8 * i));
	buf_append(&pipe->out, head, HEAD_BYTES);
	for (unsigned i = 0; i < n; i++)
		buf_append_slice(&pipe->out, parts[i]);
	loop_touch(pipe->set->loop, &pipe->flush);
	return OK;
}

size_t pipe_unsent_bytes(struct pipe *pipe)
{
	return pipe->out.len;
}

void pipe_want_drained(struct pipe *pipe)
{
	assert(!pipe->is_closed && pipe->owner->ops->on_drained != NULL);
	pipe->is_drain_wanted = true;
	if (pipe->out.len == 0)
		sim_post(pipe->set->loop, &pipe->post);
}

/* False: the stream is lost. */
static bool pipe_push(struct pipe *pipe)
{
	while (pipe->out.len > 0) {
		const ssize_t n = net_send(pipe->end, pipe->out.ptr, pipe->out.len);

		if (n == -EAGAIN)
			break;
		if (n < 0)
			return false;
		buf_consume(&pipe->out, (size_t)n);
	}
	return true;
}

static void on_flush(struct loop_flush *flush)
{
	struct pipe *pipe = CONTAINER_OF(flush, struct pipe, flush);

	if (!pipe_push(pipe))
		sim_post(pipe->set->loop, &pipe->post);
}

/* ---- receiving */

void pipe_pause(struct pipe *pipe)
{
	pipe->is_paused = true;
}

void pipe_resume(struct pipe *pipe)
{
	if (!pipe->is_paused || pipe->is_closed)
		return;
	pipe->is_paused = false;
	sim_post(pipe->set->loop, &pipe->post);
}

static size_t frame_len(const struct buf *in)
{
	size_t len = 0;

	for (unsigned i = 0; i < HEAD_BYTES; i++)
		len |= (size_t)(uint8_t)in->ptr[i] << (8 * i);
	return len;
}

/* Hands over what is whole; false: the pipe has ended, or is paused. */
static bool frames_cut(struct pipe *pipe)
{
	/* The owner may end the pipe with the frame in its hands. */
	while (!pipe->is_paused && !pipe->is_closed && pipe->in.len >= HEAD_BYTES) {
		const size_t len = frame_len(&pipe->in);

		if (len > pipe->frame_bytes_max) {
			pipe_end(pipe, ERR_LIMIT);
			return false;
		}
		if (pipe->in.len - HEAD_BYTES < len)
			break;
		pipe->owner->ops->on_frame(pipe->owner, pipe,
					   slice_make(pipe->in.ptr + HEAD_BYTES, len));
		buf_consume(&pipe->in, HEAD_BYTES + len);
	}
	return !pipe->is_paused && !pipe->is_closed;
}

static void pipe_pull(struct pipe *pipe)
{
	ssize_t n;

	if (!frames_cut(pipe))
		return;
	n = net_recv(pipe->end, buf_reserve(&pipe->in, RECV_BYTES), RECV_BYTES);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		pipe_end(pipe, ERR_CLOSED);
		return;
	}
	pipe->in.len += (size_t)n;
	if (frames_cut(pipe))
		sim_post(pipe->set->loop, &pipe->post);
}

static void on_post(struct sim_post *post)
{
	struct pipe *pipe = CONTAINER_OF(post, struct pipe, post);

	if (pipe->is_closed)
		return;
	assert(pipe->owner != NULL);
	if (!pipe_push(pipe)) {
		pipe_end(pipe, ERR_CLOSED);
		return;
	}
	if (pipe->is_drain_wanted && pipe->out.len == 0) {
		pipe->is_drain_wanted = false;
		pipe->owner->ops->on_drained(pipe->owner, pipe);
	}
	if (!pipe->is_closed)
		pipe_pull(pipe);
}

/* ---- listening */

bool pipe_url_is_known(const char *url)
{
	return strncmp(url, "tcp://", 6) == 0;
}

/* "tcp://r1:7000": the host is the process's name. */
static bool url_read(const char *url, char host[HOST_BYTES], unsigned *port)
{
	const char *name = url + 6;
	const char *colon = strrchr(name, ':');

	if (!pipe_url_is_known(url) || colon == NULL || colon - name >= HOST_BYTES)
		return false;
	memcpy(host, name, (size_t)(colon - name));
	host[colon - name] = '\0';
	*port = (unsigned)strtoul(colon + 1, NULL, 10);
	return true;
}

static void on_arrival(void *owner)
{
	struct pipe_listener *listener = owner;

	sim_post(listener->set->loop, &listener->post);
}

static void on_accept(struct sim_post *post)
{
	struct pipe_listener *listener = CONTAINER_OF(post, struct pipe_listener, post);
	struct net_end *end;

	while (!listener->is_closed && (end = net_accept(listener->net)) != NULL) {
		struct pipe *pipe = pipe_new(listener->set, end);

		listener->acceptor->fn(listener->acceptor, pipe);
		assert(pipe->owner != NULL || pipe->is_closed);
	}
}

enum err pipe_listen(struct pipe_set *set, const char *url,
		     struct pipe_acceptor *acceptor, struct pipe_listener **listener)
{
	struct pipe_listener *opened;
	char host[HOST_BYTES];
	unsigned port;

	if (!url_read(url, host, &port))
		return ERR_UNSUPPORTED;
	opened = MEM_NEW(struct pipe_listener);
	opened->set = set;
	opened->acceptor = acceptor;
	sim_post_init(&opened->post, on_accept);
	opened->net =
		net_listen(sim_node_host(sim_node_current()), port, on_arrival, opened);
	if (opened->net == NULL) {
		mem_free(opened);
		return ERR_EXISTS;
	}
	opened->url = mem_dup(url, strlen(url));
	list_init(&opened->node);
	list_append(&set->listeners, &opened->node);
	*listener = opened;
	return OK;
}

const char *pipe_listener_url(const struct pipe_listener *listener)
{
	return listener->url;
}

static void listener_free(struct loop_defer *defer)
{
	struct pipe_listener *listener = CONTAINER_OF(defer, struct pipe_listener, defer);

	mem_free(listener->url);
	mem_free(listener);
}

void pipe_listener_close(struct pipe_listener *listener)
{
	if (listener == NULL || listener->is_closed)
		return;
	listener->is_closed = true;
	net_unlisten(listener->net);
	sim_post_revoke(&listener->post);
	list_remove(&listener->node);
	loop_defer_free(listener->set->loop, &listener->defer, listener_free);
}

/* ---- dialling */

static void dial_done(struct pipe_dial_op *op, enum err rc)
{
	struct pipe_dial *dial = op->dial;
	struct pipe_set *set = op->set;
	struct net_end *end = op->end;
	struct pipe *pipe = NULL;

	op->end = NULL;
	if (rc == OK)
		pipe = pipe_new(set, end);
	else if (end != NULL)
		net_close(end);
	pipe_dial_cancel(dial);
	dial->fn(dial, pipe, rc);
	assert(pipe == NULL || pipe->owner != NULL || pipe->is_closed);
}

static void on_dialed(struct sim_post *post)
{
	struct pipe_dial_op *op = CONTAINER_OF(post, struct pipe_dial_op, post);

	if (op->end == NULL || net_is_lost(op->end))
		dial_done(op, ERR_CLOSED);
	else if (net_is_open(op->end))
		dial_done(op, OK);
}

static void on_dial_timeout(struct timer *timer)
{
	dial_done(CONTAINER_OF(timer, struct pipe_dial_op, timeout), ERR_TIMEOUT);
}

static void on_dial_wake(void *owner)
{
	struct pipe_dial_op *op = owner;

	sim_post(op->set->loop, &op->post);
}

void pipe_dial_init(struct pipe_dial *dial, pipe_dial_fn *fn)
{
	dial->fn = fn;
	dial->op = NULL;
}

void pipe_dial_start(struct pipe_set *set, const char *url, struct pipe_dial *dial)
{
	struct pipe_dial_op *op = MEM_NEW(struct pipe_dial_op);
	const unsigned here = sim_node_host(sim_node_current());
	char host[HOST_BYTES];
	unsigned there;
	unsigned port;

	assert(dial->op == NULL);
	dial->op = op;
	op->set = set;
	op->dial = dial;
	sim_post_init(&op->post, on_dialed);
	timer_init(&op->timeout, on_dial_timeout);
	list_init(&op->node);
	list_append(&set->dials, &op->node);
	loop_timer_start(set->loop, &op->timeout, PIPE_DIAL_TIMEOUT_MS);
	if (url_read(url, host, &port) && sim_host_find(host, &there))
		op->end = net_connect(here, there, port, on_dial_wake, op);
	else
		sim_post(set->loop, &op->post);
}

void pipe_dial_cancel(struct pipe_dial *dial)
{
	struct pipe_dial_op *op = dial->op;

	if (op == NULL)
		return;
	dial->op = NULL;
	if (op->end != NULL)
		net_close(op->end);
	loop_timer_stop(op->set->loop, &op->timeout);
	sim_post_revoke(&op->post);
	list_remove(&op->node);
	mem_free(op);
}
