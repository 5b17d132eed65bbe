/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which routers own keys, while routers come and go. An epoch replaces one list of
 * routers by another in phases: PREPARE (senders go by the old list, but the owners of
 * both are told of members), COMMIT (senders go by the new list), STABLE (the new list is
 * the only one). (epoch, phase) only grows; docs/LINK.md, "Shards that change". Pure.
 */
#ifndef PROTO_LINK_SHARD_MAP_H
#define PROTO_LINK_SHARD_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/link/ring.h"
#include "proto/link/shards.h"

/* Of a list of routers in a map. */
#define SHARD_MAP_TEXT_MAX 65536

/* As Link__ShardPhase. */
enum shard_phase {
	SHARD_PHASE_NONE,
	SHARD_PHASE_PREPARE,
	SHARD_PHASE_COMMIT,
	SHARD_PHASE_STABLE,
};

/* What has become of a map that was offered. */
enum shard_verdict {
	SHARD_OLD,  /* not greater than ours: not taken */
	SHARD_STEP, /* taken: the one that comes after ours */
	SHARD_JUMP, /* taken: we have missed some between */
};

struct shard_map {
	uint64_t epoch;
	enum shard_phase phase;
	struct shards all; /* both lists, each name once; its own ring is empty */
	struct ring old;   /* members are indexes into `all`; STABLE: the only one */
	struct ring fresh; /* of the list `next`; STABLE: empty */
	char *routers;	   /* owned; as they were told */
	char *next;	   /* owned; "": STABLE */
};

/* (0, STABLE, routers): where a process starts. "" is no routers at all. The errors of
 * shards_parse(), and ERR_LIMIT past SHARD_MAP_TEXT_MAX; to be ended in any case. */
MUST_CHECK enum err shard_map_init(struct shard_map *map, const char *routers);
void shard_map_fini(struct shard_map *map);

/* What somebody says the map is. */
struct shard_offer {
	uint64_t epoch;
	enum shard_phase phase;
	struct slice routers;
	struct slice next;
};

/*
 * Takes it if it is greater than ours. Indexes into `all` mean others afterwards. Not OK
 * (the lists are none, or do not go with the phase; ERR_EXISTS: they have two addresses
 * for one router): the map is as it was.
 */
MUST_CHECK enum err shard_map_take(struct shard_map *map, const struct shard_offer *offer,
				   enum shard_verdict *verdict);

/* Is (epoch, phase) behind the other in time? */
bool shard_map_is_before(const struct shard_map *map, uint64_t epoch,
			 enum shard_phase phase);

/* ---- owners; kinds are Link__Kind's numbers, and a map of no routers has none */

/* Whom senders use now. */
size_t shard_map_owner(const struct shard_map *map, struct slice hub, int kind,
		       struct slice name);

/* All that are told of members, 1 or 2, the one that senders use first. */
size_t shard_map_owners(const struct shard_map *map, struct slice hub, int kind,
			struct slice name, size_t owners[2]);

bool shard_map_is_owner(const struct shard_map *map, size_t index, struct slice hub,
			int kind, struct slice name);

/* Has it two owners? Never in STABLE. */
bool shard_map_moves(const struct shard_map *map, struct slice hub, int kind,
		     struct slice name);

/* ---- routers */

/* Does it own any key, by the list that senders use now, or by either? */
bool shard_map_is_active(const struct shard_map *map, size_t index);
bool shard_map_has(const struct shard_map *map, struct slice name);

const char *shard_phase_name(enum shard_phase phase);

#endif
