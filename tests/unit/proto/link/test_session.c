/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session, call by call. What two of them make of broken streams and restarts is in
 * test_session_sim.c.
 */
#include "proto/link/session.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#define WINDOW 1000u
#define NO_LIMIT 1000000u

static struct session session;

static void set_up(void)
{
	session_init(&session, WINDOW);
}

static void tear_down(void)
{
	session_fini(&session);
}

TestSuite(session, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- small words */

struct probe {
	struct session_ticket ticket;
	unsigned called;
	enum err rc;
	const char *resend; /* what the callback sends, with the same ticket */
	enum err resend_rc;
};

static unsigned calls; /* so that the order of calls can be seen */

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct probe *probe = CONTAINER_OF(ticket, struct probe, ticket);

	cr_assert_not(list_is_linked(&ticket->node), "not free for use");
	probe->called = ++calls;
	probe->rc = rc;
	if (probe->resend != NULL)
		probe->resend_rc = session_append(&session, slice_from_str(probe->resend),
						  SESSION_DROP, ticket);
	probe->resend = NULL;
}

static void append(const char *text, bool is_kept, struct probe *probe)
{
	if (probe != NULL) {
		*probe = (struct probe){ .rc = ERR_AGAIN };
		session_ticket_init(&probe->ticket, on_ticket);
	}
	cr_assert_eq(session_append(&session, slice_from_str(text), is_kept,
				    probe != NULL ? &probe->ticket : NULL),
		     OK);
}

/* Sends what there is, up to `limit`, and says what it was: "1:ab". */
static const char *next(size_t limit)
{
	static char text[WINDOW + 32];
	uint64_t first_seq;
	struct slice run;

	if (session_next(&session, limit, &first_seq, &run) == 0)
		return "";
	memset(text, 0, sizeof(text));
	memcpy(text + snprintf(text, 32, "%u:", (unsigned)first_seq), run.ptr, run.len);
	return text;
}

/* ---- sending */

Test(session, numbers_from_one_and_hands_out_whole_records)
{
	append("aa", SESSION_DROP, NULL);
	append("bbb", SESSION_DROP, NULL);
	append("c", SESSION_DROP, NULL);
	cr_expect(session_has_unsent(&session));
	cr_expect_str_eq(next(4), "1:aa");
	cr_expect_str_eq(next(4), "2:bbbc");
	cr_expect_not(session_has_unsent(&session));
	cr_expect_str_eq(next(4), "");
}

Test(session, a_record_over_the_batch_limit_goes_alone)
{
	append("aaaaaaaa", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	cr_expect_str_eq(next(4), "1:aaaaaaaa");
	cr_expect_str_eq(next(4), "2:b");
}

Test(session, the_window_may_be_filled_exactly_and_no_further)
{
	char bytes[WINDOW] = { 0 };
	struct probe probe;

	session_ticket_init(&probe.ticket, on_ticket);
	cr_expect_eq(session_append(&session, slice_make(bytes, WINDOW - 1), SESSION_KEEP,
				    NULL),
		     OK);
	cr_expect_eq(session_append(&session, slice_make(bytes, 2), SESSION_KEEP,
				    &probe.ticket),
		     ERR_LIMIT);
	cr_expect_not(list_is_linked(&probe.ticket.node),
		      "a refused ticket is not taken");
	cr_expect_eq(session_append(&session, slice_make(bytes, 1), SESSION_KEEP, NULL),
		     OK);
	cr_expect_eq(session_append(&session, slice_make(bytes, 1), SESSION_KEEP, NULL),
		     ERR_LIMIT);
}

Test(session, only_acknowledgements_make_room_in_the_window)
{
	char bytes[WINDOW] = { 0 };
	uint64_t first_seq;
	struct slice run;

	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(session_append(&session, slice_make(bytes, WINDOW / 10),
					    SESSION_DROP, NULL),
			     OK);
	cr_assert_eq(session_next(&session, NO_LIMIT, &first_seq, &run), 10);
	cr_expect_eq(session_append(&session, SLICE("x"), SESSION_DROP, NULL), ERR_LIMIT);
	cr_assert_eq(session_on_ack(&session, 1), OK);
	cr_expect_eq(session_append(&session, slice_make(bytes, WINDOW / 10),
				    SESSION_DROP, NULL),
		     OK);
	cr_expect_eq(session_append(&session, SLICE("x"), SESSION_DROP, NULL), ERR_LIMIT);
}

Test(session, many_records_keep_their_bytes)
{
	char text[8];

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t first_seq;
		struct slice run;

		snprintf(text, sizeof(text), "%u", i);
		append(text, SESSION_DROP, NULL);
		if (i < 100)
			continue; /* so that the ring of records grows, off its start */
		cr_assert_eq(session_next(&session, 1, &first_seq, &run), 1);
		cr_assert_eq(first_seq, i - 99);
		snprintf(text, sizeof(text), "%u", i - 100);
		cr_assert(slice_equal(run, slice_from_str(text)), "%s", text);
		cr_assert_eq(session_on_ack(&session, first_seq), OK);
	}
}

