/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table that gives the gateway's counters their names on /metrics.
 */
#include "gateway/metrics.h"

#define COUNTER(name, help)                                                              \
	{                                                                                \
		"gateway_" #name, METRIC_COUNTER,                                        \
			offsetof(struct gateway_metrics, name), NULL, help               \
	}
#define GAUGE(name, help)                                                                \
	{                                                                                \
		"gateway_" #name, METRIC_GAUGE, offsetof(struct gateway_metrics, name),  \
			NULL, help                                                       \
	}
#define HTTP_COUNTER(name, help)                                                         \
	{                                                                                \
		"gateway_http_" #name, METRIC_COUNTER,                                   \
			offsetof(struct gateway_metrics, http.name), NULL, help          \
	}

static const struct metric rows[] = {
	HTTP_COUNTER(accepted_total, "Sockets accepted."),
	HTTP_COUNTER(refused_total, "Sockets closed at once: too many."),
	HTTP_COUNTER(accept_failed_total,
		     "Accepting paused: out of descriptors or memory."),
	HTTP_COUNTER(requests_total, "HTTP requests."),
	HTTP_COUNTER(malformed_total, "HTTP requests refused by the parser."),
	HTTP_COUNTER(timeouts_total, "HTTP requests given up: too slow."),
	{ "gateway_http_open", METRIC_GAUGE, offsetof(struct gateway_metrics, http.open),
	  NULL, "HTTP sockets open now." },

	COUNTER(negotiate_total, "Negotiations."),
	COUNTER(negotiate_refused_total, "Negotiations answered with an error."),
	COUNTER(auth_failed_total, "Requests with a bad token."),
	COUNTER(id_unknown_total, "Connection tokens that are none of ours."),
	COUNTER(id_expired_total, "Connection tokens used after disconnect_timeout."),
	COUNTER(id_taken_total, "Connection tokens that are in use already."),
	COUNTER(upgrade_refused_total, "WebSocket openings that break the rules."),
	COUNTER(connections_refused_total, "Clients refused over connections_max."),
	COUNTER(dev_token_total, "Tokens made in dev mode."),

	GAUGE(ws_sockets, "WebSockets now, closing ones included."),
	COUNTER(ws_malformed_total, "WebSockets failed for what came on them."),
	COUNTER(ws_write_blocked_total, "Writes that the kernel did not take whole."),
	COUNTER(ws_send_timeout_total, "WebSockets closed over send_timeout."),
	COUNTER(ws_close_timeout_total, "WebSockets aborted over close_timeout."),
	{ "gateway_in_bytes_total", METRIC_COUNTER,
	  offsetof(struct gateway_metrics, in_bytes_total), NULL,
	  "Bytes from WebSockets." },
	{ "gateway_out_bytes_total", METRIC_COUNTER,
	  offsetof(struct gateway_metrics, out_bytes_total), NULL,
	  "Bytes to WebSockets." },

	GAUGE(connections, "Open connections."),
	GAUGE(connections_waiting, "Closed connections whose router does not know yet."),
	COUNTER(connections_total, "Connections that finished the handshake."),
	COUNTER(handshake_failed_total, "Handshakes refused."),
	COUNTER(handshake_timeout_total, "Handshakes that did not come."),
#define CLOSE_ROW(reason, text, error, reconnect, hub_close, failed)                     \
	{ "gateway_close_total", METRIC_COUNTER,                                         \
	  offsetof(struct gateway_metrics, close_total) + (reason) * sizeof(uint64_t),   \
	  "reason=\"" text "\"", "Connections closed, by reason." },
	CONN_CLOSE_LIST(CLOSE_ROW)
#undef CLOSE_ROW
		COUNTER(messages_in_total, "Hub messages from clients."),
	COUNTER(messages_out_total, "Transport messages to clients."),
	COUNTER(pings_in_total, "Hub pings from clients."),
	COUNTER(pings_out_total, "Hub pings to clients."),

	GAUGE(invocations, "Invocations in flight."),
	COUNTER(invoke_total, "Invocations sent to routers."),
	COUNTER(invoke_refused_total, "Invocations refused: the link's window is full."),
	COUNTER(invoke_lost_total, "Invocations whose router was lost."),
	COUNTER(invoke_paused_total, "Times a client was not read: invocations_max."),
	COUNTER(invocation_id_refused_total, "Invocation ids over their limit."),
	COUNTER(complete_total, "Completions from routers."),
	COUNTER(complete_unknown_total, "Completions of calls that are gone."),
	{ "gateway_invoke_seconds", METRIC_HISTOGRAM,
	  offsetof(struct gateway_metrics, invoke_seconds), NULL,
	  "From an invocation to its completion." },

	GAUGE(memberships, "Memberships in groups and users."),
	COUNTER(join_total, "Group joins."),
	COUNTER(leave_total, "Group leaves."),
	COUNTER(join_unknown_total, "Joins of connections that are not here."),
	COUNTER(groups_refused_total, "Joins over groups_per_connection_max."),
	COUNTER(group_name_refused_total, "Joins over group_name_bytes_max."),
	COUNTER(deliver_total, "Deliver messages from routers."),
	COUNTER(deliveries_total, "Messages queued for a client by them."),
	COUNTER(deliver_empty_total, "Deliver messages with nobody here."),
	COUNTER(abort_total, "Connections aborted by routers."),
	COUNTER(envelope_unknown_total, "Messages a peer may not send us."),

	COUNTER(replay_total, "Replays of our state to a new router or presence."),
	COUNTER(replay_refused_total, "Replays with a message too long."),
	COUNTER(lease_refused_total, "Leases the link's window refused."),

	LINK_METRICS(struct gateway_metrics, link, "gateway_"),
};

const struct metrics_table gateway_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
