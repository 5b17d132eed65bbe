/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of operations, and the batch that is under way: one at a time, made at the
 * end of a turn of what waits, so that the busier Redis is, the more one carries. Batches
 * that change something have numbers, without gaps; Redis keeps the last one's with its
 * answers.
 */
#include <assert.h>

#include "presence/store_redis_private.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* Of one batch: one simple operation costs 1, some 5 to 10 us of Redis's time. When more
 * than QUEUE_LONG wait, because gateways tell everything at once, they are larger. */
#define BATCH_COST_MAX 128u
#define BATCH_COST_MAX_LONG 1024u
#define QUEUE_LONG 4096u

/* Both below what redis_limits.h lets a command have. */
#define BATCH_BYTES_MAX (1u << 20)
#define BATCH_ARGS_MAX 8000u

static struct op *op_of(struct list *node)
{
	return CONTAINER_OF(node, struct op, node);
}

/* ---- the queue */

/* What is under way came before what waits. */
static void oldest_count(struct store_redis *redis)
{
	const struct list *list =
		list_is_empty(&redis->sent) ? &redis->queue : &redis->sent;

	redis->stats->waiting_since_seconds =
		list_is_empty(list) ? 0 : op_of(list->next)->asked_ms / 1000;
}

static void queue_count(struct store_redis *redis, ptrdiff_t n, ptrdiff_t bytes)
{
	redis->queue_n += (size_t)n;
	redis->queue_bytes += (size_t)bytes;
	redis->stats->waiting = (int64_t)redis->queue_n;
	redis->stats->waiting_bytes = (int64_t)redis->queue_bytes;
	oldest_count(redis);
}

static void queue_append(struct store_redis *redis, struct op *op)
{
	list_append(&redis->queue, &op->node);
	queue_count(redis, 1, (ptrdiff_t)op->bytes);
}

static struct op *queue_shift(struct store_redis *redis)
{
	struct op *op = op_of(list_shift(&redis->queue));

	queue_count(redis, -1, -(ptrdiff_t)op->bytes);
	return op;
}

static bool queue_is_full(const struct store_redis *redis, const struct op *op)
{
	/* The store's own are bounded by what they are about, and are not in the way. */
	if (!op->kind->is_waiting || op->call == NULL)
		return false;
	if (!redis->is_open && redis->queue_n >= redis->options.queue_max)
		return true;
	return redis->queue_bytes + op->bytes > redis->options.queue_bytes_max;
}

/* How an operation ends that is not carried out; `is_void`: all that was told is. */
static enum err op_refused(const struct store_redis *redis, const struct op *op,
			   bool is_void)
{
	if (redis->is_freeing)
		return ERR_CLOSED;
	return is_void && op->kind->is_of_gateway ? ERR_NOT_FOUND : ERR_IO;
}

void store_ask(struct store_redis *redis, struct op *op)
{
	const bool is_void =
		redis->is_lost ||
		(op->kind->is_of_gateway && op->registration <= redis->registration_void);

	if ((is_void && op->kind->is_waiting) || redis->is_freeing ||
	    (!redis->is_open && !op->kind->is_waiting)) {
		op_end(redis, op, op_refused(redis, op, is_void), NULL);
		return;
	}
	if (queue_is_full(redis, op)) {
		redis->stats->overflows_total++;
		op_end(redis, op, op_refused(redis, op, true), NULL);
		store_lose(redis, "queue_max");
		return;
	}
	op->asked_ms = loop_unix_ms(redis->loop);
	queue_append(redis, op);
	loop_touch(redis->loop, &redis->flush);
}

/* Ends those of `list` that match, in their order; `done` may ask for more meanwhile. */
static void end_all(struct store_redis *redis, struct list *list, bool is_all)
{
	struct list ending;

	list_init(&ending);
	LIST_EACH (node, list) {
		struct op *op = op_of(node);

		if (!is_all && op->kind->is_waiting)
			continue;
		if (list == &redis->queue)
			queue_count(redis, -1, -(ptrdiff_t)op->bytes);
		list_remove(node);
		list_append(&ending, node);
	}
	while (!list_is_empty(&ending)) {
		struct op *op = op_of(list_shift(&ending));

		op_end(redis, op, op_refused(redis, op, is_all), NULL);
	}
}

void store_batch_give_up(struct store_redis *redis, bool is_all)
{
	/* What was sent keeps its order, by which its answers may yet be found. */
	if (is_all && !redis->is_sent) {
		redis->is_unknown = false;
		end_all(redis, &redis->sent, true);
		oldest_count(redis);
	}
	end_all(redis, &redis->queue, is_all);
}

/* ---- sending */

struct batch {
	struct slice args[BATCH_ARGS_MAX];
	size_t n;
	size_t ops_n;
	size_t cost;
	size_t cost_max;
	size_t bytes;
	bool is_change;
};

static void batch_append(struct batch *batch, struct slice arg)
{
	assert(batch->n < BATCH_ARGS_MAX);
	batch->args[batch->n++] = arg;
}

static bool batch_has_room(const struct batch *batch, const struct op *op)
{
	if (batch->cost == 0)
		return true;
	return batch->cost + op->cost <= batch->cost_max &&
	       batch->bytes + op->bytes <= BATCH_BYTES_MAX &&
	       batch->n + 1 + op->args_n <= BATCH_ARGS_MAX;
}

static void batch_add(struct batch *batch, struct op *op)
{
	op->place = batch->ops_n++;
	batch_append(batch, slice_make(&op->kind->letter, 1));
	for (size_t i = 0; i < op->args_n; i++)
		batch_append(batch, op->args[i]);
	batch->cost += op->cost;
	batch->bytes += op->bytes;
	batch->is_change |= op->kind->is_change;
}

static redis_done_fn on_batch;

