#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Prints the Grafana dashboard, dashboard.json, from a table of its panels; generate.sh keeps it.
// A panel is a title, a unit of Grafana's, what it is for, and its queries, each with a legend. $rate
// is [$__rate_interval]; FROM and ONE pick the processes that the variables of the page name.
"use strict";

const WIDTH = 24;
const PANEL = { w: 8, h: 7 };
const STAT = { w: 4, h: 4 };
const FROM = 'cluster=~"$cluster",namespace=~"$namespace"';
const ONE = `${FROM},instance=~"$instance"`;
const CPU = "rate(process_cpu_seconds_total{job=~\"heliograph-.+\",ONE}$rate)";

const sum = (metric, labels = "") => `sum(${metric}{${labels}${labels && ","}FROM})`;
const sumRate = (metric, labels = "") => `sum(rate(${metric}{${labels}${labels && ","}FROM}$rate))`;
const each = (metric, labels = "") => `${metric}{${labels}${labels && ","}ONE}`;
const eachRate = (metric, labels = "") => `rate(${metric}{${labels}${labels && ","}ONE}$rate)`;
const byRate = (label, metric) => `sum by (${label}) (rate(${metric}{FROM}$rate))`;
const quantile = (q, metric) => `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket{FROM}$rate)))`;
const three = (what, name, link) => ["gateway", "router", "presence"].map((program) => [what(`${program}_${name}`), link]);
const INSTANCE = "{{instance}}";

