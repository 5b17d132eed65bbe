/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router's link and whoever talks to it: peers that dial, strangers, and another router
 * that it dials. The input is a script of frames, right, wrong or raw, of the things the
 * owner does (send, reset), of pipes that get stuck or end, and of time. Whatever comes:
 * nobody is up without a proof, envelopes are handled once and in order, what is sent
 * goes out in order and without gaps, every ticket is called once.
 */
#include "proto/base/log.h"
#include "tests/fuzz/link_client.h"
#include "tests/unit/gateway/fake_loop.h"

#define CLIENTS 16
#define CROWD 72 /* more than may greet at a time */
#define TICKETS 32
#define STEPS_MAX 400

/* The low half of a step's first byte; the high half chooses the client. */
enum step {
	STEP_OPEN,
	STEP_RAW,
	STEP_HELLO,
	STEP_PROOF,
	STEP_BATCH,
	STEP_TURN,
	STEP_SEND,
	STEP_RESET,
	STEP_STUCK,
	STEP_DRAINED,
	STEP_ENDED,
	STEP_DIALED,
	STEP_CROWD,
	STEP_AGAIN, /* the last frame once more */
	STEPS_N,
};

/* What the link's owner knows of a peer. */
struct known {
	uint64_t handled;
	bool is_up;
};

struct promise {
	struct session_ticket ticket;
	struct link_peer *peer;
	bool is_open;
};

static struct loop loop;
static struct link *link_;
static struct link_stats stats;
static struct client clients[CLIENTS + CROWD];
static struct promise promises[TICKETS];
static size_t ups; /* peers */
static bool has_crowd;
static uint64_t handled_n; /* envelopes */

/* ---- the owner of the link */

static void owner_send(struct link_peer *peer, uint8_t choice);

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct promise *promise = CONTAINER_OF(ticket, struct promise, ticket);

	assert(promise->is_open);
	assert(rc == OK || rc == ERR_OUTCOME || rc == ERR_CLOSED);
	promise->is_open = false;
	if (ticket->seq % 4 == 1)
		owner_send(promise->peer, 0);
	else if (ticket->seq % 16 == 2)
		link_peer_reset(promise->peer);
}

static void owner_send(struct link_peer *peer, uint8_t choice)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;
	Link__Complete complete = LINK__COMPLETE__INIT;
	struct promise *promise = &promises[choice % TICKETS];
	struct session_ticket *ticket = NULL;
	enum err rc;

	if (choice != 0 && !promise->is_open) {
		promise->peer = peer;
		promise->is_open = true;
		session_ticket_init(&promise->ticket, on_ticket);
		ticket = &promise->ticket;
	}
	invoke.call = complete.call = choice;
	complete.frame = link_bytes(KEY);
	rc = choice & 64u ? link_send_invoke(peer, &invoke, ticket)
			  : link_send_complete(peer, &complete, ticket);
	/* Full; or a ticket of a peer that is no more. */
	assert(rc == OK || rc == ERR_LIMIT || rc == ERR_CLOSED);
	if (rc != OK && ticket != NULL)
		promise->is_open = false;
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct known *known = link_peer_owner(peer);
	const struct client *client =
		CONTAINER_OF(peer->stream->pipe, struct client, pipe);

	assert(client->is_proven);
	if (known == NULL) {
		known = MEM_NEW(struct known);
		link_peer_set_owner(peer, known);
	}
	ups += !known->is_up;
	known->is_up = true;
	if (is_new)
		known->handled = 0;
	if (is_new)
		owner_send(peer, 0); /* the replay */
}

static void on_down(struct link_peer *peer)
{
	struct known *known = link_peer_owner(peer);

	assert(known != NULL && known->is_up);
	assert(!link_peer_is_up(peer));
	known->is_up = false;
	ups--;
}

static void on_lost(struct link_peer *peer)
{
	struct known *known = link_peer_owner(peer);

	assert(known != NULL);
	if (link_peer_is_up(peer))
		return; /* as another incarnation */
	mem_free(known);
	link_peer_set_owner(peer, NULL);
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct known *known = link_peer_owner(peer);

	assert(known->is_up && peer->session.handled_seq == known->handled);
	known->handled++;
	handled_n++;
	if (envelope->body_case != LINK__ENVELOPE__BODY_INVOKE)
		return;
	owner_send(peer, (uint8_t)envelope->invoke->call);
	if (envelope->invoke->call == 7)
		link_peer_reset(peer);
}

/* ---- the script */

static struct link_peer *peer_at(size_t i)
{
	struct link_peer *peer = link_peer_next(link_, NULL);

