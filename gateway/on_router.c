/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else.
 */
#include "gateway/on_router.h"

#include "gateway/arriving.h"
#include "gateway/backlog.h"
#include "gateway/command.h"
#include "gateway/deliver.h"
#include "gateway/gateway.h"
#include "gateway/handover.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/release.h"
#include "gateway/replay.h"
#include "gateway/reply_link.h"
#include "gateway/transport_tunnel.h"
#include "gateway/tunnel.h"
#include "gateway/upload.h"
#include "proto/base/log.h"

static struct gateway *gateway_of(const struct link_peer *peer)
{
	return link_owner(link_peer_link(peer));
}

static void on_abort(struct gateway *gateway, const Link__Abort *abort_message)
{
	struct conn *conn =
		gateway_conn_find(gateway, link_slice(abort_message->connection));

	gateway->metrics.abort_total++;
	if (conn != NULL)
		conn_abort(conn, link_slice(abort_message->error),
			   abort_message->allow_reconnect);
}

static void on_began(struct gateway *gateway, const struct gateway_router *router,
		     const Link__Began *began)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(began->connection));

	if (conn != NULL)
		conn_on_began(conn, router);
}

static void on_deliver(struct gateway *gateway, const struct gateway_router *router,
		       const Link__Deliver *deliver)
{
	struct arena arena = ARENA_INIT;

	deliver_on_deliver(gateway, moving_deliver(gateway, router, deliver, &arena));
	arena_fini(&arena);
}

static void on_unknown(struct link_peer *peer, const Link__Envelope *envelope)
{
	gateway_of(peer)->metrics.envelope_unknown_total++;
	log_warn("link.unexpected", "peer=%s message=%d", link_peer_name(peer),
		 (int)envelope->body_case);
}

static void on_presence_envelope(struct gateway *gateway, struct link_peer *presence,
				 const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_COMMAND)
		command_on_command(gateway, presence, envelope->command);
	else if (envelope->body_case == LINK__ENVELOPE__BODY_SHARDS)
		reshard_on_shards(gateway, presence, envelope->shards);
	else if (envelope->body_case != LINK__ENVELOPE__BODY_TOPOLOGY)
		on_unknown(presence, envelope);
	/* Of the topology a gateway needs nothing: it has the map of routers. */
}

/* A newer peer may say more than we know; it is counted and passed over. */
static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct gateway *gateway = gateway_of(peer);
	struct gateway_router *router = link_peer_owner(peer);

	if (router == NULL) {
		on_presence_envelope(gateway, peer, envelope);
		return;
	}
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_COMPLETE:
		invoke_on_complete(gateway, envelope->complete);
		break;
	case LINK__ENVELOPE__BODY_PUSH:
		invoke_on_push(gateway, envelope->push);
		break;
	case LINK__ENVELOPE__BODY_CREDIT:
		upload_on_credit(gateway, envelope->credit);
		break;
	case LINK__ENVELOPE__BODY_ABORT:
		on_abort(gateway, envelope->abort);
		break;
	case LINK__ENVELOPE__BODY_BEGAN:
		on_began(gateway, router, envelope->began);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		join_on_join(gateway, router, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_REQUEST:
		reply_link_on_request(gateway, router, envelope->request);
		break;
	case LINK__ENVELOPE__BODY_RESPONSE:
		forward_on_response(router, envelope->response);
		break;
	case LINK__ENVELOPE__BODY_TUNNEL:
		tunnel_on_message(gateway, envelope->tunnel);
		break;
	case LINK__ENVELOPE__BODY_FENCE:
		replay_fence(gateway, router);
		break;
	case LINK__ENVELOPE__BODY_DELIVER:
		if (!router->is_behind || !reshard_is_fenced(router, envelope->deliver))
			on_deliver(gateway, router, envelope->deliver);
		break;
	case LINK__ENVELOPE__BODY_SHARDS:
		reshard_on_shards(gateway, peer, envelope->shards);
		break;
	case LINK__ENVELOPE__BODY_RELEASED:
		release_on_released(gateway, router, envelope->released);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER:
		arriving_on_handover(gateway, router, envelope->handover);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_TAKEN:
		handover_on_taken(gateway, envelope->handover_taken);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_MOVED:
		if (!handover_on_moved(gateway, router, envelope->handover_moved))
			arriving_on_moved(gateway, router, envelope->handover_moved);
		break;
	case LINK__ENVELOPE__BODY_HANDOVER_REST:
		arriving_on_rest(gateway, router, envelope->handover_rest);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct gateway *gateway = gateway_of(peer);
	struct gateway_router *router = link_peer_owner(peer);

	reshard_on_up(gateway, peer, is_new);
	if (router == NULL)
		replicas_on_up(&gateway->presence, peer, is_new);
	else if (is_new)
		replay_to_router(gateway, router);
}

static void on_down(struct link_peer *peer)
{
	/* A router's session waits for the next stream. */
	if (link_peer_owner(peer) == NULL)
		replicas_on_down(&gateway_of(peer)->presence, peer);
}

static void on_lost(struct link_peer *peer)
{
	struct gateway_router *router = link_peer_owner(peer);

	if (router == NULL)
		return;
	reshard_on_lost(router);
	invoke_on_lost(router);
	forwards_on_lost(router);
	replies_on_lost(router);
	tunnels_on_lost(router);
	transport_tunnels_on_lost(router);
	handovers_on_lost(router);
	arrivings_on_lost(router);
}

static void on_room(struct link_peer *peer)
{
	struct gateway_router *router = link_peer_owner(peer);

	if (router != NULL)
		backlog_on_room(router);
}

const struct link_ops gateway_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.on_room = on_room,
	.on_envelope = on_envelope,
};
