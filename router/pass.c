/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway that cannot be told what it waits for is started over with (router_resync):
 * it then knows that nothing of what it had asked will be answered.
 */
#include "router/pass.h"

#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "router/claim.h"
#include "router/router.h"

struct pass {
	struct map_node node;	       /* in passes->by_call */
	struct list origin_node;       /* in origin->asked */
	struct list holder_node;       /* in holder->passed */
	struct router_gateway *origin; /* borrowed */
	struct router_gateway *holder; /* borrowed */
	uint64_t call;
	bool is_tunnel;
	struct slice key; /* these point into bytes */
	struct slice hub;
	struct slice id;
	char bytes[];
};

void passes_init(struct passes *passes, uint64_t seed)
{
	map_init(&passes->by_call, seed);
}

static void pass_free(struct router *router, struct pass *pass)
{
	map_remove(&router->passes.by_call, &pass->node);
	list_remove(&pass->origin_node);
	list_remove(&pass->holder_node);
	mem_free(pass);
}

void passes_fini(struct passes *passes)
{
	struct map_node *node;

	while ((node = map_next(&passes->by_call, NULL)) != NULL) {
		map_remove(&passes->by_call, node);
		mem_free(CONTAINER_OF(node, struct pass, node));
	}
	map_fini(&passes->by_call);
}

/* ---- finding */

static void key_make(struct buf *key, struct slice name, uint64_t call)
{
	buf_append(key, &call, sizeof(call));
	buf_append_slice(key, name);
}

static struct slice peer_name(const struct router_gateway *gateway)
{
	return slice_from_str(link_peer_name(gateway->peer));
}

/* NULL: it was answered, given up, or never asked. */
static struct pass *pass_find(const struct router *router, struct slice origin,
			      uint64_t call)
{
	struct buf key = BUF_INIT;
	struct map_node *node;

	key_make(&key, origin, call);
	node = map_find(&router->passes.by_call, buf_slice(&key));
	buf_fini(&key);
	return node != NULL ? CONTAINER_OF(node, struct pass, node) : NULL;
}

static struct pass *pass_new(struct router *router, struct router_gateway *origin,
			     struct router_gateway *holder, const Link__Request *request)
{
	struct buf key = BUF_INIT;
	struct pass *pass;
	char *at;

	key_make(&key, peer_name(origin), request->call);
	pass = mem_zalloc(sizeof(*pass) + key.len + request->hub.len +
			  request->connection.len);
	at = pass->bytes;
	pass->key = link_take(&at, link_bytes(buf_slice(&key)));
	pass->hub = link_take(&at, request->hub);
	pass->id = link_take(&at, request->connection);
	pass->origin = origin;
	pass->holder = holder;
	pass->call = request->call;
	list_init(&pass->origin_node);
	list_init(&pass->holder_node);
	list_append(&origin->asked, &pass->origin_node);
	list_append(&holder->passed, &pass->holder_node);
	map_add(&router->passes.by_call, &pass->node, pass->key);
	buf_fini(&key);
	return pass;
}

/* ---- telling the two gateways */

static void respond(struct router_gateway *origin, ProtobufCBinaryData hub,
		    ProtobufCBinaryData id, uint64_t call, unsigned status)
{
	Link__Response response = LINK__RESPONSE__INIT;

	response.origin = link_bytes(peer_name(origin));
	response.call = call;
	response.status = status;
	response.hub = hub;
	response.connection = id;
	if (link_send_response(origin->peer, &response, NULL) != OK)
		router_resync(origin);
}

/* Who asked waits no more. */
static void tell_gone(const struct pass *pass)
{
	Link__Request request = LINK__REQUEST__INIT;

	request.hub = link_bytes(pass->hub);
	request.connection = link_bytes(pass->id);
	request.call = pass->call;
	request.kind = LINK__REQUEST_KIND__REQUEST_KIND_GONE;
	request.origin = link_bytes(peer_name(pass->origin));
	if (link_send_request(pass->holder->peer, &request, NULL) != OK)
		router_resync(pass->holder);
}

