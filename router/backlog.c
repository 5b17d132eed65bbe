/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue is walked as a whole when there is room: what may not leave yet keeps back
 * what is behind it in its slot.
 */
#include "router/backlog.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/hash.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/fanout.h"
#include "router/hub_runtime.h"
#include "router/reshard_hold.h"
#include "router/route.h"
#include "router/router.h"
#include "router/shard.h"

/* Of what may wait: from here on on no call begins, and below here they do again. */
#define FULL_PART 2
#define ROOM_PART 4

struct held_send {
	struct list node;
	struct link_peer *origin; /* held; NULL: ourselves */
	int64_t since_ms;
	size_t slot;
	struct buf packed;
};

static size_t slot_of(const Link__Send *send)
{
	const char kind = (char)send->kind;
	const struct slice parts[] = { link_slice(send->hub), slice_make(&kind, 1),
				       link_slice(send->name) };

	return hash_stable(parts, sizeof(parts) / sizeof(parts[0])) % BACKLOG_SLOTS;
}

static size_t bytes_max(const struct backlog *backlog)
{
	return (size_t)backlog->router->conf->link.window_bytes_max;
}

static void held_free(struct backlog *backlog, struct held_send *held)
{
	backlog->bytes -= held->packed.len;
	if (backlog->bytes < bytes_max(backlog) / ROOM_PART)
		backlog->is_full = false;
	backlog->slots[held->slot]--;
	backlog->held_n--;
	backlog->router->metrics.backlog--;
	list_remove(&held->node);
	link_peer_release(held->origin);
	buf_fini(&held->packed);
	mem_free(held);
}

static Link__Send *held_unpack(const struct held_send *held)
{
	Link__Send *send = link__send__unpack(NULL, held->packed.len,
					      (const uint8_t *)held->packed.ptr);

	/* What was packed here unpacks: it never left this process. */
	assert(send != NULL);
	return send;
}

bool backlog_is_on(const struct backlog *backlog)
{
	return backlog->held_n > 0 || link_is_crowded(backlog->router->link);
}

/* ---- in */

static int64_t timeout_ms(const struct backlog *backlog)
{
	return backlog->router->conf->hub_await_timeout_ms;
}

static void timer_next(struct backlog *backlog)
{
	struct loop *loop = backlog->router->loop;
	const struct held_send *oldest;
	int64_t left_ms;

	loop_timer_stop(loop, &backlog->timer);
	if (backlog->held_n == 0)
		return;
	oldest = CONTAINER_OF(backlog->held.next, struct held_send, node);
	left_ms = oldest->since_ms + timeout_ms(backlog) - loop_now_ms(loop);
	loop_timer_start(loop, &backlog->timer, left_ms > 0 ? left_ms : 0);
}

static enum err take(struct backlog *backlog, struct link_peer *origin,
		     const Link__Send *send, size_t slot)
{
	struct router *router = backlog->router;
	const size_t len = link__send__get_packed_size(send);
	struct held_send *held;

	if (backlog->bytes + len > bytes_max(backlog)) {
		router->metrics.backlog_refused_total++;
		log_warn("backlog.full", "bytes=%zu", backlog->bytes);
		return ERR_LIMIT;
	}
	held = MEM_NEW(struct held_send);
	held->origin = link_peer_hold(origin);
	held->since_ms = loop_now_ms(router->loop);
	held->slot = slot;
	link__send__pack(send, (uint8_t *)buf_reserve(&held->packed, len));
	held->packed.len = len;
	list_init(&held->node);
	list_append(&backlog->held, &held->node);
	backlog->held_n++;
	backlog->bytes += len;
	if (backlog->bytes >= bytes_max(backlog) / FULL_PART)
		backlog->is_full = true;
	backlog->slots[slot]++;
	router->metrics.backlog++;
	router->metrics.backlog_total++;
	if (backlog->held_n == 1)
		timer_next(backlog);
	return OK;
}

/* What is ours waits for the rebuild first, and comes here then: behind what was here
 * before, which waits for it, too. */
static bool is_for_rebuild(struct router *router, const struct link_peer *origin,
			   const Link__Send *send)
{
	return !router->rebuild.is_done && route_is_own(router, origin, send);
}

