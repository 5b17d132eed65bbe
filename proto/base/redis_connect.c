/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a client comes to its connection and leaves it: find (Sentinels), connect, log in,
 * check now and then, and begin again. Whatever goes wrong ends in redis_leave(), and
 * everything but redis_free() ends in the next attempt.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/redis_private.h"
#include "proto/base/secret.h"

/* One that stays away is told of this often; a new reason at once. */
#define TELL_MS 60000

static void on_open(struct redis_conn *conn);
static void on_reply(struct redis_conn *conn, const struct redis_reply *reply);
static void on_writable(struct redis_conn *conn);
static void on_end(struct redis_conn *conn, const char *why);
static void on_found(struct redis_sentinel *sentinel, enum err rc,
		     const struct redis_address *address, const char *why);
static void on_timer(struct timer *timer);
static void on_check_timer(struct timer *timer);
static void on_check(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply);

static const struct redis_conn_events events = {
	.on_open = on_open,
	.on_reply = on_reply,
	.on_writable = on_writable,
	.on_end = on_end,
};

/* ---- life */

void redis_connect_init(struct redis *redis)
{
	const struct redis_options *options = &redis->options;

	redis->login_options = (struct redis_login_options){
		.user = redis->url.user,
		.db = redis->url.db,
		.scripts = options->scripts,
		.scripts_n = options->scripts_n,
	};
	redis_conn_init(&redis->conn, redis->loop, &events);
	redis_sentinel_init(&redis->sentinel, redis->loop, &redis->url, on_found);
	redis_passwords_changed(redis);
	redis->sentinel.timeout_ms = options->connect_timeout_ms;
	timer_init(&redis->timer, on_timer);
	timer_init(&redis->check_timer, on_check_timer);
	redis->check.done = on_check;
	redis->backoff_ms = REDIS_BACKOFF_MIN_MS;
	redis->away_since_unix_ms = loop_unix_ms(redis->loop);
	redis->away_ms = loop_now_ms(redis->loop);
	redis->stats->away++;
}

void redis_passwords_changed(struct redis *redis)
{
	redis->password_at = 0;
	redis->login_options.password = SLICE_NONE; /* what it was has gone */
	redis->sentinel.passwords = &redis->secrets.sentinel_password;
	redis->sentinel.password_at = 0;
}

void redis_connect_fini(struct redis *redis)
{
	redis_conn_fini(&redis->conn);
	redis_sentinel_fini(&redis->sentinel);
}

/* Closes what there is; no timer runs. */
static void close_all(struct redis *redis)
{
	redis_count(redis);
	redis_conn_close(&redis->conn);
	redis->counted_in = 0;
	redis->counted_out = 0;
	redis_sentinel_cancel(&redis->sentinel);
	loop_timer_stop(redis->loop, &redis->timer);
	loop_timer_stop(redis->loop, &redis->check_timer);
}

void redis_disconnect(struct redis *redis)
{
	close_all(redis);
	if (redis->away_since_unix_ms != 0)
		redis->stats->away--;
	redis->state = REDIS_FREED;
}

/* ---- telling */

static void tell_down(struct redis *redis, const char *why)
{
	const int64_t now = loop_now_ms(redis->loop);
	const struct redis_conn *conn =
		redis->state == REDIS_FINDING ? &redis->sentinel.conn : &redis->conn;
	char text[REDIS_ADDRESS_TEXT_BYTES];

	if (redis->told_why == why && now - redis->told_ms < TELL_MS)
		return;
	redis->told_why = why;
	redis->told_ms = now;
	log_warn("redis.down", "client=%s address=%s attempts=%" PRIu64 " reason=\"%s\"",
		 redis->options.name, redis_address_text(&conn->address, text),
		 redis->attempts, why);
}

static void tell_up(struct redis *redis)
{
	char text[REDIS_ADDRESS_TEXT_BYTES];

	log_info("redis.up", "client=%s address=%s attempts=%" PRIu64,
		 redis->options.name, redis_address_text(&redis->conn.address, text),
		 redis->attempts);
	redis->told_why = NULL;
}

/* ---- leaving */

/* A random half to whole of the backoff, which doubles. */
static int64_t next_delay(struct redis *redis)
{
	const int64_t half = redis->backoff_ms / 2;
	const uint64_t more = crypto_random_uint64() % (uint64_t)(half + 1);

	redis->backoff_ms *= 2;
	if (redis->backoff_ms > REDIS_BACKOFF_MAX_MS)
		redis->backoff_ms = REDIS_BACKOFF_MAX_MS;
	return half + (int64_t)more;
}

static void come_down(struct redis *redis)
{
	const int64_t now = loop_now_ms(redis->loop);

	redis->stats->downs_total++;
	redis->stats->away++;
	redis->away_since_unix_ms = loop_unix_ms(redis->loop);
	redis->away_ms = loop_now_ms(redis->loop);
	/* One that was up but for a moment is not asked again at once, and again. */
	if (now - redis->up_ms >= REDIS_BACKOFF_MAX_MS)
		redis->backoff_ms = REDIS_BACKOFF_MIN_MS;
}

void redis_leave(struct redis *redis, const char *why)
{
	const bool was_up = redis_is_up(redis);

	assert(redis->state != REDIS_FREED);
	assert(redis->state != REDIS_AWAY);
	tell_down(redis, why);
	close_all(redis);
	redis->state = REDIS_AWAY;
	if (was_up)
		come_down(redis);
	else
		redis->stats->failures_total++;
	loop_timer_start(redis->loop, &redis->timer, next_delay(redis));
	redis_calls_lost(redis);
	if (was_up && redis->state != REDIS_FREED && redis->options.on_down != NULL)
		redis->options.on_down(redis->options.owner, why);
}

