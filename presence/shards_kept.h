/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store in memory keeps about shards for its one presence, which always leads.
 * Pure. What it tells lives until it is changed.
 */
#ifndef PRESENCE_SHARDS_KEPT_H
#define PRESENCE_SHARDS_KEPT_H

#include "presence/store_answer.h"
#include "proto/base/buf.h"

struct shards_kept {
	struct store_shards shards; /* its texts are in the buffers */
	struct buf routers;
	struct buf next;
	struct buf target;
	struct buf leader;
	uint64_t target_after; /* the epoch that was kept when a cluster without a map
				* was to have `target`... */
	bool is_target_first;  /* ... which it was */
};

void shards_kept_init(struct shards_kept *kept);
void shards_kept_fini(struct shards_kept *kept);

/* As the operations of store.h. */
void shards_kept_tell(struct shards_kept *kept, const struct store_shards *known);
MUST_CHECK enum err shards_kept_step(struct shards_kept *kept,
				     const struct store_shards *after,
				     const struct shard_offer *map);
void shards_kept_aim(struct shards_kept *kept, struct slice target, bool is_first);

#endif
