/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub protocol of a client, and what stateful reconnect keeps and counts.
 */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/client.h"

enum type {
	TYPE_INVOCATION = 1,
	TYPE_COMPLETION = 3,
	TYPE_CANCEL = 5,
	TYPE_PING = 6,
	TYPE_CLOSE = 7,
	TYPE_ACK = 8,
	TYPE_SEQUENCE = 9,
};

void client_put(struct client *client, struct slice text)
{
	if (client->is_polling)
		client_post(client, text);
	else
		wire_send_message(&client->wire, text);
}

void client_shake(struct client *client)
{
	client_put(client, client->is_stateful
				   ? SLICE("{\"protocol\":\"json\",\"version\":2}")
				   : SLICE("{\"protocol\":\"json\",\"version\":1}"));
}

static void say_number(struct client *client, enum type type, uint64_t number)
{
	struct buf text = BUF_INIT;

	buf_appendf(&text, "{\"type\":%d,\"sequenceId\":%" PRIu64 "}", type, number);
	wire_send_message(&client->wire, buf_slice(&text));
	buf_fini(&text);
}

/* ---- out */

bool client_may_say(const struct client *client)
{
	return client->sent_last - client->sent_first + 1 < CLIENT_SENT_MAX;
}

void client_say(struct client *client, struct slice text)
{
	struct buf *kept;

	if (client->is_stateful) {
		assert(client_may_say(client));
		kept = &client->sent[++client->sent_last % CLIENT_SENT_MAX];
		buf_clear(kept);
		buf_append_slice(kept, text);
	}
	/* The socket may be on its way: it is said again then. */
	if (client->state == CLIENT_OPEN)
		client_put(client, text);
}

void client_ack(struct client *client)
{
	if (!client->is_stateful || client->acked == client->got || client->is_resuming)
		return;
	client->acked = client->got;
	say_number(client, TYPE_ACK, client->acked);
}

void client_resume(struct client *client)
{
	client->is_resuming = true;
	say_number(client, TYPE_SEQUENCE, client->sent_first);
	for (uint64_t n = client->sent_first; n <= client->sent_last; n++)
		wire_send_message(&client->wire,
				  buf_slice(&client->sent[n % CLIENT_SENT_MAX]));
}

void client_hub_reset(struct client *client)
{
	client->sent_first = 1;
	client->sent_last = 0;
	client->got = 0;
	client->got_at = 0;
	client->acked = 0;
	client->is_resuming = false;
}

/* ---- in */

static uint64_t number_of(const json_t *message)
{
	return (uint64_t)json_integer_value(json_object_get(message, "sequenceId"));
}

static void on_ack(struct client *client, uint64_t number)
{
	sim_expect(number <= client->sent_last, "client %u: an Ack of what was not sent",
		   client->index);
	if (number >= client->sent_first)
		client->sent_first = number + 1;
}

static void on_sequence(struct client *client, uint64_t number)
{
	sim_expect(number <= client->got + 1 && number > 0,
		   "client %u: a Sequence %" PRIu64 " behind %" PRIu64
		   " messages leaves a hole",
		   client->index, number, client->got);
	client->is_resuming = false;
	client->got_at = number - 1;
}

/* Whether it is to be handled. */
static bool is_new(struct client *client, enum type type)
{
	if (!client->is_stateful || type > TYPE_CANCEL)
		return true;
	sim_expect(!client->is_resuming,
		   "client %u: a message of type %d before the Sequence", client->index,
		   (int)type);
	if (++client->got_at <= client->got)
		return false;
	client->got = client->got_at;
	return true;
}

static void on_invocation(struct client *client, const json_t *message)
{
	const json_t *arguments = json_object_get(message, "arguments");

	history_received(client->session,
			 (unsigned)json_integer_value(json_array_get(arguments, 0)));
}

static void on_completion(struct client *client, const json_t *message)
{
	const char *id = json_string_value(json_object_get(message, "invocationId"));

	sim_expect(id != NULL, "client %u: a completion of nothing", client->index);
	client_on_completion(client, (unsigned)strtoul(id, NULL, 10),
			     json_object_get(message, "error") != NULL);
}

static void handle(struct client *client, enum type type, const json_t *message)
{
	switch (type) {
	case TYPE_INVOCATION:
		on_invocation(client, message);
		break;
	case TYPE_COMPLETION:
		on_completion(client, message);
		break;
	case TYPE_CLOSE:
		client_on_close(client);
		break;
	case TYPE_ACK:
		on_ack(client, number_of(message));
		break;
	case TYPE_SEQUENCE:
		on_sequence(client, number_of(message));
		break;
	case TYPE_PING:
		break;
	case TYPE_CANCEL:
	default:
		sim_fail("client %u: a message of type %d", client->index, (int)type);
	}
}

void client_on_message(struct client *client, struct slice text)
{
	json_t *message = json_loadb(text.ptr, text.len, 0, NULL);
	enum type type;

	if (sim_is_verbose())
		sim_trace("client %u reads %.*s", client->index, SLICE_FMT(text));

	sim_expect(message != NULL, "client %u: a message that is no JSON: %.*s",
		   client->index, SLICE_FMT(text));
	type = (enum type)json_integer_value(json_object_get(message, "type"));
	/* The gateway has forgotten the session, and takes this for a handshake. */
	if (client->is_resuming && json_object_get(message, "type") == NULL)
		client_on_close(client);
	else if (is_new(client, type))
		handle(client, type, message);
	json_decref(message);
}
