/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge between NNG's threads and the loop, private to pipe*.c: an operation that
 * ended on a thread of NNG's posts its pipe_done; the loop runs them, in order, on its
 * own thread.
 *
 * Locks: pipe_set.lock guards the two lists and the node of every pipe_done. pipe.lock
 * (see pipe.c) guards one pipe's send side and may be held while pipe_set.lock is taken,
 * never the other way round. Neither is held while NNG is made to wait for a callback of
 * ours.
 */
#ifndef PROTO_LINK_PIPE_SET_H
#define PROTO_LINK_PIPE_SET_H

#include <nng/nng.h>
#include <pthread.h>

#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/link/pipe_open.h"

struct pipe_done;
typedef void pipe_done_fn(struct pipe_done *done);

struct pipe_done {
	struct list node; /* guarded by pipe_set.lock */
	pipe_done_fn *fn; /* runs on the loop's thread */
};

struct pipe_set {
	struct loop *loop; /* borrowed */
	struct loop_io wake;
	struct list pipes; /* of struct pipe; the loop's thread only, as the next three */
	struct list listeners; /* of struct pipe_listener */
	struct list dials;     /* of struct pipe_dial_op */
	unsigned pipe_count;
	pthread_mutex_t lock;
	struct list posted; /* guarded by lock: since the last wake */
	struct list taken;  /* guarded by lock: being worked off by this wake */
};

void pipe_done_init(struct pipe_done *done, pipe_done_fn *fn);

/* From any thread. Posting what is still posted changes nothing. */
void pipe_done_post(struct pipe_set *set, struct pipe_done *done);

/* On the loop's thread, once nobody can post it any more: it will not run. */
void pipe_done_revoke(struct pipe_set *set, struct pipe_done *done);

/* NNG's error codes in our words. */
enum err pipe_err(int nng_rc);

/* An aio owned by the caller; `on_done` runs on a thread of NNG's. */
nng_aio *pipe_aio_new(void (*on_done)(void *), void *arg);

/* Ends what it does, waits for its callback, frees it. Not from a callback of NNG's. */
void pipe_aio_free(nng_aio *aio);

/* Takes over `stream` and starts to read ahead; the owner is set by who hears of the
 * pipe. */
struct pipe *pipe_new(struct pipe_set *set, nng_stream *stream);

/* False for a pipe whose new owner forgot it. */
bool pipe_is_taken(const struct pipe *pipe);

/* Frees the attempt, whatever it does; its pipe_dial stops running. */
void pipe_dial_op_free(struct pipe_dial_op *op);

/* How pipe_set_free() finds what is in its lists. */
struct pipe *pipe_from_node(struct list *node);
struct pipe_listener *pipe_listener_from_node(struct list *node);
struct pipe_dial_op *pipe_dial_op_from_node(struct list *node);

#endif
