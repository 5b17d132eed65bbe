/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: the SignalR state of one client, whatever transport carries it. It reads
 * hub messages (conn_on_bytes, then one switch in conn_on_message), sends frames, keeps
 * the timers, and ends in one place, conn_close(reason).
 *
 * Life: CONN_HANDSHAKE -> CONN_OPEN -> CONN_CLOSED. A closed connection's struct stays
 * until its shard has confirmed Disconnected, so that a router that comes back is told of
 * it.
 */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/conn_close.h"
#include "gateway/hub.h"
#include "gateway/transport.h"
#include "gateway/user.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/map.h"
#include "proto/wire/hub_message.h"

struct gateway;

/* 16 random bytes in base64url, as the client sees them. */
#define CONN_ID_LEN 22

enum conn_state { CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSED };

struct conn {
	struct gateway *gateway;     /* borrowed */
	struct hub *hub;	     /* borrowed */
	struct transport *transport; /* owned until closed, then NULL */
	char id[CONN_ID_LEN];
	enum conn_state state;
	enum hub_protocol protocol;
	bool is_paused;	   /* reading stopped: too many calls in flight */
	bool is_announced; /* a shard has confirmed Connected */
	bool is_pinged;	   /* the client timeout runs from its first Ping on */
	enum conn_close_reason reason; /* once closed */
	struct user *user;	       /* owned */
	char *remote;		       /* owned; "127.0.0.1:40112" */
	char *user_agent;	       /* owned */
	struct map_node node;	       /* in gateway->conns, by id */
	struct list hub_node;	       /* in hub->conns while open */
	struct list memberships;       /* index.h: by membership.conn_node */
	size_t memberships_n;
	size_t groups_n;   /* those of kind GROUP */
	struct list calls; /* invoke.h: in flight, oldest first */
	size_t calls_n;
	uint32_t excluded_mark; /* deliver.c: of the sweep that leaves it out */
	int64_t opened_unix_ms;
	int64_t received_ms; /* loop time of the last message in */
	int64_t sent_ms;     /* and out */
	struct timer timer;  /* handshake deadline, then keep-alive and client timeout */
	struct buf
		partial; /* read, not handled: a message's start, or all since a pause */
	struct loop_flush resume; /* a pause that is over */
	struct session_ticket connected_ticket;
	struct session_ticket disconnected_ticket;
	struct loop_defer defer;
};

/*
 * A new connection in CONN_HANDSHAKE; `transport` and `user` become its own. Its id must
 * not be open here. Ends by conn_close() alone.
 */
struct conn *conn_new(struct gateway *gateway, struct hub *hub,
		      const char id[CONN_ID_LEN], struct user *user,
		      struct transport *transport);

/* ---- from the transport */

/* Bytes of the stream, in any split; in a pause they wait. May close the connection: the
 * transport must look at transport->conn again afterwards. */
void conn_on_bytes(struct conn *conn, struct slice bytes);

/* The client's side has ended; `reason` is CONN_CLOSE_CLIENT when it did so in order. */
void conn_on_end(struct conn *conn, enum conn_close_reason reason);

/* ---- from its calls */

/* Too many are in flight: nothing more is read. */
void conn_pause(struct conn *conn);

/* Fewer are in flight again: a pause ends with this turn. */
void conn_on_complete(struct conn *conn);

/* Announces it to its shard, as new or resumed; the replay does so again. */
MUST_CHECK enum err conn_announce(struct conn *conn);

/* ---- to the client */

/* One or more whole frames in the connection's protocol; copied. */
void conn_send(struct conn *conn, struct slice frames);

/* A blob from transport->ops->wrap(); shared by all its receivers. Closes the connection
 * as slow when its queue is over the limit. */
void conn_send_wrapped(struct conn *conn, struct blob *wrapped);

/* The one way a connection ends: tells client, shard, index and presence. `detail` is for
 * detailed_errors and the log, may be NULL. Harmless on a closed connection. */
void conn_close(struct conn *conn, enum conn_close_reason reason, const char *detail);

/* Frees a closed one although nobody has confirmed its end: when the process ends. */
void conn_free(struct conn *conn);

/* As CONN_CLOSE_ABORTED, with the application's own error text. */
void conn_abort(struct conn *conn, struct slice error, bool allow_reconnect);

#endif
