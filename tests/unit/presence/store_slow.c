/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/presence/store_slow.h"

#include <criterion/criterion.h>

#include "proto/base/mem.h"

#define HELD_MAX 16
#define TEXT_MAX 128

/* A question that waits: gateway_new(), gateway_retire() or events(). */
struct held {
	struct store_call *call;
	bool is_gateway;
	uint64_t retired; /* 0: it is another question */
	struct session_gateway_id gateway;
	char text[TEXT_MAX]; /* the gateway's name, or `after` */
	size_t text_len;
	int64_t lease_ms;
	size_t limit;
};

struct store_slow {
	struct store store;
	struct store_ops ops;
	struct store *inner; /* owned */
	struct held held[HELD_MAX];
	int held_n;
	bool is_held;
	int64_t away_since_ms;
	enum err fail;
};

static struct store_slow *slow_of(struct store *store)
{
	return CONTAINER_OF(store, struct store_slow, store);
}

/* ---- what waits */

static bool slow_failed(struct store_slow *slow, struct store_call *call)
{
	const struct store_answer answer = { .rc = slow->fail };

	if (slow->fail == OK)
		return false;
	call->done(call, &answer);
	return true;
}

static struct held *slow_keep(struct store_slow *slow, struct slice text)
{
	struct held *held = &slow->held[slow->held_n++];

	cr_assert_leq(slow->held_n, HELD_MAX);
	cr_assert_leq(text.len, TEXT_MAX);
	*held = (struct held){ .text_len = text.len };
	if (text.len > 0)
		memcpy(held->text, text.ptr, text.len);
	return held;
}

static void held_ask(struct store *inner, struct held *held)
{
	const struct slice text = slice_make(held->text, held->text_len);

	held->gateway.name = text;
	if (held->retired != 0)
		inner->ops->gateway_retire(inner, held->retired, held->call);
	else if (held->is_gateway)
		inner->ops->gateway_new(inner, &held->gateway, held->lease_ms,
					held->call);
	else
		inner->ops->events(inner, text, held->limit, held->call);
}

static void on_gateway_new(struct store *store, const struct session_gateway_id *gateway,
			   int64_t lease_ms, struct store_call *call)
{
	struct store_slow *slow = slow_of(store);
	struct held *held;

	if (slow_failed(slow, call))
		return;
	if (!slow->is_held) {
		slow->inner->ops->gateway_new(slow->inner, gateway, lease_ms, call);
		return;
	}
	held = slow_keep(slow, gateway->name);
	held->call = call;
	held->is_gateway = true;
	held->gateway = *gateway;
	held->lease_ms = lease_ms;
}

static void on_events(struct store *store, struct slice after, size_t limit,
		      struct store_call *call)
{
	struct store_slow *slow = slow_of(store);
	struct held *held;

	if (slow_failed(slow, call))
		return;
	if (!slow->is_held) {
		slow->inner->ops->events(slow->inner, after, limit, call);
		return;
	}
	held = slow_keep(slow, after);
	held->call = call;
	held->limit = limit;
}

/* ---- what goes through */

#define INNER slow_of(store)->inner

static void on_gateway_renew(struct store *store, uint64_t registration, int64_t lease_ms,
			     struct store_call *call)
{
	INNER->ops->gateway_renew(INNER, registration, lease_ms, call);
}

static void on_gateway_replayed(struct store *store, uint64_t registration,
				struct store_call *call)
{
	INNER->ops->gateway_replayed(INNER, registration, call);
}

static void on_gateway_retire(struct store *store, uint64_t registration,
			      struct store_call *call)
{
	struct store_slow *slow = slow_of(store);
	struct held *held;

	if (!slow->is_held) {
		INNER->ops->gateway_retire(INNER, registration, call);
		return;
	}
	held = slow_keep(slow, SLICE_NONE);
	held->call = call;
	held->retired = registration;
}

static void on_add(struct store *store, uint64_t registration,
		   const struct session_info *info, struct store_call *call)
{
	if (!slow_failed(slow_of(store), call))
		INNER->ops->add(INNER, registration, info, call);
}

static void on_remove(struct store *store, uint64_t registration, struct slice hub,
		      struct slice connection, struct store_call *call)
{
	INNER->ops->remove(INNER, registration, hub, connection, call);
}

