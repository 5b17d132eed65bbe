/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect and churn: who is opened and closed when.
 */
#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf three = { .connections = 3,
					 .connect_parallel = 2,
					 .size = 100 };

static void all_are(struct kit *kit, enum client_state state)
{
	for (uint32_t i = 0; i < kit->worker.clients_n; i++)
		kit->worker.clients[i].state = (uint8_t)state;
	kit->worker.opening_n = 0;
}

Test(scenario_connect, opens_in_turn_then_the_oldest_again)
{
	struct kit *kit = kit_new("connect", &three, 0, 3);

	kit_start(kit);
	all_are(kit, CLIENT_IDLE);
	cr_assert(kit_due(kit, 10));
	cr_assert(kit_due(kit, 20));
	kit_expect(kit, "0 open @10\n1 open @20\n");
	all_are(kit, CLIENT_READY);
	kit->worker.clients[2].state = CLIENT_IDLE;
	cr_assert(kit_due(kit, 30));
	cr_assert(kit_due(kit, 40));
	kit_expect(kit, "2 open @30\n0 close\n0 open @40\n");
	kit_free(kit);
}

Test(scenario_connect, no_more_on_the_way_than_allowed)
{
	struct kit *kit = kit_new("connect", &three, 0, 3);

	kit_start(kit);
	all_are(kit, CLIENT_IDLE);
	cr_assert(kit_due(kit, 10));
	cr_assert(kit_due(kit, 20));
	cr_assert_not(kit_due(kit, 30));
	kit_expect(kit, "0 open @10\n1 open @20\n");
	kit_free(kit);
}

Test(scenario_connect, one_that_is_still_on_its_way_is_waited_for)
{
	struct kit *kit = kit_new("connect", &three, 0, 3);

	kit_start(kit);
	kit->worker.clients[0].state = CLIENT_GREETING;
	cr_assert_not(kit_due(kit, 10));
	kit_expect(kit, "");
	kit_free(kit);
}

Test(scenario_connect, churn_opens_what_it_has_closed)
{
	struct kit *kit = kit_new("churn", &three, 0, 3);

	kit_start(kit);
	kit->worker.clients[0].state = CLIENT_OPENING;
	kit->worker.clients[2].state = CLIENT_IDLE;
	while (!kit_due(kit, 10)) /* chance may miss the only one that is ready */
		;
	kit_expect(kit, "1 close\n1 open @10\n");
	cr_assert_eq(kit->stats.reconnects, 1);
	kit->worker.opening_n = 2;
	all_are(kit, CLIENT_READY);
	kit->worker.opening_n = 2;
	cr_assert_not(kit_due(kit, 20));
	kit_expect(kit, "");
	kit_free(kit);
}

static const struct bench_conf held = { .connections = 4, .size = 100, .hold_ms = 60000 };

Test(scenario_connect, hold_sends_to_all_once_and_half_way)
{
	struct kit *kit = kit_new("hold", &held, 0, 2);

	kit_start(kit);
	kit->worker.measure_us = loop_clock_us();
	cr_assert_not(kit_due(kit, 10));
	cr_expect_eq(kit->payload_len, 0, "it is too early");
	kit->worker.measure_us -= held.hold_ms * 1000 / 2;
	cr_assert(kit_due(kit, 20));
	cr_expect_gt(kit->payload_len, 0);
	kit->payload_len = 0;
	cr_assert_not(kit_due(kit, 30));
	cr_expect_eq(kit->payload_len, 0, "once is enough");
	kit_forget(kit);
	kit_free(kit);
}

Test(scenario_connect, hold_is_broken_by_the_first_worker_alone)
{
	struct kit *kit = kit_new("hold", &held, 2, 2);

	kit_start(kit);
	kit->worker.measure_us = loop_clock_us() - held.hold_ms * 1000;
	cr_assert_not(kit_due(kit, 10));
	cr_expect_eq(kit->payload_len, 0);
	kit_free(kit);
}
