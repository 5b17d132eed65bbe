/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for the fields of a key to change: the table of the shard that owns the key.
 * A wait belongs to the question of a hub method, here or at another router, and ends
 * when it is answered, when its time is up, when who asked says so or is lost. Those who
 * wait for the same key are one topic, which is read once for all of them.
 *
 * No change slips through between reading and waiting: whoever comes is put into the
 * table first, and the key is read behind it; what changes while that read is under way
 * makes the topic stale, and it is read again.
 */
#ifndef ROUTER_STATE_STATE_WAIT_H
#define ROUTER_STATE_STATE_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

struct link_peer;

/* Whose question: `origin` NULL is this router. Compared by its bytes. */
struct state_wait_id {
	struct link_peer *origin;
	uint64_t call;
};

struct state_wait {
	struct map_node node; /* by id */
	struct state_wait_id id;
	struct list topic_node;
	struct state_topic *topic;
	struct state_waits *waits;
	struct timer timer;
	uint64_t after; /* the version that it has already */
};

struct state_topic {
	struct map_node node;
	struct list waits; /* in the order in which they came */
	bool is_reading;
	bool is_stale; /* since that read began */
	size_t hub_len;
	char bytes[]; /* hub_len, the hub, the key */
};

static inline struct slice state_topic_hub(const struct state_topic *topic)
{
	return slice_make(topic->bytes + sizeof(topic->hub_len), topic->hub_len);
}

static inline struct slice state_topic_key(const struct state_topic *topic)
{
	return slice_from(map_key(&topic->node), sizeof(topic->hub_len) + topic->hub_len);
}

/* Its time is up: it is to be answered and ended. */
typedef void state_wait_due_fn(struct state_wait *wait);

struct state_waits {
	struct loop *loop; /* borrowed */
	struct map topics; /* by key */
	struct map by_id;
	size_t n_max;
	state_wait_due_fn *on_due;
	struct list looks; /* state_change.c: reads under way */
	uint64_t refused_total;
};

void state_waits_init(struct state_waits *waits, struct loop *loop, size_t n_max,
		      uint64_t seed, state_wait_due_fn *on_due);
void state_waits_fini(struct state_waits *waits); /* with all that is left */

/* Ends all waits; nobody is told. */
void state_waits_clear(struct state_waits *waits);

/* NULL: there are n_max, or it asks already. */
struct state_wait *state_wait_new(struct state_waits *waits, struct slice hub,
				  struct slice key, const struct state_wait_id *id,
				  int64_t timeout_ms);

/* A topic that nobody waits for any more goes with it, unless it is being read. */
void state_wait_free(struct state_wait *wait);

/* NULL: none of that id. */
struct state_wait *state_wait_find(const struct state_waits *waits,
				   const struct state_wait_id *id);

/* All of a router that is lost. */
void state_waits_remove_origin(struct state_waits *waits, const struct link_peer *origin);

/* NULL: nobody waits for the key. */
struct state_topic *state_topic_find(const struct state_waits *waits, struct slice hub,
				     struct slice key);

/* True: read it now, from behind state_topic_after(), and say when that is done. False: a
 * read is under way, and will be repeated. */
bool state_topic_read(struct state_topic *topic);

/* The read is over and those that it had something for are freed. True: again. False:
 * there is nothing to do, and the topic may be gone. */
bool state_topic_read_done(struct state_waits *waits, struct state_topic *topic);

/* What the one that knows least has already. Somebody waits. */
uint64_t state_topic_after(const struct state_topic *topic);

#endif
