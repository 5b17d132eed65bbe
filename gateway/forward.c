/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question at a time: asked, and while the answer is "ask again" asked again, until
 * its deadline. Each time it has another number, so that a late answer is nobody's.
 */
#include "gateway/forward.h"

#include <assert.h>

#include "gateway/claim.h"
#include "gateway/gateway.h"
#include "gateway/tunnel.h"

void forwards_init(struct gateway *gateway, uint64_t seed)
{
	map_init(&gateway->forwards.pending, seed);
	gateway->forwards.last_number = 0;
}

void forwards_fini(struct gateway *gateway)
{
	assert(gateway->forwards.pending.count == 0);
	map_fini(&gateway->forwards.pending);
}

/* ---- life */

/* The request that is out is not ours any more. */
static void withdraw(struct forward *forward)
{
	if (!list_is_linked(&forward->router_node))
		return;
	list_remove(&forward->router_node);
	session_ticket_cancel(&forward->ticket);
	map_remove(&forward->gateway->forwards.pending, &forward->node);
}

static void forward_end(struct forward *forward)
{
	struct gateway *gateway = forward->gateway;

	withdraw(forward);
	loop_timer_stop(gateway->loop, &forward->timer);
	forward->is_started = false;
	gateway->metrics.forwards--;
}

static void finish(struct forward *forward, const Link__Response *response)
{
	forward_end(forward);
	forward->fn(forward, response);
}

static bool is_poll(const struct forward *forward)
{
	return forward->kind == LINK__REQUEST_KIND__REQUEST_KIND_POLL;
}

static void fail(struct forward *forward)
{
	Link__Response response = LINK__RESPONSE__INIT;

	forward->gateway->metrics.forward_failed_total++;
	response.status = is_poll(forward) && forward->doubts > 0 ? 404 : 503;
	finish(forward, &response);
}

/* ---- asking */

static struct gateway_router *router_of(const struct forward *forward)
{
	return gateway_owner(forward->gateway, forward->hub, LINK__KIND__KIND_CONNECTION,
			     forward->id);
}

static Link__Request request_of(const struct forward *forward)
{
	Link__Request request = LINK__REQUEST__INIT;

	request.hub = link_bytes(slice_from_str(forward->hub->name));
	request.connection = link_bytes(forward->id);
	request.call = forward->number;
	request.kind = forward->kind;
	return request;
}

static void name_poll(const struct forward *forward, Link__Request *request)
{
	request->poll_id = forward->poll_id;
	request->doubts = forward->doubts;
	if (forward->doubts == 0)
		return;
	request->kind = LINK__REQUEST_KIND__REQUEST_KIND_POLL_AGAIN;
	/* Its connection may have been lost along: it opens no other one unawares. */
	request->may_claim = false;
}

static enum err ask(struct forward *forward)
{
	struct gateway *gateway = forward->gateway;
	struct gateway_router *router = router_of(forward);
	const int64_t left_ms = forward->end_ms - loop_now_ms(gateway->loop);
	Link__Request request;
	enum err rc;

	forward->number = ++gateway->forwards.last_number;
	forward->is_handled = false;
	forward->is_lost = false;
	request = request_of(forward);
	request.body = link_bytes(forward->body);
	request.may_claim = forward->may_claim;
	if (is_poll(forward))
		name_poll(forward, &request);
	request.at_ms = (uint64_t)loop_now_ms(gateway->loop);
	request.good_ms = (uint64_t)(left_ms - left_ms / FORWARD_MARGIN_SHARE);
	forward->router = router;
	rc = link_send_request(router->peer, &request, &forward->ticket);
	if (rc != OK)
		return rc;
	list_append(&router->forwards, &forward->router_node);
	map_add(&gateway->forwards.pending, &forward->node,
		map_number_key(&forward->number));
	loop_timer_start(gateway->loop, &forward->timer, left_ms);
	return OK;
}

static void ask_soon(struct forward *forward)
{
	forward->gateway->metrics.forward_again_total++;
	loop_timer_start(forward->gateway->loop, &forward->timer, FORWARD_AGAIN_MS);
}

/* Nothing was done: soon once more, unless it is too late. */
static void ask_again(struct forward *forward)
{
	withdraw(forward);
	if (loop_now_ms(forward->gateway->loop) + FORWARD_AGAIN_MS >= forward->end_ms)
		fail(forward);
	else
		ask_soon(forward);
}

/* Takes the request that is out back. When it cannot be told, its answer is nobody's. */
static void tell_gone(const struct forward *forward)
{
	Link__Request request = request_of(forward);

	request.kind = LINK__REQUEST_KIND__REQUEST_KIND_GONE;
	if (link_send_request(forward->router->peer, &request, NULL) != OK)
		forward->gateway->metrics.forward_untold_total++;
}

