/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Corners of a link: a ticket that resets its peer in the middle of a batch, heartbeats
 * counted from the last word, addresses of no known kind.
 */
#include <criterion/criterion.h>

#include "proto/link/link.h"
#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node b; /* a router, who listens */
static unsigned outcomes_n;

static void set_up(void)
{
	rig_init();
	node_init(&b, ROUTER, "r1");
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
}

static void tear_down(void)
{
	node_close(&b);
	rig_fini();
}

TestSuite(link_edge, .init = set_up, .fini = tear_down, .timeout = 60);

static void greet(struct raw *raw)
{
	raw_open(raw, "g1");
	raw_greet(raw);
	WAIT(b.ups == 1);
}

static void reset_on_outcome(struct session_ticket *ticket, enum err rc)
{
	(void)ticket;
	outcomes_n++;
	if (rc == OK)
		link_peer_reset(b.peer);
}

/* The batch acknowledges `call` and goes on at `first_seq`. */
static void reset_in_batch(uint64_t first_seq)
{
	static struct session_ticket ticket; /* may outlive this */
	struct raw raw;

	greet(&raw);
	session_ticket_init(&ticket, reset_on_outcome);
	cr_assert_eq(node_send(&b, 1, SESSION_DROP, &ticket), OK);
	WAIT(raw.envelopes == 1);
	raw_send_batch(&raw, first_seq, 1, 1);
	WAIT(raw.is_closed);
	cr_expect_eq(b.downs, 1);
	cr_expect_eq(b.calls_n, 0);
	raw_close(&raw);
}

Test(link_edge, a_ticket_may_reset_the_peer_whose_batch_calls_it)
{
	reset_in_batch(1);
	cr_expect_eq(outcomes_n, 1);
	cr_expect_eq(b.stats.malformed_total, 0);
}

Test(link_edge, a_batch_with_a_gap_acknowledges_nothing)
{
	reset_in_batch(50);
	cr_expect_eq(b.stats.malformed_total, 1);
	node_close(&b); /* the outcome is unknown until here */
	cr_expect_eq(outcomes_n, 1);
}

Test(link_edge, a_heartbeat_is_due_one_interval_after_the_last_word)
{
	struct raw raw;
	int64_t said_ms;

	greet(&raw);
	WAIT(b.peer->stream->sent_ms != 0);
	rig_idle(b.options.ping_interval_ms / 2);
	cr_assert_eq(node_send(&b, 1, SESSION_DROP, NULL), OK);
	WAIT(raw.envelopes == 1);
	said_ms = b.peer->stream->sent_ms;
	WAIT(b.peer->stream->timer.due_ms > said_ms + b.options.ping_interval_ms / 2);
	cr_expect_leq(b.peer->stream->timer.due_ms,
		      b.peer->stream->sent_ms + b.options.ping_interval_ms);
	raw_close(&raw);
}

Test(link_edge, a_dialed_address_of_no_known_kind_ends_the_program, .exit_code = 1)
{
	link_dial(b.link, GATEWAY, "g1", "127.0.0.1:7000");
}

Test(link_edge, a_listening_address_of_no_known_kind_is_refused)
{
	struct node a;

	node_init(&a, ROUTER, "r2");
	node_open(&a, rig.loop);
	cr_expect_eq(link_listen(a.link, "127.0.0.1:7000"), ERR_UNSUPPORTED);
	cr_expect_eq(link_listen(a.link, "http://127.0.0.1:7000"), ERR_UNSUPPORTED);
	node_close(&a);
}
