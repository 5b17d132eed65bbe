/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much waits for a peer, and for how long: for owners that make their own senders
 * wait in time, and that do not wait for ever.
 */
#ifndef PROTO_LINK_LINK_ROOM_H
#define PROTO_LINK_LINK_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct link;
struct link_peer;

/*
 * Half of the window waits. Whoever can should send no more until on_room, which comes
 * when less than a quarter does: the other half is for what cannot wait.
 */
bool link_peer_is_crowded(const struct link_peer *peer);

/* So it is with some peer. */
bool link_is_crowded(const struct link *link);

/*
 * A peer that was dialed or is expected, and has been away for `patience_ms`, is given up
 * until it comes: on_lost if it was known, the tickets of all that waits for it, and
 * ERR_CLOSED for what is sent. 0, as at first: never.
 */
void link_peer_set_patience(struct link_peer *peer, int64_t patience_ms);

/* ---- for the link itself */

void link_room_init(struct link_peer *peer);

/* Something was appended; something was acknowledged, or is void. */
void link_room_taken(struct link_peer *peer);
void link_room_given(struct link_peer *peer);

/* A stream came; it went. */
void link_room_on_up(struct link_peer *peer);
void link_room_on_down(struct link_peer *peer);

/* The peer is no more. */
void link_room_stop(struct link_peer *peer);

#endif
