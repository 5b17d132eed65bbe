/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for a key to change, and when it is read for them.
 */
#include "router/state/state_wait.h"

#include <criterion/criterion.h>

#include "proto/base/mem.h"

#define WAITS_MAX 4
#define TURN_UNTIL_MAX_US 5000000

static struct loop *loop;
static struct state_waits waits;
static uint64_t due_call; /* the last one whose time was up */

static void on_due(struct state_wait *wait)
{
	due_call = wait->id.call;
	state_wait_free(wait);
}

static void setup(void)
{
	loop = loop_new();
	due_call = 0;
	state_waits_init(&waits, loop, WAITS_MAX, 7, on_due);
}

static void teardown(void)
{
	state_waits_fini(&waits);
	loop_free(loop);
}

TestSuite(state_wait, .init = setup, .fini = teardown, .timeout = 60);

/* Never looked into. */
static struct link_peer *peer(uintptr_t number)
{
	static char peers[4];

	return (struct link_peer *)(void *)&peers[number];
}

static struct state_wait *wait_for(const char *key, struct link_peer *origin,
				   uint64_t call, uint64_t after)
{
	const struct state_wait_id id = { origin, call };
	struct state_wait *wait =
		state_wait_new(&waits, SLICE("hub"), slice_from_str(key), &id, 60000);

	if (wait != NULL)
		wait->after = after;
	return wait;
}

static struct state_topic *topic(const char *key)
{
	return state_topic_find(&waits, SLICE("hub"), slice_from_str(key));
}

Test(state_wait, a_topic_is_there_while_somebody_waits)
{
	struct state_wait *one = wait_for("a", NULL, 1, 0);
	struct state_wait *two = wait_for("a", NULL, 2, 0);

	cr_assert_not_null(topic("a"));
	cr_expect_eq(one->topic, topic("a"));
	cr_expect_eq(two->topic, topic("a"));
	cr_expect_null(topic("b"));
	state_wait_free(one);
	cr_expect_not_null(topic("a"));
	state_wait_free(two);
	cr_expect_null(topic("a"));
	cr_expect_eq(waits.by_id.count, 0);
}

Test(state_wait, the_empty_key_is_one_too)
{
	cr_assert_not_null(wait_for("", NULL, 1, 0));
	cr_expect_not_null(topic(""));
}

Test(state_wait, keys_of_two_hubs_never_meet)
{
	const struct state_topic *ours;

	(void)wait_for("aa", NULL, 1, 0);
	ours = topic("aa");
	cr_assert_not_null(ours);
	cr_expect(slice_equal(state_topic_hub(ours), SLICE("hub")));
	cr_expect(slice_equal(state_topic_key(ours), SLICE("aa")));
	cr_expect_null(state_topic_find(&waits, SLICE("huba"), SLICE("a")));
	cr_expect_null(state_topic_find(&waits, SLICE(""), SLICE("hubaa")));
}

Test(state_wait, a_topic_is_read_from_where_the_one_behind_the_others_is)
{
	struct state_wait *slow;

	(void)wait_for("a", NULL, 1, 9);
	slow = wait_for("a", NULL, 2, 3);
	(void)wait_for("a", NULL, 3, 7);
	cr_expect_eq(state_topic_after(topic("a")), 3);
	state_wait_free(slow);
	cr_expect_eq(state_topic_after(topic("a")), 7);
}

Test(state_wait, what_changes_during_a_read_makes_it_be_repeated_once)
{
	(void)wait_for("a", NULL, 1, 0);
	cr_expect(state_topic_read(topic("a")));
	cr_expect_not(state_topic_read(topic("a")));
	cr_expect_not(state_topic_read(topic("a")));
	cr_expect(state_topic_read_done(&waits, topic("a")));
	cr_expect_not(state_topic_read_done(&waits, topic("a")));
	cr_expect_not_null(topic("a"));
	cr_expect(state_topic_read(topic("a")), "the next change");
}

Test(state_wait, a_topic_that_is_being_read_stays_until_that_is_done)
{
	struct state_topic *read;

	(void)wait_for("a", NULL, 2, 0);
	read = topic("a");
	cr_assert(state_topic_read(read));
	state_wait_free(state_wait_find(&waits, &(struct state_wait_id){ NULL, 2 }));
	cr_assert_eq(topic("a"), read);
	/* Somebody comes meanwhile: what is being read may be too old for it. */
	(void)wait_for("a", NULL, 3, 0);
	cr_expect_not(state_topic_read(read));
	cr_expect(state_topic_read_done(&waits, read));
	state_wait_free(state_wait_find(&waits, &(struct state_wait_id){ NULL, 3 }));
	cr_expect_not(state_topic_read_done(&waits, read), "nobody is left");
	cr_expect_null(topic("a"));
}

Test(state_wait, a_wait_is_known_by_router_and_number)
{
	struct state_wait *own = wait_for("a", NULL, 1, 0);
	struct state_wait *other = wait_for("b", peer(1), 1, 0);

	cr_expect_eq(state_wait_find(&waits, &(struct state_wait_id){ NULL, 1 }), own);
	cr_expect_eq(state_wait_find(&waits, &(struct state_wait_id){ peer(1), 1 }),
		     other);
	cr_expect_null(state_wait_find(&waits, &(struct state_wait_id){ peer(2), 1 }));
	cr_expect_null(wait_for("c", peer(1), 1, 0), "it asks already");
	cr_expect_null(topic("c"));
	cr_expect_eq(waits.refused_total, 1);
}

Test(state_wait, one_past_the_limit_is_refused)
{
	for (uint64_t call = 1; call <= WAITS_MAX; call++)
		cr_expect_not_null(wait_for("a", NULL, call, 0));
	cr_expect_null(wait_for("a", NULL, WAITS_MAX + 1, 0));
	cr_expect_null(wait_for("b", NULL, WAITS_MAX + 1, 0));
	cr_expect_eq(waits.refused_total, 2);
	state_wait_free(state_wait_find(&waits, &(struct state_wait_id){ NULL, 1 }));
	cr_expect_not_null(wait_for("b", NULL, WAITS_MAX + 1, 0));
}

Test(state_wait, those_of_a_lost_router_go)
{
	(void)wait_for("a", peer(1), 1, 0);
	(void)wait_for("a", peer(2), 1, 0);
	(void)wait_for("b", peer(1), 2, 0);
	(void)wait_for("b", NULL, 1, 0);
	state_waits_remove_origin(&waits, peer(1));
	cr_expect_eq(waits.by_id.count, 2);
	cr_expect_not_null(
		state_wait_find(&waits, &(struct state_wait_id){ peer(2), 1 }));
	cr_expect_not_null(state_wait_find(&waits, &(struct state_wait_id){ NULL, 1 }));
}

Test(state_wait, one_whose_time_is_up_is_told)
{
	const struct state_wait_id id = { NULL, 5 };
	const int64_t start_us = loop_clock_us();

	(void)wait_for("a", NULL, 4, 0);
	cr_assert_not_null(state_wait_new(&waits, SLICE("hub"), SLICE("a"), &id, 1));
	while (due_call == 0) {
		loop_turn(loop, 10);
		cr_assert_lt(loop_clock_us() - start_us, TURN_UNTIL_MAX_US);
	}
	cr_expect_eq(due_call, 5);
	cr_expect_eq(waits.by_id.count, 1);
}

Test(state_wait, all_that_is_left_goes_with_the_table)
{
	(void)wait_for("a", NULL, 1, 0);
	(void)wait_for("b", peer(1), 1, 0);
	cr_assert(state_topic_read(topic("b")));
	/* teardown(), under AddressSanitizer */
}
