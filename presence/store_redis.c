/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that replicas share. All that changes is one script, which carries out
 * batches of operations atomically (presence/redis/), so that Redis alone decides
 * who came first.
 *
 *	store_redis_op.c      what is asked, and what becomes of the answer
 *	store_redis_batch.c   the queue, and the batch under way
 *	store_redis_open.c    connecting; what to do about what was lost
 *	store_redis_events.c  the second connection: who came and went, told once
 *
 * What could go wrong, and why it does not:
 *
 * - A batch's outcome is unknown, because the connection broke. Redis keeps the
 *   number of a replica's last batch, and its answers, in the same atomic step. One
 *   batch is under way at a time, so the number tells whether it was carried out; if
 *   not, it is sent again.
 * - It was still on its way when we asked, and is carried out later. Each connection
 *   has a generation; asking sets it, and batches of an older one are refused.
 * - Redis failed over to one that had not had our last batches: the number is
 *   smaller than what was acknowledged. All registrations are void, gateways tell
 *   everything again, and what they no longer hold goes with their older
 *   registrations. If events are missing there, the stream begins anew, which
 *   everybody takes for a reset.
 * - Redis lost it all. The epoch is missing; whoever comes first makes another one,
 *   and the store is quiet. Registrations and ids of events begin at the time, above
 *   all older ones. Each replica declares whom its watchers believe to be online
 *   (its mirror, which then holds all events that it has ever told, and gets no
 *   others before the end of the quiet phase). At its end the script compares: who
 *   is here and was declared by all stays, without an event; who is here otherwise
 *   came, who is not and was declared by any went. Where replicas believed different
 *   things, an event is new to some of them only: the others, whose mirror says so
 *   already, do not tell it.
 * - A replica comes when the others have settled: its watchers are told to ask
 *   again. So they are when it missed events that are forgotten.
 * - Two replicas settle at once, or one dies while it does: each slice is atomic,
 *   and any replica can do the next one. Who comes or goes meanwhile is settled by
 *   that.
 * - A user goes between two pages of the mirror's loading: see store_mirror.h.
 * - Nobody could reach Redis for a while: leases ran on there while nobody could
 *   renew them. The clock that they are measured by stands still while no replica
 *   sweeps.
 */
#include "presence/store_redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "presence/cursor.h"
#include "presence/marks.h"
#include "presence/redis/scripts.h"
#include "presence/store_record.h"
#include "presence/store_redis_private.h"
#include "proto/base/crypto.h"
#include "proto/base/mem.h"
#include "proto/base/redis_conf.h"

#define PAGE_COST 8 /* of so many users or connections as one operation takes */

static struct store_redis *redis_of(struct store *store)
{
	return CONTAINER_OF(store, struct store_redis, store);
}

/* An answer that Redis need not be asked for. */
static void answer_rc(struct store_call *call, enum err rc)
{
	const struct store_answer answer = { .rc = rc };

	call->done(call, &answer);
}

/* ---- gateways */

static void on_gateway_new(struct store *store, const struct session_gateway_id *gateway,
			   int64_t lease_ms, struct store_call *call)
{
	char incarnation[SLICE_DECIMAL_BYTES];
	char lease[SLICE_DECIMAL_BYTES];
	const struct slice args[] = { gateway->name,
				      slice_decimal(incarnation, gateway->incarnation),
				      slice_decimal(lease, (uint64_t)lease_ms) };

	assert(gateway->name.len > 0 && lease_ms >= 0);
	store_ask(redis_of(store), op_new(&op_gateway_new, call, args, 3));
}

/* An operation of a registration, with one argument more, or none. */
static void ask_registered(struct store *store, const struct op_kind *kind,
			   uint64_t registration, const struct slice *more,
			   struct store_call *call)
{
	char number[SLICE_DECIMAL_BYTES];
	const struct slice args[] = { slice_decimal(number, registration),
				      more != NULL ? *more : SLICE_NONE };
	struct op *op = op_new(kind, call, args, more != NULL ? 2 : 1);

	op->registration = registration;
	store_ask(redis_of(store), op);
}

static void on_gateway_renew(struct store *store, uint64_t registration, int64_t lease_ms,
			     struct store_call *call)
{
	char text[SLICE_DECIMAL_BYTES];
	const struct slice lease = slice_decimal(text, (uint64_t)lease_ms);

