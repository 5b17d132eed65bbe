/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables do beyond store_kit.h: hubs have a limit and go when empty, a
 * connection keeps its user, what is left is freed.
 */
#include "presence/session.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sessions sessions;
static const struct session_gateway_id g1 = { SLICE("g1"), 1 };
static bool is_edge;

static void setup(void)
{
	sessions_init(&sessions, 1000, 0, 1);
}

static void teardown(void)
{
	sessions_fini(&sessions);
}

TestSuite(session, .init = setup, .fini = teardown);

static enum err add(const char *hub, const char *connection, const char *user)
{
	const struct session_info info = {
		.hub = slice_from_str(hub),
		.connection = slice_from_str(connection),
		.user_id = slice_from_str(user),
		.gateway = g1,
		.opened_unix_ms = 5,
	};

	return sessions_add(&sessions, &info, &is_edge);
}

static enum err take(const char *hub, const char *connection)
{
	return sessions_remove(&sessions, &g1, slice_from_str(hub),
			       slice_from_str(connection), &is_edge);
}

Test(session, hubs_have_a_limit)
{
	char hub[16];

	for (int i = 0; i < SESSION_HUBS_MAX; i++) {
		(void)snprintf(hub, sizeof(hub), "hub%d", i);
		cr_assert_eq(add(hub, "c1", "ann"), OK);
	}
	cr_expect_eq(add("one more", "c1", "ann"), ERR_LIMIT);
	cr_expect_eq(add("hub7", "c2", "ann"), OK);
}

Test(session, a_hub_without_connections_makes_room)
{
	char hub[16];

	for (int i = 0; i < SESSION_HUBS_MAX; i++) {
		(void)snprintf(hub, sizeof(hub), "hub%d", i);
		cr_assert_eq(add(hub, "c1", ""), OK);
	}
	cr_assert_eq(take("hub0", "c1"), OK);
	cr_expect_eq(sessions.hubs_n, SESSION_HUBS_MAX - 1);
	cr_expect_eq(add("one more", "c1", ""), OK);
}

Test(session, a_gateway_without_connections_is_forgotten)
{
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("chat", "c2", "ann"), OK);
	cr_expect_eq(sessions.gateways.count, 1);
	cr_assert_eq(take("chat", "c1"), OK);
	cr_expect_eq(sessions.gateways.count, 1);
	cr_assert_eq(take("chat", "c2"), OK);
	cr_expect_eq(sessions.gateways.count, 0);
}

/* Else somebody would go offline without anyone being told. */
Test(session, a_connection_told_with_another_user_stays_whose_it_was)
{
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_expect_eq(add("chat", "c1", "ben"), ERR_EXISTS);
	cr_expect_not(is_edge);
	cr_expect_eq(add("chat", "c1", ""), ERR_EXISTS);
	cr_expect_eq(sessions.n, 1);
	cr_expect_null(users_find(&sessions.users, SLICE("ben")));
	cr_assert_eq(take("chat", "c1"), OK);
	cr_expect(is_edge);
}

Test(session, an_anonymous_connection_stays_anonymous)
{
	cr_assert_eq(add("chat", "c1", ""), OK);
	cr_expect_eq(add("chat", "c1", "ann"), ERR_EXISTS);
	cr_expect_eq(add("chat", "c1", ""), OK);
	cr_expect_null(users_find(&sessions.users, SLICE("ann")));
}

Test(session, a_user_is_online_since_the_first_connection)
{
	struct session_info info = { .hub = SLICE("chat"),
				     .connection = SLICE("c2"),
				     .user_id = SLICE("ann"),
				     .gateway = g1,
				     .opened_unix_ms = 9 };

	cr_assert_eq(add("chat", "c1", "ann"), OK); /* at 5 */
	cr_assert_eq(sessions_add(&sessions, &info, &is_edge), OK);
	cr_assert_eq(take("chat", "c1"), OK);
	cr_expect_not(is_edge);
	cr_expect_eq(users_find(&sessions.users, SLICE("ann"))->since_unix_ms, 5);
}

Test(session, what_is_left_is_freed)
{
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("relay", "c1", "ann"), OK);
	cr_assert_eq(add("relay", "c2", ""), OK);
	cr_expect_eq(sessions.n, 3);
}
