/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's life and its calls: they wait, leave at the end of the turn, are answered in
 * order, and end otherwise when the connection is lost or says nothing.
 *
 * Scripts are sent by their digest. A server that has forgotten them (SCRIPT FLUSH) did
 * not carry the call out; but those behind it may have been sent already. As long as none
 * of them is carried out either, they all stand again, in order, and leave once the
 * scripts are loaded. As soon as one is, what stands before it can not be made good in
 * order any more: it ends as not carried out.
 */
#include "proto/base/redis.h"

#include <assert.h>
#include <stdio.h>

#include "proto/base/mem.h"
#include "proto/base/redis_private.h"
#include "proto/base/secret.h"

static void on_flush(struct loop_flush *flush);
static void on_calls_timer(struct timer *timer);
static void on_defer(struct loop_defer *defer);

/* ---- life */

static void set_defaults(struct redis_options *options)
{
	if (options->connect_timeout_ms == 0)
		options->connect_timeout_ms = REDIS_CONNECT_TIMEOUT_MS;
	if (options->command_timeout_ms == 0)
		options->command_timeout_ms = REDIS_COMMAND_TIMEOUT_MS;
	if (options->waiting_max == 0)
		options->waiting_max = REDIS_WAITING_MAX;
	if (options->waiting_bytes_max == 0)
		options->waiting_bytes_max = REDIS_WAITING_BYTES_MAX;
	if (options->in_flight_max == 0)
		options->in_flight_max = REDIS_IN_FLIGHT_MAX;
	if (options->check_ms == 0)
		options->check_ms = REDIS_CHECK_MS;
}

/* What it borrows no longer than this call. */
static void copy_options(struct redis *redis, const struct redis_options *options)
{
	const char *problem = NULL;
	const enum err rc =
		redis_url_parse(slice_from_str(options->url), &redis->url, &problem);

	assert(rc == OK);
	assert(options->name != NULL);
	redis->options = *options;
	set_defaults(&redis->options);
	redis->options.url = NULL;
	if (options->password.len > 0)
		secrets_copy(&redis->secrets.password, &SECRETS_OF(options->password));
	if (options->sentinel_password.len > 0)
		secrets_copy(&redis->secrets.sentinel_password,
			     &SECRETS_OF(options->sentinel_password));
	redis->options.password = SLICE_NONE;
	redis->options.sentinel_password = SLICE_NONE;
	redis->stats = options->stats != NULL ? options->stats : &redis->own_stats;
	redis->shas = mem_alloc(options->scripts_n * sizeof(redis->shas[0]));
	for (size_t i = 0; i < options->scripts_n; i++)
		redis_script_sha(slice_from_str(options->scripts[i].text),
				 redis->shas[i]);
}

struct redis *redis_new(struct loop *loop, const struct redis_options *options)
{
	struct redis *redis = MEM_NEW(struct redis);

	redis->loop = loop;
	copy_options(redis, options);
	redis_queue_init(&redis->queue);
	loop_flush_init(&redis->flush, on_flush);
	timer_init(&redis->calls_timer, on_calls_timer);
	redis_connect_init(redis);
	redis_connect(redis);
	return redis;
}

static void call_end(struct redis *redis, struct redis_call *call, enum err rc)
{
	assert(rc != OK);
	if (rc == ERR_CLOSED)
		redis->stats->dropped_total++;
	else
		redis->stats->lost_total++;
	call->done(call, rc, NULL);
}

static void calls_end(struct redis *redis, struct list *calls, enum err rc)
{
	struct list *node;

	while ((node = list_shift(calls)))
		call_end(redis, CONTAINER_OF(node, struct redis_call, node), rc);
}

void redis_free(struct redis *redis)
{
	struct list calls;

	if (redis == NULL || redis->state == REDIS_FREED)
		return;
	redis_disconnect(redis);
	loop_untouch(&redis->flush);
	loop_timer_stop(redis->loop, &redis->calls_timer);
	list_init(&calls);
	redis_queue_take_all(&redis->queue, &calls);
	redis_count(redis);
	calls_end(redis, &calls, ERR_CLOSED);
	loop_defer_free(redis->loop, &redis->defer, on_defer);
}

static void on_defer(struct loop_defer *defer)
{
	struct redis *redis = CONTAINER_OF(defer, struct redis, defer);

	redis_connect_fini(redis);
	redis_queue_fini(&redis->queue);
	secrets_fini(&redis->secrets.password);
	secrets_fini(&redis->secrets.sentinel_password);
	mem_free(redis->shas);
	mem_free(redis);
}