static void on_sweep(struct store *store, size_t limit, struct store_call *call)
{
	INNER->ops->sweep(INNER, limit, call);
}

static void on_settle(struct store *store, struct store_call *call)
{
	INNER->ops->settle(INNER, call);
}

static void on_user(struct store *store, struct slice id, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	INNER->ops->user(INNER, id, cursor, limit, call);
}

static void on_connection(struct store *store, struct slice id, struct store_call *call)
{
	INNER->ops->connection(INNER, id, call);
}

static void on_list(struct store *store, struct slice prefix, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	INNER->ops->list(INNER, prefix, cursor, limit, call);
}

static void on_count(struct store *store, struct store_call *call)
{
	INNER->ops->count(INNER, call);
}

static void on_mark(struct store *store, struct slice name, struct slice id,
		    struct store_call *call)
{
	INNER->ops->mark(INNER, name, id, call);
}

static void on_marked(struct store *store, struct slice name, struct store_call *call)
{
	if (!slow_failed(slow_of(store), call))
		INNER->ops->marked(INNER, name, call);
}

static void on_shards(struct store *store, const struct store_shards *known,
		      int64_t lease_ms, struct store_call *call)
{
	if (!slow_failed(slow_of(store), call))
		INNER->ops->shards(INNER, known, lease_ms, call);
}

static void on_shards_step(struct store *store, const struct store_shards *after,
			   const struct shard_offer *map, struct store_call *call)
{
	if (!slow_failed(slow_of(store), call))
		INNER->ops->shards_step(INNER, after, map, call);
}

static void on_shards_target(struct store *store, struct slice target, bool is_first,
			     struct store_call *call)
{
	if (!slow_failed(slow_of(store), call))
		INNER->ops->shards_target(INNER, target, is_first, call);
}

static int64_t on_away_since_ms(const struct store *store)
{
	return ((const struct store_slow *)store)->away_since_ms; /* its first member */
}

static void on_told(void *owner, const struct store_event *event)
{
	const struct store_slow *slow = owner;

	if (slow->store.watcher.on_event != NULL)
		slow->store.watcher.on_event(slow->store.watcher.owner, event);
}

/* ---- life */

static void on_free(struct store *store)
{
	const struct store_answer answer = { .rc = ERR_CLOSED };
	struct store_slow *slow = slow_of(store);

	for (int i = 0; i < slow->held_n; i++)
		slow->held[i].call->done(slow->held[i].call, &answer);
	slow->inner->ops->free(slow->inner);
	mem_free(slow);
}

struct store *store_slow_new(struct store *inner)
{
	struct store_slow *slow = MEM_NEW(struct store_slow);

	slow->inner = inner;
	inner->watcher = (struct store_watcher){ .on_event = on_told, .owner = slow };
	slow->ops = (struct store_ops){
		.gateway_new = on_gateway_new,
		.gateway_renew = on_gateway_renew,
		.gateway_replayed = on_gateway_replayed,
		.gateway_retire = on_gateway_retire,
		.add = on_add,
		.remove = on_remove,
		.sweep = on_sweep,
		.settle = on_settle,
		.user = on_user,
		.connection = on_connection,
		.list = on_list,
		.count = on_count,
		.events = on_events,
		.mark = on_mark,
		.marked = on_marked,
		.shards = on_shards,
		.shards_step = on_shards_step,
		.shards_target = on_shards_target,
		.away_since_ms = on_away_since_ms,
		.free = on_free,
	};
	slow->store.ops = &slow->ops;
	return &slow->store;
}

void store_slow_hold(struct store *store, bool is_held)
{
	slow_of(store)->is_held = is_held;
}

int store_slow_release(struct store *store)
{
	struct store_slow *slow = slow_of(store);
	struct held held[HELD_MAX];
	const int n = slow->held_n;

	memcpy(held, slow->held, sizeof(held));
	slow->held_n = 0;
	for (int i = 0; i < n; i++)
		held_ask(slow->inner, &held[i]);
	return n;
}

void store_slow_fail(struct store *store, enum err rc)
{
	slow_of(store)->fail = rc;
}

void store_slow_leave(struct store *store, bool is_away)
{
	slow_of(store)->away_since_ms = is_away ? 1 : 0;
}

void store_slow_lose(struct store *store)
{
	store->watcher.on_lost(store->watcher.owner);
}
