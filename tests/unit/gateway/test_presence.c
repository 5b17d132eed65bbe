/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the replicas of presence are told: all that this gateway lives, the home who is
 * here. `kit_home(kit, 0)` is the replica that is best for it.
 */
#include "gateway/presence.h"

#include <criterion/criterion.h>

#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define HELLO "{\"protocol\":\"json\",\"version\":1}~"
#define OPENED(letter, user)                                                             \
	"Opened " letter " user=" user " remote=10.0.0.9:1 agent=test; "
#define OPENED_TOLD(letter, user)                                                        \
	"Opened " letter " user=" user " remote=10.0.0.9:1 agent=test told; "

static struct kit kit;

/* The one at that place in this gateway's order. */
static struct link_peer *replica(size_t place)
{
	const struct replicas *presence = &kit.gateway->presence;

	return presence->peers[presence->choice.replicas[place].index];
}

/* With everything up and told, and the best one the home. */
static void start(const char *presence)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, presence);
	kit_start(&kit);
	kit_wait(&kit, HOME_RETURN_MS);
	kit_settle(&kit);
	kit.gateway->presence.lease_ms = 900000;
	kit_wait(&kit, 3000); /* the last lease of the old length */
	kit_settle(&kit);
	cr_assert_eq(replicas_home(&kit.gateway->presence), replica(0));
}

static struct wire *come(char letter, const char *user)
{
	struct wire *wire = kit_dial(&kit, letter, user);

	wire_in(wire, HELLO);
	return wire;
}

static void down_for(struct link_peer *peer, int64_t ms)
{
	fake_peer_down(peer);
	kit_wait(&kit, ms);
}

/* ---- one replica */

Test(presence, hears_of_coming_and_going)
{
	struct wire *wire;

	start("p1=test:2");
	wire = come('A', "ann");
	peer_expect(replica(0), OPENED("A", "ann"));
	conn_close(wire->conn, CONN_CLOSE_TRANSPORT, NULL);
	peer_expect(replica(0), "Closed A; ");
	kit_stop(&kit);
}

Test(presence, hears_every_third_of_a_lease_that_we_live)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2");
	kit_start(&kit);
	kit_wait(&kit, 2999);
	peer_expect(replica(0), "");
	kit_wait(&kit, 1);
	peer_expect(replica(0), "Lease 9000 connections=0 home; ");
	kit_wait(&kit, 3000);
	peer_expect(replica(0), "Lease 9000 connections=0 home; ");
	kit_stop(&kit);
}