	assert(lease_ms >= 0);
	ask_registered(store, &op_gateway_renew, registration, &lease, call);
}

static void on_gateway_replayed(struct store *store, uint64_t registration,
				struct store_call *call)
{
	ask_registered(store, &op_gateway_replayed, registration, NULL, call);
}

static void on_gateway_retire(struct store *store, uint64_t registration,
			      struct store_call *call)
{
	ask_registered(store, &op_gateway_retire, registration, NULL, call);
}

/* ---- connections */

static void on_add(struct store *store, uint64_t registration,
		   const struct session_info *info, struct store_call *call)
{
	struct store_redis *redis = redis_of(store);
	struct buf *scratch = &redis->scratch;
	const enum err rc = session_info_check(info);
	const uint64_t opened_unix_ms =
		info->opened_unix_ms > 0 ? (uint64_t)info->opened_unix_ms : 0;
	const char flags[] = { info->is_told ? '1' : '0', info->is_moved ? '1' : '0' };
	char opened[SLICE_DECIMAL_BYTES];
	struct op *op;
	size_t key_len;

	if (rc != OK) {
		answer_rc(call, rc);
		return;
	}
	buf_clear(scratch);
	record_key_encode(scratch, info->hub, info->connection);
	key_len = scratch->len;
	record_encode(scratch, registration, info);
	op = op_new(&op_add, call,
		    (const struct slice[]){
			    slice_make(scratch->ptr, key_len),
			    info->user_id,
			    info->user_name,
			    slice_decimal(opened, opened_unix_ms),
			    slice_make(flags, sizeof(flags)),
			    slice_from(buf_slice(scratch), key_len),
		    },
		    6);
	op->registration = registration;
	store_ask(redis, op);
}

static void on_remove(struct store *store, uint64_t registration, struct slice hub,
		      struct slice connection, struct store_call *call)
{
	struct store_redis *redis = redis_of(store);
	struct buf *scratch = &redis->scratch;
	struct slice args[2];
	struct op *op;

	if (hub.len > SESSION_ID_BYTES_MAX || connection.len > SESSION_ID_BYTES_MAX) {
		answer_rc(call, ERR_NOT_FOUND);
		return;
	}
	buf_clear(scratch);
	record_number_encode(scratch, registration);
	record_key_encode(scratch, hub, connection);
	args[0] = slice_make(scratch->ptr, RECORD_NUMBER_BYTES);
	args[1] = slice_from(buf_slice(scratch), RECORD_NUMBER_BYTES);
	op = op_new(&op_remove, call, args, 2);
	op->registration = registration;
	store_ask(redis, op);
}

/* ---- what is due */

static void on_sweep(struct store *store, size_t limit, struct store_call *call)
{
	char text[SLICE_DECIMAL_BYTES];
	const struct slice arg = slice_decimal(text, limit);
	struct op *op = op_new(&op_sweep, call, &arg, 1);

	assert(limit > 0);
	op->cost = limit;
	store_ask(redis_of(store), op);
}

static void on_settle(struct store *store, struct store_call *call)
{
	struct op *op = op_new(&op_settle, call, NULL, 0);

	op->cost = 128;
	store_ask(redis_of(store), op);
}

/* ---- questions */

/* Appends where a page begins, in the language of ZRANGE BYLEX. */
static enum err append_from(struct buf *out, enum cursor_kind kind, struct slice prefix,
			    struct slice cursor)
{
	const size_t len = out->len + 1;
	enum err rc;

	if (cursor.len == 0) {
		buf_append_byte(out, prefix.len > 0 ? '[' : '-');
		buf_append_slice(out, prefix);
		return OK;
	}
	buf_append_byte(out, '(');
	rc = cursor_decode(out, kind, cursor);
	if (rc == OK && !slice_starts_with(slice_from(buf_slice(out), len), prefix))
		rc = ERR_ARGUMENT;
	return rc;
}

/* And where what begins with `prefix` ends: before the prefix with its last byte raised.
 */