/* ---- an attempt */

static void open_address(struct redis *redis, const struct redis_address *address)
{
	redis->state = REDIS_CONNECTING;
	redis_conn_open(&redis->conn, address, redis->options.connect_timeout_ms);
}

void redis_connect(struct redis *redis)
{
	redis->attempts++;
	if (redis->url.master[0] == '\0') {
		open_address(redis, &redis->url.addresses[0]);
		return;
	}
	redis->state = REDIS_FINDING;
	redis_sentinel_ask(&redis->sentinel);
}

static bool is_where(const struct redis *redis, const struct redis_address *address)
{
	const struct redis_address *there = &redis->conn.address;

	return there->port == address->port && strcmp(there->host, address->host) == 0;
}

static void on_found(struct redis_sentinel *sentinel, enum err rc,
		     const struct redis_address *address, const char *why)
{
	struct redis *redis = CONTAINER_OF(sentinel, struct redis, sentinel);

	if (redis->state != REDIS_FINDING) {
		/* Asked by the check. When no Sentinel knows, all stays as it is. */
		if (rc == OK && !is_where(redis, address))
			redis_leave(redis, "the Sentinels name another master");
		return;
	}
	if (rc == OK)
		open_address(redis, address);
	else
		redis_leave(redis, why);
}

/* Says the login from `first` on; its answers must come in time. */
static void start_login(struct redis *redis, enum redis_step first)
{
	const struct secrets *passwords = &redis->secrets.password;
	struct buf out = BUF_INIT;

	if (passwords->n > 0)
		redis->login_options.password = passwords->items[redis->password_at];
	redis_login_start(&redis->login, &redis->login_options, first, &out);
	redis_conn_say(&redis->conn, buf_slice(&out));
	secret_fini(&out);
	loop_timer_start(redis->loop, &redis->timer, redis->options.command_timeout_ms);
}

static void on_open(struct redis_conn *conn)
{
	struct redis *redis = CONTAINER_OF(conn, struct redis, conn);

	redis->state = REDIS_LOGIN;
	start_login(redis, REDIS_STEP_AUTH);
}

void redis_reload(struct redis *redis)
{
	assert(redis->state == REDIS_UP);
	redis->state = REDIS_RELOADING;
	redis->stats->reloads_total++;
	start_login(redis, REDIS_STEP_SCRIPTS);
}

static void come_up(struct redis *redis)
{
	tell_up(redis);
	redis->attempts = 0;
	redis->password_at = 0;
	redis->up_ms = loop_now_ms(redis->loop);
	redis->away_since_unix_ms = 0;
	redis->stats->ups_total++;
	redis->stats->away--;
	loop_timer_start(redis->loop, &redis->check_timer, redis->options.check_ms);
	redis_calls_flush(redis);
	if (redis->options.on_up != NULL)
		redis->options.on_up(redis->options.owner);
}

/* While a password is being changed the server may want what is not the first line yet.
 */
static void next_password(struct redis *redis)
{
	if (++redis->password_at >= redis->secrets.password.n)
		redis->password_at = 0;
}

static void on_login(struct redis *redis, const struct redis_reply *reply)
{
	const bool was_up = redis_is_up(redis);

	if (redis_login_answer(&redis->login, reply) != OK) {
		if (redis->login.step == REDIS_STEP_AUTH)
			next_password(redis);
		redis_leave(redis, redis->login.problem);
		return;
	}
	if (!redis_login_is_done(&redis->login))
		return;
	loop_timer_stop(redis->loop, &redis->timer);
	redis->state = REDIS_UP;
	if (was_up)
		redis_calls_resume(redis);
	else
		come_up(redis);
}

static void on_reply(struct redis_conn *conn, const struct redis_reply *reply)
{
	struct redis *redis = CONTAINER_OF(conn, struct redis, conn);

	if (redis->state == REDIS_UP)
		redis_calls_answer(redis, reply);
	else
		on_login(redis, reply);
}

static void on_writable(struct redis_conn *conn)
{
	redis_calls_flush(CONTAINER_OF(conn, struct redis, conn));
}

static void on_end(struct redis_conn *conn, const char *why)
{
	redis_leave(CONTAINER_OF(conn, struct redis, conn), why);
}

static void on_timer(struct timer *timer)
{
	struct redis *redis = CONTAINER_OF(timer, struct redis, timer);

	if (redis->state == REDIS_AWAY)
		redis_connect(redis);
	else
		redis_leave(redis, "the login was not answered in time");
}

/* ---- checking */

static void on_check_timer(struct timer *timer)
{
	struct redis *redis = CONTAINER_OF(timer, struct redis, check_timer);
	const struct slice role = SLICE("ROLE");

	assert(redis_is_up(redis));
	loop_timer_start(redis->loop, &redis->check_timer, redis->options.check_ms);
	/* When too much waits for a check, there are answers enough to see that it lives.
	 */
	if (!redis->is_checking)
		redis->is_checking = redis_command(redis, &role, 1, &redis->check) == OK;
	if (redis->url.master[0] != '\0' && !redis->sentinel.is_asking)
		redis_sentinel_ask(&redis->sentinel);
}

static void on_check(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply)
{
	struct redis *redis = CONTAINER_OF(call, struct redis, check);

	redis->is_checking = false;
	if (rc == OK && redis_role_is_master(reply) != OK && redis_is_up(redis))
		redis_leave(redis, "it is no master any more");
}
