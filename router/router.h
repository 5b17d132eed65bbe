/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a router process, made in router_start() and passed down. A router is two
 * things: the owner of the connections whose id hashes to it, for which it runs hubs
 * (conn.c, hub*.c), and the owner of the groups and users whose key does (shard.c).
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "proto/base/health.h"
#include "proto/base/proc.h"
#include "proto/base/redis_secrets.h"
#include "proto/link/link.h"
#include "proto/link/replicas.h"
#include "router/ask.h"
#include "router/backlog.h"
#include "router/claim.h"
#include "router/command.h"
#include "router/conf.h"
#include "router/conn.h"
#include "router/group.h"
#include "router/metrics.h"
#include "router/pass.h"
#include "router/rebuild.h"
#include "router/reshard.h"
#include "router/shard_links.h"
#include "router/state/state_change.h"
#include "router/state/state_owner.h"
#include "router/watch.h"

struct hub_redis;
struct hub_runtime;
struct state_redis;

/* One gateway as this shard knows it: made when it first comes up, freed when it is lost.
 */
struct router_gateway {
	struct group_gateway members; /* the memberships it brought */
	struct list node;	      /* in router->gateways */
	struct link_peer *peer;	      /* borrowed from the link */
	uint64_t incarnation;	      /* the peer's, when it came up */
	struct list conns;	      /* by conn.gateway_node */
	struct list claims;	      /* claim.c: what it holds */
	struct list asked, passed;    /* pass.c: what it waits for, has to answer */
	struct list leaving;	      /* handover.c: what goes over from it */
	struct list arriving;	      /* ... and what comes to it */
	struct loop_flush away;	      /* handover.c: its link broke in this turn */
	bool is_leaving;	      /* it takes nothing over */
	int64_t away_since_ms;	      /* its link is down; 0: it is up */
	bool is_kept;		      /* on_peer.c: for long, but may not be dead */
	bool is_replayed;
	bool was_passed_over;	    /* rebuild.c: before the first map */
	struct reshard_fence fence; /* reshard.c */
};

struct router {
	struct proc *proc;		/* borrowed; NULL: a test's */
	struct loop *loop;		/* borrowed */
	const struct router_conf *conf; /* borrowed from proc */
	struct router_metrics metrics;
	struct link *link; /* owned */
	struct shard_links shards;
	struct reshard reshard;
	struct replicas presence;
	struct watch watch;
	struct list gateways;
	struct group_table groups;
	struct map conns, going; /* by id; these end, and nobody has their id */
	struct claims claims;
	struct passes passes;
	struct state_owner state;
	struct state_move state_move;
	struct state_waits waits;
	struct asks asks;
	struct commands commands;
	struct rebuild rebuild;
	uint64_t lost; /* on_peer.c: who starts over with us; 0: nobody */
	struct backlog backlog;
	struct hub_runtime *hubs;  /* owned */
	struct state_redis *redis; /* owned, as is the next; NULL: state is in memory */
	struct hub_redis *hub_redis;
	struct redis_secrets redis_secrets; /* owned */
	struct health *health;		    /* owned */
	struct timer drain_timer;
};

extern const struct proc_ops router_proc_ops;

/*
 * The tables and the hubs: all of a router that needs no peer. `name` is ours. Ends the
 * program when the configuration is wrong.
 */
void router_init(struct router *router, struct loop *loop, const struct router_conf *conf,
		 const char *name);

/* Begins to connect to Redis, if there is to be one. After the hubs are known. */
void router_open_redis(struct router *router);

/* Reads its passwords again; what will not do stays as it was: false. */
bool router_reload_redis(struct router *router);

/* Brings the gauges that follow from the tables up to date. */
void router_count(struct router *router);

struct slice router_name(const struct router *router);

/* The state behind a link's peer. */
struct router *router_of(const struct link_peer *peer);

/*
 * A Complete or Abort did not fit on the gateway's link, and what it stands for cannot be
 * left out: both sides start over, which ends every call under way with an error and has
 * the gateway replay its connections.
 */
void router_resync(struct router_gateway *gateway);

/* NULL for a peer that is not a gateway or is not known yet. */
struct router_gateway *router_gateway_of(const struct link_peer *peer);

#endif
