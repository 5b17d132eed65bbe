/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection needs of the transport that carries it. A transport moves whole hub
 * messages out and bytes in; it knows sockets and nothing of hubs.
 *
 * Out: conn.c appends blobs, each already encoded for this transport, and the transport
 * writes them at the end of the turn. In: the transport calls conn_on_bytes().
 */
#ifndef GATEWAY_TRANSPORT_H
#define GATEWAY_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/blob.h"
#include "proto/base/slice.h"
#include "proto/link/link.h"

#define TRANSPORT_KINDS (LINK__TRANSPORT__TRANSPORT_LONG_POLLING + 1)

struct transport;
struct inbox;

struct transport_ops {
	Link__Transport kind;
	bool is_polled; /* the client asks for what there is: no keep-alive either way */

	/*
	 * Makes the transport's form of hub frames (a WebSocket message around them):
	 * encoded once, then given to transport->send of every receiver. One reference.
	 */
	struct blob *(*wrap)(struct slice frames, bool is_text);

	/* Queues a wrapped blob; takes its own reference. Never calls back. */
	void (*send)(struct transport *transport, struct blob *wrapped);

	/* Bytes that wait since the client does not take them: what no write was tried
	 * for yet is no sign of that. */
	size_t (*queued_bytes)(const struct transport *transport);

	/*
	 * Whether `len` bytes may be queued so that all that waits is `max` at most; when
	 * nothing waits, always. Before it says no it tries to be rid of what waits for
	 * the end of the turn. Never calls back.
	 */
	bool (*has_room)(struct transport *transport, size_t len, size_t max);

	/* Where its POSTs go; NULL: it takes none. */
	struct inbox *(*inbox)(struct transport *transport);

	/* Stop, or go on, reading from the client and giving on what was read. Harmless
	 * when repeated; never calls back. */
	void (*pause)(struct transport *transport, bool is_paused);

	/*
	 * Sends what is queued, ends the transport in its own way (`is_error`: WebSocket
	 * 1011 instead of 1000) and frees it, later and by itself. No callback comes any
	 * more.
	 */
	void (*close)(struct transport *transport, bool is_error);

	/* Frees it now-ish, unsent bytes and all: the peer is gone or does not read. */
	void (*abort)(struct transport *transport);
};

/* First member of every transport's own struct. */
struct transport {
	const struct transport_ops *ops;
	struct conn *conn; /* borrowed; NULL once close or abort was called */
};

static inline bool transport_fits(size_t waiting, size_t len, size_t max)
{
	return waiting + len <= max || waiting == 0;
}

#endif
