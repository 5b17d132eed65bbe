/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fresh token whose id nobody holds opens a connection with a GET. A POST that comes
 * before that GET waits for it, and so do those behind it: they are tried again together,
 * in their order, until the connection is there or disconnect_timeout has passed.
 */
#include "gateway/attach.h"

#include <assert.h>
#include <string.h>

#include "gateway/claim.h"
#include "gateway/gateway.h"
#include "gateway/headers.h"
#include "gateway/reply_http.h"
#include "gateway/request.h"
#include "gateway/room.h"
#include "gateway/stateful.h"
#include "gateway/transport_lp.h"
#include "gateway/transport_sse.h"
#include "gateway/transport_ws.h"
#include "gateway/tunnel.h"
#include "gateway/visit.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"

static void on_retry(struct timer *timer);

void attaches_init(struct attaches *attaches)
{
	*attaches = (struct attaches){ .posts_n = 0 };
	list_init(&attaches->posts);
	timer_init(&attaches->timer, on_retry);
}

void attaches_fini(struct gateway *gateway)
{
	assert(list_is_empty(&gateway->attaches.posts));
	loop_timer_stop(gateway->loop, &gateway->attaches.timer);
}

/* ---- life */

static void attach_unwait(struct attach *attach)
{
	if (!list_is_linked(&attach->node))
		return;
	list_remove(&attach->node);
	attach->gateway->attaches.posts_n--;
	attach->gateway->attaches.bytes -= attach->body.len;
	attach->gateway->metrics.attach_posts--;
}

static void attach_free(struct attach *attach)
{
	attach_unwait(attach);
	forward_stop(&attach->forward);
	user_free(attach->user);
	buf_fini(&attach->body);
	mem_free(attach->remote);
	intern_drop(&attach->gateway->agents, attach->agent);
	headers_free(attach->headers);
	mem_free(attach);
}

static void on_gone(struct reply *reply)
{
	attach_free(reply->owner);
}

static void attach_refuse(struct attach *attach, int status, const char *text)
{
	reply_answer(attach->reply, status, slice_from_str(text));
	attach_free(attach);
}

/* Nobody has it, and its token may not open one. */
static void attach_expired(struct attach *attach)
{
	attach->gateway->metrics.id_expired_total++;
	attach_refuse(attach, 404, REQUEST_ID_UNKNOWN);
}

static struct slice attach_id(const struct attach *attach)
{
	return slice_make(attach->token.id, CONN_ID_LEN);
}

/* ---- opening */

/* What it knows of the client, but not the client's own bytes. */
static void open_conn(struct attach *attach, struct transport *transport)
{
	struct conn *conn = conn_new(attach->gateway, attach->hub, attach->token.id,
				     attach->user, transport, attach->remote);

	guard_enter(conn, &attach->address);
	conn->agent = attach->agent;
	conn->headers = attach->headers;
	conn->may_resume = attach->token.is_stateful &&
			   transport->ops->kind == LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS;
	attach->user = NULL;
	attach->agent = NULL;
	attach->headers = NULL;
}

static struct transport *ws_of(struct attach *attach)
{
	struct buf rest = BUF_INIT;
	struct sock sock;

	reply_http_take_over(attach->reply, &sock, &rest);
	return transport_ws_new(attach->gateway->ws, &sock, &rest,
				slice_make(attach->ws_key, ATTACH_WS_KEY_BYTES));
}

static void open_ws(struct attach *attach)
{
	struct transport *transport = ws_of(attach);

	open_conn(attach, transport);
	transport_ws_start(transport);
}

static void open_sse(struct attach *attach)
{
	struct buf head = BUF_INIT;
	struct transport *transport;
	struct sock sock;

	reply_http_stream(attach->reply, SSE_CONTENT_TYPE, SLICE(SSE_HEADERS), &head,
			  &sock);
	transport = transport_sse_new(attach->gateway->sse, &sock, buf_slice(&head));
	open_conn(attach, transport);
	transport_sse_start(transport);
	buf_fini(&head);
}

