/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/presence/store_ask.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/loop.h"

#define DEADLINE_US 30000000

const struct store_kit *kit;
struct store *store;
struct asked asked;
uint64_t g1;
uint64_t g2;
char told[65536];
size_t told_n;
char told_id[128];

static size_t told_len;

/* ---- life */

static void put(char *text, size_t size, size_t *len, struct slice id)
{
	cr_assert_lt(*len + id.len + 2, size);
	if (id.len > 0)
		memcpy(text + *len, id.ptr, id.len);
	*len += id.len;
	text[(*len)++] = ' ';
	text[*len] = '\0';
}

static void put_event(char *text, size_t size, size_t *len,
		      const struct store_event *event)
{
	static const char marks[] = {
		[STORE_ONLINE] = '+', [STORE_OFFLINE] = '-', [STORE_RESET] = '!'
	};

	cr_assert_lt(*len + 1, size);
	text[(*len)++] = marks[event->change];
	put(text, size, len, event->user_id);
}

/* Every change once, in the order of ids. */
static void on_told(void *owner, const struct store_event *event)
{
	char id[sizeof(told_id)];
	size_t id_len = 0;

	(void)owner;
	cr_expect_gt(event->at_unix_ms, 1600000000000);
	put(id, sizeof(id), &id_len, event->id);
	if (told_id[0] != '\0') {
		cr_expect_eq(strlen(id), strlen(told_id));
		cr_expect_gt(strcmp(id, told_id), 0, "%s behind %s", id, told_id);
	}
	memcpy(told_id, id, id_len + 1);
	told_n++;
	if (told_len + event->user_id.len + 3 < sizeof(told))
		put_event(told, sizeof(told), &told_len, event);
}

static void on_lost(void *owner)
{
	(void)owner;
	cr_assert_fail("the store says that it lost everything");
}

void use_store(const struct store_kit_options *options)
{
	if (store != NULL)
		store->ops->free(store);
	store = kit->make(options);
	store->watcher =
		(struct store_watcher){ .on_event = on_told, .on_lost = on_lost };
	told_len = told_n = 0;
	told[0] = told_id[0] = '\0';
	g1 = gateway_new("g1", 1, LONG_MS);
	g2 = gateway_new("g2", 2, LONG_MS);
}

void store_kit_run(const struct store_kit *the_kit, void (*test)(void))
{
	const struct store_kit_options options = { .sessions_max = MANY,
						   .events_max = ROOM };

	kit = the_kit;
	use_store(&options);
	(void)settle();
	test();
	store->ops->free(store);
	store = NULL;
}

/* ---- asking */

void on_asked(struct store_call *call, const struct store_answer *answer)
{
	size_t users_len = 0;
	size_t sessions_len = 0;
	size_t events_len = 0;
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
	for (size_t i = 0; i < answer->events_n; i++)
		put_event(asked.events, sizeof(asked.events), &events_len,
			  &answer->events[i]);
	if (answer->next.len > 0) {
		put(asked.next, sizeof(asked.next), &next_len, answer->next);
		asked.next[next_len - 1] = '\0';
	}
}

struct store_call *ask_with(store_done_fn *done)
{
	asked.is_done = false;
	asked.users[0] = asked.sessions[0] = asked.events[0] = asked.next[0] = '\0';
	store_call_init(&asked.call, done);
	return &asked.call;
}

struct store_call *ask(void)
{
	return ask_with(on_asked);
}

static void turn_before(int64_t end_us, const char *what)
{
	cr_assert(loop_clock_us() < end_us, "never: %s (told: %s)", what, told);
	kit->turn();
}

const struct store_answer *wait_answer(void)
{
	const int64_t end_us = loop_clock_us() + DEADLINE_US;

	while (!asked.is_done)
		turn_before(end_us, "an answer");
	return &asked.answer;
}

/* ---- gateways */

uint64_t gateway_new(const char *name, uint64_t incarnation, int64_t lease_ms)
{
	const struct session_gateway_id id = { slice_from_str(name), incarnation };

	store->ops->gateway_new(store, &id, lease_ms, ask());
	cr_assert_eq(wait_answer()->rc, OK);
	cr_assert_neq(asked.answer.registration, 0);
	return asked.answer.registration;
}

