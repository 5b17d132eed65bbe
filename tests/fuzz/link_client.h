/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other ends of the pipes of a link: greet by the protocol, check what comes, and
 * send what the input says. Definitions: for the one source of a target.
 */
#ifndef TESTS_FUZZ_LINK_CLIENT_H
#define TESTS_FUZZ_LINK_CLIENT_H

#include <string.h>

#include "proto/base/crypto.h"
#include "proto/link/batch.h"
#include "proto/link/link_private.h"
#include "tests/fuzz/fake_pipe.h"
#include "tests/fuzz/fuzz.h"

#define KEY SLICE("0123456789abcdef0123456789abcdef")

/* Somebody at the other end of a pipe. */
struct client {
	struct pipe pipe;
	bool is_dialed; /* by the link, so our hello is the second */
	bool is_proven; /* our proof was sent, and right */
	struct buf hello;
	struct buf hello_theirs;
	struct buf last;    /* frame of ours */
	uint64_t told;	    /* the session their hello named */
	uint64_t said;	    /* ... and ours */
	uint64_t session;   /* the one agreed on by the last greeting */
	uint64_t next_seq;  /* of theirs on this stream; 0: none came */
	uint64_t heard_seq; /* of theirs, in this session */
	uint64_t acked_seq; /* the most that we told to have of it */
};

static bool client_is_open(const struct client *client)
{
	return client->pipe.owner != NULL;
}

static void client_mac(const struct client *client, char purpose,
		       uint8_t mac[CRYPTO_SHA256_BYTES])
{
	const struct buf *first =
		client->is_dialed ? &client->hello_theirs : &client->hello;
	const struct buf *second =
		client->is_dialed ? &client->hello : &client->hello_theirs;
	struct buf text = BUF_INIT;

	buf_appendf(&text, "%cheliograph link 1%zu:", purpose, first->len);
	buf_append_slice(&text, buf_slice(first));
	buf_append_slice(&text, buf_slice(second));
	crypto_hmac_sha256(KEY, buf_slice(&text), mac);
	buf_fini(&text);
}

static void client_on_batch(struct client *client, const Link__Batch *batch)
{
	assert(client->is_proven);
	if (batch->n_envelopes == 0)
		return;
	/* Nothing is left out: not on a stream, nor from one to the next. */
	if (client->next_seq != 0)
		assert(batch->first_seq == client->next_seq);
	else
		assert(batch->first_seq <= client->acked_seq + 1);
	client->next_seq = batch->first_seq + batch->n_envelopes;
	if (client->next_seq - 1 > client->heard_seq)
		client->heard_seq = client->next_seq - 1;
}

static void fake_pipe_on_send(struct pipe *pipe, struct slice bytes)
{
	struct client *client = CONTAINER_OF(pipe, struct client, pipe);
	uint8_t mac[CRYPTO_SHA256_BYTES];
	Link__Frame *frame = link__frame__unpack(
		NULL, bytes.len, (const uint8_t *)(const void *)bytes.ptr);

	assert(frame != NULL);
	switch (frame->body_case) {
	case LINK__FRAME__BODY_HELLO:
		buf_append_slice(&client->hello_theirs, bytes);
		client->told = frame->hello->session;
		break;
	case LINK__FRAME__BODY_PROOF:
		client_mac(client, client->is_dialed ? 'd' : 'l', mac);
		assert(slice_equal(link_slice(frame->proof->mac),
				   slice_make((const char *)mac, sizeof(mac))));
		break;
	case LINK__FRAME__BODY_BATCH:
		client_on_batch(client, frame->batch);
		break;
	case LINK__FRAME__BODY__NOT_SET:
	default:
		assert(false);
	}
	link__frame__free_unpacked(frame, NULL);
}

/* As pipe.c does it: a frame that is too long ends the pipe. */
static void client_send(struct client *client, struct slice frame)
{
	struct pipe_owner *owner = client->pipe.owner;

	if (owner == NULL)
		return;
	if (frame.len <= client->pipe.frame_max) {
		owner->ops->on_frame(owner, &client->pipe, frame);
	} else {
		owner->ops->on_closed(owner, &client->pipe, ERR_LIMIT);
		client->pipe.owner = NULL;
	}
}

static void client_send_frame(struct client *client, const Link__Frame *frame)
{
	const size_t len = link__frame__get_packed_size(frame);

	buf_clear(&client->last);
	link__frame__pack(frame, (uint8_t *)(void *)buf_reserve(&client->last, len));
	client->last.len = len;
	if (frame->body_case == LINK__FRAME__BODY_HELLO && client->hello.len == 0)
		buf_append_slice(&client->hello, buf_slice(&client->last));
	client_send(client, buf_slice(&client->last));
}

static void client_fini(struct client *client)
{
	buf_fini(&client->hello);
	buf_fini(&client->hello_theirs);
	buf_fini(&client->last);
}

/* What it remembers of its last stream stays. */
static void client_renew(struct client *client, bool is_dialed)
{
	const struct client old = *client;

	client_fini(client);
	*client = (struct client){
		.pipe = { .frame_max = PIPE_FRAME_BYTES_MAX },
		.is_dialed = is_dialed,
		.session = old.session,
		.heard_seq = old.heard_seq,
		.acked_seq = old.acked_seq,
	};
}

