/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When processes are given up: not for what presence itself did not hear because it stood
 * still, and not before it has read what waits. The clock is real, so the past is made by
 * dating back what was noted.
 */
#include "presence/process.h"

#include <criterion/criterion.h>

#include "presence/on_peer.h"
#include "presence/presence.h"
#include "presence/store_memory.h"
#include "proto/link/link_private.h"

#define LEASE_MS 1000
#define TURN_MS 20

static struct presence presence;
static struct presence_conf conf;
static struct process *r1;
static struct process *r2;

static struct process *expect(const char *name)
{
	struct link_peer *peer =
		link_expect(presence.link, LINK__ROLE__ROLE_ROUTER, name);

	peer->incarnation = 7; /* as after a greeting */
	process_new(&presence.processes, peer);
	return process_of(peer);
}

static void setup(void)
{
	struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.name = "p1",
		.incarnation = 1,
		.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = 65536,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 5000,
		.ops = &presence_link_ops,
		.owner = &presence,
		.stats = &presence.metrics.link,
	};

	const struct store_memory_options store_options = { .sessions_max = 1,
							    .events_max = 1,
							    .seed = 1 };

	conf.link.lease_ms = LEASE_MS;
	presence.conf = &conf;
	presence.loop = loop_new();
	presence.link = link_new(presence.loop, &options);
	processes_init(&presence.processes, &presence);
	resharding_init(&presence.resharding, &presence);
	homes_init(&presence.homes, &presence);
	presence.store = store_memory_new(presence.loop, &store_options);
	upkeep_init(&presence.upkeep, &presence, false);
	topology_init(&presence.topology, &presence, LEASE_MS);
	r1 = expect("r1");
	r2 = expect("r2");
}

static void teardown(void)
{
	topology_fini(&presence.topology);
	upkeep_fini(&presence.upkeep);
	homes_fini(&presence.homes);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	link_free(presence.link);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(process, .init = setup, .fini = teardown, .timeout = 60);

/* The leases of both ran out so long ago, and the timer comes in the next turn. */
static void overdue(int64_t late_ms)
{
	const int64_t now_ms = loop_now_ms(presence.loop);

	r1->lease.seen_ms = r2->lease.seen_ms = now_ms - LEASE_MS - late_ms;
	presence.processes.due_ms = now_ms - late_ms;
	loop_timer_start(presence.loop, &presence.processes.timer, 0);
}

static void renew(struct process *process)
{
	Link__Lease lease = LINK__LEASE__INIT;

	lease.lease_ms = LEASE_MS;
	process_renew(&presence.processes, process, &lease);
}

static void turn(void)
{
	loop_turn(presence.loop, TURN_MS);
}

Test(process, a_word_read_first_does_not_hide_that_it_stood_still)
{
	overdue(2000);
	renew(r1);
	turn();
	cr_expect_eq(presence.metrics.stalled_total, 1);
	cr_expect_eq(presence.metrics.lease_expired_total, 0);
	cr_expect_eq(presence.processes.leases.n, 2);
}

Test(process, who_stays_silent_through_the_second_look_is_given_up)
{
	overdue(1);
	turn();
	cr_assert(presence.processes.is_second_look);
	cr_expect_eq(presence.processes.leases.n, 2);
	renew(r1);
	presence.processes.due_ms = loop_now_ms(presence.loop);
	loop_timer_start(presence.loop, &presence.processes.timer, 0);
	turn();
	cr_expect_not(presence.processes.is_second_look);
	cr_expect_eq(presence.metrics.stalled_total, 0);
	cr_expect_eq(presence.metrics.lease_expired_total, 1);
	cr_expect_eq(presence.processes.leases.n, 1);
	cr_expect_not_null(process_of(r1->peer));
}

Test(process, a_stall_during_the_second_look_is_seen_too)
{
	overdue(1);
	turn();
	cr_assert(presence.processes.is_second_look);
	overdue(2000);
	renew(r1);
	turn();
	cr_expect_eq(presence.metrics.stalled_total, 1);
	cr_expect_eq(presence.processes.leases.n, 2);
	cr_expect_not(presence.processes.is_second_look);
	cr_expect(timer_is_running(&presence.processes.timer));
}

Test(process, a_late_timer_is_set_again_for_those_who_were_heard)
{
	overdue(1);
	renew(r1);
	renew(r2);
	turn();
	cr_expect_not(presence.processes.is_second_look);
	cr_expect_eq(presence.metrics.stalled_total, 0);
	cr_expect(timer_is_running(&presence.processes.timer));
	cr_expect_eq(presence.processes.due_ms,
		     leases_due_ms(&presence.processes.leases));
}

Test(process, who_ends_in_order_is_not_waited_for)
{
	Link__Lease last = LINK__LEASE__INIT;

	last.lease_ms = 1;
	last.is_last = true;
	process_renew(&presence.processes, r1, &last);
	for (int i = 0; i < 200 && presence.processes.leases.n == 2; i++) {
		renew(r2);
		turn();
	}
	cr_expect_eq(presence.processes.leases.n, 1);
	cr_expect_eq(presence.metrics.process_lost_total, 0);
	cr_expect_eq(presence.metrics.lease_expired_total, 0);
}
