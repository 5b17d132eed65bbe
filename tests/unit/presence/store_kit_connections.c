/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: connections come and go, and are found.
 */
#include <criterion/criterion.h>

#include "proto/base/mem.h"
#include "tests/unit/presence/store_ask.h"

/* ---- changes */

void store_kit_a_user_is_online_from_the_first_connection_to_the_last(void)
{
	cr_expect_eq(add(g1, "c1", "ann")->users_online, 1);
	cr_expect_eq(add(g2, "c2", "ann")->users_online, 0);
	expect_counts(1, 2);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 0);
	cr_expect_eq(asked.answer.rc, OK);
	expect_counts(1, 1);
	cr_expect_eq(take(g2, "chat", "c2")->users_offline, 1);
	expect_counts(0, 0);
	cr_expect_eq(add(g1, "c3", "ann")->users_online, 1);
}

void store_kit_adding_twice_changes_nothing(void)
{
	(void)add(g1, "c1", "ann");
	cr_expect_eq(add(g1, "c1", "ann")->users_online, 0);
	cr_expect_eq(asked.answer.rc, OK);
	expect_counts(1, 1);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 1);
	expect_counts(0, 0);
}

void store_kit_who_is_anonymous_is_a_connection_and_no_user(void)
{
	cr_expect_eq(add(g1, "c1", "")->users_online, 0);
	expect_counts(0, 1);
	cr_expect_eq(find_user(SLICE(""), "", 1)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 0);
	expect_counts(0, 0);
}

void store_kit_removing_what_is_not_there_is_not_found(void)
{
	cr_expect_eq(take(g1, "chat", "c1")->rc, ERR_NOT_FOUND);
	(void)add(g1, "c1", "ann");
	cr_expect_eq(take(g1, "relay", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(take(g1, "chat", "c2")->rc, ERR_NOT_FOUND);
	cr_expect_eq(take(g2, "chat", "c1")->rc, ERR_NOT_FOUND);
	expect_counts(1, 1);
	cr_expect_eq(take(g1, "chat", "c1")->rc, OK);
	cr_expect_eq(take(g1, "chat", "c1")->rc, ERR_NOT_FOUND);
}

void store_kit_one_id_in_two_hubs_is_two_connections(void)
{
	struct session_info info = { .hub = SLICE("relay"),
				     .connection = SLICE("c1"),
				     .user_id = SLICE("ann") };

	(void)add(g1, "c1", "ann");
	cr_expect_eq(add_info(g1, &info)->users_online, 0);
	expect_counts(1, 2);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 0);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(take(g1, "relay", "c1")->users_offline, 1);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, ERR_NOT_FOUND);
}

void store_kit_a_connection_stays_with_the_gateway_that_told_first(void)
{
	(void)add(g1, "c1", "ann");
	cr_expect_eq(add(g2, "c1", "ann")->rc, ERR_EXISTS);
	expect_counts(1, 1);
	cr_expect_eq(take(g2, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(gateway_retire(g2), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_counts(1, 1);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 1);
}

void store_kit_a_connection_that_was_handed_over_moves_without_an_event(void)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = SLICE("c1"),
					   .user_id = SLICE("ann"),
					   .is_told = true,
					   .is_moved = true };

	(void)add(g1, "c1", "ann");
	cr_expect_eq(add_info(g2, &info)->rc, OK);
	cr_expect_eq(asked.answer.users_online, 0);
	expect_counts(1, 1);
	cr_expect_eq(take(g1, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(gateway_retire(g1), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_counts(1, 1);
	cr_expect_eq(take(g2, "chat", "c1")->users_offline, 1);
}

/* Else somebody would go offline without anyone being told. */
void store_kit_a_connection_stays_whose_it_was(void)
{
	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "");
	cr_expect_eq(add(g1, "c1", "ben")->rc, ERR_EXISTS);
	cr_expect_eq(asked.answer.users_online, 0);
	cr_expect_eq(add(g1, "c1", "")->rc, ERR_EXISTS);
	cr_expect_eq(add(g1, "c2", "ann")->rc, ERR_EXISTS);
	cr_expect_eq(add(g1, "c2", "")->rc, OK);
	expect_counts(1, 2);
	cr_expect_eq(find_user(SLICE("ben"), "", 1)->rc, ERR_NOT_FOUND);
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 1);
}

/* ---- questions */

static void on_user_found(struct store_call *call, const struct store_answer *answer)
{
	cr_expect(slice_equal(answer->users[0].id, SLICE("ann")));
	cr_expect(slice_equal(answer->users[0].name, SLICE("Ann B.")));
	on_asked(call, answer);
}

void store_kit_a_user_is_found_with_name_and_time(void)
{
	struct session_info info = { .hub = SLICE("chat"),
				     .connection = SLICE("c1"),
				     .user_id = SLICE("ann"),
				     .user_name = SLICE("Ann"),
				     .opened_unix_ms = 2000 };

	(void)add_info(g1, &info);
	info.connection = SLICE("c2");
	info.user_name = SLICE("Ann B.");
	info.opened_unix_ms = 1500;
	(void)add_info(g1, &info);
	(void)take(g1, "chat", "c2");

	store->ops->user(store, SLICE("ann"), SLICE_NONE, ROOM, ask_with(on_user_found));
	wait_answer();
	cr_expect_eq(asked.answer.users_n, 1);
	cr_expect_eq(asked.user.connections_n, 1);
	cr_expect_eq(asked.user.since_unix_ms, 1500);
	cr_expect_str_eq(asked.sessions, "c1 ");
	cr_expect_eq(find_user(SLICE("an"), "", ROOM)->rc, ERR_NOT_FOUND);
}

static void on_connection_found(struct store_call *call,
				const struct store_answer *answer)
{
	const struct session_info *info = answer->sessions;

	cr_expect(slice_equal(info->hub, SLICE("chat")));
	cr_expect(slice_equal(info->connection, SLICE("c1")));
	cr_expect(slice_equal(info->user_id, SLICE("ann")));
	cr_expect(slice_equal(info->user_name, SLICE("Ann")));
	cr_expect(slice_equal(info->gateway.name, SLICE("g1")));
	cr_expect_eq(info->gateway.incarnation, 1);
	cr_expect(slice_equal(info->remote, SLICE("10.0.0.9:4711")));
	cr_expect(slice_equal(info->user_agent, SLICE("agent/1")));
	cr_expect_eq(info->protocol, 2);
	cr_expect_eq(info->transport, 3);
	cr_expect_eq(info->opened_unix_ms, 1234);
	on_asked(call, answer);
}

void store_kit_a_connection_is_found_with_all_that_was_told(void)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = SLICE("c1"),
					   .user_id = SLICE("ann"),
					   .user_name = SLICE("Ann"),
					   .remote = SLICE("10.0.0.9:4711"),
					   .user_agent = SLICE("agent/1"),
					   .protocol = 2,
					   .transport = 3,
					   .opened_unix_ms = 1234 };

	(void)add_info(g1, &info);
	store->ops->connection(store, SLICE("c1"), ask_with(on_connection_found));
	cr_expect_eq(wait_answer()->sessions_n, 1);
}

