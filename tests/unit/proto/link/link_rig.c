/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rig of the link tests: see link_rig.h.
 */
#include "tests/unit/proto/link/link_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "proto/link/link_private.h"

struct rig rig;

void rig_init(void)
{
	snprintf(rig.dir, sizeof(rig.dir), "/tmp/link.XXXXXX");
	cr_assert_not_null(mkdtemp(rig.dir));
	snprintf(rig.url, sizeof(rig.url), "ipc://%s/sock", rig.dir);
	rig.loop = loop_new();
	rig.pipes = pipe_set_new(rig.loop);
}

void rig_fini(void)
{
	pipe_set_free(rig.pipes);
	loop_free(rig.loop);
	cr_expect_eq(rmdir(rig.dir), 0, "the socket file is left");
}

void rig_idle(int64_t ms)
{
	const int64_t end_us = loop_clock_us() + ms * 1000;

	while (loop_clock_us() < end_us)
		loop_turn(rig.loop, 5);
}

/* ---- nodes */

static struct node *node_of(const struct link_peer *peer)
{
	return link_owner(link_peer_link(peer));
}

enum err node_send(struct node *node, uint64_t call, bool is_kept,
		   struct session_ticket *ticket)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;
	Link__Complete complete = LINK__COMPLETE__INIT;

	invoke.call = call;
	complete.call = call;
	return is_kept ? link_send_invoke(node->peer, &invoke, ticket)
		       : link_send_complete(node->peer, &complete, ticket);
}

static void on_up(struct link_peer *peer, bool is_new)
{
	struct node *node = node_of(peer);

	cr_assert(link_peer_is_up(peer));
	node->peer = peer;
	node->ups++;
	node->news += is_new;
	for (unsigned i = 0; is_new && i < node->replay_n; i++)
		cr_assert_eq(node_send(node, REPLAY + i, SESSION_DROP, NULL), OK);
}

static void on_down(struct link_peer *peer)
{
	cr_assert_not(link_peer_is_up(peer));
	node_of(peer)->downs++;
}

static void on_lost(struct link_peer *peer)
{
	node_of(peer)->losts++;
}

static void on_room(struct link_peer *peer)
{
	cr_assert_not(link_peer_is_crowded(peer));
	node_of(peer)->rooms++;
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct node *node = node_of(peer);
	uint64_t call = 0;

	if (envelope->body_case == LINK__ENVELOPE__BODY_INVOKE)
		call = envelope->invoke->call;
	else if (envelope->body_case == LINK__ENVELOPE__BODY_COMPLETE)
		call = envelope->complete->call;
	if (node->calls_n == node->calls_cap) {
		node->calls_cap = node->calls_cap * 2 + 64;
		node->calls =
			mem_realloc(node->calls, node->calls_cap * sizeof(*node->calls));
	}
	node->calls[node->calls_n++] = call;
	if (node->is_echo) {
		node->peer = peer;
		cr_assert_eq(node_send(node, call, SESSION_DROP, NULL), OK);
	}
	if (node->reset_at != 0 && call == node->reset_at)
		link_peer_reset(peer);
}

void node_init(struct node *node, Link__Role role, const char *name)
{
	static const struct link_ops ops = { .on_up = on_up,
					     .on_down = on_down,
					     .on_lost = on_lost,
					     .on_room = on_room,
					     .on_envelope = on_envelope };

	*node = (struct node){ .keys = SECRETS_OF(SLICE(KEY)) };
	node->options = (struct link_options){
		.role = role,
		.accepts = 1u << GATEWAY,
		.name = name,
		.keys = &node->keys,
		.window_bytes_max = 16 << 20,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 10000,
		.peer_timeout_ms = 10000,
		.ops = &ops,
		.owner = node,
		.stats = &node->stats,
	};
}

void node_open(struct node *node, struct loop *loop)
{
	node->options.incarnation = crypto_random_uint64() | 1;
	node->link = link_new(loop, &node->options);
}

void node_close(struct node *node)
{
	link_free(node->link);
	mem_free(node->calls);
	node->link = NULL;
	node->peer = NULL;
	node->calls = NULL;
	node->calls_n = node->calls_cap = 0;
	node->ups = node->news = node->downs = node->losts = node->rooms = 0;
	node->stats = (struct link_stats){ 0 };
}

void node_break(struct node *node)
{
	if (node->peer == NULL || node->peer->stream == NULL)
		return;
	link_stream_close(node->peer->stream);
	link_peer_down(node->peer);
}

void rig_connect(struct node *dialer, struct node *listener)
{
	if (listener->link == NULL)
		node_open(listener, rig.loop);
	cr_assert_eq(link_listen(listener->link, rig.url), OK);
	if (dialer->link == NULL)
		node_open(dialer, rig.loop);
	link_dial(dialer->link, listener->options.role, listener->options.name, rig.url);
	WAIT(dialer->ups == 1 && listener->ups == 1);
}

/* ---- raw peers */

static void raw_mac(const struct raw *raw, char purpose, uint8_t mac[CRYPTO_SHA256_BYTES])
{
	struct buf text = BUF_INIT;

	buf_appendf(&text, "%cheliograph link 1%zu:", purpose, raw->hello.len);
	buf_append_slice(&text, buf_slice(&raw->hello));
	buf_append_slice(&text, buf_slice(&raw->hello_theirs));
	crypto_hmac_sha256(slice_from_str(raw->key), buf_slice(&text), mac);
	buf_fini(&text);
}

