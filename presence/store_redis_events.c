/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection waits for events; what they say goes to the watcher and into the mirror.
 * Ids have no gaps, so an event that was missed is noticed, and nothing is told twice:
 * after a break the next question is for what comes behind the last event that was told.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "presence/store_redis_answer.h"
#include "presence/store_redis_private.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* Of one answer: with the longest texts well below REDIS_REPLY_BYTES_MAX. */
#define READ_MAX "256"

/* Users in one declaration. */
#define DECLARE_MAX 128u
#define DECLARE_BYTES_MAX (512u << 10)

#define ENTRY_FIELDS 8 /* four names, each before its value */

static void reader_ask(struct store_redis *redis);

static struct store_redis *redis_of(struct redis_call *call)
{
	return CONTAINER_OF(call, struct store_redis, reader.call);
}

static void reader_up(void *owner)
{
	reader_ask(owner);
}

void reader_init(struct store_redis *redis, const struct redis_options *options)
{
	struct redis_options own = *options;

	own.name = "events";
	own.scripts = NULL;
	own.scripts_n = 0;
	own.on_up = reader_up;
	own.on_down = NULL;
	mirror_init(&redis->reader.mirror, redis->options.seed);
	redis->reader.redis = redis_new(redis->loop, &own);
}

void store_redis_set_secrets(struct store *store, const struct redis_secrets *secrets)
{
	struct store_redis *redis = CONTAINER_OF(store, struct store_redis, store);

	redis_set_secrets(redis->redis, secrets);
	redis_set_secrets(redis->reader.redis, secrets);
}

void reader_fini(struct store_redis *redis)
{
	redis_free(redis->reader.redis);
	mirror_fini(&redis->reader.mirror);
}

/* ---- telling */

static void reader_tell(struct store_redis *redis, const struct store_event *event)
{
	const struct store_watcher *watcher = &redis->store.watcher;

	if (watcher->on_event != NULL)
		watcher->on_event(watcher->owner, event);
}

/* What watchers believe may be wrong. */
static void reader_reset(struct store_redis *redis)
{
	const struct event_id_text id = event_id_text(redis->reader.at);
	const struct store_event event = {
		.id = slice_make(id.bytes, EVENT_ID_BYTES),
		.change = STORE_RESET,
		.at_unix_ms = loop_unix_ms(redis->loop),
	};

	redis->reader.is_reset_due = false;
	redis->stats->resets_total++;
	log_warn("store.reset", "event=%s", id.bytes);
	reader_tell(redis, &event);
}

/* So may the mirror: it is learned anew. */
static void reader_forget(struct store_redis *redis)
{
	mirror_clear(&redis->reader.mirror);
	redis->stats->mirrored = 0;
}

/* All are settled: who is online is known again. */
static void on_all_settled(struct store_redis *redis)
{
	if (redis->reader.is_reset_due)
		reader_forget(redis);
	reader_load(redis);
}

/* A settled event is for those who believed otherwise; true: we did not. Pages have it,
 * for who asks for one may have believed what another replica did. */
static bool is_known(const struct store_redis *redis, char letter,
		     const struct store_event *event)
{
	const struct mirror *mirror = &redis->reader.mirror;

	if (mirror->state != MIRROR_WHOLE || (letter != 'p' && letter != 'm'))
		return false;
	return mirror_has(mirror, event->user_id) == (letter == 'p');
}

static void on_change(struct store_redis *redis, char letter,
		      const struct store_event *event)
{
	const struct event_id_text id = event_id_text(redis->reader.at);
	struct store_event told = *event;
	struct mirror *mirror = &redis->reader.mirror;

	if (is_known(redis, letter, event)) {
		redis->stats->events_dropped_total++;
		return;
	}
	redis->stats->events_total++;
	if (event->change == STORE_RESET) {
		redis->reader.is_reset_due = false;
		redis->stats->resets_total++;
		reader_forget(redis);
	} else {
		mirror_set(mirror, event->user_id, event->change == STORE_ONLINE);
		redis->stats->mirrored = (int64_t)mirror->n;
	}
	told.id = slice_make(id.bytes, EVENT_ID_BYTES);
	reader_tell(redis, &told);
}

/* ---- reading */

