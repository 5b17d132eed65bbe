/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else: which handler a message goes to, and what the coming and
 * going of a peer means.
 */
#include "router/on_peer.h"

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/claim.h"
#include "router/command.h"
#include "router/conn.h"
#include "router/conn_standby.h"
#include "router/handover.h"
#include "router/hub_runtime.h"
#include "router/pass.h"
#include "router/route.h"
#include "router/router.h"
#include "router/shard.h"
#include "router/state/state_change.h"
#include "router/state/state_owner.h"
#include "router/watch.h"

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
	case LINK__ENVELOPE__BODY_STREAM_ITEM:
		conn_on_stream_item(router, gateway, envelope->stream_item);
		break;
	case LINK__ENVELOPE__BODY_CLIENT_COMPLETION:
		conn_on_client_completion(router, gateway, envelope->client_completion);
		break;
	case LINK__ENVELOPE__BODY_CANCEL:
		conn_on_cancel(router, gateway, envelope->cancel);
		break;
	case LINK__ENVELOPE__BODY_FLOW:
		conn_on_flow(router, gateway, envelope->flow);
		break;
	case LINK__ENVELOPE__BODY_CLAIM:
		claim_on_claim(router, gateway, envelope->claim);
		break;
	case LINK__ENVELOPE__BODY_REQUEST:
		pass_on_request(router, gateway, envelope->request);
		break;
	case LINK__ENVELOPE__BODY_RESPONSE:
		pass_on_response(router, gateway, envelope->response);
		break;
	case LINK__ENVELOPE__BODY_TUNNEL:
		pass_on_tunnel(router, gateway, envelope->tunnel);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER:
		handover_on_handover(router, gateway, envelope->handover);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_TAKEN:
		handover_on_taken(router, gateway, envelope->handover_taken);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_REST:
		handover_on_rest(router, gateway, envelope->handover_rest);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_MOVE:
		handover_on_move(router, gateway, envelope->handover_move);
		break;
	case LINK__ENVELOPE__BODY_MEMBER:
		shard_on_member(router, gateway, envelope->member);
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		rebuild_on_replayed(&router->rebuild, gateway);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		conn_on_joined(router, envelope->joined);
		break;
	case LINK__ENVELOPE__BODY_RELEASE:
		conn_on_release(router, gateway, envelope->release);
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
	case LINK__ENVELOPE__BODY_RELEASED:
		conn_on_released(router, envelope->released);
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
	case LINK__ENVELOPE__BODY_STATE:
		state_on_state(router, peer, envelope->state);
		break;
	case LINK__ENVELOPE__BODY_STATE_DONE:
		state_on_done(router, envelope->state_done);
		break;
	case LINK__ENVELOPE__BODY_STATE_MOVE:
		state_move_on_message(router, link_peer_owner(peer),
				      envelope->state_move);
		break;
	case LINK__ENVELOPE__BODY_QUESTION:
		hub_question(router, peer, envelope->question);
		break;
	case LINK__ENVELOPE__BODY_ANSWER:
		answer.rc = (enum err)envelope->answer->rc;
		answer.answer = envelope->answer;
		asks_answer(&router->asks, envelope->answer->call, &answer);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_presence_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct router *router = router_of(peer);

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_TOPOLOGY:
		rebuild_on_topology(&router->rebuild, peer, envelope->topology);
		reshard_on_topology(router, peer, envelope->topology);
		break;
	case LINK__ENVELOPE__BODY_USER_CHANGE:
		watch_on_change(router, peer, envelope->user_change);
		break;
	case LINK__ENVELOPE__BODY_COMMAND:
		command_on_command(router, peer, envelope->command);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_SHARDS) {
		reshard_on_shards(router_of(peer), peer, envelope->shards);
		return;
	}
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

/* What was sent without the gateway was confirmed: no presence had named it in time. One
 * that starts over with us was here all the time, and nobody sends by us what we do not
 * own. */
static bool is_late(const struct router *router, uint64_t incarnation)
{
	return router->rebuild.is_done && shard_links_own(&router->shards) &&
	       incarnation != router->lost &&
	       !rebuild_is_missing(&router->rebuild, incarnation);
}

/* Its clients may have missed something: it must not hold them on. */
static void gateway_fence(struct link_peer *peer)
{
	const Link__Fence fence = LINK__FENCE__INIT;

	/* Nothing waits before it; one of the version before does not know it. */
	if (link_send_fence(peer, &fence, NULL) != OK)
		log_debug("gateway.unfenced", "gateway=%s", link_peer_name(peer));
}