const SECTIONS = [
	["Golden signals", STAT, [
		["Connections", "short", "Open connections of all gateways.", [[sum("gateway_connections"), "connections"]]],
		["Users online", "short", "As presence knows them.", [["max(presence_users{FROM})", "users"]]],
		["Calls", "reqps", "Invocations that clients make.", [[sumRate("gateway_invoke_total"), "calls"]]],
		["Deliveries", "reqps", "Messages queued for clients.", [[sumRate("gateway_deliveries_total"), "deliveries"]]],
		["Processes that do not answer", "short", "Not scraped.", [['count(up{job=~"heliograph-.+",FROM}) - sum(up{job=~"heliograph-.+",FROM})', "down"]]],
		["Peers that are missed", "short", "Links that there are to be and are not.", [[
			"sum(gateway_link_peers{FROM} - gateway_link_peers_up{FROM}) + sum(router_link_peers{FROM} - router_link_peers_up{FROM})", "missed"]]],
	]],
	["", PANEL, [
		["Traffic", "reqps", "What clients send, what is said to them.", [
			[sumRate("gateway_messages_in_total"), "messages in"], [sumRate("gateway_messages_out_total"), "messages out"],
			[sumRate("gateway_invoke_total"), "calls"]]],
		["Latency of calls", "s", "From an invocation to its completion at the gateway: the links and the hub are in it.", [
			[quantile(0.5, "gateway_invoke_seconds"), "50 %"], [quantile(0.95, "gateway_invoke_seconds"), "95 %"],
			[quantile(0.99, "gateway_invoke_seconds"), "99 %"], [quantile(0.99, "router_invoke_seconds"), "99 %, of that in the router"]]],
		["Errors", "percentunit", "What failed, as a share of what was asked for; the objective is 0.1 % a month.", [
			["max by (sli) (heliograph:errors:ratio_rate5m{FROM} >= 0)", "{{sli}}, 5 min"],
			["max by (sli) (heliograph:errors:ratio_rate1h{FROM} >= 0)", "{{sli}}, 1 h"]]],
		["Processor", "percentunit", "Of one core; a process has one thread for all but its links.", [[CPU, INSTANCE]]],
		["Memory", "bytes", "Held in RAM.", [['process_resident_memory_bytes{job=~"heliograph-.+",ONE}', INSTANCE]]],
		["Stalls", "percentunit", "Share of the time in turns of the loop that took 100 ms or longer.", [
			[eachRate("heliograph_loop_stalled_seconds_total"), INSTANCE]]],
		["Files that will not do", "short", "1 at who could not read its configuration, or what that names, again.",
			three(each, "conf_stale", INSTANCE)],
	]],
	["Gateways", PANEL, [
		["Connections", "short", "Open ones, and how many there may be.", [
			[each("gateway_connections"), INSTANCE], [sum("gateway_connections_max"), "most"]]],
		["By transport", "short", "As ASP.NET Core counts them.", [
			["sum by (signalr_transport) (signalr_server_active_connections{FROM})", "{{signalr_transport}}"]]],
		["Coming and going", "reqps", "Negotiations, connections that began, and that ended.", [
			[sumRate("gateway_negotiate_total"), "negotiations"], [sumRate("gateway_connections_total"), "began"],
			[sumRate("gateway_close_total"), "ended"]]],
		["Why they leave", "reqps", "Connections closed, by reason.", [[byRate("reason", "gateway_close_total"), "{{reason}}"]]],
		["How long they stay", "s", "By how they ended.", [
			[`histogram_quantile(0.5, sum by (le, signalr_connection_status) (rate(signalr_server_connection_duration_seconds_bucket{FROM}$rate))) >= 0`,
				"{{signalr_connection_status}}"]]],
		["Refused at the door", "reqps", "Clients that did not get in.", [
			[sumRate("gateway_negotiate_refused_total"), "negotiations"], [sumRate("gateway_connections_refused_total"), "full, draining or not ready"],
			[sumRate("gateway_memory_refused_total"), "memory"], [sumRate("gateway_http_refused_total"), "sockets"]]],
		["Bad tokens", "reqps", "By what is wrong with them.", [[byRate("reason", "gateway_auth_failed_total"), "{{reason}}"]]],
		["Over their rate", "reqps", "Requests answered 429, and clients that were not read for a while.", [
			[byRate("reason", "gateway_rate_limited_total"), "{{reason}}"], [sumRate("gateway_rate_paused_total"), "paused"]]],
		["Slow readers", "bytes", "Bytes that wait for clients which do not take them.", [[each("gateway_queue_bytes"), INSTANCE]]],
		["Writes that wait", "reqps", "The kernel took less than all; connections closed for it.", [
			[sumRate("gateway_write_blocked_total"), "blocked"], [sumRate("gateway_send_timeout_total"), "over send_timeout"],
			[sumRate("gateway_close_total", 'reason="slow"'), "closed as slow"]]],
		["Memory budget", "percentunit", "From 85 % on nobody new is let in, from 95 % on clients are closed.", [
			["gateway_memory_used_bytes{ONE} / gateway_memory_max_bytes{ONE}", INSTANCE]]],
		["Descriptors", "percentunit", "Open ones, of those that there may be.", [
			['process_open_fds{job=~"heliograph-.+",ONE} / process_max_fds{ONE}', INSTANCE]]],
		["Bytes", "Bps", "From and to clients.", [[sumRate("gateway_in_bytes_total"), "in"], [sumRate("gateway_out_bytes_total"), "out"]]],
		["Calls under way", "short", "Invocations in flight; clients that are not read because of their router.", [
			[sum("gateway_invocations"), "calls"], [sum("gateway_backlog"), "held up"]]],
		["Calls that fail", "reqps", "Of the broker's making: the hub's own errors are at the routers.", [
			[sumRate("gateway_invoke_refused_total"), "refused"], [sumRate("gateway_invoke_lost_total"), "outcome unknown"],
			[sumRate("gateway_invoke_ended_total"), "ended by a change of routers"]]],
		["Requests for other gateways", "reqps", "About connections that another gateway holds.", [
			[sumRate("gateway_forward_total"), "passed on"], [sumRate("gateway_forward_failed_total"), "failed"],
			[sumRate("gateway_tunnel_total"), "tunnels"]]],
		["Certificates", "s", "Until they end; nothing without TLS.", [
			["(gateway_tls_not_after_seconds{ONE} - time()) * (gateway_tls_not_after_seconds{ONE} > bool 0)", INSTANCE]]],
		["TLS handshakes", "reqps", "Done, and failed.", [
			[sumRate("gateway_http_tls_handshakes_total"), "done"], [sumRate("gateway_http_tls_failed_total"), "failed"]]],
	]],
	["Routers and links", PANEL, [
		["Calls", "reqps", "That came in, and what became of some.", [
			[sumRate("router_invoke_total"), "calls"], [sumRate("router_invoke_failed_total"), "failed in the hub"],
			[sumRate("router_invoke_refused_total"), "refused"]]],
		["Calls at a router", "short", "That wait, run, or are being confirmed.", [[each("router_calls"), INSTANCE]]],
		["Hubs in time", "reqps", "Calls refused because of hub_calls_max; methods that ran longer than hub_slow.", [
			[sumRate("router_hub_busy_total"), "busy"], [sumRate("router_hub_slow_total"), "slow"],
			[sumRate("router_ask_timeout_total"), "answers that did not come"]]],
		["Sends", "reqps", "To groups, users and all; those whose outcome is unknown.", [
			[sumRate("router_send_total"), "sends"], [sumRate("router_send_failed_total"), "unknown"], [sumRate("router_send_refused_total"), "refused"]]],
		["Connections owned", "short", "Of each shard.", [[each("router_connections"), INSTANCE]]],
		["Groups and members", "short", "Groups and users with members, and memberships.", [
			[sum("router_groups"), "groups and users"], [sum("router_members"), "memberships"]]],
		["Rebuilding", "short", "1 while a router waits for gateways to tell what they have; gateways that did not.", [
			[each("router_rebuilding"), `${INSTANCE} rebuilds`], [each("router_missing_gateways"), `${INSTANCE} misses`]]],
		["Hub state", "bytes", "In memory.", [[each("router_state_bytes"), INSTANCE]]],
		["What hubs ask of their state", "reqps", "Changes and questions, and those that failed.", [
			[sumRate("router_state_change_total"), "changes"], [sumRate("router_state_read_total"), "questions"],
			[sumRate("router_state_failed_total"), "failed"], [sumRate("router_state_evicted_total"), "dropped for room"]]],
		["What hubs count", "reqps", "By hub and name.", [["sum by (hub, name) (rate(router_hub_counted_total{FROM}$rate))", "{{hub}} {{name}}"]]],
		["Messages on links", "reqps", "From all processes to their peers.", three(sumRate, "link_envelopes_out_total", "{{__name__}}").map(([expr], i) =>
			[expr, ["gateways", "routers", "presence"][i]])],
		["Messages a batch", "short", "The more, the busier a link is.", [
			[`${sumRate("gateway_link_envelopes_out_total")} / ${sumRate("gateway_link_batches_out_total")}`, "gateways"],
			[`${sumRate("router_link_envelopes_out_total")} / ${sumRate("router_link_batches_out_total")}`, "routers"]]],
		["Peers missed", "short", "Links that there are to be and are not.", [
			["gateway_link_peers{ONE} - gateway_link_peers_up{ONE}", INSTANCE], ["router_link_peers{ONE} - router_link_peers_up{ONE}", INSTANCE],
			["presence_link_peers{ONE} - presence_link_peers_up{ONE}", INSTANCE]]],
		["Links lost", "reqps", "Streams that broke, and messages said again.", [
			[sumRate("gateway_link_downs_total"), "lost by gateways"], [sumRate("router_link_downs_total"), "lost by routers"],
			[sumRate("gateway_link_resent_total"), "said again"]]],
		["Links too full", "reqps", "Messages refused because too much waits; times that half of the room was taken.", [
			[sumRate("gateway_link_window_full_total"), "refused by gateways"], [sumRate("router_link_window_full_total"), "refused by routers"],
			[sumRate("router_link_crowded_total"), "crowded"]]],
	]],
	["Presence and Redis", PANEL, [
		["Who is online", "short", "As presence says, and connections as the gateways count them.", [
			["max(presence_users{FROM})", "users"], ["max(presence_connections{FROM})", "connections"],
			["heliograph:connections:sum{FROM}", "connections of the gateways"]]],
		["Coming and going", "reqps", "Connections, users.", [
			[sumRate("presence_opened_total"), "connections opened"], [sumRate("presence_closed_total"), "closed"],
			[sumRate("presence_online_total"), "users came"], [sumRate("presence_offline_total"), "went"]]],
		["Processes", "short", "With a lease, and those that were lost.", [
			["max(presence_gateways{FROM})", "gateways"], ["max(presence_routers{FROM})", "routers"],
			["sum(increase(presence_process_lost_total{FROM}[15m]))", "lost in 15 minutes"]]],
		["Redis is away", "short", "Clients of Redis without it.", [[each("presence_redis_away"), INSTANCE], [each("router_redis_away"), INSTANCE]]],
		["What waits for Redis", "short", "Changes of who is online.", [[each("presence_store_waiting"), INSTANCE]]],
		["How stale it is", "s", "Since when the oldest change waits for Redis.", [
			["(time() - presence_store_waiting_since_seconds{ONE}) * (presence_store_waiting_since_seconds{ONE} > bool 0)", INSTANCE]]],
		["Commands", "reqps", "That Redis answered.", [
			[sumRate("presence_redis_commands_total"), "presence"], [sumRate("router_redis_commands_total"), "hubs"],
			[sumRate("presence_redis_errors_total"), "errors, presence"], [sumRate("router_redis_errors_total"), "errors, hubs"]]],
		["Redis lost", "reqps", "Connections that broke, answers that did not come, and all that had to be told anew.", [
			[sumRate("presence_redis_downs_total"), "lost"], [sumRate("presence_redis_timeouts_total"), "timeouts"],
			[sumRate("presence_store_lost_total"), "told anew"]]],
		["Admin API", "reqps", "Requests, acts, and those that were denied.", [
			[sumRate("presence_admin_total"), "requests"], [sumRate("presence_admin_acts_total"), "acts"],
			[sumRate("presence_admin_denied_total"), "denied"]]],
	]],
	["Resharding", PANEL, [
		["Phase", "short", "1: prepare, 2: commit, 3: stable, 0: there was no change yet.", [[each("presence_shards_phase"), INSTANCE]]],
		["Map of shards", "short", "Its epoch: the same everywhere, but for a moment.", three(each, "shards_epoch", INSTANCE)],
		["Moving", "reqps", "Connections to another router, hub state, and keys that were forgotten for others own them.", [
			[sumRate("gateway_conns_moved_total"), "connections"], [sumRate("router_state_moved_total"), "hub state"],
			[sumRate("router_shards_dropped_total"), "dropped"]]],
		["Held up", "reqps", "Sends that waited, or were refused, while owners changed.", [
			[sumRate("router_shards_held_total"), "waited"], [sumRate("router_shards_hold_refused_total"), "refused"],
			[sumRate("router_shards_moved_total"), "sent on"]]],
		["Gone wrong", "reqps", "Changes given up, maps passed over, phases missed.", [
			[sumRate("presence_shards_given_up_total"), "given up"], [sumRate("gateway_shards_jumped_total"), "missed by gateways"],
			[sumRate("router_shards_jumped_total"), "missed by routers"]]],
		["Who leads", "short", "1 at the replica of presence that makes maps.", [[each("presence_shards_leader"), INSTANCE]]],
	]],
	["Drains", PANEL, [
		["Clients of draining gateways", "short", "How many are left; 0 at gateways that do not drain.", [
			["gateway_connections{ONE} * (gateway_drain_begin_seconds{ONE} > bool 0)", INSTANCE]]],
		["Time left", "s", "Until what is left is cut.", [
			["(gateway_drain_end_seconds{ONE} - time()) * (gateway_drain_end_seconds{ONE} > bool 0)", INSTANCE]]],
		["Sent away", "reqps", "By drains; and those who were still there at the end.", [
			[sumRate("gateway_drain_evicted_total"), "sent away"], [sumRate("gateway_drain_cut_total"), "cut"]]],
		["Handed over", "reqps", "Connections that other gateways took, and those that none did.", [
			[sumRate("gateway_handover_done_total"), "handed over"], [sumRate("gateway_handover_untaken_total"), "taken by nobody"],
			[sumRate("gateway_handover_failed_total"), "failed"], [sumRate("gateway_arrival_done_total"), "arrived"]]],
		["How long that takes", "s", "From the offer to the end here.", [
			[`(${quantile(0.99, "gateway_handover_seconds")} >= 0) or vector(0)`, "99 %"]]],
		["Stateful reconnect", "reqps", "Transports that were lost, and those that clients came back with.", [
			[sumRate("gateway_stateful_detached_total"), "lost"], [sumRate("gateway_stateful_attached_total"), "came back"]]],
	]],
];

