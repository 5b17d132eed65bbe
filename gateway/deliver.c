/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sweep has a number; the connections it leaves out are marked with it beforehand.
 */
#include "gateway/deliver.h"

#include <assert.h>

#define PROTOCOLS (HUB_PROTOCOL_MSGPACK + 1)

struct sweep {
	struct gateway *gateway;
	const Link__Deliver *deliver;
	uint32_t mark;
	uint64_t reached;
	struct blob
		*wrapped[PROTOCOLS][TRANSPORT_KINDS]; /* owned; made when first needed */
};

static const Link__Payload *payload_find(const Link__Deliver *deliver, uint32_t protocol)
{
	for (size_t i = 0; i < deliver->n_payloads; i++) {
		if (deliver->payloads[i]->protocol == protocol)
			return deliver->payloads[i];
	}
	return NULL;
}

/* NULL: the message does not exist in the connection's protocol. */
static struct blob *sweep_wrapped(struct sweep *sweep, const struct conn *conn)
{
	const struct transport_ops *ops = conn->transport->ops;
	struct blob **slot = &sweep->wrapped[conn->protocol][ops->kind];

	if (*slot == NULL) {
		const Link__Payload *payload =
			payload_find(sweep->deliver, conn->protocol);

		if (payload != NULL)
			*slot = ops->wrap(link_slice(payload->frame),
					  conn->protocol == HUB_PROTOCOL_JSON);
	}
	return *slot;
}

static void sweep_conn(struct sweep *sweep, struct conn *conn)
{
	struct blob *wrapped;

	if (conn->excluded_mark == sweep->mark || conn->state != CONN_OPEN)
		return;
	wrapped = sweep_wrapped(sweep, conn);
	if (wrapped == NULL)
		return;
	sweep->reached++;
	conn_send_wrapped(conn, wrapped);
}

static void sweep_key(struct sweep *sweep, const struct hub *hub)
{
	const Link__Deliver *deliver = sweep->deliver;
	const struct index_key *key = index_find(
		&sweep->gateway->index, hub, deliver->kind, link_slice(deliver->name));
	const struct list *end;
	struct list *node;
	struct list *next;

	if (key == NULL)
		return;
	/* A slow receiver is closed under way and leaves; with the last one goes the key.
	 * LIST_EACH would then look into it once more. */
	end = &key->members;
	for (node = end->next; node != end; node = next) {
		next = node->next;
		sweep_conn(sweep, CONTAINER_OF(node, struct membership, key_node)->conn);
	}
}

static void sweep_hub(struct sweep *sweep, const struct hub *hub)
{
	LIST_EACH (node, &hub->conns)
		sweep_conn(sweep, CONTAINER_OF(node, struct conn, hub_node));
}

static void sweep_one(struct sweep *sweep, const struct hub *hub)
{
	struct conn *conn =
		gateway_conn_find(sweep->gateway, link_slice(sweep->deliver->name));

	if (conn != NULL && conn->hub == hub)
		sweep_conn(sweep, conn);
}

static void sweep_exclude(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->deliver->n_excluded; i++) {
		struct conn *conn = gateway_conn_find(
			sweep->gateway, link_slice(sweep->deliver->excluded[i]));

		if (conn != NULL)
			conn->excluded_mark = sweep->mark;
	}
}

static void sweep_run(struct sweep *sweep, const struct hub *hub)
{
	switch ((int)sweep->deliver->kind) {
	case LINK__KIND__KIND_GROUP:
	case LINK__KIND__KIND_USER:
		sweep_key(sweep, hub);
		break;
	case LINK__KIND__KIND_CONNECTION:
		sweep_one(sweep, hub);
		break;
	case LINK__KIND__KIND_ALL:
		sweep_hub(sweep, hub);
		break;
	default:
		sweep->gateway->metrics.envelope_unknown_total++;
	}
}

void deliver_on_deliver(struct gateway *gateway, const Link__Deliver *deliver)
{
	const struct hub *hub = hubs_find(&gateway->hubs, link_slice(deliver->hub));
	struct sweep sweep = { .gateway = gateway, .deliver = deliver };

	gateway->metrics.deliver_total++;
	/* 0 is the mark of a connection that was never left out. */
	if (++gateway->sweep_mark == 0)
		gateway->sweep_mark = 1;
	sweep.mark = gateway->sweep_mark;
	if (hub != NULL) {
		sweep_exclude(&sweep);
		sweep_run(&sweep, hub);
	}
	gateway->metrics.deliveries_total += sweep.reached;
	if (sweep.reached == 0)
		gateway->metrics.deliver_empty_total++;
	for (size_t p = 0; p < PROTOCOLS; p++) {
		for (size_t t = 0; t < TRANSPORT_KINDS; t++)
			blob_unref(sweep.wrapped[p][t]);
	}
}