static void open_lp(struct attach *attach)
{
	struct transport *transport =
		transport_lp_new(attach->gateway->lp, attach->hub, attach_id(attach));

	open_conn(attach, transport);
	transport_lp_poll(transport, attach->reply);
}

/* Else it is refused. */
static bool attach_has_room(struct attach *attach)
{
	if (!room_is_there(attach->gateway)) {
		room_count_refused(attach->gateway);
		attach_refuse(attach, 503, "");
		return false;
	}
	if (!guard_has_room(attach->gateway, &attach->address, attach->user)) {
		attach_refuse(attach, 429, "");
		return false;
	}
	return true;
}

static void attach_open(struct attach *attach)
{
	if (attach->kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET)
		open_ws(attach);
	else if (attach->kind == LINK__REQUEST_KIND__REQUEST_KIND_EVENTS)
		open_sse(attach);
	else
		open_lp(attach);
	attach_free(attach);
}

static int64_t fresh_until_s(const struct attach *attach)
{
	return attach->token.issued_s + visit_id_age_max_s(attach->gateway);
}

/* By token: its id opens no second connection. */
static void attach_open_once(struct attach *attach)
{
	struct gateway *gateway = attach->gateway;

	if (!attach_has_room(attach))
		return;
	request_spend_id(gateway, attach_id(attach), fresh_until_s(attach));
	attach_open(attach);
}

/* ---- a stateful connection's next socket */

/* NULL: the request is not for such a one. */
static struct conn *find_stateful(const struct attach *attach)
{
	struct conn *conn = gateway_conn_find(attach->gateway, attach_id(attach));

	if (attach->kind != LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET || conn == NULL ||
	    !stateful_may_attach(conn))
		return NULL;
	return conn;
}

static void attach_again(struct attach *attach, struct conn *conn)
{
	struct transport *transport;

	if (!stateful_take_turn(conn)) {
		attach_refuse(attach, 429, "");
		return;
	}
	transport = ws_of(attach);
	stateful_attach(conn, transport);
	transport_ws_start(transport);
	attach_free(attach);
}

/* ---- a POST that came first */

static void attach_wait(struct attach *attach)
{
	struct attaches *attaches = &attach->gateway->attaches;
	struct loop *loop = attach->gateway->loop;

	if (list_is_linked(&attach->node))
		return;
	if (attaches->posts_n == ATTACH_POSTS_MAX ||
	    attach->body.len > ATTACH_BYTES_MAX - attaches->bytes) {
		attach->gateway->metrics.post_refused_total++;
		attach_refuse(attach, 503, "Too many requests wait.");
		return;
	}
	if (attaches->posts_n == 0)
		loop_timer_start(loop, &attaches->timer, ATTACH_RETRY_MS);
	attach->end_ms = loop_now_ms(loop) + attach->gateway->conf->disconnect_timeout_ms;
	list_append(&attaches->posts, &attach->node);
	attaches->posts_n++;
	attaches->bytes += attach->body.len;
	attach->gateway->metrics.attach_posts++;
}

/* ---- where the connection is */

static void attach_here(struct attach *attach)
{
	struct gateway *gateway = attach->gateway;
	struct conn *conn = find_stateful(attach);

	if (conn != NULL) {
		attach_again(attach, conn);
		return;
	}
	if (attach->kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET &&
	    request_is_early(gateway, attach_id(attach))) {
		attach_wait(attach);
		return;
	}
	attach_unwait(attach);
	attach->reply->on_gone = NULL;
	request_handle(gateway, attach->hub, attach_id(attach), attach->kind,
		       buf_slice(&attach->body), attach->reply);
	attach_free(attach);
}

/* Another gateway holds it and takes this socket's bytes. */
static void attach_tunnel(struct attach *attach, const Link__Response *response)
{
	struct gateway *gateway = attach->gateway;
	struct transport *transport = ws_of(attach);

	tunnel_open(gateway, &attach->forward, link_slice(response->gateway), transport);
	attach_free(attach);
}

