/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random and mutated frames against a link, from a stranger and from a peer that proved
 * the key, while another peer works on undisturbed. Meant for the sanitizers. TEST_SEED
 * repeats a run.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

TestSuite(link_fuzz, .init = rig_init, .fini = rig_fini, .timeout = 100);

#define FRAMES 2500u
#define FRAME_BYTES_MAX 3000u

static struct node a;
static struct node b;
static uint64_t rng;

static size_t random_below(size_t limit)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (size_t)(rng >> 8) % limit;
}

static void append_packed(struct buf *out, const Link__Frame *frame)
{
	const size_t len = link__frame__get_packed_size(frame);

	link__frame__pack(frame, (uint8_t *)buf_reserve(out, len));
	out->len += len;
}

static void append_hello(struct buf *out, const struct raw *raw)
{
	Link__Hello hello = LINK__HELLO__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	hello.version = 1;
	hello.role = raw->role;
	hello.name = link_bytes(slice_from_str(raw->name));
	hello.incarnation = raw->incarnation;
	hello.nonce = link_bytes(SLICE("12345678901234567890123456789012"));
	frame.body_case = LINK__FRAME__BODY_HELLO;
	frame.hello = &hello;
	append_packed(out, &frame);
}

/* The next in sequence, with messages that have lists and messages inside. */
static void append_batch(struct buf *out, uint64_t first_seq)
{
	ProtobufCBinaryData names[2] = { link_bytes(SLICE("one")),
					 link_bytes(SLICE("another")) };
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;
	Link__Member member = LINK__MEMBER__INIT;
	Link__Member *member_list[2] = { &member, &member };
	Link__Members members = LINK__MEMBERS__INIT;
	Link__Envelope envelopes[2] = { LINK__ENVELOPE__INIT, LINK__ENVELOPE__INIT };
	Link__Envelope *pointers[2] = { &envelopes[0], &envelopes[1] };
	Link__Batch batch = LINK__BATCH__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	user.n_roles = 2;
	user.roles = names;
	connected.user = &user;
	connected.n_groups = 2;
	connected.groups = names;
	envelopes[0].body_case = LINK__ENVELOPE__BODY_CONNECTED;
	envelopes[0].connected = &connected;
	members.n_members = 2;
	members.members = member_list;
	envelopes[1].body_case = LINK__ENVELOPE__BODY_MEMBERS;
	envelopes[1].members = &members;
	batch.first_seq = first_seq;
	batch.n_envelopes = 2;
	batch.envelopes = pointers;
	frame.body_case = LINK__FRAME__BODY_BATCH;
	frame.batch = &batch;
	append_packed(out, &frame);
}

static void mutate(struct buf *bytes)
{
	for (size_t n = random_below(4); n > 0 && bytes->len > 0; n--) {
		const size_t at = random_below(bytes->len);

		switch (random_below(4)) {
		case 0:
			bytes->ptr[at] ^= (char)(1u << random_below(8));
			break;
		case 1:
			bytes->ptr[at] = (char)random_below(256);
			break;
		case 2:
			bytes->len = at;
			break;
		default:
			buf_append(bytes, "\xff\xff\xff\xff\x7f\x1a", random_below(7));
		}
	}
}

static void frame_make(struct buf *bytes, const struct raw *raw, uint64_t first_seq)
{
	const size_t kind = random_below(8);

	buf_clear(bytes);
	if (kind == 0) {
		for (size_t n = random_below(FRAME_BYTES_MAX); n > 0; n--)
			buf_append_byte(bytes, (char)random_below(256));
	} else if (kind < 3) {
		append_hello(bytes, raw);
	} else {
		append_batch(bytes, first_seq);
	}
	if (kind > 0 && random_below(10) > 0)
		mutate(bytes);
}

/* Comes again, as a stranger or through the whole greeting. */
static bool raw_again(struct raw *raw, bool is_stranger)
{
	raw_close(raw);
	raw_open(raw, "fuzz");
	raw->incarnation = 1 + random_below(3);
	if (!is_stranger)
		raw_greet(raw);
	return true;
}

/* A few turns: a frame that needs no answer cannot be waited for. */
static void turn_until_taken(const struct raw *raw)
{
	const struct link_stats before = b.stats;

	for (unsigned i = 0; i < 4 && !raw->is_closed; i++) {
		if (b.stats.batches_in_total != before.batches_in_total)
			return;
		loop_turn(rig.loop, 1);
	}
}

static void fuzz(bool is_stranger)
{
	const char *seed = getenv("TEST_SEED");
	struct buf frame = BUF_INIT;
	struct raw raw = { 0 };
	bool is_open = false;

	rng = (seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL)) | 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	node_init(&a, GATEWAY, "good");
	node_init(&b, ROUTER, "r1");
	rig_connect(&a, &b);
	for (unsigned i = 0; i < FRAMES; i++) {
		struct link_peer *fuzzer;

		if (!is_open || raw.is_closed)
			is_open = raw_again(&raw, is_stranger);
		fuzzer = link_peer_next(b.link, link_peer_next(b.link, NULL));
		frame_make(&frame, &raw,
			   fuzzer != NULL ? fuzzer->session.handled_seq + 1 : 1);
		raw_send(&raw, buf_slice(&frame));
		if (i % 16 == 0)
			cr_assert_eq(node_send(&a, i, SESSION_DROP, NULL), OK);
		turn_until_taken(&raw);
	}
	WAIT(a.peer != NULL && !session_has_unsent(&a.peer->session) &&
	     a.peer->session.acked_seq == a.peer->session.last_seq);
	cr_expect_eq(a.downs, 0);
	cr_expect_eq(a.stats.peers_up, 1);
	cr_expect_gt(b.stats.malformed_total, FRAMES / 10);
	if (is_stranger)
		cr_expect_eq(b.ups, 1, "nobody gets in without a proof");
	raw_close(&raw);
	buf_fini(&frame);
	node_close(&a);
	node_close(&b);
}

Test(link_fuzz, a_strangers_frames)
{
	fuzz(true);
}

Test(link_fuzz, a_peers_frames)
{
	fuzz(false);
}
