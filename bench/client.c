/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client goes through: negotiating (or a token), opening its carrier, greeting,
 * ready. Every way to the end passes client_close(); who ended by himself is the worker's
 * to judge.
 */
#include "bench/client.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "bench/negotiation.h"
#include "bench/token.h"
#include "bench/worker_private.h"
#include "proto/base/http_parse.h"
#include "proto/base/mem.h"

/* A server is gone that was silent for so many keep-alive intervals, as with the official
 * clients: 15 s and 30 s. */
#define SILENT_INTERVALS 2

#define USER_BYTES 24
#define ERROR_BYTES_SHOWN 100

static void on_open(struct carrier_owner *owner);
static void on_bytes(struct carrier_owner *owner, struct slice bytes);
static void on_end(struct carrier_owner *owner, const char *why);
static void on_timer(struct timer *timer);
static void on_negotiated(struct client *client, const struct negotiation_result *result);

static const struct carrier_owner_ops owner_ops = { on_open, on_bytes, on_end };

/* ---- life */

void client_init(struct client *client, struct worker *worker, uint32_t index)
{
	*client = (struct client){ .worker = worker, .index = index };
	client->owner.ops = &owner_ops;
	client->state = CLIENT_IDLE;
	timer_init(&client->timer, on_timer);
}

uint32_t client_user(const struct client *client)
{
	const int64_t users = client->worker->conf->users;

	return users > 0 ? client->index % (uint32_t)users : client->index;
}

static void client_set(struct client *client, enum client_state state)
{
	enum client_state before = (enum client_state)client->state;

	client->state = (uint8_t)state;
	worker_on_state(client, before);
}

void client_close(struct client *client)
{
	struct carrier *carrier = client->carrier;

	loop_timer_stop(client->worker->loop, &client->timer);
	negotiation_cancel(client->negotiation);
	client->negotiation = NULL;
	client->carrier = NULL;
	if (carrier != NULL)
		carrier->ops->close(carrier);
	worker_forget(client->worker, client->awaited);
	client->awaited = 0;
	buf_fini(&client->partial);
	mem_free(client->connection_id);
	client->connection_id = NULL;
	if (client->state != CLIENT_IDLE)
		client_set(client, CLIENT_IDLE);
}

static void client_end(struct client *client, const char *why)
{
	bool was_ready = client->state == CLIENT_READY;

	client_close(client);
	worker_on_end(client, was_ready, why);
}

static void end_with(struct client *client, const char *what, struct slice error)
{
	char why[STATS_TROUBLE_BYTES];

	if (error.len > ERROR_BYTES_SHOWN)
		error.len = ERROR_BYTES_SHOWN;
	(void)snprintf(why, sizeof(why), "%s%s%.*s", what, error.len > 0 ? ": " : "",
		       SLICE_FMT(error));
	client_end(client, why);
}

/* ---- opening */

static void open_carrier(struct client *client, struct slice id, struct slice bearer)
{
	struct worker *worker = client->worker;
	const struct carrier_target target = {
		.site = &worker->site,
		.source = worker_source(worker, client->index),
		.id = id,
		.bearer = bearer,
		.is_text = worker->dialect->is_text,
	};
	const char *why = NULL;

	client->carrier = worker->carrier->open(&client->owner, &target, &why);
	if (client->carrier == NULL)
		client_end(client, why);
	else
		client_set(client, CLIENT_OPENING);
}

void client_open(struct client *client)
{
	struct worker *worker = client->worker;
	const struct bench_conf *conf = worker->conf;
	char user[USER_BYTES];
	struct buf bearer = BUF_INIT;
	struct negotiation_plan plan = { .site = &worker->site };

	assert(client->state == CLIENT_IDLE);
	client->began_us = loop_clock_us();
	loop_timer_start(worker->loop, &client->timer, conf->connect_timeout_ms);
	worker->stats->connects_started++;
	client_set(client, CLIENT_NEGOTIATING);
	(void)snprintf(user, sizeof(user), "user-%" PRIu32, client_user(client));
	if (conf->token_key != NULL && conf->token_key[0] != '\0')
		token_mint(&bearer, slice_from_str(conf->token_key), slice_from_str(user),
			   loop_unix_ms(worker->loop) / 1000);
	else if (conf->dev_tokens)
		plan.user = slice_from_str(user);
	plan.bearer = buf_slice(&bearer);
	if (worker->dialect->is_negotiated && conf->negotiate)
		plan.transport = worker->carrier->negotiated;
	if (plan.transport != NULL || plan.user.len > 0)
		client->negotiation = negotiation_start(client, &plan, on_negotiated);
	else
		open_carrier(client, SLICE_NONE, plan.bearer);
	buf_fini(&bearer);
}

