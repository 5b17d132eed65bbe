/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixed, and small groups beside a big one.
 */
#include <string.h>

#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf many = { .connections = 100,
					.groups = 10,
					.group_size = 8,
					.users = 50,
					.size = 64,
					.rate = 100,
					.dev_tokens = true };

static int count(const struct kit *kit, const char *word)
{
	const struct slice said = buf_slice(&kit->said);
	int n = 0;

	for (const char *at = said.ptr; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* Answers all that has been asked for, so that pairs go on. */
static void answer_all(struct kit *kit, uint32_t calls[100])
{
	for (uint32_t i = 0; i < 100; i++)
		while (calls[i] < kit->worker.clients[i].calls)
			kit_answer(kit, i, calls[i]++, SLICE(""));
}

Test(scenario_mixed, the_shares_are_as_documented)
{
	struct kit *kit = kit_new("mixed", &many, 0, 100);
	uint32_t calls[100];
	int rounds;

	kit_start(kit);
	for (uint32_t i = 0; i < 100; i++)
		calls[i] = kit->worker.clients[i].calls;
	for (int i = 0; i < 10000; i++) {
		cr_assert(kit_due(kit, 7));
		answer_all(kit, calls);
	}
	buf_append(&kit->said, "", 1);
	rounds = count(kit, " join ");
	cr_assert_float_eq(rounds, 500, 100);
	cr_assert_float_eq(count(kit, " group group-"), 7000, 200);
	cr_assert_float_eq(count(kit, " echo "), 1500, 150);
	cr_assert_float_eq(count(kit, " user "), 1000, 120);
	cr_assert_eq(count(kit, " leave "), rounds);
	kit_free(kit);
}

/* One client with one number for all would look like losses at each receiver. */
Test(scenario_mixed, each_target_has_numbers_of_its_own)
{
	struct kit *kit = kit_new("mixed", &many, 0, 2);
	uint32_t last[2][16] = { { 0 } };

	kit_start(kit);
	for (int i = 0; i < 300; i++) {
		struct payload payload;
		enum target_kind kind;

		kit->payload_len = 0;
		if (!kit_due(kit, 7) || kit->payload_len == 0)
			continue;
		cr_assert_eq(payload_read(kit_payload(kit), &payload), OK);
		kind = target_kind(payload.target);
		cr_assert_eq(payload.seq, last[payload.sender][kind] + 1);
		last[payload.sender][kind] = payload.seq;
	}
	cr_assert_gt(last[0][TARGET_GROUP], 10);
	cr_assert_gt(last[0][TARGET_ECHO], 5);
	cr_assert_gt(last[0][TARGET_USER], 1);
	kit_free(kit);
}

Test(scenario_mixed, an_echo_is_counted_and_moves_no_pair)
{
	struct kit *kit = kit_new("mixed", &many, 0, 2);
	struct payload payload = { 0 };

	kit_start(kit);
	do {
		kit_forget(kit);
		kit->payload_len = 0;
		(void)kit_due(kit, 7);
		if (kit->payload_len > 0)
			cr_assert_eq(payload_read(kit_payload(kit), &payload), OK);
	} while (target_kind(payload.target) != TARGET_ECHO);
	kit_forget(kit);
	kit_answer(kit, payload.sender, kit->worker.clients[payload.sender].calls - 1,
		   kit_payload(kit));
	kit_expect(kit, "");
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_free(kit);
}

/* ---- group-beside-broadcast: clients 80 .. 99 are the ground */

static struct kit *beside(uint32_t first, uint32_t n)
{
	struct kit *kit = kit_new("group-beside-broadcast", &many, first, n);

	kit_start(kit);
	return kit;
}

Test(scenario_mixed, all_others_join_the_big_group)
{
	struct kit *kit = kit_new("group-beside-broadcast", &many, 79, 2);

	cr_assert(kit->worker.scenario->init(&kit->worker));
	kit->worker.scenario->set_up(&kit->worker.clients[0]);
	kit->worker.scenario->set_up(&kit->worker.clients[1]);
	kit_expect(kit, "79 join #0 group-9\n80 join #0 group-10\n");
	kit_free(kit);
}

/* Worker of 98 and 99, no small group: the ground runs, nothing else can. */
Test(scenario_mixed, the_ground_goes_on_when_confirmed_and_received)
{
	struct kit *kit = beside(98, 2);

	cr_assert_not(kit_due(kit, 7));
	kit_expect(kit, "99 group #1 group-10 ~99.8:10.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 20);
	cr_assert_not(kit_due(kit, 8));
	kit_deliver(kit, 98);
	kit_deliver(kit, 98); /* twice does not count */
	kit_answer(kit, 99, 1, SLICE(""));
	kit_expect(kit, "");
	kit_deliver(kit, 99);
	kit_expect(kit, "99 group #2 group-10 ~99.8:10.2\n");
	kit_deliver(kit, 98);
	kit_deliver(kit, 99);
	kit_expect(kit, "");
	kit->worker.phase = PHASE_DRAIN;
	kit_answer(kit, 99, 2, SLICE(""));
	kit_expect(kit, "");
	kit_free(kit);
}

Test(scenario_mixed, an_error_does_not_stop_the_ground)
{
	struct kit *kit = beside(99, 1);

	cr_assert_not(kit_due(kit, 7));
	kit_deliver(kit, 99);
	kit_forget(kit);
	kit_answer(kit, 99, 0, SLICE("")); /* a join's, again */
	kit_expect(kit, "");
	kit_answer_error(kit, 99, 1);
	kit_expect(kit, "99 group #2 group-10 ~99.8:10.2\n");
	kit_free(kit);
}

Test(scenario_mixed, small_groups_send_beside_it)
{
	struct kit *kit = beside(79, 2);

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "79 group group-9 ~79.2:9.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 8);
	kit_deliver(kit, 80);
	cr_assert_eq(kit->stats.strangers, 1);
	kit_deliver(kit, 79);
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_free(kit);
}
