/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection at a time, for one question (SENTINEL GET-MASTER-ADDR-BY-NAME), then it
 * is closed: Sentinels are asked seldom.
 */
#include "proto/base/redis_sentinel.h"

#include <assert.h>

#include "proto/base/redis_queue.h"
#include "proto/base/secret.h"

static void on_open(struct redis_conn *conn);
static void on_reply(struct redis_conn *conn, const struct redis_reply *reply);
static void on_end(struct redis_conn *conn, const char *why);
static void on_timeout(struct timer *timer);

static const struct redis_conn_events events = {
	.on_open = on_open,
	.on_reply = on_reply,
	.on_end = on_end,
};

void redis_sentinel_init(struct redis_sentinel *sentinel, struct loop *loop,
			 const struct redis_url *url, redis_sentinel_fn *fn)
{
	assert(url->addresses_n > 0);
	*sentinel = (struct redis_sentinel){ .url = url, .fn = fn };
	redis_conn_init(&sentinel->conn, loop, &events);
	timer_init(&sentinel->timer, on_timeout);
}

void redis_sentinel_fini(struct redis_sentinel *sentinel)
{
	redis_sentinel_cancel(sentinel);
	redis_conn_fini(&sentinel->conn);
}

void redis_sentinel_cancel(struct redis_sentinel *sentinel)
{
	redis_conn_close(&sentinel->conn);
	loop_timer_stop(sentinel->conn.loop, &sentinel->timer);
	sentinel->is_asking = false;
}

static size_t sentinel_index(const struct redis_sentinel *sentinel)
{
	return (sentinel->first + sentinel->asked) % sentinel->url->addresses_n;
}

static void sentinel_open(struct redis_sentinel *sentinel)
{
	redis_conn_open(&sentinel->conn,
			&sentinel->url->addresses[sentinel_index(sentinel)],
			sentinel->timeout_ms);
}

void redis_sentinel_ask(struct redis_sentinel *sentinel)
{
	assert(!sentinel->is_asking);
	sentinel->is_asking = true;
	sentinel->asked = 0;
	sentinel_open(sentinel);
}

/* This one is of no help: the next, if there is one. */
static void sentinel_go_on(struct redis_sentinel *sentinel, const char *why)
{
	redis_conn_close(&sentinel->conn);
	loop_timer_stop(sentinel->conn.loop, &sentinel->timer);
	sentinel->asked++;
	if (sentinel->asked < sentinel->url->addresses_n) {
		sentinel_open(sentinel);
		return;
	}
	sentinel->is_asking = false;
	sentinel->fn(sentinel, ERR_NOT_FOUND, NULL, why);
}

/* ---- events */

static void say(struct buf *out, const struct slice *words, size_t n)
{
	redis_command_write(&(struct redis_command){ .head = words, .head_n = n }, out);
}

static void on_open(struct redis_conn *conn)
{
	struct redis_sentinel *sentinel = CONTAINER_OF(conn, struct redis_sentinel, conn);
	struct buf out = BUF_INIT;

	sentinel->is_let_in = sentinel->passwords->n == 0;
	if (!sentinel->is_let_in)
		say(&out,
		    (struct slice[]){ SLICE("AUTH"),
				      sentinel->passwords->items[sentinel->password_at] },
		    2);
	say(&out,
	    (struct slice[]){ SLICE("SENTINEL"), SLICE("GET-MASTER-ADDR-BY-NAME"),
			      slice_from_str(sentinel->url->master) },
	    3);
	redis_conn_say(conn, buf_slice(&out));
	secret_fini(&out);
	loop_timer_start(conn->loop, &sentinel->timer, sentinel->timeout_ms);
}

/* NULL: it names `address`. */
static const char *parse_answer(const struct redis_reply *reply,
				struct redis_address *address)
{
	int64_t port;

	if (reply->type == REDIS_NIL)
		return "a Sentinel does not know a master of this name";
	if (reply->type == REDIS_ERROR)
		return "a Sentinel refused the question";
	if (reply->type != REDIS_ARRAY || reply->items_n != 2 ||
	    reply->items[0].type != REDIS_STRING ||
	    reply->items[1].type != REDIS_STRING ||
	    slice_to_int64(reply->items[1].text, &port) != OK ||
	    redis_address_set(address, reply->items[0].text, port) != OK)
		return "a Sentinel's answer is no address";
	return NULL;
}

/* The next one is told the next of the passwords. */
static void on_refused(struct redis_sentinel *sentinel)
{
	if (++sentinel->password_at >= sentinel->passwords->n)
		sentinel->password_at = 0;
	sentinel_go_on(sentinel, "a Sentinel refused the password");
}

static void on_reply(struct redis_conn *conn, const struct redis_reply *reply)
{
	struct redis_sentinel *sentinel = CONTAINER_OF(conn, struct redis_sentinel, conn);
	struct redis_address address;
	const char *problem;

	if (!sentinel->is_let_in) {
		sentinel->is_let_in = reply->type == REDIS_STRING;
		if (!sentinel->is_let_in)
			on_refused(sentinel);
		return;
	}
	problem = parse_answer(reply, &address);
	if (problem != NULL) {
		sentinel_go_on(sentinel, problem);
		return;
	}
	sentinel->first = sentinel_index(sentinel);
	redis_sentinel_cancel(sentinel);
	sentinel->fn(sentinel, OK, &address, NULL);
}

static void on_end(struct redis_conn *conn, const char *why)
{
	sentinel_go_on(CONTAINER_OF(conn, struct redis_sentinel, conn), why);
}

static void on_timeout(struct timer *timer)
{
	sentinel_go_on(CONTAINER_OF(timer, struct redis_sentinel, timer),
		       "a Sentinel did not answer in time");
}
