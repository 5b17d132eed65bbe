/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each answer is made in memory of its own, for `done` may ask again.
 */
#include "presence/store_redis_answer.h"

#include "presence/cursor.h"
#include "presence/store_record.h"
#include "presence/store_redis_private.h"

#define EVENT_PARTS 5 /* id, letter, user, name, time */

static void answer_rc(struct op *op, enum err rc)
{
	const struct store_answer answer = { .rc = rc };

	op->call->done(op->call, &answer);
}

/* The rc of a reply that is to have `parts` items and then a multiple of `each`. */
static enum err check_page(enum err rc, const struct redis_reply *reply, size_t parts,
			   size_t each)
{
	if (rc != OK)
		return rc;
	if (reply->type == REDIS_INTEGER && reply->integer < 0)
		return (enum err)reply->integer;
	if (reply->type != REDIS_ARRAY || reply->items_n < parts)
		return ERR_IO;
	return (reply->items_n - parts) % each == 0 ? OK : ERR_IO;
}

static void append_cursor(struct buf *out, enum cursor_kind kind, struct slice last)
{
	if (last.len > 0)
		cursor_encode(out, kind, last);
}

/* ---- connections */

/* Of three items: key, record, gateway. */
static enum err read_session(const struct redis_reply *items, struct session_info *info)
{
	*info = (struct session_info){ .protocol = 0 };
	if (record_key_decode(items[0].text, info) != OK ||
	    record_decode(items[1].text, info) != OK ||
	    record_gateway_decode(items[2].text, &info->gateway) != OK)
		return ERR_IO;
	return OK;
}

void answer_connection(struct store_redis *redis, struct op *op, enum err rc,
		       const struct redis_reply *reply)
{
	struct session_info info;
	struct store_answer answer = { .sessions = &info, .sessions_n = 1 };
	int64_t since_unix_ms;

	(void)redis;
	answer.rc = check_page(rc, reply, 4, 1);
	if (answer.rc == OK)
		answer.rc = read_session(reply->items, &info);
	if (answer.rc == OK && info.user_id.len > 0)
		answer.rc = record_note_decode(reply->items[3].text, &since_unix_ms,
					       &info.user_name);
	if (answer.rc != OK)
		answer_rc(op, answer.rc);
	else
		op->call->done(op->call, &answer);
}

/* items: last key, note, count, then three for each connection. */
void answer_user(struct store_redis *redis, struct op *op, enum err rc,
		 const struct redis_reply *reply)
{
	struct store_user user = { .id = op->args[0] };
	struct store_answer answer = { .users = &user, .users_n = 1 };
	struct buf infos = BUF_INIT;
	struct buf cursor = BUF_INIT;
	struct session_info info;

	(void)redis;
	answer.rc = check_page(rc, reply, 3, 3);
	if (answer.rc == OK) {
		answer.rc = record_note_decode(reply->items[1].text, &user.since_unix_ms,
					       &user.name);
		user.connections_n = (size_t)reply->items[2].integer;
	}
	for (size_t i = 3; answer.rc == OK && i < reply->items_n; i += 3) {
		answer.rc = read_session(reply->items + i, &info);
		info.user_name = user.name;
		buf_append(&infos, &info, sizeof(info));
	}
	if (answer.rc == OK) {
		append_cursor(&cursor, CURSOR_CONNECTIONS, reply->items[0].text);
		answer.next = buf_slice(&cursor);
		answer.sessions = (const void *)infos.ptr;
		answer.sessions_n = infos.len / sizeof(info);
		op->call->done(op->call, &answer);
	} else {
		answer_rc(op, answer.rc);
	}
	buf_fini(&infos);
	buf_fini(&cursor);
}

/* ---- users */

/* items: last id, then three for each user: id, note, count. */
void answer_list(struct store_redis *redis, struct op *op, enum err rc,
		 const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = check_page(rc, reply, 1, 3) };
	struct buf users = BUF_INIT;
	struct buf cursor = BUF_INIT;
	struct store_user user;

	(void)redis;
	for (size_t i = 1; answer.rc == OK && i < reply->items_n; i += 3) {
		const struct redis_reply *items = reply->items + i;

		user = (struct store_user){ .id = items[0].text };
		user.connections_n = (size_t)items[2].integer;
		if (record_note_decode(items[1].text, &user.since_unix_ms, &user.name) !=
		    OK)
			answer.rc = ERR_IO;
		buf_append(&users, &user, sizeof(user));
	}
	if (answer.rc == OK) {
		append_cursor(&cursor, CURSOR_USERS, reply->items[0].text);
		answer.next = buf_slice(&cursor);
		answer.users = (const void *)users.ptr;
		answer.users_n = users.len / sizeof(user);
	}
	op->call->done(op->call, &answer);
	buf_fini(&users);
	buf_fini(&cursor);
}