static void gateway_new(struct router *router, struct link_peer *peer)
{
	struct router_gateway *gateway = MEM_NEW(struct router_gateway);

	if (is_late(router, link_peer_incarnation(peer)))
		gateway_fence(peer);
	gateway->peer = peer;
	gateway->incarnation = link_peer_incarnation(peer);
	group_gateway_init(&gateway->members);
	list_init(&gateway->conns);
	list_init(&gateway->claims);
	list_init(&gateway->asked);
	list_init(&gateway->passed);
	reshard_gateway_init(router, gateway);
	handovers_init(gateway);
	list_init(&gateway->node);
	list_append(&router->gateways, &gateway->node);
	link_peer_set_owner(peer, gateway);
	router->metrics.gateways++;
	rebuild_again(&router->rebuild);
}

static void gateway_set_kept(struct router *router, struct router_gateway *gateway,
			     bool is_kept)
{
	if (gateway->is_kept == is_kept)
		return;
	gateway->is_kept = is_kept;
	router->metrics.kept_gateways += is_kept ? 1 : -1;
	if (is_kept)
		log_warn("gateway.kept", "gateway=%s", link_peer_name(gateway->peer));
}

static void gateway_back(struct router *router, struct router_gateway *gateway)
{
	gateway->away_since_ms = 0;
	gateway_set_kept(router, gateway, false);
	conns_on_gateway_up(gateway);
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct router *router = router_of(peer);

	reshard_on_up(router, peer, is_new);
	if (link_peer_role(peer) == LINK__ROLE__ROLE_PRESENCE)
		replicas_on_up(&router->presence, peer, is_new);
	else if (is_new && link_peer_role(peer) == LINK__ROLE__ROLE_GATEWAY)
		gateway_new(router, peer);
	else if (router_gateway_of(peer) != NULL)
		gateway_back(router, router_gateway_of(peer));
}

static void on_down(struct link_peer *peer)
{
	struct router_gateway *gateway = router_gateway_of(peer);

	/* Everybody's session waits for the next stream. */
	if (link_peer_role(peer) == LINK__ROLE__ROLE_PRESENCE) {
		replicas_on_down(&router_of(peer)->presence, peer);
	} else if (gateway != NULL) {
		gateway->away_since_ms = loop_now_ms(router_of(peer)->loop);
		handovers_on_gateway_down(router_of(peer), gateway);
	}
}

/* Everything it held is void: its members leave, its connections end. */
static void gateway_lost(struct router *router, struct router_gateway *gateway)
{
	log_warn("gateway.lost", "gateway=%s", link_peer_name(gateway->peer));
	passes_on_gateway_lost(router, gateway);
	handovers_on_gateway_lost(gateway);
	claims_on_gateway_lost(router, gateway);
	conns_on_gateway_lost(router, gateway);
	group_remove_gateway(&router->groups, &gateway->members);
	reshard_gateway_fini(gateway);
	handovers_fini(gateway);
	list_remove(&gateway->node);
	link_peer_set_owner(gateway->peer, NULL);
	router->metrics.gateways--;
	gateway_set_kept(router, gateway, false);
	/* One that was away for too long is down; its clients missed what was sent then,
	 * however long it thinks that it was away. */
	router->lost = link_peer_is_up(gateway->peer) ? gateway->incarnation : 0;
	rebuild_not_missing(&router->rebuild, gateway->incarnation);
	rebuild_on_gateway(&router->rebuild);
	mem_free(gateway);
}

static void on_lost(struct link_peer *peer)
{
	struct router *router = router_of(peer);
	struct router_gateway *gateway = router_gateway_of(peer);

	asks_on_lost(&router->asks, peer);
	state_change_on_lost(router, peer);
	if (link_peer_role(peer) == LINK__ROLE__ROLE_ROUTER)
		reshard_on_lost(router, peer);
	backlog_on_room(&router->backlog);
	if (gateway != NULL)
		gateway_lost(router, gateway);
}

/* A presence that knows all has given it up; or there is none to ask. */
static bool is_dead(struct router *router, const struct link_peer *peer)
{
	struct topology *said = &router->reshard.topology;

	return router->conf->presence[0] == '\0' ||
	       (topology_is_settled(said) &&
		!topology_names_gateway(said, link_peer_incarnation(peer)));
}

/* Who is not known to be dead may be one that only we are cut off from. Nobody is to be
 * told that all have got what it has not; its session goes on, up to its window. When no
 * list has us it has nothing to do with us any more. */
static bool may_forget(const struct link_peer *peer)
{
	struct router *router = router_of(peer);
	struct router_gateway *gateway = router_gateway_of(peer);
	const bool may = gateway == NULL || router->shards.self == SHARD_LINKS_NOWHERE ||
			 is_dead(router, peer);

	if (!may)
		gateway_set_kept(router, gateway, true);
	return may;
}

static void on_room(struct link_peer *peer)
{
	struct router *router = router_of(peer);

	backlog_on_room(&router->backlog);
	hub_on_room(router->hubs);
}

const struct link_ops router_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.may_forget = may_forget,
	.on_room = on_room,
	.on_envelope = on_envelope,
};
