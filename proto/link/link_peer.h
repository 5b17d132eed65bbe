/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer of a link: who it is, and how it stands with it. link.h includes this.
 */
#ifndef PROTO_LINK_LINK_PEER_H
#define PROTO_LINK_LINK_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/link/link.pb-c.h"

struct link;
struct link_peer;

struct link *link_peer_link(const struct link_peer *peer);
Link__Role link_peer_role(const struct link_peer *peer);
const char *link_peer_name(const struct link_peer *peer);
uint64_t link_peer_incarnation(const struct link_peer *peer);
bool link_peer_is_up(const struct link_peer *peer);

/* Of the protocol: the newest that both know, 0 before it first came up; changes only
 * with its incarnation. A younger message is refused (ERR_UNSUPPORTED); for a field, ask.
 */
uint32_t link_peer_version(const struct link_peer *peer);

/* How long it was silent before it came up; 0 for one that was never heard. */
int64_t link_peer_away_ms(const struct link_peer *peer);

/*
 * In the handler of a message that says when its sender's clock had `at_ms`: how long ago
 * that is, without the network's time. It may have waited for a stream, or, unread, in
 * this one while we stood still: that part is at most so long. 0 if the sender tells no
 * time.
 */
int64_t link_peer_age_ms(const struct link_peer *peer, uint64_t at_ms);
void link_peer_set_owner(struct link_peer *peer, void *owner);
void *link_peer_owner(const struct link_peer *peer);

/*
 * Starts over with a peer: its stream is closed (on_down), and both sides take the next
 * one as that of a new incarnation (on_lost, on_up). For an owner that could not send a
 * change of state (ERR_LIMIT): the replay that follows sets things right.
 */
void link_peer_reset(struct link_peer *peer);

/* What is sent to a peer that is up between on and off may exceed the window: for an
 * owner that tells it everything. In on_up(is_new) that is so anyway. */
void link_peer_replay(struct link_peer *peer, bool is_on);

/* Sent or to be sent, and not yet confirmed. */
size_t link_peer_waiting_bytes(const struct link_peer *peer);

/* Start with NULL. */
struct link_peer *link_peer_next(const struct link *link, const struct link_peer *peer);

#endif
