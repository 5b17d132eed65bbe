/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else.
 */
#include "gateway/on_router.h"

#include "gateway/deliver.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/presence.h"
#include "gateway/replay.h"
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

static void on_unknown(struct link_peer *peer, const Link__Envelope *envelope)
{
	gateway_of(peer)->metrics.envelope_unknown_total++;
	log_warn("link.unexpected", "peer=%s message=%d", link_peer_name(peer),
		 (int)envelope->body_case);
}

/* A newer peer may say more than we know; it is counted and passed over. */
static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct gateway *gateway = gateway_of(peer);
	struct gateway_router *router = link_peer_owner(peer);

	if (router == NULL) {
		/* Presence tells the topology; a gateway has its routers' list. */
		if (envelope->body_case != LINK__ENVELOPE__BODY_TOPOLOGY)
			on_unknown(peer, envelope);
		return;
	}
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_COMPLETE:
		invoke_on_complete(gateway, envelope->complete);
		break;
	case LINK__ENVELOPE__BODY_ABORT:
		on_abort(gateway, envelope->abort);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		join_on_join(gateway, router, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_DELIVER:
		deliver_on_deliver(gateway, envelope->deliver);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct gateway *gateway = gateway_of(peer);
	struct gateway_router *router = link_peer_owner(peer);

	if (!is_new)
		return;
	if (router != NULL)
		replay_to_router(gateway, router);
	else
		replay_to_presence(gateway);
}

static void on_down(struct link_peer *peer)
{
	(void)peer; /* the session waits for the next stream */
}

static void on_lost(struct link_peer *peer)
{
	struct gateway_router *router = link_peer_owner(peer);

	if (router != NULL)
		invoke_on_lost(router);
}

const struct link_ops gateway_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.on_envelope = on_envelope,
};
