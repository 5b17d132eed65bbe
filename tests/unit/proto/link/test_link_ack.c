/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a link acknowledges: at once what its sender waits for, and what has become much;
 * the rest with whatever goes next, or a moment later. The peer is written by hand.
 */
#include <criterion/criterion.h>

#include "proto/link/batch.h"
#include "proto/link/link_limits.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node b; /* a router, who listens */
static struct raw raw;

static void set_up(void)
{
	rig_init();
	node_init(&b, ROUTER, "r1");
	b.options.ping_interval_ms = 5000; /* no heartbeat acknowledges */
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	raw_open(&raw, "g1");
	raw_greet(&raw);
	WAIT(b.ups == 1);
}

static void tear_down(void)
{
	raw_close(&raw);
	node_close(&b);
	rig_fini();
}

TestSuite(link_ack, .init = set_up, .fini = tear_down, .timeout = 60);

/* The first turn after which so many are handled: what was due has been sent. */
static void check_at_once(size_t calls_n, uint64_t batches)
{
	WAIT(b.calls_n == calls_n);
	cr_expect_eq(b.stats.batches_out_total, batches);
}

Test(link_ack, what_has_an_answer_waits_a_moment)
{
	const int64_t start_ms = loop_now_ms(rig.loop);

	raw_send_batch(&raw, 1, 1, 0);
	check_at_once(1, 0);
	WAIT(raw.acked_seq == 1);
	cr_expect_geq(loop_now_ms(rig.loop) - start_ms, LINK_ACK_DELAY_MS);
	cr_expect_eq(b.stats.batches_out_total, 1);
}

Test(link_ack, an_answer_takes_it_along)
{
	b.is_echo = true;
	raw_send_batch(&raw, 1, 1, 0);
	check_at_once(1, 1);
	WAIT(raw.acked_seq == 1 && raw.envelopes == 1);
	rig_idle(5 * LINK_ACK_DELAY_MS);
	cr_expect_eq(b.stats.batches_out_total, 1);
}

/* A batch numbered 1 with one envelope, which is empty but for the field of its body. */
static void send_empty(uint32_t body_case)
{
	const char frame[] = { 0x1a,
			       0x07,
			       0x08,
			       0x01,
			       0x1a,
			       0x03,
			       (char)(uint8_t)(0x80 | (body_case << 3 & 0x78) | 2),
			       (char)(body_case >> 4),
			       0x00 };

	raw_send(&raw, slice_make(frame, sizeof(frame)));
}

Test(link_ack, a_membership_is_told_at_once)
{
	send_empty(LINK__ENVELOPE__BODY_MEMBER);
	check_at_once(1, 1);
}

Test(link_ack, a_delivery_is_told_at_once)
{
	send_empty(LINK__ENVELOPE__BODY_DELIVER);
	check_at_once(1, 1);
}

Test(link_ack, an_item_is_told_at_once)
{
	send_empty(LINK__ENVELOPE__BODY_PUSH);
	check_at_once(1, 1);
}

Test(link_ack, another_message_of_that_form_waits)
{
	send_empty(LINK__ENVELOPE__BODY_CLOSED);
	check_at_once(1, 0);
}

Test(link_ack, many_are_told_at_once)
{
	raw_send_batch(&raw, 1, LINK_ACK_ENVELOPES - 1, 0);
	check_at_once(LINK_ACK_ENVELOPES - 1, 0);
	raw_send_batch(&raw, LINK_ACK_ENVELOPES, 1, 0);
	WAIT(b.calls_n == LINK_ACK_ENVELOPES);
	cr_expect_geq(b.stats.batches_out_total, 1);
	WAIT(raw.acked_seq == LINK_ACK_ENVELOPES);
}

/* A batch of one message without an answer, so long altogether. */
static void send_long(uint64_t seq, size_t frame_len)
{
	enum { HEADS_LEN = 15 }; /* with lengths of two bytes and a number of one */
	static uint8_t text[LINK_ACK_BYTES];
	Link__Closed closed = LINK__CLOSED__INIT;
	struct buf scratch = BUF_INIT;
	struct buf frame = BUF_INIT;
	char head[BATCH_HEAD_BYTES_MAX];
	struct slice record;

	closed.connection = (ProtobufCBinaryData){ frame_len - HEADS_LEN, text };
	cr_assert_eq(batch_record(&scratch, LINK__ENVELOPE__BODY_CLOSED, &closed.base,
				  frame_len, &record),
		     OK);
	buf_append(&frame, head, batch_frame_head(head, seq, 0, 0, record.len));
	buf_append_slice(&frame, record);
	cr_assert_eq(frame.len, frame_len);
	raw_send(&raw, buf_slice(&frame));
	buf_fini(&frame);
	buf_fini(&scratch);
}

Test(link_ack, a_long_batch_is_told_at_once)
{
	send_long(1, LINK_ACK_BYTES - 1);
	check_at_once(1, 0);
	send_long(2, LINK_ACK_BYTES);
	WAIT(b.calls_n == 2);
	cr_expect_geq(b.stats.batches_out_total, 1);
	WAIT(raw.acked_seq == 2);
}

Test(link_ack, batches_that_are_long_together_are_told_at_once)
{
	const size_t len = LINK_ACK_BYTES - 1;
	uint64_t seq = 0;

	for (size_t bytes = 0; bytes < LINK_ACK_HELD_BYTES; bytes += len)
		send_long(++seq, len);
	WAIT(b.calls_n == seq);
	cr_expect_geq(b.stats.batches_out_total, 1);
	WAIT(raw.acked_seq == seq);
}
