/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links over real sockets: who gets through the greeting, messages across broken streams,
 * restarts and absence, limits. Peers that break the protocol are in test_link_raw.c,
 * other processes in test_link_process.c.
 */
#include "proto/link/link.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node a; /* a gateway, who dials */
static struct node b; /* a router, who listens */

static void set_up(void)
{
	rig_init();
	node_init(&a, GATEWAY, "g1");
	node_init(&b, ROUTER, "r1");
}

static void tear_down(void)
{
	if (a.link != NULL)
		node_close(&a);
	if (b.link != NULL)
		node_close(&b);
	rig_fini();
}

TestSuite(link, .init = set_up, .fini = tear_down, .timeout = 100);

static unsigned peers_of(const struct node *node)
{
	unsigned n = 0;

	for (struct link_peer *it = link_peer_next(node->link, NULL); it != NULL;
	     it = link_peer_next(node->link, it))
		n++;
	return n;
}

/* ---- the greeting */

Test(link, two_that_share_the_key_find_each_other)
{
	rig_connect(&a, &b);
	cr_expect_eq(a.news, 1);
	cr_expect_eq(b.news, 1);
	cr_expect_str_eq(link_peer_name(b.peer), "g1");
	cr_expect_eq(link_peer_role(a.peer), ROUTER);
	cr_expect_eq(link_peer_role(b.peer), GATEWAY);
	cr_expect_eq(link_peer_incarnation(a.peer), b.options.incarnation);
	cr_expect_eq(link_peer_incarnation(b.peer), a.options.incarnation);
	cr_expect_eq(a.stats.peers_up, 1);
	cr_expect_eq(b.stats.ups_total, 1);
}

/* Whatever is wrong: both sides count it, neither comes up, the dialer goes on trying. */
static void check_refused(const char *name, Link__Role role)
{
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	node_open(&a, rig.loop);
	link_dial(a.link, role, name, rig.url);
	WAIT(a.stats.refused_total >= 2 && b.stats.refused_total >= 2);
	cr_expect_eq(a.ups + b.ups, 0);
	cr_expect_eq(peers_of(&b), 0);
	cr_expect_eq(a.stats.malformed_total + b.stats.malformed_total, 0);
}

Test(link, another_key_is_refused_on_both_sides)
{
	a.options.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdeF"));
	check_refused("r1", ROUTER);
}

Test(link, another_name_than_was_dialed_is_refused)
{
	check_refused("r2", ROUTER);
}

Test(link, another_role_than_was_dialed_is_refused)
{
	check_refused("r1", LINK__ROLE__ROLE_PRESENCE);
}

Test(link, an_unexpected_role_is_refused)
{
	a.options.role = LINK__ROLE__ROLE_PRESENCE;
	check_refused("r1", ROUTER);
}

Test(link, a_role_that_is_not_accepted_may_still_be_expected_by_name)
{
	a.options.role = ROUTER;
	node_open(&b, rig.loop);
	b.peer = link_expect(b.link, ROUTER, "g1");
	rig_connect(&a, &b);
	cr_expect_eq(peers_of(&b), 1);
}

/* Were both to dial, each could close the stream that the other keeps. */
Test(link, of_two_that_dial_each_other_neither_gets_through)
{
	char url[80];

	snprintf(url, sizeof(url), "%s.a", rig.url);
	a.options.accepts = b.options.accepts = ~0u;
	node_open(&a, rig.loop);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(a.link, url), OK);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	link_dial(a.link, ROUTER, "r1", rig.url);
	link_dial(b.link, GATEWAY, "g1", url);
	WAIT(a.stats.refused_total > 2 && b.stats.refused_total > 2);
	cr_expect_eq(a.ups + b.ups, 0);
}

Test(link, a_dialer_may_come_before_its_listener)
{
	node_open(&a, rig.loop);
	a.peer = link_dial(a.link, ROUTER, "r1", rig.url);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, NULL), OK);
	rig_idle(100);
	cr_assert_eq(a.ups, 0);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(b.calls_n == 1);
	cr_expect_eq(a.stats.refused_total, 0);
}