/* An entry of a stream: its id, and its fields. */
static enum err read_entry(const struct redis_reply *entry, struct event_id *id,
			   struct event_values *values)
{
	const struct redis_reply *fields;

	if (entry->type != REDIS_ARRAY || entry->items_n != 2)
		return ERR_MALFORMED;
	fields = &entry->items[1];
	if (fields->type != REDIS_ARRAY || fields->items_n != ENTRY_FIELDS)
		return ERR_MALFORMED;
	*values = (struct event_values){ fields->items[1].text, fields->items[3].text,
					 fields->items[5].text, fields->items[7].text };
	return event_id_decode(entry->items[0].text, id);
}

/* False: it is of another stream; somebody has to look. */
static bool on_entry(struct store_redis *redis, const struct redis_reply *entry)
{
	struct store_reader *reader = &redis->reader;
	struct event_values values;
	struct store_event event;
	struct event_id id;
	enum err rc;

	if (read_entry(entry, &id, &values) != OK || id.start != reader->at.start)
		return false;
	if (!event_id_is_next(reader->at, id)) {
		/* We were away for longer than events are kept. */
		reader->at.number = id.number - 1;
		reader_forget(redis);
		reader_reset(redis);
		reader_load(redis);
	}
	reader->at = id;
	rc = answer_read_event(&values, &event);
	if (rc == OK)
		on_change(redis, values.letter.ptr[0], &event);
	else if (rc == ERR_NOT_FOUND && values.letter.ptr[0] == 'e')
		on_all_settled(redis);
	return true;
}

/* [[key, [entry...]]] */
static bool on_entries(struct store_redis *redis, const struct redis_reply *reply)
{
	const struct redis_reply *stream = reply->items;
	const uint64_t follow_n = redis->reader.follow_n;

	if (reply->items_n != 1 || stream->type != REDIS_ARRAY || stream->items_n != 2)
		return false;
	for (size_t i = 0; i < stream->items[1].items_n; i++) {
		if (!on_entry(redis, &stream->items[1].items[i]))
			return false;
		if (redis->reader.follow_n != follow_n)
			break; /* a watcher's act had consequences */
	}
	return true;
}

static void on_read(struct redis_call *call, enum err rc, const struct redis_reply *reply)
{
	struct store_redis *redis = redis_of(call);
	struct store_reader *reader = &redis->reader;

	reader->is_asking = false;
	if (redis->is_freeing)
		return;
	if (rc == OK && reply->type == REDIS_ARRAY &&
	    reader->asked_n == reader->follow_n && !on_entries(redis, reply)) {
		reader->is_following = false; /* until the store is open again */
		redis->is_open = false;
		store_open(redis);
		return;
	}
	if (rc == OK && reply->type == REDIS_ERROR) {
		reader->is_following = false;
		store_retry(redis, reply->text);
		return;
	}
	reader_ask(redis);
}

static void reader_ask(struct store_redis *redis)
{
	struct store_reader *reader = &redis->reader;
	char block[24];
	char from[48];
	struct slice args[8];

	if (reader->is_asking || !reader->is_following || redis->is_freeing ||
	    !redis_is_up(reader->redis))
		return;
	(void)snprintf(block, sizeof(block), "%" PRId64,
		       redis->options.command_timeout_ms / 2);
	(void)snprintf(from, sizeof(from), "%" PRId64 "-%" PRId64, reader->at.start,
		       reader->at.number);
	buf_clear(&redis->scratch);
	buf_append_slice(&redis->scratch, buf_slice(&redis->prefix));
	buf_append_str(&redis->scratch, "events");
	args[0] = SLICE("XREAD");
	args[1] = SLICE("COUNT");
	args[2] = SLICE(READ_MAX);
	args[3] = SLICE("BLOCK");
	args[4] = slice_from_str(block);
	args[5] = SLICE("STREAMS");
	args[6] = buf_slice(&redis->scratch);
	args[7] = slice_from_str(from);
	reader->call.done = on_read;
	reader->asked_n = reader->follow_n;
	reader->is_asking = redis_command(reader->redis, args, 8, &reader->call) == OK;
}

void reader_follow(struct store_redis *redis, struct event_id at, bool is_same)
{
	struct store_reader *reader = &redis->reader;

	if (reader->at.start != at.start) {
		reader->follow_n++;
		reader->at = at;
	}
	if (!is_same) {
		reader_forget(redis);
		reader_reset(redis);
	}
	reader->is_following = true;
	reader_ask(redis);
}

