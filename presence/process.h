/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateways and routers that presence knows. One is made when an incarnation first
 * comes up and freed when that is lost: it came back as another, or its lease ran out.
 * Then its link is reset as well, so that it tells everything again should it still live.
 */
#ifndef PRESENCE_PROCESS_H
#define PRESENCE_PROCESS_H

#include "presence/follower.h"
#include "presence/home.h"
#include "presence/lease.h"
#include "presence/report.h"
#include "presence/resharding.h"
#include "presence/session.h"
#include "proto/base/timer.h"
#include "proto/link/link.h"

struct presence;

struct process {
	struct lease lease;
	struct link_peer *peer;	       /* borrowed from the link; its owner is this */
	uint64_t topology_told;	       /* the version it was sent */
	struct report report;	       /* what it says of itself */
	struct resharding_said shards; /* what it says of shards */
	struct home home;	       /* of a gateway */
	struct follower *follower;     /* owned; of a router that watches, or NULL */
	bool is_leaving;	       /* it has said that this lease is its last */
};

struct processes {
	struct presence *presence; /* borrowed */
	struct leases leases;
	struct timer timer;
	int64_t due_ms;	     /* of the timer */
	bool is_second_look; /* somebody is overdue: what waits to be read counts */
};

void processes_init(struct processes *processes, struct presence *presence);

/* Frees them all; the store is left as it is. */
void processes_fini(struct processes *processes);

/* NULL for a peer that was lost. */
struct process *process_of(const struct link_peer *peer);

/* A new incarnation is up: it has a lease of our own length until it says another. */
void process_new(struct processes *processes, struct link_peer *peer);

/* It is gone, and what it told. Frees it. */
void process_lost(struct processes *processes, struct process *process);

/* It was heard: `lease` or, NULL, otherwise. */
void process_renew(struct processes *processes, struct process *process,
		   const Link__Lease *lease);

/* It says how it is. */
void process_report(struct processes *processes, struct process *process,
		    const Link__Report *said);

struct session_gateway_id process_gateway_id(const struct process *process);

#endif