Test(link, many_peers_at_once)
{
	enum { N = 100 };
	static struct node many[N];
	static char names[N][8];

	b.is_echo = true;
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	for (unsigned i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "g%u", i);
		node_init(&many[i], GATEWAY, names[i]);
		node_open(&many[i], rig.loop);
		many[i].peer = link_dial(many[i].link, ROUTER, "r1", rig.url);
		cr_assert_eq(node_send(&many[i], i, SESSION_KEEP, NULL), OK);
	}
	for (unsigned i = 0; i < N; i++)
		WAIT(many[i].calls_n == 1);
	for (unsigned i = 0; i < N; i++)
		cr_expect_eq(many[i].calls[0], i);
	cr_expect_eq(peers_of(&b), N);
	cr_expect_eq(b.stats.peers_up, N);
	for (unsigned i = 0; i < N; i++)
		node_close(&many[i]);
	WAIT(b.stats.peers_up == 0);
}

/* ---- messages */

Test(link, messages_of_a_turn_travel_together_and_in_order)
{
	enum { N = 1000 };

	b.is_echo = true;
	rig_connect(&a, &b);
	for (unsigned i = 0; i < N; i++)
		cr_assert_eq(node_send(&a, i, i % 2 == 0, NULL), OK);
	WAIT(a.calls_n == N);
	for (unsigned i = 0; i < N; i++)
		cr_assert(a.calls[i] == i && b.calls[i] == i);
	cr_expect_eq(a.stats.envelopes_out_total, N);
	cr_expect_eq(b.stats.envelopes_in_total, N);
	cr_expect_lt(a.stats.batches_out_total, 20);
	cr_expect_eq(b.stats.duplicate_total, 0);
}

struct probe {
	struct session_ticket ticket;
	unsigned called;
	enum err rc;
	struct node *node; /* is sent to when it is called */
};

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct probe *probe = CONTAINER_OF(ticket, struct probe, ticket);

	probe->called++;
	probe->rc = rc;
	if (probe->node != NULL)
		(void)!node_send(probe->node, 99, SESSION_KEEP, NULL);
}

static void probe_init(struct probe *probe)
{
	*probe = (struct probe){ .rc = ERR_AGAIN };
	session_ticket_init(&probe->ticket, on_ticket);
}

Test(link, a_ticket_is_called_when_the_peers_handler_has_run)
{
	struct probe probe;

	probe_init(&probe);
	rig_connect(&a, &b);
	cr_assert_eq(node_send(&a, 7, SESSION_DROP, &probe.ticket), OK);
	WAIT(probe.called == 1);
	cr_expect_eq(probe.rc, OK);
	cr_expect_eq(b.calls_n, 1);
}

static void send_both_ways(uint64_t from, uint64_t to)
{
	for (uint64_t call = from; call < to; call++) {
		cr_assert_eq(node_send(&a, call, SESSION_DROP, NULL), OK);
		cr_assert_eq(node_send(&b, call, SESSION_KEEP, NULL), OK);
	}
}

Test(link, broken_streams_lose_and_repeat_nothing)
{
	enum { BREAKS = 30, N = 100 };
	const char *text = getenv("TEST_SEED");
	uint64_t state = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", state);
	a.options.ping_interval_ms = 1; /* dials again soon, once it lasted that long */
	rig_connect(&a, &b);
	for (uint64_t round = 0; round < BREAKS; round++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		send_both_ways(round * N, round * N + N / 2);
		for (uint64_t turns = state >> 32 & 7; turns > 0; turns--)
			loop_turn(rig.loop, 0);
		node_break(state >> 40 & 1 ? &a : &b);
		send_both_ways(round * N + N / 2, round * N + N);
		WAIT(a.downs > round && b.downs > round && a.ups == b.ups);
		WAIT(link_peer_is_up(a.peer) && link_peer_is_up(b.peer));
	}
	WAIT(a.calls_n >= BREAKS * N && b.calls_n >= BREAKS * N);
	rig_idle(20);
	cr_expect_eq(a.calls_n, BREAKS * N);
	cr_expect_eq(b.calls_n, BREAKS * N);
	for (unsigned i = 0; i < BREAKS * N; i++)
		cr_assert(a.calls[i] == i && b.calls[i] == i, "%u", i);
	cr_expect_eq(a.news + b.news, 2);
	cr_expect_eq(a.losts + b.losts, 0);
	cr_expect_gt(a.stats.resent_total + b.stats.resent_total, 0);
}

Test(link, an_idle_link_is_kept_by_heartbeats)
{
	a.options.ping_interval_ms = b.options.ping_interval_ms = 20;
	a.options.stream_timeout_ms = b.options.stream_timeout_ms = 400;
	rig_connect(&a, &b);
	rig_idle(1000);
	cr_expect_eq(a.downs + b.downs, 0);
	cr_expect_geq(a.stats.batches_out_total, 10);
	cr_expect_leq(a.stats.batches_out_total, 60);
}

