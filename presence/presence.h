/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the presence process, made in presence_start() and passed down. It hears
 * from gateways who connects (home.c, online.c) and from everyone that they live
 * (process.c), tells everyone who lives (topology.c) and people who is here (admin.c),
 * for whom it asks gateways and routers (command.c). No message of a hub passes through
 * it: the others go on without it.
 */
#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include "presence/admin.h"
#include "presence/command.h"
#include "presence/conf.h"
#include "presence/feed.h"
#include "presence/metrics.h"
#include "presence/process.h"
#include "presence/resharding.h"
#include "presence/shares.h"
#include "presence/store.h"
#include "presence/topology.h"
#include "presence/trend.h"
#include "presence/upkeep.h"
#include "proto/base/proc.h"
#include "proto/base/redis_secrets.h"
#include "proto/link/link.h"

struct presence {
	struct proc *proc;		  /* borrowed; NULL in tests */
	struct loop *loop;		  /* borrowed */
	const struct presence_conf *conf; /* borrowed from proc */
	struct presence_metrics metrics;
	int64_t started_ms;
	struct link *link;		    /* owned */
	struct store *store;		    /* owned */
	struct redis_secrets redis_secrets; /* owned */
	struct processes processes;
	struct homes homes;
	struct upkeep upkeep;
	struct feed feed;
	struct topology topology;
	struct commands commands;
	struct shares shares;
	struct trend trend;
	struct resharding resharding;
	struct admin *admin; /* owned */
};

extern const struct proc_ops presence_proc_ops;

/* It has run long enough to know every process, and the store every connection. */
static inline bool presence_is_settled(const struct presence *presence)
{
	return presence->topology.is_settled && presence->upkeep.is_settled;
}

/* The state behind a link's peer. */
struct presence *presence_of(const struct link_peer *peer);

#endif