/* Its connection has ended, at this gateway or at another one. */
static void attach_spent(struct attach *attach)
{
	attach->gateway->metrics.id_spent_total++;
	attach_refuse(attach, 404, REQUEST_ID_UNKNOWN);
}

/* What is forgotten early may still wait for its end to be confirmed. */
static bool is_spent(const struct attach *attach)
{
	const struct gateway *gateway = attach->gateway;

	return attach->is_fresh &&
	       (spent_has(&gateway->spent, attach_id(attach)) ||
		gateway_conn_find(gateway, attach_id(attach)) != NULL);
}

/* Nobody holds it: it may begin here. */
static void attach_nowhere(struct attach *attach)
{
	if (!attach->is_fresh) {
		attach_expired(attach);
		return;
	}
	if (is_spent(attach)) {
		attach_spent(attach);
		return;
	}
	switch (attach->kind) {
	case LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET:
	case LINK__REQUEST_KIND__REQUEST_KIND_EVENTS:
	case LINK__REQUEST_KIND__REQUEST_KIND_POLL:
		attach_open_once(attach);
		break;
	case LINK__REQUEST_KIND__REQUEST_KIND_POST:
		attach_wait(attach);
		break;
	case LINK__REQUEST_KIND__REQUEST_KIND_NONE:
	case LINK__REQUEST_KIND__REQUEST_KIND_DELETE:
	case LINK__REQUEST_KIND__REQUEST_KIND_GONE:
	case LINK__REQUEST_KIND__REQUEST_KIND_POLL_AGAIN:
		attach_refuse(attach, 404, REQUEST_ID_UNKNOWN);
		break;
	}
}

/* Nobody held it, so that it is ours now. */
static void attach_claimed(struct attach *attach)
{
	struct gateway *gateway = attach->gateway;
	const struct hub *hub = attach->hub;
	char id[CONN_ID_LEN];

	memcpy(id, attach->token.id, CONN_ID_LEN);
	claim_add(gateway, hub, attach_id(attach), fresh_until_s(attach));
	attach_nowhere(attach);
	/* It may have been refused. */
	claim_on_end(gateway, hub, slice_make(id, CONN_ID_LEN));
}

static void attach_answer(struct attach *attach, const Link__Response *response)
{
	const struct reply_answer answer = {
		.status = (int)response->status,
		.is_binary = response->is_binary,
		.body = link_slice(response->body),
	};

	attach->reply->ops->answer(attach->reply, &answer);
	attach_free(attach);
}

/* Whoever should hold it does not. */
static void attach_unknown(struct attach *attach)
{
	if (attach->kind == LINK__REQUEST_KIND__REQUEST_KIND_POST && attach->is_fresh)
		attach_wait(attach);
	else
		attach_expired(attach);
}

static void on_forwarded(struct forward *forward, const Link__Response *response)
{
	struct attach *attach = CONTAINER_OF(forward, struct attach, forward);

	if (response->gateway.len > 0 && attach->is_fresh)
		request_saw_elsewhere(attach->gateway, attach_id(attach),
				      fresh_until_s(attach));
	if (response->status == 0 &&
	    request_is_here(attach->gateway, attach->hub, attach_id(attach)))
		attach_here(attach);
	else if (response->status == 0)
		attach_claimed(attach);
	else if (response->status == 101)
		attach_tunnel(attach, response);
	else if (response->status == 404)
		attach_unknown(attach);
	else if (response->status == 410)
		attach_spent(attach);
	else
		attach_answer(attach, response);
}

/* A WebSocket that will not come back is nobody's to look for. */
static bool may_be_elsewhere(const struct attach *attach)
{
	return attach->token.is_stateful ||
	       attach->kind != LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET;
}