/* ---- restarts and absence */

Test(link, a_new_incarnation_is_told_apart_and_gets_the_replay_first)
{
	struct probe kept;
	struct probe dropped;

	probe_init(&kept);
	probe_init(&dropped);
	a.replay_n = 3;
	rig_connect(&a, &b);
	WAIT(b.calls_n == 3);
	node_close(&b);
	WAIT(a.downs == 1);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, &kept.ticket), OK);
	cr_assert_eq(node_send(&a, 2, SESSION_DROP, &dropped.ticket), OK);
	cr_assert_eq(node_send(&a, 3, SESSION_KEEP, NULL), OK);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(b.calls_n == 5 && kept.called == 1);
	cr_expect_eq(a.losts, 1);
	cr_expect_eq(a.news, 2);
	cr_expect_eq(b.calls[0], REPLAY);
	cr_expect_eq(b.calls[2], REPLAY + 2);
	cr_expect_eq(b.calls[3], 1);
	cr_expect_eq(b.calls[4], 3);
	cr_expect_eq(kept.rc, OK);
	cr_expect_eq(dropped.rc, ERR_CLOSED);
	cr_expect_eq(link_peer_incarnation(a.peer), b.options.incarnation);
}

Test(link, a_listener_tells_a_new_incarnation_of_its_dialer)
{
	rig_connect(&a, &b);
	node_close(&a);
	node_open(&a, rig.loop);
	link_dial(a.link, ROUTER, "r1", rig.url);
	WAIT(b.ups == 2);
	cr_expect_eq(b.news, 2);
	cr_expect_eq(b.losts, 1);
	cr_expect_eq(peers_of(&b), 1);
}

Test(link, what_was_sent_to_a_peer_that_died_has_an_unknown_outcome)
{
	struct probe probe;

	probe_init(&probe);
	rig_connect(&a, &b);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, &probe.ticket), OK);
	loop_turn(rig.loop, 0); /* it leaves at the end of this turn */
	node_close(&b);
	WAIT(a.downs == 1);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(a.ups == 2);
	cr_expect_eq(probe.called, 1);
	cr_expect_eq(probe.rc, ERR_OUTCOME);
	rig_idle(20);
	cr_expect_eq(b.calls_n, 0, "it must not run twice");
}

Test(link, an_absent_peer_that_nobody_expected_is_forgotten)
{
	struct probe probe;

	probe_init(&probe);
	b.options.peer_timeout_ms = 50;
	rig_connect(&a, &b);
	node_close(&a);
	WAIT(b.downs == 1);
	cr_assert_eq(node_send(&b, 1, SESSION_KEEP, &probe.ticket), OK);
	WAIT(b.losts == 1);
	cr_expect_eq(peers_of(&b), 0);
	cr_expect_eq(probe.rc, ERR_CLOSED);
}

Test(link, a_peer_that_was_forgotten_starts_over)
{
	b.options.peer_timeout_ms = 1;
	rig_connect(&a, &b);
	node_break(&b); /* the dialer waits longer than that */
	WAIT(b.losts == 1);
	WAIT(a.ups == 2);
	cr_expect_eq(a.losts, 1);
	cr_expect_eq(a.news, 2);
	WAIT(b.news == 2);
}

Test(link, expected_and_dialed_peers_are_never_forgotten)
{
	a.options.peer_timeout_ms = b.options.peer_timeout_ms = 20;
	node_open(&b, rig.loop);
	link_expect(b.link, GATEWAY, "g1");
	rig_connect(&a, &b);
	node_close(&a);
	WAIT(b.downs == 1);
	rig_idle(100);
	cr_expect_eq(b.losts, 0);
	cr_expect_eq(peers_of(&b), 1);
}

/* ---- starting over on purpose */

Test(link, a_reset_makes_both_sides_start_over)
{
	struct probe probe;

	probe_init(&probe);
	a.replay_n = 2;
	rig_connect(&a, &b);
	WAIT(b.calls_n == 2);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, &probe.ticket), OK);
	link_peer_reset(a.peer);
	link_peer_reset(a.peer);
	cr_expect_eq(a.downs, 1);
	WAIT(b.calls_n == 5 && probe.called == 1);
	cr_expect_eq(b.calls[2], REPLAY);
	cr_expect_eq(b.calls[4], 1);
	cr_expect_eq(probe.rc, OK);
	cr_expect_eq(a.losts, 1);
	cr_expect_eq(b.losts, 1);
	cr_expect_eq(a.news, 2);
	cr_expect_eq(b.news, 2);
	cr_expect_eq(a.stats.peers_up, 1);
}

