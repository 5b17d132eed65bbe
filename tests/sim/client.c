/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a client connects, and comes back. Each request goes to a gateway at random: no
 * session sticks to one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "tests/sim/client.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/base/list.h"
#include "tests/sim/cluster.h"
#include "tests/sim/steps.h"

#define POLLING 400 /* of a thousand plain ones */
#define RETRY_MIN (50 * SIM_MS)
#define RETRY_MAX (600 * SIM_MS)
#define SECOND (1 * SIM_S)
#define SILENCE_MAX (6 * SIM_S)

static void on_retry(struct sim_event *event);
static void on_act(struct sim_event *event);
static void on_second(struct sim_event *event);
static const struct wire_ops ops;

void client_init(struct client *client, unsigned index, unsigned user, bool is_stateful)
{
	*client = (struct client){ .index = index, .user = user };
	client->is_stateful = is_stateful;
	client->is_polling = !is_stateful && sim_often(SIM_PLAN, POLLING);
	client->host = sim_host_new();
	cluster_jwt(&client->jwt, user);
	wire_init(&client->wire, &ops);
	client_post_init(client);
	sim_event_init(&client->retry, on_retry);
	sim_event_init(&client->act, on_act);
	sim_event_init(&client->second, on_second);
}

bool client_is_open(const struct client *client)
{
	return client->state == CLIENT_OPEN;
}

bool client_is_idle(const struct client *client)
{
	return client->calls_n == 0;
}

/* ---- requests */

void client_request(struct client *client, struct wire *wire,
		    const struct client_request *request)
{
	const unsigned gateway = cluster_any_gateway();
	struct buf text = BUF_INIT;

	sim_trace("client %u asks host %u: %s", client->index, gateway, request->method);
	wire_open(wire, client->host, gateway, CLUSTER_HTTP_PORT);
	buf_appendf(&text,
		    "%s /hubs/" CLUSTER_HUB "%s HTTP/1.1\r\nHost: sim\r\n"
		    "Authorization: Bearer %.*s\r\n%sContent-Length: %zu\r\n\r\n",
		    request->method, request->path, SLICE_FMT(buf_slice(&client->jwt)),
		    request->headers, request->body.len);
	buf_append_slice(&text, request->body);
	wire_send_request(wire, buf_slice(&text));
	buf_fini(&text);
	client->heard = sim_now();
}

static void negotiate(struct client *client)
{
	client->state = CLIENT_NEGOTIATING;
	client_request(client, &client->wire,
		       &(struct client_request){
			       "POST",
			       client->is_stateful ? "/negotiate?negotiateVersion=1&"
						     "useStatefulReconnect=true"
						   : "/negotiate?negotiateVersion=1",
			       "", SLICE_NONE });
}

static void open_transport(struct client *client)
{
	struct buf path = BUF_INIT;

	client->state = CLIENT_OPENING;
	if (client->is_polling) {
		client_poll(client);
		return;
	}
	buf_appendf(&path, "?id=%s", client->token);
	buf_append_byte(&path, '\0');
	client_request(client, &client->wire,
		       &(struct client_request){
			       "GET", path.ptr,
			       "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			       "Sec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
			       SLICE_NONE });
	buf_fini(&path);
}

/* ---- ends */

static void close_all(struct client *client, bool is_proper)
{
	wire_close(&client->wire, is_proper);
	if (client->is_polling)
		client_post_close(client, is_proper);
}

static void retry_later(struct client *client)
{
	client->state = CLIENT_WAITING;
	sim_cancel(&client->act);
	if (!client->is_leaving)
		sim_after(&client->retry, sim_between(SIM_CLIENTS, RETRY_MIN, RETRY_MAX));
}

/* `is_wanted`: by the client itself. */
static void session_end(struct client *client, bool is_wanted)
{
	client->token[0] = '\0';
	if (!client->has_session)
		return;
	sim_expect(is_wanted || !client->is_stateful || !steps_is_rolling(),
		   "client %u: session %u, which is stateful, ended over a restart",
		   client->index, client->session);
	client->has_session = false;
	client_calls_forget(client);
	client_hub_reset(client);
	history_ended(client->session);
}

void client_on_close(struct client *client)
{
	close_all(client, true);
	session_end(client, false);
	retry_later(client);
}

