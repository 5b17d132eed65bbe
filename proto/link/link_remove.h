/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that are dialed or expected only for a while: routers come and go.
 */
#ifndef PROTO_LINK_LINK_REMOVE_H
#define PROTO_LINK_LINK_REMOVE_H

struct link_peer;

/*
 * The end of a peer that was dialed or is expected: on_down if it is up, on_lost if it
 * was ever known, then its tickets, as when its process is lost. May be called from its
 * on_envelope, not from its other callbacks. What is sent to it from now on is
 * ERR_CLOSED.
 */
void link_remove(struct link_peer *peer);

/* For who keeps a pointer to a peer that may be removed: until it is released the peer is
 * not freed. `peer` may be NULL. */
struct link_peer *link_peer_hold(struct link_peer *peer);
void link_peer_release(struct link_peer *peer);

#endif
