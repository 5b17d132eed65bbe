/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the presence process, made in presence_start() and passed down. It hears
 * from gateways who connects (online.c) and from everyone that they live (process.c),
 * tells everyone who lives (topology.c) and people who is here (admin.c). No message of a
 * hub passes through it: the others go on without it.
 */
#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include "presence/admin.h"
#include "presence/conf.h"
#include "presence/metrics.h"
#include "presence/process.h"
#include "presence/store.h"
#include "presence/topology.h"
#include "proto/base/proc.h"
#include "proto/link/link.h"

struct presence {
	struct proc *proc;		  /* borrowed; NULL in tests */
	struct loop *loop;		  /* borrowed */
	const struct presence_conf *conf; /* borrowed from proc */
	struct presence_metrics metrics;
	int64_t started_ms;
	struct link *link;   /* owned */
	struct store *store; /* owned */
	struct processes processes;
	struct topology topology;
	struct admin *admin; /* owned */
};

extern const struct proc_ops presence_proc_ops;

/* The state behind a link's peer. */
struct presence *presence_of(const struct link_peer *peer);

#endif