void client_open_later(struct client *client, int64_t delay_ms)
{
	assert(client->state == CLIENT_IDLE);
	loop_timer_start(client->worker->loop, &client->timer, delay_ms);
}

static void on_negotiated(struct client *client, const struct negotiation_result *result)
{
	struct worker *worker = client->worker;

	client->negotiation = NULL;
	if (result->why != NULL) {
		end_with(client, result->why, result->detail);
		return;
	}
	if (worker->scenario->needs_ids)
		client->connection_id =
			mem_dup(result->connection_id.ptr, result->connection_id.len);
	open_carrier(client, result->id, result->bearer);
}

static void client_ready(struct client *client)
{
	struct worker *worker = client->worker;
	const int64_t now_ms = loop_now_ms(worker->loop);

	client->tries = 0;
	client->heard_ms = (uint32_t)now_ms;
	client->said_ms = (uint32_t)now_ms;
	loop_timer_stop(worker->loop, &client->timer);
	if (worker->conf->keep_alive_ms > 0 && worker->dialect->has_pings &&
	    worker->carrier->has_pings)
		loop_timer_start(worker->loop, &client->timer,
				 worker->conf->keep_alive_ms);
	client_set(client, CLIENT_READY);
	worker_on_ready(client);
}

static void on_open(struct carrier_owner *owner)
{
	struct client *client = CONTAINER_OF(owner, struct client, owner);
	struct worker *worker = client->worker;

	assert(client->state == CLIENT_OPENING);
	if (worker->dialect->greet != NULL) {
		buf_clear(&worker->out);
		worker->dialect->greet(&worker->out);
		client->carrier->ops->send(client->carrier, buf_slice(&worker->out));
	}
	if (worker->dialect->has_greeting)
		client_set(client, CLIENT_GREETING);
	else
		client_ready(client);
}

/* ---- time */

static void client_keep_alive(struct client *client)
{
	struct worker *worker = client->worker;
	const uint32_t now_ms = (uint32_t)loop_now_ms(worker->loop);
	const uint32_t interval_ms = (uint32_t)worker->conf->keep_alive_ms;
	struct saying ping = { .verb = VERB_PING };
	uint32_t rest_ms = interval_ms;

	if (now_ms - client->heard_ms >= SILENT_INTERVALS * interval_ms) {
		client_end(client, "the server was silent for too long");
		return;
	}
	if (now_ms - client->said_ms < interval_ms)
		rest_ms = interval_ms - (now_ms - client->said_ms);
	else if (client_say(client, &ping, -1) == OK)
		worker->stats->pings++;
	loop_timer_start(worker->loop, &client->timer, rest_ms);
}

static void on_timer(struct timer *timer)
{
	struct client *client = CONTAINER_OF(timer, struct client, timer);

	if (client->state == CLIENT_IDLE)
		client_open(client);
	else if (client->state == CLIENT_READY)
		client_keep_alive(client);
	else
		client_end(client, "connecting took longer than connect_timeout");
}

/* ---- hearing */

static void client_hear(struct client *client, const struct hearing *hearing)
{
	switch (hearing->heard) {
	case HEARD_NOTHING:
		break;
	case HEARD_READY:
		if (client->state == CLIENT_GREETING)
			client_ready(client);
		break;
	case HEARD_REFUSED:
		end_with(client, "the server refused the handshake", hearing->error);
		break;
	case HEARD_CLOSE:
		end_with(client, "the server closed the connection", hearing->error);
		break;
	case HEARD_MESSAGE:
	case HEARD_ITEM:
	case HEARD_RESULT:
	case HEARD_ERROR:
	case HEARD_QUESTION:
		if (client->state == CLIENT_READY)
			worker_on_hearing(client, hearing);
		break;
	}
}

