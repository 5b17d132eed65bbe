/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams both ways and questions: what is counted when all goes well, and when not.
 */
#include <stdio.h>

#include "tests/unit/bench/scenario/scenario_kit.h"

static const struct bench_conf few = { .connections = 2, .size = 50, .negotiate = true };

static struct kit *started(const char *scenario, uint32_t n)
{
	struct kit *kit = kit_new(scenario, &few, 0, n);

	kit_start(kit);
	return kit;
}

static void item(struct kit *kit, int number)
{
	char text[64];
	const int len = snprintf(text, sizeof(text), "%050d", number);

	kit->worker.scenario->on_item(&kit->worker.clients[0], 0,
				      slice_make(text, (size_t)len));
}

Test(scenario_stream, one_stream_at_a_time_item_by_item)
{
	struct kit *kit = started("stream", 1);

	cr_assert(kit_due(kit, 7));
	kit_expect(kit, "0 stream #0 100x50\n");
	cr_assert_not(kit_due(kit, 7));
	for (int i = 0; i < 100; i++)
		item(kit, i);
	kit_answer(kit, 0, 0, SLICE(""));
	cr_assert(kit_due(kit, 7));
	item(kit, 0);
	cr_assert_eq(kit->stats.due_deliveries, 200);
	cr_assert_eq(kit->stats.deliveries, 101);
	cr_assert_eq(kit->stats.delivered_bytes, 5050);
	cr_assert_eq(kit->stats.gaps + kit->stats.duplicates + kit->stats.malformed, 0);
	kit_free(kit);
}

Test(scenario_stream, items_lost_doubled_and_swapped_are_found)
{
	struct kit *kit = started("stream", 1);

	cr_assert(kit_due(kit, 7));
	item(kit, 0);
	item(kit, 2);
	cr_assert_eq(kit->stats.gaps, 1);
	item(kit, 1);
	cr_assert_eq(kit->stats.reordered, 1);
	item(kit, 1);
	cr_assert_eq(kit->stats.duplicates, 1);
	cr_assert_eq(kit->stats.deliveries, 3);
	kit_answer(kit, 0, 0, SLICE("")); /* the other 97 never came */
	cr_assert(kit_due(kit, 7));
	item(kit, 0);
	cr_assert_eq(kit->stats.gaps, 2);
	cr_assert_eq(ledger_missing(kit->worker.ledger), 97);
	kit_free(kit);
}

Test(scenario_stream, what_is_no_item_is_malformed)
{
	static const char *const texts[] = {
		"",
		"0",
		"x0000000000000000000000000000000000000000000000000",
		"00000000000000000000000000000000000000000000000100",
		"-0000000000000000000000000000000000000000000000001",
		"000000000000000000000000000000000000000000000000000",
	};
	struct kit *kit = started("stream", 1);
	const size_t n = sizeof(texts) / sizeof(texts[0]);

	item(kit, 0); /* nobody asked */
	cr_assert(kit_due(kit, 7));
	for (size_t i = 0; i < n; i++)
		kit->worker.scenario->on_item(&kit->worker.clients[0], 0,
					      slice_from_str(texts[i]));
	cr_assert_eq(kit->stats.malformed, n + 1);
	item(kit, 99);
	cr_assert_eq(kit->stats.deliveries, 1);
	kit_free(kit);
}

Test(scenario_stream, a_lost_connections_stream_is_over)
{
	struct kit *kit = started("stream", 1);

	kit->worker.scenario->on_ready(&kit->worker.clients[0]);
	cr_assert_eq(kit->worker.clients[0].seq, 0);
	cr_assert(kit_due(kit, 7));
	kit->worker.scenario->on_ready(&kit->worker.clients[0]);
	cr_assert_eq(kit->worker.clients[0].seq, 100);
	cr_assert(kit_due(kit, 7));
	kit_free(kit);
}

