/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway counts. A field's name is its metric's without the prefix "gateway_";
 * metrics.c has the table. Counting is `gateway->metrics.invoke_total++`.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdint.h>

#include "gateway/auth_rc.h"
#include "gateway/conn.h"
#include "gateway/guard_reason.h"
#include "gateway/meter.h"
#include "proto/base/http_server.h"
#include "proto/base/metrics.h"
#include "proto/base/reload_stats.h"
#include "proto/link/link_stats.h"
#include "proto/link/replicas_stats.h"

struct gateway_metrics {
	struct http_stats http; /* of the client listener */
	struct link_stats link;
	struct reload_stats reload;

	/* edge */
	int64_t tls_not_after_seconds; /* Unix time; 0: no certificate */
	uint64_t tls_reload_failed_total;
	uint64_t negotiate_total;
	uint64_t negotiate_refused_total; /* answered with an error text */
	uint64_t negotiate_redirected_total;
	uint64_t auth_failed_total[AUTH_RC_COUNT]; /* bad token: 401, by reason */
	uint64_t auth_denied_total; /* the hub needs a token: 401, or a role: 403 */
	int64_t token_key_fingerprint, auth_key_fingerprint;
	uint64_t auth_reload_failed_total;  /* SIGHUP: the old keys stay */
	uint64_t id_unknown_total;	    /* connection token bad: 404 */
	uint64_t id_expired_total;	    /* connection token too old: 404 */
	uint64_t id_spent_total;	    /* its connection has ended: 404 */
	uint64_t id_taken_total;	    /* connection token in use here: 409 */
	uint64_t spent_forgotten_total;	    /* SPENT_MAX */
	uint64_t upgrade_refused_total;	    /* a WebSocket request that broke the rules */
	uint64_t connections_refused_total; /* connections_max, not ready: 503 */
	uint64_t memory_refused_total;	    /* 503 */
	uint64_t origin_refused_total;	    /* WebSocket or preflight: 403 */
	uint64_t origin_foreign_total;	    /* another request: without CORS headers */
	uint64_t rate_limited_total[GUARD_COUNT]; /* 429, by limit */
	uint64_t rate_paused_total;		  /* messages_ and bytes_per_second_max */
	uint64_t rate_forgotten_total;		  /* RATE_IDLE_MAX */
	int64_t memory_used_bytes;		  /* at the last check */
	int64_t memory_max_bytes;
	uint64_t dev_token_total;

	/* transports: WebSockets, event streams */
	uint64_t in_bytes_total; /* of all transports */
	uint64_t out_bytes_total;
	int64_t ws_sockets;		  /* the closing ones included */
	int64_t sse_sockets;		  /* those as well */
	uint64_t ws_malformed_total;	  /* closed with 1002, 1007 or 1008 */
	uint64_t write_blocked_total;	  /* the kernel's buffer was full */
	uint64_t send_timeout_total;	  /* ... for send_timeout: closed as slow */
	uint64_t ws_close_timeout_total;  /* no Close came back in close_timeout */
	uint64_t sse_close_timeout_total; /* nor the end of the client's side */

	/* long polling */
	int64_t queue_bytes;   /* of clients that do not take, or poll, what there is */
	int64_t lp_transports; /* the closed ones with a word left included */
	uint64_t poll_total, poll_timeout_total, poll_replaced_total;
	uint64_t poll_again_total; /* answered once more: the answer may have been lost */
	uint64_t lp_disconnect_total; /* no poll for disconnect_timeout */
	uint64_t post_total;
	uint64_t post_refused_total; /* INBOX_POSTS_MAX, ATTACH_POSTS_MAX, bytes: 503 */
	int64_t attach_posts;	     /* that wait for a connection to open */

	/* between gateways */
	int64_t claims;		 /* connections that the routers know to be here */
	int64_t forwards;	 /* requests that wait for another gateway */
	int64_t replies;	 /* those of other gateways that wait here */
	int64_t poll_kept_bytes; /* answered to them, until their clients poll on */
	int64_t tunnels;	 /* WebSockets of ours, of connections elsewhere */
	uint64_t forward_total;
	uint64_t forward_refused_total; /* forwards_max: 503 */
	uint64_t forward_again_total;
	uint64_t forward_timeout_total; /* forward_timeout: 503 */
	uint64_t forward_lost_total;	/* their router was lost */
	uint64_t forward_failed_total;	/* given up, for whatever reason */
	uint64_t forward_untold_total;	/* a client's leaving found no room on a link */
	uint64_t request_total;		/* from other gateways */
	uint64_t request_stale_total, response_late_total;
	uint64_t reply_refused_total; /* an answer found no room on its link */
	uint64_t reply_lost_total;    /* ... and had bytes: its connection ended */
	uint64_t tunnel_total;
	uint64_t tunnel_lost_total; /* their router or the other gateway was lost */
	uint64_t tunnel_slow_total; /* queue_bytes_max */

