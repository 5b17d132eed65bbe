/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of one presence without Redis: the tables of session.h behind store.h. What
 * it knows ends with the process; the gateways tell it again.
 */
#include <assert.h>

#include "presence/store.h"
#include "proto/base/buf.h"
#include "proto/base/mem.h"

struct store_memory {
	struct store store;
	struct sessions sessions;
	struct buf users; /* of the answer being made: struct store_user */
	struct buf infos; /* struct session_info */
	struct buf cursor;
};

static struct store_memory *memory_of(struct store *store)
{
	return CONTAINER_OF(store, struct store_memory, store);
}

/* ---- changes */

static void on_add(struct store *store, const struct session_info *info,
		   struct store_call *call)
{
	struct store_answer answer = { .rc = OK };
	bool is_first;

	answer.rc = sessions_add(&memory_of(store)->sessions, info, &is_first);
	answer.users_online = is_first ? 1 : 0;
	call->done(call, &answer);
}

static void on_remove(struct store *store, const struct session_gateway_id *gateway,
		      struct slice hub, struct slice connection, struct store_call *call)
{
	struct store_answer answer = { .rc = OK };
	bool is_last;

	answer.rc = sessions_remove(&memory_of(store)->sessions, gateway, hub, connection,
				    &is_last);
	answer.users_offline = is_last ? 1 : 0;
	call->done(call, &answer);
}

static void on_remove_gateway(struct store *store,
			      const struct session_gateway_id *gateway,
			      struct store_call *call)
{
	struct store_answer answer = { .rc = OK };

	answer.connections_n = sessions_remove_gateway(&memory_of(store)->sessions,
						       gateway, &answer.users_offline);
	call->done(call, &answer);
}

/* ---- questions */

static void add_user(struct store_memory *memory, const struct user *user)
{
	const struct store_user found = {
		.id = user_id(user),
		.name = user_name(user),
		.connections_n = user->entries_n,
		.since_unix_ms = user->since_unix_ms,
	};

	buf_append(&memory->users, &found, sizeof(found));
}

static void add_info(struct store_memory *memory, const struct session_entry *entry)
{
	struct session_info info;

	session_describe(entry, &info);
	buf_append(&memory->infos, &info, sizeof(info));
}

/* Answers with what was added. `done` may ask again, so the answer takes its bytes along.
 */
static void answer_found(struct store_memory *memory, struct store_answer *answer,
			 struct store_call *call)
{
	struct buf users = memory->users;
	struct buf infos = memory->infos;
	struct buf cursor = memory->cursor;

	buf_init(&memory->users);
	buf_init(&memory->infos);
	buf_init(&memory->cursor);
	answer->users = (const void *)users.ptr;
	answer->users_n = users.len / sizeof(struct store_user);
	answer->sessions = (const void *)infos.ptr;
	answer->sessions_n = infos.len / sizeof(struct session_info);
	call->done(call, answer);
	buf_fini(&users);
	buf_fini(&infos);
	buf_fini(&cursor);
}

static void on_user(struct store *store, struct slice id, size_t limit,
		    struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct user *user = users_find(&memory->sessions.users, id);
	struct store_answer answer = { .rc = user != NULL ? OK : ERR_NOT_FOUND };

	if (user != NULL) {
		const struct session_entry *entry = session_next_of_user(user, NULL);

		add_user(memory, user);
		for (size_t i = 0; i < limit && entry != NULL; i++) {
			add_info(memory, entry);
			entry = session_next_of_user(user, entry);
		}
	}
	answer_found(memory, &answer, call);
}

static void on_connection(struct store *store, struct slice id, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct session_entry *entry = sessions_find(&memory->sessions, id);
	struct store_answer answer = { .rc = entry != NULL ? OK : ERR_NOT_FOUND };

	if (entry != NULL)
		add_info(memory, entry);
	answer_found(memory, &answer, call);
}

/* The cursor is the serial number of the last user that was listed. */
static void on_list(struct store *store, struct slice cursor, size_t limit,
		    struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct users *users = &memory->sessions.users;
	struct store_answer answer = { .rc = OK };
	const struct user *user;
	int64_t serial = 0;

	assert(limit > 0);
	if (cursor.len > 0 && (slice_to_int64(cursor, &serial) != OK || serial < 0)) {
		answer.rc = ERR_ARGUMENT;
		answer_found(memory, &answer, call);
		return;
	}
	user = users_next(users, (uint64_t)serial);
	for (size_t i = 0; i < limit && user != NULL; i++) {
		add_user(memory, user);
		serial = (int64_t)user->serial;
		user = users_next(users, user->serial);
	}
	if (user != NULL) {
		buf_append_int64(&memory->cursor, serial);
		answer.next = buf_slice(&memory->cursor);
	}
	answer_found(memory, &answer, call);
}

static void on_count(struct store *store, struct store_call *call)
{
	const struct sessions *sessions = &memory_of(store)->sessions;
	const struct store_answer answer = {
		.rc = OK,
		.users_n = sessions->users.by_id.count,
		.connections_n = sessions->n,
	};

	call->done(call, &answer);
}

/* ---- life */

static void on_free(struct store *store)
{
	struct store_memory *memory = memory_of(store);

	sessions_fini(&memory->sessions);
	buf_fini(&memory->users);
	buf_fini(&memory->infos);
	buf_fini(&memory->cursor);
	mem_free(memory);
}

struct store *store_memory_new(size_t sessions_max, uint64_t last_serial, uint64_t seed)
{
	static const struct store_ops ops = {
		.add = on_add,
		.remove = on_remove,
		.remove_gateway = on_remove_gateway,
		.user = on_user,
		.connection = on_connection,
		.list = on_list,
		.count = on_count,
		.free = on_free,
	};
	struct store_memory *memory = MEM_NEW(struct store_memory);

	memory->store.ops = &ops;
	sessions_init(&memory->sessions, sessions_max, last_serial, seed);
	return &memory->store;
}