/* The same when shards change. */
static bool must_wait(struct router *router, const struct link_peer *origin,
		      const Link__Send *send)
{
	if (origin == NULL && send->call != 0 && reshard_must_hold(router, send))
		return false;
	return route_is_crowded(router, origin, send);
}

enum err backlog_hold(struct backlog *backlog, struct link_peer *origin,
		      const Link__Send *send)
{
	size_t slot;

	/* Most days there is no more to ask. */
	if (!backlog_is_on(backlog) || backlog->is_releasing ||
	    is_for_rebuild(backlog->router, origin, send))
		return ERR_AGAIN;
	slot = slot_of(send);
	if (backlog->slots[slot] == 0 && !must_wait(backlog->router, origin, send))
		return ERR_AGAIN;
	return take(backlog, origin, send, slot);
}

/* ---- out */

/* Of ours what nobody waits for any more never leaves: its call has failed. */
static void release(struct backlog *backlog, const struct held_send *held,
		    Link__Send *send)
{
	struct ask *ask = send->call != 0 && held->origin == NULL
				  ? asks_find(&backlog->router->asks, send->call)
				  : NULL;

	backlog->is_releasing = true;
	if (held->origin != NULL)
		shard_on_send(backlog->router, held->origin, send);
	else if (send->call == 0 || ask != NULL)
		route_send(backlog->router, send, ask);
	backlog->is_releasing = false;
}

static void settle(struct backlog *backlog, bool was_full)
{
	timer_next(backlog);
	if (was_full && !backlog->is_full)
		hub_on_sends_left(backlog->router->hubs);
}

static void on_flush(struct loop_flush *flush)
{
	struct backlog *backlog = CONTAINER_OF(flush, struct backlog, flush);
	const bool was_full = backlog->is_full;
	bool is_kept[BACKLOG_SLOTS] = { false };

	LIST_EACH (node, &backlog->held) {
		struct held_send *held = CONTAINER_OF(node, struct held_send, node);
		Link__Send *send;

		if (is_kept[held->slot])
			continue;
		send = held_unpack(held);
		is_kept[held->slot] =
			is_for_rebuild(backlog->router, held->origin, send) ||
			route_is_crowded(backlog->router, held->origin, send);
		if (!is_kept[held->slot]) {
			release(backlog, held, send);
			held_free(backlog, held);
		}
		link__send__free_unpacked(send, NULL);
	}
	settle(backlog, was_full);
}

void backlog_on_room(struct backlog *backlog)
{
	if (backlog->held_n > 0)
		loop_touch(backlog->router->loop, &backlog->flush);
}

/* Whoever awaits it has given up, too. */
static void on_timer(struct timer *timer)
{
	struct backlog *backlog = CONTAINER_OF(timer, struct backlog, timer);
	struct router *router = backlog->router;
	const int64_t before_ms = loop_now_ms(router->loop) - timeout_ms(backlog);
	const bool was_full = backlog->is_full;
	uint64_t n = 0;

	LIST_EACH (node, &backlog->held) {
		struct held_send *held = CONTAINER_OF(node, struct held_send, node);
		Link__Send *send;

		if (held->since_ms > before_ms)
			break;
		send = held_unpack(held);
		fanout_answer(router, held->origin, send->call, ERR_TIMEOUT);
		link__send__free_unpacked(send, NULL);
		held_free(backlog, held);
		n++;
	}
	router->metrics.backlog_overdue_total += n;
	log_warn("backlog.dropped", "sends=%" PRIu64, n);
	settle(backlog, was_full);
}

/* ---- life */

void backlog_init(struct backlog *backlog, struct router *router)
{
	*backlog = (struct backlog){ .router = router };
	list_init(&backlog->held);
	loop_flush_init(&backlog->flush, on_flush);
	timer_init(&backlog->timer, on_timer);
}

void backlog_fini(struct backlog *backlog)
{
	loop_untouch(&backlog->flush);
	loop_timer_stop(backlog->router->loop, &backlog->timer);
	LIST_EACH (node, &backlog->held)
		held_free(backlog, CONTAINER_OF(node, struct held_send, node));
}
