/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of one presence without Redis: the tables of session.h behind store.h. What
 * it knows ends with the process; the gateways tell it again.
 */
#include <assert.h>

#include "presence/cursor.h"
#include "presence/history.h"
#include "presence/marks.h"
#include "presence/shards_kept.h"
#include "presence/store_memory.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"

#define SETTLE_MAX 500 /* users in one call of settle() */

struct store_memory {
	struct store store;
	struct loop *loop; /* borrowed */
	struct sessions sessions;
	struct history history;
	struct marks marks;
	struct shards_kept shards;
	size_t users_online; /* by the change under way */
	size_t users_offline;
	struct buf users;  /* of the answer being made: struct store_user */
	struct buf infos;  /* struct session_info */
	struct buf events; /* struct store_event */
	struct buf key;	   /* that a cursor holds */
	struct buf cursor;
};

static struct store_memory *memory_of(struct store *store)
{
	return CONTAINER_OF(store, struct store_memory, store);
}

static int64_t memory_now_ms(const struct store_memory *memory)
{
	return loop_now_ms(memory->loop);
}

/* ---- what changed */

static void memory_tell(struct store_memory *memory, struct store_event event)
{
	const struct store_watcher *watcher = &memory->store.watcher;

	event.at_unix_ms = loop_unix_ms(memory->loop);
	event = history_add(&memory->history, &event);
	if (watcher->on_event != NULL)
		watcher->on_event(watcher->owner, &event);
}

static void on_change(void *owner, const struct user *user, bool is_online)
{
	struct store_memory *memory = owner;

	if (is_online)
		memory->users_online++;
	else
		memory->users_offline++;
	memory_tell(memory, (struct store_event){
				    .change = is_online ? STORE_ONLINE : STORE_OFFLINE,
				    .user_id = user_id(user),
				    .user_name = user_name(user),
			    });
}

/* The end of every change. */
static void memory_answer(struct store_memory *memory, struct store_call *call,
			  struct store_answer answer)
{
	answer.users_online = memory->users_online;
	answer.users_offline = memory->users_offline;
	memory->users_online = 0;
	memory->users_offline = 0;
	call->done(call, &answer);
}

static void memory_answer_rc(struct store_memory *memory, struct store_call *call,
			     enum err rc)
{
	memory_answer(memory, call, (struct store_answer){ .rc = rc });
}

/* ---- gateways */

static void on_gateway_new(struct store *store, const struct session_gateway_id *gateway,
			   int64_t lease_ms, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct registration *registration =
		registration_new(&memory->sessions.registrations, gateway,
				 memory_now_ms(memory) + lease_ms);

	memory_answer(
		memory, call,
		(struct store_answer){ .rc = OK, .registration = registration->number });
}

static struct registration *memory_find(struct store_memory *memory, uint64_t number)
{
	return registration_find(&memory->sessions.registrations, number);
}

static void on_gateway_renew(struct store *store, uint64_t number, int64_t lease_ms,
			     struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct registration *registration = memory_find(memory, number);

	if (registration != NULL)
		registration_renew(&memory->sessions.registrations, registration,
				   memory_now_ms(memory) + lease_ms);
	memory_answer_rc(memory, call, registration != NULL ? OK : ERR_NOT_FOUND);
}

static void on_gateway_replayed(struct store *store, uint64_t number,
				struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct registration *registration = memory_find(memory, number);

	if (registration != NULL)
		registration_retire_earlier(&memory->sessions.registrations,
					    registration);
	memory_answer_rc(memory, call, registration != NULL ? OK : ERR_NOT_FOUND);
}

static void on_gateway_retire(struct store *store, uint64_t number,
			      struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	struct registration *registration = memory_find(memory, number);

	if (registration != NULL &&
	    !registration_has_later(&memory->sessions.registrations, registration))
		registration_retire(&memory->sessions.registrations, registration);
	memory_answer_rc(memory, call, registration != NULL ? OK : ERR_NOT_FOUND);
}

/* ---- connections */

static void on_add(struct store *store, uint64_t registration,
		   const struct session_info *info, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);

	memory_answer_rc(memory, call,
			 sessions_add(&memory->sessions, registration, info));
}

static void on_remove(struct store *store, uint64_t registration, struct slice hub,
		      struct slice connection, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);

	memory_answer_rc(memory, call,
			 sessions_remove(&memory->sessions, registration, hub, connection,
					 memory_now_ms(memory)));
}

/* ---- what is due */