/* A stateful session is not gone by it. */
void client_on_lost(struct client *client)
{
	const bool may_resume = client->has_session && client->is_stateful;

	sim_trace("client %u loses its socket", client->index);
	close_all(client, false);
	if (!may_resume)
		session_end(client, false);
	retry_later(client);
}

void client_drop(struct client *client, bool is_proper)
{
	if (!wire_is_open(&client->wire))
		return;
	if (is_proper) {
		close_all(client, true);
		session_end(client, true);
		retry_later(client);
	} else {
		client_on_lost(client);
	}
}

void client_leave(struct client *client)
{
	client->is_leaving = true;
	sim_cancel(&client->retry);
	sim_cancel(&client->second);
	close_all(client, true);
	session_end(client, true);
	retry_later(client);
}

/* ---- answers */

static bool token_take(struct client *client, struct slice body)
{
	static const char name[] = "\"connectionToken\":\"";
	const char *at = memmem(body.ptr, body.len, name, sizeof(name) - 1);
	const char *quote;

	if (at == NULL)
		return false;
	at += sizeof(name) - 1;
	quote = memchr(at, '"', body.len - (size_t)(at - body.ptr));
	assert(quote != NULL && quote - at < CLIENT_TOKEN_BYTES);
	memcpy(client->token, at, (size_t)(quote - at));
	client->token[quote - at] = '\0';
	return true;
}

static void on_answer(struct wire *wire, int status, struct slice body)
{
	struct client *client = CONTAINER_OF(wire, struct client, wire);

	sim_trace("client %u is answered %d", client->index, status);
	client->heard = sim_now();
	if (client->state == CLIENT_NEGOTIATING) {
		wire_close(wire, false);
		if (status == 200 && token_take(client, body))
			open_transport(client);
		else
			retry_later(client);
		return;
	}
	if (client->is_polling) {
		client_on_poll(client, status, body);
		return;
	}
	assert(client->state == CLIENT_OPENING);
	if (status != 101) {
		wire_close(wire, false);
		/* 404: there is no such session any more; else it is asked again. */
		if (status == 404 || !client->has_session)
			session_end(client, false);
		retry_later(client);
	} else if (client->has_session) {
		client->state = CLIENT_OPEN;
		client_resume(client);
		client_act_later(client);
	} else {
		client->state = CLIENT_SHAKING;
		client_shake(client);
	}
}

static void on_handshake(struct client *client, struct slice text)
{
	if (!slice_equal(text, SLICE("{}"))) {
		client_on_lost(client);
		return;
	}
	client->state = CLIENT_OPEN;
	client->has_session = true;
	client->session =
		history_opened(client->index, client->user, client->is_stateful);
	if (client->is_stateful)
		client_put(client, SLICE("{\"type\":6}"));
	client_act_later(client);
}

void client_hear(struct client *client, struct slice text)
{
	client->heard = sim_now();
	if (client->state == CLIENT_SHAKING)
		on_handshake(client, text);
	else
		client_on_message(client, text);
}

static void on_message(struct wire *wire, struct slice text)
{
	client_hear(CONTAINER_OF(wire, struct client, wire), text);
}

static void on_end(struct wire *wire)
{
	client_on_lost(CONTAINER_OF(wire, struct client, wire));
}

static const struct wire_ops ops = {
	.on_answer = on_answer,
	.on_message = on_message,
	.on_end = on_end,
};

/* ---- time */

void client_start(struct client *client)
{
	sim_at(&client->retry, sim_now());
	sim_after(&client->second, sim_between(SIM_CLIENTS, 1, SECOND));
}

static void on_retry(struct sim_event *event)
{
	struct client *client = CONTAINER_OF(event, struct client, retry);

	if (client->token[0] != '\0')
		open_transport(client);
	else
		negotiate(client);
}

static void on_act(struct sim_event *event)
{
	struct client *client = CONTAINER_OF(event, struct client, act);

	if (client_is_open(client))
		client_act(client);
	client_act_later(client);
}

static void on_second(struct sim_event *event)
{
	struct client *client = CONTAINER_OF(event, struct client, second);

	sim_after(event, SECOND);
	if (client->state == CLIENT_WAITING || client->wire.is_frozen)
		return;
	if (sim_now() - client->heard > SILENCE_MAX) {
		client_on_lost(client);
		return;
	}
	if (!client_is_open(client))
		return;
	client_put(client, SLICE("{\"type\":6}"));
	client_ack(client);
}
