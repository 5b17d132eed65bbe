/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the notifications hub tells of users that come and go, and what operators read of
 * its connections.
 */
#include "router/hub.h"
#include "tests/unit/router/notifications_kit.h"

static struct kit *kit;

static void setup(void)
{
	kit = notifications_kit();
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(notifications_users, .init = setup, .fini = teardown);

#define CAME "{\"userId\":\"bob\",\"connectedAt\":\"2"
#define WENT "{\"userId\":\"bob\",\"disconnectedAt\":\"2"

static void expect_told(const char *said, const char *event, const char *end)
{
	const struct slice text = slice_from_str(said);

	cr_expect(slice_starts_with(text, slice_from_str(event)), "%s", said);
	cr_assert_geq(text.len, strlen(end), "%s", said);
	cr_expect_str_eq(said + text.len - strlen(end), end);
}

/* Waits for timers. */
static const char *said_soon(void)
{
	const int64_t start_us = loop_clock_us();
	const char *said;

	while ((said = kit_said(kit, kit->g1))[0] == '\0') {
		cr_assert_lt(loop_clock_us() - start_us, INT64_C(5000000));
		loop_turn(kit->loop, 100);
	}
	return said;
}

static void bob_is(Link__Change change, const char *id)
{
	kit_user(kit, id, change, "bob", "Bob");
	kit_turn(kit);
}

Test(notifications_users, all_but_itself_are_told_of_a_user)
{
	be_here(kit, "b1", "bob", NULL);
	bob_is(LINK__CHANGE__CHANGE_ONLINE, "01");
	expect_told(kit_said(kit, kit->g1), TO("all", "UserConnected") CAME,
		    "Z\",\"status\":\"online\"}]} without b1");
	bob_is(LINK__CHANGE__CHANGE_OFFLINE, "02");
	expect_told(kit_said(kit, kit->g1), TO("all", "UserDisconnected") WENT,
		    "Z\",\"status\":\"offline\"}]}");
}

Test(notifications_users, a_user_that_presence_knows_first_is_waited_for)
{
	bob_is(LINK__CHANGE__CHANGE_ONLINE, "01");
	kit_expect_silence(kit, kit->g1);
	be_here(kit, "b1", "bob", NULL);
	expect_told(said_soon(), TO("all", "UserConnected") CAME,
		    "Z\",\"status\":\"online\"}]} without b1");
}

Test(notifications_users, a_user_of_other_hubs_is_told_of)
{
	bob_is(LINK__CHANGE__CHANGE_ONLINE, "01");
	expect_told(said_soon(), TO("all", "UserConnected") CAME,
		    "Z\",\"status\":\"online\"}]}");
}

Test(notifications_users, telling_may_be_off)
{
	kit_hub_option(kit, "tell_users", "off");
	bob_is(LINK__CHANGE__CHANGE_ONLINE, "01");
	bob_is(LINK__CHANGE__CHANGE_OFFLINE, "02");
	kit_expect_silence(kit, kit->g1);
	cr_expect_eq(kit->router->metrics.user_call_total, 2);
	cr_expect_eq(kit->router->metrics.user_call_failed_total, 0);
}

/* ---- what operators are told */

static void setup_logged(void)
{
	kit_open_log();
	setup();
}

TestSuite(notifications_log, .init = setup_logged, .fini = teardown);

static void leave(const char *id, const char *reason)
{
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;

	disconnected.hub = link_bytes(SLICE("notifications"));
	disconnected.connection = link_bytes(slice_from_str(id));
	disconnected.error = link_bytes(slice_from_str(reason));
	kit_hear_disconnected(kit, kit->g1, &disconnected);
	kit_turn(kit);
}

Test(notifications_log, an_end_that_is_not_in_order_is_logged)
{
	be_here(kit, "a1", "ann", NULL);
	be_here(kit, "b1", "bob", NULL);
	leave("a1", "");
	cr_expect_null(strstr(kit_logged(kit), "hub.notifications.disconnected"));
	leave("b1", "timeout");
	cr_expect_not_null(strstr(kit_logged(kit), "hub.notifications.disconnected"));
	cr_expect_not_null(strstr(kit_logged(kit), "user=\"bob\" reason=timeout"), "%s",
			   kit_logged(kit));
}

Test(notifications_log, a_role_that_makes_no_group_is_logged)
{
	arrive(kit, "c1", "ann", "long");
	join(kit, "c1", "user-ann");
	kit_expect(kit, kit->g1, "join c1 role-long");
	kit_joined(kit, kit->g1, "c1", "role-long", false, ERR_LIMIT);
	kit_turn(kit);
	cr_expect_not_null(strstr(kit_logged(kit), "group=\"role-long\""), "%s",
			   kit_logged(kit));
}