/* ---- learning who is online */

static void load_page(struct store_redis *redis, struct slice from);

static void on_page(struct store_redis *redis, struct op *op, enum err rc,
		    const struct redis_reply *reply)
{
	struct store_reader *reader = &redis->reader;
	struct mirror *mirror = &reader->mirror;

	if (redis->is_freeing || op->load_n != reader->load_n ||
	    mirror->state != MIRROR_LOADING)
		return;
	if (rc != OK || reply->type != REDIS_ARRAY || reply->items_n == 0) {
		/* Once it is open again, or when all are settled. */
		reader->is_reset_due |= rc == OK;
		reader_forget(redis);
		return;
	}
	if (reader->is_reset_due)
		reader_reset(redis);
	for (size_t i = 1; i < reply->items_n; i++)
		mirror_teach(mirror, reply->items[i].text);
	if (reply->items[0].text.len > 0)
		load_page(redis, reply->items[0].text);
	else
		mirror_loaded(mirror);
	redis->stats->mirrored = (int64_t)mirror->n;
}

static const struct op_kind op_mirror = { 'm', false, false, false, on_page };

static void load_page(struct store_redis *redis, struct slice from)
{
	struct buf text = BUF_INIT;
	struct slice arg;
	struct op *op;

	buf_append_byte(&text, '(');
	buf_append_slice(&text, from);
	arg = from.len > 0 ? buf_slice(&text) : SLICE("-");
	op = op_new(&op_mirror, NULL, &arg, 1);
	op->cost = 128;
	op->load_n = redis->reader.load_n;
	store_ask(redis, op);
	buf_fini(&text);
}

void reader_load(struct store_redis *redis)
{
	struct store_reader *reader = &redis->reader;

	if (reader->mirror.state != MIRROR_NONE)
		return;
	mirror_load(&reader->mirror);
	reader->load_n++;
	load_page(redis, SLICE_NONE);
}

/* ---- after a loss */

/* It may have come too late, or not at all: others have settled without us. */
static void on_declared(struct store_redis *redis, struct op *op, enum err rc,
			const struct redis_reply *reply)
{
	int64_t is_taken;

	(void)op;
	if (redis->is_freeing)
		return;
	if (rc != OK || op_read_number(reply, &is_taken) != OK) {
		redis->reader.is_reset_due = true;
	} else if (is_taken == 0) {
		redis->reader.is_reset_due = true;
		reader_forget(redis);
		reader_load(redis);
	}
}

static const struct op_kind op_declare = { 'B', true, true, false, on_declared };

static void declare(struct store_redis *redis, const struct slice *users, size_t n)
{
	struct slice args[2 + DECLARE_MAX];
	char text[24];
	struct op *op;

	(void)snprintf(text, sizeof(text), "%zu", n);
	args[0] = slice_make(redis->replica, REPLICA_BYTES);
	args[1] = slice_from_str(text);
	memcpy(args + 2, users, n * sizeof(*users));
	op = op_new(&op_declare, NULL, args, 2 + n);
	op->cost = 128;
	store_ask(redis, op);
}

/* Nobody comes or goes before the store is settled, so the mirror stays as it is. */
static void declare_all(struct store_redis *redis)
{
	const struct map_node *node = NULL;
	struct slice users[DECLARE_MAX];
	size_t bytes = 0;
	size_t n = 0;

	do {
		node = mirror_next(&redis->reader.mirror, node);
		if (n == DECLARE_MAX || bytes > DECLARE_BYTES_MAX || node == NULL) {
			declare(redis, users, n);
			n = bytes = 0;
		}
		if (node != NULL) {
			users[n++] = map_key(node);
			bytes += node->key_len;
		}
	} while (node != NULL);
}

void reader_lose(struct store_redis *redis, struct slice phase)
{
	struct store_reader *reader = &redis->reader;

	reader->is_reset_due = false;
	if (slice_equal(phase, SLICE("quiet")) && reader->mirror.state == MIRROR_WHOLE) {
		declare_all(redis);
		return;
	}
	reader->is_reset_due = true;
	reader_forget(redis);
}
