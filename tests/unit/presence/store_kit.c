/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests of store_kit.h. Every question is waited for; what an answer pointed to is
 * kept as text, ids with a space behind each.
 */
#include "tests/unit/presence/store_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

#define MANY 100000 /* sessions_max where nothing else is said */
#define ROOM 1000

struct asked {
	struct store_call call;
	bool is_done;
	struct store_answer answer; /* its pointers are dead */
	struct store_user user;	    /* the first, with its texts in `users` */
	char users[16384];
	char sessions[4096];
	char next[128];
};

/* The one test that is running. */
static const struct store_kit *kit;
static struct store *store;
static struct asked asked;

static const struct session_gateway_id g1 = { SLICE("g1"), 1 };
static const struct session_gateway_id g2 = { SLICE("g2"), 2 };

void store_kit_run(const struct store_kit *the_kit, void (*test)(void))
{
	kit = the_kit;
	store = kit->make(MANY);
	test();
	store->ops->free(store);
}

/* ---- asking */

static void put(char *text, size_t size, size_t *len, struct slice id)
{
	cr_assert_lt(*len + id.len + 2, size);
	memcpy(text + *len, id.ptr, id.len);
	*len += id.len;
	text[(*len)++] = ' ';
	text[*len] = '\0';
}

static void on_done(struct store_call *call, const struct store_answer *answer)
{
	size_t users_len = 0;
	size_t sessions_len = 0;
	size_t next_len = 0;

	cr_assert_eq(call, &asked.call);
	asked.answer = *answer;
	asked.is_done = true;
	if (answer->users_n > 0 && answer->users != NULL)
		asked.user = answer->users[0];
	for (size_t i = 0; answer->users != NULL && i < answer->users_n; i++)
		put(asked.users, sizeof(asked.users), &users_len, answer->users[i].id);
	for (size_t i = 0; i < answer->sessions_n; i++)
		put(asked.sessions, sizeof(asked.sessions), &sessions_len,
		    answer->sessions[i].connection);
	if (answer->next.len > 0) {
		put(asked.next, sizeof(asked.next), &next_len, answer->next);
		asked.next[next_len - 1] = '\0';
	}
}

static struct store_call *ask_with(store_done_fn *done)
{
	asked.is_done = false;
	asked.users[0] = asked.sessions[0] = asked.next[0] = '\0';
	store_call_init(&asked.call, done);
	return &asked.call;
}

static struct store_call *ask(void)
{
	return ask_with(on_done);
}

static const struct store_answer *wait_answer(void)
{
	while (!asked.is_done) {
		cr_assert_not_null(kit->turn, "no answer");
		kit->turn();
	}
	return &asked.answer;
}

static const struct store_answer *add_info(const struct session_info *info)
{
	store->ops->add(store, info, ask());
	return wait_answer();
}

static const struct store_answer *add(const struct session_gateway_id *gateway,
				      const char *connection, const char *user)
{
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = slice_from_str(connection),
		.user_id = slice_from_str(user),
		.gateway = *gateway,
		.opened_unix_ms = 1000,
	};

	return add_info(&info);
}

static const struct store_answer *remove_from(const struct session_gateway_id *gateway,
					      const char *hub, const char *connection)
{
	store->ops->remove(store, gateway, slice_from_str(hub),
			   slice_from_str(connection), ask());
	return wait_answer();
}

static const struct store_answer *remove_gateway(const struct session_gateway_id *gateway)
{
	store->ops->remove_gateway(store, gateway, ask());
	return wait_answer();
}

static const struct store_answer *find_user(struct slice id, size_t limit)
{
	store->ops->user(store, id, limit, ask());
	return wait_answer();
}

static const struct store_answer *find_connection(struct slice id)
{
	store->ops->connection(store, id, ask());
	return wait_answer();
}

/* Of `cursor`, which may be the last answer's own. */
static const struct store_answer *list(const char *cursor, size_t limit)
{
	char copy[sizeof(asked.next)];

	(void)snprintf(copy, sizeof(copy), "%s", cursor); /* as long as it was */
	store->ops->list(store, slice_from_str(copy), limit, ask());
	return wait_answer();
}

