/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The changes of who is here, handed on to those who watch: each change once, in the
 * order of ids, from behind an id that the watcher names. What it missed before comes
 * from the store, page by page; who comes too late for that gets a RESET and goes on from
 * there.
 */
#ifndef PRESENCE_FEED_H
#define PRESENCE_FEED_H

#include <stdbool.h>

#include "presence/store_answer.h"
#include "proto/base/loop.h"

#define FEED_ID_BYTES_MAX 63

struct feed_call;
struct feed_watcher;
struct presence;

/* It and what it points to die on return. May pause or remove this watcher (which may
 * then be freed), and no other. */
typedef void feed_fn(struct feed_watcher *watcher, const struct store_event *event);

/* Embedded in its owner's struct; its fields are the feed's. */
struct feed_watcher {
	struct list node; /* in feed->watchers */
	struct feed *feed;
	feed_fn *on_event;
	struct feed_call *call; /* the store is asked for what it missed */
	bool is_live;		/* has all until now */
	bool is_paused;
	bool is_ask_due;
	bool is_reset_due; /* what followed its id is forgotten */
	bool is_missed;	   /* something came while it was not live */
	size_t id_len;
	char id[FEED_ID_BYTES_MAX]; /* of the last one it had */
};

struct feed {
	struct presence *presence; /* borrowed */
	struct list watchers;
	size_t watchers_n;
	struct timer timer; /* asks for those to whom it is due */
};

void feed_init(struct feed *feed, struct presence *presence);

/* All watchers must have been removed. */
void feed_fini(struct feed *feed);

/*
 * From behind the change with the id `after`, whatever text that is; empty: from now on.
 * on_event is not called before this returns.
 */
void feed_add(struct feed *feed, struct feed_watcher *watcher, struct slice after,
	      feed_fn *on_event);

/* Harmless when it was removed before. */
void feed_remove(struct feed_watcher *watcher);

/* No more for now, and then from where it was on. For a slow one. */
void feed_pause(struct feed_watcher *watcher);
void feed_resume(struct feed_watcher *watcher);

/* Of the last change that the watcher had; empty: none yet. */
struct slice feed_watcher_id(const struct feed_watcher *watcher);

/* The store tells. */
void feed_on_event(struct feed *feed, const struct store_event *event);

#endif
