/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which gateways and routers live, as the replicas of presence say. Each says it for
 * itself: one that is away may be behind, one that has just started may not know all, and
 * one may be cut off from a process that the others hear. So those count that are up and
 * have settled; without any, those that are up; then the others; and a process is named
 * when one of those that count names it.
 */
#ifndef ROUTER_TOPOLOGY_H
#define ROUTER_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/link/link.h"

struct topology {
	struct list replicas; /* owned: what each of them last said */
	uint64_t *named;      /* owned; topology_named() fills it */
};

void topology_init(struct topology *topology);
void topology_fini(struct topology *topology);

/* That replica says so, instead of what it said before. */
void topology_take(struct topology *topology, const struct link_peer *presence,
		   const Link__Topology *message);

/* What was said up to now does not count any more. */
void topology_forget(struct topology *topology);

/* Does the word that counts name all? */
bool topology_is_settled(const struct topology *topology);

/* ... and that tells which routers there are, too. */
bool topology_tells_maps(const struct topology *topology);

/* The incarnations of the named gateways, some perhaps twice; good until the next call
 * for this topology. */
const uint64_t *topology_named(struct topology *topology, size_t *n);

bool topology_names_gateway(struct topology *topology, uint64_t incarnation);
bool topology_names_router(const struct topology *topology, struct slice name);

#endif
