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

#define HTTP_COUNTER(name, help)                                                         \
	{                                                                                \
		"presence_admin_http_" #name, METRIC_COUNTER, FIELD(admin_http.name),    \
			NULL, help                                                       \
	}

static const struct metric rows[] = {
	LINK_METRICS(struct presence_metrics, link, "presence_"),
	RELOAD_METRICS(struct presence_metrics, reload, "presence_"),
	GAUGE(users, "Users online: those with a connection, or in offline_grace. As the "
		     "store last said: it stays as it was while the store is away."),
	GAUGE(connections,
	      "Connections known, anonymous ones included. As presence_users "
	      "while the store is away."),
	COUNTER(opened_total, "Connections that gateways told of, replays included."),
	COUNTER(opened_refused_total, "Connections not kept because of a limit."),
	COUNTER(closed_total, "Connections that ended."),
	COUNTER(closed_unknown_total, "Ends of connections that were not known."),
	COUNTER(dropped_total, "Connections that went with their gateway."),
	COUNTER(online_total, "Users who came online."),
	COUNTER(offline_total, "Users who went offline."),
	COUNTER(sweep_total, "Slices in which lost gateways' connections were removed."),
	GAUGE(watchers, "Routers and event streams that are told of changes."),
	COUNTER(events_total, "Changes of who is online, whichever replica made them."),
	COUNTER(events_told_total, "Changes handed on to watchers, each time counted."),
	COUNTER(marks_total, "Times it was noted how far a router has got with changes."),
	COUNTER(events_reset_total, "Watchers that came too late for what they missed."),
	COUNTER(store_failed_total, "Changes that the store failed to make."),
	STORE_REDIS_METRICS(struct presence_metrics, store, "presence_"),
	REDIS_METRICS(struct presence_metrics, redis, "presence_"),
	GAUGE(gateways, "Gateways with a lease."),
	GAUGE(routers, "Routers with a lease."),
	GAUGE(settled, "1 once presence has run long enough to know every process and "
		       "connection."),
	COUNTER(lease_total, "Leases received."),
	COUNTER(lease_expired_total, "Leases that ran out while the link was kept."),
	COUNTER(process_lost_total, "Processes that are gone, for whatever reason."),
	COUNTER(report_total, "Reports of processes about themselves."),
	COUNTER(report_cut_total, "Links and groups left out of reports by a limit."),
	COUNTER(registered_total, "Registrations of gateways whose home we are."),
	COUNTER(fenced_total, "Gateways that were made to tell everything again."),
	COUNTER(replayed_total, "Replays that gateways have completed."),
	COUNTER(held_overrun_total,
		"Times more came from a gateway than is held for the store."),
	COUNTER(homeless_total,
		"Messages about connections from gateways whose home we are not."),
	COUNTER(topology_total, "Topologies sent."),
	COUNTER(topology_refused_total, "Topologies not sent because the link was full."),
	COUNTER(stalled_total,
		"Times presence itself stood still and forgave all leases."),
	COUNTER(envelope_unknown_total, "Messages from a peer that may not send them."),
	GAUGE(shards_epoch, "Epoch of the map of shards; 0: none was made yet."),
	GAUGE(shards_phase, "1: other routers are prepared for, 2: senders go by them, "
			    "3: nothing is under way."),
	GAUGE(shards_leader, "1 at the replica that makes maps of shards."),
	COUNTER(shards_told_total, "Maps of shards sent to gateways and routers."),
	COUNTER(shards_malformed_total, "Maps of shards passed over: they were none."),
	COUNTER(shards_steps_total, "Maps of shards that this replica made."),
	COUNTER(shards_given_up_total,
		"Preparations for other routers given up: they took too long, or others "
		"were wanted."),
	COUNTER(shards_overtaken_total,
		"Maps that the store did not take: another replica was first, or it was "
		"away."),
	GAUGE(commands, "Commands to gateways and routers that wait for their answer."),
	COUNTER(command_total, "Commands sent to gateways and routers."),
	COUNTER(command_failed_total, "Those that ended with an error."),
	COUNTER(command_timeout_total, "Those that had no answer in time."),
	COUNTER(command_refused_total,
		"Commands not sent because of commands_max or a full link."),
	COUNTER(command_late_total, "Answers that nobody waited for any more."),
	COUNTER(admin_total, "Requests to the admin API."),
	COUNTER(admin_denied_total, "Requests to the admin API without the right token "
				    "or certificate, or from "
				    "foreign pages."),
	COUNTER(admin_acts_total, "Requests to the admin API that changed something."),
	GAUGE(admin_token_fingerprint,
	      "Tells admin_token_file apart from what it was before; 0: none."),
	GAUGE(admin_tls_not_after_seconds,
	      "Unix time at which the admin listener's certificate ends; 0: none."),
	HTTP_COUNTER(refused_total, "Connections to the admin listener over its limit."),
	HTTP_COUNTER(malformed_total, "Requests to it answered 4xx or 5xx unread."),
	HTTP_COUNTER(timeouts_total, "Requests to it, and answers, that took too long."),
	HTTP_COUNTER(tls_failed_total, "TLS handshakes with it that came to no end."),
	GAUGE(events_watchers, "Clients of /api/v1/events."),
	COUNTER(events_refused_total,
		"Clients of /api/v1/events refused because of events_watchers_max."),
	COUNTER(events_slow_total,
		"Clients of /api/v1/events closed because nothing moved."),
};

const struct metrics_table presence_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
