/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watcher is live, or behind: then the store is asked for a page after the id it has
 * come to, one page a turn, until there was none more and nothing was told meanwhile.
 */
#include "presence/feed.h"

#include <assert.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/mem.h"

#define FEED_PAGE 100
#define FEED_RETRY_MS 500

/* A question of a watcher's, which may be removed before the answer. */
struct feed_call {
	struct store_call call;
	struct feed *feed;	      /* borrowed */
	struct feed_watcher *watcher; /* borrowed; NULL: it is gone */
};

/* ---- handing on */

static void watcher_came_to(struct feed_watcher *watcher, struct slice id)
{
	assert(id.len <= sizeof(watcher->id));
	watcher->id_len = id.len;
	if (id.len > 0)
		memcpy(watcher->id, id.ptr, id.len);
}

struct slice feed_watcher_id(const struct feed_watcher *watcher)
{
	return slice_make(watcher->id, watcher->id_len);
}

/* A store may tell late what was asked for early. */
static bool is_news(const struct feed_watcher *watcher, const struct store_event *event)
{
	return slice_compare(event->id, feed_watcher_id(watcher)) > 0;
}

static void watcher_tell(struct feed_watcher *watcher, const struct store_event *event)
{
	if (!is_news(watcher, event))
		return;
	watcher_came_to(watcher, event->id);
	watcher->feed->presence->metrics.events_told_total++;
	watcher->on_event(watcher, event);
}

/* A store may tell a RESET of its own making, which is no news by its id. */
static void watcher_hear(struct feed_watcher *watcher, const struct store_event *event)
{
	struct store_event reset = *event;

	if (event->change != STORE_RESET || is_news(watcher, event)) {
		watcher_tell(watcher, event);
		return;
	}
	reset.id = feed_watcher_id(watcher);
	watcher->feed->presence->metrics.events_told_total++;
	watcher->on_event(watcher, &reset);
}

void feed_on_event(struct feed *feed, const struct store_event *event)
{
	feed->presence->metrics.events_total++;
	LIST_EACH (node, &feed->watchers) {
		struct feed_watcher *watcher =
			CONTAINER_OF(node, struct feed_watcher, node);

		if (watcher->is_live) {
			watcher_hear(watcher, event);
		} else {
			watcher->is_missed = true;
			watcher->is_reset_due |= event->change == STORE_RESET;
		}
	}
}

/* ---- catching up */

static void watcher_ask_in(struct feed_watcher *watcher, int64_t delay_ms)
{
	struct feed *feed = watcher->feed;

	watcher->is_ask_due = true;
	if (delay_ms == 0 || !timer_is_running(&feed->timer))
		loop_timer_start(feed->presence->loop, &feed->timer, delay_ms);
}

/* What followed its id is forgotten; it goes on from the newest. */
static void watcher_reset(struct feed_watcher *watcher, struct slice newest)
{
	const struct store_event reset = {
		.id = newest,
		.change = STORE_RESET,
		.at_unix_ms = loop_unix_ms(watcher->feed->presence->loop),
	};

	watcher->is_reset_due = false;
	watcher->feed->presence->metrics.events_reset_total++;
	watcher_came_to(watcher, newest);
	watcher->on_event(watcher, &reset);
}

/* True: it has all that there was. Else it was told a part, or is gone. A page may hold
 * fewer than were asked for, or none: entries of the store's own are left out. */
static bool call_tell(const struct feed_call *asked, const struct store_answer *answer)
{
	struct feed_watcher *watcher = asked->watcher;

	if (watcher->is_reset_due) {
		watcher_reset(watcher, answer->next);
	} else if (watcher->id_len == 0) {
		watcher_came_to(watcher, answer->next);
	}
	for (size_t i = 0; i < answer->events_n; i++) {
		if (asked->watcher == NULL || watcher->is_paused)
			return false;
		watcher_tell(watcher, &answer->events[i]);
	}
	if (asked->watcher == NULL || watcher->is_paused)
		return false;
	if (slice_compare(answer->next, feed_watcher_id(watcher)) > 0)
		watcher_came_to(watcher, answer->next);
	return !answer->is_more;
}

