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
 * full or the message too long; ERR_UNSUPPORTED: the peer's version does not know the
 * message; nothing was sent. No search finds their bodies: macros declare them here and
 * define them at the end of link.c (LINK_SEND_DEFINE).
 *
 * KEEP or DROP says what a new incarnation gets of what was never sent: KEEP for
 * questions and calls, DROP for state that its owner replays and for what died with it.
 * The last column is the version of the protocol that brought the message.
 */
#define LINK_MESSAGES(X)                                                                 \
	X(connected, Connected, CONNECTED, SESSION_DROP, 1)                              \
	X(disconnected, Disconnected, DISCONNECTED, SESSION_DROP, 1)                     \
	X(invoke, Invoke, INVOKE, SESSION_KEEP, 1)                                       \
	X(complete, Complete, COMPLETE, SESSION_DROP, 1)                                 \
	X(abort, Abort, ABORT, SESSION_DROP, 1)                                          \
	X(member, Member, MEMBER, SESSION_DROP, 1)                                       \
	X(replayed, Replayed, REPLAYED, SESSION_DROP, 1)                                 \
	X(join, Join, JOIN, SESSION_KEEP, 1)                                             \
	X(joined, Joined, JOINED, SESSION_DROP, 1)                                       \
	X(send, Send, SEND, SESSION_KEEP, 1)                                             \
	X(sent, Sent, SENT, SESSION_DROP, 1)                                             \
	X(deliver, Deliver, DELIVER, SESSION_DROP, 1)                                    \
	X(list_members, ListMembers, LIST_MEMBERS, SESSION_KEEP, 1)                      \
	X(members, Members, MEMBERS, SESSION_DROP, 1)                                    \
	X(opened, Opened, OPENED, SESSION_DROP, 1)                                       \
	X(closed, Closed, CLOSED, SESSION_DROP, 1)                                       \
	X(lease, Lease, LEASE, SESSION_DROP, 1)                                          \
	X(topology, Topology, TOPOLOGY, SESSION_DROP, 1)                                 \
	X(stream_item, StreamItem, STREAM_ITEM, SESSION_KEEP, 1)                         \
	X(client_completion, ClientCompletion, CLIENT_COMPLETION, SESSION_KEEP, 1)       \
	X(cancel, Cancel, CANCEL, SESSION_KEEP, 1)                                       \
	X(flow, Flow, FLOW, SESSION_DROP, 1)                                             \
	X(claim, Claim, CLAIM, SESSION_DROP, 1)                                          \
	X(push, Push, PUSH, SESSION_DROP, 1)                                             \
	X(credit, Credit, CREDIT, SESSION_DROP, 1)                                       \
	X(question, Question, QUESTION, SESSION_KEEP, 1)                                 \
	X(answer, Answer, ANSWER, SESSION_DROP, 1)                                       \
	X(request, Request, REQUEST, SESSION_KEEP, 1)                                    \
	X(response, Response, RESPONSE, SESSION_DROP, 1)                                 \
	X(tunnel, Tunnel, TUNNEL, SESSION_DROP, 1)                                       \
	X(watch, Watch, WATCH, SESSION_DROP, 1)                                          \
	X(user_change, UserChange, USER_CHANGE, SESSION_DROP, 1)                         \
	X(report, Report, REPORT, SESSION_DROP, 1)                                       \
	X(command, Command, COMMAND, SESSION_KEEP, 1)                                    \
	X(command_done, CommandDone, COMMAND_DONE, SESSION_DROP, 1)                      \
	X(state, State, STATE, SESSION_KEEP, 1)                                          \
	X(state_done, StateDone, STATE_DONE, SESSION_DROP, 1)                            \
	X(shards, Shards, SHARDS, SESSION_DROP, 2)                                       \
	X(release, Release, RELEASE, SESSION_DROP, 2)                                    \
	X(released, Released, RELEASED, SESSION_DROP, 2)                                 \
	X(state_move, StateMove, STATE_MOVE, SESSION_DROP, 2)                            \
	X(fence, Fence, FENCE, SESSION_DROP, 2)                                          \
	X(handover, Handover, HANDOVER, SESSION_DROP, 2)                                 \
	X(handover_taken, HandoverTaken, HANDOVER_TAKEN, SESSION_DROP, 2)                \
	X(handover_rest, HandoverRest, HANDOVER_REST, SESSION_DROP, 2)                   \
	X(handover_move, HandoverMove, HANDOVER_MOVE, SESSION_DROP, 2)                   \
	X(handover_moved, HandoverMoved, HANDOVER_MOVED, SESSION_DROP, 2)                \
	X(began, Began, BEGAN, SESSION_DROP, 2)

#define LINK_SEND_DECLARE(lower, camel, upper, keep, since)                              \
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
