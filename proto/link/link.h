/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links: how our processes talk. A link to a peer is a session (session.h) that outlives
 * its streams: while the peer lives, what is sent arrives once and in order, however
 * often the connection breaks; when the peer comes back as a new incarnation, on_up says
 * so and the owner replays its state.
 *
 * Sending (link_send.h) appends; the end of the loop turn writes one batch per touched
 * peer. Handlers run on the loop. No callback runs inside link_send_*() or link_dial().
 */
#ifndef PROTO_LINK_LINK_H
#define PROTO_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/loop.h"
#include "proto/base/secret.h"
#include "proto/base/slice.h"
#include "proto/link/link.pb-c.h"
#include "proto/link/link_name.h"
#include "proto/link/link_peer.h"
#include "proto/link/link_room.h"
#include "proto/link/link_send.h" /* for who is told of a peer wants to answer */
#include "proto/link/session.h"

struct link;
struct link_peer;
struct link_stats;

struct link_ops {
	/* The peer answered and proved the key. `is_new`: this incarnation has nothing
	 * from us yet. What is sent from inside is handled before everything that waited.
	 */
	void (*on_up)(struct link_peer *peer, bool is_new);

	/* The stream is gone; the session is kept and goes on with the next stream. Not
	 * called when the next stream is there first: then on_up follows on_up. */
	void (*on_down)(struct link_peer *peer);

	/* What this incarnation of the peer knew and held is gone: it came back as
	 * another one (on_up follows), it forgot us, or, for a peer that was neither
	 * dialed nor expected, it was away for peer_timeout_ms (the peer is freed on
	 * return). */
	void (*on_lost)(struct link_peer *peer);

	/* A peer that is neither dialed nor expected was away for peer_timeout_ms: false
	 * keeps it for now, and is asked again soon. NULL: none is kept. */
	bool (*may_forget)(const struct link_peer *peer);

	/* Less waits for it than made it crowded (link_room.h). May be NULL. */
	void (*on_room)(struct link_peer *peer);

	/* One message; it and what it points to die on return. */
	void (*on_envelope)(struct link_peer *peer, const Link__Envelope *envelope);
};

struct link_options {
	Link__Role role;
	unsigned accepts;     /* roles that may dial us unexpected: bits 1u << role */
	const char *name;     /* ours, as in link_name.h; copied */
	uint64_t incarnation; /* ours */
	uint32_t version_min; /* the oldest we speak; 0: LINK_VERSION_MIN */
	uint32_t version_max; /* the newest; 0: LINK_VERSION */
	const struct secrets *keys; /* the cluster shares them; copied */
	int64_t window_bytes_max;   /* what may wait for one peer */
	int64_t ping_interval_ms;   /* an idle stream is written to this often */
	int64_t stream_timeout_ms;  /* silence that ends a stream */
	int64_t peer_timeout_ms;    /* absence that ends an accepted peer */
	bool keeps_when_alone; /* not while none is up, and some are dialed or expected */
	const struct link_ops *ops;
	void *owner;		  /* link_owner() gives it back */
	struct link_stats *stats; /* borrowed, for as long as the link */
};

/* ---- life */

struct link *link_new(struct loop *loop, const struct link_options *options);
void link_free(struct link *link);
void *link_owner(const struct link *link);

/* For greetings from now on; links that stand are left as they are. Copied. */
void link_set_keys(struct link *link, const struct secrets *keys);

/* From link_key_file, read again. With an error, which is logged, the old ones stay. */
MUST_CHECK enum err link_reload_keys(struct link *link, const char *path);

/* secrets_fingerprint_keyed() with the link key in use. */
int64_t link_fingerprint(const struct link *link, const struct secrets *secrets);

/* The errors of pipe_listen(). link_listen_url() tells the port the kernel chose. */
MUST_CHECK enum err link_listen(struct link *link, const char *url);
const char *link_listen_url(const struct link *link);

/* Keeps trying until it is removed (link_remove.h), with backoff and jitter. The peer
 * must call itself `name`. Ends the program when `url`, from its configuration, is
 * neither tcp:// nor ipc://. */
struct link_peer *link_dial(struct link *link, Link__Role role, const char *name,
			    const char *url);

/* A peer that dials us but is expected: it exists (and may be sent to) before it comes
 * and is never lost by absence. */
struct link_peer *link_expect(struct link *link, Link__Role role, const char *name);

#endif
