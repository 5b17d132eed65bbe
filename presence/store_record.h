/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as the store in Redis keeps it: its key, which is unique over all
 * hubs and sorts by hub, and its record. Redis's scripts read both
 * (presence/redis/connection.lua). All numbers are big-endian. What is decoded
 * points into what it was decoded from. Pure.
 *
 *	key     hub's length, 2 bytes; hub; connection id
 *	record  registration, 6; user id's length, 2; user id; opened (unix ms), 6;
 *	        protocol, 4; transport, 2; remote's length, 2; remote; user agent
 */
#ifndef PRESENCE_STORE_RECORD_H
#define PRESENCE_STORE_RECORD_H

#include "presence/session.h"
#include "proto/base/buf.h"

/* A registration's number, as a record has it. */
#define RECORD_NUMBER_BYTES 6
void record_number_encode(struct buf *out, uint64_t registration);

/* The user's name is not in it: the newest connection's holds for all. */
void record_encode(struct buf *out, uint64_t registration,
		   const struct session_info *info);

/* Sets what the record has, user_id to transport. ERR_MALFORMED. */
MUST_CHECK enum err record_decode(struct slice record, struct session_info *info);

void record_key_encode(struct buf *out, struct slice hub, struct slice connection);
MUST_CHECK enum err record_key_decode(struct slice key, struct session_info *info);

/* "h1700000000000:Ann": is the user here, since when, the name. ERR_MALFORMED. */
MUST_CHECK enum err record_note_decode(struct slice note, int64_t *since_unix_ms,
				       struct slice *name);

/* "17:g1": a gateway's incarnation and name. ERR_MALFORMED. */
MUST_CHECK enum err record_gateway_decode(struct slice text,
					  struct session_gateway_id *gateway);

#endif
