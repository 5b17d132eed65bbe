/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client without WebSockets: one request waits for messages, another one brings what
 * the client says, each to a gateway at random. As the official clients do, it takes a
 * request that goes wrong for the end of its session.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/base/list.h"
#include "tests/sim/client.h"

#define SEPARATOR '\x1e'
#define PATH_BYTES (CLIENT_TOKEN_BYTES + 8)

static void ask(struct client *client, struct wire *wire, const char *method,
		struct slice body)
{
	struct buf path = BUF_INIT;

	assert(client->token[0] != '\0');
	buf_appendf(&path, "?id=%s", client->token);
	buf_append_byte(&path, '\0');
	client_request(client, wire,
		       &(struct client_request){ method, path.ptr, "", body });
	buf_fini(&path);
}

void client_poll(struct client *client)
{
	ask(client, &client->wire, "GET", SLICE_NONE);
}

/* ---- what it says */

static void post_next(struct client *client)
{
	struct buf body = client->said;

	if (wire_is_open(&client->post) || body.len == 0)
		return;
	buf_init(&client->said);
	ask(client, &client->post, "POST", buf_slice(&body));
	buf_fini(&body);
}

void client_post(struct client *client, struct slice text)
{
	buf_append_slice(&client->said, text);
	buf_append_byte(&client->said, SEPARATOR);
	post_next(client);
}

/* A DELETE goes the same way; nobody cares what becomes of it. */
static void post_over(struct client *client, bool is_fine)
{
	wire_close(&client->post, false);
	if (client->is_deleting)
		client->is_deleting = false;
	else if (!is_fine)
		client_on_lost(client);
	if (client->state == CLIENT_SHAKING || client->state == CLIENT_OPEN)
		post_next(client);
}

static void on_post_answer(struct wire *wire, int status, struct slice body)
{
	struct client *client = CONTAINER_OF(wire, struct client, post);

	(void)body;
	sim_trace("client %u is answered %d to what it said", client->index, status);
	post_over(client, status == 200);
}

static void on_post_end(struct wire *wire)
{
	post_over(CONTAINER_OF(wire, struct client, post), false);
}

static const struct wire_ops post_ops = {
	.on_answer = on_post_answer,
	.on_end = on_post_end,
};

void client_post_init(struct client *client)
{
	wire_init(&client->post, &post_ops);
}

void client_post_close(struct client *client, bool is_proper)
{
	wire_close(&client->post, false);
	buf_clear(&client->said);
	client->is_deleting = is_proper && client->token[0] != '\0';
	if (client->is_deleting)
		ask(client, &client->post, "DELETE", SLICE_NONE);
}

/* ---- what it hears */

static bool is_there(const struct client *client)
{
	return client->state == CLIENT_SHAKING || client->state == CLIENT_OPEN;
}

static void hear(struct client *client, struct slice body)
{
	const unsigned session = client->session;
	const char *at = body.ptr;
	size_t left = body.len;

	while (left > 0 && is_there(client) &&
	       (!client->has_session || client->session == session || at == body.ptr)) {
		const char *end = memchr(at, SEPARATOR, left);

		sim_expect(end != NULL,
			   "client %u: a poll was answered with half a message",
			   client->index);
		client_hear(client, slice_make(at, (size_t)(end - at)));
		left -= (size_t)(end - at) + 1;
		at = end + 1;
	}
}

void client_on_poll(struct client *client, int status, struct slice body)
{
	wire_close(&client->wire, false);
	if (status != 200) {
		client_on_lost(client);
		return;
	}
	if (client->state == CLIENT_OPENING) {
		client->state = CLIENT_SHAKING;
		client_shake(client);
	} else {
		hear(client, body);
	}
	if (is_there(client))
		client_poll(client);
}
