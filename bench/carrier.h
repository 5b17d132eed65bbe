/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A carrier moves bytes of a dialect between one client and a server: WebSockets,
 * Server-Sent Events, long polling, or a plain TCP stream. It knows HTTP and frames and
 * nothing of hubs. Sends are queued and leave in one write at the end of the loop's turn.
 */
#ifndef BENCH_CARRIER_H
#define BENCH_CARRIER_H

#include <netinet/in.h>
#include <stdbool.h>

#include "bench/http_pool.h"
#include "bench/stream.h"
#include "proto/base/slice.h"

struct carrier;

/* Whom the carrier calls: the client that it is embedded under. */
struct carrier_owner {
	const struct carrier_owner_ops *ops;
};

struct carrier_owner_ops {
	/* Messages may be sent from now on. */
	void (*on_open)(struct carrier_owner *owner);

	/* What came, one or many messages or a part of one; over WebSockets a whole
	 * message. Valid during the call. The owner may close the carrier inside. */
	void (*on_bytes)(struct carrier_owner *owner, struct slice bytes);

	/* The carrier ended by itself, `why` in a few words; it is freed after the call.
	 */
	void (*on_end)(struct carrier_owner *owner, const char *why);
};

/* Where to: made once by the worker and shared by its clients. */
struct carrier_site {
	struct intake *intake;
	struct http_pool *pool;
	struct sockaddr_in server; /* resolved at the start */
	struct slice host;	   /* the Host header */
	struct slice path;	   /* "/hubs/bench", with its query if it has one */
};

/* Of one client; used during the call only but for the site. */
struct carrier_target {
	const struct carrier_site *site; /* outlives the carrier */
	struct in_addr source;		 /* 127.0.0.x to bind to; INADDR_ANY: none */
	struct slice id;     /* connection token, percent-encoded; may be empty */
	struct slice bearer; /* access token; empty: none */
	bool is_text;	     /* the dialect's transfer format */
};

struct carrier_ops {
	const char *name;	/* as --transport names it */
	const char *negotiated; /* "WebSockets"; NULL: cannot be negotiated */
	bool needs_id;		/* cannot do without negotiation */
	bool has_pings;		/* the hub's keep-alive goes both ways */
	bool is_text_only;
	unsigned descriptors_n; /* of a client, besides those of the pool */

	/* NULL with `*why` set: no socket could be had at all. Never calls back before it
	 * returns. */
	struct carrier *(*open)(struct carrier_owner *owner,
				const struct carrier_target *target, const char **why);

	/* One message, or several for who cuts them himself. Once open. */
	void (*send)(struct carrier *carrier, struct slice bytes);

	/* Says goodbye where the transport has a way to, and frees. Nothing is called
	 * back any more. NULL is legal. */
	void (*close)(struct carrier *carrier);
};

/* First member of each carrier's own struct. */
struct carrier {
	const struct carrier_ops *ops;
	struct carrier_owner *owner;
};

extern const struct carrier_ops carrier_websockets;
extern const struct carrier_ops carrier_sse;
extern const struct carrier_ops carrier_long_polling;
extern const struct carrier_ops carrier_tcp;

/* By --transport's name; NULL: none. */
const struct carrier_ops *carrier_named(const char *name);

/* ---- for carriers that speak HTTP */

/* Appends "METHOD path[?id=...][&access_token=...] HTTP/1.1" and Host; with
 * `is_in_query` the bearer goes there, as browsers must do it, else into a header. The
 * caller appends more headers and the blank line. */
void carrier_request(struct buf *out, const char *method,
		     const struct carrier_target *target, bool is_in_query);

#endif