Test(link, a_handler_may_reset_its_peer)
{
	b.reset_at = 2;
	rig_connect(&a, &b);
	for (unsigned i = 1; i <= 4; i++)
		cr_assert_eq(node_send(&a, i, SESSION_DROP, NULL), OK);
	WAIT(a.ups == 2 && b.ups == 2);
	cr_expect_eq(b.calls_n, 2, "the rest of the batch was void");
	b.reset_at = 0;
	cr_assert_eq(node_send(&a, 5, SESSION_DROP, NULL), OK);
	WAIT(b.calls_n == 3);
	cr_expect_eq(b.calls[2], 5);
}

/* ---- the end */

/* A router answers one peer from the ticket of another, also while both are freed. */
Test(link, tickets_may_send_while_the_link_is_freed)
{
	struct probe probes[2];
	struct node c;

	node_init(&c, GATEWAY, "g2");
	rig_connect(&a, &b);
	node_open(&c, rig.loop);
	link_dial(c.link, ROUTER, "r1", rig.url);
	WAIT(b.ups == 2);
	for (unsigned i = 0; i < 2; i++) {
		probe_init(&probes[i]);
		b.peer = link_peer_next(b.link, i == 0 ? NULL : b.peer);
		cr_assert_eq(node_send(&b, i, SESSION_KEEP, &probes[i].ticket), OK);
		probes[i].node = &b;
	}
	link_free(b.link); /* b.peer stays until the turn ends */
	b.link = NULL;
	cr_expect_eq(probes[0].called, 1);
	cr_expect_eq(probes[1].called, 1);
	cr_expect_eq(b.stats.window_full_total, 0, "who is gone has no window");
	node_close(&c);
}

/* ---- limits */

Test(link, a_full_window_refuses_and_counts)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;
	static char bytes[60000];
	enum err rc = OK;
	unsigned n = 0;

	a.options.window_bytes_max = 65536 * 4;
	node_open(&a, rig.loop);
	a.peer = link_dial(a.link, ROUTER, "r1", rig.url);
	invoke.arguments = link_bytes(slice_make(bytes, sizeof(bytes)));
	while ((rc = link_send_invoke(a.peer, &invoke, NULL)) == OK)
		n++;
	cr_expect_eq(rc, ERR_LIMIT);
	cr_expect_eq(n, 4);
	cr_expect_eq(a.stats.window_full_total, 1);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(b.calls_n == 4);
	cr_expect_eq(link_send_invoke(a.peer, &invoke, NULL), OK, "there is room again");
}

Test(link, an_envelope_may_be_as_long_as_the_limit_and_no_longer)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Invoke invoke = LINK__INVOKE__INIT;
	char *bytes = mem_zalloc(LINK_ENVELOPE_BYTES_MAX);
	size_t len = LINK_ENVELOPE_BYTES_MAX;

	envelope.body_case = LINK__ENVELOPE__BODY_INVOKE;
	envelope.invoke = &invoke;
	invoke.call = 1;
	do {
		invoke.arguments = link_bytes(slice_make(bytes, --len));
	} while (link__envelope__get_packed_size(&envelope) > LINK_ENVELOPE_BYTES_MAX);
	rig_connect(&a, &b);
	cr_expect_eq(link_send_invoke(a.peer, &invoke, NULL), OK);
	WAIT(b.calls_n == 1);
	cr_expect_eq(a.stats.window_full_total, 0);
	invoke.arguments.len++;
	cr_expect_eq(link_send_invoke(a.peer, &invoke, NULL), ERR_LIMIT);
	cr_expect_eq(a.stats.window_full_total, 1);
	mem_free(bytes);
}

/* More than the pipe takes at once: it goes as the kernel drains it, and both ways. */
Test(link, a_window_of_large_messages_gets_through)
{
	enum { N = 200 };
	Link__Invoke invoke = LINK__INVOKE__INIT;
	static char bytes[60000];

	rig_connect(&a, &b);
	invoke.arguments = link_bytes(slice_make(bytes, sizeof(bytes)));
	for (invoke.call = 0; invoke.call < N; invoke.call++) {
		cr_assert_eq(link_send_invoke(a.peer, &invoke, NULL), OK);
		cr_assert_eq(link_send_invoke(b.peer, &invoke, NULL), OK);
	}
	WAIT(a.calls_n == N && b.calls_n == N);
	cr_expect_eq(b.calls[N - 1], N - 1);
	cr_expect_eq(a.downs + b.downs, 0);
}
