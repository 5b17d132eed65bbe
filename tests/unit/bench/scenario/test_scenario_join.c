/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round of joining and leaving, step by step, and where it may break off.
 */
#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf five = { .connections = 15, .groups = 1, .size = 64 };

/* Pairs have groups of their own: TARGET_NUMBER_MAX and the number of who joins. */
#define GROUP_10 "group-134217737"
#define GROUP_12 "group-134217739"

static struct kit *started(void)
{
	struct kit *kit = kit_new("join-leave", &five, 10, 5);

	kit_start(kit);
	return kit;
}

Test(scenario_join, a_round_has_four_steps)
{
	struct kit *kit = started();

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "10 join #0 " GROUP_10 "\n");
	kit_answer(kit, 10, 0, SLICE(""));
	kit_expect(kit, "11 group #0 " GROUP_10 " ~11.5:10.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 1);
	kit_deliver(kit, 10);
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_answer(kit, 11, 0, SLICE(""));
	kit_expect(kit, "10 leave #1 " GROUP_10 "\n");
	kit_answer(kit, 10, 1, SLICE(""));
	kit_expect(kit, "11 group #1 " GROUP_10 " ~11.6:10.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 1);
	kit_answer(kit, 11, 1, SLICE(""));
	kit_expect(kit, "");
	kit_free(kit);
}

Test(scenario_join, who_hears_of_it_after_leaving_is_a_stranger)
{
	struct kit *kit = started();

	cr_assert(kit_due(kit, 7));
	kit_answer(kit, 10, 0, SLICE(""));
	kit_answer(kit, 11, 0, SLICE(""));
	kit_answer(kit, 10, 1, SLICE(""));
	kit_deliver(kit, 10); /* what only nobody should have heard */
	cr_assert_eq(kit->stats.strangers, 1);
	cr_assert_eq(kit->stats.deliveries, 0);
	kit_forget(kit);
	kit_free(kit);
}

/* Five clients are two pairs; the fifth has nobody. */
Test(scenario_join, pairs_take_turns_and_then_none_is_left)
{
	struct kit *kit = started();

	cr_assert(kit_due(kit, 7));
	cr_assert(kit_due(kit, 7));
	cr_assert_not(kit_due(kit, 7));
	kit_forget(kit);
	kit_answer_error(kit, 12, 0);
	kit_expect(kit, "");
	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "12 join #1 " GROUP_12 "\n");
	kit_free(kit);
}

Test(scenario_join, answers_that_nobody_waits_for_change_nothing)
{
	struct kit *kit = started();

	cr_assert(kit_due(kit, 7));
	kit_forget(kit);
	kit_answer(kit, 10, 1, SLICE("")); /* another number */
	kit_answer(kit, 11, 0, SLICE("")); /* the other one of the pair */
	kit_answer(kit, 12, 0, SLICE("")); /* a pair that rests */
	kit_answer(kit, 14, 0, SLICE("")); /* of no pair */
	kit_expect(kit, "");
	kit_free(kit);
}

Test(scenario_join, a_pair_that_has_lost_one_rests)
{
	struct kit *kit = started();

	cr_assert(kit_due(kit, 7));
	kit_forget(kit);
	kit->worker.clients[1].state = CLIENT_OPENING;
	kit_answer(kit, 10, 0, SLICE(""));
	kit_expect(kit, "");
	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "12 join #0 " GROUP_12 "\n");
	cr_assert_not(kit_due(kit, 7));
	kit_free(kit);
}
