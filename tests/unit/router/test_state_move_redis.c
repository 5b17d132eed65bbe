/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of hubs in Redis when its owner changes: it stays where it is, and COMMIT
 * waits for nobody's.
 */
#include "tests/unit/router/hub_kit.h"

#define ONE "r1=ipc://r1"
#define TWO "r1=ipc://r1,r2=ipc://r2"

static void hear(struct kit *kit, Link__ShardPhase phase)
{
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = 1;
	shards.phase = phase;
	shards.routers = link_bytes(SLICE(ONE));
	shards.next = link_bytes(SLICE(TWO));
	kit_hear_shards(kit, kit->presence, &shards);
	kit_turn(kit);
}

/* r2 is there, and says nothing. */
static bool is_commit_over(bool has_redis)
{
	struct kit *kit = kit_new(NULL);
	struct state_redis *there = (struct state_redis *)kit; /* is all that is asked */
	bool is_over;

	hear(kit, LINK__SHARD_PHASE__SHARD_PHASE_PREPARE);
	if (has_redis)
		kit->router->redis = there;
	hear(kit, LINK__SHARD_PHASE__SHARD_PHASE_COMMIT);
	while (kit->router->state_move.is_sending)
		loop_turn(kit->loop, 50);
	kit_turn(kit);
	is_over = kit->router->reshard.is_done;
	kit->router->redis = NULL;
	kit_free(kit);
	return is_over;
}

Test(state_move_redis, only_state_in_memory_is_waited_for, .timeout = 60)
{
	cr_expect_not(is_commit_over(false));
	cr_expect(is_commit_over(true));
}