/* redis->sent, as a command. */
static enum err batch_send(struct store_redis *redis, struct batch *batch)
{
	const struct store_redis_options *options = &redis->options;
	char numbers[5][SLICE_DECIMAL_BYTES];
	struct slice *args = batch->args;

	args[1] = slice_make(redis->epoch, EPOCH_BYTES);
	args[2] = slice_make(redis->replica, REPLICA_BYTES);
	args[3] = slice_decimal(numbers[0], redis->generation);
	args[4] = slice_decimal(numbers[1], redis->batch);
	args[5] = slice_decimal(numbers[2], options->events_max);
	args[6] = slice_decimal(numbers[3], (uint64_t)options->offline_grace_ms);
	args[7] = slice_decimal(numbers[4], options->sessions_max);
	buf_clear(&redis->scratch);
	buf_append_slice(&redis->scratch, buf_slice(&redis->prefix));
	buf_append_str(&redis->scratch, "epoch");
	args[0] = buf_slice(&redis->scratch);
	redis->batch_call.done = on_batch;
	return redis_script(redis->redis, SCRIPT_BATCH, 1, args, batch->n,
			    &redis->batch_call);
}

/* Again from the front, in the order in which they were. */
static void unsend(struct store_redis *redis)
{
	LIST_EACH (node, &redis->sent)
		queue_count(redis, 1, (ptrdiff_t)op_of(node)->bytes);
	list_splice(&redis->sent, &redis->queue);
	list_splice(&redis->queue, &redis->sent);
	oldest_count(redis);
}

void store_flush(struct loop_flush *flush)
{
	struct store_redis *redis = CONTAINER_OF(flush, struct store_redis, flush);
	struct batch *batch;
	enum err rc;

	if (!redis->is_open || redis->is_sent || list_is_empty(&redis->queue))
		return;
	if (redis->building == NULL)
		redis->building = mem_alloc(sizeof(*batch));
	batch = redis->building;
	batch->n = 8; /* the head, which batch_send() fills in */
	batch->ops_n = batch->cost = batch->bytes = 0;
	batch->cost_max =
		redis->queue_n > QUEUE_LONG ? BATCH_COST_MAX_LONG : BATCH_COST_MAX;
	batch->is_change = false;
	while (!list_is_empty(&redis->queue) &&
	       batch_has_room(batch, op_of(redis->queue.next))) {
		struct op *op = queue_shift(redis);

		batch_add(batch, op);
		list_append(&redis->sent, &op->node);
	}
	oldest_count(redis);
	redis->batch = batch->is_change ? redis->batch_acked + 1 : 0;
	redis->is_sent = true;
	rc = batch_send(redis, batch);
	if (rc == OK)
		return;
	redis->is_sent = false;
	unsend(redis);
	store_retry(redis, slice_from_str(err_name(rc)));
}

/* ---- answers */

static void batch_answer(struct store_redis *redis, const struct redis_reply *reply)
{
	struct list sent;

	list_init(&sent);
	list_splice(&sent, &redis->sent);
	if (redis->batch != 0)
		redis->batch_acked = redis->batch;
	redis->stats->batches_total++;
	redis->stats->operations_total += reply->items_n;
	for (size_t i = 0; i < reply->items_n; i++)
		op_end(redis, op_of(list_shift(&sent)), OK, &reply->items[i]);
	assert(list_is_empty(&sent));
}

/* Questions need not wait until it is known what became of the changes. */
static void batch_unknown(struct store_redis *redis)
{
	redis->is_unknown = true;
	LIST_EACH (node, &redis->sent) {
		struct op *op = op_of(node);

		if (op->kind->is_change)
			continue;
		list_remove(node);
		op_end(redis, op, op_refused(redis, op, false), NULL);
	}
}

static size_t sent_n(const struct store_redis *redis)
{
	size_t n = 0;

	LIST_EACH (node, &redis->sent)
		n++;
	return n;
}

static void batch_refused(struct store_redis *redis, struct slice text)
{
	unsend(redis);
	if (slice_starts_with(text, SLICE("EPOCH ")) ||
	    slice_starts_with(text, SLICE("FENCED "))) {
		redis->is_open = false;
		store_open(redis);
		return;
	}
	redis->stats->refused_total++;
	store_retry(redis, text);
}

static void on_batch(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply)
{
	struct store_redis *redis = CONTAINER_OF(call, struct store_redis, batch_call);

	redis->is_sent = false;
	if (rc == OK && reply->type == REDIS_ARRAY && reply->items_n == sent_n(redis)) {
		batch_answer(redis, reply);
	} else if (rc == OK) {
		batch_refused(redis,
			      reply->type == REDIS_ERROR ? reply->text : SLICE("reply"));
	} else if (rc == ERR_CLOSED || redis->batch == 0) {
		unsend(redis);
	} else {
		batch_unknown(redis); /* store_batch_recover() finds out */
	}
	oldest_count(redis);
	loop_touch(redis->loop, &redis->flush);
}

/* ---- after a break */

bool store_batch_recover(struct store_redis *redis, uint64_t batch, struct slice kept)
{
	const bool is_carried_out = redis->is_unknown && batch == redis->batch;
	struct slice rest = kept;
	struct list sent;

	redis->is_unknown = false;
	if (!is_carried_out) {
		unsend(redis);
		return batch == redis->batch_acked;
	}
	redis->batch_acked = batch;
	redis->stats->recovered_total++;
	list_init(&sent);
	list_splice(&sent, &redis->sent);
	for (size_t i = 0; !list_is_empty(&sent); i++) {
		const struct slice answer = slice_cut(&rest, ',');

		if (op_of(sent.next)->place == i)
			op_end_kept(redis, op_of(list_shift(&sent)), answer);
	}
	oldest_count(redis);
	return true;
}
