/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe is one established byte stream between two processes (NNG's nng_stream over
 * tcp:// or ipc://), cut into frames: u32 little-endian length, then that many bytes. It
 * is the only place where threads meet: NNG completes on its own, this layer hands over
 * through one locked queue and one eventfd, and everything declared here is called, and
 * calls back, on the loop's thread alone. Who the peer is, what frames mean, retries and
 * acknowledgements are the link's business.
 *
 * A pipe loses nothing while it lives and reports its end once. What was sent before the
 * end may or may not have arrived: only the peer's acknowledgement tells.
 *
 * NNG is not fork-safe: its threads start with the first listen or dial of a process,
 * which must not fork afterwards except to exec or _exit.
 */
#ifndef PROTO_LINK_PIPE_H
#define PROTO_LINK_PIPE_H

#include <stddef.h>

#include "proto/base/err.h"
#include "proto/base/loop.h"
#include "proto/base/slice.h"

#define PIPE_FRAME_BYTES_MAX (4u << 20)
#define PIPE_UNSENT_BYTES_MAX (8u << 20)
#define PIPE_PARTS_MAX 8u

struct pipe;
struct pipe_set;

/* ---- one per process */

/* Borrows `loop` until pipe_set_free(). Starts no thread yet. */
struct pipe_set *pipe_set_new(struct loop *loop);

/*
 * Closes every pipe, listener and dial of the set without calling back and waits
 * (briefly) until NNG has let go of them. Not from a callback of this layer. NULL is
 * legal.
 */
void pipe_set_free(struct pipe_set *set);

/* ---- the owner of a pipe: embed it, CONTAINER_OF leads back */

struct pipe_owner;

struct pipe_ops {
	/* One whole frame, possibly empty; borrowed until it returns. May call anything
	 * here. */
	void (*on_frame)(struct pipe_owner *owner, struct pipe *pipe, struct slice frame);
	/* Asked for by pipe_want_drained(). NULL for an owner that never asks. */
	void (*on_drained)(struct pipe_owner *owner, struct pipe *pipe);
	/* The pipe ended, not by pipe_close(); the last call about it. It frees itself at
	 * the end of the turn: forget the pointer. ERR_CLOSED, ERR_LIMIT (frame too
	 * long), ERR_IO... */
	void (*on_closed)(struct pipe_owner *owner, struct pipe *pipe, enum err rc);
};

struct pipe_owner {
	const struct pipe_ops *ops; /* borrowed */
};

/* ---- an established pipe */

/* The first call starts the frames; later ones move the pipe to another owner (from "who
 * is this?" to the link). `owner` is borrowed while the pipe lives. Never calls back. */
void pipe_set_owner(struct pipe *pipe, struct pipe_owner *owner);
struct pipe_owner *pipe_owner(const struct pipe *pipe);

/* Refuses frames over `bytes_max`, which is PIPE_FRAME_BYTES_MAX until this is called:
 * the pipe ends with ERR_LIMIT, before it makes room for them. */
void pipe_set_frame_max(struct pipe *pipe, size_t bytes_max);

/* Where the peer is, for logs: "tcp:10.0.0.7:41532", "ipc:pid=4711". */
const char *pipe_peer(const struct pipe *pipe);

/*
 * Copies the parts as one frame behind what is unsent; all frames of a turn leave in one
 * write at its end. ERR_LIMIT: more than PIPE_FRAME_BYTES_MAX. ERR_AGAIN: the peer reads
 * too slowly, PIPE_UNSENT_BYTES_MAX wait already; nothing was taken. Never calls back.
 */
MUST_CHECK enum err pipe_send(struct pipe *pipe, const struct slice *parts, unsigned n);

/* Bytes taken by pipe_send() that the kernel has not taken yet. */
size_t pipe_unsent_bytes(struct pipe *pipe);

/* Asks for one ops->on_drained, on a later turn, as soon as nothing is unsent. */
void pipe_want_drained(struct pipe *pipe);

/*
 * Stops frames, at once even between two frames of one read, and soon the reading: the
 * peer is slowed down by its full socket. While paused the end of the peer may go unseen.
 */
void pipe_pause(struct pipe *pipe);

/* Frames go on, on a later turn. Both are harmless when repeated. */
void pipe_resume(struct pipe *pipe);

/*
 * Ends the pipe; unsent bytes are dropped (drain first to say goodbye). No callback after
 * it. Legal inside every callback and twice in one turn; the memory goes at the turn's
 * end.
 */
void pipe_close(struct pipe *pipe);

#endif
