/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Redis client accepts: from its callers, from the server, and for how long it
 * waits.
 */
#ifndef PROTO_BASE_REDIS_LIMITS_H
#define PROTO_BASE_REDIS_LIMITS_H

/* Of one command: more is ERR_LIMIT. */
#define REDIS_ARGS_MAX 8192u
#define REDIS_COMMAND_BYTES_MAX (4u << 20)

/* Of one reply, with all that is nested in it: more ends the connection. */
#define REDIS_REPLY_BYTES_MAX (16u << 20)
#define REDIS_REPLY_ITEMS_MAX (1u << 17)
#define REDIS_REPLY_LINE_BYTES_MAX 65536u /* of a status, an error or a number */
#define REDIS_REPLY_DEPTH_MAX 8		  /* arrays in arrays: hiredis' own limit */

/* What an option that is 0 means. */
#define REDIS_CONNECT_TIMEOUT_MS 5000
#define REDIS_COMMAND_TIMEOUT_MS 5000
#define REDIS_WAITING_MAX 65536u
#define REDIS_WAITING_BYTES_MAX (64u << 20)
#define REDIS_IN_FLIGHT_MAX 1024u
#define REDIS_CHECK_MS 5000

/* Between attempts to connect: doubled each time, and of that a random half to whole. */
#define REDIS_BACKOFF_MIN_MS 50
#define REDIS_BACKOFF_MAX_MS 2000

#endif