void redis_set_secrets(struct redis *redis, const struct redis_secrets *secrets)
{
	secrets_copy(&redis->secrets.password, &secrets->password);
	secrets_copy(&redis->secrets.sentinel_password, &secrets->sentinel_password);
	redis_passwords_changed(redis);
}

bool redis_is_up(const struct redis *redis)
{
	return redis->state == REDIS_UP || redis->state == REDIS_RELOADING;
}

int64_t redis_away_since_ms(const struct redis *redis)
{
	return redis->away_since_unix_ms;
}

void redis_count(struct redis *redis)
{
	const struct redis_queue *queue = &redis->queue;
	const int64_t waiting = (int64_t)queue->waiting_n;
	const int64_t in_flight = (int64_t)(queue->in_flight_n + queue->again_n);

	redis->stats->waiting += waiting - redis->counted_waiting;
	redis->stats->in_flight += in_flight - redis->counted_in_flight;
	redis->stats->bytes_in_total += redis->conn.bytes_in - redis->counted_in;
	redis->stats->bytes_out_total += redis->conn.bytes_out - redis->counted_out;
	redis->counted_waiting = waiting;
	redis->counted_in_flight = in_flight;
	redis->counted_in = redis->conn.bytes_in;
	redis->counted_out = redis->conn.bytes_out;
}

/* ---- asking */

static const struct redis_call *first_waiting(const struct redis *redis)
{
	return CONTAINER_OF(redis->queue.waiting.next, struct redis_call, node);
}

/* Starts the timer for the first call, unless it runs out before that; it looks again. */
static void calls_watch(struct redis *redis)
{
	const int64_t now = loop_now_ms(redis->loop);
	int64_t due = 0;

	if (redis->queue.in_flight_n > 0)
		due = redis->heard_ms + redis->options.command_timeout_ms;
	else if (redis->queue.waiting_n > 0 && !redis_is_up(redis))
		due = first_waiting(redis)->end_ms;
	if (due == 0)
		return;
	if (!timer_is_running(&redis->calls_timer) || redis->calls_timer.due_ms > due)
		loop_timer_start(redis->loop, &redis->calls_timer,
				 due > now ? due - now : 1);
}

/* Whoever asks would wait in vain, most likely. */
static bool is_given_up(const struct redis *redis)
{
	return redis->options.patience_ms > 0 && redis->away_since_unix_ms != 0 &&
	       loop_now_ms(redis->loop) - redis->away_ms >= redis->options.patience_ms;
}

static enum err add(struct redis *redis, const struct redis_command *command,
		    struct redis_call *call)
{
	const size_t bytes_n = redis_command_bytes(command);
	struct redis_queue *queue = &redis->queue;

	if (redis->state == REDIS_FREED)
		return ERR_CLOSED;
	if (is_given_up(redis)) {
		redis->stats->dropped_total++;
		return ERR_CLOSED;
	}
	if (bytes_n == 0 || queue->waiting_n >= redis->options.waiting_max ||
	    redis_queue_bytes(queue) + bytes_n > redis->options.waiting_bytes_max) {
		redis->stats->refused_total++;
		return ERR_LIMIT;
	}
	call->was_again = false;
	call->end_ms = loop_now_ms(redis->loop) + redis->options.command_timeout_ms;
	redis_queue_add(queue, call, command, bytes_n);
	redis_calls_flush(redis);
	return OK;
}

enum err redis_command(struct redis *redis, const struct slice *args, size_t n,
		       struct redis_call *call)
{
	assert(n > 0);
	call->is_script = false;
	return add(redis, &(struct redis_command){ .args = args, .args_n = n }, call);
}

enum err redis_script(struct redis *redis, size_t script, size_t keys_n,
		      const struct slice *args, size_t n, struct redis_call *call)
{
	assert(script < redis->options.scripts_n);
	assert(keys_n <= n);

	char keys[24];
	const int len = snprintf(keys, sizeof(keys), "%zu", keys_n);
	const struct slice head[] = {
		SLICE("EVALSHA"),
		slice_make(redis->shas[script], REDIS_SHA_BYTES),
		slice_make(keys, (size_t)len),
	};

	call->is_script = true;
	return add(redis,
		   &(struct redis_command){
			   .head = head, .head_n = 3, .args = args, .args_n = n },
		   call);
}

void redis_calls_flush(struct redis *redis)
{
	loop_touch(redis->loop, &redis->flush);
}

