/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the router counts. A field's name is its metric's without the prefix "router_";
 * metrics.c has the table.
 */
#ifndef ROUTER_METRICS_H
#define ROUTER_METRICS_H

#include <stdint.h>

#include "proto/base/metrics.h"
#include "proto/base/redis_stats.h"
#include "proto/base/reload_stats.h"
#include "proto/link/link_stats.h"
#include "proto/link/replicas_stats.h"

struct router_metrics {
	struct link_stats link;
	struct reload_stats reload;

	int64_t connections;
	int64_t gateways;
	int64_t missing_gateways; /* rebuild.c */
	int64_t kept_gateways;	  /* on_peer.c */
	uint64_t gateway_resync_total;
	uint64_t connected_total;
	uint64_t resumed_total;
	uint64_t disconnected_total;
	int64_t standbys;
	uint64_t activated_total;
	uint64_t released_total;
	uint64_t inherited_total;
	uint64_t inherit_untold_total; /* the link to the next owner was full */
	uint64_t inherit_late_total;   /* their gateway is lost already */
	int64_t claims;
	int64_t passes;
	uint64_t request_total;
	uint64_t request_claimed_total;
	uint64_t request_passed_total;
	uint64_t request_unknown_total; /* about a connection that nobody holds */
	uint64_t request_stale_total;	/* too long on its way */
	uint64_t claim_refused_total;	/* claims_max */
	uint64_t pass_refused_total;	/* passes_max, or the holder's link is full */
	uint64_t response_late_total;	/* nobody waits for it any more */
	uint64_t tunnel_total;
	uint64_t tunnel_bytes_total;
	uint64_t tunnel_late_total;	 /* of a tunnel that is not there any more */
	uint64_t handover_total;	 /* connections that a gateway wants taken over */
	uint64_t handover_refused_total; /* nobody could be asked */
	uint64_t handover_done_total;
	uint64_t handover_late_total;	 /* words about one that is over */
	uint64_t handover_members_total; /* memberships moved */
	uint64_t envelope_unknown_total; /* from a peer that may not send it */

	int64_t backlog;
	uint64_t backlog_total;
	uint64_t backlog_refused_total;
	uint64_t backlog_overdue_total;

	/* hubs */
	int64_t calls;
	uint64_t invoke_total;
	uint64_t invoke_failed_total;
	uint64_t invoke_unknown_total; /* no such method */
	uint64_t invoke_unbound_total; /* wrong arguments */
	uint64_t invoke_refused_total; /* connection_calls_max, or a connection we do not
					  have */
	uint64_t invoke_unauthorized_total; /* without the method's roles */
	uint64_t item_total;		    /* of streams to clients */
	uint64_t stream_refused_total;	    /* too many of one client */
	uint64_t upload_item_total;	    /* of streams from clients */
	uint64_t upload_refused_total;	    /* streams of which too much came through */
	uint64_t question_total;	    /* put to clients */
	uint64_t question_refused_total;    /* too many wait for the client */
	uint64_t answer_foreign_total;	    /* by a client that was not asked */
	uint64_t hub_busy_total;	    /* hub_calls_max were under way */
	uint64_t hub_slow_total;
	uint64_t hub_misuse_total; /* of the hub API, by a hub */
	struct metric_counters hub_counted;
	int64_t items_bytes;
	uint64_t items_refused_total; /* connection_items_bytes_max */
	struct histogram invoke_seconds;
	uint64_t ask_timeout_total;

	/* groups */
	int64_t members;
	int64_t groups;
	uint64_t member_total;
	uint64_t send_total;
	uint64_t send_empty_total; /* no members */
	uint64_t send_failed_total;
	int64_t shards_epoch;
	int64_t shards_phase;
	uint64_t shards_jumped_total;
	uint64_t shards_malformed_total;
	uint64_t shards_held_total;
	uint64_t shards_hold_refused_total; /* shards_hold_bytes_max */
	uint64_t shards_moved_total;
	uint64_t shards_dropped_groups_total;
	uint64_t shards_dropped_conns_total;
	uint64_t shards_dropped_claims_total;
	uint64_t state_moved_total;
	uint64_t state_late_total;
	uint64_t send_refused_total; /* HUB_TO_MAX, HUB_EXCLUDED_MAX */
	uint64_t deliver_total;
	uint64_t list_members_total;
	uint64_t join_total;

	/* the admin API's commands */
	int64_t commands;
	uint64_t command_total;
	uint64_t command_failed_total;
	uint64_t command_refused_total; /* too many at once */

	/* rebuild */
	int64_t rebuilding;
	uint64_t rebuild_held_total;
	uint64_t rebuild_refused_total; /* rebuild_bytes_max */
	uint64_t rebuild_timeout_total; /* went on without a gateway that was expected */

	/* the state of hubs */
	int64_t state_keys;
	int64_t state_bytes;
	uint64_t state_change_total;
	uint64_t state_read_total;
	uint64_t state_conflict_total; /* something else was there than expected */
	uint64_t state_failed_total;
	uint64_t state_evicted_total; /* state_keys_max, state_bytes_max */
	uint64_t state_expired_total;
	int64_t state_waits;
	uint64_t state_wait_refused_total; /* state_waits_max */
	struct redis_stats redis;
	struct replicas_stats presence;

	/* users that come and go */
	uint64_t watch_total;
	uint64_t user_change_total;
	uint64_t user_change_repeated_total;
	uint64_t user_reset_total;
	uint64_t user_call_total;
	uint64_t user_call_failed_total;
	uint64_t user_call_refused_total; /* user_calls_max */
};

extern const struct metrics_table router_metrics_table;

#endif
