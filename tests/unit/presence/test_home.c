/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateways whose home this presence is: what they tell is kept in order while the store
 * takes its time, bounded; they begin anew when the store does not know them, and those
 * who do so at once have not been away.
 */
#include "presence/home.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/on_peer.h"
#include "presence/presence.h"
#include "presence/store_memory.h"
#include "proto/link/link_private.h"
#include "tests/unit/presence/store_slow.h"

#define LEASE_MS 600000
#define WINDOW_BYTES 65536

static struct presence presence;
static struct presence_conf conf;
static struct process *g1;
static char told[1024];
static size_t told_len;

static void on_event(void *owner, const struct store_event *event)
{
	(void)owner;
	told_len += (size_t)snprintf(told + told_len, sizeof(told) - told_len, "%c%.*s ",
				     "+-!"[event->change], SLICE_FMT(event->user_id));
}

static void on_lost(void *owner)
{
	(void)owner;
	homes_reset_all(&presence.homes);
}

static void on_settled(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	cr_assert_eq(answer->rc, OK);
}

static struct process *process_up(const char *name, uint64_t incarnation)
{
	struct link_peer *peer =
		link_expect(presence.link, LINK__ROLE__ROLE_GATEWAY, name);

	peer->incarnation = incarnation; /* as after a greeting */
	process_new(&presence.processes, peer);
	return process_of(peer);
}

static void setup(void)
{
	const struct store_memory_options store_options = { .sessions_max = 1000,
							    .events_max = 100,
							    .seed = 1 };
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.name = "p1",
		.incarnation = 1,
		.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = WINDOW_BYTES,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 5000,
		.ops = &presence_link_ops,
		.owner = &presence,
		.stats = &presence.metrics.link,
	};
	struct store_call call;

	conf.link.lease_ms = LEASE_MS;
	conf.link.window_bytes_max = WINDOW_BYTES;
	presence.conf = &conf;
	presence.loop = loop_new();
	presence.store = store_slow_new(store_memory_new(presence.loop, &store_options));
	presence.store->watcher =
		(struct store_watcher){ .on_event = on_event, .on_lost = on_lost };
	store_call_init(&call, on_settled);
	presence.store->ops->settle(presence.store, &call);
	presence.link = link_new(presence.loop, &options);
	processes_init(&presence.processes, &presence);
	resharding_init(&presence.resharding, &presence);
	homes_init(&presence.homes, &presence);
	upkeep_init(&presence.upkeep, &presence, false);
	topology_init(&presence.topology, &presence, LEASE_MS);
	g1 = process_up("g1", 7);
	told_len = 0;
	told[0] = '\0';
}

