/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last changes of who is here, each with its id, for those who come a little late. An
 * id is the time in unix milliseconds and a count, of fixed width. Ids grow, also from
 * one life of presence to the next, so that one of an earlier life is known to be old.
 */
#ifndef PRESENCE_HISTORY_H
#define PRESENCE_HISTORY_H

#include "presence/store_answer.h"

#define HISTORY_ID_LEN 23 /* "01763800000000-00000001" */

struct history_event;

struct history {
	struct history_event **ring; /* owned */
	size_t max;
	size_t n;
	size_t first;	  /* of the oldest */
	int64_t last_ms;  /* of the newest id */
	uint64_t last_in; /* its count within last_ms */
	char last_id[HISTORY_ID_LEN + 1];
	char lost_id[HISTORY_ID_LEN + 1]; /* of the newest that is forgotten */
};

/* `max` > 0. What was before counts as forgotten. */
void history_init(struct history *history, size_t max, int64_t now_unix_ms);
void history_fini(struct history *history);

/* `event` without its id, whose texts are copied. The oldest may go. What is returned is
 * valid until as many more have come as are kept. */
struct store_event history_add(struct history *history, const struct store_event *event);

/* `*at` is where what followed `id` begins, history->n when nothing did. ERR_NOT_FOUND:
 * it is forgotten, or never was. */
MUST_CHECK enum err history_after(const struct history *history, struct slice id,
				  size_t *at);

/* `at` < history->n. */
struct store_event history_event(const struct history *history, size_t at);

/* Of the newest one, or from where on history is kept. */
struct slice history_last_id(const struct history *history);

#endif
