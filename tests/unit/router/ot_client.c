/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/ot_client.h"

#include <criterion/criterion.h>

void ot_server_init(struct ot_server *server, struct slice text)
{
	server->version = 0;
	server->transforms = 0;
	server->cut = 0;
	server->retained = 0;
	server->text = (struct ot_text){ .units = server->units, .room = OT_TEXT_ROOM };
	cr_assert_eq(ot_text_append(&server->text, text), OK);
}

void ot_client_init(struct ot_client *client, size_t number, struct slice user,
		    const struct ot_server *server)
{
	client->number = number;
	client->user = user;
	client->version = server->version;
	client->queue_n = 0;
	client->is_waiting = false;
	client->is_in_transit = false;
	memcpy(client->units, server->units, server->text.n * sizeof(*server->units));
	client->text = (struct ot_text){
		.units = client->units,
		.n = server->text.n,
		.room = OT_TEXT_ROOM,
	};
}

void ot_client_edit(struct ot_client *client, const struct ot_op *op)
{
	cr_assert_lt(client->queue_n, (size_t)OT_QUEUE_MAX);
	cr_assert_eq(ot_text_apply(&client->text, op), OK);
	client->queue[client->queue_n++] = *op;
}

static void queue_insert(struct ot_client *client, size_t at, const struct ot_op *op)
{
	cr_assert_lt(client->queue_n, (size_t)OT_QUEUE_MAX);
	memmove(&client->queue[at + 1], &client->queue[at],
		(client->queue_n - at) * sizeof(*op));
	client->queue[at] = *op;
	client->queue_n++;
}

static void queue_shift(struct ot_client *client)
{
	client->queue_n--;
	memmove(&client->queue[0], &client->queue[1],
		client->queue_n * sizeof(client->queue[0]));
}

bool ot_client_send(struct ot_client *client)
{
	struct ot_op first;

	if (client->is_waiting || client->queue_n == 0)
		return false;
	/* On the wire an operation has one range. */
	if (ot_cut(&client->queue[0], &first))
		queue_insert(client, 0, &first);
	client->is_waiting = true;
	client->is_in_transit = true;
	client->sent = client->queue[0];
	client->sent_base = client->version;
	return true;
}

static void server_append(struct ot_server *server, const struct ot_op *op, size_t author)
{
	cr_assert_lt(server->version, (size_t)OT_LOG_MAX);
	cr_assert_leq(op->ranges_n, 1);
	cr_assert_eq(ot_text_apply(&server->text, op), OK);
	server->log[server->version++] = (struct ot_entry){ *op, author };
	server->retained += op->type == OT_RETAIN;
}

bool ot_server_take(struct ot_server *server, struct ot_client *client)
{
	struct ot_op op = client->sent;
	struct ot_op first;

	if (!client->is_in_transit)
		return false;
	client->is_in_transit = false;
	for (size_t v = client->sent_base; v < server->version; v++) {
		cr_assert_eq(ot_transform(&op, &server->log[v].op, true), OK);
		server->transforms++;
	}
	server->cut += op.ranges_n > 1;
	while (ot_cut(&op, &first))
		server_append(server, &first, client->number);
	server_append(server, &op, client->number);
	return true;
}

/* It is the client's own: what it has under way, as the server has it, too. */
static void take_own(struct ot_client *client, const struct ot_op *op)
{
	struct ot_op first;
	bool is_cut;

	cr_assert(client->is_waiting && !client->is_in_transit);
	is_cut = ot_cut(&client->queue[0], &first);
	if (!is_cut)
		first = client->queue[0];
	cr_assert_eq(first.type, op->type);
	cr_assert_eq(first.position, op->position);
	cr_assert_eq(first.ranges[0].start, op->ranges[0].start);
	cr_assert_eq(first.ranges[0].length, op->ranges[0].length);
	if (!is_cut) {
		queue_shift(client);
		client->is_waiting = false;
	}
}

bool ot_client_receive(struct ot_client *client, struct ot_server *server)
{
	const struct ot_entry *entry = &server->log[client->version];
	struct ot_op op;

	if (client->version == server->version)
		return false;
	client->version++;
	op = entry->op;
	if (entry->author == client->number) {
		take_own(client, &op);
		return true;
	}
	for (size_t i = 0; i < client->queue_n; i++) {
		const struct ot_op mine = client->queue[i];

		cr_assert_eq(ot_transform(&client->queue[i], &op, true), OK);
		cr_assert_eq(ot_transform(&op, &mine, false), OK);
		server->transforms += 2;
	}
	cr_assert_eq(ot_text_apply(&client->text, &op), OK);
	return true;
}
