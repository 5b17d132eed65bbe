/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A poll's answer takes bytes out of the connection's queue, which keeps them until its
 * client polls on (transport_lp.c): when they are lost with a router the asker asks
 * again. When they find no room on the link nobody will, and the connection ends.
 */
#include "gateway/reply_link.h"

#include <string.h>

#include "gateway/forward.h"
#include "gateway/gateway.h"
#include "gateway/request.h"
#include "gateway/stateful.h"
#include "gateway/transport_tunnel.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct reply_link {
	struct reply reply;
	struct gateway_router *router; /* borrowed */
	struct map_node node;	       /* in gateway->replies, while it waits */
	struct list router_node;       /* in router->replies, until it is freed */
	struct loop_flush refused;
	uint64_t call;
	char id[CONN_ID_LEN];
	bool is_answered;    /* in vain: there was no room */
	struct slice origin; /* these point into bytes */
	struct slice key;
	char bytes[];
};

static struct reply_link *link_of(struct reply *reply)
{
	return CONTAINER_OF(reply, struct reply_link, reply);
}

static void link_free_reply(struct reply_link *link)
{
	struct gateway *gateway = link->router->gateway;

	if (!link->is_answered)
		map_remove(&gateway->replies, &link->node);
	list_remove(&link->router_node);
	loop_untouch(&link->refused);
	gateway->metrics.replies--;
	mem_free(link);
}

/* ---- answers */

static void on_refused(struct loop_flush *flush)
{
	struct reply_link *link = CONTAINER_OF(flush, struct reply_link, refused);
	struct gateway *gateway = link->router->gateway;
	struct conn *conn = gateway_conn_find(gateway, slice_make(link->id, CONN_ID_LEN));

	gateway->metrics.reply_lost_total++;
	link_free_reply(link);
	if (conn != NULL && conn->state != CONN_CLOSED)
		conn_on_end(conn, CONN_CLOSE_TRANSPORT);
}

static void on_answer(struct reply *reply, const struct reply_answer *answer)
{
	struct reply_link *link = link_of(reply);
	struct gateway *gateway = link->router->gateway;
	Link__Response response = LINK__RESPONSE__INIT;

	response.origin = link_bytes(link->origin);
	response.call = link->call;
	response.status = (unsigned)answer->status;
	response.is_binary = answer->is_binary;
	response.body = link_bytes(answer->body);
	if (link_send_response(link->router->peer, &response, NULL) == OK) {
		link_free_reply(link);
		return;
	}
	gateway->metrics.reply_refused_total++;
	/* Only polls are given bytes. */
	if (answer->status != 200 || answer->body.len == 0) {
		link_free_reply(link);
		return;
	}
	map_remove(&gateway->replies, &link->node);
	link->is_answered = true;
	loop_touch(gateway->loop, &link->refused);
}

static const struct reply_ops reply_link_ops = { .answer = on_answer };

/* ---- requests */

/* A gateway that starts over numbers from 1 again. What its former life had asked is
 * taken back by each router before that one passes on what the new life asks. */
static void key_make(struct buf *key, const struct gateway_router *router,
		     const Link__Request *request)
{
	buf_append(key, &router->number, sizeof(router->number));
	buf_append(key, &request->call, sizeof(request->call));
	buf_append_slice(key, link_slice(request->origin));
}

static struct reply_link *find(const struct gateway_router *router,
			       const Link__Request *request)
{
	struct buf key = BUF_INIT;
	struct map_node *node;

	key_make(&key, router, request);
	node = map_find(&router->gateway->replies, buf_slice(&key));
	buf_fini(&key);
	return node != NULL ? CONTAINER_OF(node, struct reply_link, node) : NULL;
}

/* It may have waited long on its way, or elsewhere before: it is answered in time. */
static int64_t wait_ms(const struct gateway_router *router, const Link__Request *request)
{
	const int64_t margin_ms =
		router->gateway->conf->forward_timeout_ms / FORWARD_POLL_MARGIN_SHARE;
	const int64_t left_ms =
		forward_left_ms((int64_t)request->good_ms -
				link_peer_age_ms(router->peer, request->at_ms));

	return left_ms > margin_ms ? left_ms - margin_ms : 1;
}

static struct reply_poll poll_of(const struct gateway_router *router,
				 const Link__Request *request)
{
	return (struct reply_poll){
		.id = request->poll_id,
		.doubts = request->doubts,
		.wait_ms = request->good_ms > 0 ? wait_ms(router, request) : 0,
	};
}

