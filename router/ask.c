/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question that was lost on its way is answered by its ticket, one that was handled by
 * a process that died before it answered by asks_on_lost().
 */
#include "router/ask.h"

#include <assert.h>

static struct slice ask_key(const uint64_t *number)
{
	return slice_make((const char *)number, sizeof(*number));
}

void asks_init(struct asks *asks, struct loop *loop, uint64_t seed)
{
	/* An answer to the process before us, which had our name, must not find a number.
	 */
	*asks = (struct asks){ .loop = loop, .last_number = seed >> 1 };
	map_init(&asks->by_number, seed);
}

static void old_over(struct asks *asks, const struct ask *ask)
{
	asks->old_n--;
	asks->old_sends_n -= ask->route == ASK_ROUTED_SEND;
	if (asks->old_n == 0 || asks->old_sends_n == 0)
		asks->on_old_over(asks);
}

static void ask_finish(struct ask *ask, const struct ask_answer *answer)
{
	map_remove(&ask->asks->by_number, &ask->node);
	loop_timer_stop(ask->asks->loop, &ask->timer);
	session_ticket_cancel(&ask->ticket);
	if (ask->is_old)
		old_over(ask->asks, ask);
	ask->fn(ask, answer);
}

void ask_cancel(struct ask *ask)
{
	const struct ask_answer answer = { .rc = ERR_CANCELED };

	ask_finish(ask, &answer);
}

void asks_cancel(struct asks *asks)
{
	struct map_node *node;

	while ((node = map_next(&asks->by_number, NULL)) != NULL)
		ask_cancel(CONTAINER_OF(node, struct ask, node));
}

void asks_fini(struct asks *asks)
{
	assert(asks->by_number.count == 0);
	map_fini(&asks->by_number);
}

static void on_timer(struct timer *timer)
{
	const struct ask_answer answer = { .rc = ERR_TIMEOUT };

	ask_finish(CONTAINER_OF(timer, struct ask, timer), &answer);
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct ask *ask = CONTAINER_OF(ticket, struct ask, ticket);
	const struct ask_answer answer = { .rc = rc };

	if (rc == OK)
		ask->is_handled = true;
	else
		ask_finish(ask, &answer);
}

void ask_start(struct ask *ask, struct asks *asks, int64_t timeout_ms, ask_fn *fn)
{
	ask->asks = asks;
	ask->fn = fn;
	ask->number = ++asks->last_number;
	ask->peer = NULL;
	ask->route = ASK_UNROUTED;
	ask->is_handled = false;
	ask->is_old = false;
	session_ticket_init(&ask->ticket, on_ticket);
	timer_init(&ask->timer, on_timer);
	map_add(&asks->by_number, &ask->node, ask_key(&ask->number));
	loop_timer_start(asks->loop, &ask->timer, timeout_ms);
}

struct session_ticket *ask_put_to(struct ask *ask, const struct link_peer *peer)
{
	ask->peer = peer;
	return &ask->ticket;
}

struct ask *asks_find(const struct asks *asks, uint64_t number)
{
	struct map_node *node = map_find(&asks->by_number, ask_key(&number));

	return node != NULL ? CONTAINER_OF(node, struct ask, node) : NULL;
}

struct session_ticket *asks_put_to(struct asks *asks, uint64_t number,
				   const struct link_peer *peer)
{
	struct ask *ask = asks_find(asks, number);

	return ask != NULL ? ask_put_to(ask, peer) : NULL;
}

void asks_on_lost(struct asks *asks, const struct link_peer *peer)
{
	const struct ask_answer answer = { .rc = ERR_OUTCOME };
	struct map_node *node = map_next(&asks->by_number, NULL);

	assert(peer != NULL);
	while (node != NULL) {
		struct ask *ask = CONTAINER_OF(node, struct ask, node);

		node = map_next(&asks->by_number, node);
		if (ask->peer == peer && ask->is_handled)
			ask_finish(ask, &answer);
	}
}

void asks_age(struct asks *asks)
{
	struct map_node *node = NULL;

	while ((node = map_next(&asks->by_number, node)) != NULL) {
		struct ask *ask = CONTAINER_OF(node, struct ask, node);

		if (ask->route == ASK_UNROUTED || ask->is_old)
			continue;
		ask->is_old = true;
		asks->old_n++;
		asks->old_sends_n += ask->route == ASK_ROUTED_SEND;
	}
}

void asks_lose_routed(struct asks *asks)
{
	const struct ask_answer answer = { .rc = ERR_OUTCOME };
	struct map_node *node = map_next(&asks->by_number, NULL);

	while (node != NULL) {
		struct ask *ask = CONTAINER_OF(node, struct ask, node);

		node = map_next(&asks->by_number, node);
		if (ask->route != ASK_UNROUTED)
			ask_finish(ask, &answer);
	}
}

void asks_answer(struct asks *asks, uint64_t number, const struct ask_answer *answer)
{
	struct ask *ask = asks_find(asks, number);

	if (ask != NULL)
		ask_finish(ask, answer);
}
