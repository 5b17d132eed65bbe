/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How pipes come to be: listeners, and single attempts to dial. As with pipe.h,
 * everything is called and calls back on the loop's thread.
 */
#ifndef PROTO_LINK_PIPE_OPEN_H
#define PROTO_LINK_PIPE_OPEN_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/link/pipe.h"

#define PIPE_COUNT_MAX 4096u
#define PIPE_DIAL_TIMEOUT_MS 5000

struct pipe_listener;

/* tcp:// or ipc://: all else is refused. */
bool pipe_url_is_known(const char *url);

/* ---- listening */

struct pipe_acceptor;

/* Takes over `pipe`: before it returns it has called pipe_set_owner() or pipe_close(). */
typedef void pipe_accept_fn(struct pipe_acceptor *acceptor, struct pipe *pipe);

struct pipe_acceptor {
	pipe_accept_fn *fn;
};

/*
 * Listens on `url`: tcp://host:port (port 0: the kernel chooses) or ipc://path. Resolves
 * names, so it may block: at start-up only. A socket file whose process is gone is
 * replaced. `acceptor` is borrowed until the listener is closed. ERR_EXISTS: someone
 * listens there; ERR_ARGUMENT, ERR_UNSUPPORTED, ERR_DENIED, ERR_IO.
 */
MUST_CHECK enum err pipe_listen(struct pipe_set *set, const char *url,
				struct pipe_acceptor *acceptor,
				struct pipe_listener **listener);

/* Where it really listens, with the kernel's port. Borrowed until the listener is closed.
 */
const char *pipe_listener_url(const struct pipe_listener *listener);

/* Accepts no more, removes the socket file, leaves accepted pipes alone. NULL is legal.
 */
void pipe_listener_close(struct pipe_listener *listener);

/* ---- dialling: one attempt, retries are the caller's */

struct pipe_dial;
struct pipe_dial_op;

/* rc OK: `pipe` is the callee's, who has set its owner or closed it before returning.
 * Otherwise `pipe` is NULL. `dial` may be freed or started again here. */
typedef void pipe_dial_fn(struct pipe_dial *dial, struct pipe *pipe, enum err rc);

struct pipe_dial {
	pipe_dial_fn *fn;
	struct pipe_dial_op *op; /* the set's; NULL while not dialling */
};

void pipe_dial_init(struct pipe_dial *dial, pipe_dial_fn *fn);

/* Starts one attempt; `dial` stays where it is until fn was called (always on a later
 * turn, after PIPE_DIAL_TIMEOUT_MS at the latest) or it was cancelled. Not while one
 * runs. */
void pipe_dial_start(struct pipe_set *set, const char *url, struct pipe_dial *dial);

/* fn will not be called. Harmless when nothing runs. */
void pipe_dial_cancel(struct pipe_dial *dial);

static inline bool pipe_dial_is_running(const struct pipe_dial *dial)
{
	return dial->op;
}

#endif
