/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies out of a stream of bytes, over hiredis' reader, which nobody else sees. A reply
 * is built in one arena as struct redis_reply, within REDIS_REPLY_BYTES_MAX,
 * REDIS_REPLY_ITEMS_MAX and REDIS_REPLY_DEPTH_MAX; whatever a server sends beyond that
 * ends its stream.
 */
#ifndef PROTO_BASE_REDIS_REPLY_H
#define PROTO_BASE_REDIS_REPLY_H

#include "proto/base/err.h"
#include "proto/base/redis.h"
#include "proto/base/slice.h"

/* How many bytes a feed may have. */
#define REDIS_FEED_MAX 16384u

struct redis_reader;

struct redis_reader *redis_reader_new(void);
void redis_reader_free(struct redis_reader *reader); /* NULL is legal */

/* Takes in what came, at most REDIS_FEED_MAX bytes, after all complete replies have been
 * taken. ERR_LIMIT: the reply that they belong to is too large. */
MUST_CHECK enum err redis_reader_feed(struct redis_reader *reader, struct slice bytes);

/*
 * OK: the next reply, which dies with the next call. ERR_AGAIN: it is not complete.
 * ERR_MALFORMED, ERR_LIMIT: the stream is of no use any more.
 */
MUST_CHECK enum err redis_reader_next(struct redis_reader *reader,
				      const struct redis_reply **reply);

#endif