void store_kit_ids_may_hold_any_byte(void)
{
	struct session_info info = { .hub = SLICE("\0\xff"),
				     .connection = SLICE("c\0one"),
				     .user_id = SLICE("a\0b /%\xff") };

	cr_expect_eq(add_info(g1, &info)->users_online, 1);
	info.user_id = SLICE("a\0c /%\xff");
	info.connection = SLICE("c\0two");
	cr_expect_eq(add_info(g1, &info)->users_online, 1);
	cr_expect_eq(find_user(SLICE("a\0b /%\xff"), "", 1)->rc, OK);
	cr_expect_eq(find_user(SLICE("a"), "", 1)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_connection(SLICE("c\0two"))->rc, OK);
	store->ops->remove(store, g1, info.hub, info.connection, ask());
	cr_expect_eq(wait_answer()->users_offline, 1);
	expect_counts(1, 1);
}

/* ---- limits */

static void on_notes_found(struct store_call *call, const struct store_answer *answer)
{
	cr_expect_eq(answer->sessions[0].remote.len, SESSION_NOTE_BYTES_MAX);
	cr_expect_eq(answer->sessions[0].user_agent.len, SESSION_NOTE_BYTES_MAX);
	on_asked(call, answer);
}

void store_kit_text_has_its_limits(void)
{
	char *text = mem_zalloc(SESSION_ID_BYTES_MAX + 1);
	const struct slice most = slice_make(text, SESSION_ID_BYTES_MAX);
	const struct slice more = slice_make(text, SESSION_ID_BYTES_MAX + 1);
	const struct session_info good = { .hub = most,
					   .connection = SLICE("c1"),
					   .user_id = SLICE("ann"),
					   .user_name = most,
					   .remote = more,
					   .user_agent = more };
	struct session_info info = good;

	cr_expect_eq(add_info(g1, &info)->rc, OK);
	store->ops->connection(store, SLICE("c1"), ask_with(on_notes_found));
	wait_answer();
	info.hub = more;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_LIMIT);
	info.hub = SLICE_NONE;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_ARGUMENT);
	info = good;
	info.connection = more;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_LIMIT);
	info.connection = SLICE_NONE;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_ARGUMENT);
	info = good;
	info.connection = SLICE("c2");
	info.user_name = more;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_LIMIT);
	info.user_name = SLICE_NONE;
	info.user_id = more;
	cr_expect_eq(add_info(g1, &info)->rc, ERR_LIMIT);
	expect_counts(1, 1);
	mem_free(text);
}

void store_kit_sessions_max_is_the_last_that_fits(void)
{
	const struct store_kit_options options = { .sessions_max = 2,
						   .events_max = ROOM };

	use_store(&options);
	(void)settle();
	cr_expect_eq(add(g1, "c1", "ann")->rc, OK);
	cr_expect_eq(add(g1, "c2", "ben")->rc, OK);
	cr_expect_eq(add(g1, "c3", "cid")->rc, ERR_LIMIT);
	cr_expect_eq(asked.answer.users_online, 0);
	cr_expect_eq(add(g1, "c2", "ben")->rc, OK); /* is there already */
	expect_counts(2, 2);
	(void)take(g1, "chat", "c1");
	cr_expect_eq(add(g1, "c3", "cid")->rc, OK);
}