static void append_to(struct buf *out, struct slice prefix)
{
	while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '\xff')
		prefix.len--;
	if (prefix.len == 0) {
		buf_append_byte(out, '+');
		return;
	}
	buf_append_byte(out, '(');
	buf_append_slice(out, prefix);
	out->ptr[out->len - 1]++;
}

static void ask_page(struct store *store, struct op *op, size_t limit)
{
	assert(limit > 0);
	op->cost = 1 + limit / PAGE_COST;
	store_ask(redis_of(store), op);
}

static void on_user(struct store *store, struct slice id, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	struct buf *scratch = &redis_of(store)->scratch;
	char text[SLICE_DECIMAL_BYTES];
	struct slice args[3] = { id };
	enum err rc;

	buf_clear(scratch);
	rc = append_from(scratch, CURSOR_CONNECTIONS, SLICE_NONE, cursor);
	if (rc != OK || id.len == 0 || id.len > SESSION_ID_BYTES_MAX) {
		answer_rc(call, rc != OK ? rc : ERR_NOT_FOUND);
		return;
	}
	args[1] = buf_slice(scratch);
	args[2] = slice_decimal(text, limit);
	ask_page(store, op_new(&op_user, call, args, 3), limit);
}

static void on_connection(struct store *store, struct slice id, struct store_call *call)
{
	struct op *op;

	if (id.len > SESSION_ID_BYTES_MAX) {
		answer_rc(call, ERR_NOT_FOUND);
		return;
	}
	op = op_new(&op_connection, call, &id, 1);
	op->cost = 1 + SESSION_HUBS_MAX / PAGE_COST; /* it is looked for in each hub */
	store_ask(redis_of(store), op);
}

static void on_list(struct store *store, struct slice prefix, struct slice cursor,
		    size_t limit, struct store_call *call)
{
	struct buf *scratch = &redis_of(store)->scratch;
	char text[SLICE_DECIMAL_BYTES];
	struct slice args[3];
	size_t from_len;
	enum err rc;

	buf_clear(scratch);
	rc = append_from(scratch, CURSOR_USERS, prefix, cursor);
	if (rc != OK) {
		answer_rc(call, rc);
		return;
	}
	from_len = scratch->len;
	append_to(scratch, prefix);
	args[0] = slice_make(scratch->ptr, from_len);
	args[1] = slice_from(buf_slice(scratch), from_len);
	args[2] = slice_decimal(text, limit);
	ask_page(store, op_new(&op_list, call, args, 3), limit);
}

static void on_count(struct store *store, struct store_call *call)
{
	store_ask(redis_of(store), op_new(&op_count, call, NULL, 0));
}

static void on_events(struct store *store, struct slice after, size_t limit,
		      struct store_call *call)
{
	char start[SLICE_DECIMAL_BYTES];
	char number[SLICE_DECIMAL_BYTES];
	char text[SLICE_DECIMAL_BYTES];
	struct slice args[3] = { SLICE_NONE, SLICE_NONE, slice_decimal(text, limit) };
	struct event_id id;

	if (after.len > 0) {
		if (event_id_parse(after, &id) != OK) {
			answer_rc(call, ERR_NOT_FOUND);
			return;
		}
		args[0] = slice_decimal(start, (uint64_t)id.start);
		args[1] = slice_decimal(number, (uint64_t)id.number);
	}
	ask_page(store, op_new(&op_events, call, args, 3), limit);
}

static void on_mark(struct store *store, struct slice name, struct slice id,
		    struct store_call *call)
{
	const struct slice args[] = { name, id };

	if (name.len > SESSION_ID_BYTES_MAX || id.len > MARK_ID_BYTES_MAX) {
		answer_rc(call, ERR_LIMIT);
		return;
	}
	store_ask(redis_of(store), op_new(&op_mark, call, args, 2));
}

static void on_marked(struct store *store, struct slice name, struct store_call *call)
{
	store_ask(redis_of(store), op_new(&op_marked, call, &name, 1));
}

/* ---- shards */

static void on_shards(struct store *store, const struct store_shards *known,
		      int64_t lease_ms, struct store_call *call)
{
	char numbers[3][SLICE_DECIMAL_BYTES];
	const struct slice args[] = {
		known->leader,
		slice_decimal(numbers[0], (uint64_t)lease_ms),
		slice_decimal(numbers[1], known->map.epoch),
		slice_decimal(numbers[2], (uint64_t)known->map.phase),
		known->map.routers,
		known->map.next,
		known->target,
	};

	assert(lease_ms > 0);
	store_ask(redis_of(store), op_new(&op_shards, call, args, 7));
}

