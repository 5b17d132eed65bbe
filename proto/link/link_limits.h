/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a link that are no options; docs/LINK.md has them all. */
#ifndef PROTO_LINK_LINK_LIMITS_H
#define PROTO_LINK_LINK_LIMITS_H

/* The newest version of the protocol that we speak, and the oldest: neighbours at least.
 */
#define LINK_VERSION 2 /* the default of link_version_max says it, too */
#define LINK_VERSION_MIN 1
#define LINK_VERSION_MAPS 2 /* the first that tells which routers there are */
#define LINK_PEERS_MAX 1024
#define LINK_GREETINGS_MAX 64
#define LINK_GREETING_TIMEOUT_MS 5000
#define LINK_GREETING_BYTES_MAX 1024 /* a frame of somebody yet unproven */
#define LINK_NONCE_BYTES 32
#define LINK_BACKOFF_MIN_MS 20
#define LINK_BACKOFF_MAX_MS 250

/* A peer whose time is over and that its owner keeps is asked about again. */
#define LINK_FORGET_AGAIN_MS 250

/* How long an acknowledgement that nobody waits for may look for a batch to ride on; not
 * behind so many messages, nor when a batch was so long that one more frame is little
 * beside it, nor behind batches that are so long together: the sender's window is held
 * meanwhile, of which that is a quarter when it is the smallest. */
#define LINK_ACK_DELAY_MS 10
#define LINK_ACK_ENVELOPES 64u
#define LINK_ACK_BYTES 4096u
#define LINK_ACK_HELD_BYTES 16384u

#endif
