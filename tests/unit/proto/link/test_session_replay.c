/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay is as large as the state it tells of, whatever the window; what is sent after
 * it has the window to itself.
 */
#include "proto/link/link_limits.h"
#include "proto/link/session.h"

#include <criterion/criterion.h>

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

TestSuite(session_replay, .init = set_up, .fini = tear_down, .timeout = 60);

static void fill(size_t bytes)
{
	char record[100] = { 0 };

	for (size_t done = 0; done < bytes; done += sizeof(record))
		cr_assert_eq(session_append(&session, slice_make(record, sizeof(record)),
					    SESSION_DROP, NULL),
			     OK);
}

Test(session_replay, a_replay_may_exceed_the_window)
{
	struct session_kept kept;

	session_reset(&session, LINK_VERSION, &kept);
	fill(5 * WINDOW);
	session_restore(&session, &kept);

	cr_assert_eq(session.last_seq, 5 * WINDOW / 100);
}

Test(session_replay, a_large_replay_leaves_the_window_to_what_follows)
{
	struct session_kept kept;

	session_reset(&session, LINK_VERSION, &kept);
	fill(5 * WINDOW);
	session_restore(&session, &kept);
	fill(WINDOW);

	cr_assert_eq(session_append(&session, SLICE("x"), SESSION_DROP, NULL), ERR_LIMIT);
}

Test(session_replay, what_a_replay_took_is_not_given_twice)
{
	struct session_kept kept;
	uint64_t first_seq;
	struct slice run;

	session_reset(&session, LINK_VERSION, &kept);
	fill(5 * WINDOW);
	session_restore(&session, &kept);
	cr_assert_eq(session_next(&session, NO_LIMIT, &first_seq, &run),
		     5 * WINDOW / 100);
	cr_assert_eq(session_on_ack(&session, session.last_seq), OK);
	fill(WINDOW);

	cr_assert_eq(session_append(&session, SLICE("x"), SESSION_DROP, NULL), ERR_LIMIT);
}

static enum err append_rc;

static void on_outcome(struct session_ticket *ticket, enum err rc)
{
	(void)ticket; /* of a session that ends */
	cr_expect_neq(rc, OK);
	append_rc = session_append(&session, SLICE("x"), SESSION_KEEP, NULL);
}

Test(session_replay, an_ended_session_takes_nothing_whatever_it_replayed)
{
	struct session_kept kept;
	struct session_ticket ticket;

	session_reset(&session, LINK_VERSION, &kept);
	fill(WINDOW);
	session_restore(&session, &kept);
	session_ticket_init(&ticket, on_outcome);
	cr_assert_eq(session_append(&session, SLICE("x"), SESSION_KEEP, &ticket), OK);
	session_fini(&session);

	cr_assert_eq(append_rc, ERR_LIMIT);
}

/* ---- within a session */

Test(session_replay, one_within_a_session_may_exceed_the_window)
{
	fill(WINDOW);
	session_replay(&session, true);
	fill(5 * WINDOW);
	session_replay(&session, false);

	cr_assert_eq(session.last_seq, 6 * WINDOW / 100);
}

Test(session_replay, one_within_a_session_leaves_the_window_to_what_follows)
{
	fill(WINDOW / 2);
	session_replay(&session, true);
	fill(5 * WINDOW);
	session_replay(&session, false);
	fill(WINDOW);

	cr_assert_eq(session_append(&session, SLICE("x"), SESSION_DROP, NULL), ERR_LIMIT);
}
