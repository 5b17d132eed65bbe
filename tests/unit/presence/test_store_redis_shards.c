/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who leads when replicas share a Redis: one at a time, another when its lease is over,
 * and whoever leads no more makes no map.
 */
#include <criterion/criterion.h>

#include "tests/unit/presence/redis_world.h"

#define ONE "r1=tcp://a:1"
#define TWO "r1=tcp://a:1,r2=tcp://a:2"
#define SHORT_MS 200
#define LONG_MS 60000

TestSuite(store_redis_shards, .init = world_open, .fini = world_close, .timeout = 120);

static const struct shard_offer first = { .epoch = 1,
					  .phase = SHARD_PHASE_STABLE,
					  .routers = SLICE(ONE) };
static const struct shard_offer second = { .epoch = 2,
					   .phase = SHARD_PHASE_PREPARE,
					   .routers = SLICE(ONE),
					   .next = SLICE(TWO) };

/* The leader's name in the last answer, and the epoch. */
static struct {
	struct store_call call;
	bool is_done;
	char leader[8];
	uint64_t epoch;
} said;

static void on_said(struct store_call *call, const struct store_answer *answer)
{
	cr_assert_eq(call, &said.call);
	cr_assert_eq(answer->rc, OK);
	cr_assert_lt(answer->shards->leader.len, sizeof(said.leader));
	memset(said.leader, 0, sizeof(said.leader));
	memcpy(said.leader, answer->shards->leader.ptr, answer->shards->leader.len);
	said.epoch = answer->shards->map.epoch;
	said.is_done = true;
}

/* Asks to lead under that name, knowing the first map. Returns who leads. */
static const char *lead(struct replica *replica, const char *name, int64_t lease_ms)
{
	const struct store_shards known = { .map = first,
					    .leader = slice_from_str(name) };

	said.is_done = false;
	store_call_init(&said.call, on_said);
	replica->store->ops->shards(replica->store, &known, lease_ms, &said.call);
	WORLD_WAIT(said.is_done);
	return said.leader;
}

static enum err step(struct replica *replica, const char *name)
{
	const struct store_shards after = { .map = first,
					    .leader = slice_from_str(name) };
	struct outcome outcome;

	replica->store->ops->shards_step(replica->store, &after, &second,
					 outcome_init(&outcome));
	return outcome_wait(&outcome)->rc;
}

Test(store_redis_shards, one_leads_and_the_others_do_not)
{
	struct replica *p1 = world_join();
	struct replica *p2 = world_join();

	cr_expect_str_eq(lead(p1, "p1", LONG_MS), "p1");
	cr_expect_str_eq(lead(p2, "p2", LONG_MS), "p1");
	cr_expect_str_eq(lead(p1, "p1", LONG_MS), "p1");
	cr_expect_eq(step(p2, "p2"), ERR_EXISTS);
	cr_expect_eq(step(p1, "p1"), OK);
	(void)lead(p2, "p2", LONG_MS);
	cr_expect_eq(said.epoch, 2);
}

Test(store_redis_shards, another_leads_when_the_lease_is_over)
{
	struct replica *p1 = world_join();
	struct replica *p2 = world_join();

	cr_expect_str_eq(lead(p1, "p1", SHORT_MS), "p1");
	WORLD_WAIT(strcmp(lead(p2, "p2", LONG_MS), "p2") == 0);
	cr_expect_eq(step(p1, "p1"), ERR_EXISTS);
	cr_expect_str_eq(lead(p1, "p1", LONG_MS), "p2");
	cr_expect_eq(step(p2, "p2"), OK);
}

Test(store_redis_shards, of_two_who_step_from_one_map_one_does)
{
	struct replica *p1 = world_join();

	(void)lead(p1, "p1", LONG_MS);
	cr_expect_eq(step(p1, "p1"), OK);
	cr_expect_eq(step(p1, "p1"), ERR_EXISTS);
}