static void on_shards_step(struct store *store, const struct store_shards *after,
			   const struct shard_offer *map, struct store_call *call)
{
	char numbers[5][SLICE_DECIMAL_BYTES];
	const struct slice args[] = {
		after->leader,
		slice_decimal(numbers[0], after->map.epoch),
		slice_decimal(numbers[1], (uint64_t)after->map.phase),
		slice_decimal(numbers[2], map->epoch),
		slice_decimal(numbers[3], (uint64_t)map->phase),
		map->routers,
		map->next,
		slice_decimal(numbers[4], after->is_over),
	};

	store_ask(redis_of(store), op_new(&op_shards_step, call, args, 8));
}

static void on_shards_target(struct store *store, struct slice target, bool is_first,
			     struct store_call *call)
{
	char number[SLICE_DECIMAL_BYTES];
	const struct slice args[] = { target, slice_decimal(number, is_first) };

	store_ask(redis_of(store), op_new(&op_shards_target, call, args, 2));
}

static int64_t away_since_ms(const struct store *store)
{
	const struct store_redis *redis = (const void *)store; /* its first member */

	return redis->away_since_ms;
}

/* ---- life */

static void on_free(struct store *store)
{
	struct store_redis *redis = redis_of(store);

	redis->is_freeing = true;
	reader_fini(redis);
	redis_free(redis->redis);
	loop_timer_stop(redis->loop, &redis->retry);
	redis->is_open = false;
	redis->is_sent = false;
	store_batch_give_up(redis, true);
	loop_untouch(&redis->flush);
	buf_fini(&redis->prefix);
	buf_fini(&redis->scratch);
	mem_free(redis->building);
	mem_free(redis);
}

static void on_retry(struct timer *timer)
{
	store_open(CONTAINER_OF(timer, struct store_redis, retry));
}

static void open_clients(struct store_redis *redis,
			 const struct store_redis_options *options)
{
	static const struct redis_script scripts[SCRIPTS] = {
		[SCRIPT_OPEN] = { "open", script_open },
		[SCRIPT_BATCH] = { "batch", script_batch },
	};
	const struct redis_options client = {
		.name = "store",
		.url = options->url,
		.password = options->password,
		.sentinel_password = options->sentinel_password,
		.scripts = scripts,
		.scripts_n = SCRIPTS,
		.connect_timeout_ms = options->connect_timeout_ms,
		.command_timeout_ms = redis->options.command_timeout_ms,
		.on_up = store_on_up,
		.on_down = store_on_down,
		.owner = redis,
		.stats = options->redis_stats,
	};

	redis->redis = redis_new(redis->loop, &client);
	reader_init(redis, &client);
}

static const struct store_ops store_redis_ops = {
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
	.away_since_ms = away_since_ms,
	.free = on_free,
};

struct store *store_redis_new(struct loop *loop,
			      const struct store_redis_options *options)
{
	struct store_redis *redis = MEM_NEW(struct store_redis);

	assert(redis_prefix_is_good(options->prefix));
	assert(options->queue_max > 0 && options->queue_bytes_max > 0);
	redis->store.ops = &store_redis_ops;
	redis->loop = loop;
	redis->options = *options;
	redis->options.url = redis->options.prefix = NULL;
	redis->options.password = redis->options.sentinel_password = SLICE_NONE;
	if (redis->options.command_timeout_ms == 0)
		redis->options.command_timeout_ms = REDIS_COMMAND_TIMEOUT_MS;
	redis->stats = options->stats;
	buf_appendf(&redis->prefix, "{%s}:", options->prefix);
	(void)snprintf(redis->replica, sizeof(redis->replica), "%016" PRIx64,
		       crypto_random_uint64());
	redis->away_since_ms = loop_unix_ms(loop);
	timer_init(&redis->retry, on_retry);
	loop_flush_init(&redis->flush, store_flush);
	list_init(&redis->queue);
	list_init(&redis->sent);
	open_clients(redis, options);
	return &redis->store;
}
