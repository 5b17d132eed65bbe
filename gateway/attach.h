/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request whose connection is not held here, or waits here for its next socket: it
 * opens the one, goes on with the other, waits, or is refused. It outlives the visit that
 * it came with, because whoever else may hold the connection does not answer at once.
 */
#ifndef GATEWAY_ATTACH_H
#define GATEWAY_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/address.h"
#include "gateway/conn.h"
#include "gateway/forward.h"
#include "gateway/token.h"
#include "proto/base/buf.h"
#include "proto/base/list.h"
#include "proto/base/timer.h"
#include "proto/link/link.h"

/* POSTs that may wait for their connection to open: a client sends its first one when its
 * first GET was answered, so only one that is out of step has any. */
#define ATTACH_POSTS_MAX 256
#define ATTACH_BYTES_MAX (16u << 20) /* of all their bodies */
#define ATTACH_RETRY_MS 50
#define ATTACH_RETRY_BYTES (2u << 20) /* asked about at a time; a body is not longer */

#define ATTACH_WS_KEY_BYTES 24

struct gateway;
struct visit;
struct visit_id;

/* Part of the gateway. */
struct attaches {
	struct list posts; /* that wait, in the order they came */
	size_t posts_n;
	size_t bytes;	    /* of their bodies */
	struct timer timer; /* runs while there are any */
};

struct attach {
	struct gateway *gateway; /* borrowed */
	struct hub *hub;	 /* borrowed */
	struct list node;	 /* in attaches->posts */
	struct reply *reply;	 /* owned */
	struct user *user;	 /* owned until the connection has it */
	struct token token;
	Link__RequestKind kind;
	bool is_fresh; /* the token may open a connection */
	char ws_key[ATTACH_WS_KEY_BYTES];
	struct buf body;
	struct address address; /* of the client */
	struct forward forward; /* while another gateway may hold it */
	/* These three are NULL when the request opens no connection. */
	char *remote;		 /* owned until the connection has it */
	struct intern *agent;	 /* owned until the connection has it */
	struct headers *headers; /* owned until the connection has it; NULL: none */
	int64_t end_ms;		 /* when a POST has waited long enough */
};

void attaches_init(struct attaches *attaches);

/* All that wait must have been told to go. */
void attaches_fini(struct gateway *gateway);

/*
 * Takes the request over, user and all, and owes its answer. Without an id it is a
 * WebSocket without negotiation. `ws_key` is of a WebSocket.
 */
void attach_start(struct visit *visit, const struct visit_id *id, Link__RequestKind kind,
		  struct slice ws_key);

#endif
