/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that are removed while the link lives: whatever they were doing, nobody dials
 * them again, their tickets end, and who holds one may go on naming it.
 */
#include "proto/link/link_remove.h"

#include <criterion/criterion.h>

#include "proto/base/mem.h"
#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node a; /* dials */
static struct node b; /* listens */

static struct {
	struct session_ticket ticket;
	enum err rc;
	unsigned n;
} outcome;

static void on_outcome(struct session_ticket *ticket, enum err rc)
{
	(void)ticket;
	outcome.rc = rc;
	outcome.n++;
}

static void set_up(void)
{
	rig_init();
	node_init(&a, ROUTER, "r1");
	node_init(&b, ROUTER, "r2");
	session_ticket_init(&outcome.ticket, on_outcome);
}

static void tear_down(void)
{
	node_close(&a);
	node_close(&b);
	rig_fini();
}

TestSuite(link_remove, .init = set_up, .fini = tear_down, .timeout = 60);

static void listen_as_b(void)
{
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
}

static struct link_peer *dial_b(void)
{
	if (a.link == NULL)
		node_open(&a, rig.loop);
	return link_dial(a.link, ROUTER, "r2", rig.url);
}

static void meet(struct link_peer **to_b, struct link_peer **to_a)
{
	listen_as_b();
	*to_a = link_expect(b.link, ROUTER, "r1");
	*to_b = dial_b();
	WAIT(a.ups == 1 && b.ups == 1);
}

static void send_with_ticket(void)
{
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, &outcome.ticket), OK);
}

Test(link_remove, who_was_up_goes_down_is_lost_and_its_tickets_end)
{
	struct link_peer *to_b;
	struct link_peer *to_a;

	meet(&to_b, &to_a);
	send_with_ticket();
	link_remove(to_b);
	cr_expect_eq(a.downs, 1);
	cr_expect_eq(a.losts, 1);
	cr_expect_eq(outcome.n, 1);
	cr_expect_eq(outcome.rc, ERR_CLOSED, "it was never sent");
	cr_expect_eq(a.stats.peers_up, 0);
	cr_expect_null(link_peer_next(a.link, NULL));
	WAIT(b.downs == 1);
	/* Nobody dials. */
	rig_idle(3 * LINK_BACKOFF_MAX_MS);
	cr_expect_eq(b.ups, 1);
	link_remove(to_a);
	cr_expect_eq(b.losts, 1);
}

Test(link_remove, what_was_sent_has_an_unknown_outcome)
{
	struct link_peer *to_b;
	struct link_peer *to_a;

	meet(&to_b, &to_a);
	send_with_ticket();
	link_stream_flush(to_b->stream);
	link_remove(to_b);
	cr_expect_eq(outcome.n, 1);
	cr_expect_eq(outcome.rc, ERR_OUTCOME);
}

Test(link_remove, who_was_never_there_is_not_lost)
{
	struct link_peer *to_b = dial_b(); /* nobody listens */

	a.peer = to_b;
	send_with_ticket();
	rig_idle(50); /* it dials, and waits to dial again */
	link_remove(to_b);
	cr_expect_eq(a.losts, 0);
	cr_expect_eq(outcome.rc, ERR_CLOSED);
	listen_as_b();
	link_expect(b.link, ROUTER, "r1");
	rig_idle(3 * LINK_BACKOFF_MAX_MS);
	cr_expect_eq(b.ups, 0);
}

Test(link_remove, a_greeting_under_way_ends)
{
	struct link_peer *to_b;

	listen_as_b();
	link_expect(b.link, ROUTER, "r1");
	to_b = dial_b();
	WAIT(!list_is_empty(&a.link->streams));
	link_remove(to_b);
	cr_expect(list_is_empty(&a.link->streams));
	rig_idle(3 * LINK_BACKOFF_MAX_MS);
	cr_expect_eq(b.ups, 0);
	cr_expect_eq(a.ups, 0);
}

Test(link_remove, who_comes_back_is_new)
{
	struct link_peer *to_b;
	struct link_peer *to_a;

	meet(&to_b, &to_a);
	link_remove(to_b);
	to_b = dial_b();
	WAIT(a.ups == 2 && b.ups == 2);
	cr_expect_eq(a.news, 2);
	cr_expect_eq(b.news, 2);
	cr_expect_eq(b.losts, 1);
	a.peer = to_b;
	cr_assert_eq(node_send(&a, 7, SESSION_KEEP, NULL), OK);
	WAIT(b.calls_n == 1);
}

Test(link_remove, an_expected_one_is_refused_until_it_is_expected_again)
{
	struct link_peer *to_b;
	struct link_peer *to_a;

	meet(&to_b, &to_a);
	link_remove(to_a);
	WAIT(b.stats.refused_total > 0);
	link_expect(b.link, ROUTER, "r1");
	WAIT(b.ups == 2);
	WAIT(a.news == 2);
}

static void on_envelope_remove(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct node *node = link_owner(link_peer_link(peer));

	(void)envelope;
	node->calls_n++;
	link_remove(peer);
}

Test(link_remove, a_peer_may_be_removed_by_what_it_says)
{
	struct link_ops ops = *a.options.ops;
	struct link_peer *to_b;
	struct link_peer *to_a;

	ops.on_envelope = on_envelope_remove;
	b.options.ops = &ops;
	meet(&to_b, &to_a);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, NULL), OK);
	cr_assert_eq(node_send(&a, 2, SESSION_KEEP, NULL), OK);
	WAIT(b.calls_n == 1);
	rig_idle(50);
	cr_expect_eq(b.calls_n, 1, "the rest of the batch is nobody's");
	cr_expect_eq(b.losts, 1);
}

Test(link_remove, who_is_held_keeps_its_name_and_takes_nothing)
{
	struct link_peer *to_b;
	struct link_peer *to_a;

	meet(&to_b, &to_a);
	cr_expect_null(link_peer_hold(NULL));
	link_peer_release(NULL);
	cr_expect_eq(link_peer_hold(to_b), to_b);
	link_remove(to_b);
	loop_turn(rig.loop, 1);
	loop_turn(rig.loop, 1);
	cr_expect_str_eq(link_peer_name(to_b), "r2");
	cr_expect_not(link_peer_is_up(to_b));
	a.peer = to_b;
	cr_expect_eq(node_send(&a, 1, SESSION_KEEP, NULL), ERR_CLOSED);
	node_close(&a); /* the link may go before who holds it */
	link_peer_release(to_b);
	loop_turn(rig.loop, 1);
}