static void on_sweep(struct store *store, size_t limit, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	struct store_answer answer = { .rc = OK };

	assert(limit > 0);
	answer.connections_n = sessions_sweep(&memory->sessions, limit,
					      memory_now_ms(memory), &answer.is_more);
	memory_answer(memory, call, answer);
}

static void on_settle(struct store *store, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	struct store_answer answer = { .rc = OK };

	if (memory->sessions.is_quiet)
		memory_tell(memory, (struct store_event){ .change = STORE_RESET });
	answer.is_more = sessions_settle(&memory->sessions, SETTLE_MAX);
	memory_answer(memory, call, answer);
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
	struct buf events = memory->events;
	struct buf cursor = memory->cursor;

	buf_init(&memory->users);
	buf_init(&memory->infos);
	buf_init(&memory->events);
	buf_init(&memory->cursor);
	answer->users = (const void *)users.ptr;
	answer->users_n = users.len / sizeof(struct store_user);
	answer->sessions = (const void *)infos.ptr;
	answer->sessions_n = infos.len / sizeof(struct session_info);
	answer->events = (const void *)events.ptr;
	answer->events_n = events.len / sizeof(struct store_event);
	if (cursor.len > 0)
		answer->next = buf_slice(&cursor);
	call->done(call, answer);
	buf_fini(&users);
	buf_fini(&infos);
	buf_fini(&events);
	buf_fini(&cursor);
}

/* The key of `cursor` is in memory->key; an empty one is that of the first page. */
static enum err memory_read_cursor(struct store_memory *memory, enum cursor_kind kind,
				   struct slice cursor)
{
	buf_clear(&memory->key);
	return cursor.len > 0 ? cursor_decode(&memory->key, kind, cursor) : OK;
}

/* A page of the user's connections; the cursor is the serial number of its last one. */
static enum err find_connections(struct store_memory *memory, const struct user *user,
				 struct slice cursor, size_t limit)
{
	const struct session_entry *entry;
	int64_t serial = 0;
	enum err rc = memory_read_cursor(memory, CURSOR_CONNECTIONS, cursor);

	if (rc == OK && cursor.len > 0)
		rc = slice_to_int64(buf_slice(&memory->key), &serial);
	if (rc != OK || serial < 0)
		return ERR_ARGUMENT;
	entry = session_first_of_user(user, (uint64_t)serial);
	for (size_t i = 0; i < limit && entry != NULL; i++) {
		add_info(memory, entry);
		serial = (int64_t)session_serial(entry);
		entry = session_next_of_user(user, entry);
	}
	if (entry != NULL) {
		buf_clear(&memory->key);
		buf_append_int64(&memory->key, serial);
		cursor_encode(&memory->cursor, CURSOR_CONNECTIONS,
			      buf_slice(&memory->key));
	}
	return OK;
}

