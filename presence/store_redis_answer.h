/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages and records, from what Redis's scripts answer (presence/redis/ask.lua). A reply
 * that is none of theirs ends with ERR_IO.
 */
#ifndef PRESENCE_STORE_REDIS_ANSWER_H
#define PRESENCE_STORE_REDIS_ANSWER_H

#include "presence/store_event_id.h"
#include "presence/store_redis_op.h"

op_done_fn answer_user, answer_connection, answer_list, answer_events, answer_marked,
	answer_shards;

/* An event of the stream: its letter, user, name and time are the values. False: it is of
 * the store's own, and nobody's business. ERR_IO by `*rc`. */
struct event_values {
	struct slice letter;
	struct slice user;
	struct slice name;
	struct slice at;
};

/* ERR_NOT_FOUND: a letter of the store's own. ERR_MALFORMED. Sets all but `id`. */
MUST_CHECK enum err answer_read_event(const struct event_values *values,
				      struct store_event *event);

#endif