static void on_timer(struct timer *timer)
{
	struct forward *forward = CONTAINER_OF(timer, struct forward, timer);

	if (list_is_linked(&forward->router_node)) {
		forward->gateway->metrics.forward_timeout_total++;
		tell_gone(forward);
		forward->doubts++;
		fail(forward);
	} else if (loop_now_ms(forward->gateway->loop) >= forward->end_ms ||
		   ask(forward) != OK) {
		ask_again(forward);
	}
}

/* Its client must be told of what cannot be mended before it polls anew by itself. */
static void doubt(struct forward *forward)
{
	if (is_poll(forward) && forward->doubts == 0)
		forward->end_ms -= forward->gateway->conf->forward_timeout_ms /
				   FORWARD_POLL_MARGIN_SHARE;
	forward->doubts++;
}

/* A POST must not be handled twice. Of a poll the holder keeps the answer. */
static void forward_lost(struct forward *forward)
{
	forward->gateway->metrics.forward_lost_total++;
	doubt(forward);
	if (forward->kind == LINK__REQUEST_KIND__REQUEST_KIND_POST)
		fail(forward);
	else
		ask_again(forward);
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct forward *forward = CONTAINER_OF(ticket, struct forward, ticket);

	if (rc == OK)
		forward->is_handled = true;
	else if (rc == ERR_CLOSED)
		ask_again(forward);
	else
		forward_lost(forward);
}

/* A poll waits at the holder as long as it would here. */
static int64_t patience_ms(const struct forward *forward)
{
	const struct gateway_conf *conf = forward->gateway->conf;

	return is_poll(forward) ? conf->forward_timeout_ms + conf->poll_timeout_ms
				: conf->forward_timeout_ms;
}

/* Of no other poll of any gateway, and none of its former lives. */
static uint64_t poll_id(const struct gateway *gateway)
{
	return proc_incarnation(gateway->proc) + gateway->forwards.last_number;
}

enum err forward_start(struct forward *forward)
{
	struct gateway *gateway = forward->gateway;

	assert(!forward->is_started && forward->fn != NULL);
	if (gateway->metrics.forwards >= gateway->conf->forwards_max) {
		gateway->metrics.forward_refused_total++;
		return ERR_LIMIT;
	}
	list_init(&forward->router_node);
	session_ticket_init(&forward->ticket, on_ticket);
	timer_init(&forward->timer, on_timer);
	forward->end_ms = loop_now_ms(gateway->loop) + patience_ms(forward);
	forward->poll_id = is_poll(forward) ? poll_id(gateway) : 0;
	forward->doubts = 0;
	forward->is_started = true;
	gateway->metrics.forward_total++;
	gateway->metrics.forwards++;
	/* A full link: `fn` is not called from here. */
	if (ask(forward) != OK)
		ask_soon(forward);
	return OK;
}

void forward_stop(struct forward *forward)
{
	if (!forward->is_started)
		return;
	if (list_is_linked(&forward->router_node))
		tell_gone(forward);
	forward_end(forward);
}

/* ---- from the router */

static struct forward *find(const struct gateway *gateway, uint64_t number)
{
	struct map_node *node =
		map_find(&gateway->forwards.pending, map_number_key(&number));

	return node != NULL ? CONTAINER_OF(node, struct forward, node) : NULL;
}

void forward_on_response(struct gateway_router *router, const Link__Response *response)
{
	struct gateway *gateway = router->gateway;
	struct forward *forward = find(gateway, response->call);

	if (forward == NULL) {
		gateway->metrics.response_late_total++;
		/* The router takes us for the holder: we are not. */
		if (response->status == 0)
			claim_give_back(gateway, response);
		else if (response->status == 101)
			tunnel_refuse(router, response);
		return;
	}
	if (response->status == 503)
		ask_again(forward);
	else
		finish(forward, response);
}

void forwards_on_lost(struct gateway_router *router)
{
	LIST_EACH (node, &router->forwards) {
		struct forward *forward = CONTAINER_OF(node, struct forward, router_node);

		forward->is_lost = forward->is_handled;
	}
	loop_touch(router->gateway->loop, &router->forward_flush);
}

void forwards_on_left(struct gateway_router *router)
{
	struct list *node;

	while ((node = router->forwards.next) != &router->forwards)
		forward_lost(CONTAINER_OF(node, struct forward, router_node));
}

bool forwards_are_owed(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->routers.n; i++) {
		const struct gateway_router *router = gateway->routers.items[i];

		if (router_is_leaving(router) && link_peer_is_up(router->peer) &&
		    !list_is_empty(&router->forwards))
			return true;
	}
	return false;
}

void forward_on_flush(struct loop_flush *flush)
{
	struct gateway_router *router =
		CONTAINER_OF(flush, struct gateway_router, forward_flush);
	struct list forwards;
	struct list *node;

	/* An answer may end other forwards of this list. */
	list_init(&forwards);
	list_splice(&forwards, &router->forwards);
	while ((node = list_shift(&forwards)) != NULL) {
		struct forward *forward = CONTAINER_OF(node, struct forward, router_node);

		list_append(&router->forwards, node);
		if (forward->is_lost)
			forward_lost(forward);
	}
}
