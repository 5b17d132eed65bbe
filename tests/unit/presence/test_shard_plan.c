/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from a view, case by case; and a cluster of random processes that come,
 * go, and do what they are told, in which no barrier is ever passed too early.
 */
#include "presence/shard_plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/mem.h"

#define ONE "r1=tcp://a:1"
#define TWO "r1=tcp://a:1,r2=tcp://a:2"
#define THREE "r{1..3}=tcp://a:{}"
#define PREPARE_MS 1000

static struct shard_map map;
static struct plan_member members[8];
static struct plan_view view;
static struct plan plan;

static void take(uint64_t epoch, enum shard_phase phase, const char *routers,
		 const char *next)
{
	const struct shard_offer offer = { .epoch = epoch,
					   .phase = phase,
					   .routers = slice_from_str(routers),
					   .next = slice_from_str(next) };
	enum shard_verdict verdict;

	cr_assert_eq(shard_map_take(&map, &offer, &verdict), OK);
	cr_assert_neq(verdict, SHARD_OLD);
}

static void setup(void)
{
	cr_assert_eq(shard_map_init(&map, ""), OK);
	view = (struct plan_view){
		.map = &map, .members = members, .target = "", .prepare_ms = PREPARE_MS
	};
}

static void teardown(void)
{
	shard_map_fini(&map);
}

TestSuite(shard_plan, .init = setup, .fini = teardown);

/* It has the map and has done what it asks. */
static struct plan_member *add(const char *name)
{
	struct plan_member *member = &members[view.members_n++];

	*member = (struct plan_member){ .name = name,
					.is_router = name[0] == 'r',
					.has_told = true,
					.is_done = true,
					.epoch = map.epoch,
					.phase = map.phase,
					.routers = map.routers };
	return member;
}

static struct plan_member *add_new(const char *name, const char *routers)
{
	struct plan_member *member = add(name);

	member->phase = SHARD_PHASE_STABLE;
	member->routers = routers;
	return member;
}

static void expect_state(enum plan_state state, const char *who)
{
	plan_make(&view, &plan);
	cr_expect_eq(plan.state, state, "%s", plan_state_name(plan.state));
	cr_expect(slice_equal(plan.who, slice_from_str(who)), "%.*s", (int)plan.who.len,
		  plan.who.ptr);
}

static void expect_step(uint64_t epoch, enum shard_phase phase, const char *routers,
			const char *next)
{
	plan_make(&view, &plan);
	cr_assert_eq(plan.state, PLAN_STEP, "%s", plan_state_name(plan.state));
	cr_expect_eq(plan.next.epoch, epoch);
	cr_expect_eq(plan.next.phase, phase);
	cr_expect(slice_equal(plan.next.routers, slice_from_str(routers)));
	cr_expect(slice_equal(plan.next.next, slice_from_str(next)));
}

/* ---- the first map */

Test(shard_plan, at_the_start_all_go_by_the_list_that_most_were_given)
{
	(void)add_new("g1", TWO);
	(void)add_new("g2", THREE);
	(void)add_new("r1", TWO);
	(void)add_new("r2", "r2=tcp://a:2, r1=tcp://a:1");
	expect_step(1, SHARD_PHASE_STABLE, TWO, "");
}

Test(shard_plan, what_is_not_given_to_most_is_not_agreed_on)
{
	(void)add_new("g1", TWO);
	(void)add_new("r1", THREE);
	expect_state(PLAN_DISAGREED, "g1");
	(void)add_new("r2", ONE);
	expect_state(PLAN_DISAGREED, "g1");
}

Test(shard_plan, where_most_were_not_given_the_same_they_go_by_what_is_wanted)
{
	(void)add_new("g1", TWO);
	(void)add_new("r1", ONE);
	view.target = TWO;
	expect_state(PLAN_ABSENT, "r2");
	(void)add_new("g2", ONE);
	(void)add_new("r2", TWO);
	expect_step(1, SHARD_PHASE_STABLE, TWO, "");
	view.target = "r1";
	expect_state(PLAN_REFUSED, "");
	(void)add_new("g3", ONE);
	expect_step(1, SHARD_PHASE_STABLE, ONE, "");
}