static void expect_counts(size_t users, size_t connections)
{
	store->ops->count(store, ask());
	wait_answer();
	cr_expect_eq(asked.answer.rc, OK);
	cr_expect_eq(asked.answer.users_n, users, "%zu users", asked.answer.users_n);
	cr_expect_eq(asked.answer.connections_n, connections, "%zu connections",
		     asked.answer.connections_n);
}

/* ---- changes */

void store_kit_a_user_is_online_from_the_first_connection_to_the_last(void)
{
	cr_expect_eq(add(&g1, "c1", "ann")->users_online, 1);
	cr_expect_eq(add(&g2, "c2", "ann")->users_online, 0);
	expect_counts(1, 2);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->users_offline, 0);
	cr_expect_eq(asked.answer.rc, OK);
	expect_counts(1, 1);
	cr_expect_eq(remove_from(&g2, "chat", "c2")->users_offline, 1);
	expect_counts(0, 0);
	cr_expect_eq(add(&g1, "c3", "ann")->users_online, 1);
}

void store_kit_adding_twice_changes_nothing(void)
{
	(void)add(&g1, "c1", "ann");
	cr_expect_eq(add(&g1, "c1", "ann")->users_online, 0);
	cr_expect_eq(asked.answer.rc, OK);
	expect_counts(1, 1);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->users_offline, 1);
	expect_counts(0, 0);
}

void store_kit_who_is_anonymous_is_a_connection_and_no_user(void)
{
	cr_expect_eq(add(&g1, "c1", "")->users_online, 0);
	expect_counts(0, 1);
	cr_expect_eq(find_user(SLICE(""), 1)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->users_offline, 0);
	expect_counts(0, 0);
}

