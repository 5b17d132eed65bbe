/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind /metrics.
 */
#include "router/metrics.h"

#define COUNTER(name, help)                                                              \
	{                                                                                \
		"router_" #name, METRIC_COUNTER, offsetof(struct router_metrics, name),  \
			NULL, help                                                       \
	}
#define GAUGE(name, help)                                                                \
	{                                                                                \
		"router_" #name, METRIC_GAUGE, offsetof(struct router_metrics, name),    \
			NULL, help                                                       \
	}

static const struct metric rows[] = {
	LINK_METRICS(struct router_metrics, link, "router_"),
	GAUGE(connections, "Connections this shard owns."),
	GAUGE(gateways, "Gateways it knows."),
	COUNTER(gateway_resync_total,
		"Gateways started over with because their link was full."),
	COUNTER(connected_total, "Connections that were new."),
	COUNTER(resumed_total, "Connections that a gateway replayed."),
	COUNTER(disconnected_total, "Connections that ended."),
	COUNTER(envelope_unknown_total, "Messages from a peer that may not send them."),
	GAUGE(calls, "Calls that wait, run or are being confirmed."),
	COUNTER(invoke_total, "Invocations that came in."),
	COUNTER(invoke_failed_total, "Invocations that ended with an error."),
	COUNTER(invoke_unknown_total, "Invocations of a method that does not exist."),
	COUNTER(invoke_unbound_total, "Invocations whose arguments did not fit."),
	COUNTER(invoke_refused_total,
		"Invocations refused by a limit or for a connection not here."),
	COUNTER(hub_busy_total,
		"Invocations refused because hub_calls_max were under way."),
	COUNTER(hub_slow_total,
		"Methods that ran longer than hub_slow without awaiting."),
	{ "router_invoke_seconds", METRIC_HISTOGRAM,
	  offsetof(struct router_metrics, invoke_seconds), NULL,
	  "From Invoke to Complete." },
	COUNTER(ask_timeout_total,
		"Questions to other processes without an answer in time."),
	GAUGE(members, "Memberships of the groups and users this shard owns."),
	GAUGE(groups, "Groups and users it owns that have members."),
	COUNTER(member_total, "Member messages from gateways."),
	COUNTER(send_total, "Sends to keys of this shard."),
	COUNTER(send_empty_total, "Sends to keys without members."),
	COUNTER(send_failed_total, "Sends not confirmed by every gateway with members."),
	COUNTER(deliver_total, "Deliver messages to gateways."),
	COUNTER(list_members_total, "Questions who is in a group."),
	COUNTER(join_total, "Joins and leaves passed on to gateways."),
	GAUGE(rebuilding, "1 while sends wait for gateways to replay after a start."),
	COUNTER(rebuild_held_total, "Messages that waited for the rebuild."),
	COUNTER(rebuild_refused_total, "Messages refused because too many waited."),
	COUNTER(rebuild_timeout_total,
		"Rebuilds that went on without an expected gateway."),
	GAUGE(journal_keys, "Lists of hub state in memory."),
	GAUGE(journal_bytes, "Bytes of hub state in memory."),
	COUNTER(journal_append_total, "Entries appended to hub state."),
	COUNTER(journal_evicted_total, "Lists of hub state dropped for room."),
	COUNTER(lease_refused_total,
		"Leases not sent because the link to presence was full."),
};

const struct metrics_table router_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
