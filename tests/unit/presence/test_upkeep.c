/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the store is swept and settled: in slices, and not while gateways were not heard
 * because of us.
 */
#include "presence/upkeep.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "presence/store_memory.h"
#include "tests/unit/presence/store_slow.h"

#define LEASE_MS 300
#define GATEWAY_LEASE_MS 20
#define DEADLINE_US 20000000

static struct presence presence;
static struct presence_conf conf;
static uint64_t registration;

static void on_registered(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	registration = answer->registration;
}

static void on_added(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	cr_assert_eq(answer->rc, OK);
}

/* Its lease is short, and nobody renews it. */
static void gateway_with(unsigned connections, int64_t lease_ms)
{
	const struct session_gateway_id id = { SLICE("g1"), 1 };
	struct store_call call;
	char name[16];

	store_call_init(&call, on_registered);
	presence.store->ops->gateway_new(presence.store, &id, lease_ms, &call);
	for (unsigned i = 0; i < connections; i++) {
		const struct session_info info = {
			.hub = SLICE("chat"),
			.connection = { name,
					(size_t)snprintf(name, sizeof(name), "u%u", i) },
			.user_id = info.connection,
		};

		store_call_init(&call, on_added);
		presence.store->ops->add(presence.store, registration, &info, &call);
	}
}

static void setup(void)
{
	const struct store_memory_options options = { .sessions_max = 10000,
						      .events_max = 100,
						      .seed = 1 };

	conf.link.lease_ms = LEASE_MS;
	presence.conf = &conf;
	presence.loop = loop_new();
	presence.store = store_slow_new(store_memory_new(presence.loop, &options));
	processes_init(&presence.processes, &presence);
	resharding_init(&presence.resharding, &presence);
	homes_init(&presence.homes, &presence);
}

