/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else: which handler a message goes to, and what the coming and
 * going of a peer means.
 */
#include "presence/on_peer.h"

#include <assert.h>
#include <inttypes.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/log.h"

static void on_unknown(struct link_peer *peer, const Link__Envelope *envelope)
{
	presence_of(peer)->metrics.envelope_unknown_total++;
	log_warn("link.unexpected", "peer=%s message=%d", link_peer_name(peer),
		 (int)envelope->body_case);
}

/* What any process says. The topology may have found its link full before. */
static void on_lease(struct presence *presence, struct process *process,
		     const Link__Lease *lease)
{
	process_renew(&presence->processes, process, lease);
	if (process->topology_told != presence->topology.version)
		topology_tell(&presence->topology);
}

static void on_replayed(struct presence *presence, const struct process *gateway,
			const Link__Replayed *replayed)
{
	presence->metrics.replayed_total++;
	log_info("gateway.replayed", "gateway=%s connections=%" PRIu64,
		 gateway->lease.name, replayed->connections);
}

/* A newer peer may say more than we know; it is counted and passed over. */
static void on_gateway_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct presence *presence = presence_of(peer);
	struct process *gateway = process_of(peer);

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_OPENED:
		online_on_opened(presence, gateway, envelope->opened);
		break;
	case LINK__ENVELOPE__BODY_CLOSED:
		online_on_closed(presence, gateway, envelope->closed);
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		on_replayed(presence, gateway, envelope->replayed);
		break;
	case LINK__ENVELOPE__BODY_LEASE:
		on_lease(presence, gateway, envelope->lease);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	assert(process_of(peer) != NULL); /* a lost one's stream is closed */
	if (link_peer_role(peer) == LINK__ROLE__ROLE_GATEWAY)
		on_gateway_envelope(peer, envelope);
	else if (envelope->body_case == LINK__ENVELOPE__BODY_LEASE)
		on_lease(presence_of(peer), process_of(peer), envelope->lease);
	else
		on_unknown(peer, envelope);
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct presence *presence = presence_of(peer);

	if (is_new) {
		process_new(&presence->processes, peer);
		return;
	}
	process_renew(&presence->processes, process_of(peer), NULL);
	topology_tell(&presence->topology);
}

static void on_down(struct link_peer *peer)
{
	(void)peer; /* the session waits for the next stream, and the lease runs */
}

static void on_lost(struct link_peer *peer)
{
	struct process *process = process_of(peer);

	if (process != NULL)
		process_lost(&presence_of(peer)->processes, process);
}

const struct link_ops presence_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.on_envelope = on_envelope,
};