static void teardown(void)
{
	upkeep_fini(&presence.upkeep);
	topology_fini(&presence.topology);
	homes_fini(&presence.homes);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	link_free(presence.link);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(home, .init = setup, .fini = teardown, .timeout = 60);

static void turn(void)
{
	loop_turn(presence.loop, 1);
}

static void open_as(const char *connection, const char *user)
{
	Link__Opened opened = LINK__OPENED__INIT;
	Link__User who = LINK__USER__INIT;

	who.id = link_bytes(slice_from_str(user));
	opened.hub = link_bytes(SLICE("chat"));
	opened.connection = link_bytes(slice_from_str(connection));
	opened.user = &who;
	home_on_opened(g1, &opened);
}

static void close_one(const char *connection)
{
	Link__Closed closed = LINK__CLOSED__INIT;

	closed.hub = link_bytes(SLICE("chat"));
	closed.connection = link_bytes(slice_from_str(connection));
	home_on_closed(g1, &closed);
}

static void replayed(void)
{
	const Link__Replayed done = LINK__REPLAYED__INIT;

	home_on_replayed(g1, &done);
}

static void expect_told(const char *text)
{
	cr_expect_str_eq(told, text);
}

Test(home, what_is_told_before_the_store_answers_is_held_in_order)
{
	store_slow_hold(presence.store, true);
	home_on_lease(g1, true);
	open_as("c1", "ann");
	open_as("c2", "ben");
	close_one("c1");
	replayed();
	expect_told("");
	cr_expect_eq(store_slow_release(presence.store), 1);
	expect_told("+ann +ben -ann ");
	cr_expect_eq(presence.metrics.registered_total, 1);
	open_as("c3", "cid");
	expect_told("+ann +ben -ann +cid ");
	cr_expect_eq(presence.metrics.replayed_total, 1);
}

Test(home, as_much_as_the_window_is_held_and_one_more_begins_anew)
{
	char user[1024];
	int n = 0;

	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	store_slow_hold(presence.store, true);
	home_on_lease(g1, true);
	for (; presence.metrics.held_overrun_total == 0; n++) {
		char connection[16];

		cr_assert_lt(n, 100);
		cr_expect_leq(g1->home.held.len, WINDOW_BYTES);
		(void)snprintf(connection, sizeof(connection), "c%d", n);
		open_as(connection, user);
	}
	cr_expect_geq(n, 60);
	open_as("more", "more"); /* is not held either */
	cr_expect_eq(presence.metrics.held_overrun_total, 1);
	cr_expect_eq(g1->home.held.len, 0);
	cr_expect_eq(store_slow_release(presence.store), 1);
	turn();
	cr_expect_eq(presence.metrics.fenced_total, 1);
	cr_expect_eq(g1->home.state, HOME_ELSEWHERE);
	expect_told("");
}

Test(home, who_is_not_ours_is_not_listened_to)
{
	open_as("c1", "ann");
	close_one("c1");
	replayed();
	expect_told("");
	cr_expect_eq(presence.metrics.homeless_total, 3);
}

Test(home, who_moved_away_and_back_is_registered_again)
{
	uint64_t first;

	home_on_lease(g1, true);
	first = g1->home.registration;
	open_as("c1", "ann");
	home_on_lease(g1, true); /* renews */
	cr_expect_eq(g1->home.registration, first);
	home_on_lease(g1, false);
	cr_expect_eq(g1->home.state, HOME_ELSEWHERE);
	home_on_lease(g1, true);
	cr_expect_neq(g1->home.registration, first);
	open_as("c1", "ann");
	replayed();
	turn();
	expect_told("+ann ");
}

Test(home, an_answer_for_one_who_moved_away_is_of_no_use)
{
	store_slow_hold(presence.store, true);
	home_on_lease(g1, true);
	open_as("c1", "ann");
	home_on_lease(g1, false);
	home_on_lease(g1, true);
	open_as("c2", "ben");
	cr_expect_eq(store_slow_release(presence.store), 2);
	expect_told("+ben ");
	cr_expect_eq(g1->home.registration, 2);
}

Test(home, one_whom_the_store_does_not_know_begins_anew_once)
{
	struct store *store = presence.store;
	struct store_call call;

	home_on_lease(g1, true);
	open_as("c1", "ann");
	store_call_init(&call, on_settled);
	store->ops->gateway_retire(store, g1->home.registration, &call);
	open_as("c2", "ben");
	open_as("c3", "cid");
	turn();
	cr_expect_eq(presence.metrics.fenced_total, 1);
	cr_expect_eq(g1->home.state, HOME_ELSEWHERE);
	expect_told("+ann ");
}

Test(home, a_renewal_that_finds_nothing_begins_anew)
{
	struct store *store = presence.store;
	struct store_call call;

	home_on_lease(g1, true);
	store_call_init(&call, on_settled);
	store->ops->gateway_retire(store, g1->home.registration, &call);
	home_on_lease(g1, true);
	turn();
	cr_expect_eq(presence.metrics.fenced_total, 1);
}

Test(home, a_change_that_was_not_kept_is_told_again)
{
	home_on_lease(g1, true);
	store_slow_fail(presence.store, ERR_TIMEOUT);
	open_as("c1", "ann");
	turn();
	cr_expect_eq(presence.metrics.store_failed_total, 1);
	cr_expect_eq(presence.metrics.fenced_total, 1);
}

Test(home, a_store_that_fails_is_asked_again)
{
	store_slow_fail(presence.store, ERR_IO);
	home_on_lease(g1, true);
	cr_expect_eq(g1->home.state, HOME_WANTED);
	open_as("c1", "ann");
	store_slow_fail(presence.store, OK);
	homes_retry(&presence.homes);
	cr_expect_eq(g1->home.state, HOME_HERE);
	expect_told("+ann ");
	cr_expect_eq(presence.metrics.fenced_total, 0);
}

Test(home, what_is_held_behind_a_change_that_was_not_kept_is_not_told)
{
	store_slow_hold(presence.store, true);
	home_on_lease(g1, true);
	open_as("c1", "ann");
	open_as("c2", "ben");
	store_slow_fail(presence.store, ERR_TIMEOUT);
	cr_expect_eq(store_slow_release(presence.store), 1);
	turn();
	cr_expect_eq(presence.metrics.store_failed_total, 1);
	cr_expect_eq(presence.metrics.fenced_total, 1);
}

Test(home, when_the_store_has_lost_all_everyone_begins_anew)
{
	struct process *g2 = process_up("g2", 8);
	struct process *g3 = process_up("g3", 9);

	home_on_lease(g1, true);
	home_on_lease(g2, true);
	store_slow_lose(presence.store);
	turn();
	cr_expect_eq(presence.metrics.fenced_total, 2);
	cr_expect_eq(g1->home.state, HOME_ELSEWHERE);
	cr_expect_eq(g2->home.state, HOME_ELSEWHERE);
	cr_expect_not(g3->home.is_reset_due);
}

/* A link that starts over is lost and up again in one turn. */
Test(home, who_is_back_in_the_same_turn_was_not_away)
{
	struct link_peer *peer = g1->peer;
	size_t turns = 0;

	home_on_lease(g1, true);
	open_as("c1", "ann");
	open_as("c2", "ben");
	process_lost(&presence.processes, g1);
	process_new(&presence.processes, peer);
	g1 = process_of(peer);
	while (turns++ < 5)
		turn();
	home_on_lease(g1, true);
	open_as("c1", "ann");
	replayed();
	upkeep_sweep_soon(&presence.upkeep);
	while (turns++ < 10)
		turn();
	expect_told("+ann +ben -ben ");
}

Test(home, who_is_lost_is_offline_with_the_next_slice)
{
	home_on_lease(g1, true);
	open_as("c1", "ann");
	process_lost(&presence.processes, g1);
	for (int i = 0; i < 5; i++)
		turn();
	expect_told("+ann -ann ");
	cr_expect_eq(presence.metrics.dropped_total, 1);
	cr_expect_eq(presence.metrics.offline_total, 1);
}

Test(home, a_new_life_takes_the_old_ones_place)
{
	struct link_peer *peer = g1->peer;

	home_on_lease(g1, true);
	open_as("c1", "ann");
	peer->incarnation = 70;
	process_lost(&presence.processes, g1);
	process_new(&presence.processes, peer);
	g1 = process_of(peer);
	home_on_lease(g1, true);
	open_as("c2", "ben");
	for (int i = 0; i < 5; i++)
		turn();
	expect_told("+ann +ben -ann ");
}

Test(home, what_is_held_goes_with_the_gateway)
{
	store_slow_hold(presence.store, true);
	home_on_lease(g1, true);
	open_as("c1", "ann");
	process_lost(&presence.processes, g1);
	cr_expect_eq(store_slow_release(presence.store), 1);
	turn();
	expect_told("");
}
