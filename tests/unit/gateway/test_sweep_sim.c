/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices against a gateway that has none: whatever is sent to whom, whoever comes, goes,
 * joins or leaves meanwhile, each client gets exactly the bytes that it would have got
 * had every message gone out at once, and what is said to it alone never waits.
 * TEST_SEED repeats a run.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/stateful.h"
#include "gateway/sweep.h"
#include "proto/base/mem.h"
#include "tests/unit/gateway/conn_kit.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define RUNS 150
#define STEPS 400
#define CLIENTS 16
#define GROUPS 3
#define TEXT_MAX 64
#define QUEUE_BYTES 600 /* who does not read is closed above it */

struct client {
	struct wire *wire; /* NULL: away */
	char letter;
	char user; /* 'u', 'v' or '\0', none */
	bool is_msgpack;
	bool is_stateful;
	bool is_loose; /* may be closed as slow, at another time than without slices */
	bool in[GROUPS];
	struct buf due; /* all that it should have got by now */
};

struct sim {
	struct kit kit;
	struct client clients[CLIENTS];
	uint64_t rng;
	unsigned said;
};

static const char *const groups[GROUPS] = { "g0", "g1", "g2" };

static unsigned any(struct sim *sim, unsigned below)
{
	sim->rng ^= sim->rng << 13;
	sim->rng ^= sim->rng >> 7;
	sim->rng ^= sim->rng << 17;
	return (unsigned)((sim->rng >> 11) % below);
}

/* ---- clients */

static struct conn *conn_of(const struct sim *sim, const struct client *client)
{
	struct conn *conn = gateway_conn_find(sim->kit.gateway, kit_id(client->letter));

	return conn != NULL && conn->state == CONN_OPEN ? conn : NULL;
}

static bool is_here(const struct sim *sim, const struct client *client)
{
	return client->wire != NULL && conn_of(sim, client) != NULL;
}

/* Stateful ones are as kit_attach() makes their next transports. */
static void client_open(struct sim *sim, struct client *client)
{
	const struct transport_ops *ops = &wire_ops;
	char user[2] = { "uv"[any(sim, 3)], '\0' };

	*client = (struct client){ .letter = client->letter, .user = user[0] };
	client->is_stateful = any(sim, 4) == 0;
	client->is_msgpack = !client->is_stateful && any(sim, 3) == 0;
	if (!client->is_stateful && !client->is_msgpack && any(sim, 2) == 0)
		ops = &wire_other_ops;
	client->wire = kit_dial_over(&sim->kit, ops, client->letter,
				     user[0] != '\0' ? user : NULL);
	client->wire->conn->may_resume = client->is_stateful;
	if (client->is_msgpack)
		wire_in(client->wire, "{\"protocol\":\"messagepack\",\"version\":1}~");
	else if (client->is_stateful)
		wire_in(client->wire, "{\"protocol\":\"json\",\"version\":2}~");
	else
		wire_in(client->wire, "{\"protocol\":\"json\",\"version\":1}~");
	wire_expect(client->wire, "{}~");
	if (client->is_stateful)
		wire_in(client->wire, "{\"type\":6}~");
}

/* What it got is a start of what it is due, or, `is_whole`, all of it. */
static void client_check(const struct client *client, bool is_whole)
{
	const struct buf *out = &client->wire->out;

	cr_assert(slice_starts_with(buf_slice(&client->due), buf_slice(out)),
		  "%c got '%.*s' instead of '%.*s'", client->letter,
		  SLICE_FMT(buf_slice(out)), SLICE_FMT(buf_slice(&client->due)));
	if (is_whole && !client->is_loose && wire_is_open(client->wire))
		cr_assert_eq(out->len, client->due.len, "%c lacks '%s'", client->letter,
			     client->due.ptr + out->len);
}

static void client_gone(struct client *client)
{
	client->wire = NULL;
	buf_fini(&client->due);
}

/* It is told so, behind all that it is due. */
static void client_told(struct client *client)
{
	struct buf *out = &client->wire->out;

	if (!client->is_loose) {
		cr_assert_gt(out->len, client->due.len, "%c lacks its Close",
			     client->letter);
		out->len = client->due.len;
		client_check(client, false);
	}
	client_gone(client);
}

static void due(struct client *client, const char *text)
{
	buf_append_byte(&client->due, client->is_msgpack ? 'm' : 'j');
	buf_append_str(&client->due, text);
}

