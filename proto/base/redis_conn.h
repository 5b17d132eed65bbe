/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a server that speaks Redis' protocol: resolves, connects (each
 * address of the host in turn), and gives replies as they come. Embedded in its owner,
 * opened and closed as often as the owner likes. It knows no command.
 */
#ifndef PROTO_BASE_REDIS_CONN_H
#define PROTO_BASE_REDIS_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/redis_reply.h"
#include "proto/base/redis_url.h"
#include "proto/base/resolve.h"
#include "proto/base/slice.h"
#include "proto/base/sock.h"

struct redis_conn;

/* Any of them may close the connection, and open it again. */
struct redis_conn_events {
	void (*on_open)(struct redis_conn *conn);
	void (*on_reply)(struct redis_conn *conn, const struct redis_reply *reply);
	/* More can be sent. NULL: nobody uses redis_conn_send(). */
	void (*on_writable)(struct redis_conn *conn);
	/* It could not be opened, or is lost; it is closed already. `why` is a constant.
	 */
	void (*on_end)(struct redis_conn *conn, const char *why);
};

struct redis_conn {
	struct loop *loop; /* borrowed */
	const struct redis_conn_events *events;
	struct sock sock; /* when is_connecting or is_open */
	struct resolve resolve;
	struct resolve_addresses addresses;
	size_t next; /* of the addresses, to be tried */
	struct redis_address address;
	struct timer timer;	     /* the time to be open */
	struct redis_reader *reader; /* owned, while open */
	struct redis_reader *giving; /* its reply is being looked at */
	struct buf said;	     /* by redis_conn_say(), not taken yet */
	char *in;		     /* owned, of REDIS_FEED_MAX bytes */
	uint64_t bytes_in;	     /* since it was opened, and so is: */
	uint64_t bytes_out;
	int64_t timeout_ms;  /* for all addresses together */
	const char *problem; /* of the address tried last */
	bool is_connecting;
	bool is_open;
	unsigned life; /* how often it was closed: seen by those who called back */
};

void redis_conn_init(struct redis_conn *conn, struct loop *loop,
		     const struct redis_conn_events *events);
void redis_conn_fini(struct redis_conn *conn);

/* Begins to connect; calls back in a later turn. Resolving may take `timeout_ms`, and
 * connecting, with an equal share for each address. */
void redis_conn_open(struct redis_conn *conn, const struct redis_address *address,
		     int64_t timeout_ms);

/* Calls nothing back. Harmless when it is closed. */
void redis_conn_close(struct redis_conn *conn);

/* Sends all of a few bytes, which may be secret: what is not taken at once is kept. */
void redis_conn_say(struct redis_conn *conn, struct slice bytes);

/* Sends as much as is taken now, behind what was said; the number of bytes taken. When it
 * is less, on_writable will be called. */
size_t redis_conn_send(struct redis_conn *conn, struct slice bytes);

#endif
