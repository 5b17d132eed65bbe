/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notifications hub and its state, when the router that keeps what a user has not
 * read cannot be asked: it is r2.
 */
#include "tests/unit/router/notifications_kit.h"

#define PENDING "pending-"

static struct kit *kit;
static const char *caller;
static const char *user; /* for whom r2 keeps what is sent */

static const char *user_of(bool is_own)
{
	return kit_name_from(kit, LINK__KIND__KIND_GROUP, PENDING, is_own) +
	       strlen(PENDING);
}

static void setup(void)
{
	kit = notifications_kit_two();
	caller = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);
	user = user_of(false);
	be_here(kit, caller, user_of(true), "Admin");
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(notifications_state, .init = setup, .fini = teardown);

/* r2 has been asked to keep it. */
static void send_one(void)
{
	const char *said;

	kit_skip(kit, kit->r2);
	kit_invoke(
		kit, kit->g1, caller, "7", "SendNotificationToUser",
		kit_text(kit, "[\"%s\",{\"title\":\"Hi\",\"message\":\"there\"}]", user));
	kit_turn(kit);
	said = kit_said(kit, kit->r2);
	cr_assert_not_null(strstr(said, "state put " PENDING), "%s", said);
}

static void expect_failed(const char *detail)
{
	kit_expect(kit, kit->g1,
		   "complete %s %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking 'SendNotificationToUser' on the "
		   "server.%s\"}",
		   caller, (unsigned)kit->last_invoke, detail);
}

Test(notifications_state, one_whose_keeper_is_lost_may_have_been_sent)
{
	send_one();
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	kit_turn(kit);
	expect_failed(" HubException: The outcome is unknown: it may have been sent.");
}

/* What was surely not kept is no such thing. */
Test(notifications_state, one_that_is_refused_was_not_sent)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;

	send_one();
	done.call = kit->call;
	done.rc = ERR_LIMIT;
	kit_hear_state_done(kit, kit->r2, &done);
	kit_turn(kit);
	expect_failed("");
}
