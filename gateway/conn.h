/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: the SignalR state of one client, whatever transport carries it. It reads
 * hub messages (conn_on_bytes, then one switch in conn_on_message), sends frames, keeps
 * the timers, and ends in one place, conn_close(reason).
 *
 * Life: CONN_HANDSHAKE -> CONN_OPEN -> CONN_CLOSED. A closed connection's struct stays
 * until its shard has confirmed Disconnected: a router that comes back is told of it.
 */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/conn_close.h"
#include "gateway/hub.h"
#include "gateway/rate.h"
#include "gateway/transport.h"
#include "gateway/user.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/map.h"
#include "proto/wire/hub_codec.h"

struct gateway;
struct gateway_router;
struct headers;
struct intern;
struct conn_work;
struct stateful;

/* 16 random bytes in base64url, as the client sees them. */
#define CONN_ID_LEN 22

enum conn_state { CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSED };

/* What few clients need is in blocks of their own, and no field is padded. */
struct conn {
	struct gateway *gateway;	 /* borrowed */
	struct hub *hub;		 /* borrowed */
	struct transport *transport;	 /* owned; NULL: closed, or stateful without */
	const struct transport_ops *ops; /* of every transport it has in its life */
	const struct hub_codec *codec;	 /* of the handshake; JSON until then */
	struct stateful *stateful;	 /* owned; NULL: it ends with its transport */
	int64_t sent_ms;		 /* loop time of the last message out */
	int64_t received_ms;		 /* and in */
	uint32_t excluded_mark; /* deliver.c: of the message that leaves it out */
	uint32_t served;	/* sweep.h: as a receiver of what goes to all */
	uint32_t caught_up;	/* sweep.c: with the messages up to this arrival */
	uint8_t state;		/* enum conn_state */
	uint8_t paused;		/* CONN_PAUSE_ bits: reading has stopped */
	uint8_t reason;		/* enum conn_close_reason, once closed */
	bool may_resume : 1;	/* stateful reconnect was negotiated */
	bool is_blocked : 1;	/* its shard knows that the client does not keep up */
	bool is_begun : 1;	/* a shard has run on_connected */
	bool is_pinged : 1;	/* the client timeout runs from its first Ping on */
	bool is_telling : 1;	/* presence.c: it is in the replay under way */
	bool is_told : 1;	/* ... and a presence has handled its Opened */
	bool is_overdue : 1;	/* meter.h: it ends because of a deadline */
	bool is_releasing : 1;	/* release.h: a router is to let go of it */
	struct conn_work *work; /* owned; NULL: nothing is under way */
	uint32_t calls_n;
	uint32_t uploads_n;
	struct list memberships; /* index.h: by membership.conn_node */
	uint32_t memberships_n;
	uint32_t groups_n;  /* those of kind GROUP */
	struct timer timer; /* handshake deadline, then keep-alive and client timeout */
	struct rate messages_rate; /* that come in */
	struct rate bytes_rate;
	struct map_node node; /* in gateway->conns, by id */
	union {
		struct list hub_node;	 /* in hub->conns while open */
		struct loop_defer defer; /* once it is freed */
	};
	struct user *user;	 /* owned */
	struct intern *agent;	 /* owned: what the client calls itself */
	struct headers *headers; /* owned; NULL: hubs may read none */
	uint64_t by_address;	 /* guard.h: held while it is not closed; 0: nothing is */
	uint64_t by_user;
	int64_t opened_unix_ms;
	char id[CONN_ID_LEN];
	uint16_t moved_in; /* release.c: of the epoch in which it moved last */
};

const char *conn_remote(const struct conn *conn); /* "127.0.0.1:40112" */

/*
 * A new connection in CONN_HANDSHAKE; `transport` and `user` become its own. Its id must
 * not be open here; `remote` is copied. Ends by conn_close() alone.
 */
struct conn *conn_new(struct gateway *gateway, struct hub *hub,
		      const char id[CONN_ID_LEN], struct user *user,
		      struct transport *transport, const char *remote);

/* ---- from the transport */

/* The transport is at its end; `reason` is CONN_CLOSE_CLIENT when the client ended it in
 * order. Closes or aborts the transport, though the connection may wait for the next. */
void conn_on_end(struct conn *conn, enum conn_close_reason reason);

/* The one way a connection ends: tells client, shard, index and presence. `detail`, for
 * detailed_errors and the log, may be NULL. Harmless on a closed one. */
void conn_close(struct conn *conn, enum conn_close_reason reason, const char *detail);

/* Tells its shards of it, as new or resumed, and that streams to it rest if they do. */
MUST_CHECK enum err conn_announce(struct conn *conn);

/* Its shard has run on_connected. */
void conn_on_began(struct conn *conn, const struct gateway_router *router);

/* Frees a closed one although nobody has confirmed its end. */
void conn_free(struct conn *conn);

/* As CONN_CLOSE_ABORTED, with the application's own error text. */
void conn_abort(struct conn *conn, struct slice error, bool allow_reconnect);

#endif
