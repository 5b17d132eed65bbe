/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts as active, and which of the three ends is told, first alone, then over the
 * life of connections.
 */
#include "gateway/meter.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define WS LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS
#define SSE LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS
#define LP LINK__TRANSPORT__TRANSPORT_LONG_POLLING

static uint64_t ended(const struct meter *meter, enum meter_status status,
		      Link__Transport transport)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LIFETIMES_BUCKETS; i++)
		n += meter->durations[status][transport].buckets[i];
	return n;
}

/* ---- alone */

Test(meter, each_transport_counts_for_itself)
{
	struct meter meter = { .active = { 0 } };

	meter_start(&meter, WS);
	meter_start(&meter, WS);
	meter_start(&meter, SSE);
	meter_start(&meter, LP);
	meter_stop(&meter, WS, CONN_CLOSE_CLIENT, false, 2000);
	cr_expect_eq(meter.active[WS], 1);
	cr_expect_eq(meter.active[SSE], 1);
	cr_expect_eq(meter.active[LP], 1);
	cr_expect_eq(ended(&meter, METER_NORMAL, WS), 1);
	cr_expect_eq(ended(&meter, METER_NORMAL, SSE), 0);
	cr_expect_eq(meter.durations[METER_NORMAL][WS].sum_us, 2000000);
}

Test(meter, only_deadlines_and_our_own_end_are_no_normal_closures)
{
	for (int reason = 0; reason < CONN_CLOSE_COUNT; reason++) {
		struct meter meter = { .active = { 0 } };
		enum meter_status status = METER_NORMAL;

		if (reason == CONN_CLOSE_TIMEOUT)
			status = METER_TIMEOUT;
		if (reason == CONN_CLOSE_SHUTDOWN)
			status = METER_SHUTDOWN;
		meter_start(&meter, LP);
		meter_stop(&meter, LP, (enum conn_close_reason)reason, false, 0);
		cr_expect_eq(ended(&meter, status, LP), 1, "%s",
			     conn_close_name((enum conn_close_reason)reason));
	}
}

Test(meter, what_is_overdue_is_a_timeout)
{
	struct meter meter = { .active = { 0 } };

	meter_start(&meter, LP);
	meter_stop(&meter, LP, CONN_CLOSE_TRANSPORT, true, 15000);
	cr_expect_eq(ended(&meter, METER_TIMEOUT, LP), 1);
	cr_expect_eq(ended(&meter, METER_NORMAL, LP), 0);
}

Test(meter, a_clock_that_was_set_back_makes_no_long_life)
{
	struct meter meter = { .active = { 0 } };

	meter_start(&meter, WS);
	meter_stop(&meter, WS, CONN_CLOSE_CLIENT, false, -5000);
	cr_expect_eq(ended(&meter, METER_NORMAL, WS), 1);
	cr_expect_eq(meter.durations[METER_NORMAL][WS].sum_us, 0);
}

/* ---- in a gateway */

static struct kit kit;

static void setup(void)
{
	kit_up(&kit);
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(meter_life, .init = setup, .fini = teardown);

Test(meter_life, a_connection_counts_from_its_transport_to_its_end)
{
	const struct meter *meter = &kit.metrics->meter;
	struct wire *wire = kit_dial(&kit, 'A', NULL);

	cr_expect_eq(meter->active[WS], 1, "before the handshake as well");
	kit_wait(&kit, 1200);
	conn_on_end(wire->conn, CONN_CLOSE_CLIENT);
	wire_expect_end(wire, "closed");
	cr_expect_eq(meter->active[WS], 0);
	cr_expect_eq(ended(meter, METER_NORMAL, WS), 1);
	cr_expect_eq(meter->durations[METER_NORMAL][WS].sum_us, 1200000);
}

Test(meter_life, a_handshake_that_does_not_come_is_a_timeout)
{
	const struct meter *meter = &kit.metrics->meter;
	struct wire *wire = kit_dial(&kit, 'A', NULL);

	kit_wait(&kit, 10000);
	wire_expect_end(wire, "closed");
	cr_expect_eq(ended(meter, METER_TIMEOUT, WS), 1);
}

Test(meter_life, a_client_that_falls_silent_is_a_timeout)
{
	const struct meter *meter = &kit.metrics->meter;
	struct wire *wire = kit_open(&kit, 'A', NULL);

	wire_in(wire, "{\"type\":6}~");
	kit_wait(&kit, 30000);
	cr_expect_eq(meter->active[WS], 0);
	cr_expect_eq(ended(meter, METER_TIMEOUT, WS), 1);
}

Test(meter_life, a_stateful_one_is_active_without_a_transport_and_ends_overdue)
{
	const struct meter *meter = &kit.metrics->meter;
	struct wire *wire = kit_open_stateful(&kit, 'A');

	conn_on_end(wire->conn, CONN_CLOSE_TRANSPORT);
	wire_expect_end(wire, "aborted");
	cr_expect_eq(meter->active[WS], 1);
	cr_expect_eq(ended(meter, METER_NORMAL, WS), 0);
	kit_wait(&kit, 5000);
	cr_expect_eq(meter->active[WS], 0);
	cr_expect_eq(ended(meter, METER_TIMEOUT, WS), 1);
}
