/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames against RFC 6455's own examples, at every length form's edges, cut at every
 * byte; what a server may not send; and what is written against the gateway's idea of a
 * mask.
 */
#include "bench/ws_client.h"

#include <criterion/criterion.h>

#define LIMIT 100000

static struct slice bytes(const char *literal, size_t len)
{
	return slice_make(literal, len);
}

#define BYTES(literal) bytes(literal, sizeof(literal) - 1)

static ssize_t next(struct slice text, struct ws_client_frame *frame)
{
	return ws_client_next(text, LIMIT, frame);
}

static void expect_malformed(struct slice text)
{
	struct ws_client_frame frame;

	cr_assert_eq(next(text, &frame), ERR_MALFORMED);
}

Test(ws_client, reads_the_examples)
{
	struct ws_client_frame frame;

	cr_assert_eq(next(BYTES("\x81\x05Hello rest"), &frame), 7);
	cr_assert_eq(frame.opcode, WS_CLIENT_TEXT);
	cr_assert(frame.is_final);
	cr_assert(slice_equal(frame.payload, SLICE("Hello")));

	cr_assert_eq(next(BYTES("\x01\x03Hel"), &frame), 5);
	cr_assert_eq(frame.opcode, WS_CLIENT_TEXT);
	cr_assert_not(frame.is_final);

	cr_assert_eq(next(BYTES("\x80\x02lo"), &frame), 4);
	cr_assert_eq(frame.opcode, WS_CLIENT_CONTINUATION);
	cr_assert(frame.is_final);

	cr_assert_eq(next(BYTES("\x89\x05Hello"), &frame), 7);
	cr_assert_eq(frame.opcode, WS_CLIENT_PING);
}

static size_t put_header(char *out, size_t len)
{
	out[0] = (char)0x82;
	if (len < 126) {
		out[1] = (char)len;
		return 2;
	}
	out[1] = len < 65536 ? 126 : 127;
	for (size_t i = 0; i < (len < 65536 ? 2u : 8u); i++)
		out[2 + i] = (char)(len >> 8 * ((len < 65536 ? 1 : 7) - i));
	return len < 65536 ? 4 : 10;
}

Test(ws_client, every_length_form_at_its_edges_and_one_byte_short)
{
	static const size_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536, LIMIT };
	static char text[LIMIT + 16];

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct ws_client_frame frame;
		size_t header = put_header(text, lens[i]);

		cr_assert_eq(next(slice_make(text, header + lens[i]), &frame),
			     (ssize_t)(header + lens[i]));
		cr_assert_eq(frame.payload.len, lens[i]);
		cr_assert_eq(frame.payload.ptr, text + header);
		cr_assert_eq(next(slice_make(text, header + lens[i] - 1), &frame), 0);
		for (size_t n = 0; n < header; n++)
			cr_assert_eq(next(slice_make(text, n), &frame), 0);
	}
}

Test(ws_client, a_payload_over_the_limit_is_known_by_its_head)
{
	char text[10];
	struct ws_client_frame frame;
	size_t header = put_header(text, LIMIT + 1);

	cr_assert_eq(next(slice_make(text, header), &frame), ERR_LIMIT);
	cr_assert_eq(next(BYTES("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), &frame),
		     ERR_LIMIT);
}

Test(ws_client, lengths_must_be_the_shortest)
{
	expect_malformed(BYTES("\x82\x7e\x00\x7d"));
	expect_malformed(BYTES("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"));
}

Test(ws_client, what_a_server_may_not_send)
{
	expect_malformed(BYTES("\x81\x85\x01\x02\x03\x04Hello")); /* masked */
	expect_malformed(BYTES("\xc1\x01x"));			  /* reserved bits */
	expect_malformed(BYTES("\xa1\x01x"));
	expect_malformed(BYTES("\x91\x01x"));
	for (int opcode = 3; opcode < 16; opcode++) {
		char text[] = { (char)(0x80 | opcode), 0 };

		if (opcode < 8 || opcode > 10)
			expect_malformed(slice_make(text, 2));
	}
	expect_malformed(BYTES("\x09\x01x"));	     /* a ping in parts */
	expect_malformed(BYTES("\x89\x7e\x00\x7e")); /* a ping of 126 bytes */
}

/* ---- writing */

static void expect_written(size_t len, size_t header)
{
	static char text[70000];
	const unsigned char mask[] = { 1, 2, 3, 0xf4 };
	struct buf out = BUF_INIT;
	uint32_t key;

	memcpy(&key, mask, sizeof(key));
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(i * 7);
	ws_client_write(&out, WS_CLIENT_BINARY, slice_make(text, len), key);
	cr_assert_eq(out.len, header + 4 + len);
	cr_assert_eq((unsigned char)out.ptr[0], 0x82);
	cr_assert(out.ptr[1] & 0x80);
	cr_assert_arr_eq(out.ptr + header, mask, sizeof(mask));
	for (size_t i = 0; i < len; i++)
		cr_assert_eq((unsigned char)out.ptr[header + 4 + i] ^ mask[i % 4],
			     (unsigned char)text[i]);
	/* Unmasked, it reads back. */
	out.ptr[1] = (char)(out.ptr[1] & 0x7f);
	memmove(out.ptr + header, out.ptr + header + 4, len);
	struct ws_client_frame frame;

	cr_assert_eq(next(slice_make(out.ptr, header + len), &frame),
		     (ssize_t)(header + len));
	buf_fini(&out);
}

Test(ws_client, masks_every_byte_whatever_the_length)
{
	for (size_t len = 0; len < 40; len++)
		expect_written(len, 2);
	expect_written(125, 2);
	expect_written(126, 4);
	expect_written(65535, 4);
	expect_written(65536, 10);
}

Test(ws_client, appends)
{
	struct buf out = BUF_INIT;

	buf_append_str(&out, "x");
	ws_client_write(&out, WS_CLIENT_CLOSE, SLICE_NONE, 0);
	cr_assert_eq(out.len, 7);
	cr_assert_arr_eq(out.ptr, "x\x88\x80\0\0\0\0", 7);
	buf_fini(&out);
}

/* RFC 6455, section 1.3. */
Test(ws_client, answers_the_key_of_the_example)
{
	char key[WS_CLIENT_KEY_BYTES];
	char accept[WS_CLIENT_ACCEPT_BYTES];

	ws_client_key((const uint8_t *)"the sample nonce", key);
	cr_assert_arr_eq(key, "dGhlIHNhbXBsZSBub25jZQ==", WS_CLIENT_KEY_BYTES);
	ws_client_accept(key, accept);
	cr_assert_arr_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WS_CLIENT_ACCEPT_BYTES);
}