Test(presence, a_new_one_hears_of_open_connections_only)
{
	struct wire *wire;

	start("p1=test:2");
	(void)kit_dial(&kit, 'H', NULL);
	(void)kit_open(&kit, 'A', "ann");
	wire = kit_open(&kit, 'B', "bob");
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	fake_peer_renew(replica(0), 200);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED_TOLD(
					"A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

Test(presence, one_that_is_behind_is_started_over)
{
	start("p1=test:2");
	peer_fill(replica(0));
	(void)come('A', "ann");
	cr_expect_eq(replica(0)->resets, 1);
	cr_expect_eq(kit.metrics->opened_waiting, 0);
	cr_expect_eq(kit.metrics->presence.home_resync_total, 1);
	fake_peer_renew(replica(0), 100);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED(
					"A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

Test(presence, one_with_no_room_for_a_lease_is_started_over)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2");
	kit_start(&kit);
	peer_fill(replica(0));
	kit_wait(&kit, 3000);
	cr_expect_eq(kit.metrics->presence.lease_refused_total, 1);
	cr_expect_eq(replica(0)->resets, 1);
	kit_stop(&kit);
}

Test(presence, without_any_nothing_is_told)
{
	kit_up(&kit);
	(void)kit_open(&kit, 'A', "ann");
	kit_wait(&kit, 9000);
	cr_expect_null(replicas_home(&kit.gateway->presence));
	kit_stop(&kit);
}

Test(presence, a_home_away_for_a_moment_misses_nothing)
{
	start("p1=test:2");
	down_for(replica(0), HOME_LEAVE_MS - 1);
	(void)come('A', "ann");
	fake_peer_resume(replica(0));
	peer_expect(replica(0), OPENED("A", "ann"));
	kit_stop(&kit);
}

Test(presence, for_one_that_stays_away_nothing_is_kept)
{
	start("p1=test:2");
	down_for(replica(0), HOME_LEAVE_MS);
	cr_expect_null(replicas_home(&kit.gateway->presence));
	cr_expect_eq(replica(0)->resets, 1);
	(void)come('A', "ann");
	cr_expect_eq(link_peer_waiting_bytes(replica(0)), 0);
	fake_peer_renew(replica(0), 100);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED(
					"A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

/* ---- several */

Test(presence, only_the_home_hears_of_connections)
{
	start("p1=test:2,p2=test:3,p3=test:4");
	(void)come('A', "ann");
	peer_expect(replica(0), OPENED("A", "ann"));
	peer_expect(replica(1), "");
	peer_expect(replica(2), "");
	cr_expect_eq(kit.metrics->opened_waiting, 1);
	fake_peer_ack(replica(0));
	cr_expect_eq(kit.metrics->opened_waiting, 0);
	kit_stop(&kit);
}

Test(presence, all_hear_that_we_live_and_where_we_are_at_home)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2,p2=test:3");
	kit_start(&kit);
	kit_wait(&kit, HOME_RETURN_MS);
	kit_settle(&kit);
	kit_wait(&kit, 3000);
	peer_expect(replica(0), "Lease 9000 connections=0 home; ");
	peer_expect(replica(1), "Lease 9000 connections=0; ");
	cr_expect_eq(kit.metrics->presence.presence_up, 2);
	kit_stop(&kit);
}

Test(presence, hears_that_a_gateway_ends)
{
	kit_init(&kit);
	kit_set(&kit.conf->presence, "p1=test:2,p2=test:3");
	kit_start(&kit);
	kit_wait(&kit, HOME_RETURN_MS);
	kit_settle(&kit);
	gateway_proc_ops.drain(&kit.proc, kit.gateway);
	kit_turn(&kit);
	peer_expect(replica(0), "Lease 1 connections=0 home last; ");
	peer_expect(replica(1), "Lease 1 connections=0 last; ");
	kit_wait(&kit, 20);
	cr_expect(kit.proc.is_drained);
	kit_stop(&kit);
}

Test(presence, when_the_home_stays_away_the_next_one_is_told_all)
{
	start("p1=test:2,p2=test:3");
	(void)kit_open(&kit, 'A', "ann");
	down_for(replica(0), HOME_LEAVE_MS - 1);
	peer_expect(replica(1), "");
	kit_wait(&kit, 1);
	peer_expect(replica(1), "Lease 900000 connections=1 home; " OPENED_TOLD(
					"A", "ann") "Replayed 1; ");
	cr_expect_eq(kit.metrics->presence.home_total, 2);
	(void)come('C', NULL);
	peer_expect(replica(1), OPENED("C", ""));
	kit_stop(&kit);
}

Test(presence, the_one_left_behind_hears_that_it_is_no_home)
{
	start("p1=test:2,p2=test:3");
	down_for(replica(0), HOME_LEAVE_MS);
	cr_expect_eq(replica(0)->resets, 1);
	fake_peer_renew(replica(0), 100);
	peer_expect(replica(0), "Lease 900000 connections=0; ");
	kit_stop(&kit);
}

Test(presence, a_better_one_that_stays_up_is_gone_back_to)
{
	start("p1=test:2,p2=test:3");
	(void)kit_open(&kit, 'A', "ann");
	down_for(replica(0), HOME_LEAVE_MS);
	fake_peer_renew(replica(0), 200);
	kit_settle(&kit);
	kit_wait(&kit, HOME_RETURN_MS - 1);
	peer_expect(replica(0), "");
	kit_wait(&kit, 1);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED_TOLD(
					"A", "ann") "Replayed 1; ");
	peer_expect(replica(1), "Lease 900000 connections=1; ");
	kit_stop(&kit);
}

Test(presence, what_a_new_home_is_told_may_exceed_the_window)
{
	start("p1=test:2,p2=test:3");
	for (char letter = 'A'; letter <= 'J'; letter++)
		(void)kit_open(&kit, letter, NULL);
	replica(1)->session.bytes_max = 200;
	down_for(replica(0), HOME_LEAVE_MS);
	cr_expect_eq(kit.metrics->replay_refused_total, 0);
	cr_expect_gt(link_peer_waiting_bytes(replica(1)), 500);
	cr_expect_eq(replica(1)->resets, 0);
	kit_stop(&kit);
}

Test(presence, a_home_that_is_too_far_behind_to_be_left_starts_over)
{
	start("p1=test:2,p2=test:3");
	down_for(replica(0), HOME_LEAVE_MS);
	fake_peer_renew(replica(0), 200);
	kit_settle(&kit);
	peer_fill(replica(1));
	kit_wait(&kit, HOME_RETURN_MS);
	cr_expect_eq(replicas_home(&kit.gateway->presence), replica(0));
	cr_expect_eq(replica(1)->resets, 1);
	fake_peer_renew(replica(1), 100);
	peer_expect(replica(1), "Lease 900000 connections=0; ");
	kit_stop(&kit);
}

/* ---- is_told */

Test(presence, what_was_not_handled_is_not_told)
{
	start("p1=test:2,p2=test:3");
	(void)come('A', "ann");
	peer_expect(replica(0), OPENED("A", "ann"));
	down_for(replica(0), HOME_LEAVE_MS);
	peer_expect(replica(1), "Lease 900000 connections=1 home; " OPENED(
					"A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

Test(presence, what_a_replay_told_is_told_when_it_was_handled)
{
	start("p1=test:2");
	down_for(replica(0), HOME_LEAVE_MS);
	(void)come('A', "ann");
	fake_peer_renew(replica(0), 100);
	fake_peer_renew(replica(0), 200);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED(
					"A", "ann") "Replayed 1; ");
	fake_peer_ack(replica(0));
	fake_peer_renew(replica(0), 300);
	peer_expect(replica(0), "Lease 900000 connections=1 home; " OPENED_TOLD(
					"A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

Test(presence, who_came_after_a_replay_is_not_told_by_it)
{
	struct link_peer *home;

	start("p1=test:2");
	home = replica(0);
	fake_peer_renew(home, 200);
	peer_expect(home, "Lease 900000 connections=0 home; Replayed 0; ");
	(void)come('A', "ann");
	fake_peer_ack(home); /* of the replay alone: nothing behind it was sent */
	fake_peer_renew(home, 300);
	peer_expect(home, "Lease 900000 connections=1 home; " OPENED(
				  "A", "ann") "Replayed 1; ");
	kit_stop(&kit);
}

Test(presence, one_that_closes_on_the_way_is_forgotten)
{
	struct wire *wire;

	start("p1=test:2");
	wire = come('A', NULL);
	conn_close(wire->conn, CONN_CLOSE_CLIENT, NULL);
	peer_handle(kit.router);
	kit_turn(&kit);
	peer_expect(replica(0), OPENED("A", "") "Closed A; ");
	fake_peer_ack(replica(0));
	kit_stop(&kit);
}

/* ---- reports */

/* The next report that was sent to the peer; NULL: none. Freed with the envelope. */
static Link__Envelope *next_report(struct link_peer *peer)
{
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(peer)) != NULL) {
		if (envelope->body_case == LINK__ENVELOPE__BODY_REPORT)
			return envelope;
		link__envelope__free_unpacked(envelope, NULL);
	}
	return NULL;
}

static size_t reports(struct link_peer *peer)
{
	Link__Envelope *envelope;
	size_t n = 0;

	while ((envelope = next_report(peer)) != NULL) {
		link__envelope__free_unpacked(envelope, NULL);
		n++;
	}
	return n;
}

Test(presence, every_replica_is_told_once_a_second_what_is_counted)
{
	start("p1=test:2,p2=test:3");
	kit_wait(&kit, REPLICAS_REPORT_MS - 1);
	cr_expect_eq(reports(replica(0)) + reports(replica(1)), 0);
	kit_wait(&kit, 1);
	cr_expect_eq(reports(replica(0)), 1);
	cr_expect_eq(reports(replica(1)), 1);
	kit_wait(&kit, REPLICAS_REPORT_MS);
	cr_expect_eq(reports(replica(1)), 1);
	kit_stop(&kit);
}

Test(presence, a_report_has_what_the_metrics_have)
{
	Link__Envelope *envelope;
	const Link__Report *report;

	start("p1=test:2");
	(void)kit_open(&kit, 'A', "ann");
	kit_join(&kit, 'A', "g", false, 1);
	kit_settle(&kit);
	kit.metrics->messages_in_total = 11;
	kit.metrics->messages_out_total = 12;
	kit.metrics->in_bytes_total = 13;
	kit.metrics->out_bytes_total = 14;
	kit.metrics->queue_bytes = 15;
	kit.metrics->invoke_seconds.buckets[0] = 258;
	kit.metrics->invoke_seconds.buckets[HISTOGRAM_BUCKETS - 1] = 7;
	kit.proc.is_draining = true;
	kit_wait(&kit, REPLICAS_REPORT_MS);
	envelope = next_report(replica(0));
	cr_assert_not_null(envelope);
	report = envelope->report;
	cr_expect_eq(report->connections, 1);
	cr_expect_eq(report->memberships, 2);
	cr_expect_eq(report->users, 1);
	cr_expect_eq(report->messages_in_total, 11);
	cr_expect_eq(report->messages_out_total, 12);
	cr_expect_eq(report->bytes_in_total, 13);
	cr_expect_eq(report->bytes_out_total, 14);
	cr_expect_eq(report->queue_bytes, 15);
	cr_expect_eq(report->cpu_us_total, 1234);
	cr_expect_gt(report->memory_bytes, 0);
	cr_expect_gt(report->started_unix_ms, 1700000000000);
	cr_expect(report->is_draining);
	cr_assert_eq(report->latency_buckets.len, 112);
	cr_expect_eq(report->latency_buckets.data[0], 2);
	cr_expect_eq(report->latency_buckets.data[1], 1);
	cr_expect_eq(report->latency_buckets.data[104], 7);
	link__envelope__free_unpacked(envelope, NULL);
	kit_stop(&kit);
}

Test(presence, a_report_has_all_links)
{
	Link__Envelope *envelope;
	const Link__Report *report;

	start("p1=test:2");
	fake_peer_down(kit.router);
	(void)kit_dial(&kit, 'A', "ann");
	kit_wait(&kit, REPLICAS_REPORT_MS);
	envelope = next_report(replica(0));
	cr_assert_not_null(envelope);
	report = envelope->report;
	cr_assert_eq(report->n_links, 2);
	cr_expect_eq(report->links[0]->role, LINK__ROLE__ROLE_ROUTER);
	cr_expect(slice_equal(link_slice(report->links[0]->name), SLICE("r1")));
	cr_expect_not(report->links[0]->is_up);
	cr_expect_eq(report->links[0]->waiting_bytes,
		     (int64_t)link_peer_waiting_bytes(kit.router));
	cr_expect_eq(report->links[1]->role, LINK__ROLE__ROLE_PRESENCE);
	cr_expect(report->links[1]->is_up);
	link__envelope__free_unpacked(envelope, NULL);
	kit_stop(&kit);
}

Test(presence, one_that_is_behind_gets_no_reports)
{
	start("p1=test:2,p2=test:3");
	replica(1)->session.bytes_max = 2 * REPLICAS_REPORT_BYTES_MAX;
	peer_fill(replica(1));
	kit.metrics->presence.report_refused_total = 0;
	kit_wait(&kit, REPLICAS_REPORT_MS);
	cr_expect_eq(reports(replica(0)), 1);
	cr_expect_eq(reports(replica(1)), 0);
	cr_expect_eq(kit.metrics->presence.report_refused_total, 1);
	cr_expect_eq(replica(1)->resets, 0);
	fake_peer_ack(replica(1));
	kit_wait(&kit, REPLICAS_REPORT_MS);
	cr_expect_eq(reports(replica(1)), 1);
	kit_stop(&kit);
}

Test(presence, one_that_is_down_gets_no_reports)
{
	start("p1=test:2,p2=test:3");
	down_for(replica(1), REPLICAS_REPORT_MS);
	cr_expect_eq(link_peer_waiting_bytes(replica(1)), 0);
	cr_expect_eq(kit.metrics->presence.report_refused_total, 0);
	kit_stop(&kit);
}
