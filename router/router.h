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
#include "proto/link/link.h"
#include "proto/link/shards.h"
#include "router/ask.h"
#include "router/conf.h"
#include "router/conn.h"
#include "router/group.h"
#include "router/journal.h"
#include "router/metrics.h"
#include "router/rebuild.h"

struct hub_runtime;

/* One gateway as this shard knows it: made when it first comes up, freed when it is lost.
 */
struct router_gateway {
	struct group_gateway members; /* the memberships it brought */
	struct list node;	      /* in router->gateways */
	struct link_peer *peer;	      /* borrowed from the link */
	uint64_t incarnation;	      /* the peer's, when it came up */
	struct list conns;	      /* by conn.gateway_node */
	bool is_replayed;
};

struct router {
	struct proc *proc;		/* borrowed; NULL: a test's */
	struct loop *loop;		/* borrowed */
	const struct router_conf *conf; /* borrowed from proc */
	struct router_metrics metrics;
	struct link *link; /* owned */
	struct shards shards;
	size_t self;			/* our index in it */
	struct link_peer **shard_peers; /* owned array; as shards.items; NULL at self */
	struct link_peer *presence;	/* borrowed from the link; NULL: none */
	struct list gateways;
	struct group_table groups;
	struct map conns; /* by id */
	struct journal journal;
	struct asks asks;
	struct rebuild rebuild;
	struct hub_runtime *hubs; /* owned */
	struct health *health;	  /* owned */
	struct timer lease_timer;
	struct timer drain_timer;
};

extern const struct proc_ops router_proc_ops;

/*
 * The tables and the hubs: all of a router that needs no peer. `name` is ours in the list
 * of routers. Ends the program when the configuration is wrong.
 */
void router_init(struct router *router, struct loop *loop, const struct router_conf *conf,
		 const char *name);

/* Tells presence that we live, and goes on doing so. */
void router_lease(struct router *router);

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
