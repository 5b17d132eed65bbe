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
#define CALL "{\"type\":1,\"invocationId\":\"1\",\"target\":\"m\",\"arguments\":[]}~"

static void drain(struct kit *kit)
{
	gateway_proc_ops.drain(&kit->proc, kit->gateway);
	kit_turn(kit);
}

/* A tick later: presence is told first. */
static void expect_drained(struct kit *kit)
{
	kit_wait(kit, 20);
	cr_expect(kit->proc.is_drained);
}

Test(drain, an_empty_gateway_is_done_at_once)
{
	struct kit kit;

	kit_up(&kit);
	drain(&kit);
	cr_expect(kit.proc.is_edge_drained);
	expect_drained(&kit);
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
	kit_wait(&kit, DRAIN_HANDSHAKE_MS);
	drain(&kit);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	wire_expect_end(wire, "closed");
	wire_expect(half, "");
	wire_expect_end(half, "closed");
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 2);
	kit_stop(&kit);
}

Test(drain, tells_when_it_began_and_when_it_ends)
{
	struct kit kit;
	int64_t now;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	cr_expect_eq(kit.metrics->drain_begin_seconds, 0);
	cr_expect_eq(kit.metrics->drain_end_seconds, 0);
	drain(&kit);
	now = loop_unix_ms(kit.gateway->loop) / 1000;
	cr_expect_leq(kit.metrics->drain_begin_seconds, now);
	cr_expect_geq(kit.metrics->drain_begin_seconds, now - 1);
	cr_expect_eq(kit.metrics->drain_end_seconds,
		     kit.metrics->drain_begin_seconds +
			     kit.gateway->conf->proc.drain_ms / 1000);
	kit_settle(&kit);
	kit_wait(&kit, 20);
	kit_stop(&kit);
}

Test(drain, who_is_shaking_hands_is_told_when_that_is_done)
{
	struct kit kit;
	struct wire *wire;
	struct wire *slow;

	kit_init(&kit);
	kit.conf->proc.drain_ms = 10000;
	kit_start(&kit);
	slow = kit_dial(&kit, 'S', NULL);
	kit_wait(&kit, 1000);
	wire = kit_dial(&kit, 'A', NULL);
	drain(&kit);
	kit_wait(&kit, DRAIN_HANDSHAKE_MS - 1000 - 1);
	wire_expect_end(wire, "open");
	wire_expect_end(slow, "open");
	wire_in(wire, "{\"protocol\":\"json\",\"version\":1}~");
	kit_wait(&kit, 20);
	wire_expect(wire, "{}~{\"type\":7,\"allowReconnect\":true}~");
	wire_expect_end(wire, "closed");
	wire_expect_end(slow, "closed");
	kit_stop(&kit);
}

Test(drain, who_is_shaking_hands_at_the_end_of_the_time_is_not_waited_for)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->proc.drain_ms = 1000;
	kit_start(&kit);
	wire = kit_dial(&kit, 'A', NULL);
	drain(&kit);
	kit_wait(&kit, 480);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 20);
	wire_expect_end(wire, "closed");
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
	expect_drained(&kit);
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
	kit.metrics->sse_sockets = 1;
	kit_wait(&kit, 20);
	cr_expect_not(kit.proc.is_drained);
	kit.metrics->sse_sockets = 0;
	kit_wait(&kit, 20);
	expect_drained(&kit);
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
	/* As who does not shake hands. */
	kit_wait(kit, DRAIN_HANDSHAKE_MS);
}

/* evict_rate is 500: 10 a tick. */
Test(drain, a_tick_sends_away_what_the_rate_allows)
{
	struct kit kit;

	kit_up(&kit);
	dial_many(&kit, 10);
	drain(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 10);
	cr_expect_eq(kit.metrics->drain_evicted_total, 10);
	expect_drained(&kit);
	kit_stop(&kit);
}

Test(drain, one_more_takes_another_tick)
{
	struct kit kit;

	kit_up(&kit);
	dial_many(&kit, 11);
	drain(&kit);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 10);
	kit_wait(&kit, 20);
	cr_expect_eq(kit.metrics->close_total[CONN_CLOSE_SHUTDOWN], 11);
	expect_drained(&kit);
	kit_stop(&kit);
}

Test(drain, listens_for_a_while_when_asked_to)
{
	struct kit kit;
	struct wire *wire;

	kit_init(&kit);
	kit.conf->drain_delay_ms = 1000;
	kit.conf->proc.drain_ms = 4000;
	kit_start(&kit);
	kit_settle(&kit);
	wire = kit_open(&kit, 'A', NULL);
	drain(&kit);
	kit_wait(&kit, 999);
	cr_expect_not(kit.proc.is_edge_drained);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 1);
	cr_expect(kit.proc.is_edge_drained);
	wire_expect(wire, "{\"type\":7,\"allowReconnect\":true}~");
	kit_stop(&kit);
}

Test(drain, a_client_hears_of_its_call_before_it_goes)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL);
	kit_settle(&kit);
	drain(&kit);
	kit_wait(&kit, 500);
	wire_expect_end(wire, "open");
	kit_complete(&kit, 'A', 1, "{\"type\":3,\"invocationId\":\"1\"}\x1e");
	wire_expect(wire, "{\"type\":3,\"invocationId\":\"1\"}~"
			  "{\"type\":7,\"allowReconnect\":true}~");
	wire_expect_end(wire, "closed");
	kit_stop(&kit);
}

/* drain_timeout is 2 s, half of it for the telling. */
Test(drain, a_call_that_does_not_end_is_not_waited_for_past_the_time)
{
	struct kit kit;
	struct wire *wire;

	kit_up(&kit);
	wire = kit_open(&kit, 'A', NULL);
	wire_in(wire, CALL);
	drain(&kit);
	kit_wait(&kit, 980);
	wire_expect_end(wire, "open");
	kit_wait(&kit, 20);
	wire_expect_end(wire, "closed");
	kit_stop(&kit);
}

Test(drain, what_is_cut_is_counted)
{
	struct kit kit;

	kit_up(&kit);
	(void)kit_open(&kit, 'A', NULL);
	kit.proc.is_draining = true;
	drain_stop(kit.gateway);
	cr_expect_eq(kit.metrics->drain_cut_total, 1);
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
	expect_drained(&kit);
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