function query(text) {
	return text.replaceAll("FROM", FROM).replaceAll("ONE", ONE).replaceAll("$rate", "[$__rate_interval]");
}

function panel([title, unit, description, queries], size, id, at) {
	return {
		id, title, description,
		type: size === STAT ? "stat" : "timeseries",
		datasource: { type: "prometheus", uid: "$datasource" },
		gridPos: { ...size, ...at },
		fieldConfig: { defaults: { unit, ...(size === STAT ? {} : { min: 0 }) }, overrides: [] },
		options: size === STAT ? { graphMode: "area", reduceOptions: { calcs: ["lastNotNull"] } }
			: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
		targets: queries.map(([expr, legend], i) => ({
			refId: String.fromCharCode(65 + i), expr: query(expr), legendFormat: legend, editorMode: "code", range: true,
		})),
	};
}

// Rows of the page, from left to right, a section beginning a new one.
function panels() {
	const all = [];
	let y = 0;
	for (const [title, size, rows] of SECTIONS) {
		if (title) {
			all.push({ id: all.length + 1, type: "row", title, collapsed: false, gridPos: { x: 0, y, w: WIDTH, h: 1 }, panels: [] });
			y++;
		}
		const columns = WIDTH / size.w;
		rows.forEach((row, i) => all.push(panel(row, size, all.length + 1,
			{ x: (i % columns) * size.w, y: y + Math.floor(i / columns) * size.h })));
		y += Math.ceil(rows.length / columns) * size.h;
	}
	return all;
}

