/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: the map of shards, and the list of routers that is wanted.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/store_ask.h"

#define ONE "r1=tcp://a:1"
#define TWO "r1=tcp://a:1,r2=tcp://a:2"

/* The last answer: "3 commit <routers> <next> <target> <leader>". */
static char found[1024];

#define ARG(slice) (int)(slice).len, (slice).len > 0 ? (slice).ptr : ""

static void on_shards(struct store_call *call, const struct store_answer *answer)
{
	const struct store_shards *shards = answer->shards;

	cr_assert_eq(call, &asked.call);
	asked.answer = *answer;
	asked.is_done = true;
	cr_assert_eq(answer->rc, OK);
	(void)snprintf(found, sizeof(found), "%d %s <%.*s> <%.*s> <%.*s> <%.*s>",
		       (int)shards->map.epoch, shard_phase_name(shards->map.phase),
		       ARG(shards->map.routers), ARG(shards->map.next),
		       ARG(shards->target), ARG(shards->leader));
}

static struct shard_offer map(uint64_t epoch, enum shard_phase phase, const char *routers,
			      const char *next)
{
	return (struct shard_offer){
		.epoch = epoch,
		.phase = phase,
		.routers = slice_from_str(routers),
		.next = slice_from_str(next),
	};
}

/* What p1, which leads, is told when it says that it knows this map. */
static const char *tell(struct shard_offer known, const char *target)
{
	const struct store_shards shards = { .map = known,
					     .target = slice_from_str(target),
					     .leader = SLICE("p1") };

	store->ops->shards(store, &shards, LONG_MS, ask_with(on_shards));
	(void)wait_answer();
	return found;
}

static enum err step_as(bool is_over, const char *leader, uint64_t epoch,
			enum shard_phase phase, struct shard_offer next)
{
	const struct store_shards after = {
		.map = { .epoch = epoch, .phase = phase },
		.leader = slice_from_str(leader),
		.is_over = is_over,
	};

	store->ops->shards_step(store, &after, &next, ask());
	return wait_answer()->rc;
}

static enum err step(const char *leader, uint64_t epoch, enum shard_phase phase,
		     struct shard_offer next)
{
	return step_as(false, leader, epoch, phase, next);
}

static enum err aim(const char *target, bool is_first)
{
	store->ops->shards_target(store, slice_from_str(target), is_first, ask());
	return wait_answer()->rc;
}

void store_kit_the_greatest_map_is_kept(void)
{
	const struct shard_offer none = { .epoch = 0 };

	cr_expect_str_eq(tell(none, ""), "0 none <> <> <> <p1>");
	cr_expect_str_eq(tell(map(2, SHARD_PHASE_COMMIT, ONE, TWO), ""),
			 "2 commit <" ONE "> <" TWO "> <> <p1>");
	cr_expect_str_eq(tell(map(2, SHARD_PHASE_PREPARE, TWO, ONE), ""),
			 "2 commit <" ONE "> <" TWO "> <> <p1>");
	cr_expect_str_eq(tell(map(1, SHARD_PHASE_STABLE, TWO, ""), ""),
			 "2 commit <" ONE "> <" TWO "> <> <p1>");
	cr_expect_str_eq(tell(map(10, SHARD_PHASE_PREPARE, TWO, ONE), ""),
			 "10 prepare <" TWO "> <" ONE "> <> <p1>");
}

void store_kit_a_map_follows_the_one_that_is_kept(void)
{
	(void)tell(map(1, SHARD_PHASE_STABLE, ONE, ""), "");
	cr_expect_eq(
		step("p1", 1, SHARD_PHASE_STABLE, map(2, SHARD_PHASE_PREPARE, ONE, TWO)),
		OK);
	cr_expect_eq(
		step("p1", 1, SHARD_PHASE_STABLE, map(2, SHARD_PHASE_PREPARE, TWO, ONE)),
		ERR_EXISTS);
	cr_expect_eq(
		step("p1", 2, SHARD_PHASE_COMMIT, map(2, SHARD_PHASE_STABLE, TWO, "")),
		ERR_EXISTS);
	cr_expect_str_eq(tell((struct shard_offer){ .epoch = 0 }, ""),
			 "2 prepare <" ONE "> <" TWO "> <> <p1>");
}

void store_kit_only_who_leads_makes_maps(void)
{
	(void)tell(map(1, SHARD_PHASE_STABLE, ONE, ""), "");
	cr_expect_eq(
		step("p2", 1, SHARD_PHASE_STABLE, map(2, SHARD_PHASE_PREPARE, ONE, TWO)),
		ERR_EXISTS);
	cr_expect_str_eq(tell((struct shard_offer){ .epoch = 0 }, ""),
			 "1 stable <" ONE "> <> <> <p1>");
}

void store_kit_a_list_that_is_wanted_is_kept(void)
{
	const struct shard_offer none = { .epoch = 0 };

	cr_expect_eq(aim(TWO, false), OK);
	cr_expect_str_eq(tell(none, ""), "0 none <> <> <" TWO "> <p1>");
	cr_expect_str_eq(tell(none, ONE), "0 none <> <> <" TWO "> <p1>");
	cr_expect_eq(aim(ONE, false), OK);
	cr_expect_str_eq(tell(none, TWO), "0 none <> <> <" ONE "> <p1>");
}

/* As after a loss: whoever remembers it says so. */
void store_kit_a_list_that_was_wanted_is_told_again(void)
{
	const struct shard_offer none = { .epoch = 0 };

	cr_expect_str_eq(tell(none, TWO), "0 none <> <> <" TWO "> <p1>");
	cr_expect_str_eq(tell(none, ""), "0 none <> <> <" TWO "> <p1>");
}

/* Nobody goes by what the store has: a cluster was stopped, and another one begins. */
void store_kit_what_was_wanted_of_a_cluster_ends_with_it(void)
{
	const struct shard_offer none = { .epoch = 0 };

	(void)tell(map(3, SHARD_PHASE_STABLE, TWO, ""), "");
	cr_expect_eq(step_as(true, "p1", 3, SHARD_PHASE_STABLE,
			     map(4, SHARD_PHASE_STABLE, ONE, "")),
		     OK);
	cr_expect_str_eq(tell(none, ""), "4 stable <" ONE "> <> <> <p1>",
			 "nothing was wanted");
	cr_expect_eq(aim(TWO, false), OK);
	cr_expect_eq(step_as(true, "p1", 4, SHARD_PHASE_STABLE,
			     map(5, SHARD_PHASE_STABLE, ONE, "")),
		     OK);
	cr_expect_str_eq(tell(none, ""), "5 stable <" ONE "> <> <" ONE "> <p1>");
}

void store_kit_what_is_wanted_of_a_cluster_that_begins_stays(void)
{
	const struct shard_offer none = { .epoch = 0 };

	(void)tell(none, "");
	cr_expect_eq(aim(TWO, true), OK);
	cr_expect_eq(step_as(true, "p1", 0, SHARD_PHASE_NONE,
			     map(1, SHARD_PHASE_STABLE, ONE, "")),
		     OK);
	cr_expect_str_eq(tell(none, ""), "1 stable <" ONE "> <> <" TWO "> <p1>");
	/* Of that cluster, and of no later one. */
	cr_expect_eq(step_as(true, "p1", 1, SHARD_PHASE_STABLE,
			     map(2, SHARD_PHASE_STABLE, ONE, "")),
		     OK);
	cr_expect_str_eq(tell(none, ""), "2 stable <" ONE "> <> <" ONE "> <p1>");
}