Test(shard_plan, the_first_map_is_above_one_that_nobody_goes_by)
{
	(void)add_new("g1", ONE);
	view.epoch_kept = 7;
	expect_step(8, SHARD_PHASE_STABLE, ONE, "");
}

Test(shard_plan, a_cluster_of_nobody_agrees_on_nothing)
{
	expect_state(PLAN_REST, "");
}

Test(shard_plan, who_has_not_told_is_waited_for)
{
	(void)add_new("g1", ONE);
	add_new("r1", "")->has_told = false;
	expect_state(PLAN_UNTOLD, "r1");
	cr_expect(plan_waits_for(&view, &members[1]));
	cr_expect_not(plan_waits_for(&view, &members[0]));
}

/* ---- STABLE */

Test(shard_plan, what_is_wanted_already_needs_nothing)
{
	take(1, SHARD_PHASE_STABLE, TWO, "");
	(void)add("g1");
	expect_state(PLAN_REST, "");
	view.target = " r2=tcp://a:2,r1=tcp://a:1";
	expect_state(PLAN_REST, "");
	add("g2")->has_told = false;
	expect_state(PLAN_REST, "");
	add("g3")->is_done = false;
	expect_state(PLAN_DOING, "g3");
}

Test(shard_plan, another_list_begins_an_epoch)
{
	take(1, SHARD_PHASE_STABLE, ONE, "");
	(void)add("g1");
	(void)add("r1");
	(void)add("r2");
	view.target = TWO;
	expect_step(2, SHARD_PHASE_PREPARE, ONE, TWO);
}

Test(shard_plan, a_router_that_is_wanted_has_to_live)
{
	take(1, SHARD_PHASE_STABLE, ONE, "");
	(void)add("g1");
	(void)add("r1");
	members[view.members_n++] = (struct plan_member){ .name = "r2" };
	view.target = TWO;
	expect_state(PLAN_ABSENT, "r2");
}

Test(shard_plan, a_dead_router_may_go)
{
	take(1, SHARD_PHASE_STABLE, TWO, "");
	(void)add("g1");
	(void)add("r1");
	view.target = ONE;
	expect_step(2, SHARD_PHASE_PREPARE, TWO, ONE);
}

Test(shard_plan, the_epoch_before_has_to_be_over)
{
	struct plan_member *slow;

	take(2, SHARD_PHASE_STABLE, ONE, "");
	(void)add("r1");
	(void)add("r2");
	slow = add("g1");
	view.target = TWO;
	slow->is_done = false;
	expect_state(PLAN_DOING, "g1");
	slow->is_done = true;
	slow->phase = SHARD_PHASE_COMMIT;
	expect_state(PLAN_DOING, "g1");
	slow->epoch = 3;
	expect_state(PLAN_BEHIND, "g1");
}

Test(shard_plan, a_list_that_will_not_do_is_refused)
{
	take(1, SHARD_PHASE_STABLE, ONE, "");
	(void)add("r1");
	view.target = "r1=tcp://elsewhere:1";
	expect_state(PLAN_REFUSED, "");
	cr_expect_eq(plan_check(&map, view.target), ERR_ARGUMENT);
	view.target = "r1";
	expect_state(PLAN_REFUSED, "");
	cr_expect_eq(plan_check(&map, view.target), ERR_MALFORMED);
	cr_expect_eq(plan_check(&map, "r2=tcp://a:2,r2=tcp://a:3"), ERR_EXISTS);
	cr_expect_eq(plan_check(&map, ""), ERR_MALFORMED);
	cr_expect_eq(plan_check(&map, "r2=http://a:2"), ERR_MALFORMED);
}

Test(shard_plan, both_lists_together_have_a_limit)
{
	take(1, SHARD_PHASE_STABLE, ONE, "");
	cr_expect_eq(plan_check(&map, "r{1..256}=tcp://a:{}"), OK);
	cr_expect_eq(plan_check(&map, "r{2..256}=tcp://a:{}"), OK);
	cr_expect_eq(plan_check(&map, "r{2..257}=tcp://a:{}"), ERR_LIMIT);
}

