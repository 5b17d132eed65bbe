/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind /metrics.
 */
#include "presence/metrics.h"

#define FIELD(name) offsetof(struct presence_metrics, name)
#define COUNTER(name, help)                                                              \
	{                                                                                \
		"presence_" #name, METRIC_COUNTER, FIELD(name), NULL, help               \
	}
#define GAUGE(name, help)                                                                \
	{                                                                                \
		"presence_" #name, METRIC_GAUGE, FIELD(name), NULL, help                 \
	}

static const struct metric rows[] = {
	LINK_METRICS(struct presence_metrics, link, "presence_"),
	GAUGE(users, "Users online: those with a connection."),
	GAUGE(connections, "Connections known, anonymous ones included."),
	COUNTER(opened_total, "Connections that gateways told of, replays included."),
	COUNTER(opened_refused_total, "Connections not kept because of a limit."),
	COUNTER(closed_total, "Connections that ended."),
	COUNTER(closed_unknown_total, "Ends of connections that were not known."),
	COUNTER(dropped_total, "Connections that went with their gateway."),
	COUNTER(online_total, "Users who came online."),
	COUNTER(offline_total, "Users who went offline."),
	COUNTER(store_failed_total, "Changes that the store failed to make."),
	GAUGE(gateways, "Gateways with a lease."),
	GAUGE(routers, "Routers with a lease."),
	GAUGE(settled, "1 once presence has run long enough to know every process."),
	COUNTER(lease_total, "Leases received."),
	COUNTER(lease_expired_total, "Leases that ran out while the link was kept."),
	COUNTER(process_lost_total, "Processes that are gone, for whatever reason."),
	COUNTER(replayed_total, "Replays that gateways have completed."),
	COUNTER(topology_total, "Topologies sent."),
	COUNTER(topology_refused_total, "Topologies not sent because the link was full."),
	COUNTER(stalled_total,
		"Times presence itself stood still and forgave all leases."),
	COUNTER(envelope_unknown_total, "Messages from a peer that may not send them."),
	COUNTER(admin_total, "Requests to the admin API."),
	COUNTER(admin_denied_total, "Requests to the admin API without the right token."),
};

const struct metrics_table presence_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
