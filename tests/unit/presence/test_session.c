/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables do beyond store_kit.h: hubs have a limit and go when empty, a
 * connection keeps its place, what is left is freed.
 */
#include "presence/session.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sessions sessions;
static uint64_t g1;
static int changes; /* +1 for who comes, -1 for who goes */

static void on_change(void *owner, const struct user *user, bool is_online)
{
	(void)owner;
	(void)user;
	changes += is_online ? 1 : -1;
}

static uint64_t gateway_new(const char *name)
{
	const struct session_gateway_id id = { slice_from_str(name), 1 };

	return registration_new(&sessions.registrations, &id, 1000)->number;
}

static void setup(void)
{
	const struct session_options options = { .n_max = 1000,
						 .seed = 1,
						 .on_change = on_change };

	sessions_init(&sessions, &options);
	cr_assert_not(sessions_settle(&sessions, 1));
	g1 = gateway_new("g1");
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
		.opened_unix_ms = 5,
	};

	return sessions_add(&sessions, g1, &info);
}

static enum err take(const char *hub, const char *connection)
{
	return sessions_remove(&sessions, g1, slice_from_str(hub),
			       slice_from_str(connection), 0);
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

/* A hub that goes and comes by telling its only connection again. */
Test(session, the_only_connection_of_a_hub_is_told_again)
{
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_expect_eq(sessions.hubs_n, 1);
	cr_expect_eq(sessions.n, 1);
	cr_expect_eq(changes, 1);
	cr_expect_not_null(sessions_find(&sessions, SLICE("c1")));
}

Test(session, what_is_told_again_keeps_its_place)
{
	const struct user *ann;
	const struct session_entry *entry;
	struct session_info info;
	uint64_t serial;

	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("chat", "c2", "ann"), OK);
	serial = session_serial(sessions_find(&sessions, SLICE("c1")));
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	ann = users_find(&sessions.users, SLICE("ann"));
	entry = session_first_of_user(ann, 0);
	session_describe(entry, &info);
	cr_expect(slice_equal(info.connection, SLICE("c1")));
	cr_expect_eq(session_serial(entry), serial);
	entry = session_next_of_user(ann, entry);
	session_describe(entry, &info);
	cr_expect(slice_equal(info.connection, SLICE("c2")));
	cr_expect_null(session_next_of_user(ann, entry));
	cr_expect_eq(session_first_of_user(ann, serial), entry);
	cr_expect_eq(ann->entries_n, 2);
}

Test(session, a_user_is_online_since_the_first_connection)
{
	struct session_info info = { .hub = SLICE("chat"),
				     .connection = SLICE("c2"),
				     .user_id = SLICE("ann"),
				     .opened_unix_ms = 9 };

	cr_assert_eq(add("chat", "c1", "ann"), OK); /* at 5 */
	cr_assert_eq(sessions_add(&sessions, g1, &info), OK);
	cr_assert_eq(take("chat", "c1"), OK);
	cr_expect_eq(changes, 1);
	cr_expect_eq(users_find(&sessions.users, SLICE("ann"))->since_unix_ms, 5);
}

Test(session, what_is_left_is_freed)
{
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("relay", "c1", "ann"), OK);
	cr_assert_eq(add("relay", "c2", ""), OK);
	cr_expect_eq(sessions.n, 3);
}

/* At one time those with a grace and those without are about to go. */
Test(session, who_has_no_grace_goes_first)
{
	const struct session_options options = {
		.n_max = 10, .grace_ms = 100, .seed = 1, .on_change = on_change
	};
	bool is_more;

	sessions_fini(&sessions);
	sessions_init(&sessions, &options); /* quiet */
	g1 = gateway_new("g1");
	cr_assert_eq(add("chat", "c1", "ann"), OK);
	cr_assert_eq(add("chat", "c2", "ben"), OK);
	/* Neither was told before: as if they had been. */
	LIST_EACH (node, &sessions.waiting) {
		CONTAINER_OF(node, struct user, state_node)->state = USER_HERE;
		list_remove(node);
	}
	cr_assert_eq(take("chat", "c1"), OK); /* her grace lasts until 100 */
	registration_retire(&sessions.registrations,
			    registration_find(&sessions.registrations, g1));
	cr_expect_eq(sessions_sweep(&sessions, 10, 1, &is_more), 1);
	cr_expect_eq(changes, 0);
	(void)sessions_settle(&sessions, 10);
	cr_expect_eq(sessions_sweep(&sessions, 10, 99, &is_more), 0);
	cr_expect_eq(changes, -1);
	cr_expect_not_null(users_find(&sessions.users, SLICE("ann")));
	cr_expect_not(is_more);
	(void)sessions_sweep(&sessions, 10, 100, &is_more);
	cr_expect_eq(changes, -2);
}

/* Told before, so that he is no newcomer. */
static void add_told(const char *user)
{
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = slice_from_str(user),
		.user_id = slice_from_str(user),
		.is_told = true,
	};

	cr_assert_eq(sessions_add(&sessions, g1, &info), OK);
}

/* Those who left have no connection, but memory: past the limit nobody waits for the end
 * of the quiet phase, nor is anybody told that he went. */
Test(session, without_room_who_goes_in_the_quiet_is_forgotten)
{
	const struct session_options options = { .n_max = 2,
						 .seed = 1,
						 .on_change = on_change };
	bool is_more;

	sessions_fini(&sessions);
	sessions_init(&sessions, &options); /* quiet */
	g1 = gateway_new("g1");
	add_told("ann");
	add_told("ben");
	cr_assert_eq(take("chat", "ann"), OK);
	cr_expect_not_null(users_find(&sessions.users, SLICE("ann")));
	add_told("cid");
	cr_assert_eq(take("chat", "cid"), OK);
	cr_expect_null(users_find(&sessions.users, SLICE("cid")));
	cr_expect_eq(changes, 0);
	(void)sessions_settle(&sessions, 1);
	(void)sessions_sweep(&sessions, 10, 0, &is_more);
	cr_expect_eq(changes, -1); /* ann */
}

Test(session, one_slice_lets_at_most_limit_users_go)
{
	const struct session_options options = {
		.n_max = 10, .grace_ms = 100, .seed = 1, .on_change = on_change
	};
	bool is_more;

	sessions_fini(&sessions);
	sessions_init(&sessions, &options);
	(void)sessions_settle(&sessions, 1);
	g1 = gateway_new("g1");
	for (int i = 0; i < 5; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "u%d", i);
		cr_assert_eq(add("chat", id, id), OK);
		cr_assert_eq(take("chat", id), OK);
	}
	(void)sessions_sweep(&sessions, 3, 100, &is_more);
	cr_expect_eq(changes, 2);
	cr_expect(is_more);
	(void)sessions_sweep(&sessions, 3, 100, &is_more);
	cr_expect_eq(changes, 0);
	cr_expect_not(is_more);
}
