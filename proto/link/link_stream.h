/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of a link, from its greeting on. Inside of the link: link_private.h includes
 * this, nobody else.
 */
#ifndef PROTO_LINK_LINK_STREAM_H
#define PROTO_LINK_LINK_STREAM_H

#include "proto/base/buf.h"
#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/link/link_hello.h"
#include "proto/link/link_proof.h"
#include "proto/link/pipe.h"

struct link;
struct link_options;
struct link_peer;

enum stream_state { STREAM_HELLO, STREAM_PROOF, STREAM_UP };

struct link_stream {
	struct pipe_owner pipe_owner;
	struct list node;	/* in link->streams */
	struct link *link;	/* borrowed */
	struct pipe *pipe;	/* owned; NULL once closed */
	struct link_peer *peer; /* borrowed; NULL while an accepted one greets */
	enum stream_state state;
	bool is_dialed;
	struct buf hello_ours; /* the frames as sent: the proofs are over both */
	struct buf hello_theirs;
	struct secrets keys; /* the one that a listener has used, until it is up */
	struct stream_hello said;
	uint64_t told_session; /* in our hello */
	uint64_t new_session;  /* its number, unless the old one goes on */
	uint32_t version;      /* agreed on */
	struct timer timer;    /* greeting deadline, then heartbeat */
	int64_t received_ms;
	int64_t sent_ms;
	int64_t silent_ms;	/* the last unusual silence before a frame; 0: over */
	int64_t silent_end_ms;	/* when that frame came */
	int64_t on_time_ms;	/* our clock at the last batch that was not late */
	uint64_t on_time_at_ms; /* ... and what that said; 0: none yet */
	struct loop_defer defer;
};

/* Starts the greeting; `peer` is NULL on an accepted pipe. */
void link_stream_new(struct link *link, struct pipe *pipe, struct link_peer *peer);

void link_stream_close(struct link_stream *stream); /* tells nobody */
void link_stream_flush(struct link_stream *stream); /* sends what the session has */

/* A frame has come. */
void link_stream_heard(struct link_stream *stream);

/*
 * ... a batch, by its sender's clock. Behind a silence it may have lain unread, as all
 * that came meanwhile: how late it is by that clock, and at most what the silence was, is
 * the peer's gap_ms. It is the sender that was silent when nothing is late.
 */
void link_stream_dated(struct link_stream *stream, uint64_t at_ms);

/*
 * Nothing came for too long. Not when the check itself is late by an interval: then it
 * was we who stood still, and what came meanwhile has yet to be read.
 */
bool link_stream_is_silent(const struct link_stream *stream, int64_t now_ms,
			   const struct link_options *options);

#endif
