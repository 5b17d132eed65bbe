/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marks of a window at their exact bytes, and peers that are given up.
 */
#include <criterion/criterion.h>

#include "proto/link/batch.h"
#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

#define WINDOW 65536
#define SOON_MS 50

static struct node a; /* a gateway, who dials */
static struct node b; /* a router */

struct outcome {
	struct session_ticket ticket;
	unsigned called;
	enum err rc;
};

static struct outcome sent;
static struct outcome unsent;

static void on_outcome(struct session_ticket *ticket, enum err rc)
{
	struct outcome *outcome = CONTAINER_OF(ticket, struct outcome, ticket);

	outcome->called++;
	outcome->rc = rc;
}

static void outcome_init(struct outcome *outcome)
{
	*outcome = (struct outcome){ .rc = OK };
	session_ticket_init(&outcome->ticket, on_outcome);
}

static void set_up(void)
{
	rig_init();
	node_init(&a, GATEWAY, "g1");
	node_init(&b, ROUTER, "r1");
	a.options.window_bytes_max = WINDOW;
	outcome_init(&sent);
	outcome_init(&unsent);
}

static void tear_down(void)
{
	node_close(&a);
	node_close(&b);
	rig_fini();
}

TestSuite(link_room, .init = set_up, .fini = tear_down, .timeout = 60);

/* A message of so many bytes in the session. */
static enum err send_bytes(struct link_peer *peer, size_t bytes,
			   struct session_ticket *ticket)
{
	static char text[WINDOW + 100];
	Link__Complete complete = LINK__COMPLETE__INIT;
	const size_t was = link_peer_waiting_bytes(peer);
	size_t len = bytes;
	enum err rc;

	/* Heads and lengths take what they take: at most 16 bytes. */
	for (len = bytes > 16 ? bytes - 16 : 0; len < bytes; len++) {
		struct slice record;
		struct buf scratch = BUF_INIT;
		size_t now;

		complete.frame = link_bytes(slice_make(text, len));
		cr_assert_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_COMPLETE,
					  &complete.base, LINK_ENVELOPE_BYTES_MAX,
					  &record),
			     OK);
		now = record.len;
		buf_fini(&scratch);
		if (now == bytes)
			break;
	}
	rc = link_send_complete(peer, &complete, ticket);
	cr_assert(rc != OK || link_peer_waiting_bytes(peer) == was + bytes);
	return rc;
}

/* A peer that is away for now. */
static struct link_peer *dial_nobody(void)
{
	node_open(&a, rig.loop);
	return link_dial(a.link, ROUTER, "r1", rig.url);
}

Test(link_room, half_a_window_is_a_crowd_and_a_byte_less_is_none)
{
	struct link_peer *peer = dial_nobody();

	cr_assert_eq(send_bytes(peer, WINDOW / 4, NULL), OK);
	cr_assert_eq(send_bytes(peer, WINDOW / 4 - 1, NULL), OK);
	cr_expect_not(link_peer_is_crowded(peer));
	cr_expect_not(link_is_crowded(a.link));
	cr_expect_eq(a.stats.crowded_total, 0);
	cr_assert_eq(node_send(&(struct node){ .peer = peer }, 1, SESSION_DROP, NULL),
		     OK);
	cr_expect(link_peer_is_crowded(peer));
	cr_expect(link_is_crowded(a.link));
	cr_expect_eq(a.stats.crowded_total, 1);
}

Test(link_room, what_cannot_wait_has_the_other_half)
{
	struct link_peer *peer = dial_nobody();

	cr_assert_eq(send_bytes(peer, WINDOW / 2, NULL), OK);
	cr_expect(link_peer_is_crowded(peer));
	cr_expect_eq(send_bytes(peer, WINDOW / 2, NULL), OK);
	cr_expect_eq(send_bytes(peer, 20, NULL), ERR_LIMIT);
	cr_expect_eq(a.stats.crowded_total, 1, "one crowd");
}

Test(link_room, room_is_told_once_when_a_quarter_is_left)
{
	struct link_peer *peer;

	rig_connect(&a, &b);
	peer = a.peer;
	/* Nothing leaves before this turn ends. */
	cr_assert_eq(send_bytes(peer, WINDOW / 4, NULL), OK);
	cr_assert_eq(send_bytes(peer, WINDOW / 4, NULL), OK);
	cr_expect(link_peer_is_crowded(peer));
	cr_assert_eq(session_on_ack(&peer->session, 0), OK);
	link_room_given(peer);
	cr_expect_eq(a.rooms, 0);
	WAIT(a.rooms == 1);
	cr_expect_not(link_is_crowded(a.link));
	WAIT(link_peer_waiting_bytes(peer) == 0);
	cr_expect_eq(a.rooms, 1);
}