void store_kit_removing_what_is_not_there_is_not_found(void)
{
	cr_expect_eq(remove_from(&g1, "chat", "c1")->rc, ERR_NOT_FOUND);
	(void)add(&g1, "c1", "ann");
	cr_expect_eq(remove_from(&g1, "relay", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(remove_from(&g1, "chat", "c2")->rc, ERR_NOT_FOUND);
	cr_expect_eq(remove_from(&g2, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(remove_gateway(&g2)->connections_n, 0);
	expect_counts(1, 1);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->rc, OK);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->rc, ERR_NOT_FOUND);
}

void store_kit_one_id_in_two_hubs_is_two_connections(void)
{
	struct session_info info = { .hub = SLICE("relay"),
				     .connection = SLICE("c1"),
				     .user_id = SLICE("ann"),
				     .gateway = g1 };

	(void)add(&g1, "c1", "ann");
	cr_expect_eq(add_info(&info)->users_online, 0);
	expect_counts(1, 2);
	cr_expect_eq(remove_from(&g1, "chat", "c1")->users_offline, 0);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(remove_from(&g1, "relay", "c1")->users_offline, 1);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, ERR_NOT_FOUND);
}

void store_kit_a_connection_stays_with_the_gateway_that_told_first(void)
{
	(void)add(&g1, "c1", "ann");
	cr_expect_eq(add(&g2, "c1", "ann")->rc, ERR_EXISTS);
	expect_counts(1, 1);
	cr_expect_eq(remove_from(&g2, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(remove_gateway(&g2)->connections_n, 0);
	expect_counts(1, 1);
	cr_expect_eq(remove_gateway(&g1)->users_offline, 1);
	expect_counts(0, 0);
}

void store_kit_a_gateway_takes_its_own_connections_along(void)
{
	const struct session_gateway_id next_g1 = { SLICE("g1"), 3 };

	(void)add(&g1, "c1", "ann");
	(void)add(&g1, "c2", "ben");
	(void)add(&g1, "c3", "");
	(void)add(&g2, "c4", "ben");
	(void)add(&next_g1, "c5", "cid");
	cr_expect_eq(remove_gateway(&g1)->connections_n, 3);
	cr_expect_eq(asked.answer.rc, OK);
	cr_expect_eq(asked.answer.users_offline, 1);
	expect_counts(2, 2);
	(void)list("", ROOM);
	cr_expect_str_eq(asked.users, "ben cid ");
	cr_expect_eq(remove_gateway(&g1)->connections_n, 0);
}

/* ---- questions */

static void on_user_found(struct store_call *call, const struct store_answer *answer)
{
	cr_expect(slice_equal(answer->users[0].id, SLICE("ann")));
	cr_expect(slice_equal(answer->users[0].name, SLICE("Ann B.")));
	on_done(call, answer);
}

void store_kit_a_user_is_found_with_name_and_time(void)
{
	struct session_info info = { .hub = SLICE("chat"),
				     .connection = SLICE("c1"),
				     .user_id = SLICE("ann"),
				     .user_name = SLICE("Ann"),
				     .gateway = g1,
				     .opened_unix_ms = 2000 };

	(void)add_info(&info);
	info.connection = SLICE("c2");
	info.user_name = SLICE("Ann B.");
	info.opened_unix_ms = 1500;
	(void)add_info(&info);
	(void)remove_from(&g1, "chat", "c2");

	store->ops->user(store, SLICE("ann"), ROOM, ask_with(on_user_found));
	wait_answer();
	cr_expect_eq(asked.answer.users_n, 1);
	cr_expect_eq(asked.user.connections_n, 1);
	cr_expect_eq(asked.user.since_unix_ms, 1500);
	cr_expect_str_eq(asked.sessions, "c1 ");
	cr_expect_eq(find_user(SLICE("an"), ROOM)->rc, ERR_NOT_FOUND);
}

void store_kit_a_user_is_found_with_at_most_limit_connections(void)
{
	(void)add(&g1, "c1", "ann");
	(void)add(&g1, "c2", "ann");
	(void)add(&g2, "c3", "ann");
	cr_expect_eq(find_user(SLICE("ann"), 3)->sessions_n, 3);
	cr_expect_str_eq(asked.sessions, "c1 c2 c3 ");
	cr_expect_eq(find_user(SLICE("ann"), 2)->sessions_n, 2);
	cr_expect_eq(asked.user.connections_n, 3);
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
	on_done(call, answer);
}

void store_kit_a_connection_is_found_with_all_that_was_told(void)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = SLICE("c1"),
					   .user_id = SLICE("ann"),
					   .user_name = SLICE("Ann"),
					   .gateway = g1,
					   .remote = SLICE("10.0.0.9:4711"),
					   .user_agent = SLICE("agent/1"),
					   .protocol = 2,
					   .transport = 3,
					   .opened_unix_ms = 1234 };

	(void)add_info(&info);
	store->ops->connection(store, SLICE("c1"), ask_with(on_connection_found));
	cr_expect_eq(wait_answer()->sessions_n, 1);
}

void store_kit_users_are_listed_in_pages(void)
{
	cr_expect_eq(list("", 2)->users_n, 0);
	cr_expect_str_empty(asked.next);
	(void)add(&g1, "c1", "dan");
	(void)add(&g1, "c2", "ann");
	(void)add(&g1, "c3", "cid");
	(void)add(&g1, "c4", "ben");
	(void)list("", 3);
	cr_expect_str_eq(asked.users, "dan ann cid ");
	cr_expect_str_not_empty(asked.next);
	(void)list(asked.next, 3);
	cr_expect_str_eq(asked.users, "ben ");
	cr_expect_str_empty(asked.next);
	/* A page that is just full is the last when nobody is left. */
	(void)list("", 4);
	cr_expect_str_empty(asked.next);
	cr_expect_eq(asked.answer.users_n, 4);
}

void store_kit_pages_hold_everyone_who_stays_once(void)
{
	char cursor[sizeof(asked.next)];
	char name[16];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		(void)add(&g1, name, name);
	}
	(void)list("", 100); /* u0 .. u99 */
	memcpy(cursor, asked.next, sizeof(cursor));
	/* Those before, at and behind the cursor go; one of them comes back. */
	for (int i = 0; i < 299; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		if (i != 150)
			(void)remove_from(&g1, "chat", name);
	}
	(void)add(&g1, "new", "u7");
	(void)list(cursor, 2);
	cr_expect_str_eq(asked.users, "u150 u299 ");
	(void)list(asked.next, 2);
	cr_expect_str_eq(asked.users, "u7 ");
	cr_expect_str_empty(asked.next);
}