	while (peer != NULL && i-- > 0)
		peer = link_peer_next(link_, peer);
	return peer;
}

/* Of whoever has this client's stream. */
static uint64_t next_seq(const struct client *client)
{
	struct link_peer *peer = NULL;

	while ((peer = link_peer_next(link_, peer)) != NULL) {
		if (peer->stream != NULL && peer->stream->pipe == &client->pipe)
			return peer->session.handled_seq + 1;
	}
	return 1;
}

/* What came before is not handled again. */
static void batch(struct client *client, struct slice *input)
{
	const uint64_t before = handled_n;
	const uint64_t new_n = client_batch(client, next_seq(client), input);

	assert(handled_n - before <= new_n);
}

/* Once: it costs more than all else. */
static void crowd(void)
{
	if (has_crowd)
		return;
	has_crowd = true;
	for (size_t i = CLIENTS; i < CLIENTS + CROWD; i++)
		client_open(&clients[i], link_);
}

static void dialed(struct client *client, uint8_t has_failed)
{
	if (fake_pipes.dial == NULL || client_is_open(client))
		return;
	if (!has_failed)
		client_renew(client, true);
	fake_pipe_dialed(has_failed ? NULL : &client->pipe);
}

static void step(struct slice *input)
{
	const uint8_t head = fuzz_byte(input);
	const size_t i = head >> 4;
	struct client *client = &clients[i];

	switch ((enum step)(head % 16u)) {
	case STEP_OPEN:
		client_open(client, link_);
		break;
	case STEP_RAW:
		client_send(client, fuzz_take(input, fuzz_number(input, 2)));
		break;
	case STEP_HELLO:
		client_hello(client, i, input);
		break;
	case STEP_PROOF:
		client_proof(client, input);
		break;
	case STEP_BATCH:
		batch(client, input);
		break;
	case STEP_TURN:
		fake_loop_turn(&loop, fuzz_byte(input) * 100);
		break;
	case STEP_SEND:
		if (peer_at(i) != NULL)
			owner_send(peer_at(i), fuzz_byte(input));
		break;
	case STEP_RESET:
		if (peer_at(i) != NULL)
			link_peer_reset(peer_at(i));
		break;
	case STEP_STUCK:
		client->pipe.is_stuck = true;
		break;
	case STEP_DRAINED:
		client_drained(client);
		break;
	case STEP_ENDED:
		client_ended(client);
		break;
	case STEP_DIALED:
		dialed(client, fuzz_byte(input) & 1u);
		break;
	case STEP_CROWD:
		crowd();
		break;
	case STEP_AGAIN:
		client_send(client, buf_slice(&client->last));
		break;
	case STEPS_N:
		break;
	}
	assert(link_->greetings_n <= LINK_GREETINGS_MAX);
	assert(link_->peers_n <= LINK_PEERS_MAX);
	assert(stats.peers_up == (int64_t)ups);
}

static void start(void)
{
	static const struct link_ops ops = {
		.on_up = on_up,
		.on_down = on_down,
		.on_lost = on_lost,
		.on_envelope = on_envelope,
	};
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_ROUTER,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY,
		.name = "r1",
		.incarnation = 4711,
		.keys = &SECRETS_OF(KEY),
		.window_bytes_max = 2000,
		.ping_interval_ms = 1000,
		.stream_timeout_ms = 4000,
		.peer_timeout_ms = 9000,
		.ops = &ops,
		.stats = &stats,
	};

	stats = (struct link_stats){ 0 };
	ups = 0;
	has_crowd = false;
	handled_n = 0;
	loop = (struct loop){ .now_ms = 1000000 };
	list_init(&loop.flushes);
	wheel_init(&loop.wheel, loop.now_ms);
	link_ = link_new(&loop, &options);
	link_dial(link_, LINK__ROLE__ROLE_ROUTER, "r2", "fake:");
}

static void stop(void)
{
	struct link_peer *peer = NULL;

	while ((peer = link_peer_next(link_, peer)) != NULL)
		mem_free(link_peer_owner(peer));
	link_free(link_);
	fake_loop_turn(&loop, 0);
	assert(loop.wheel.count == 0 && list_is_empty(&loop.flushes));
	for (size_t i = 0; i < TICKETS; i++)
		assert(!promises[i].is_open);
	for (size_t i = 0; i < CLIENTS + CROWD; i++) {
		assert(!client_is_open(&clients[i]));
		client_fini(&clients[i]);
		clients[i] = (struct client){ .is_dialed = false };
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_LOGFMT, LOG_ERROR, "fuzz");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);

	start();
	for (size_t n = 0; input.len > 0 && n < STEPS_MAX; n++)
		step(&input);
	stop();
	return 0;
}
