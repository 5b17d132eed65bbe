/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection reads, and what stops its reading for a while.
 */
#ifndef GATEWAY_CONN_IN_H
#define GATEWAY_CONN_IN_H

#include "gateway/conn.h"

/* Why nothing is read from the client; bits, for there may be several reasons at once. */
#define CONN_PAUSE_CALLS 1u	 /* too many invocations in flight */
#define CONN_PAUSE_UPLOADS 2u	 /* a method does not take the items of a stream */
#define CONN_PAUSE_TURN 4u	 /* conn_in.c's own: the pause ends with this turn */
#define CONN_PAUSE_RATE 8u	 /* it sends faster than it may */
#define CONN_PAUSE_LINK 16u	 /* too much waits for its router: backlog.h */
#define CONN_PAUSE_RELEASE 32u	 /* another router is to run its hub: release.h */
#define CONN_PAUSE_MOVING 64u	 /* another gateway takes it over: handover.h */
#define CONN_PAUSE_ARRIVING 128u /* ... or has some of it yet: arriving.h */

/* Another gateway is about to give it to us. Stays true when it ends before. */
static inline bool conn_is_arriving(const struct conn *conn)
{
	return (conn->paused & CONN_PAUSE_ARRIVING) != 0;
}

/* From the transport: bytes of the stream, in any split; in a pause they wait. May close
 * the connection: the transport must look at transport->conn again afterwards. */
void conn_on_bytes(struct conn *conn, struct slice bytes);

/* Bytes that are no part of the stream count towards bytes_per_second_max as well. May
 * pause the reading (conn_rate.c). */
void conn_count_bytes(struct conn *conn, size_t n);

/* Nothing more is read, for this reason too, until it is taken back. */
void conn_pause(struct conn *conn, unsigned reason);

/* Reading goes on at the end of the turn, if this was the last reason. */
void conn_unpause(struct conn *conn, unsigned reason);

#endif
