/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When nobody new is let in, and under which name that is counted.
 */
#include "gateway/room.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CONNECTIONS_MAX 2

static struct kit kit;

static void setup(void)
{
	kit_init(&kit);
	kit.conf->connections_max = CONNECTIONS_MAX;
	kit_start(&kit);
}

static void teardown(void)
{
	kit_stop(&kit);
}

TestSuite(room, .init = setup, .fini = teardown);

static void expect_refused(bool is_refused)
{
	cr_expect_eq(room_is_there(kit.gateway), !is_refused);
}

Test(room, newcomers_are_let_in)
{
	expect_refused(false);
}

Test(room, newcomers_are_refused_at_connections_max)
{
	(void)kit_open(&kit, 'A', NULL);
	expect_refused(false);
	(void)kit_open(&kit, 'B', NULL);
	expect_refused(true);
	room_count_refused(kit.gateway);
	cr_expect_eq(kit.metrics->connections_refused_total, 1);
	cr_expect_eq(kit.metrics->memory_refused_total, 0);
}

Test(room, transports_that_end_count_as_well_and_together)
{
	int64_t *counts[] = { &kit.metrics->ws_sockets, &kit.metrics->sse_sockets,
			      &kit.metrics->lp_transports };

	for (size_t i = 0; i < 3; i++) {
		int64_t *other = counts[(i + 1) % 3];

		*counts[i] = CONNECTIONS_MAX - 1;
		expect_refused(false);
		*other = 1;
		expect_refused(true);
		*other = 0;
		*counts[i] = CONNECTIONS_MAX;
		expect_refused(true);
		*counts[i] = 0;
	}
}

Test(room, newcomers_are_refused_while_it_drains)
{
	kit.proc.is_draining = true;
	expect_refused(true);
}

Test(room, newcomers_are_refused_until_every_router_has_been_heard)
{
	const uint64_t incarnation = kit.gateway->routers.items[0]->incarnation;

	kit.gateway->routers.items[0]->incarnation = 0;
	expect_refused(true);
	kit.gateway->routers.items[0]->incarnation = incarnation;
	expect_refused(false);
}

Test(room, newcomers_are_refused_while_memory_is_short)
{
	kit.gateway->memory.level = MEMORY_SHORT;
	expect_refused(true);
	kit.gateway->memory.level = MEMORY_CRITICAL;
	expect_refused(true);
	room_count_refused(kit.gateway);
	cr_expect_eq(kit.metrics->memory_refused_total, 1);
	cr_expect_eq(kit.metrics->connections_refused_total, 0);
	kit.gateway->memory.level = MEMORY_FINE;
	expect_refused(false);
}