/* ---- PREPARE */

static void prepare(void)
{
	take(1, SHARD_PHASE_STABLE, ONE, "");
	take(2, SHARD_PHASE_PREPARE, ONE, TWO);
	(void)add("g1");
	(void)add("r1");
	(void)add("r2");
	view.target = TWO;
}

Test(shard_plan, when_all_are_prepared_it_is_committed)
{
	prepare();
	members[1].is_done = false;
	expect_state(PLAN_DOING, "r1");
	members[1].is_done = true;
	expect_step(2, SHARD_PHASE_COMMIT, ONE, TWO);
	view.target = "";
	expect_step(2, SHARD_PHASE_COMMIT, ONE, TWO);
}

Test(shard_plan, a_newcomer_is_waited_for)
{
	prepare();
	add("g2")->has_told = false;
	expect_state(PLAN_UNTOLD, "g2");
}

Test(shard_plan, nothing_is_committed_to_a_router_that_is_gone)
{
	prepare();
	view.members_n--;
	expect_state(PLAN_ABSENT, "r2");
}

Test(shard_plan, what_takes_too_long_is_given_up)
{
	prepare();
	members[0].is_done = false;
	view.since_ms = 500;
	view.now_ms = 500 + PREPARE_MS - 1;
	expect_state(PLAN_DOING, "g1");
	view.now_ms++;
	expect_step(3, SHARD_PHASE_STABLE, ONE, "");
	cr_expect(plan.is_given_up);
	cr_expect(plan.is_late);
	cr_expect(slice_equal(plan.who, SLICE("g1")));
	take(3, SHARD_PHASE_STABLE, ONE, "");
	view.members_n = 0;
	(void)add("r1");
	(void)add("r2");
	view.retry_ms = view.now_ms + 1;
	expect_state(PLAN_PAUSED, "");
	view.now_ms++;
	expect_step(4, SHARD_PHASE_PREPARE, ONE, TWO);
}

Test(shard_plan, what_is_wanted_no_more_is_given_up)
{
	prepare();
	view.target = THREE;
	expect_step(3, SHARD_PHASE_STABLE, ONE, "");
	cr_expect(plan.is_given_up);
	cr_expect_not(plan.is_late);
}

/* ---- COMMIT */

Test(shard_plan, what_is_committed_is_never_given_up)
{
	prepare();
	take(2, SHARD_PHASE_COMMIT, ONE, TWO);
	for (size_t i = 0; i < view.members_n; i++)
		members[i].phase = SHARD_PHASE_COMMIT;
	members[0].is_done = false;
	view.now_ms = 1000 * PREPARE_MS;
	view.target = ONE;
	expect_state(PLAN_DOING, "g1");
	members[0].is_done = true;
	expect_step(2, SHARD_PHASE_STABLE, TWO, "");
	view.members_n = 0;
	expect_state(PLAN_DOING, "");
}

/* ---- random clusters */

#define ROUNDS 60
#define STEPS 400
#define NAMES 6

struct actor {
	bool lives;
	bool is_done;
	struct shard_map map;
};

static struct actor actors[NAMES]; /* g1 g2 r1 r2 r3 r4 */
static const char *const names[NAMES] = { "g1", "g2", "r1", "r2", "r3", "r4" };
static const char *const lists[] = { ONE, TWO, THREE, "r{2..4}=tcp://a:{}",
				     "r4=tcp://a:4" };

static void actor_start(struct actor *actor)
{
	if (actor->lives)
		shard_map_fini(&actor->map);
	cr_assert_eq(shard_map_init(&actor->map, lists[rand() % 8 == 0 ? 0 : 1]), OK);
	actor->lives = true;
	actor->is_done = false;
}

static void actor_end(struct actor *actor)
{
	if (actor->lives)
		shard_map_fini(&actor->map);
	actor->lives = false;
}