	/* connections */
	struct meter meter;	     /* as ASP.NET Core counts them */
	int64_t connections;	     /* open */
	int64_t connections_max;     /* the option */
	int64_t connections_waiting; /* closed, Disconnected not confirmed yet */
	uint64_t connections_total;  /* handshakes done */
	uint64_t handshake_failed_total;
	uint64_t handshake_timeout_total;
	uint64_t message_timeout_total;		/* a message without an end */
	uint64_t close_total[CONN_CLOSE_COUNT]; /* by reason */
	uint64_t messages_in_total;
	uint64_t messages_out_total; /* wrapped blobs given to transports */
	uint64_t pings_in_total, pings_out_total;

	/* drain */
	int64_t drain_begin_seconds; /* Unix time; 0: it does not drain */
	int64_t drain_end_seconds;
	uint64_t drain_evicted_total; /* told to come again, or to be handed over */
	uint64_t drain_cut_total;     /* open when the process ended: drain_timeout */
	int64_t handovers;	      /* connections on their way to another gateway */
	uint64_t handover_total;
	uint64_t handover_done_total;
	uint64_t handover_untaken_total; /* nobody took it: told to come again */
	uint64_t handover_failed_total;	 /* not to its end: told to come again */
	uint64_t handover_late_total, handover_full_total; /* full: ticks of a drain */
	struct histogram handover_seconds;
	int64_t arrivals; /* connections on their way from another gateway */
	uint64_t arrival_total;
	uint64_t arrival_refused_total;
	uint64_t arrival_done_total;
	uint64_t arrival_failed_total;
	uint64_t arriving_joins_refused_total; /* ARRIVING_JOINS_MAX */

	/* stateful reconnect */
	int64_t stateful_connections;
	uint64_t stateful_detached_total;   /* lost their transport */
	uint64_t stateful_attached_total;   /* ... and got another */
	uint64_t stateful_refused_total;    /* reattach_per_minute_max */
	uint64_t stateful_repeated_total;   /* messages that had been handled before */
	uint64_t stateful_acks_ahead_total; /* of what was not sent */

	/* invocations */
	int64_t invocations; /* in flight */
	uint64_t invoke_total;
	uint64_t invoke_refused_total;	/* link window full */
	uint64_t invoke_lost_total;	/* the router was lost: outcome unknown */
	uint64_t invoke_ended_total;	/* reshard_timeout: outcome unknown */
	uint64_t backlog_total;		/* clients not read: the router is behind */
	uint64_t backlog_overdue_total; /* ... for invoke_timeout */
	int64_t backlog;
	uint64_t invoke_paused_total; /* invocations_max: stopped reading the client */
	uint64_t invocation_id_refused_total; /* invocation_id_bytes_max */
	uint64_t streams_refused_total;	      /* streams_max, or an id in use */
	uint64_t streams_paused_total;	      /* stream_pause_bytes: the client is slow */
	uint64_t cancel_total;
	uint64_t push_total;
	int64_t uploads; /* streams that clients send now */
	uint64_t upload_items_total;
	uint64_t upload_late_total;    /* items of streams that are over */
	uint64_t upload_refused_total; /* link window full: closed as busy */
	uint64_t complete_total;
	uint64_t complete_unknown_total; /* for a call that is not in flight any more */
	struct histogram invoke_seconds; /* Invoke to Complete */

	/* groups and delivery */
	int64_t memberships;
	uint64_t join_total;
	uint64_t leave_total;
	uint64_t join_unknown_total;	   /* no such connection */
	uint64_t groups_refused_total;	   /* groups_per_connection_max */
	uint64_t group_name_refused_total; /* group_name_bytes_max */
	uint64_t deliver_total;
	uint64_t deliveries_total;
	uint64_t deliver_empty_total; /* nobody here */
	int64_t sweeps;	      /* groups, users and hubs that are being served in slices */
	int64_t sweep_bytes;  /* of what is kept for them */
	uint64_t sweep_total; /* messages kept for slices */
	uint64_t sweep_slices_total;
	uint64_t sweep_catch_up_total; /* connections served ahead of their slice */
	uint64_t sweep_refused_total;  /* sweep_messages_max, sweep_bytes_max */
	uint64_t transcode_total;      /* messages brought into another protocol */
	uint64_t transcode_failed_total;
	uint64_t abort_total;
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	/* routers and presence */
	int64_t shards_epoch;
	int64_t shards_phase;
	uint64_t shards_malformed_total;
	uint64_t shards_jumped_total;	/* missed something: started over with all */
	uint64_t conns_moved_total;	/* to another router */
	uint64_t released_late_total;	/* by a router that was not waited for */
	uint64_t release_timeout_total; /* reshard_timeout: moved without the answer */
	uint64_t deliver_fenced_total;	/* from a router that owns the key no more */
	uint64_t replay_total;
	uint64_t replay_refused_total; /* a message was too long */
	struct replicas_stats presence;
	int64_t opened_waiting; /* Opened, but for a replay's, that none has handled yet
				 */
	uint64_t command_total;
	uint64_t command_refused_total; /* the answer found no room */
};

extern const struct metrics_table gateway_metrics_table;

#endif