enum err gateway_renew(uint64_t registration, int64_t lease_ms)
{
	store->ops->gateway_renew(store, registration, lease_ms, ask());
	return wait_answer()->rc;
}

enum err gateway_replayed(uint64_t registration)
{
	store->ops->gateway_replayed(store, registration, ask());
	return wait_answer()->rc;
}

enum err gateway_retire(uint64_t registration)
{
	store->ops->gateway_retire(store, registration, ask());
	return wait_answer()->rc;
}

/* ---- connections */

const struct store_answer *add_info(uint64_t registration,
				    const struct session_info *info)
{
	store->ops->add(store, registration, info, ask());
	return wait_answer();
}

static const struct store_answer *add_as(uint64_t registration, const char *connection,
					 const char *user, bool is_told)
{
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = slice_from_str(connection),
		.user_id = slice_from_str(user),
		.opened_unix_ms = 1000,
		.is_told = is_told,
	};

	return add_info(registration, &info);
}

const struct store_answer *add(uint64_t registration, const char *connection,
			       const char *user)
{
	return add_as(registration, connection, user, false);
}

const struct store_answer *add_told(uint64_t registration, const char *connection,
				    const char *user)
{
	return add_as(registration, connection, user, true);
}

const struct store_answer *take(uint64_t registration, const char *hub,
				const char *connection)
{
	store->ops->remove(store, registration, slice_from_str(hub),
			   slice_from_str(connection), ask());
	return wait_answer();
}

/* ---- what is due */

const struct store_answer *sweep(size_t limit)
{
	store->ops->sweep(store, limit, ask());
	cr_assert_eq(wait_answer()->rc, OK);
	return &asked.answer;
}

size_t settle(void)
{
	size_t n = 0;

	do {
		store->ops->settle(store, ask());
		cr_assert_eq(wait_answer()->rc, OK);
		n += asked.answer.users_online;
	} while (asked.answer.is_more);
	return n;
}

/* ---- questions */

const struct store_answer *find_user(struct slice id, const char *cursor, size_t limit)
{
	char copy[sizeof(asked.next)];

	(void)snprintf(copy, sizeof(copy), "%s", cursor); /* as long as it was */
	store->ops->user(store, id, slice_from_str(copy), limit, ask());
	return wait_answer();
}

const struct store_answer *find_connection(struct slice id)
{
	store->ops->connection(store, id, ask());
	return wait_answer();
}

const struct store_answer *list(const char *prefix, const char *cursor, size_t limit)
{
	char copy[sizeof(asked.next)];

	(void)snprintf(copy, sizeof(copy), "%s", cursor); /* as long as it was */
	store->ops->list(store, slice_from_str(prefix), slice_from_str(copy), limit,
			 ask());
	return wait_answer();
}

const struct store_answer *find_events(const char *after, size_t limit)
{
	char copy[sizeof(asked.next)];

	(void)snprintf(copy, sizeof(copy), "%s", after); /* as long as it was */
	store->ops->events(store, slice_from_str(copy), limit, ask());
	return wait_answer();
}

static bool has_counts(size_t users, size_t connections)
{
	store->ops->count(store, ask());
	wait_answer();
	cr_assert_eq(asked.answer.rc, OK);
	return asked.answer.users_n == users && asked.answer.connections_n == connections;
}

void expect_counts(size_t users, size_t connections)
{
	cr_expect(has_counts(users, connections), "%zu users, %zu connections",
		  asked.answer.users_n, asked.answer.connections_n);
}

void until_counts(size_t users, size_t connections)
{
	const int64_t end_us = loop_clock_us() + DEADLINE_US;

	while (!has_counts(users, connections)) {
		(void)sweep(ROOM);
		turn_before(end_us, "as few as that");
	}
}

/* ---- what is told */

void expect_told(const char *events)
{
	const int64_t end_us = loop_clock_us() + DEADLINE_US;
	char wanted[sizeof(told)];
	const uint64_t gateway = gateway_new("end", 1, LONG_MS);

	(void)snprintf(wanted, sizeof(wanted), "! %s+end ", events);
	cr_assert_eq(add(gateway, "end", "end")->rc, OK);
	while (strstr(told, "+end ") == NULL)
		turn_before(end_us, wanted);
	cr_expect_str_eq(told, wanted);
}
