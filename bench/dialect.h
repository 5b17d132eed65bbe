/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dialect is the language spoken over a carrier: SignalR's two hub protocols, and those
 * of the servers we compare with. It turns what a scenario wants to say into bytes, and
 * bytes into what was heard. Pure; a dialect keeps nothing between calls.
 */
#ifndef BENCH_DIALECT_H
#define BENCH_DIALECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/slice.h"

/* What scenarios say; bench/HUB.md has the hub method of each. */
enum verb {
	VERB_ECHO,	      /* payload */
	VERB_BROADCAST,	      /* payload */
	VERB_SEND_GROUP,      /* name, payload */
	VERB_SEND_USER,	      /* name, payload */
	VERB_SEND_CONNECTION, /* name, payload */
	VERB_JOIN,	      /* name */
	VERB_LEAVE,	      /* name */
	VERB_STREAM,	      /* number (items), size: a server stream */
	VERB_UPLOAD,	      /* id: opens a client stream of the same id */
	VERB_UPLOAD_ITEM,     /* id, payload */
	VERB_UPLOAD_END,      /* id */
	VERB_ASK,	      /* name (connection id), payload: its client result */
	VERB_ANSWER,	      /* id, payload: to HEARD_QUESTION */
	VERB_PING,
	VERBS
};

struct saying {
	enum verb verb;
	struct slice id; /* of an invocation with an answer; empty: fire and forget */
	struct slice name;
	struct slice payload;
	uint32_t number;
	uint32_t size;
};

enum heard {
	HEARD_NOTHING,	/* a ping, or what no scenario cares for */
	HEARD_READY,	/* the handshake is done */
	HEARD_REFUSED,	/* the handshake failed: `error` */
	HEARD_MESSAGE,	/* payload, of a broadcast or a send */
	HEARD_ITEM,	/* id, payload: of a server stream */
	HEARD_RESULT,	/* id, payload (empty: void) */
	HEARD_ERROR,	/* id, error */
	HEARD_QUESTION, /* id, payload: the server asks for a client result */
	HEARD_CLOSE,	/* error may be empty */
};

struct hearing {
	enum heard heard;
	struct slice id; /* these point into the bytes or the arena */
	struct slice payload;
	struct slice error;
	bool allow_reconnect; /* HEARD_CLOSE: connect again */
};

struct dialect {
	const char *name; /* as --protocol names it */
	bool is_text;
	bool is_negotiated; /* POST .../negotiate comes first */
	bool has_greeting;  /* HEARD_READY must come before anything is said */
	bool has_results;   /* VERB_ECHO and all that awaits an answer can be said */
	bool has_pings;	    /* both sides say VERB_PING when silent, and must be heard */

	/* The first bytes of a client, once the carrier is open; NULL: the server begins,
	 * or nobody does. */
	void (*greet)(struct buf *out);

	/*
	 * Reads the first whole message. Over WebSockets `bytes` begin and end where
	 * frames do. Returns its length; 0: its end is not there yet;
	 * an error: not well-formed. `is_ready`: the greeting is over. What the dialect
	 * must answer at once (a ping of the server's) is appended to `reply`.
	 */
	ssize_t (*hear)(struct slice bytes, bool is_ready, struct arena *arena,
			struct hearing *out, struct buf *reply);

	/* Appends one message, which over WebSockets is one frame. False: this dialect
	 * has no word for the verb. */
	bool (*say)(struct buf *out, const struct saying *saying);
};

extern const struct dialect dialect_json;
extern const struct dialect dialect_messagepack;
extern const struct dialect dialect_plain;    /* what a hub would send, said by clients */
extern const struct dialect dialect_socketio; /* engine.io v4 over WebSockets */
extern const struct dialect dialect_nats;     /* over TCP; subject "bench" */

/* By --protocol's name; NULL: none. */
const struct dialect *dialect_named(const char *name);

#endif