/* What the dialect wants answered; the message may have ended the client. */
static void send_reply(struct client *client)
{
	struct worker *worker = client->worker;

	if (client->carrier != NULL) {
		client->said_ms = (uint32_t)loop_now_ms(worker->loop);
		client->carrier->ops->send(client->carrier, buf_slice(&worker->reply));
	}
	buf_clear(&worker->reply);
}

/* Returns what is left: half a message. Nothing once the client has ended. */
static struct slice hear_all(struct client *client, struct slice bytes)
{
	struct worker *worker = client->worker;
	const struct carrier *carrier = client->carrier;

	while (bytes.len > 0) {
		struct hearing hearing;
		ssize_t n =
			worker->dialect->hear(bytes, client->state == CLIENT_READY,
					      &worker->arena, &hearing, &worker->reply);

		if (n == 0)
			return bytes;
		if (n < 0) {
			worker->stats->malformed++;
			client_end(client, "the server sent what nobody understands");
			return SLICE_NONE;
		}
		bytes = slice_from(bytes, (size_t)n);
		if (worker->reply.len > 0)
			send_reply(client);
		client_hear(client, &hearing);
		if (worker->arena.used > 0)
			arena_reset(&worker->arena);
		/* It may have ended, and even be opened again. */
		if (client->carrier != carrier)
			return SLICE_NONE;
	}
	return SLICE_NONE;
}

/* What was kept of the last bytes comes first. */
static void hear_joined(struct client *client, struct slice bytes)
{
	struct buf whole = client->partial;
	struct slice rest;

	client->partial = BUF_INIT;
	buf_append_slice(&whole, bytes);
	rest = hear_all(client, buf_slice(&whole));
	if (rest.len > 0)
		buf_append_slice(&client->partial, rest);
	buf_fini(&whole);
}

static void on_bytes(struct carrier_owner *owner, struct slice bytes)
{
	struct client *client = CONTAINER_OF(owner, struct client, owner);
	struct slice rest;

	client->heard_ms = (uint32_t)loop_now_ms(client->worker->loop);
	if (client->partial.len > 0) {
		hear_joined(client, bytes);
		return;
	}
	rest = hear_all(client, bytes);
	if (rest.len > 0)
		buf_append_slice(&client->partial, rest);
}

static void on_end(struct carrier_owner *owner, const char *why)
{
	struct client *client = CONTAINER_OF(owner, struct client, owner);

	client->carrier = NULL; /* it frees itself */
	client_end(client, why);
}

/* ---- saying */

enum err client_say(struct client *client, struct saying *saying, int64_t due_us)
{
	struct worker *worker = client->worker;

	if (client->state != CLIENT_READY)
		return ERR_CLOSED;
	if (due_us >= 0) {
		client_id_write(worker->id, client->calls, due_us);
		saying->id = slice_make(worker->id, CLIENT_ID_BYTES - 1);
	}
	buf_clear(&worker->out);
	if (!worker->dialect->say(&worker->out, saying))
		return ERR_UNSUPPORTED;
	if (due_us >= 0) {
		client->calls++;
		client->awaited++;
	}
	client->said_ms = (uint32_t)loop_now_ms(worker->loop);
	client->carrier->ops->send(client->carrier, buf_slice(&worker->out));
	worker_on_said(client, saying, due_us >= 0);
	return OK;
}

void client_id_write(char out[CLIENT_ID_BYTES], uint32_t number, int64_t due_us)
{
	int n = snprintf(out, CLIENT_ID_BYTES, "%08" PRIx32 "-%016" PRIx64, number,
			 (uint64_t)due_us);

	assert(n == CLIENT_ID_BYTES - 1);
}

static bool read_hex(const char *at, size_t n, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		int digit = http_hex_value(at[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | (uint64_t)digit;
	}
	return true;
}

enum err client_id_read(struct slice id, uint32_t *number, int64_t *due_us)
{
	uint64_t first;
	uint64_t second;

	if (id.len != CLIENT_ID_BYTES - 1 || id.ptr[8] != '-' ||
	    !read_hex(id.ptr, 8, &first) || !read_hex(id.ptr + 9, 16, &second) ||
	    second > INT64_MAX)
		return ERR_MALFORMED;
	*number = (uint32_t)first;
	*due_us = (int64_t)second;
	return OK;
}
