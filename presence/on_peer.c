/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch and nothing else: which handler a message goes to, and what the coming and
 * going of a peer means.
 */
#include "presence/on_peer.h"

#include <assert.h>

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
	if (process->lease.role == LINK__ROLE__ROLE_GATEWAY)
		home_on_lease(process, lease->is_home);
	else if (!lease->is_home)
		follower_leave(process);
	if (process->topology_told != presence->topology.version)
		topology_tell(&presence->topology);
}

/* A newer peer may say more than we know; it is counted and passed over. */
static void on_gateway_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct presence *presence = presence_of(peer);
	struct process *gateway = process_of(peer);

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_OPENED:
		home_on_opened(gateway, envelope->opened);
		break;
	case LINK__ENVELOPE__BODY_CLOSED:
		home_on_closed(gateway, envelope->closed);
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		home_on_replayed(gateway, envelope->replayed);
		break;
	case LINK__ENVELOPE__BODY_LEASE:
		on_lease(presence, gateway, envelope->lease);
		break;
	case LINK__ENVELOPE__BODY_REPORT:
		process_report(&presence->processes, gateway, envelope->report);
		break;
	case LINK__ENVELOPE__BODY_SHARDS:
		resharding_on_shards(&presence->resharding, gateway, envelope->shards);
		break;
	case LINK__ENVELOPE__BODY_COMMAND_DONE:
		commands_on_done(presence, peer, envelope->command_done);
		break;
	default:
		on_unknown(peer, envelope);
	}
}

static void on_router_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct presence *presence = presence_of(peer);

	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_LEASE:
		on_lease(presence, process_of(peer), envelope->lease);
		break;
	case LINK__ENVELOPE__BODY_WATCH:
		follower_on_watch(process_of(peer), envelope->watch);
		break;
	case LINK__ENVELOPE__BODY_REPORT:
		process_report(&presence->processes, process_of(peer), envelope->report);
		break;
	case LINK__ENVELOPE__BODY_SHARDS:
		resharding_on_shards(&presence->resharding, process_of(peer),
				     envelope->shards);
		break;
	case LINK__ENVELOPE__BODY_COMMAND_DONE:
		commands_on_done(presence, peer, envelope->command_done);
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
	else
		on_router_envelope(peer, envelope);
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct presence *presence = presence_of(peer);

	if (is_new) {
		process_new(&presence->processes, peer);
		resharding_on_up(&presence->resharding, process_of(peer));
		return;
	}
	resharding_on_up(&presence->resharding, process_of(peer));
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

	commands_on_lost(presence_of(peer), peer);
	if (process != NULL)
		process_lost(&presence_of(peer)->processes, process);
}

const struct link_ops presence_link_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_lost = on_lost,
	.on_envelope = on_envelope,
};
