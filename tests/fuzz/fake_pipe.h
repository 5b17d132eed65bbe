/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for proto/link/pipe*.c: pipes whose other end is the target's, without
 * sockets and threads. Definitions: for the one source of a target, which defines
 * fake_pipe_on_send().
 */
#ifndef TESTS_FUZZ_FAKE_PIPE_H
#define TESTS_FUZZ_FAKE_PIPE_H

#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "proto/link/pipe.h"
#include "proto/link/pipe_open.h"

struct pipe {
	struct pipe_owner *owner; /* borrowed; NULL once closed */
	size_t frame_max;
	bool is_stuck; /* takes no more */
	bool wants_drained;
};

struct pipe_set {
	struct pipe_dial *dial; /* the one attempt that runs */
};

/* The frame is borrowed. */
static void fake_pipe_on_send(struct pipe *pipe, struct slice frame);

static struct pipe_set fake_pipes;

struct pipe_set *pipe_set_new(struct loop *loop)
{
	(void)loop;
	fake_pipes = (struct pipe_set){ NULL };
	return &fake_pipes;
}

void pipe_set_free(struct pipe_set *set)
{
	set->dial = NULL;
}

void pipe_set_owner(struct pipe *pipe, struct pipe_owner *owner)
{
	pipe->owner = owner;
}

void pipe_set_frame_max(struct pipe *pipe, size_t bytes_max)
{
	pipe->frame_max = bytes_max;
}

const char *pipe_peer(const struct pipe *pipe)
{
	(void)pipe;
	return "fake";
}

enum err pipe_send(struct pipe *pipe, const struct slice *parts, unsigned n)
{
	struct buf frame = BUF_INIT;

	assert(pipe->owner != NULL && n <= PIPE_PARTS_MAX);
	if (pipe->is_stuck)
		return ERR_AGAIN;
	for (unsigned i = 0; i < n; i++)
		buf_append_slice(&frame, parts[i]);
	assert(frame.len <= PIPE_FRAME_BYTES_MAX);
	fake_pipe_on_send(pipe, buf_slice(&frame));
	buf_fini(&frame);
	return OK;
}

size_t pipe_unsent_bytes(struct pipe *pipe)
{
	return pipe->is_stuck ? PIPE_UNSENT_BYTES_MAX : 0;
}

void pipe_want_drained(struct pipe *pipe)
{
	pipe->wants_drained = true;
}

void pipe_close(struct pipe *pipe)
{
	pipe->owner = NULL;
}

bool pipe_url_is_known(const char *url)
{
	(void)url;
	return true;
}

enum err pipe_listen(struct pipe_set *set, const char *url,
		     struct pipe_acceptor *acceptor, struct pipe_listener **listener)
{
	(void)set;
	(void)url;
	(void)acceptor;
	*listener = NULL;
	return OK;
}

const char *pipe_listener_url(const struct pipe_listener *listener)
{
	(void)listener;
	return "fake:";
}

void pipe_listener_close(struct pipe_listener *listener)
{
	(void)listener;
}

void pipe_dial_init(struct pipe_dial *dial, pipe_dial_fn *fn)
{
	dial->fn = fn;
	dial->op = NULL;
}

void pipe_dial_start(struct pipe_set *set, const char *url, struct pipe_dial *dial)
{
	(void)url;
	assert(set->dial == NULL);
	set->dial = dial;
}

void pipe_dial_cancel(struct pipe_dial *dial)
{
	if (fake_pipes.dial == dial)
		fake_pipes.dial = NULL;
}

/* Ends the attempt that runs; `pipe` NULL: it failed. */
static void fake_pipe_dialed(struct pipe *pipe)
{
	struct pipe_dial *dial = fake_pipes.dial;

	fake_pipes.dial = NULL;
	dial->fn(dial, pipe, pipe != NULL ? OK : ERR_IO);
}

#endif
