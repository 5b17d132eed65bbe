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

Test(link_edge, an_age_is_what_the_senders_clock_says_and_the_silence_before)
{
	struct link_peer peer = { .batch_at_ms = 5000 };

	cr_expect_eq(link_peer_age_ms(&peer, 4000), 1000);
	cr_expect_eq(link_peer_age_ms(&peer, 5000), 0);
	cr_expect_eq(link_peer_age_ms(&peer, 5001), 0, "its clock is its own matter");
	cr_expect_eq(link_peer_age_ms(&peer, 0), 0, "it tells no time");
	peer.gap_ms = 300;
	cr_expect_eq(link_peer_age_ms(&peer, 4000), 1300);
	cr_expect_eq(link_peer_age_ms(&peer, 5001), 300);
	peer.batch_at_ms = UINT64_MAX;
	cr_expect_eq(link_peer_age_ms(&peer, 1), INT32_MAX);
	peer.batch_at_ms = 0;
	cr_expect_eq(link_peer_age_ms(&peer, 4000), 0, "it tells no time");
}

/* ---- what lay unread */

static struct link_stream *greeted(struct raw *raw)
{
	greet(raw);
	return b.peer->stream;
}

/* A batch that comes now, behind `silent_ms`, and says `at_ms`. */
static int64_t gap_of(struct link_stream *stream, int64_t silent_ms, uint64_t at_ms)
{
	stream->received_ms = loop_now_ms(rig.loop) - silent_ms;
	link_stream_heard(stream);
	link_stream_dated(stream, at_ms);
	cr_expect_eq(stream->received_ms, loop_now_ms(rig.loop));
	return b.peer->gap_ms;
}

/* As if all that was before had been `ms` sooner. */
static void pass(struct link_stream *stream, int64_t ms)
{
	stream->on_time_ms -= ms;
	stream->silent_end_ms -= ms;
}

Test(link_edge, a_silence_of_two_intervals_is_a_gap)
{
	const int64_t limit_ms = 2 * b.options.ping_interval_ms;
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, limit_ms - 1, 5000), 0);
	pass(stream, limit_ms);
	cr_expect_eq(gap_of(stream, limit_ms, 5000), limit_ms);
	cr_expect_eq(gap_of(stream, 0, 5001), 0, "late by less");
	raw_close(&raw);
}

Test(link_edge, without_a_batch_before_it_may_be_as_old_as_the_silence)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 20000, 5000), 20000);
	raw_close(&raw);
}

Test(link_edge, all_that_lay_unread_is_late)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, 5100), 19900);
	cr_expect_eq(gap_of(stream, 0, 0), 0, "a heartbeat tells no time");
	cr_expect_eq(gap_of(stream, 0, 6000), 19000);
	pass(stream, 100);
	cr_expect_eq(gap_of(stream, 0, 15000), 10100, "it is read in another turn");
	cr_expect_eq(gap_of(stream, 0, 25100), 0);
	pass(stream, 1000);
	cr_expect_eq(gap_of(stream, 0, 25100), 0, "on time once: it is over");
	raw_close(&raw);
}

Test(link_edge, a_silence_before_the_last_is_caught_up_with_adds_to_it)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, 5000), 20000);
	pass(stream, 15000);
	cr_expect_eq(gap_of(stream, 15000, 5000), 35000);
	pass(stream, 60000);
	cr_expect_eq(gap_of(stream, 10000, 5000), 10000, "the others are over");
	raw_close(&raw);
}

/* What comes first is as a rule a heartbeat. */
Test(link_edge, a_heartbeat_does_not_end_what_is_late)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, 0), 0);
	cr_expect_eq(gap_of(stream, 0, 5100), 19900);
	raw_close(&raw);
}

Test(link_edge, a_sender_that_was_silent_itself_is_not_late)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, 25000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, UINT64_MAX), 0, "whatever it says");
	raw_close(&raw);
}

Test(link_edge, nothing_is_later_than_the_silence_was)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 60000);
	cr_expect_eq(gap_of(stream, 20000, 5001), 20000);
	cr_expect_eq(gap_of(stream, 0, 1), 20000, "its clock went back");
	raw_close(&raw);
}

/* A machine that slept: its clock did not go on, and never catches up. */
Test(link_edge, a_clock_that_stood_still_is_forgiven)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	cr_expect_eq(gap_of(stream, 0, 5000), 0);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 20000, 5000), 20000);
	pass(stream, 20000);
	cr_expect_eq(gap_of(stream, 0, 25000), 20000);
	pass(stream, 1);
	cr_expect_eq(gap_of(stream, 0, 25001), 0);
	pass(stream, 500);
	cr_expect_eq(gap_of(stream, 0, 25501), 0);
	raw_close(&raw);
}

Test(link_edge, a_batch_with_its_time_is_dated)
{
	struct raw raw;
	struct link_stream *stream = greeted(&raw);

	b.peer->batch_at_ms = 5000;
	stream->silent_ms = 20000;
	stream->silent_end_ms = loop_now_ms(rig.loop);
	raw_send_batch(&raw, 1, 1, 0);
	WAIT(b.calls_n == 1);
	cr_expect_eq(b.peer->batch_at_ms, 0, "this one has none");
	cr_expect_eq(stream->silent_ms, 20000, "and ends nothing");
	raw_close(&raw);
}

/* What came while it stood still waits to be read: silence is judged behind it. */
Test(link_edge, who_stood_still_itself_hears_before_it_judges)
{
	struct link_stream stream = { .received_ms = 1000, .timer = { .due_ms = 1990 } };
	const struct link_options options = { .ping_interval_ms = 500,
					      .stream_timeout_ms = 1000 };

	cr_expect_not(link_stream_is_silent(&stream, 1999, &options), "not long enough");
	cr_expect(link_stream_is_silent(&stream, 2000, &options));
	cr_expect(link_stream_is_silent(&stream, 2489, &options));
	cr_expect_not(link_stream_is_silent(&stream, 2490, &options), "late by itself");
	stream.timer.due_ms = 2490;
	cr_expect(link_stream_is_silent(&stream, 2490, &options), "at the next one");
}