static void on_flush(struct loop_flush *flush)
{
	struct redis *redis = CONTAINER_OF(flush, struct redis, flush);
	struct redis_queue *queue = &redis->queue;
	struct slice bytes = SLICE_NONE;
	size_t n = 0;

	if (queue->in_flight_n == 0)
		redis->heard_ms = loop_now_ms(redis->loop);
	while (redis->state == REDIS_UP && n == bytes.len) {
		bytes = redis_queue_leave(queue, redis->options.in_flight_max);
		if (bytes.len == 0)
			break;
		n = redis_conn_send(&redis->conn, bytes);
		redis_queue_took(queue, n);
	}
	calls_watch(redis);
	redis_count(redis);
}

/* ---- answers */

static void end_again(struct redis *redis)
{
	struct list calls;

	list_init(&calls);
	redis_queue_take_again(&redis->queue, &calls);
	calls_end(redis, &calls, ERR_CLOSED);
}

/* Whether the server did not carry a call out because it is no master (any more). */
static bool is_refusal(const struct redis_reply *reply)
{
	static const char *const codes[] = { "READONLY", "MASTERDOWN", "LOADING",
					     "UNBLOCKED" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (redis_reply_is_error(reply, codes[i]))
			return true;
	return false;
}

/* Whether the call is to be asked again; a check has no effect, and may be. */
static bool stands_again(const struct redis *redis, const struct redis_call *call,
			 const struct redis_reply *reply)
{
	if (call == &redis->check)
		return redis->queue.again_n > 0;
	return call->is_script && !call->was_again &&
	       redis_reply_is_error(reply, "NOSCRIPT");
}

static void answer(struct redis *redis, struct redis_call *call,
		   const struct redis_reply *reply)
{
	end_again(redis);
	if (redis->state != REDIS_UP)
		return; /* its end was among those of redis_free() */
	redis_queue_answered(&redis->queue);
	if (is_refusal(reply)) {
		call_end(redis, call, ERR_CLOSED);
		if (redis->state == REDIS_UP)
			redis_leave(redis, "it is no master any more");
		return;
	}
	redis->stats->commands_total++;
	if (reply->type == REDIS_ERROR)
		redis->stats->errors_total++;
	call->done(call, OK, reply);
}

void redis_calls_answer(struct redis *redis, const struct redis_reply *reply)
{
	struct redis_queue *queue = &redis->queue;
	struct redis_call *call = redis_queue_first(queue);

	if (call == NULL) {
		redis_leave(redis, "it answered what was not asked");
		return;
	}
	redis->heard_ms = loop_now_ms(redis->loop);
	if (stands_again(redis, call, reply)) {
		call->was_again = true;
		redis_queue_stand(queue);
	} else {
		answer(redis, call, reply);
	}
	if (redis->state != REDIS_UP)
		return;
	if (queue->in_flight_n == 0 && queue->again_n > 0)
		redis_reload(redis);
	else
		redis_calls_flush(redis);
}

void redis_calls_resume(struct redis *redis)
{
	redis_queue_resume(&redis->queue);
	redis_calls_flush(redis);
}

/* ---- other ends */

void redis_calls_lost(struct redis *redis)
{
	struct list again;
	struct list sent;

	list_init(&again);
	list_init(&sent);
	redis_queue_take_again(&redis->queue, &again);
	redis_queue_take_sent(&redis->queue, &sent);
	redis_count(redis);
	calls_watch(redis);
	calls_end(redis, &again, ERR_CLOSED);
	calls_end(redis, &sent, redis->is_late ? ERR_TIMEOUT : ERR_OUTCOME);
	redis->is_late = false;
}

/* What has waited too long; none does while it is up. */
static void expire(struct redis *redis)
{
	const int64_t now = loop_now_ms(redis->loop);

	while (!redis_is_up(redis) && redis->queue.waiting_n > 0 &&
	       first_waiting(redis)->end_ms <= now)
		call_end(redis, redis_queue_take_waiting(&redis->queue), ERR_CLOSED);
	redis_count(redis);
}

static void on_calls_timer(struct timer *timer)
{
	struct redis *redis = CONTAINER_OF(timer, struct redis, calls_timer);
	const int64_t silent_ms = loop_now_ms(redis->loop) - redis->heard_ms;

	if (redis->queue.in_flight_n > 0 &&
	    silent_ms >= redis->options.command_timeout_ms) {
		redis->stats->timeouts_total++;
		redis->is_late = true;
		redis_leave(redis, "it did not answer in time");
	}
	expire(redis);
	calls_watch(redis);
}
