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
#define DROPPED(name, kind)                                                              \
	{                                                                                \
		"router_shards_dropped_total", METRIC_COUNTER,                           \
			offsetof(struct router_metrics, name), "kind=\"" kind "\"",      \
			"Keys forgotten, since other shards own them; users count as "   \
			"groups."                                                        \
	}

static const struct metric rows[] = {
	LINK_METRICS(struct router_metrics, link, "router_"),
	RELOAD_METRICS(struct router_metrics, reload, "router_"),
	GAUGE(connections, "Connections this shard owns."),
	GAUGE(gateways, "Gateways it knows."),
	GAUGE(missing_gateways, "Gateways that were not there when a rebuild had to end: "
				"no send to a group, a "
				"user or all is confirmed."),
	GAUGE(kept_gateways,
	      "Gateways that it has not heard for lease and presence has not given "
	      "up: it may be cut off from them."),
	COUNTER(gateway_resync_total,
		"Gateways started over with because their link was full."),
	COUNTER(connected_total, "Connections that were new."),
	COUNTER(resumed_total, "Connections that a gateway replayed."),
	COUNTER(disconnected_total, "Connections that ended."),
	GAUGE(standbys, "Connections whose hubs another shard runs meanwhile."),
	COUNTER(activated_total, "Connections that came here from another shard."),
	COUNTER(released_total, "Connections that went to another shard."),
	COUNTER(inherited_total,
		"Connections whose shard has let go of them to this one."),
	COUNTER(inherit_untold_total, "Connections let go of without a word to the next "
				      "shard: its link is full."),
	COUNTER(inherit_late_total,
		"Connections let go of to this one that it does not know any more."),
	GAUGE(claims, "Connections that a gateway has claimed."),
	GAUGE(passes, "Requests under way between two gateways, and tunnels."),
	COUNTER(request_total,
		"Requests from gateways about connections they do not hold."),
	COUNTER(request_claimed_total, "Those that made the asker the holder."),
	COUNTER(request_passed_total, "Those passed on to the holder."),
	COUNTER(request_unknown_total, "Those about a connection that nobody holds."),
	COUNTER(request_stale_total,
		"Those refused because they were too long on their way."),
	COUNTER(claim_refused_total, "Claims refused because claims_max were there."),
	COUNTER(pass_refused_total,
		"Requests refused because of passes_max or a full link to the holder."),
	COUNTER(response_late_total, "Answers that nobody waited for any more."),
	COUNTER(tunnel_total, "Tunnel messages passed on."),
	COUNTER(tunnel_bytes_total, "Bytes in them."),
	COUNTER(tunnel_late_total, "Tunnel messages of a tunnel that was gone."),
	COUNTER(handover_total,
		"Connections that a gateway that leaves wants taken over."),
	COUNTER(handover_refused_total, "Those for which no gateway could be asked."),
	COUNTER(handover_done_total, "Those that another gateway has taken over."),
	COUNTER(handover_late_total, "Words about such a connection that came too late."),
	COUNTER(handover_members_total, "Memberships that went over with them."),
	COUNTER(envelope_unknown_total, "Messages from a peer that may not send them."),
	GAUGE(backlog, "Sends that wait for room on a link."),
	COUNTER(backlog_total, "Sends that waited for room on a link."),
	COUNTER(backlog_refused_total, "Sends refused: link_window of them waited."),
	COUNTER(backlog_overdue_total, "Sends that found no room for hub_await_timeout."),
	GAUGE(calls, "Calls that wait, run or are being confirmed."),
	COUNTER(invoke_total, "Invocations that came in."),
	COUNTER(invoke_failed_total, "Invocations that ended with an error."),
	COUNTER(invoke_unknown_total, "Invocations of a method that does not exist."),
	COUNTER(invoke_unbound_total, "Invocations whose arguments did not fit."),
	COUNTER(invoke_unauthorized_total,
		"Invocations by users without the method's roles."),
	COUNTER(item_total, "Items of streams sent to clients."),
	COUNTER(stream_refused_total, "Streams refused, the client having too many."),
	COUNTER(upload_item_total, "Items of streams sent by clients."),
	COUNTER(upload_refused_total,
		"Streams from clients ended since too much came through."),
	COUNTER(question_total, "Questions put to clients."),
	COUNTER(question_refused_total, "Questions too many for one client."),
	COUNTER(answer_foreign_total, "Answers by clients that were not asked."),
	COUNTER(invoke_refused_total,
		"Invocations refused by a limit or for a connection not here."),
	COUNTER(hub_busy_total,
		"Invocations refused because hub_calls_max were under way."),
	COUNTER(hub_slow_total,
		"Methods that ran longer than hub_slow without awaiting."),
	COUNTER(hub_misuse_total,
		"Mistakes of hubs in using the hub API, each of which failed a call."),
	{ "router_hub_counted_total", METRIC_COUNTERS,
	  offsetof(struct router_metrics, hub_counted), NULL,
	  "What hubs count themselves, by hub and name." },
	GAUGE(items_bytes, "Bytes of what hubs keep of connections."),
	COUNTER(items_refused_total,
		"Items refused because of connection_items_bytes_max."),
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
	COUNTER(send_refused_total,
		"Sends refused, to too many names or leaving too many out."),
	COUNTER(deliver_total, "Deliver messages to gateways."),
	COUNTER(list_members_total, "Questions who is in a group."),
	COUNTER(join_total, "Joins and leaves passed on to gateways."),
	GAUGE(commands, "Commands of the admin API under way."),
	COUNTER(command_total, "Commands of the admin API that came in."),
	COUNTER(command_failed_total, "Those answered with an error."),
	COUNTER(command_refused_total, "Those refused because too many were under way."),
	GAUGE(shards_epoch, "Of the map of shards that this one goes by."),
	GAUGE(shards_phase, "Of that map: 1 prepare, 2 commit, 3 stable."),
	COUNTER(shards_jumped_total,
		"Times that a phase was missed: outcomes are unknown."),
	COUNTER(shards_malformed_total, "Maps that are none."),
	COUNTER(shards_held_total,
		"Sends that waited for what had gone to the owner before."),
	COUNTER(shards_hold_refused_total,
		"Those refused because of shards_hold_bytes_max."),
	COUNTER(shards_moved_total, "Messages refused, or passed over, since their key "
				    "is another shard's by now."),
	DROPPED(shards_dropped_groups_total, "group"),
	DROPPED(shards_dropped_conns_total, "connection"),
	DROPPED(shards_dropped_claims_total, "claim"),
	GAUGE(rebuilding, "1 while sends wait for gateways to replay after a start."),
	COUNTER(rebuild_held_total, "Messages that waited for the rebuild."),
	COUNTER(rebuild_refused_total, "Messages refused because too many waited."),
	COUNTER(rebuild_timeout_total,
		"Rebuilds that went on without an expected gateway."),
	GAUGE(state_keys, "Logs and sets of fields of hubs in memory."),
	GAUGE(state_bytes, "Bytes of hub state in memory."),
	COUNTER(state_change_total, "Changes of hub state asked for."),
	COUNTER(state_read_total, "Questions about hub state."),
	COUNTER(state_conflict_total,
		"Changes not made, since something else was there than expected."),
	COUNTER(state_failed_total,
		"Changes and questions that were refused or found no store."),
	COUNTER(state_evicted_total, "Logs and sets of fields dropped for room."),
	COUNTER(state_expired_total, "Logs and sets of fields whose time was over."),
	COUNTER(state_moved_total, "Logs and sets of fields that went to another shard."),
	COUNTER(state_late_total,
		"Pieces of moved state that came after their sender was given up."),
	GAUGE(state_waits, "Waits of hubs for fields to change."),
	COUNTER(state_wait_refused_total, "Waits refused for state_waits_max."),
	REDIS_METRICS(struct router_metrics, redis, "router_"),
	COUNTER(watch_total, "Times that presence was asked who comes and goes."),
	COUNTER(user_change_total, "Users that came or went, as presence said."),
	COUNTER(user_change_repeated_total, "Those that it had said before."),
	COUNTER(user_reset_total, "Times that presence said that changes were missed."),
	COUNTER(user_call_total, "Calls of hubs for a user that came or went."),
	COUNTER(user_call_failed_total, "Those that ended with an error."),
	COUNTER(user_call_refused_total, "Those left out because of user_calls_max."),
	REPLICAS_METRICS(struct router_metrics, presence, "router_"),
};

const struct metrics_table router_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
