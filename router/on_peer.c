/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else: which handler a message goes to, and what the coming and
 * going of a peer means.
 */
#include "router/on_peer.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/conn.h"
#include "router/hub_runtime.h"
#include "router/route.h"
#include "router/router.h"
#include "router/shard.h"

static void on_unknown(struct link_peer *peer, const Link__Envelope *envelope)
{
	router_of(peer)->metrics.envelope_unknown_total++;
	log_warn("link.unexpected", "peer=%s message=%d", link_peer_name(peer),
		 (int)envelope->body_case);
}

/* A newer peer may say more than we know; it is counted and passed over. */
static void on_gateway_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct router *router = router_of(peer);
	struct router_gateway *gateway = router_gateway_of(peer);

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_CONNECTED:
		conn_on_connected(router, gateway, envelope->connected);
		break;
	case LINK__ENVELOPE__BODY_DISCONNECTED:
		conn_on_disconnected(router, gateway, envelope->disconnected);
		break;
	case LINK__ENVELOPE__BODY_INVOKE:
		conn_on_invoke(router, gateway, envelope->invoke);
		break;
	case LINK__ENVELOPE__BODY_MEMBER:
		shard_on_member(router, gateway, envelope->member);
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		gateway->is_replayed = true;
		rebuild_not_missing(&router->rebuild, gateway->incarnation);
		rebuild_on_gateway(&router->rebuild);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		conn_on_joined(router, envelope->joined);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_router_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct router *router = router_of(peer);
	struct ask_answer answer = { .rc = OK };

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_SEND:
		shard_on_send(router, peer, envelope->send);
		break;
	case LINK__ENVELOPE__BODY_SENT:
		answer.rc = (enum err)envelope->sent->rc;
		asks_answer(&router->asks, envelope->sent->call, &answer);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		conn_on_join(router, peer, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		answer.rc = (enum err)envelope->joined->rc;
		asks_answer(&router->asks, envelope->joined->call, &answer);
		break;
	case LINK__ENVELOPE__BODY_LIST_MEMBERS:
		shard_on_list_members(router, peer, envelope->list_members);
		break;
	case LINK__ENVELOPE__BODY_MEMBERS:
		answer.rc = (enum err)envelope->members->rc;
		answer.members = envelope->members;
		asks_answer(&router->asks, envelope->members->call, &answer);
		break;
	case LINK__ENVELOPE__BODY_LOG_APPEND:
		shard_on_log_append(router, peer, envelope->log_append);
		break;
	case LINK__ENVELOPE__BODY_LOG_READ:
		shard_on_log_read(router, peer, envelope->log_read);
		break;
	case LINK__ENVELOPE__BODY_LOG_ENTRIES:
		answer.rc = (enum err)envelope->log_entries->rc;
		answer.entries = envelope->log_entries;
		asks_answer(&router->asks, envelope->log_entries->call, &answer);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_presence_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_TOPOLOGY)
		rebuild_on_topology(&router_of(peer)->rebuild, envelope->topology);
	else
		on_unknown(peer, envelope);
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	switch (link_peer_role(peer)) {
	case LINK__ROLE__ROLE_GATEWAY:
		on_gateway_envelope(peer, envelope);
		break;
	case LINK__ROLE__ROLE_ROUTER:
		on_router_envelope(peer, envelope);
		break;
	case LINK__ROLE__ROLE_PRESENCE:
		on_presence_envelope(peer, envelope);
		break;
	case LINK__ROLE__ROLE_NONE:
		on_unknown(peer, envelope);
		break;
	}
}

static void gateway_new(struct router *router, struct link_peer *peer)
{
	struct router_gateway *gateway = MEM_NEW(struct router_gateway);

	gateway->peer = peer;
	gateway->incarnation = link_peer_incarnation(peer);
	group_gateway_init(&gateway->members);
	list_init(&gateway->conns);
	list_init(&gateway->node);
	list_append(&router->gateways, &gateway->node);
	link_peer_set_owner(peer, gateway);
	router->metrics.gateways++;
	rebuild_again(&router->rebuild);
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct router *router = router_of(peer);

	if (!is_new)
		return;
	if (link_peer_role(peer) == LINK__ROLE__ROLE_GATEWAY)
		gateway_new(router, peer);
	else if (link_peer_role(peer) == LINK__ROLE__ROLE_PRESENCE)
		router_lease(router);
}

static void on_down(struct link_peer *peer)
{
	(void)peer; /* the session waits for the next stream */
}

/* Everything it held is void: its members leave, its connections end. */
static void gateway_lost(struct router *router, struct router_gateway *gateway)
{
	log_warn("gateway.lost", "gateway=%s", link_peer_name(gateway->peer));
	conns_on_gateway_lost(router, gateway);
	group_remove_gateway(&router->groups, &gateway->members);
	list_remove(&gateway->node);
	link_peer_set_owner(gateway->peer, NULL);
	router->metrics.gateways--;
	rebuild_not_missing(&router->rebuild, gateway->incarnation);
	rebuild_on_gateway(&router->rebuild);
	mem_free(gateway);
}

static void on_lost(struct link_peer *peer)
{
	struct router *router = router_of(peer);
	struct router_gateway *gateway = router_gateway_of(peer);

	asks_on_lost(&router->asks, peer);
	if (gateway != NULL)
		gateway_lost(router, gateway);
}

const struct link_ops router_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.on_envelope = on_envelope,
};