Test(session, a_jam_does_not_keep_its_memory)
{
	struct session large;
	uint64_t first_seq;
	struct slice run;
	char bytes[1000] = { 0 };

	session_init(&large, NO_LIMIT);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(session_append(&large, slice_make(bytes, sizeof(bytes)),
					    SESSION_DROP, NULL),
			     OK);
	cr_assert_eq(session_next(&large, NO_LIMIT * 2, &first_seq, &run), 1000);
	cr_assert_eq(session_on_ack(&large, 1000), OK);
	cr_expect_eq(large.bytes.cap, 0);
	session_fini(&large);
}

/* ---- acknowledgements and tickets */

Test(session, what_was_never_sent_cannot_be_acknowledged)
{
	append("a", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	cr_expect_eq(session_on_ack(&session, 1), ERR_MALFORMED);
	cr_assert_str_eq(next(1), "1:a");
	cr_expect_eq(session_on_ack(&session, 2), ERR_MALFORMED);
	cr_expect_eq(session_on_ack(&session, UINT64_MAX), ERR_MALFORMED);
	cr_expect_eq(session_on_ack(&session, 1), OK);
	cr_expect_eq(session_on_ack(&session, 0), OK, "an old one is harmless");
	cr_expect_eq(session.acked_seq, 1);
}

Test(session, a_ticket_is_called_when_its_record_is_handled)
{
	struct probe first;
	struct probe third;

	append("a", SESSION_DROP, &first);
	append("b", SESSION_DROP, NULL);
	append("c", SESSION_DROP, &third);
	next(NO_LIMIT);
	cr_assert_eq(session_on_ack(&session, 2), OK);
	cr_expect_eq(first.called, 1);
	cr_expect_eq(first.rc, OK);
	cr_expect_eq(third.called, 0);
	cr_assert_eq(session_on_ack(&session, 3), OK);
	cr_expect_eq(third.called, 2);
	cr_expect_eq(third.rc, OK);
}

Test(session, a_ticket_can_be_used_again_in_its_callback)
{
	struct probe probe;

	append("a", SESSION_DROP, &probe);
	next(NO_LIMIT);
	probe.resend = "again";
	cr_assert_eq(session_on_ack(&session, 1), OK);
	cr_expect_eq(probe.resend_rc, OK);
	cr_expect_str_eq(next(NO_LIMIT), "2:again");
	cr_assert_eq(session_on_ack(&session, 2), OK);
	cr_expect_eq(probe.called, 2);
}

Test(session, a_canceled_ticket_is_not_called)
{
	struct probe probe;

	append("a", SESSION_DROP, &probe);
	session_ticket_cancel(&probe.ticket);
	session_ticket_cancel(&probe.ticket);
	next(NO_LIMIT);
	cr_assert_eq(session_on_ack(&session, 1), OK);
	cr_expect_eq(probe.called, 0);
}

Test(session, a_ticket_in_use_is_not_taken_again, .signal = SIGABRT)
{
	struct probe probe;

	append("a", SESSION_DROP, &probe);
	(void)!session_append(&session, SLICE("b"), SESSION_DROP, &probe.ticket);
}

Test(session, the_end_calls_what_is_left_and_takes_nothing_more)
{
	struct probe sent;
	struct probe unsent;

	append("a", SESSION_KEEP, NULL);
	append("b", SESSION_KEEP, &sent);
	append("c", SESSION_KEEP, &unsent);
	next(2);
	cr_assert_eq(session_on_ack(&session, 1), OK);
	session_fini(&session);
	cr_expect_eq(sent.rc, ERR_OUTCOME);
	cr_expect_eq(unsent.rc, ERR_CLOSED);
	cr_expect_eq(session_append(&session, SLICE("d"), SESSION_KEEP, NULL), ERR_LIMIT);
	set_up(); /* for the tear-down */
}

Test(session, a_ticket_that_sends_at_the_end_is_refused)
{
	struct probe probe;

	append("a", SESSION_DROP, &probe);
	probe.resend = "b";
	session_fini(&session);
	cr_expect_eq(probe.resend_rc, ERR_LIMIT);
	set_up(); /* for the tear-down */
}

/* ---- receiving */

static size_t seen_of(uint64_t first_seq, size_t n)
{
	size_t seen = 99;

	cr_assert_eq(session_on_batch(&session, first_seq, n, &seen), OK);
	return seen;
}

Test(session, tells_how_much_of_a_batch_was_seen)
{
	cr_expect_eq(seen_of(1, 3), 0);
	for (unsigned i = 0; i < 3; i++)
		session_handled(&session);
	cr_expect_eq(seen_of(1, 3), 3);
	cr_expect_eq(seen_of(2, 1), 1);
	cr_expect_eq(seen_of(1, 5), 3);
	cr_expect_eq(seen_of(3, 2), 1);
	cr_expect_eq(seen_of(4, 2), 0);
	cr_expect_eq(seen_of(0, 0), 0, "an empty batch has no number");
	cr_expect_eq(seen_of(77, 0), 0);
}

Test(session, a_gap_is_malformed)
{
	size_t seen;

	cr_expect_eq(session_on_batch(&session, 2, 1, &seen), ERR_MALFORMED);
	cr_expect_eq(session_on_batch(&session, 0, 1, &seen), ERR_MALFORMED);
	cr_expect_eq(session_on_batch(&session, UINT64_MAX, 2, &seen), ERR_MALFORMED);
	session_handled(&session);
	cr_expect_eq(session_on_batch(&session, 3, 1, &seen), ERR_MALFORMED);
}

Test(session, an_acknowledgement_is_owed_until_it_is_told)
{
	cr_expect_not(session_owes_ack(&session));
	session_handled(&session);
	cr_expect(session_owes_ack(&session));
	append("a", SESSION_DROP, NULL);
	next(NO_LIMIT);
	cr_expect_not(session_owes_ack(&session), "it went along");
}

/* ---- streams */

Test(session, a_new_stream_sends_again_what_was_not_handled)
{
	append("a", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	append("c", SESSION_DROP, NULL);
	cr_assert_str_eq(next(2), "1:ab");
	cr_assert_eq(session_resume(&session, 1), OK);
	cr_expect_str_eq(next(NO_LIMIT), "2:bc");
	cr_assert_eq(session_resume(&session, 3), OK);
	cr_expect_str_eq(next(NO_LIMIT), "");
}

Test(session, a_hello_older_than_the_last_acknowledgement_takes_nothing_back)
{
	append("a", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	next(NO_LIMIT);
	cr_assert_eq(session_on_ack(&session, 1), OK);
	cr_assert_eq(session_resume(&session, 0), OK);
	cr_expect_str_eq(next(NO_LIMIT), "2:b");
}

Test(session, a_hello_that_counts_too_much_is_malformed)
{
	append("a", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	next(1);
	cr_expect_eq(session_resume(&session, 2), ERR_MALFORMED);
	cr_expect_eq(session_resume(&session, 1), OK);
}

/* The peer handled the rest off the old stream between its hello and the end of the
 * greeting; its acknowledgement comes before we sent all of it again. */
Test(session, the_new_stream_may_acknowledge_what_the_old_one_brought)
{
	struct probe probe;

	append("a", SESSION_DROP, NULL);
	append("b", SESSION_DROP, NULL);
	append("c", SESSION_DROP, &probe);
	append("d", SESSION_DROP, NULL);
	cr_assert_str_eq(next(3), "1:abc");
	cr_assert_eq(session_resume(&session, 0), OK);
	cr_assert_str_eq(next(1), "1:a");
	cr_assert_eq(session_on_ack(&session, 3), OK);
	cr_expect_eq(probe.rc, OK);
	cr_expect_eq(session_on_ack(&session, 4), ERR_MALFORMED);
	cr_expect_str_eq(next(NO_LIMIT), "4:d");
}

Test(session, a_new_stream_owes_the_acknowledgement_that_the_old_one_made_due)
{
	session_handled(&session);
	append("a", SESSION_DROP, NULL);
	next(NO_LIMIT);
	cr_assert_not(session_owes_ack(&session));
	cr_assert_eq(session_resume(&session, 0), OK);
	cr_expect(session_owes_ack(&session));
}

/* ---- a peer that starts over */

Test(session, kept_records_follow_the_replay_in_order_and_dropped_ones_are_void)
{
	struct session_kept kept;

	append("a", SESSION_KEEP, NULL);
	append("b", SESSION_DROP, NULL);
	append("c", SESSION_KEEP, NULL);
	session_reset(&session, 1, &kept);
	cr_expect_eq(session.last_seq, 0);
	append("R", SESSION_DROP, NULL);
	append("S", SESSION_DROP, NULL);
	session_restore(&session, &kept);
	append("d", SESSION_DROP, NULL);
	cr_expect_str_eq(next(NO_LIMIT), "1:RSacd");
}

Test(session, what_was_sent_is_void_though_it_was_to_be_kept)
{
	struct session_kept kept;

	append("a", SESSION_KEEP, NULL);
	append("b", SESSION_KEEP, NULL);
	append("c", SESSION_KEEP, NULL);
	next(2);
	cr_assert_eq(session_on_ack(&session, 1), OK);
	session_reset(&session, 1, &kept);
	session_restore(&session, &kept);
	cr_expect_str_eq(next(NO_LIMIT), "1:c");
}

/* It was sent on the stream before: it may have run, and must not run twice. */
Test(session, what_was_sent_before_a_break_is_void_though_not_sent_again_yet)
{
	struct session_kept kept;
	struct probe probe;

	append("a", SESSION_KEEP, &probe);
	next(NO_LIMIT);
	cr_assert_eq(session_resume(&session, 0), OK);
	session_reset(&session, 1, &kept);
	session_restore(&session, &kept);
	cr_expect_eq(probe.rc, ERR_OUTCOME);
	cr_expect_str_eq(next(NO_LIMIT), "");
}

Test(session, tickets_tell_what_a_reset_did)
{
	struct session_kept kept;
	struct probe sent;
	struct probe dropped;
	struct probe survivor;

	append("a", SESSION_KEEP, &sent);
	next(NO_LIMIT);
	append("b", SESSION_DROP, &dropped);
	append("c", SESSION_KEEP, NULL);
	append("d", SESSION_KEEP, &survivor);
	session_reset(&session, 1, &kept);
	cr_expect_eq(sent.called + dropped.called, 0, "not before the replay");
	append("R", SESSION_DROP, NULL);
	session_restore(&session, &kept);
	cr_expect_eq(sent.rc, ERR_OUTCOME);
	cr_expect_eq(dropped.rc, ERR_CLOSED);
	cr_expect_eq(survivor.called, 0);
	cr_assert_str_eq(next(NO_LIMIT), "1:Rcd");
	cr_assert_eq(session_on_ack(&session, 2), OK);
	cr_expect_eq(survivor.called, 0);
	cr_assert_eq(session_on_ack(&session, 3), OK);
	cr_expect_eq(survivor.rc, OK);
}

Test(session, a_ticket_can_be_canceled_or_send_while_the_peer_starts_over)
{
	struct session_kept kept;
	struct probe canceled;
	struct probe resent;

	append("a", SESSION_DROP, &resent);
	append("b", SESSION_KEEP, &canceled);
	session_reset(&session, 1, &kept);
	session_ticket_cancel(&canceled.ticket);
	resent.resend = "a2";
	session_restore(&session, &kept);
	cr_expect_eq(resent.resend_rc, OK);
	cr_expect_str_eq(next(NO_LIMIT), "1:ba2");
	cr_assert_eq(session_on_ack(&session, 2), OK);
	cr_expect_eq(canceled.called, 0);
	cr_expect_eq(resent.rc, OK);
}

Test(session, kept_records_come_back_whatever_the_replay_took_of_the_window)
{
	struct session_kept kept;
	char bytes[WINDOW] = { 0 };

	cr_assert_eq(
		session_append(&session, slice_make(bytes, WINDOW), SESSION_KEEP, NULL),
		OK);
	session_reset(&session, 1, &kept);
	cr_assert_eq(
		session_append(&session, slice_make(bytes, WINDOW), SESSION_DROP, NULL),
		OK);
	session_restore(&session, &kept);
	cr_expect_eq(session.last_seq, 2);
	cr_expect_eq(session_append(&session, SLICE("x"), SESSION_KEEP, NULL), ERR_LIMIT);
}

Test(session, both_directions_count_from_one_again)
{
	struct session_kept kept;

	session_handled(&session);
	session_handled(&session);
	session_reset(&session, 1, &kept);
	session_restore(&session, &kept);
	cr_expect_eq(seen_of(1, 1), 0);
	cr_expect_not(session_owes_ack(&session));
	cr_expect_eq(session_on_ack(&session, 1), ERR_MALFORMED);
}
