/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides that link.c (peers, sending) and link_stream.c (greeting, frames,
 * heartbeat) share. Nobody else includes this.
 */
#ifndef PROTO_LINK_LINK_PRIVATE_H
#define PROTO_LINK_LINK_PRIVATE_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/link/link.h"
#include "proto/link/link_stats.h"
#include "proto/link/pipe_open.h"
#include "proto/link/session.h"

#define LINK_VERSION 1
#define LINK_PEERS_MAX 1024
#define LINK_GREETINGS_MAX 64
#define LINK_GREETING_TIMEOUT_MS 5000
#define LINK_GREETING_BYTES_MAX 1024 /* a frame of somebody yet unproven */
#define LINK_NONCE_BYTES 32
#define LINK_BACKOFF_MIN_MS 20
#define LINK_BACKOFF_MAX_MS 250

struct link {
	struct loop *loop;	     /* borrowed */
	struct link_options options; /* name, key and url in it are ours */
	char name[LINK_NAME_MAX + 1];
	struct buf key;
	struct pipe_set *pipes;		/* owned */
	struct pipe_listener *listener; /* owned; NULL: does not listen */
	struct pipe_acceptor acceptor;
	struct list peers;
	size_t peers_n;
	struct list streams; /* all, greeting or up */
	size_t greetings_n;  /* of those that dialed us */
	struct arena arena;  /* of the frame being handled */
	struct buf scratch;
};

struct link_peer {
	struct list node;  /* in link->peers */
	struct link *link; /* borrowed */
	Link__Role role;
	char name[LINK_NAME_MAX + 1];
	uint64_t incarnation;	 /* the one the session is with; 0: none yet */
	uint64_t session_number; /* both sides have the same; 0: none */
	struct session session;
	int64_t heard_ms;	    /* loop time of its last frame; 0: never */
	int64_t away_ms;	    /* silence before the stream it has now */
	struct link_stream *stream; /* owned; NULL: down */
	void *owner;
	bool is_permanent; /* dialed or expected */
	char *url;	   /* owned; NULL: it dials us */
	struct pipe_dial dial;
	struct timer timer; /* redial, or absence */
	int64_t backoff_ms;
	struct loop_flush flush;
	struct loop_defer defer;
};

enum stream_state { STREAM_HELLO, STREAM_PROOF, STREAM_UP };

/* What the other side said of itself. */
struct stream_hello {
	Link__Role role;
	char name[LINK_NAME_MAX + 1];
	uint64_t incarnation;
	uint64_t session_number;
	uint64_t handled_seq;
};

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
	struct stream_hello said;
	uint64_t told_session; /* in our hello */
	uint64_t new_session;  /* its number, unless the old one goes on */
	struct timer timer;    /* greeting deadline, then heartbeat */
	int64_t received_ms;
	int64_t sent_ms;
	struct loop_defer defer;
};

/* ---- link_stream.c */
/* Starts the greeting; `peer` is NULL on an accepted pipe. */
void link_stream_new(struct link *link, struct pipe *pipe, struct link_peer *peer);

void link_stream_close(struct link_stream *stream); /* tells nobody */
void link_stream_flush(struct link_stream *stream); /* sends what the session has */

/* ---- link.c */

struct link_peer *link_peer_find(const struct link *link, Link__Role role,
				 struct slice name);
struct link_peer *link_peer_new(struct link *link, Link__Role role, struct slice name);

/*
 * The greeting is through: `stream` becomes the peer's, an older one is closed. Otherwise
 * the next greeting ends the session. ERR_MALFORMED: the peer counts what was never sent.
 * ERR_CANCELED: a ticket's callback reset the peer.
 */
MUST_CHECK enum err link_peer_up(struct link_peer *peer, struct link_stream *stream);

/* Another process of its name lives: two would take the link from each other, each time
 * voiding all that the other has. NULL: nobody has the name. */
bool link_peer_is_taken(const struct link_peer *peer, const struct stream_hello *said);

/* Its stream is gone; one that we dialed did not get through the greeting. */
void link_peer_down(struct link_peer *peer);
void link_peer_redial(struct link_peer *peer);

#endif