/* The other end of the tunnel is gone, and not in order. */
static void tell_end(const struct pass *pass, struct router_gateway *to,
		     const struct router_gateway *other)
{
	Link__Tunnel tunnel = LINK__TUNNEL__INIT;

	tunnel.hub = link_bytes(pass->hub);
	tunnel.connection = link_bytes(pass->id);
	tunnel.call = pass->call;
	tunnel.gateway = link_bytes(peer_name(to));
	tunnel.origin = link_bytes(peer_name(other));
	tunnel.is_end = true;
	tunnel.is_error = true;
	if (link_send_tunnel(to->peer, &tunnel, NULL) != OK)
		router_resync(to);
}

/* ---- requests */

/* Has it waited for too long on its way here? If not, `*left_ms` is what is left of its
 * time; 0: it has no end. */
static bool is_stale(const struct router_gateway *origin, const Link__Request *request,
		     uint64_t *left_ms)
{
	const uint64_t age_ms = (uint64_t)link_peer_age_ms(origin->peer, request->at_ms);

	*left_ms = request->good_ms > age_ms ? request->good_ms - age_ms : 0;
	return request->good_ms > 0 && *left_ms == 0;
}

static void pass_on(struct router *router, struct router_gateway *origin,
		    struct router_gateway *holder, const Link__Request *request,
		    uint64_t left_ms)
{
	Link__Request passed = *request;
	struct pass *pass;

	if ((int64_t)router->passes.by_call.count >= router->conf->passes_max ||
	    pass_find(router, peer_name(origin), request->call) != NULL) {
		router->metrics.pass_refused_total++;
		respond(origin, request->hub, request->connection, request->call, 503);
		return;
	}
	pass = pass_new(router, origin, holder, request);
	passed.origin = link_bytes(peer_name(origin));
	passed.may_claim = false;
	passed.at_ms = (uint64_t)loop_now_ms(router->loop);
	passed.good_ms = left_ms;
	if (link_send_request(holder->peer, &passed, NULL) == OK) {
		router->metrics.request_passed_total++;
		return;
	}
	router->metrics.pass_refused_total++;
	pass_free(router, pass);
	respond(origin, request->hub, request->connection, request->call, 503);
}

/* Nobody but perhaps the asker itself holds it. */
static void hold_none(struct router *router, struct router_gateway *origin,
		      const struct router_gateway *holder, const Link__Request *request)
{
	unsigned status = 404;

	if (claim_is_gone(router, request->hub, request->connection))
		status = 410;
	else if (holder == NULL && !router->rebuild.is_done)
		status = 503; /* its gateway may have to say so yet */
	else if (request->may_claim)
		status =
			claim_add(router, origin, request->hub, request->connection) == OK
				? 0
				: 503;
	if (status == 0)
		router->metrics.request_claimed_total++;
	else if (status == 404)
		router->metrics.request_unknown_total++;
	respond(origin, request->hub, request->connection, request->call, status);
}

void pass_on_request(struct router *router, struct router_gateway *origin,
		     const Link__Request *request)
{
	struct router_gateway *holder;
	uint64_t left_ms;

	if (request->kind == LINK__REQUEST_KIND__REQUEST_KIND_GONE) {
		struct pass *pass = pass_find(router, peer_name(origin), request->call);

		if (pass != NULL && !pass->is_tunnel) {
			tell_gone(pass);
			pass_free(router, pass);
		}
		return;
	}
	router->metrics.request_total++;
	if (is_stale(origin, request, &left_ms)) {
		router->metrics.request_stale_total++;
		respond(origin, request->hub, request->connection, request->call, 503);
		return;
	}
	holder = claim_holder(router, request->hub, request->connection);
	if (request->connection.len > 0 && holder != NULL && holder != origin)
		pass_on(router, origin, holder, request, left_ms);
	else
		hold_none(router, origin, holder, request);
}