/* A POST holds nothing, and a DELETE wants none. */
static bool may_claim(const struct attach *attach)
{
	return attach->is_fresh &&
	       attach->kind != LINK__REQUEST_KIND__REQUEST_KIND_POST &&
	       attach->kind != LINK__REQUEST_KIND__REQUEST_KIND_DELETE;
}

/* It is not here: the router that owns its id knows more. */
static void attach_elsewhere(struct attach *attach)
{
	struct gateway *gateway = attach->gateway;
	struct forward *forward = &attach->forward;

	if (forward->is_started)
		return;
	if (!may_be_elsewhere(attach) || is_spent(attach)) {
		attach_nowhere(attach);
		return;
	}
	forward->gateway = gateway;
	forward->hub = attach->hub;
	forward->id = attach_id(attach);
	forward->body = buf_slice(&attach->body);
	forward->kind = attach->kind;
	forward->may_claim = may_claim(attach);
	forward->fn = on_forwarded;
	if (forward_start(forward) != OK)
		attach_refuse(attach, 503, "Too many requests wait.");
}

/* It may have been opened here since it was last looked for. */
static void attach_try(struct attach *attach)
{
	if (request_is_here(attach->gateway, attach->hub, attach_id(attach)))
		attach_here(attach);
	else
		attach_elsewhere(attach);
}

static void on_retry(struct timer *timer)
{
	struct gateway *gateway = CONTAINER_OF(timer, struct gateway, attaches.timer);
	const int64_t now_ms = loop_now_ms(gateway->loop);
	size_t left = ATTACH_RETRY_BYTES;

	/* Each takes its body along. Long ones at the front hold up those behind them,
	 * but not the links. */
	LIST_EACH (node, &gateway->attaches.posts) {
		struct attach *attach = CONTAINER_OF(node, struct attach, node);

		if (now_ms >= attach->end_ms) {
			attach_expired(attach);
		} else if (attach->body.len <= left) {
			left -= attach->body.len;
			attach_try(attach);
		}
	}
	if (gateway->attaches.posts_n > 0)
		loop_timer_start(gateway->loop, timer, ATTACH_RETRY_MS);
}

/* ---- the beginning */

/* What a connection keeps of the request that opens it. */
static void copy_client(struct attach *attach, const struct visit *visit)
{
	attach->remote = mem_dup(visit->view.remote, strlen(visit->view.remote));
	attach->agent =
		intern_take(&attach->gateway->agents, headers_agent(visit->request));
	attach->headers = headers_take(visit->request, visit->hub->conf);
}

static void copy_visit(struct attach *attach, struct visit *visit)
{
	attach->gateway = visit->gateway;
	attach->hub = visit->hub;
	attach->user = visit->user;
	visit->user = NULL;
	buf_append_slice(&attach->body, visit->request->body);
	attach->address = visit->view.address;
	attach->reply = visit_reply(visit, attach->kind);
	attach->reply->on_gone = on_gone;
	attach->reply->owner = attach;
}

void attach_start(struct visit *visit, const struct visit_id *id, Link__RequestKind kind,
		  struct slice ws_key)
{
	struct attach *attach = MEM_NEW(struct attach);

	assert(ws_key.len == 0 || ws_key.len == ATTACH_WS_KEY_BYTES);
	attach->kind = kind;
	list_init(&attach->node);
	if (ws_key.len > 0)
		memcpy(attach->ws_key, ws_key.ptr, ws_key.len);
	copy_visit(attach, visit);
	if (id->is_there) {
		attach->token = id->token;
		attach->is_fresh = id->is_fresh;
	}
	/* Most polls and POSTs of a connection held elsewhere open none. */
	if (!id->is_there || may_claim(attach))
		copy_client(attach, visit);
	if (id->is_there) {
		attach_try(attach);
	} else {
		uint8_t random[16];

		assert(kind == LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET);
		crypto_random(random, sizeof(random));
		token_id(attach->token.id, random);
		if (attach_has_room(attach))
			attach_open(attach);
	}
}