static void raw_on_frame(struct pipe_owner *owner, struct pipe *pipe, struct slice bytes)
{
	struct raw *raw = CONTAINER_OF(owner, struct raw, owner);
	Link__Frame *frame =
		link__frame__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
	uint8_t mac[CRYPTO_SHA256_BYTES];

	cr_assert_eq(pipe, raw->pipe);
	cr_assert_not_null(frame);
	if (frame->body_case == LINK__FRAME__BODY_HELLO) {
		buf_append_slice(&raw->hello_theirs, bytes);
		raw->told = frame->hello->session;
	} else if (frame->body_case == LINK__FRAME__BODY_PROOF) {
		raw_mac(raw, 'l', mac);
		raw->has_proof = slice_equal(link_slice(frame->proof->mac),
					     slice_make((char *)mac, sizeof(mac)));
	} else {
		raw->acked_seq = frame->batch->ack_seq;
		raw->envelopes += frame->batch->n_envelopes;
	}
	link__frame__free_unpacked(frame, NULL);
}

static void raw_on_closed(struct pipe_owner *owner, struct pipe *pipe, enum err rc)
{
	struct raw *raw = CONTAINER_OF(owner, struct raw, owner);

	cr_assert_eq(pipe, raw->pipe);
	cr_assert_neq(rc, OK);
	raw->is_closed = true;
	raw->pipe = NULL;
}

static void raw_on_dialed(struct pipe_dial *dial, struct pipe *pipe, enum err rc)
{
	struct raw *raw = CONTAINER_OF(dial, struct raw, dial);

	cr_assert_eq(rc, OK);
	raw->pipe = pipe;
	raw->is_connected = true;
	pipe_set_owner(pipe, &raw->owner);
}

void raw_open(struct raw *raw, const char *name)
{
	static const struct pipe_ops ops = { raw_on_frame, NULL, raw_on_closed };

	*raw = (struct raw){
		.owner = { .ops = &ops },
		.name = name,
		.key = KEY,
		.incarnation = 4711,
		.version = 1,
		.role = GATEWAY,
	};
	pipe_dial_init(&raw->dial, raw_on_dialed);
	pipe_dial_start(rig.pipes, rig.url, &raw->dial);
	WAIT(raw->is_connected);
}

void raw_close(struct raw *raw)
{
	if (raw->pipe != NULL)
		pipe_close(raw->pipe);
	raw->pipe = NULL;
	buf_fini(&raw->hello);
	buf_fini(&raw->hello_theirs);
}

void raw_send(struct raw *raw, struct slice frame)
{
	if (raw->pipe != NULL)
		cr_assert_eq(pipe_send(raw->pipe, &frame, 1), OK);
}

static void raw_send_frame(struct raw *raw, const Link__Frame *frame, struct buf *bytes)
{
	const size_t len = link__frame__get_packed_size(frame);

	buf_clear(bytes);
	link__frame__pack(frame, (uint8_t *)buf_reserve(bytes, len));
	bytes->len = len;
	raw_send(raw, buf_slice(bytes));
}

void raw_send_hello(struct raw *raw)
{
	Link__Hello hello = LINK__HELLO__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	hello.version = raw->version;
	hello.version_max = raw->version_max;
	hello.role = raw->role;
	hello.name = link_bytes(slice_from_str(raw->name));
	hello.incarnation = raw->incarnation;
	hello.nonce = link_bytes(SLICE("12345678901234567890123456789012"));
	hello.session = raw->session;
	hello.handled_seq = raw->handled_seq;
	frame.body_case = LINK__FRAME__BODY_HELLO;
	frame.hello = &hello;
	raw_send_frame(raw, &frame, &raw->hello);
}

void raw_send_proof(struct raw *raw)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	Link__Proof proof = LINK__PROOF__INIT;
	Link__Frame frame = LINK__FRAME__INIT;
	struct buf bytes = BUF_INIT;

	raw_mac(raw, 'd', mac);
	proof.mac = (ProtobufCBinaryData){ sizeof(mac), mac };
	frame.body_case = LINK__FRAME__BODY_PROOF;
	frame.proof = &proof;
	raw_send_frame(raw, &frame, &bytes);
	buf_fini(&bytes);
}

void raw_send_batch(struct raw *raw, uint64_t first_seq, unsigned n, uint64_t ack_seq)
{
	enum { N_MAX = 100 };
	Link__Invoke invokes[N_MAX];
	Link__Envelope envelopes[N_MAX];
	Link__Envelope *pointers[N_MAX];
	Link__Batch batch = LINK__BATCH__INIT;
	Link__Frame frame = LINK__FRAME__INIT;
	struct buf bytes = BUF_INIT;

	cr_assert_leq(n, N_MAX);
	for (unsigned i = 0; i < n; i++) {
		link__invoke__init(&invokes[i]);
		link__envelope__init(&envelopes[i]);
		invokes[i].call = first_seq + i;
		envelopes[i].body_case = LINK__ENVELOPE__BODY_INVOKE;
		envelopes[i].invoke = &invokes[i];
		pointers[i] = &envelopes[i];
	}
	batch.first_seq = first_seq;
	batch.ack_seq = ack_seq;
	batch.n_envelopes = n;
	batch.envelopes = pointers;
	frame.body_case = LINK__FRAME__BODY_BATCH;
	frame.batch = &batch;
	raw_send_frame(raw, &frame, &bytes);
	buf_fini(&bytes);
}

void raw_greet(struct raw *raw)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	uint64_t number = 0;

	raw_send_hello(raw);
	WAIT(raw->has_proof);
	raw_send_proof(raw);
	if (raw->session != 0 && raw->session == raw->told)
		return;
	raw_mac(raw, 's', mac);
	for (unsigned i = 0; i < 8; i++)
		number |= (uint64_t)mac[i] << (8 * i);
	raw->session = number;
}