static void actor_hear(struct actor *actor, const struct shard_map *from)
{
	const struct shard_offer offer = { .epoch = from->epoch,
					   .phase = from->phase,
					   .routers = slice_from_str(from->routers),
					   .next = slice_from_str(from->next) };
	enum shard_verdict verdict;

	if (!actor->lives || from->epoch == 0)
		return;
	cr_assert_eq(shard_map_take(&actor->map, &offer, &verdict), OK);
	if (verdict != SHARD_OLD)
		actor->is_done = false;
}

/* Nobody who lives may be two phases from another; what is past COMMIT stays. */
static void check_step(const struct plan *next)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct actor *actor = &actors[i];

		if (!actor->lives || map.epoch == 0 || next->is_given_up)
			continue;
		cr_assert_eq(actor->map.epoch, map.epoch, "%s", names[i]);
		cr_assert_eq(actor->map.phase, map.phase, "%s", names[i]);
		cr_assert(actor->is_done, "%s", names[i]);
	}
	cr_assert(shard_map_is_before(&map, next->next.epoch, next->next.phase));
	if (next->is_given_up)
		cr_assert_eq(map.phase, SHARD_PHASE_PREPARE);
	if (map.phase == SHARD_PHASE_COMMIT)
		cr_assert(slice_equal(next->next.routers, slice_from_str(map.next)));
}

static void look(void)
{
	enum shard_verdict verdict;

	view.members_n = 0;
	for (size_t i = 0; i < NAMES; i++) {
		const struct actor *actor = &actors[i];

		if (!actor->lives)
			continue;
		members[view.members_n++] = (struct plan_member){
			.name = names[i],
			.is_router = names[i][0] == 'r',
			.has_told = true,
			.is_done = actor->is_done,
			.epoch = actor->map.epoch,
			.phase = actor->map.phase,
			.routers = actor->map.routers,
		};
	}
	plan_make(&view, &plan);
	if (plan.state != PLAN_STEP)
		return;
	check_step(&plan);
	if (plan.is_late)
		view.retry_ms = view.now_ms + PREPARE_MS;
	cr_assert_eq(shard_map_take(&map, &plan.next, &verdict), OK);
	view.since_ms = view.now_ms;
}

static void happen(void)
{
	struct actor *actor = &actors[rand() % NAMES];
	const struct actor *other = &actors[rand() % NAMES];

	switch (rand() % 8) {
	case 0:
		if (rand() % 8 == 0)
			actor_end(actor);
		break;
	case 1:
		if (!actor->lives)
			actor_start(actor);
		break;
	case 2:
		if (rand() % 8 == 0)
			view.target = lists[rand() % 5];
		break;
	case 3:
		if (other->lives)
			actor_hear(actor, &other->map);
		break;
	case 4:
	case 5:
		actor_hear(actor, &map);
		break;
	default:
		actor->is_done = actor->lives;
	}
	view.now_ms += rand() % 50;
	look();
}

/* With everybody there and nothing else happening it comes to an end. */
static void settle(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (!actors[i].lives)
			actor_start(&actors[i]);
	}
	for (int i = 0; i < 40; i++) {
		for (size_t k = 0; k < NAMES; k++) {
			actor_hear(&actors[k], &map);
			actors[k].is_done = true;
		}
		view.now_ms += PREPARE_MS / 4;
		look();
	}
	cr_assert_eq(plan.state, PLAN_REST, "%s", plan_state_name(plan.state));
	cr_assert_eq(map.phase, SHARD_PHASE_STABLE);
	cr_assert(plan_is_same_list(map.routers, view.target));
}

Test(shard_plan, whatever_happens_no_barrier_is_passed_too_early, .timeout = 120)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		srand(seed);
		teardown();
		setup();
		view.target = TWO;
		for (size_t i = 0; i < NAMES; i++)
			actor_start(&actors[i]);
		for (int i = 0; i < STEPS; i++)
			happen();
		settle();
		for (size_t i = 0; i < NAMES; i++)
			actor_end(&actors[i]);
	}
}
