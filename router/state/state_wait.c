/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two maps over the same waits: by who asked, and by what for.
 */
#include "router/state/state_wait.h"

#include <assert.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

void state_waits_init(struct state_waits *waits, struct loop *loop, size_t n_max,
		      uint64_t seed, state_wait_due_fn *on_due)
{
	assert(n_max > 0);
	*waits = (struct state_waits){ .loop = loop, .n_max = n_max, .on_due = on_due };
	map_init(&waits->topics, seed);
	map_init(&waits->by_id, seed);
	list_init(&waits->looks);
}

/* ---- topics */

/* Keys of different hubs never meet: the length stands before the hub's name. */
static void topic_key(struct buf *out, struct slice hub, struct slice key)
{
	buf_append(out, &hub.len, sizeof(hub.len));
	buf_append_slice(out, hub);
	buf_append_slice(out, key);
}

struct state_topic *state_topic_find(const struct state_waits *waits, struct slice hub,
				     struct slice key)
{
	struct buf bytes = BUF_INIT;
	struct map_node *node;

	topic_key(&bytes, hub, key);
	node = map_find(&waits->topics, buf_slice(&bytes));
	buf_fini(&bytes);
	return node != NULL ? CONTAINER_OF(node, struct state_topic, node) : NULL;
}

static struct state_topic *topic_new(struct state_waits *waits, struct slice hub,
				     struct slice key)
{
	struct buf bytes = BUF_INIT;
	struct state_topic *topic;

	topic_key(&bytes, hub, key);
	topic = mem_zalloc(sizeof(*topic) + bytes.len);
	memcpy(topic->bytes, bytes.ptr, bytes.len);
	topic->hub_len = hub.len;
	list_init(&topic->waits);
	map_add(&waits->topics, &topic->node, slice_make(topic->bytes, bytes.len));
	buf_fini(&bytes);
	return topic;
}

static void topic_free_unused(struct state_waits *waits, struct state_topic *topic)
{
	if (topic->is_reading || !list_is_empty(&topic->waits))
		return;
	map_remove(&waits->topics, &topic->node);
	mem_free(topic);
}

bool state_topic_read(struct state_topic *topic)
{
	assert(!list_is_empty(&topic->waits));
	if (topic->is_reading) {
		topic->is_stale = true;
		return false;
	}
	topic->is_reading = true;
	topic->is_stale = false;
	return true;
}

bool state_topic_read_done(struct state_waits *waits, struct state_topic *topic)
{
	const bool is_again = topic->is_stale && !list_is_empty(&topic->waits);

	assert(topic->is_reading);
	topic->is_stale = false;
	if (is_again)
		return true;
	topic->is_reading = false;
	topic_free_unused(waits, topic);
	return false;
}

uint64_t state_topic_after(const struct state_topic *topic)
{
	uint64_t after = UINT64_MAX;

	assert(!list_is_empty(&topic->waits));
	LIST_EACH (node, &topic->waits) {
		const struct state_wait *wait =
			CONTAINER_OF(node, struct state_wait, topic_node);

		if (wait->after < after)
			after = wait->after;
	}
	return after;
}

/* ---- waits */

static struct slice id_key(const struct state_wait_id *id)
{
	_Static_assert(sizeof(*id) == sizeof(id->origin) + sizeof(id->call),
		       "an id has no padding");
	return slice_make((const char *)id, sizeof(*id));
}

static void on_timer(struct timer *timer)
{
	struct state_wait *wait = CONTAINER_OF(timer, struct state_wait, timer);

	wait->waits->on_due(wait);
}

struct state_wait *state_wait_find(const struct state_waits *waits,
				   const struct state_wait_id *id)
{
	struct map_node *node = map_find(&waits->by_id, id_key(id));

	return node != NULL ? CONTAINER_OF(node, struct state_wait, node) : NULL;
}

struct state_wait *state_wait_new(struct state_waits *waits, struct slice hub,
				  struct slice key, const struct state_wait_id *id,
				  int64_t timeout_ms)
{
	struct state_wait *wait;

	if (waits->by_id.count >= waits->n_max || state_wait_find(waits, id) != NULL) {
		waits->refused_total++;
		return NULL;
	}
	wait = MEM_NEW(struct state_wait);
	wait->id = *id;
	wait->waits = waits;
	wait->topic = state_topic_find(waits, hub, key);
	if (wait->topic == NULL)
		wait->topic = topic_new(waits, hub, key);
	list_init(&wait->topic_node);
	list_append(&wait->topic->waits, &wait->topic_node);
	map_add(&waits->by_id, &wait->node, id_key(&wait->id));
	timer_init(&wait->timer, on_timer);
	loop_timer_start(waits->loop, &wait->timer, timeout_ms);
	return wait;
}

void state_wait_free(struct state_wait *wait)
{
	struct state_waits *waits = wait->waits;
	struct state_topic *topic = wait->topic;

	loop_timer_stop(waits->loop, &wait->timer);
	map_remove(&waits->by_id, &wait->node);
	list_remove(&wait->topic_node);
	mem_free(wait);
	topic_free_unused(waits, topic);
}

static void state_waits_remove(struct state_waits *waits, bool is_all,
			       const struct link_peer *origin)
{
	struct map_node *node = map_next(&waits->by_id, NULL);

	while (node != NULL) {
		struct state_wait *wait = CONTAINER_OF(node, struct state_wait, node);

		node = map_next(&waits->by_id, node);
		if (is_all || wait->id.origin == origin)
			state_wait_free(wait);
	}
}

void state_waits_remove_origin(struct state_waits *waits, const struct link_peer *origin)
{
	state_waits_remove(waits, false, origin);
}

void state_waits_clear(struct state_waits *waits)
{
	state_waits_remove(waits, true, NULL);
}

void state_waits_fini(struct state_waits *waits)
{
	struct map_node *node;

	state_waits_clear(waits);
	/* Those that are being read, by nobody any more. */
	while ((node = map_next(&waits->topics, NULL)) != NULL) {
		struct state_topic *topic = CONTAINER_OF(node, struct state_topic, node);

		topic->is_reading = false;
		topic_free_unused(waits, topic);
	}
	map_fini(&waits->topics);
	map_fini(&waits->by_id);
}
