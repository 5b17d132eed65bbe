/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sends what to whom, message by message.
 */
#include "bench/scenario_parts.h"
#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf few = { .connections = 40,
				       .groups = 2,
				       .group_size = 20,
				       .users = 4,
				       .size = 64,
				       .negotiate = true,
				       .dev_tokens = true };

/* Worker of the one client 5: chance has no choice. */
static struct kit *one_client(const char *scenario)
{
	struct kit *kit = kit_new(scenario, &few, 5, 1);

	kit_start(kit);
	return kit;
}

Test(scenario_send, echo_is_counted_when_it_comes_back)
{
	struct kit *kit = one_client("echo");

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "5 echo #0 ~5.1:0.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 1);
	kit_answer(kit, 5, 0, kit_payload(kit));
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_answer(kit, 5, 0, kit_payload(kit));
	cr_assert_eq(kit->stats.deliveries, 1);
	cr_assert_eq(kit->stats.duplicates, 1);
	kit_answer(kit, 5, 0, SLICE("else"));
	cr_assert_eq(kit->stats.malformed, 1);
	cr_assert(kit_due(kit, 8));
	kit_answer_error(kit, 5, 1);
	cr_assert_eq(kit->stats.due_deliveries - kit->stats.deliveries, 1);
	kit_free(kit);
}

Test(scenario_send, an_echo_of_another_is_a_strangers)
{
	struct kit *kit = kit_new("echo", &few, 4, 2);

	kit_start(kit);
	while (kit->worker.clients[0].seq == 0)
		cr_assert(kit_due(kit, 7));
	kit_answer(kit, 5, 0, kit_payload(kit));
	cr_assert_eq(kit->stats.strangers, 1);
	cr_assert_eq(kit->stats.deliveries, 0);
	kit_free(kit);
}

Test(scenario_send, echo_without_results_comes_as_a_message)
{
	struct kit *kit = kit_new("echo", &few, 5, 1);

	kit->dialect.has_results = false;
	kit_start(kit);
	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "5 echo ~5.1:0.1\n");
	kit_deliver(kit, 5);
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_free(kit);
}

Test(scenario_send, broadcast_is_due_to_all)
{
	struct kit *kit = one_client("broadcast");

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "5 broadcast ~5.0:0.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 40);
	kit_free(kit);
}

/* Else the ledger of a large run would have a row for any two clients. */
Test(scenario_send, only_some_of_a_worker_broadcast)
{
	struct kit *kit = kit_new("broadcast", &few, 10, 30);
	uint32_t senders = 0;

	kit_start(kit);
	for (int i = 0; i < 2000; i++)
		cr_assert(kit_due(kit, 7));
	for (uint32_t i = 0; i < 30; i++)
		senders += kit->worker.clients[i].seq > 0;
	cr_assert_eq(senders, SENDERS_MAX);
	kit_free(kit);
}

Test(scenario_send, user_is_the_one_after)
{
	struct kit *kit = one_client("send-to-user");

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "5 user user-2 ~5.3:2.1\n");
	cr_assert_eq(kit->stats.due_deliveries, 10);
	kit_free(kit);
}

Test(scenario_send, connection_is_the_one_after_in_the_worker)
{
	struct kit *kit = kit_new("send-to-connection", &few, 4, 2);

	kit_start(kit);
	kit->worker.clients[0].state = CLIENT_OPENING;
	kit_expect(kit, "");
	cr_assert_not(kit_due(kit, 7)); /* 4 cannot send, 5 has nobody */
	kit->worker.clients[0].state = CLIENT_READY;
	cr_assert(kit_due(kit, 7));
	cr_assert(kit_due(kit, 7));
	cr_assert(kit_due(kit, 7));
	kit_forget(kit);
	kit_free(kit);

	kit = one_client("send-to-connection");
	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "5 connection id-5 ~5.4:5.1\n");
	kit_free(kit);
}

Test(scenario_send, group_is_joined_first)
{
	struct kit *kit = kit_new("send-to-group", &few, 19, 2);
	const struct scenario *scenario = kit->worker.scenario;

	cr_assert(scenario->init(&kit->worker));
	scenario->set_up(&kit->worker.clients[0]);
	scenario->set_up(&kit->worker.clients[1]);
	kit_expect(kit, "19 join #0 group-0\n20 join #0 group-1\n");
	cr_assert_eq(kit->set_up_n, 0);
	kit_answer(kit, 19, 0, SLICE(""));
	cr_assert_eq(kit->set_up_n, 1);
	kit_answer_error(kit, 20, 0);
	cr_assert_eq(kit->set_up_n, 1);
	cr_assert_str_eq(kit->failure, "client 20 could not join its group");
	kit_free(kit);
}

Test(scenario_send, group_without_answers_is_joined_at_once)
{
	struct kit *kit = kit_new("send-to-group", &few, 19, 2);

	kit->dialect.has_results = false;
	kit_start(kit);
	cr_assert_eq(kit->set_up_n, 2);
	kit_free(kit);
}

Test(scenario_send, group_members_send_to_their_own)
{
	struct kit *kit = kit_new("send-to-group", &few, 25, 1);

	kit_start(kit);
	cr_assert(kit_due(kit, 7));
	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "25 group group-1 ~25.2:1.1\n25 group group-1 ~25.2:1.2\n");
	cr_assert_eq(kit->stats.due_deliveries, 40);
	kit_free(kit);
}

Test(scenario_send, some_members_of_each_group_send)
{
	struct kit *kit = kit_new("send-to-group", &few, 0, 40);
	uint32_t senders[2] = { 0 };

	kit_start(kit);
	for (int i = 0; i < 2000; i++)
		cr_assert(kit_due(kit, 7));
	for (uint32_t i = 0; i < 40; i++)
		senders[i / 20] += kit->worker.clients[i].seq > 0;
	cr_assert_eq(senders[0], SENDERS_MAX);
	cr_assert_eq(senders[1], SENDERS_MAX);
	kit_free(kit);
}

Test(scenario_send, the_same_seed_makes_the_same_choices)
{
	struct kit *one = kit_new("send-to-group", &few, 0, 40);
	struct kit *two = kit_new("send-to-group", &few, 0, 40);

	kit_start(one);
	kit_start(two);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(kit_due(one, i), kit_due(two, i));
	cr_assert(slice_equal(buf_slice(&one->said), buf_slice(&two->said)));
	kit_free(one);
	kit_free(two);
}