/* ---- what routers say */

static Link__Payload *payload(Link__Payload *at, uint32_t protocol, char *frame)
{
	link__payload__init(at);
	at->protocol = protocol;
	at->frame = link_bytes(slice_from_str(frame));
	return at;
}

static void deliver(struct sim *sim, Link__Kind kind, struct slice name, unsigned without,
		    const char *text)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver message = LINK__DELIVER__INIT;
	char frames[2][TEXT_MAX + 1];
	Link__Payload payloads[2];
	Link__Payload *list[2];
	ProtobufCBinaryData ids[CLIENTS];

	(void)snprintf(frames[0], sizeof(frames[0]), "j%s", text);
	(void)snprintf(frames[1], sizeof(frames[1]), "m%s", text);
	list[0] = payload(&payloads[0], HUB_PROTOCOL_JSON, frames[0]);
	list[1] = payload(&payloads[1], HUB_PROTOCOL_MSGPACK, frames[1]);
	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &message;
	message.hub = link_bytes(SLICE("chat"));
	message.kind = kind;
	message.name = link_bytes(name);
	message.payloads = list;
	message.n_payloads = 2;
	message.excluded = ids;
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (without & 1u << i)
			ids[message.n_excluded++] =
				link_bytes(kit_id(sim->clients[i].letter));
	}
	kit_receive(&sim->kit, &envelope);
}

static const char *say(struct sim *sim, char *text)
{
	(void)snprintf(text, TEXT_MAX, "%u%.*s;", ++sim->said, (int)any(sim, 40),
		       "........................................");
	return text;
}

/* ---- steps */

static void step_many(struct sim *sim)
{
	const unsigned to = any(sim, GROUPS + 3);
	unsigned without = any(sim, 3) != 0 ? 0 : 1u << any(sim, CLIENTS);
	char text[TEXT_MAX];

	if (any(sim, 10) == 0)
		without |= any(sim, 1u << CLIENTS);
	say(sim, text);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *client = &sim->clients[i];
		const bool is_for = to < GROUPS	      ? client->in[to]
				    : to < GROUPS + 2 ? client->user == "uv"[to - GROUPS]
						      : true;

		if (is_here(sim, client) && is_for && (without & 1u << i) == 0)
			due(client, text);
	}
	if (to < GROUPS)
		deliver(sim, LINK__KIND__KIND_GROUP, slice_from_str(groups[to]), without,
			text);
	else if (to < GROUPS + 2)
		deliver(sim, LINK__KIND__KIND_USER, slice_make(&"uv"[to - GROUPS], 1),
			without, text);
	else
		deliver(sim, LINK__KIND__KIND_ALL, SLICE_NONE, without, text);
}

/* To one alone: it has all then. */
static void step_one(struct sim *sim, struct client *client)
{
	char text[TEXT_MAX];
	char frame[TEXT_MAX + 1];

	if (!is_here(sim, client))
		return;
	say(sim, text);
	due(client, text);
	if (any(sim, 2) == 0) {
		deliver(sim, LINK__KIND__KIND_CONNECTION, kit_id(client->letter), 0,
			text);
	} else {
		(void)snprintf(frame, sizeof(frame), "%c%s",
			       client->is_msgpack ? 'm' : 'j', text);
		kit_push(&sim->kit, client->letter, frame);
	}
	client_check(client, true);
}

static void step_join(struct sim *sim, struct client *client)
{
	const unsigned group = any(sim, GROUPS);
	const bool is_leave = any(sim, 3) == 0;

	kit_join(&sim->kit, client->letter, groups[group], is_leave, 1);
	if (!is_here(sim, client))
		return;
	if (is_leave)
		client_check(client, true);
	client->in[group] = !is_leave;
}

static void step_end(struct sim *sim, struct client *client)
{
	if (!is_here(sim, client) || !wire_is_open(client->wire))
		return;
	switch (any(sim, 4)) {
	case 0:
		kit_abort(&sim->kit, client->letter, "", false);
		client_told(client);
		break;
	case 1:
		conn_on_end(client->wire->conn, CONN_CLOSE_CLIENT);
		client_told(client);
		break;
	case 2:
		conn_on_end(client->wire->conn, CONN_CLOSE_TRANSPORT);
		client_check(client, false);
		/* What waits for its next transport may get too much. */
		client->is_loose = client->is_stateful &&
				   sim->kit.conf->queue_bytes_max == QUEUE_BYTES;
		if (!client->is_stateful)
			client_gone(client);
		break;
	default:
		client->wire->is_stuck = true;
		client->is_loose = true;
	}
}

