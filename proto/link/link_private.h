/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides that link.c (peers, sending), link_peer.c, link_remove.c and link_stream.c
 * (greeting, frames, heartbeat) share. Nobody else includes this.
 */
#ifndef PROTO_LINK_LINK_PRIVATE_H
#define PROTO_LINK_LINK_PRIVATE_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/link/link.h"
#include "proto/link/link_limits.h"
#include "proto/link/link_remove.h"
#include "proto/link/link_stats.h"
#include "proto/link/link_stream.h"
#include "proto/link/pipe_open.h"
#include "proto/link/session.h"

struct link {
	struct loop *loop;	     /* borrowed */
	struct link_options options; /* name in it is ours */
	char name[LINK_NAME_MAX + 1];
	struct secrets keys;
	struct pipe_set *pipes;		/* owned */
	struct pipe_listener *listener; /* owned; NULL: does not listen */
	struct pipe_acceptor acceptor;
	struct list peers;
	size_t peers_n;
	size_t crowded_n;    /* of the peers */
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
	uint32_t version;	 /* agreed on with this incarnation; 0: none yet */
	struct session session;
	int64_t heard_ms;	    /* loop time of its last frame; 0: never */
	int64_t away_ms;	    /* silence before the stream it has now */
	int64_t gap_ms;		    /* how late the frame being handled is, if unusual */
	uint64_t batch_at_ms;	    /* what that says */
	struct link_stream *stream; /* owned; NULL: down */
	void *owner;
	bool is_permanent; /* dialed or expected */
	bool is_removed;
	unsigned holds; /* others' pointers: removed, it is freed with the last */
	char *url;	/* owned; NULL: it dials us */
	struct pipe_dial dial;
	struct timer timer; /* redial, or absence */
	int64_t backoff_ms;
	struct timer ack_timer;
	bool is_ack_due;     /* this turn, if there is one to give */
	size_t untold_bytes; /* of batches handled since the last one was given */
	struct loop_flush flush;
	struct loop_defer defer;
	struct loop *loop; /* borrowed; the link may go before who holds the peer */
	bool is_crowded;   /* link_room.c has these */
	bool is_given_up;
	int64_t patience_ms; /* 0: without end */
	struct timer patience_timer;
};

/* ---- link_remove.c */
/* The owner has been told, or does not want to know any more. */
void link_peer_free(struct link_peer *peer);

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

/* A message's handler has returned; all of a batch have: the peer is told now or later.
 */
void link_peer_handled(struct link_peer *peer, const Link__Envelope *envelope);
void link_peer_ack(struct link_peer *peer, size_t batch_bytes);

/* Another process of its name lives: two would take the link from each other, each time
 * voiding all that the other has. NULL: nobody has the name. */
bool link_peer_is_taken(const struct link_peer *peer, const struct stream_hello *said);

/* Its stream is gone; one that we dialed did not get through the greeting. */
void link_peer_down(struct link_peer *peer);
void link_peer_redial(struct link_peer *peer);

#endif