void store_kit_a_cursor_of_others_is_refused(void)
{
	(void)add(&g1, "c1", "ann");
	cr_expect_eq(list("x", 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(list("-1", 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(list("99999999999999999999", 1)->rc, ERR_ARGUMENT);
}

void store_kit_ids_may_hold_any_byte(void)
{
	struct session_info info = { .hub = SLICE("\0\xff"),
				     .connection = SLICE("c\0one"),
				     .user_id = SLICE("a\0b /%\xff"),
				     .gateway = g1 };

	cr_expect_eq(add_info(&info)->users_online, 1);
	info.user_id = SLICE("a\0c /%\xff");
	info.connection = SLICE("c\0two");
	cr_expect_eq(add_info(&info)->users_online, 1);
	cr_expect_eq(find_user(SLICE("a\0b /%\xff"), 1)->rc, OK);
	cr_expect_eq(find_user(SLICE("a"), 1)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_connection(SLICE("c\0two"))->rc, OK);
	store->ops->remove(store, &g1, info.hub, info.connection, ask());
	cr_expect_eq(wait_answer()->users_offline, 1);
	expect_counts(1, 1);
}

/* ---- limits */

static void on_notes_found(struct store_call *call, const struct store_answer *answer)
{
	cr_expect_eq(answer->sessions[0].remote.len, SESSION_NOTE_BYTES_MAX);
	cr_expect_eq(answer->sessions[0].user_agent.len, SESSION_NOTE_BYTES_MAX);
	on_done(call, answer);
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
					   .gateway = g1,
					   .remote = more,
					   .user_agent = more };
	struct session_info info = good;

	cr_expect_eq(add_info(&info)->rc, OK);
	store->ops->connection(store, SLICE("c1"), ask_with(on_notes_found));
	wait_answer();
	info.hub = more;
	cr_expect_eq(add_info(&info)->rc, ERR_LIMIT);
	info.hub = SLICE_NONE;
	cr_expect_eq(add_info(&info)->rc, ERR_ARGUMENT);
	info = good;
	info.connection = more;
	cr_expect_eq(add_info(&info)->rc, ERR_LIMIT);
	info.connection = SLICE_NONE;
	cr_expect_eq(add_info(&info)->rc, ERR_ARGUMENT);
	info = good;
	info.connection = SLICE("c2");
	info.user_name = more;
	cr_expect_eq(add_info(&info)->rc, ERR_LIMIT);
	info.user_name = SLICE_NONE;
	info.user_id = more;
	cr_expect_eq(add_info(&info)->rc, ERR_LIMIT);
	expect_counts(1, 1);
	mem_free(text);
}

void store_kit_sessions_max_is_the_last_that_fits(void)
{
	store->ops->free(store);
	store = kit->make(2);
	cr_expect_eq(add(&g1, "c1", "ann")->rc, OK);
	cr_expect_eq(add(&g1, "c2", "ben")->rc, OK);
	cr_expect_eq(add(&g1, "c3", "cid")->rc, ERR_LIMIT);
	cr_expect_eq(asked.answer.users_online, 0);
	cr_expect_eq(add(&g1, "c2", "ben")->rc, OK); /* is there already */
	expect_counts(2, 2);
	(void)remove_from(&g1, "chat", "c1");
	cr_expect_eq(add(&g1, "c3", "cid")->rc, OK);
}

void store_kit_a_hundred_thousand_come_and_go(void)
{
	struct session_gateway_id gateway = { SLICE("g1"), 1 };
	char connection[16];
	char user[16];
	size_t listed = 0;
	size_t gone = 0;

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(connection, sizeof(connection), "c%u", i);
		(void)snprintf(user, sizeof(user), "u%u", i / 2);
		gateway.incarnation = 1 + i % 10;
		cr_assert_eq(add(&gateway, connection, user)->users_online,
			     i % 2 == 0 ? 1u : 0u);
	}
	expect_counts(MANY / 2, MANY);
	do {
		listed += list(asked.next, ROOM)->users_n;
	} while (asked.next[0] != '\0');
	cr_expect_eq(listed, MANY / 2);
	for (unsigned i = 0; i < 10; i++) {
		gateway.incarnation = 1 + i;
		cr_expect_eq(remove_gateway(&gateway)->connections_n, MANY / 10);
		gone += asked.answer.users_offline;
	}
	cr_expect_eq(gone, MANY / 2);
	expect_counts(0, 0);
}