static void on_events(struct store_call *call, const struct store_answer *answer)
{
	struct feed_call *asked = CONTAINER_OF(call, struct feed_call, call);
	struct feed_watcher *watcher = asked->watcher;
	bool has_all = false;

	if (watcher != NULL && !watcher->is_paused && answer->rc == OK)
		has_all = call_tell(asked, answer);
	watcher = asked->watcher;
	if (watcher != NULL) {
		watcher->call = NULL;
		if (answer->rc == ERR_NOT_FOUND)
			watcher->is_reset_due = true;
		else if (answer->rc != OK && answer->rc != ERR_CLOSED)
			online_failed(asked->feed->presence, answer->rc);
		if (has_all && !watcher->is_missed)
			watcher->is_live = true;
		else if (!watcher->is_paused && answer->rc != ERR_CLOSED)
			watcher_ask_in(watcher,
				       answer->rc == OK || answer->rc == ERR_NOT_FOUND
					       ? 0
					       : FEED_RETRY_MS);
	}
	mem_free(asked);
}

static void watcher_ask(struct feed_watcher *watcher)
{
	struct store *store = watcher->feed->presence->store;
	struct feed_call *asked = MEM_NEW(struct feed_call);
	const struct slice after =
		watcher->is_reset_due ? SLICE_NONE : feed_watcher_id(watcher);

	assert(watcher->call == NULL && !watcher->is_live);
	asked->feed = watcher->feed;
	asked->watcher = watcher;
	watcher->call = asked;
	watcher->is_ask_due = watcher->is_missed = false;
	store_call_init(&asked->call, on_events);
	store->ops->events(store, after, FEED_PAGE, &asked->call);
}

static void on_timer(struct timer *timer)
{
	struct feed *feed = CONTAINER_OF(timer, struct feed, timer);

	LIST_EACH (node, &feed->watchers) {
		struct feed_watcher *watcher =
			CONTAINER_OF(node, struct feed_watcher, node);

		if (watcher->is_ask_due && watcher->call == NULL && !watcher->is_paused)
			watcher_ask(watcher);
	}
}

/* ---- watchers */

void feed_add(struct feed *feed, struct feed_watcher *watcher, struct slice after,
	      feed_fn *on_event)
{
	*watcher = (struct feed_watcher){ .feed = feed, .on_event = on_event };
	list_init(&watcher->node);
	list_append(&feed->watchers, &watcher->node);
	feed->watchers_n++;
	feed->presence->metrics.watchers = (int64_t)feed->watchers_n;
	if (after.len == 0) {
		watcher_ask(watcher); /* now is now; there is nothing to tell */
		return;
	}
	watcher->is_reset_due = after.len > sizeof(watcher->id);
	if (!watcher->is_reset_due)
		watcher_came_to(watcher, after);
	watcher_ask_in(watcher, 0);
}

void feed_remove(struct feed_watcher *watcher)
{
	struct feed *feed = watcher->feed;

	if (feed == NULL)
		return;
	watcher->feed = NULL;
	if (watcher->call != NULL)
		watcher->call->watcher = NULL;
	watcher->call = NULL;
	list_remove(&watcher->node);
	feed->watchers_n--;
	feed->presence->metrics.watchers = (int64_t)feed->watchers_n;
}

void feed_pause(struct feed_watcher *watcher)
{
	watcher->is_paused = true;
	watcher->is_live = false;
	watcher->is_missed = true;
}

void feed_resume(struct feed_watcher *watcher)
{
	if (!watcher->is_paused)
		return;
	watcher->is_paused = false;
	watcher_ask_in(watcher, 0);
}

void feed_init(struct feed *feed, struct presence *presence)
{
	*feed = (struct feed){ .presence = presence };
	list_init(&feed->watchers);
	timer_init(&feed->timer, on_timer);
}

void feed_fini(struct feed *feed)
{
	assert(list_is_empty(&feed->watchers));
	loop_timer_stop(feed->presence->loop, &feed->timer);
}