static struct reply *reply_link_new(struct gateway_router *router,
				    const Link__Request *request)
{
	struct gateway *gateway = router->gateway;
	struct buf key = BUF_INIT;
	struct reply_link *link;
	char *at;

	key_make(&key, router, request);
	link = mem_zalloc(sizeof(*link) + request->origin.len + key.len);
	at = link->bytes;
	link->origin = link_take(&at, request->origin);
	link->key = link_take(&at, link_bytes(buf_slice(&key)));
	buf_fini(&key);
	link->reply.ops = &reply_link_ops;
	link->reply.poll = poll_of(router, request);
	link->router = router;
	link->call = request->call;
	memcpy(link->id, request->connection.data, CONN_ID_LEN);
	list_init(&link->router_node);
	loop_flush_init(&link->refused, on_refused);
	list_append(&router->replies, &link->router_node);
	map_add(&gateway->replies, &link->node, link->key);
	gateway->metrics.replies++;
	return &link->reply;
}

/* The reply is nobody's any more. */
static void reply_gone(struct reply_link *link)
{
	if (link->reply.on_gone != NULL)
		link->reply.on_gone(&link->reply);
	link_free_reply(link);
}

/* What a connection is asked for. */
static Link__RequestKind kind_of(const Link__Request *request)
{
	return request->kind == LINK__REQUEST_KIND__REQUEST_KIND_POLL_AGAIN
		       ? LINK__REQUEST_KIND__REQUEST_KIND_POLL
		       : request->kind;
}

static bool is_for_a_connection(Link__RequestKind kind)
{
	return kind >= LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET &&
	       kind <= LINK__REQUEST_KIND__REQUEST_KIND_DELETE;
}

static void refuse(struct gateway *gateway, struct gateway_router *router,
		   const Link__Request *request, unsigned status)
{
	Link__Response response = LINK__RESPONSE__INIT;

	response.origin = request->origin;
	response.call = request->call;
	response.status = status;
	if (link_send_response(router->peer, &response, NULL) != OK)
		gateway->metrics.reply_refused_total++;
}

/* Its client has been told by now, or is about to be, that nobody knows what became of
 * it.
 */
static bool is_stale(const struct gateway_router *router, const Link__Request *request)
{
	const int64_t age_ms = link_peer_age_ms(router->peer, request->at_ms);

	return request->good_ms > 0 && (uint64_t)age_ms >= request->good_ms;
}

void reply_link_on_request(struct gateway *gateway, struct gateway_router *router,
			   const Link__Request *request)
{
	struct hub *hub = hubs_find(&gateway->hubs, link_slice(request->hub));
	struct reply_link *link = find(router, request);
	struct conn *conn;

	if (request->kind == LINK__REQUEST_KIND__REQUEST_KIND_GONE) {
		if (link != NULL)
			reply_gone(link);
		return;
	}
	gateway->metrics.request_total++;
	if (hub == NULL || link != NULL || !is_for_a_connection(kind_of(request)) ||
	    request->connection.len != CONN_ID_LEN) {
		refuse(gateway, router, request, 404);
		return;
	}
	if (is_stale(router, request)) {
		gateway->metrics.request_stale_total++;
		refuse(gateway, router, request, 503);
		return;
	}
	conn = gateway_conn_find(gateway, link_slice(request->connection));
	if (request->kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET &&
	    conn != NULL && conn->hub == hub && stateful_may_attach(conn)) {
		transport_tunnel_accept(conn, router, request);
		return;
	}
	if (request_is_early(gateway, link_slice(request->connection))) {
		refuse(gateway, router, request, 503);
		return;
	}
	request_handle(gateway, hub, link_slice(request->connection), kind_of(request),
		       link_slice(request->body), reply_link_new(router, request));
	/* From a gateway that has not heard of it yet. */
	if (router_is_leaving(router))
		replies_on_leaving(router);
}

void replies_on_leaving(struct gateway_router *router)
{
	LIST_EACH (node, &router->replies) {
		struct reply_link *link =
			CONTAINER_OF(node, struct reply_link, router_node);

		if (!link->is_answered && link->reply.on_hurry != NULL)
			link->reply.on_hurry(&link->reply);
	}
}

void replies_on_lost(struct gateway_router *router)
{
	LIST_EACH (node, &router->replies) {
		struct reply_link *link =
			CONTAINER_OF(node, struct reply_link, router_node);

		if (!link->is_answered)
			reply_gone(link);
	}
}

void replies_fini(struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->routers.n; i++) {
		LIST_EACH (node, &gateway->routers.items[i]->replies)
			link_free_reply(
				CONTAINER_OF(node, struct reply_link, router_node));
	}
	map_fini(&gateway->replies);
}
