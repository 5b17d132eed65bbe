/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a connection to a store. open.lua tells how things stand, and four cases follow:
 * nothing was lost; Redis has forgotten our last changes (it failed over to one that had
 * not had them all); it has forgotten that the newest event ever was; it has lost it all.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "presence/store_redis_private.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"

/* While Redis refuses what it is asked, it is asked so often. */
#define RETRY_MS 500

enum {
	OPEN_EPOCH,
	OPEN_START,
	OPEN_NEWEST,
	OPEN_PHASE,
	OPEN_BATCH,
	OPEN_KEPT,
	OPEN_PARTS
};

/* What open.lua answered. */
struct opened {
	struct slice epoch;
	struct event_id at; /* the newest event, in the stream that begins now */
	struct slice phase;
	uint64_t batch;
	struct slice kept;
};

/* ---- away */

static void set_away(struct store_redis *redis)
{
	redis->is_open = false;
	if (redis->away_since_ms == 0)
		redis->away_since_ms = loop_unix_ms(redis->loop);
}

void store_retry(struct store_redis *redis, struct slice reason)
{
	set_away(redis);
	log_warn("store.refused", "reason=%s", log_quote(reason).text);
	store_batch_give_up(redis, false);
	loop_timer_start(redis->loop, &redis->retry, RETRY_MS);
}

void store_on_down(void *owner, const char *why)
{
	struct store_redis *redis = owner;

	(void)why; /* the client has logged it */
	set_away(redis);
	loop_timer_stop(redis->loop, &redis->retry);
	store_batch_give_up(redis, false);
}

void store_on_up(void *owner)
{
	store_open(owner);
}

void store_lose(struct store_redis *redis, const char *reason)
{
	redis->stats->lost_total++;
	log_error("store.void", "reason=%s", reason);
	redis->registration_void = redis->registration_newest;
	redis->is_lost = true; /* what is asked for until the owner knows ends at once */
	store_batch_give_up(redis, true);
	store_tell_lost(redis);
}

void store_tell_lost(struct store_redis *redis)
{
	const struct store_watcher *watcher = &redis->store.watcher;

	if (!redis->is_lost || !redis->is_open)
		return;
	redis->is_lost = false;
	redis->registration_void = redis->registration_newest;
	if (watcher->on_lost != NULL)
		watcher->on_lost(watcher->owner);
}

/* ---- asking */

static redis_done_fn on_open;

void store_open(struct store_redis *redis)
{
	char numbers[4][24];
	char epoch[EPOCH_BYTES + 1];
	struct slice args[8];

	if (redis->is_opening || redis->is_freeing)
		return;
	redis->generation++;
	(void)snprintf(epoch, sizeof(epoch), "%016" PRIx64 "%016" PRIx64,
		       crypto_random_uint64(), crypto_random_uint64());
	(void)snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, redis->generation);
	(void)snprintf(numbers[1], sizeof(numbers[1]), "%" PRId64,
		       redis->reader.at.start);
	(void)snprintf(numbers[2], sizeof(numbers[2]), "%" PRId64,
		       redis->reader.at.number);
	(void)snprintf(numbers[3], sizeof(numbers[3]), "%" PRIu64,
		       redis->registration_newest);
	buf_clear(&redis->scratch);
	buf_append_slice(&redis->scratch, buf_slice(&redis->prefix));
	buf_append_str(&redis->scratch, "epoch");
	args[0] = buf_slice(&redis->scratch);
	args[1] = slice_make(redis->replica, REPLICA_BYTES);
	args[2] = slice_from_str(numbers[0]);
	args[3] = slice_make(epoch, EPOCH_BYTES);
	args[4] = slice_from_str(redis->epoch);
	args[5] = slice_from_str(numbers[1]);
	args[6] = slice_from_str(numbers[2]);
	args[7] = slice_from_str(numbers[3]);
	redis->open_call.done = on_open;
	redis->is_opening = redis_script(redis->redis, SCRIPT_OPEN, 1, args, 8,
					 &redis->open_call) == OK;
	if (!redis->is_opening)
		store_retry(redis, SLICE("ERR_LIMIT"));
}

static enum err opened_read(const struct redis_reply *reply, struct opened *opened)
{
	int64_t start;
	int64_t batch;

	if (reply->type != REDIS_ARRAY || reply->items_n != OPEN_PARTS)
		return ERR_MALFORMED;
	opened->epoch = reply->items[OPEN_EPOCH].text;
	opened->phase = reply->items[OPEN_PHASE].text;
	opened->kept = reply->items[OPEN_KEPT].text;
	if (opened->epoch.len != EPOCH_BYTES ||
	    event_id_decode(reply->items[OPEN_NEWEST].text, &opened->at) != OK ||
	    slice_to_int64(reply->items[OPEN_START].text, &start) != OK ||
	    slice_to_int64(reply->items[OPEN_BATCH].text, &batch) != OK)
		return ERR_MALFORMED;
	opened->batch = (uint64_t)batch;
	return start == opened->at.start && batch >= 0 ? OK : ERR_MALFORMED;
}

/* ---- the answer */

static void on_same_epoch(struct store_redis *redis, const struct opened *opened)
{
	const bool was_lost = redis->is_lost;
	const bool has_all = store_batch_recover(redis, opened->batch, opened->kept);

	redis->batch_acked = opened->batch;
	reader_follow(redis, opened->at, opened->at.start == redis->reader.at.start);
	if (was_lost)
		store_tell_lost(redis);
	else if (!has_all)
		store_lose(redis, "failover");
}

static void on_other_epoch(struct store_redis *redis, const struct opened *opened)
{
	const bool is_first = redis->epoch[0] == '\0';

	memcpy(redis->epoch, opened->epoch.ptr, EPOCH_BYTES);
	redis->batch_acked = opened->batch;
	reader_follow(redis, opened->at, true);
	if (!is_first)
		store_lose(redis, "epoch");
	store_tell_lost(redis); /* of what had been too much before */
	if (!is_first)
		reader_lose(redis, opened->phase);
}

static void on_open(struct redis_call *call, enum err rc, const struct redis_reply *reply)
{
	struct store_redis *redis = CONTAINER_OF(call, struct store_redis, open_call);
	struct opened opened;

	redis->is_opening = false;
	if (redis->is_freeing)
		return;
	if (rc != OK || reply->type == REDIS_ERROR || opened_read(reply, &opened) != OK) {
		/* When the connection is gone, on_up() comes with the next one. */
		if (redis_is_up(redis->redis))
			store_retry(redis, rc == OK && reply->type == REDIS_ERROR
						   ? reply->text
						   : slice_from_str(err_name(rc)));
		return;
	}
	redis->is_open = true;
	redis->away_since_ms = 0;
	if (slice_equal(opened.epoch, slice_from_str(redis->epoch)))
		on_same_epoch(redis, &opened);
	else
		on_other_epoch(redis, &opened);
	if (opened.phase.len == 0)
		reader_load(redis);
	loop_touch(redis->loop, &redis->flush);
}
