/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/shards_kept.h"

static struct slice keep(struct buf *buf, struct slice text)
{
	buf_clear(buf);
	buf_append_slice(buf, text);
	return buf_slice(buf);
}

static bool is_before(const struct shard_offer *map, const struct shard_offer *other)
{
	return map->epoch < other->epoch ||
	       (map->epoch == other->epoch && map->phase < other->phase);
}

static void keep_map(struct shards_kept *kept, const struct shard_offer *map)
{
	kept->shards.map = (struct shard_offer){
		.epoch = map->epoch,
		.phase = map->phase,
		.routers = keep(&kept->routers, map->routers),
		.next = keep(&kept->next, map->next),
	};
}

void shards_kept_init(struct shards_kept *kept)
{
	*kept = (struct shards_kept){ .routers = BUF_INIT };
	buf_init(&kept->next);
	buf_init(&kept->target);
	buf_init(&kept->leader);
}

void shards_kept_fini(struct shards_kept *kept)
{
	buf_fini(&kept->routers);
	buf_fini(&kept->next);
	buf_fini(&kept->target);
	buf_fini(&kept->leader);
}

void shards_kept_tell(struct shards_kept *kept, const struct store_shards *known)
{
	struct store_shards *shards = &kept->shards;

	if (is_before(&shards->map, &known->map))
		keep_map(kept, &known->map);
	if (shards->target.len == 0)
		kept->shards.target = keep(&kept->target, known->target);
	shards->leader = keep(&kept->leader, known->leader);
}

enum err shards_kept_step(struct shards_kept *kept, const struct store_shards *after,
			  const struct shard_offer *map)
{
	struct store_shards *shards = &kept->shards;
	const bool is_wanted =
		kept->is_target_first && kept->target_after == after->map.epoch;

	if (shards->map.epoch != after->map.epoch ||
	    shards->map.phase != after->map.phase ||
	    !slice_equal(shards->leader, after->leader))
		return ERR_EXISTS;
	keep_map(kept, map);
	if (after->is_over && !is_wanted && shards->target.len > 0)
		shards->target = keep(&kept->target, map->routers);
	return OK;
}

void shards_kept_aim(struct shards_kept *kept, struct slice target, bool is_first)
{
	kept->shards.target = keep(&kept->target, target);
	kept->target_after = kept->shards.map.epoch;
	kept->is_target_first = is_first;
}