static void on_user(struct store *store, struct slice id, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct user *user = users_find(&memory->sessions.users, id);
	struct store_answer answer = { .rc = ERR_NOT_FOUND };

	assert(limit > 0);
	if (user != NULL)
		answer.rc = find_connections(memory, user, cursor, limit);
	if (answer.rc == OK)
		add_user(memory, user);
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

/* Behind the user that the cursor names, or before the first with the prefix. */
static enum err find_page(struct store_memory *memory, struct slice prefix,
			  struct slice cursor, struct user_place *place)
{
	const struct user_order *order = &memory->sessions.users.order;
	struct user_place next;
	const struct user *user;
	struct slice last;

	if (memory_read_cursor(memory, CURSOR_USERS, cursor) != OK)
		return ERR_ARGUMENT;
	if (cursor.len == 0) {
		*place = user_order_seek(order, prefix);
		return OK;
	}
	last = buf_slice(&memory->key);
	if (!slice_starts_with(last, prefix))
		return ERR_ARGUMENT;
	*place = next = user_order_seek(order, last);
	user = user_order_next(order, &next);
	if (user != NULL && slice_equal(user_id(user), last))
		*place = next;
	return OK;
}

/* The cursor is the id of the last user that was listed. */
static void on_list(struct store *store, struct slice prefix, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	const struct user_order *order = &memory->sessions.users.order;
	const struct user *last = NULL;
	const struct user *user = NULL;
	struct store_answer answer = { .rc = OK };
	struct user_place place;

	assert(limit > 0);
	answer.rc = find_page(memory, prefix, cursor, &place);
	if (answer.rc == OK)
		user = user_order_next(order, &place);
	for (size_t i = 0; i < limit; i++) {
		if (user == NULL || !slice_starts_with(user_id(user), prefix))
			break;
		add_user(memory, user);
		last = user;
		user = user_order_next(order, &place);
	}
	if (last != NULL && user != NULL && slice_starts_with(user_id(user), prefix))
		cursor_encode(&memory->cursor, CURSOR_USERS, user_id(last));
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

/* ---- events and marks */

static void on_events(struct store *store, struct slice after, size_t limit,
		      struct store_call *call)
{
	struct store_memory *memory = memory_of(store);
	struct store_answer answer = { .rc = OK };
	struct store_event event;
	size_t at = memory->history.n;

	assert(limit > 0);
	if (after.len > 0)
		answer.rc = history_after(&memory->history, after, &at);
	answer.next = history_last_id(&memory->history);
	for (size_t i = 0; answer.rc == OK && i < limit && at < memory->history.n; i++) {
		event = history_event(&memory->history, at++);
		buf_append(&memory->events, &event, sizeof(event));
		answer.next = event.id;
	}
	answer.is_more = at < memory->history.n;
	answer_found(memory, &answer, call);
}

static void on_mark(struct store *store, struct slice name, struct slice id,
		    struct store_call *call)
{
	const struct store_answer answer = {
		.rc = marks_set(&memory_of(store)->marks, name, id),
	};

	call->done(call, &answer); /* changes nobody */
}

static void on_marked(struct store *store, struct slice name, struct store_call *call)
{
	const struct store_answer answer = {
		.rc = OK,
		.next = marks_find(&memory_of(store)->marks, name),
	};

	call->done(call, &answer);
}

/* ---- shards; there is nobody else to lead */

static void on_shards(struct store *store, const struct store_shards *known,
		      int64_t lease_ms, struct store_call *call)
{
	struct shards_kept *kept = &memory_of(store)->shards;

	(void)lease_ms;
	shards_kept_tell(kept, known);
	call->done(call, &(struct store_answer){ .rc = OK, .shards = &kept->shards });
}

static void on_shards_step(struct store *store, const struct store_shards *after,
			   const struct shard_offer *map, struct store_call *call)
{
	memory_answer_rc(memory_of(store), call,
			 shards_kept_step(&memory_of(store)->shards, after, map));
}

static void on_shards_target(struct store *store, struct slice target, bool is_first,
			     struct store_call *call)
{
	shards_kept_aim(&memory_of(store)->shards, target, is_first);
	memory_answer_rc(memory_of(store), call, OK);
}

/* ---- life */

static int64_t on_away_since_ms(const struct store *store)
{
	(void)store; /* is never away */
	return 0;
}

static void on_free(struct store *store)
{
	struct store_memory *memory = memory_of(store);

	sessions_fini(&memory->sessions);
	history_fini(&memory->history);
	marks_fini(&memory->marks);
	shards_kept_fini(&memory->shards);
	buf_fini(&memory->users);
	buf_fini(&memory->infos);
	buf_fini(&memory->events);
	buf_fini(&memory->key);
	buf_fini(&memory->cursor);
	mem_free(memory);
}

struct store *store_memory_new(struct loop *loop,
			       const struct store_memory_options *options)
{
	static const struct store_ops ops = {
		.gateway_new = on_gateway_new,
		.gateway_renew = on_gateway_renew,
		.gateway_replayed = on_gateway_replayed,
		.gateway_retire = on_gateway_retire,
		.add = on_add,
		.remove = on_remove,
		.sweep = on_sweep,
		.settle = on_settle,
		.user = on_user,
		.connection = on_connection,
		.list = on_list,
		.count = on_count,
		.events = on_events,
		.mark = on_mark,
		.marked = on_marked,
		.shards = on_shards,
		.shards_step = on_shards_step,
		.shards_target = on_shards_target,
		.away_since_ms = on_away_since_ms,
		.free = on_free,
	};
	struct store_memory *memory = MEM_NEW(struct store_memory);
	const struct session_options session_options = {
		.n_max = options->sessions_max,
		.grace_ms = options->offline_grace_ms,
		.seed = options->seed,
		.on_change = on_change,
		.owner = memory,
	};

	memory->store.ops = &ops;
	memory->loop = loop;
	sessions_init(&memory->sessions, &session_options);
	history_init(&memory->history, options->events_max, loop_unix_ms(loop));
	marks_init(&memory->marks, options->seed);
	shards_kept_init(&memory->shards);
	return &memory->store;
}