Test(link_room, exactly_a_quarter_is_no_room_yet)
{
	struct link_peer *peer = dial_nobody();
	uint64_t first;
	struct slice run;

	cr_assert_eq(send_bytes(peer, WINDOW / 4, NULL), OK);
	cr_assert_eq(send_bytes(peer, 20, NULL), OK);
	cr_assert_eq(send_bytes(peer, WINDOW / 4, NULL), OK);
	cr_assert_eq(session_next(&peer->session, WINDOW, &first, &run), 3);
	cr_assert_eq(session_on_ack(&peer->session, 2), OK);
	link_room_given(peer);
	cr_expect_eq(link_peer_waiting_bytes(peer), WINDOW / 4);
	cr_expect(link_peer_is_crowded(peer));
	cr_assert_eq(session_on_ack(&peer->session, 3), OK);
	link_room_given(peer);
	cr_expect_eq(a.rooms, 1);
}

Test(link_room, a_peer_that_starts_over_makes_room)
{
	rig_connect(&a, &b);
	cr_assert_eq(send_bytes(a.peer, WINDOW / 2, NULL), OK);
	node_close(&b);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(a.ups == 2);
	cr_expect_eq(a.rooms, 1);
	cr_expect_not(link_is_crowded(a.link));
}

/* ---- patience */

Test(link_room, a_peer_that_never_came_is_given_up)
{
	struct link_peer *peer = dial_nobody();

	cr_assert_eq(send_bytes(peer, WINDOW / 2, &unsent.ticket), OK);
	link_peer_set_patience(peer, SOON_MS);
	WAIT(unsent.called == 1);
	cr_expect_eq(unsent.rc, ERR_CLOSED);
	cr_expect_eq(a.losts, 0, "it was never known");
	cr_expect_eq(a.rooms, 1);
	cr_expect_eq(a.stats.given_up_total, 1);
	cr_expect_eq(send_bytes(peer, 20, NULL), ERR_CLOSED);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(b.ups == 1 && a.ups == 1);
	cr_assert_eq(node_send(&a, 7, SESSION_KEEP, NULL), OK);
	WAIT(b.calls_n == 1);
	cr_expect_eq(b.calls[0], 7);
}

/* What was sent may have been handled; what was not never will be. */
Test(link_room, one_that_went_is_lost_and_the_tickets_say_what_is_known)
{
	rig_connect(&a, &b);
	link_peer_set_patience(a.peer, SOON_MS);
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, &sent.ticket), OK);
	loop_turn(rig.loop, 0); /* it leaves at the end of this turn */
	node_close(&b);
	WAIT(a.downs == 1);
	cr_assert_eq(node_send(&a, 2, SESSION_KEEP, &unsent.ticket), OK);
	WAIT(unsent.called == 1);
	cr_expect_eq(sent.rc, ERR_OUTCOME);
	cr_expect_eq(unsent.rc, ERR_CLOSED);
	cr_expect_eq(a.losts, 1);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	WAIT(a.ups == 2);
	rig_idle(20);
	cr_expect_eq(b.calls_n, 0, "none of them runs later");
	cr_expect_eq(a.losts, 1, "it was told before");
}

/* It lived on behind a broken network: both sides start over. */
Test(link_room, one_that_lived_on_is_told_by_the_next_greeting)
{
	rig_connect(&a, &b);
	link_peer_set_patience(a.peer, 1);
	node_break(&a);
	WAIT(a.losts == 1 || a.ups == 2);
	WAIT(a.ups == 2 && b.ups == 2);
	cr_expect_eq(b.losts, a.losts);
	cr_expect_eq(a.news, 1 + a.losts);
	cr_expect_eq(b.news, 1 + a.losts);
	cr_assert_eq(node_send(&a, 7, SESSION_KEEP, NULL), OK);
	WAIT(b.calls_n == 1);
}

Test(link_room, one_that_is_back_in_time_is_not_given_up)
{
	rig_connect(&a, &b);
	link_peer_set_patience(a.peer, 60000);
	node_break(&a);
	WAIT(a.ups == 2);
	cr_expect_not(timer_is_running(&a.peer->patience_timer));
	cr_expect_eq(a.losts, 0);
	cr_expect_eq(a.stats.given_up_total, 0);
}

Test(link_room, patience_may_be_without_end_again)
{
	struct link_peer *peer = dial_nobody();

	link_peer_set_patience(peer, 60000);
	cr_expect(timer_is_running(&peer->patience_timer));
	link_peer_set_patience(peer, 0);
	cr_expect_not(timer_is_running(&peer->patience_timer));
}
