/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that methods return: each item is a Push of its own to the caller's gateway. A
 * method that is faster than its client is stopped twice over: while the gateway says
 * that the client is behind, and while the gateway has not confirmed the last items.
 */
#include <assert.h>

#include "router/hub_steps.h"

/* Items of one stream that may be on their way to the gateway. */
#define ITEMS_MAX 16

struct hub_item {
	struct session_ticket ticket;
	struct hub_call *call;
	bool is_away;
};

static void on_item(struct session_ticket *ticket, enum err rc)
{
	struct hub_item *item = CONTAINER_OF(ticket, struct hub_item, ticket);

	(void)rc; /* if the gateway is lost, so is the connection: the call is canceled */
	item->is_away = false;
	item->call->items_n--;
	hub_call_wake(item->call);
}

static struct hub_item *item_new(struct hub_call *call)
{
	struct hub_item *item;

	assert(call->items_n < ITEMS_MAX);
	if (call->items == NULL)
		call->items =
			arena_zalloc(&call->arena, ITEMS_MAX * sizeof(*call->items));
	for (item = call->items; item->is_away; item++)
		;
	item->call = call;
	item->is_away = true;
	call->items_n++;
	session_ticket_init(&item->ticket, on_item);
	return item;
}

void hub_items_forget(struct hub_call *call)
{
	for (size_t i = 0; call->items_n > 0; i++) {
		assert(i < ITEMS_MAX);
		if (!call->items[i].is_away)
			continue;
		session_ticket_cancel(&call->items[i].ticket);
		call->items[i].is_away = false;
		call->items_n--;
	}
}

static enum hub_rc item_push(struct hub_call *call, struct slice frame)
{
	struct router_gateway *gateway = call->conn->gateway;
	Link__Push push = LINK__PUSH__INIT;
	struct hub_item *item;

	if (frame.len > HUB_FRAME_BYTES_MAX)
		return HUB_ELIMIT;
	push.hub = link_bytes(hub_served_name(call->conn->hub));
	push.connection = link_bytes(call->conn->id);
	push.frame = link_bytes(frame);
	item = item_new(call);
	if (link_send_push(gateway->peer, &push, &item->ticket) != OK) {
		item->is_away = false;
		call->items_n--;
		return HUB_ELIMIT;
	}
	call->is_streaming = true;
	call->runtime->router->metrics.item_total++;
	return HUB_OK;
}

bool hub_has_room(const struct hub_call *call)
{
	const struct router_gateway *gateway = call->conn->gateway;

	return !call->conn->is_blocked && call->items_n < ITEMS_MAX &&
	       (gateway == NULL || !link_peer_is_crowded(gateway->peer));
}

enum hub_rc hub_await_room(struct hub_call *call)
{
	while (!hub_is_canceled(call) && !hub_has_room(call))
		hub_call_pause(call);
	return hub_is_canceled(call) ? HUB_ECANCELED : HUB_OK;
}

enum hub_rc hub_await_item(struct hub_call *call, const struct value *item)
{
	struct buf raw = BUF_INIT;
	struct buf frame = BUF_INIT;
	enum hub_rc rc;

	if (!call->is_stream) {
		hub_misuse(call, "hub_await_item(): the method has no stream");
		return HUB_FAILED;
	}
	rc = hub_await_room(call);
	if (rc != HUB_OK)
		return rc;
	call->conn->codec->encode_value(&raw, item);
	hub_encode_item(call->conn->codec, &frame, call->invocation_id, buf_slice(&raw));
	rc = item_push(call, buf_slice(&frame));
	buf_fini(&frame);
	buf_fini(&raw);
	return rc;
}
