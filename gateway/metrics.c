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

/* Named and described as OpenTelemetry's semantic conventions have them. */
#define ACTIVE_ROW(kind, transport)                                                      \
	{ "signalr_server_active_connections", METRIC_GAUGE,                             \
	  offsetof(struct gateway_metrics,                                               \
		   meter.active[LINK__TRANSPORT__TRANSPORT_##kind]),                     \
	  "signalr_transport=\"" transport "\"",                                         \
	  "Number of connections that are currently active on the server." },
#define DURATION_ROW(kind, transport, status, name)                                      \
	{ "signalr_server_connection_duration_seconds", METRIC_LIFETIMES,                \
	  offsetof(struct gateway_metrics,                                               \
		   meter.durations[status][LINK__TRANSPORT__TRANSPORT_##kind]),          \
	  "signalr_connection_status=\"" name "\",signalr_transport=\"" transport "\"",  \
	  "The duration of connections on the server." },
#define DURATION_ROWS(status, name)                                                      \
	DURATION_ROW(WEB_SOCKETS, "web_sockets", status, name)                           \
	DURATION_ROW(SERVER_SENT_EVENTS, "server_sent_events", status, name)             \
	DURATION_ROW(LONG_POLLING, "long_polling", status, name)

static const struct metric rows[] = {
	ACTIVE_ROW(WEB_SOCKETS, "web_sockets") ACTIVE_ROW(SERVER_SENT_EVENTS,
							  "server_sent_events")
		ACTIVE_ROW(LONG_POLLING, "long_polling") METER_STATUS_LIST(DURATION_ROWS)

			HTTP_COUNTER(accepted_total, "Sockets accepted."),
	HTTP_COUNTER(refused_total, "Sockets closed at once: too many."),
	HTTP_COUNTER(accept_failed_total,
		     "Accepting paused: out of descriptors or memory."),
	HTTP_COUNTER(requests_total, "HTTP requests."),
	HTTP_COUNTER(malformed_total, "HTTP requests refused by the parser."),
	HTTP_COUNTER(timeouts_total, "HTTP requests given up: too slow."),
	HTTP_COUNTER(tls_handshakes_total, "TLS handshakes."),
	HTTP_COUNTER(tls_failed_total, "TLS handshakes that came to no end."),
	{ "gateway_http_open", METRIC_GAUGE, offsetof(struct gateway_metrics, http.open),
	  NULL, "HTTP sockets open now." },

	GAUGE(tls_not_after_seconds, "Unix time at which the certificate ends; 0: none."),
	COUNTER(tls_reload_failed_total, "Certificates that would not do at SIGHUP."),

	COUNTER(negotiate_total, "Negotiations."),
	COUNTER(negotiate_refused_total, "Negotiations answered with an error."),
	COUNTER(negotiate_redirected_total, "Negotiations sent to redirect_url."),
#define AUTH_ROW(rc, text)                                                               \
	{ "gateway_auth_failed_total", METRIC_COUNTER,                                   \
	  offsetof(struct gateway_metrics, auth_failed_total) + (rc) * sizeof(uint64_t), \
	  "reason=\"" text "\"",                                                         \
	  "Requests with a bad token, by what is wrong with it." },
	AUTH_FAILURE_LIST(AUTH_ROW)
#undef AUTH_ROW
		GAUGE(token_key_fingerprint,
		      "Tells token_key_file apart from what it was before; 0: none."),
	GAUGE(auth_key_fingerprint,
	      "Tells the secrets in auth_key_file apart from what they were before; 0: "
	      "none."),
	COUNTER(auth_reload_failed_total, "Times that new keys could not be read."),
	COUNTER(auth_denied_total, "Requests without the token or role a hub needs."),
	COUNTER(id_unknown_total, "Connection tokens that are none of ours."),
	COUNTER(id_expired_total, "Connection tokens used after disconnect_timeout."),
	COUNTER(id_spent_total, "Connection tokens whose connection has ended."),
	COUNTER(id_taken_total, "Connection tokens that are in use already."),
	COUNTER(spent_forgotten_total,
		"Fresh ids that open no connection, forgotten early: too many."),
	COUNTER(upgrade_refused_total, "WebSocket openings that break the rules."),
	COUNTER(connections_refused_total,
		"Clients refused over connections_max, while draining or not yet ready."),
	COUNTER(memory_refused_total, "Clients refused because memory is short."),
	COUNTER(origin_refused_total, "Requests of pages of foreign origins refused."),
	COUNTER(origin_foreign_total, "Requests of them whose answers they cannot read."),
#define GUARD_ROW(reason, text)                                                          \
	{ "gateway_rate_limited_total", METRIC_COUNTER,                                  \
	  offsetof(struct gateway_metrics, rate_limited_total) +                         \
		  (reason) * sizeof(uint64_t),                                           \
	  "reason=\"" text "\"", "Requests answered 429, by the limit they are over." },
	GUARD_LIST(GUARD_ROW)
#undef GUARD_ROW
		GAUGE(memory_used_bytes, "Memory allocated."),
	GAUGE(memory_max_bytes, "The memory budget."),
	COUNTER(rate_paused_total,
		"Times a client was not read: it sends faster than it may."),
	COUNTER(rate_forgotten_total, "Users and addresses forgotten early: too many."),
	COUNTER(dev_token_total, "Tokens made in dev mode."),

	GAUGE(ws_sockets, "WebSockets now, closing ones included."),
	GAUGE(sse_sockets, "Event streams now, closing ones included."),
	COUNTER(ws_malformed_total, "WebSockets failed for what came on them."),
	COUNTER(write_blocked_total, "Writes that the kernel did not take whole."),
	COUNTER(send_timeout_total, "WebSockets and event streams over send_timeout."),
	COUNTER(ws_close_timeout_total, "WebSockets aborted over close_timeout."),
	COUNTER(sse_close_timeout_total, "Event streams aborted over close_timeout."),

	GAUGE(claims, "Connections that the routers know to be held here."),
	GAUGE(forwards, "Requests that wait for another gateway's answer."),
	GAUGE(replies, "Requests of other gateways that wait here."),
	GAUGE(poll_kept_bytes,
	      "Answers to polls of other gateways, until the next polls."),
	GAUGE(tunnels, "WebSockets of connections that another gateway holds."),
	COUNTER(forward_total, "Requests about connections that are not held here."),
	COUNTER(forward_refused_total, "Those refused because of forwards_max."),
	COUNTER(forward_again_total, "Times that such a request was put off."),
	COUNTER(forward_timeout_total, "Those without an answer in forward_timeout."),
	COUNTER(forward_lost_total, "Times that the router of one was lost."),
	COUNTER(forward_failed_total, "Those given up after they were begun."),
	COUNTER(forward_untold_total,
		"Clients that left when the link had no room to say so."),
	COUNTER(request_total, "Requests that other gateways passed on."),
	COUNTER(request_stale_total,
		"Those refused because they were too long on their way."),
	COUNTER(response_late_total, "Answers that nobody waited for any more."),
	COUNTER(reply_refused_total, "Answers to other gateways that found no room."),
	COUNTER(reply_lost_total,
		"Connections ended because a poll's answer had no room."),
	COUNTER(tunnel_total, "Tunnels that began here."),
	COUNTER(tunnel_lost_total,
		"Tunnels ended because a router or the other gateway was lost."),
	COUNTER(tunnel_slow_total, "Tunnels ended because of queue_bytes_max."),
	GAUGE(queue_bytes, "Bytes that wait for clients which do not take them."),
	GAUGE(lp_transports, "Long polling clients, ended ones included."),
	COUNTER(poll_total, "Long polls."),
	COUNTER(poll_timeout_total, "Long polls answered empty after poll_timeout."),
	COUNTER(poll_replaced_total, "Long polls that a newer one ended."),
	COUNTER(poll_again_total, "Long polls whose lost answers were given again."),
	COUNTER(lp_disconnect_total, "Long polling clients that polled no more."),
	COUNTER(post_total, "POSTs with bytes for a connection."),
	COUNTER(post_refused_total, "POSTs refused: too much waits."),
	GAUGE(attach_posts, "POSTs that wait for their connection to open."),

	{ "gateway_in_bytes_total", METRIC_COUNTER,
	  offsetof(struct gateway_metrics, in_bytes_total), NULL,
	  "Bytes from clients: WebSockets and POSTs." },
	{ "gateway_out_bytes_total", METRIC_COUNTER,
	  offsetof(struct gateway_metrics, out_bytes_total), NULL,
	  "Bytes to clients: WebSockets, event streams and polls." },

	GAUGE(connections, "Open connections."),
	GAUGE(connections_max, "As many are let in: the option."),
	GAUGE(connections_waiting, "Closed connections whose router does not know yet."),
	COUNTER(connections_total, "Connections that finished the handshake."),
	COUNTER(handshake_failed_total, "Handshakes refused."),
	COUNTER(message_timeout_total, "Connections closed over message_timeout."),
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

	GAUGE(drain_begin_seconds, "Unix time at which the drain began; 0: none has."),
	GAUGE(drain_end_seconds, "Unix time at which what is left then is cut; 0: none."),
	COUNTER(drain_evicted_total, "Clients that a drain has sent elsewhere."),
	COUNTER(drain_cut_total, "Clients still here when a drain's time was over."),
	GAUGE(handovers, "Connections that another gateway is about to take over."),
	COUNTER(handover_total, "Connections offered to other gateways by a drain."),
	COUNTER(handover_done_total, "Those that another gateway has taken over."),
	COUNTER(handover_untaken_total, "Those that nobody took."),
	COUNTER(handover_failed_total,
		"Those that failed half-way: told to connect anew."),
	COUNTER(handover_late_total, "Answers about those that came too late."),
	COUNTER(handover_full_total,
		"Ticks of a drain at which as many were under way as may be at a time."),
	GAUGE(arrivals, "Connections that are being taken over from other gateways."),
	COUNTER(arrival_total, "Connections that other gateways offered."),
	COUNTER(arrival_refused_total, "Those that were refused."),
	COUNTER(arrival_done_total, "Those that were taken over."),
	COUNTER(arrival_failed_total, "Those that failed half-way."),
	COUNTER(arriving_joins_refused_total,
		"Joins refused because too many waited for a connection to arrive."),
	GAUGE(stateful_connections, "Connections with stateful reconnect."),
	COUNTER(stateful_detached_total, "Transports lost by them."),
	COUNTER(stateful_attached_total, "Transports they went on with."),
	COUNTER(stateful_refused_total,
		"New transports refused over reattach_per_minute_max."),
	COUNTER(stateful_repeated_total, "Messages that clients said again."),
	COUNTER(stateful_acks_ahead_total, "Acks of what was never sent, ignored."),

	GAUGE(invocations, "Invocations in flight."),
	COUNTER(invoke_total, "Invocations sent to routers."),
	COUNTER(invoke_refused_total, "Invocations refused: the link's window is full."),
	COUNTER(invoke_lost_total, "Invocations whose router was lost."),
	COUNTER(backlog_total,
		"Times a client was not read: too much waited for its router."),
	COUNTER(backlog_overdue_total,
		"Times that a router made no room for invoke_timeout."),
	GAUGE(backlog, "Clients that are not read because of their router."),
	COUNTER(invoke_ended_total,
		"Invocations ended because another router took over."),
	COUNTER(invoke_paused_total, "Times a client was not read: invocations_max."),
	COUNTER(invocation_id_refused_total,
		"Ids of invocations and streams over their limit."),
	COUNTER(streams_refused_total,
		"Invocations refused: streams_max, or a stream id in use."),
	COUNTER(streams_paused_total, "Times that streams waited for a slow client."),
	COUNTER(cancel_total, "Streams that clients wanted no more of."),
	COUNTER(push_total, "Stream items and client calls from routers."),
	GAUGE(uploads, "Streams that clients send now."),
	COUNTER(upload_items_total, "Items of streams that clients sent."),
	COUNTER(upload_late_total, "Items of client streams that were over."),
	COUNTER(upload_refused_total, "Connections closed: the link's window is full."),
	COUNTER(complete_total, "Completions from routers."),
	COUNTER(complete_unknown_total, "Completions of calls that are gone."),
	{ "gateway_handover_seconds", METRIC_HISTOGRAM,
	  offsetof(struct gateway_metrics, handover_seconds), NULL,
	  "From a drain's offer of a connection to its end here." },
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
	GAUGE(sweeps, "Groups, users and hubs that are being served in slices."),
	GAUGE(sweep_bytes, "Memory of the messages kept for them."),
	COUNTER(sweep_total, "Deliver messages that are served in slices."),
	COUNTER(sweep_slices_total, "Turns with a slice of such messages."),
	COUNTER(sweep_catch_up_total, "Connections served ahead of their slice."),
	COUNTER(sweep_refused_total,
		"Messages to many sent in one turn: too much was kept."),
	COUNTER(transcode_total, "Messages brought into another hub protocol."),
	COUNTER(transcode_failed_total, "Messages that no other hub protocol can say."),
	COUNTER(abort_total, "Connections aborted by routers."),
	COUNTER(envelope_unknown_total, "Messages a peer may not send us."),

	GAUGE(shards_epoch, "Of the map of shards that this one goes by."),
	GAUGE(shards_phase, "Of that map: 1 prepare, 2 commit, 3 stable."),
	COUNTER(shards_malformed_total, "Maps of shards that make no sense."),
	COUNTER(shards_jumped_total,
		"Times that a phase was missed: all was told again."),
	COUNTER(conns_moved_total, "Connections that moved to another router."),
	COUNTER(released_late_total,
		"Connections let go of by a router that was not waited for."),
	COUNTER(release_timeout_total,
		"Connections that moved because of reshard_timeout."),
	COUNTER(deliver_fenced_total,
		"Messages refused from routers that own their keys no more."),
	COUNTER(replay_total, "Replays of our state to a new router or presence."),
	COUNTER(replay_refused_total, "Replays with a message too long."),
	COUNTER(command_total, "Commands from presence."),
	COUNTER(command_refused_total, "Answers to them that found no room."),
	GAUGE(opened_waiting, "New connections that presence has not confirmed yet."),
	REPLICAS_METRICS(struct gateway_metrics, presence, "gateway_"),

	LINK_METRICS(struct gateway_metrics, link, "gateway_"),
	RELOAD_METRICS(struct gateway_metrics, reload, "gateway_"),
};

const struct metrics_table gateway_metrics_table = {
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};