static void teardown(void)
{
	upkeep_fini(&presence.upkeep);
	homes_fini(&presence.homes);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(upkeep, .init = setup, .fini = teardown, .timeout = 60);

#define UNTIL(condition)                                                                 \
	for (const int64_t end_us = loop_clock_us() + DEADLINE_US; !(condition);) {      \
		cr_assert(loop_clock_us() < end_us, "never: %s", #condition);            \
		loop_turn(presence.loop, 5);                                             \
	}

Test(upkeep, a_lease_that_ran_out_is_noticed_by_itself)
{
	upkeep_init(&presence.upkeep, &presence, false);
	gateway_with(3, GATEWAY_LEASE_MS);
	UNTIL(presence.metrics.dropped_total == 3);
	UNTIL(presence.metrics.sweep_total >= 2);
}

Test(upkeep, a_slice_is_five_hundred_and_one_a_turn)
{
	uint64_t slices;

	upkeep_init(&presence.upkeep, &presence, false);
	gateway_with(2200, GATEWAY_LEASE_MS);
	UNTIL(presence.metrics.dropped_total > 0);
	slices = presence.metrics.sweep_total;
	cr_expect_eq(presence.metrics.dropped_total, 500);
	while (presence.metrics.dropped_total < 2200) {
		loop_turn(presence.loop, 5);
		cr_assert_leq(presence.metrics.sweep_total, slices + 1);
		slices = presence.metrics.sweep_total;
		cr_expect_eq(presence.upkeep.swept_n % 500, 0); /* 0 once it was said */
	}
	cr_expect_eq(presence.upkeep.swept_n, 0);
}

Test(upkeep, a_shared_store_is_not_swept_before_all_could_be_heard)
{
	int64_t begun_us = loop_clock_us();

	upkeep_init(&presence.upkeep, &presence, true);
	gateway_with(1, GATEWAY_LEASE_MS);
	UNTIL(presence.metrics.sweep_total == 1);
	cr_expect_geq(loop_clock_us() - begun_us, LEASE_MS * 1000);
}

Test(upkeep, after_a_stall_nobody_is_swept_for_a_lease)
{
	upkeep_init(&presence.upkeep, &presence, false);
	gateway_with(1, GATEWAY_LEASE_MS);
	/* The timer is late: as if we had stood still. */
	presence.upkeep.sweep_due_ms = loop_now_ms(presence.loop) - 5000;
	loop_timer_start(presence.loop, &presence.upkeep.sweep_timer, 0);
	loop_turn(presence.loop, 5);
	loop_turn(presence.loop, 5);
	cr_expect_eq(presence.metrics.sweep_total, 0);
	cr_expect_gt(presence.upkeep.sweep_after_ms, loop_now_ms(presence.loop));
	UNTIL(presence.metrics.dropped_total == 1);
}

Test(upkeep, the_quiet_ends_after_a_lease)
{
	gateway_with(1200, 600000);
	upkeep_init(&presence.upkeep, &presence, false);
	cr_expect_eq(presence.metrics.online_total, 0);
	UNTIL(presence.metrics.online_total > 0);
	cr_expect_not(presence.upkeep.is_settled); /* not with its first slice */
	UNTIL(presence.upkeep.is_settled);
	cr_expect_eq(presence.metrics.online_total, 1200);
	cr_expect_not(timer_is_running(&presence.upkeep.settle_timer));
}

Test(upkeep, what_begins_anew_is_quiet_for_another_lease)
{
	upkeep_init(&presence.upkeep, &presence, false);
	loop_timer_start(presence.loop, &presence.upkeep.settle_timer, 0);
	upkeep_lost(&presence.upkeep);
	loop_turn(presence.loop, 5);
	gateway_with(1, 600000);
	cr_expect(timer_is_running(&presence.upkeep.settle_timer));
	cr_expect_eq(presence.metrics.online_total, 0);
	UNTIL(presence.metrics.online_total == 1);
}

Test(upkeep, what_begins_anew_is_not_settled_any_more)
{
	upkeep_init(&presence.upkeep, &presence, false);
	UNTIL(presence.upkeep.is_settled);
	upkeep_lost(&presence.upkeep);
	cr_expect_not(presence.upkeep.is_settled);
	UNTIL(presence.upkeep.is_settled);
}

/* The teardown does the rest: the store answers when the timers have been stopped. */
Test(upkeep, what_is_retired_at_the_end_starts_nothing)
{
	upkeep_init(&presence.upkeep, &presence, false);
	gateway_with(1, 600000);
	store_slow_hold(presence.store, true);
	online_retire(&presence, registration);
}

/* What happens when the timer does that is due: time decides nothing here. */
static void settle_timer_rings(void)
{
	loop_timer_start(presence.loop, &presence.upkeep.settle_timer, 0);
	loop_turn(presence.loop, 5);
	loop_turn(presence.loop, 5);
}

static void sweep_timer_rings(void)
{
	presence.upkeep.sweep_due_ms = loop_now_ms(presence.loop);
	loop_timer_start(presence.loop, &presence.upkeep.sweep_timer, 0);
	loop_turn(presence.loop, 5);
	loop_turn(presence.loop, 5);
}

Test(upkeep, who_starts_while_the_store_is_away_gives_a_lease_when_it_comes)
{
	int64_t come_us;

	store_slow_leave(presence.store, true);
	upkeep_init(&presence.upkeep, &presence, true);
	gateway_with(1, 600000);
	cr_expect_not(timer_is_running(&presence.upkeep.settle_timer));
	settle_timer_rings();
	cr_expect_eq(presence.metrics.online_total, 0);
	cr_expect_not(timer_is_running(&presence.upkeep.settle_timer));
	store_slow_leave(presence.store, false);
	come_us = loop_clock_us();
	UNTIL(presence.metrics.online_total == 1);
	cr_expect_geq(loop_clock_us() - come_us, LEASE_MS * 1000);
	cr_expect_eq(presence.metrics.store_failed_total, 0);
}

Test(upkeep, the_lease_before_the_end_of_the_quiet_begins_again_after_an_outage)
{
	upkeep_init(&presence.upkeep, &presence, false);
	gateway_with(1, 600000);
	store_slow_leave(presence.store, true);
	sweep_timer_rings();
	cr_expect_not(timer_is_running(&presence.upkeep.settle_timer));
	store_slow_leave(presence.store, false);
	sweep_timer_rings();
	cr_expect(timer_is_running(&presence.upkeep.settle_timer));
	cr_expect_eq(presence.metrics.online_total, 0);
	UNTIL(presence.metrics.online_total == 1);
}
