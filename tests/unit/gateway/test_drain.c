/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM: clients go at a pace, and the process when everybody knows.
 */
#include "gateway/drain.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CLIENTS_MAX 2000

static void drain(struct kit *kit)
{
	gateway_proc_ops.drain(&kit->proc, kit->gateway);
	kit_turn(kit);
}

Test(drain, an_empty_gateway_is_done_at_once)
{
	struct kit kit;

	kit_up(&kit);
	drain(&kit);
	cr_expect(kit.proc.is_edge_drained);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

Test(drain, clients_are_told_to_come_back_elsewhere)
{
	struct kit kit;
	struct wire *wire;
	struct wire *half;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	half = kit_dial(&kit, 'H', NULL);
	drain(&kit);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	wire_expect_end(wire, "closed");
	wire_expect(half, "");
	wire_expect_end(half, "closed");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 2);
	kit_stop(&kit);
}

Test(drain, waits_until_the_shards_know)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	drain(&kit);
	kit_wait(&kit, 1000);
	cr_expect_not(kit.proc.is_drained);
	kit_settle(&kit);
	kit_wait(&kit, 19);
	cr_expect_not(kit.proc.is_drained);
	kit_wait(&kit, 1);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

Test(drain, waits_until_the_transports_are_through)
{
	struct kit kit;

	kit_up(&kit);
	kit.metrics->ws_sockets = 1;
	drain(&kit);
	cr_expect_not(kit.proc.is_drained);
	kit.metrics->ws_sockets = 0;
	kit_wait(&kit, 20);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

static void dial_many(struct kit *kit, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wire *wire = kit_dial(kit, 'H', NULL);

		/* Under an id of its own. */
		map_remove(&kit->gateway->conns, &wire->conn->node);
		memcpy(wire->conn->id, &i, sizeof(i));
		map_add(&kit->gateway->conns, &wire->conn->node,
			slice_make(wire->conn->id, CONN_ID_LEN));
	}
}

Test(drain, a_few_go_all_at_once)
{
	struct kit kit;

	kit_up(&kit);
	dial_many(&kit, 50);
	drain(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 50);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

Test(drain, one_more_takes_another_tick)
{
	struct kit kit;

	kit_up(&kit);
	dial_many(&kit, 51);
	drain(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 50);
	kit_wait(&kit, 20);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

/* drain_timeout is 2 s, so there is 1 s: 51 ticks. */
Test(drain, many_go_evenly_and_within_half_the_time)
{
	struct kit kit;
	uint64_t last = 0;
	uint64_t largest = 0;

	kit_init(&kit);
	kit.conf->proc.drain_ms = 400;
	kit_start(&kit);
	dial_many(&kit, CLIENTS_MAX);
	drain(&kit);
	for (int ms = 0; ms < 200; ms += 20) {
		const uint64_t gone = kit.metrics->close_total[CONN_CLOSE_SHUTDOWN];

		largest = gone - last > largest ? gone - last : largest;
		last = gone;
		kit_wait(&kit, 20);
	}
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], CLIENTS_MAX);
	cr_expect_leq(largest, CLIENTS_MAX / 11 + 1);
	kit_wait(&kit, 20);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

Test(drain, without_time_all_go_at_once)
{
	struct kit kit;

	kit_init(&kit);
	kit.conf->proc.drain_ms = 0;
	kit_start(&kit);
	dial_many(&kit, 200);
	drain(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 200);
	kit_stop(&kit);
}

Test(drain, a_stop_in_the_middle_leaves_nothing)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	dial_many(&kit, 60);
	drain(&kit);
	kit_stop(&kit);
}