/* ---- events */

enum err answer_read_event(const struct event_values *values, struct store_event *event)
{
	const char letter = values->letter.len == 1 ? values->letter.ptr[0] : '\0';

	*event = (struct store_event){ .user_id = values->user,
				       .user_name = values->name };
	if (slice_to_int64(values->at, &event->at_unix_ms) != OK)
		return ERR_MALFORMED;
	switch (letter) {
	case '+':
	case 'p':
		event->change = STORE_ONLINE;
		return OK;
	case '-':
	case 'm':
		event->change = STORE_OFFLINE;
		return OK;
	case 'r':
		event->change = STORE_RESET;
		return OK;
	case 'b':
	case 'e':
		return ERR_NOT_FOUND;
	default:
		return ERR_MALFORMED;
	}
}

static enum err read_events(const struct redis_reply *reply, struct buf *events,
			    struct event_id_text *texts)
{
	struct store_event event;
	struct event_id id;

	for (size_t i = 1; i < reply->items_n; i += EVENT_PARTS) {
		const struct redis_reply *items = reply->items + i;
		const struct event_values values = { items[1].text, items[2].text,
						     items[3].text, items[4].text };
		const enum err rc = answer_read_event(&values, &event);

		if (rc == ERR_NOT_FOUND)
			continue;
		if (rc != OK || event_id_decode(items[0].text, &id) != OK)
			return ERR_IO;
		*texts = event_id_text(id);
		event.id = slice_make((texts++)->bytes, EVENT_ID_BYTES);
		buf_append(events, &event, sizeof(event));
	}
	return OK;
}

/* items: the id of the last one looked at, then five for each event. */
void answer_events(struct store_redis *redis, struct op *op, enum err rc,
		   const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = check_page(rc, reply, 1, EVENT_PARTS) };
	struct buf events = BUF_INIT;
	struct buf ids = BUF_INIT;
	struct event_id_text next;
	struct event_id id = { 0 };

	(void)redis;
	if (answer.rc == OK && event_id_decode(reply->items[0].text, &id) != OK)
		answer.rc = ERR_IO;
	if (answer.rc == OK)
		answer.rc = read_events(
			reply, &events,
			(void *)buf_reserve(&ids, reply->items_n *
							  sizeof(struct event_id_text)));
	if (answer.rc == OK) {
		next = event_id_text(id);
		answer.next = slice_make(next.bytes, EVENT_ID_BYTES);
		answer.events = (const void *)events.ptr;
		answer.events_n = events.len / sizeof(struct store_event);
		answer.is_more = reply->items_n > 1; /* it was not at the end */
	}
	op->call->done(op->call, &answer);
	buf_fini(&events);
	buf_fini(&ids);
}

void answer_marked(struct store_redis *redis, struct op *op, enum err rc,
		   const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = rc };

	(void)redis;
	if (rc == OK)
		answer.next = reply->text;
	op->call->done(op->call, &answer);
}

/* ---- shards */

enum {
	SHARDS_LEADER,
	SHARDS_EPOCH,
	SHARDS_PHASE,
	SHARDS_ROUTERS,
	SHARDS_NEXT,
	SHARDS_TARGET,
	SHARDS_PARTS
};

static enum err read_shards(const struct redis_reply *items, struct store_shards *shards)
{
	int64_t epoch;
	int64_t phase;

	if (slice_to_int64(items[SHARDS_EPOCH].text, &epoch) != OK || epoch < 0 ||
	    slice_to_int64(items[SHARDS_PHASE].text, &phase) != OK ||
	    phase < SHARD_PHASE_NONE || phase > SHARD_PHASE_STABLE)
		return ERR_IO;
	*shards = (struct store_shards){
		.map = { .epoch = (uint64_t)epoch,
			 .phase = (enum shard_phase)phase,
			 .routers = items[SHARDS_ROUTERS].text,
			 .next = items[SHARDS_NEXT].text },
		.target = items[SHARDS_TARGET].text,
		.leader = items[SHARDS_LEADER].text,
	};
	return OK;
}

void answer_shards(struct store_redis *redis, struct op *op, enum err rc,
		   const struct redis_reply *reply)
{
	struct store_shards shards = { .leader = SLICE_NONE };
	struct store_answer answer = { .shards = &shards };

	(void)redis;
	answer.rc = check_page(rc, reply, SHARDS_PARTS, 1);
	if (answer.rc == OK)
		answer.rc = read_shards(reply->items, &shards);
	op->call->done(op->call, &answer);
}
