/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replicas of presence as a gateway or a router sees them: a link to each, which
 * hears every third of a lease that this process lives, and once a second what it counts,
 * for people to see; and one of them that is its home (home.h) and hears, or tells, more.
 * Any of them may be away; nothing waits for them.
 */
#ifndef PROTO_LINK_REPLICAS_H
#define PROTO_LINK_REPLICAS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/timer.h"
#include "proto/link/home_choice.h"
#include "proto/link/link.h"
#include "proto/link/replicas_stats.h"
#include "proto/link/shards.h"

#define REPLICAS_REPORT_MS 1000

/* A presence for which so much waits is not sent reports: they are the least it needs. */
#define REPLICAS_REPORT_BYTES_MAX ((size_t)256 * 1024)

struct replicas_ops {
	/* What of a Lease is this process's own. */
	void (*fill_lease)(void *owner, Link__Lease *lease);

	/* What of a Report is not the same for everybody; it may point into the arena. */
	void (*fill_report)(void *owner, Link__Report *report, struct arena *arena);

	/* `home` is another one than before, or has forgotten: it has had a Lease and is
	 * told all that is a home's to know, which may exceed the window. */
	void (*tell_home)(void *owner, struct link_peer *home);
};

struct replicas {
	struct loop *loop; /* borrowed */
	struct link *link; /* borrowed */
	struct shards list;
	struct link_peer **peers; /* owned array, borrowed from the link; as list.items */
	struct home_choice choice;
	int64_t lease_ms;
	int64_t started_unix_ms;
	bool is_leaving;
	struct timer lease_timer;
	struct timer home_timer;
	struct timer report_timer;
	const struct replicas_ops *ops;
	void *owner;
	struct replicas_stats *stats; /* borrowed */
};

void replicas_init(struct replicas *replicas, struct loop *loop, int64_t lease_ms,
		   struct replicas_stats *stats, const struct replicas_ops *ops,
		   void *owner);

/* Before the link goes, and harmless when it was never opened. */
void replicas_fini(struct replicas *replicas);

/* Dials all of `list`, "p1=tcp://10.0.0.3:7100,p2=..."; an empty one is none, and a wrong
 * one ends the program. `own_name` is this process's. */
void replicas_open(struct replicas *replicas, struct link *link, struct slice own_name,
		   const char *list);

/* NULL: none of them is up. It may be down for a moment: what it is sent waits for it. */
struct link_peer *replicas_home(const struct replicas *replicas);

/* What the home must know found its link full: both start over, and it is told all. */
void replicas_resync(struct replicas *replicas);

/* This process ends: nobody is to wait until its lease is over. */
void replicas_leave(struct replicas *replicas);

/* From the owner's link_ops, for peers whose role is presence. */
void replicas_on_up(struct replicas *replicas, struct link_peer *peer, bool is_new);
void replicas_on_down(struct replicas *replicas, const struct link_peer *peer);

#endif
