/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of single blocks of memory. Ids are in order, so one is found by halving.
 */
#include "presence/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "proto/base/mem.h"

#define MS_MAX 99999999999999 /* fourteen digits */
#define COUNT_MAX 99999999u   /* eight */

struct history_event {
	enum store_change change;
	int64_t at_unix_ms;
	char id[HISTORY_ID_LEN + 1];
	size_t user_id_len;
	size_t user_name_len;
	char text[]; /* the two, in this order */
};

static void id_write(char *id, int64_t ms, uint64_t count)
{
	assert(ms >= 0 && ms <= MS_MAX);
	assert(count <= COUNT_MAX);
	(void)snprintf(id, HISTORY_ID_LEN + 1, "%014" PRId64 "-%08" PRIu64, ms, count);
}

static bool is_id(struct slice id)
{
	if (id.len != HISTORY_ID_LEN)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		if (i == 14 ? id.ptr[i] != '-' : id.ptr[i] < '0' || id.ptr[i] > '9')
			return false;
	}
	return true;
}

void history_init(struct history *history, size_t max, int64_t now_unix_ms)
{
	assert(max > 0);
	*history = (struct history){ .max = max, .last_ms = now_unix_ms };
	history->ring = mem_zalloc(max * sizeof(struct history_event *));
	id_write(history->last_id, history->last_ms, 0);
	memcpy(history->lost_id, history->last_id, sizeof(history->lost_id));
}

void history_fini(struct history *history)
{
	for (size_t i = 0; i < history->max; i++)
		mem_free(history->ring[i]);
	mem_free(history->ring);
	history->ring = NULL;
}

static struct history_event *event_at(const struct history *history, size_t at)
{
	assert(at < history->n);
	return history->ring[(history->first + at) % history->max];
}

static void history_forget_oldest(struct history *history)
{
	struct history_event *oldest = event_at(history, 0);

	memcpy(history->lost_id, oldest->id, sizeof(oldest->id));
	history->ring[history->first] = NULL;
	history->first = (history->first + 1) % history->max;
	history->n--;
	mem_free(oldest);
}

/* A clock that was set back does not turn ids back. */
static void history_count(struct history *history, int64_t now_ms)
{
	if (now_ms > history->last_ms) {
		history->last_ms = now_ms;
		history->last_in = 0;
	} else if (history->last_in < COUNT_MAX) {
		history->last_in++;
	} else {
		history->last_ms++;
		history->last_in = 0;
	}
	id_write(history->last_id, history->last_ms, history->last_in);
}

struct store_event history_add(struct history *history, const struct store_event *event)
{
	struct history_event *kept =
		mem_zalloc(offsetof(struct history_event, text) + event->user_id.len +
			   event->user_name.len);

	if (history->n == history->max)
		history_forget_oldest(history);
	history_count(history, event->at_unix_ms);
	kept->change = event->change;
	kept->at_unix_ms = event->at_unix_ms;
	memcpy(kept->id, history->last_id, sizeof(kept->id));
	kept->user_id_len = event->user_id.len;
	kept->user_name_len = event->user_name.len;
	if (event->user_id.len > 0)
		memcpy(kept->text, event->user_id.ptr, event->user_id.len);
	if (event->user_name.len > 0)
		memcpy(kept->text + event->user_id.len, event->user_name.ptr,
		       event->user_name.len);
	history->ring[(history->first + history->n++) % history->max] = kept;
	return history_event(history, history->n - 1);
}

enum err history_after(const struct history *history, struct slice id, size_t *at)
{
	size_t low = 0;
	size_t high = history->n;

	*at = 0;
	if (!is_id(id) || slice_compare(id, slice_from_str(history->lost_id)) < 0 ||
	    slice_compare(id, history_last_id(history)) > 0)
		return ERR_NOT_FOUND;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (slice_compare(slice_from_str(event_at(history, middle)->id), id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return OK;
}

struct store_event history_event(const struct history *history, size_t at)
{
	const struct history_event *kept = event_at(history, at);

	return (struct store_event){
		.id = slice_from_str(kept->id),
		.change = kept->change,
		.user_id = slice_make(kept->text, kept->user_id_len),
		.user_name =
			slice_make(kept->text + kept->user_id_len, kept->user_name_len),
		.at_unix_ms = kept->at_unix_ms,
	};
}

struct slice history_last_id(const struct history *history)
{
	return slice_from_str(history->last_id);
}