Test(scenario_stream, an_upload_is_all_items_and_its_end)
{
	struct kit *kit = started("upload", 1);
	struct buf expected = BUF_INIT;

	cr_assert(kit_due(kit, 7));
	buf_append_str(&expected, "0 upload #0\n");
	for (int i = 1; i <= 100; i++)
		buf_appendf(&expected, "0 item id=0 ~0.%d:0.%d\n", TARGET_STREAM, i);
	buf_append_str(&expected, "0 end id=0\n");
	buf_append_byte(&expected, '\0');
	kit_expect(kit, buf_slice(&expected).ptr);
	buf_fini(&expected);
	cr_assert_eq(kit->stats.due_deliveries, 100);
	kit_answer(kit, 0, 0, SLICE("100"));
	cr_assert_eq(kit->stats.deliveries, 100);
	kit_free(kit);
}

Test(scenario_stream, what_the_server_counts_is_what_was_delivered)
{
	static const struct {
		const char *result;
		uint64_t deliveries, duplicates, malformed;
	} rows[] = {
		{ "0", 0, 0, 0 },  { "99", 99, 0, 0 }, { "101", 100, 1, 0 },
		{ "-1", 0, 0, 1 }, { "", 0, 0, 1 },    { "many", 0, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit *kit = started("upload", 1);

		cr_assert(kit_due(kit, 7));
		kit_forget(kit);
		kit_answer(kit, 0, 0, slice_from_str(rows[i].result));
		cr_assert_eq(kit->stats.deliveries, rows[i].deliveries, "%s",
			     rows[i].result);
		cr_assert_eq(kit->stats.duplicates, rows[i].duplicates);
		cr_assert_eq(kit->stats.malformed, rows[i].malformed);
		kit_free(kit);
	}
}

Test(scenario_stream, an_upload_that_failed_is_lost)
{
	struct kit *kit = started("upload", 1);

	cr_assert(kit_due(kit, 7));
	kit_forget(kit);
	kit_answer_error(kit, 0, 0);
	cr_assert_eq(kit->stats.due_deliveries - kit->stats.deliveries, 100);
	cr_assert_eq(kit->stats.malformed, 0);
	kit_free(kit);
}

/* ---- client-results */

/* Client 0 asks 1, since only 0 can be chosen. */
static struct kit *asked(void)
{
	struct kit *kit = started("client-results", 2);

	while (kit->worker.clients[0].calls == 0)
		cr_assert(kit_due(kit, 7));
	return kit;
}

Test(scenario_stream, a_question_is_answered_with_itself)
{
	struct kit *kit = asked();
	const uint64_t before = kit->stats.deliveries;

	kit_forget(kit);
	kit->worker.scenario->on_question(&kit->worker.clients[1], SLICE("q7"),
					  kit_payload(kit));
	kit_expect(kit, "1 answer id=q7 ~0.4:1.1\n");
	cr_assert_eq(kit->stats.deliveries, before + 1);
	kit_answer(kit, 0, 0, kit_payload(kit));
	cr_assert_eq(kit->stats.strangers + kit->stats.malformed, 0);
	kit_free(kit);
}

Test(scenario_stream, an_answer_to_another_is_found)
{
	struct kit *kit = asked();

	kit_forget(kit);
	kit->worker.scenario->on_question(&kit->worker.clients[0], SLICE("q7"),
					  kit_payload(kit)); /* meant for 1 */
	cr_assert_eq(kit->stats.strangers, 1);
	kit_answer(kit, 1, 0, kit_payload(kit));
	cr_assert_eq(kit->stats.strangers, 2);
	kit_answer(kit, 0, 1, kit_payload(kit)); /* to another question of its own */
	cr_assert_eq(kit->stats.strangers, 3);
	kit_answer(kit, 0, 0, SLICE("what?"));
	kit_answer(kit, 0, 0, slice_make(kit->payload, kit->payload_len - 1));
	cr_assert_eq(kit->stats.malformed, 2);
	kit_answer_error(kit, 0, 0);
	cr_assert_eq(kit->stats.malformed, 2);
	kit_free(kit);
}