void pass_on_response(struct router *router, struct router_gateway *holder,
		      const Link__Response *response)
{
	struct pass *pass =
		pass_find(router, link_slice(response->origin), response->call);
	Link__Response passed = *response;
	struct router_gateway *origin;

	if (pass == NULL || pass->holder != holder || pass->is_tunnel) {
		/* Who asked has gone. */
		router->metrics.response_late_total++;
		return;
	}
	origin = pass->origin;
	passed.gateway = link_bytes(peer_name(holder));
	passed.hub = link_bytes(pass->hub);
	passed.connection = link_bytes(pass->id);
	if (link_send_response(origin->peer, &passed, NULL) != OK)
		router_resync(origin);
	else if (response->status == 101)
		pass->is_tunnel = true;
	if (!pass->is_tunnel)
		pass_free(router, pass);
}

/* ---- tunnels */

static void on_lost_tunnel(struct router *router, struct router_gateway *from,
			   const Link__Tunnel *tunnel)
{
	Link__Tunnel end = LINK__TUNNEL__INIT;

	router->metrics.tunnel_late_total++;
	if (tunnel->is_end)
		return;
	end.hub = tunnel->hub;
	end.connection = tunnel->connection;
	end.call = tunnel->call;
	end.gateway = link_bytes(peer_name(from));
	end.origin = tunnel->gateway;
	end.is_end = true;
	end.is_error = true;
	if (link_send_tunnel(from->peer, &end, NULL) != OK)
		router_resync(from);
}

/* NULL: there is none. Two gateways number what they ask of each other alike: the
 * connection tells whose call it is. */
static struct pass *tunnel_find(const struct router *router, struct slice origin,
				struct slice holder, const Link__Tunnel *tunnel)
{
	struct pass *pass = pass_find(router, origin, tunnel->call);

	if (pass == NULL || !pass->is_tunnel ||
	    !slice_equal(peer_name(pass->holder), holder) ||
	    !slice_equal(pass->id, link_slice(tunnel->connection)))
		return NULL;
	return pass;
}

void pass_on_tunnel(struct router *router, struct router_gateway *from,
		    const Link__Tunnel *tunnel)
{
	const struct slice near = peer_name(from);
	const struct slice far = link_slice(tunnel->gateway);
	struct pass *pass = tunnel_find(router, near, far, tunnel);
	Link__Tunnel passed = *tunnel;
	struct router_gateway *to;

	if (pass == NULL)
		pass = tunnel_find(router, far, near, tunnel);
	if (pass == NULL) {
		on_lost_tunnel(router, from, tunnel);
		return;
	}
	to = pass->origin == from ? pass->holder : pass->origin;
	router->metrics.tunnel_total++;
	router->metrics.tunnel_bytes_total += tunnel->data.len;
	passed.origin = link_bytes(peer_name(from));
	if (link_send_tunnel(to->peer, &passed, NULL) != OK) {
		/* Bytes are missing there from now on, and it cannot be told. */
		tell_end(pass, from, to);
		pass_free(router, pass);
		router_resync(to);
		return;
	}
	if (tunnel->is_end)
		pass_free(router, pass);
}

/* ---- loss */

void passes_on_gateway_lost(struct router *router, struct router_gateway *gateway)
{
	LIST_EACH (node, &gateway->asked) {
		struct pass *pass = CONTAINER_OF(node, struct pass, origin_node);

		if (pass->is_tunnel)
			tell_end(pass, pass->holder, gateway);
		else
			tell_gone(pass);
		pass_free(router, pass);
	}
	LIST_EACH (node, &gateway->passed) {
		struct pass *pass = CONTAINER_OF(node, struct pass, holder_node);

		if (pass->is_tunnel)
			tell_end(pass, pass->origin, gateway);
		else
			respond(pass->origin, link_bytes(pass->hub), link_bytes(pass->id),
				pass->call, 404);
		pass_free(router, pass);
	}
}