const variable = (name, label) => ({
	name, label, type: "query", datasource: { type: "prometheus", uid: "$datasource" },
	query: { query: `label_values(heliograph_build_info, ${name})`, refId: name },
	refresh: 2, sort: 1, includeAll: true, multi: true, allValue: ".*", current: { text: "All", value: "$__all" },
});

const dashboard = {
	uid: "heliograph",
	title: "Heliograph",
	description: "A Heliograph cluster: what clients notice first, then each kind of process. docs/RUNBOOK.md tells what to do.",
	tags: ["heliograph", "signalr"],
	schemaVersion: 38,
	version: 1,
	editable: true,
	graphTooltip: 1,
	refresh: "30s",
	time: { from: "now-1h", to: "now" },
	timezone: "browser",
	templating: { list: [
		{ name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {} },
		variable("cluster", "Cluster"), variable("namespace", "Namespace"), variable("instance", "Instance"),
	] },
	annotations: { list: [{
		name: "Alerts", enable: true, iconColor: "red", datasource: { type: "prometheus", uid: "$datasource" },
		expr: 'ALERTS{alertname=~"Heliograph.+",alertstate="firing"}', titleFormat: "{{alertname}}", textFormat: "{{instance}}", step: "60s",
	}] },
	links: [],
	panels: panels(),
};

process.stdout.write(`${JSON.stringify(dashboard, null, "\t")}\n`);