/* Nothing was ever acknowledged: all comes again, behind our Sequence. */
static void step_attach(struct sim *sim, struct client *client)
{
	struct buf *out;
	const char *end;

	if (!is_here(sim, client) || wire_is_open(client->wire))
		return;
	cr_assert(client->is_stateful);
	client->wire = kit_attach(&sim->kit, conn_of(sim, client));
	out = &client->wire->out;
	end = memchr(out->ptr, '\x1e', out->len);
	cr_assert_not_null(end);
	buf_consume(out, (size_t)(end + 1 - out->ptr));
}

/* No turn serves more clients than it may. */
static void step_turn(struct sim *sim)
{
	size_t before[CLIENTS] = { 0 };
	int64_t served = 0;

	for (unsigned i = 0; i < CLIENTS; i++) {
		if (sim->clients[i].wire != NULL)
			before[i] = sim->clients[i].wire->out.len;
	}
	kit_turn(&sim->kit);
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (sim->clients[i].wire != NULL)
			served += sim->clients[i].wire->out.len > before[i];
	}
	cr_assert_leq(served, sim->kit.conf->sweep_slice);
}

static void step_rest(struct sim *sim)
{
	for (int i = 0; sim->kit.gateway->sweeps.active_n > 0; i++) {
		cr_assert_lt(i, 10000, "there is no end to it");
		kit_turn(&sim->kit);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (is_here(sim, &sim->clients[i]))
			client_check(&sim->clients[i], true);
	}
	cr_assert_eq(sim->kit.metrics->sweep_bytes, 0);
}

static void step_check(struct sim *sim)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *client = &sim->clients[i];

		if (client->wire == NULL)
			continue;
		client_check(client, false);
		if (is_here(sim, client))
			continue;
		cr_assert(client->is_loose, "%c was closed", client->letter);
		client_gone(client);
	}
	kit_settle(&sim->kit);
}

static void step(struct sim *sim)
{
	struct client *client = &sim->clients[any(sim, CLIENTS)];
	const unsigned what = any(sim, 100);

	if (what < 12 && client->wire == NULL)
		client_open(sim, client);
	else if (what < 40)
		step_many(sim);
	else if (what < 50)
		step_one(sim, client);
	else if (what < 70)
		step_join(sim, client);
	else if (what < 74)
		step_end(sim, client);
	else if (what < 78)
		step_attach(sim, client);
	else if (what < 99)
		step_turn(sim);
	else
		step_rest(sim);
	step_check(sim);
}

static void run(uint64_t seed)
{
	static const int64_t bytes[] = { 500, 3000, 100000 };
	struct sim sim = { .rng = seed * 2654435761u + 1 };

	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", seed);
	kit_init(&sim.kit);
	sim.kit.conf->sweep_slice = 1 + any(&sim, 6);
	sim.kit.conf->sweep_messages_max = 1 + any(&sim, 12);
	sim.kit.conf->sweep_bytes_max = bytes[any(&sim, 3)];
	sim.kit.conf->queue_bytes_max = any(&sim, 2) != 0 ? QUEUE_BYTES : 1 << 20;
	sim.kit.conf->stateful_buffer_bytes_max = 1 << 20;
	sim.kit.conf->reattach_per_minute_max = STEPS;
	kit_start(&sim.kit);
	/* The number of arrivals goes round under way. */
	sim.kit.gateway->sweeps.arrivals = UINT32_MAX - any(&sim, STEPS / 4);
	for (unsigned i = 0; i < CLIENTS; i++)
		sim.clients[i].letter = (char)('A' + i);
	for (int i = 0; i < STEPS; i++)
		step(&sim);
	if (any(&sim, 2) == 0)
		step_rest(&sim);
	for (unsigned i = 0; i < CLIENTS; i++)
		buf_fini(&sim.clients[i].due);
	kit_stop(&sim.kit);
}

Test(sweep_sim, nobody_can_tell_the_slices)
{
	const char *given = getenv("TEST_SEED");
	const uint64_t seed =
		given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	for (unsigned i = 0; i < (given != NULL ? 1 : RUNS); i++)
		run(seed + i);
}
