/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be sent over a link: one function a message, from one list. link.h includes
 * this; on its own it is enough for whoever only sends.
 */
#ifndef PROTO_LINK_LINK_SEND_H
#define PROTO_LINK_LINK_SEND_H

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/link/link.pb-c.h"
#include "proto/link/session_ticket.h"

#define LINK_ENVELOPE_BYTES_MAX (3u << 20)

struct link_peer;

/*
 * One function a message: link_send_invoke(peer, &invoke, ticket). `ticket` may be NULL;
 * it tells when the peer's handler has run (session_ticket.h). ERR_LIMIT: the window is
 * full or the message too long; nothing was sent. No search finds their bodies: macros
 * declare them here and define them at the end of link.c (LINK_SEND_DEFINE).
 *
 * The last column says what a new incarnation gets of what was never sent: KEEP for
 * questions and calls, DROP for state that its owner replays and for what died with it.
 */
#define LINK_MESSAGES(X)                                                                 \
	X(connected, Connected, CONNECTED, SESSION_DROP)                                 \
	X(disconnected, Disconnected, DISCONNECTED, SESSION_DROP)                        \
	X(invoke, Invoke, INVOKE, SESSION_KEEP)                                          \
	X(complete, Complete, COMPLETE, SESSION_DROP)                                    \
	X(abort, Abort, ABORT, SESSION_DROP)                                             \
	X(member, Member, MEMBER, SESSION_DROP)                                          \
	X(replayed, Replayed, REPLAYED, SESSION_DROP)                                    \
	X(join, Join, JOIN, SESSION_KEEP)                                                \
	X(joined, Joined, JOINED, SESSION_DROP)                                          \
	X(send, Send, SEND, SESSION_KEEP)                                                \
	X(sent, Sent, SENT, SESSION_DROP)                                                \
	X(deliver, Deliver, DELIVER, SESSION_DROP)                                       \
	X(list_members, ListMembers, LIST_MEMBERS, SESSION_KEEP)                         \
	X(members, Members, MEMBERS, SESSION_DROP)                                       \
	X(log_append, LogAppend, LOG_APPEND, SESSION_KEEP)                               \
	X(log_read, LogRead, LOG_READ, SESSION_KEEP)                                     \
	X(log_entries, LogEntries, LOG_ENTRIES, SESSION_DROP)                            \
	X(opened, Opened, OPENED, SESSION_DROP)                                          \
	X(closed, Closed, CLOSED, SESSION_DROP)                                          \
	X(lease, Lease, LEASE, SESSION_DROP)                                             \
	X(topology, Topology, TOPOLOGY, SESSION_DROP)

#define LINK_SEND_DECLARE(lower, camel, upper, keep)                                     \
	MUST_CHECK enum err link_send_##lower(struct link_peer *peer,                    \
					      const Link__##camel *message,              \
					      struct session_ticket *ticket);
LINK_MESSAGES(LINK_SEND_DECLARE)
#undef LINK_SEND_DECLARE

/* ---- small help with the generated structs */

static inline struct slice link_slice(ProtobufCBinaryData bytes)
{
	return slice_make((const char *)bytes.data, bytes.len);
}

/* Borrows: protobuf-c only reads what it packs, but its struct is not const. */
static inline ProtobufCBinaryData link_bytes(struct slice s)
{
	union {
		const char *text;
		uint8_t *data;
	} ptr = { .text = s.ptr };

	return (ProtobufCBinaryData){ .len = s.len, .data = ptr.data };
}

/* Copies to `*at`, which moves on behind it: for what a message says and an owner keeps.
 */
static inline struct slice link_take(char **at, ProtobufCBinaryData from)
{
	const struct slice copy = slice_make(*at, from.len);

	if (from.len > 0)
		memcpy(*at, from.data, from.len);
	*at += from.len;
	return copy;
}

#endif
