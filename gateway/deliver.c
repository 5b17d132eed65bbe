/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk has a number; the connections it leaves out are marked with it beforehand. What
 * has too many receivers for one turn is left to sweep.c.
 */
#include "gateway/deliver.h"

#include <assert.h>

#include "gateway/conn_out.h"
#include "gateway/parcel.h"
#include "gateway/sweep.h"

static void give(struct parcel *parcel, struct conn *conn)
{
	struct blob *wrapped;

	if (conn->excluded_mark == conn->gateway->deliver_mark ||
	    conn->state != CONN_OPEN)
		return;
	wrapped = parcel_wrapped(parcel, conn);
	if (wrapped == NULL)
		return;
	parcel->reached++;
	conn_send_wrapped(conn, wrapped);
}

static void to_members(const struct index_key *key, struct parcel *parcel)
{
	const struct list *end = &key->members;
	struct list *next;

	/* A slow receiver is closed under way and leaves; with the last one goes the key.
	 * LIST_EACH would then look into it once more. */
	for (struct list *node = end->next; node != end; node = next) {
		next = node->next;
		give(parcel, CONTAINER_OF(node, struct membership, key_node)->conn);
	}
}

static void to_all(const struct hub *hub, struct parcel *parcel)
{
	LIST_EACH (node, &hub->conns)
		give(parcel, CONTAINER_OF(node, struct conn, hub_node));
}

static void to_one(const struct gateway *gateway, const struct hub *hub,
		   struct slice name, struct parcel *parcel)
{
	struct conn *conn = gateway_conn_find(gateway, name);

	if (conn != NULL && conn->hub == hub)
		give(parcel, conn);
}

/* 0 is the mark of a connection that was never left out. Each time the number comes round
 * nobody may bear one of the round before. */
static void next_mark(struct gateway *gateway)
{
	struct map_node *node = NULL;

	if (++gateway->deliver_mark != 0)
		return;
	while ((node = map_next(&gateway->conns, node)) != NULL)
		CONTAINER_OF(node, struct conn, node)->excluded_mark = 0;
	gateway->deliver_mark = 1;
}

/* Those that it leaves out get what came before it now: then there is no more to know of
 * them but that they have had all up to this one. */
static void exclude(struct gateway *gateway, const Link__Deliver *deliver)
{
	next_mark(gateway);
	for (size_t i = 0; i < deliver->n_excluded; i++) {
		struct conn *conn =
			gateway_conn_find(gateway, link_slice(deliver->excluded[i]));

		if (conn == NULL)
			continue;
		conn->excluded_mark = gateway->deliver_mark;
		sweep_catch_up(conn);
	}
}

/* False: it is kept, for slices. */
static bool to_key(struct gateway *gateway, struct hub *hub, const Link__Deliver *deliver,
		   struct parcel *parcel)
{
	const struct slice name = link_slice(deliver->name);
	struct index_key *key = index_find(&gateway->index, hub, deliver->kind, name);

	if (key == NULL)
		return true;
	if (sweep_is_needed(gateway, key->sweep, key->members_n)) {
		if (sweep_take(gateway, hub, key, deliver))
			return false;
		/* Its last members may have gone when they were caught up. */
		key = index_find(&gateway->index, hub, deliver->kind, name);
	}
	if (key != NULL)
		to_members(key, parcel);
	return true;
}

static bool to_hub(struct gateway *gateway, struct hub *hub, const Link__Deliver *deliver,
		   struct parcel *parcel)
{
	if (sweep_is_needed(gateway, hub->sweep, hub->conns_n) &&
	    sweep_take(gateway, hub, NULL, deliver))
		return false;
	to_all(hub, parcel);
	return true;
}

static bool route(struct gateway *gateway, struct hub *hub, const Link__Deliver *deliver,
		  struct parcel *parcel)
{
	exclude(gateway, deliver);
	switch ((int)deliver->kind) {
	case LINK__KIND__KIND_GROUP:
	case LINK__KIND__KIND_USER:
		return to_key(gateway, hub, deliver, parcel);
	case LINK__KIND__KIND_CONNECTION:
		to_one(gateway, hub, link_slice(deliver->name), parcel);
		return true;
	case LINK__KIND__KIND_ALL:
		return to_hub(gateway, hub, deliver, parcel);
	default:
		gateway->metrics.envelope_unknown_total++;
		return true;
	}
}

void deliver_on_deliver(struct gateway *gateway, const Link__Deliver *deliver)
{
	struct hub *hub = hubs_find(&gateway->hubs, link_slice(deliver->hub));
	struct parcel parcel;
	bool is_done = true;

	gateway->metrics.deliver_total++;
	parcel_init(&parcel, deliver);
	if (hub != NULL)
		is_done = route(gateway, hub, deliver, &parcel);
	gateway->metrics.deliveries_total += parcel.reached;
	if (is_done && parcel.reached == 0)
		gateway->metrics.deliver_empty_total++;
	parcel_fini(&parcel);
}
