/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The count of parts starts at one, held by the opener, so that it cannot reach zero
 * while gateways are still being added.
 */
#include "router/fanout.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/router.h"

struct fanout_part {
	struct session_ticket ticket;
	struct fanout *fanout;	      /* borrowed */
	const struct link_peer *peer; /* borrowed: it outlives its tickets */
	uint64_t incarnation;	      /* of the peer that the message was for */
};

struct fanout {
	struct router *router;	  /* borrowed */
	struct link_peer *origin; /* held: routers may be removed */
	Link__Deliver deliver;	  /* of the Send's slices, until close */
	uint64_t call;
	bool is_shard_ack; /* answered when all are on their way */
	size_t parts_left;
	enum err rc;
};

struct fanout *fanout_new(struct router *router, struct link_peer *origin,
			  const Link__Send *send)
{
	struct fanout *fanout = MEM_NEW(struct fanout);

	fanout->router = router;
	fanout->origin = link_peer_hold(origin);
	fanout->call = send->call;
	fanout->is_shard_ack = send->is_shard_ack;
	fanout->parts_left = 1;
	link__deliver__init(&fanout->deliver);
	fanout->deliver.hub = send->hub;
	fanout->deliver.kind = send->kind;
	fanout->deliver.name = send->name;
	fanout->deliver.n_excluded = send->n_excluded;
	fanout->deliver.excluded = send->excluded;
	fanout->deliver.n_payloads = send->n_payloads;
	fanout->deliver.payloads = send->payloads;
	return fanout;
}

void fanout_answer(struct router *router, struct link_peer *origin, uint64_t call,
		   enum err rc)
{
	const struct ask_answer answer = { .rc = rc };
	Link__Sent sent = LINK__SENT__INIT;

	if (rc != OK && rc != ERR_NOT_FOUND)
		router->metrics.send_failed_total++;
	if (call == 0)
		return;
	if (origin == NULL) {
		asks_answer(&router->asks, call, &answer);
		return;
	}
	sent.call = call;
	sent.rc = rc;
	if (link_send_sent(origin, &sent, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(origin));
}

static void fanout_unref(struct fanout *fanout)
{
	assert(fanout->parts_left > 0);
	if (--fanout->parts_left > 0)
		return;
	fanout_answer(fanout->router, fanout->origin, fanout->call, fanout->rc);
	link_peer_release(fanout->origin);
	mem_free(fanout);
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct fanout_part *part = CONTAINER_OF(ticket, struct fanout_part, ticket);

	if (rc != OK && link_peer_incarnation(part->peer) == part->incarnation)
		part->fanout->rc = ERR_OUTCOME;
	fanout_unref(part->fanout);
	mem_free(part);
}

void fanout_doubt(struct fanout *fanout)
{
	fanout->rc = ERR_OUTCOME;
}

void fanout_nobody(struct fanout *fanout)
{
	if (fanout->rc == OK)
		fanout->rc = ERR_NOT_FOUND;
}

void fanout_deliver(struct fanout *fanout, struct router_gateway *gateway)
{
	struct fanout_part *part = NULL;
	enum err rc;

	if (fanout->call != 0 && !fanout->is_shard_ack) {
		part = MEM_NEW(struct fanout_part);
		part->fanout = fanout;
		part->peer = gateway->peer;
		part->incarnation = link_peer_incarnation(gateway->peer);
		session_ticket_init(&part->ticket, on_ticket);
	}
	rc = link_send_deliver(gateway->peer, &fanout->deliver,
			       part != NULL ? &part->ticket : NULL);
	if (rc != OK) {
		fanout->rc = rc;
		mem_free(part);
		return;
	}
	fanout->router->metrics.deliver_total++;
	if (part != NULL)
		fanout->parts_left++;
}

void fanout_close(struct fanout *fanout)
{
	link__deliver__init(&fanout->deliver);
	fanout_unref(fanout);
}