static void client_open(struct client *client, struct link *link)
{
	if (client_is_open(client))
		return;
	client_renew(client, false);
	link->acceptor.fn(&link->acceptor, &client->pipe);
}

/* Right or wrong; numbers below 0 wrap and are wrong. */
static void client_acked(struct client *client, uint64_t seq)
{
	if (seq > client->acked_seq && seq <= client->heard_seq + INT8_MAX)
		client->acked_seq = seq;
}

static void client_hello(struct client *client, size_t i, struct slice *input)
{
	const uint8_t choice = fuzz_byte(input);
	const char name[2] = { 'g', (char)('a' + (choice & 1u)) };
	Link__Hello hello = LINK__HELLO__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	hello.version = choice & 2u ? fuzz_byte(input) : LINK_VERSION;
	if (choice & 2u)
		hello.version_max = hello.version / 2;
	hello.role =
		client->is_dialed ? LINK__ROLE__ROLE_ROUTER : LINK__ROLE__ROLE_GATEWAY;
	hello.name = client->is_dialed ? link_bytes(SLICE("r2"))
				       : link_bytes(slice_make(name, 2));
	if (choice & 4u)
		hello.name = link_bytes(fuzz_take(input, fuzz_byte(input)));
	hello.incarnation = choice & 8u ? fuzz_byte(input) : 1 + i;
	hello.nonce = link_bytes(SLICE("12345678901234567890123456789012"));
	if (choice & 16u) {
		hello.session = choice & 32u ? fuzz_number(input, 8) : client->session;
		hello.handled_seq =
			client->heard_seq + (uint64_t)(int8_t)fuzz_byte(input);
		client_acked(client, hello.handled_seq);
	}
	client->said = hello.session;
	frame.body_case = LINK__FRAME__BODY_HELLO;
	frame.hello = &hello;
	client_send_frame(client, &frame);
}

static void client_proof(struct client *client, struct slice *input)
{
	const uint8_t change = fuzz_byte(input);
	const bool is_first = !client->is_proven;
	uint8_t mac[CRYPTO_SHA256_BYTES];
	Link__Proof proof = LINK__PROOF__INIT;
	Link__Frame frame = LINK__FRAME__INIT;
	uint64_t number = 0;

	if (client->hello.len == 0 || client->hello_theirs.len == 0)
		return;
	client_mac(client, 's', mac);
	for (size_t i = 0; i < 8; i++)
		number |= (uint64_t)mac[i] << (8 * i);
	client_mac(client, client->is_dialed ? 'l' : 'd', mac);
	if (change != 0)
		mac[change % sizeof(mac)] ^= change;
	client->is_proven |= change == 0;
	if (is_first && client->is_proven &&
	    (client->told == 0 || client->said != client->told)) {
		client->session = number;
		client->heard_seq = 0;
		client->acked_seq = 0;
	}
	proof.mac = (ProtobufCBinaryData){ sizeof(mac), mac };
	frame.body_case = LINK__FRAME__BODY_PROOF;
	frame.proof = &proof;
	client_send_frame(client, &frame);
}

/* Envelopes are raw; numbers, of which `next` is the right one, are right or beside.
 * Returns how many envelopes are new. */
static uint64_t client_batch(struct client *client, uint64_t next, struct slice *input)
{
	const uint64_t first_seq = next + (uint64_t)(int8_t)fuzz_byte(input);
	const uint64_t ack_seq = client->heard_seq + (uint64_t)(int8_t)fuzz_byte(input);
	const uint64_t end_seq = first_seq + (fuzz_byte(input) & 7u);
	struct buf records = BUF_INIT;
	char head[BATCH_HEAD_BYTES_MAX];

	client_acked(client, ack_seq);
	for (uint64_t seq = first_seq; seq != end_seq; seq++) {
		const struct slice envelope = fuzz_take(input, fuzz_byte(input));

		/* Its tag, and its length, which is below 256. */
		buf_append_byte(&records, '\x1a');
		if (envelope.len >= 0x80)
			buf_append_byte(&records, (char)(uint8_t)(envelope.len | 0x80));
		buf_append_byte(&records,
				(char)(envelope.len >= 0x80 ? 1 : envelope.len));
		buf_append_slice(&records, envelope);
	}
	buf_clear(&client->last);
	buf_append(&client->last, head,
		   batch_frame_head(head, first_seq, ack_seq, end_seq, records.len));
	buf_append_slice(&client->last, buf_slice(&records));
	buf_fini(&records);
	client_send(client, buf_slice(&client->last));
	return first_seq > 0 && first_seq <= next && end_seq > next ? end_seq - next : 0;
}

static void client_ended(struct client *client)
{
	struct pipe_owner *owner = client->pipe.owner;

	if (owner == NULL)
		return;
	owner->ops->on_closed(owner, &client->pipe, ERR_CLOSED);
	client->pipe.owner = NULL;
}

static void client_drained(struct client *client)
{
	struct pipe_owner *owner = client->pipe.owner;

	client->pipe.is_stuck = false;
	if (owner == NULL || !client->pipe.wants_drained)
		return;
	client->pipe.wants_drained = false;
	owner->ops->on_drained(owner, &client->pipe);
}

#endif
