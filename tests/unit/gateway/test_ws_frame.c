/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame parser against single frames and lengths, good and bad, and our own frames'
 * heads.
 */
#include "gateway/ws_frame.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/gateway/ws_kit.h"

#define MASKED 0x80

/* ---- good frames */

Test(ws_frame, text_and_binary)
{
	ws_expect_one(FIN | WS_TEXT, "hello", 5, "T5 ", 0);
	ws_expect_one(FIN | WS_BINARY, "\x00\xff\xfe", 3, "B3 ", 0);
	ws_expect_one(FIN | WS_TEXT, "", 0, "T0 ", 0);
	ws_expect_one(FIN | WS_BINARY, "", 0, "B0 ", 0);
}

Test(ws_frame, payload_is_unmasked_in_order_however_it_is_cut)
{
	char payload[300];
	struct buf stream = BUF_INIT;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (char)(i * 7);
	ws_frame_add(&stream, FIN | WS_BINARY, payload, sizeof(payload));
	for (size_t cut = 1; cut < stream.len; cut++) {
		struct outcome outcome = ws_parse(buf_slice(&stream), cut, 13);

		cr_assert_eq(outcome.data.len, sizeof(payload));
		cr_assert_arr_eq(outcome.data.ptr, payload, sizeof(payload));
		ws_outcome_fini(&outcome);
	}
	buf_fini(&stream);
}

Test(ws_frame, every_length_form_at_its_edges)
{
	static const size_t lens[] = { 1,   7,	 8,	9,     124,   125,
				       126, 127, 65534, 65535, 65536, 65537 };
	static char payload[65537];
	char log[32];

	memset(payload, 'x', sizeof(payload));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		(void)snprintf(log, sizeof(log), "T%zu ", lens[i]);
		ws_expect_one(FIN | WS_TEXT, payload, lens[i], log, 0);
	}
}

Test(ws_frame, fragments_make_one_message)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, WS_TEXT, "ab", 2);
	ws_frame_add(&stream, WS_CONTINUATION, "", 0);
	ws_frame_add(&stream, WS_CONTINUATION, "c", 1);
	ws_frame_add(&stream, FIN | WS_CONTINUATION, "d", 1);
	ws_frame_add(&stream, FIN | WS_BINARY, "\xff", 1);
	ws_expect(&stream, "T4 B1 ", 0);
}

Test(ws_frame, control_frames_may_stand_between_fragments)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, WS_TEXT, "a", 1);
	ws_frame_add(&stream, FIN | WS_PING, "ping", 4);
	ws_frame_add(&stream, WS_CONTINUATION, "b", 1);
	ws_frame_add(&stream, FIN | WS_PONG, "", 0);
	ws_frame_add(&stream, FIN | WS_CONTINUATION, "c", 1);
	ws_expect(&stream, "P4 O0 T3 ", 0);
}

Test(ws_frame, more_in_one_read)
{
	struct buf stream = BUF_INIT;

	for (int i = 0; i < 3; i++)
		ws_frame_add(&stream, FIN | WS_TEXT, "abc", 3);
	ws_frame_add(&stream, FIN | WS_CLOSE, "", 0);
	ws_expect(&stream, "T3 T3 T3 C1005/0 ", 0);
}

Test(ws_frame, control_payload_at_its_limit)
{
	char payload[125];

	memset(payload, 'p', sizeof(payload));
	ws_expect_one(FIN | WS_PING, payload, 125, "P125 ", 0);
	ws_expect_one(FIN | WS_PONG, payload, 125, "O125 ", 0);
}

Test(ws_frame, close_with_code_and_reason)
{
	ws_expect_one(FIN | WS_CLOSE, "\x03\xe8", 2, "C1000/0 ", 0);
	ws_expect_one(FIN | WS_CLOSE,
		      "\x03\xe9"
		      "bye",
		      5, "C1001/3 ", 0);
	ws_expect_one(FIN | WS_CLOSE, "", 0, "C1005/0 ", 0);
}

/* ---- what the header rules out */

Test(ws_frame, unmasked_is_refused)
{
	ws_expect_bytes("\x81\x02hi", 4, "", 1002);
	ws_expect_bytes("\x89\x00", 2, "", 1002);
	ws_expect_bytes("\x88\x00", 2, "", 1002);
}

Test(ws_frame, each_reserved_bit_is_refused)
{
	ws_expect_one(FIN | 0x40 | WS_TEXT, "a", 1, "", 1002);
	ws_expect_one(FIN | 0x20 | WS_TEXT, "a", 1, "", 1002);
	ws_expect_one(FIN | 0x10 | WS_TEXT, "a", 1, "", 1002);
	ws_expect_one(FIN | 0x40 | WS_PING, "", 0, "", 1002);
}

Test(ws_frame, reserved_opcodes_are_refused)
{
	static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		ws_expect_one(FIN | opcodes[i], "a", 1, "", 1002);
}

Test(ws_frame, fragmented_control_is_refused)
{
	ws_expect_one(WS_PING, "", 0, "", 1002);
	ws_expect_one(WS_PONG, "", 0, "", 1002);
	ws_expect_one(WS_CLOSE, "", 0, "", 1002);
}

Test(ws_frame, control_payload_one_past_its_limit)
{
	char payload[126] = { 0 };

	ws_expect_one(FIN | WS_PING, payload, 126, "", 1002);
	ws_expect_one(FIN | WS_PONG, payload, 126, "", 1002);
	ws_expect_one(FIN | WS_CLOSE, payload, 126, "", 1002);
	ws_expect_bytes("\x89\xff\0\0\0\0\0\0\0\x01", 10, "", 1002);
}

Test(ws_frame, continuation_without_a_start_is_refused)
{
	struct buf stream = BUF_INIT;

	ws_expect_one(FIN | WS_CONTINUATION, "a", 1, "", 1002);
	ws_frame_add(&stream, FIN | WS_TEXT, "a", 1);
	ws_frame_add(&stream, FIN | WS_CONTINUATION, "b", 1);
	ws_expect(&stream, "T1 ", 1002);
}

Test(ws_frame, a_start_inside_a_message_is_refused)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, WS_TEXT, "a", 1);
	ws_frame_add(&stream, FIN | WS_TEXT, "b", 1);
	ws_expect(&stream, "", 1002);
	ws_frame_add(&stream, WS_BINARY, "a", 1);
	ws_frame_add(&stream, WS_BINARY, "b", 1);
	ws_expect(&stream, "", 1002);
}

Test(ws_frame, lengths_longer_than_needed_are_refused)
{
	ws_expect_bytes("\x82\xfe\x00\x7d\1\2\3\4", 8, "", 1002);
	ws_expect_bytes("\x82\xfe\x00\x00\1\2\3\4", 8, "", 1002);
	ws_expect_bytes("\x82\xff\0\0\0\0\0\0\xff\xff\1\2\3\4", 14, "", 1002);
	ws_expect_bytes("\x82\xff\0\0\0\0\0\0\0\x7d\1\2\3\4", 14, "", 1002);
}

Test(ws_frame, lengths_from_two_to_the_63_are_refused)
{
	ws_expect_bytes("\x82\xff\x80\0\0\0\0\0\0\0\1\2\3\4", 14, "", 1002);
	ws_expect_bytes("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3\4", 14, "", 1002);
}

Test(ws_frame, huge_legal_lengths_cost_nothing)
{
	/* 2^31, 2^32 and 2^63 - 1, of which a byte is there. */
	ws_expect_bytes("\x82\xff\0\0\0\0\x80\0\0\0\1\2\3\4x", 15, "", 0);
	ws_expect_bytes("\x82\xff\0\0\0\1\0\0\0\0\1\2\3\4x", 15, "", 0);
	ws_expect_bytes("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4x", 15, "", 0);
}

/* ---- our own frames */

Test(ws_frame, headers_of_each_length_form)
{
	char out[WS_HEADER_BYTES_MAX];

	cr_assert_eq(ws_frame_header(out, WS_TEXT, 125), 2);
	cr_expect_arr_eq(out, "\x81\x7d", 2);
	cr_assert_eq(ws_frame_header(out, WS_BINARY, 126), 4);
	cr_expect_arr_eq(out, "\x82\x7e\x00\x7e", 4);
	cr_assert_eq(ws_frame_header(out, WS_BINARY, 65535), 4);
	cr_expect_arr_eq(out, "\x82\x7e\xff\xff", 4);
	cr_assert_eq(ws_frame_header(out, WS_BINARY, 65536), 10);
	cr_expect_arr_eq(out, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
	cr_assert_eq(ws_frame_header(out, WS_CLOSE, 2), 2);
	cr_expect_arr_eq(out, "\x88\x02", 2);
}

Test(ws_frame, random_bytes_never_use_more_than_there_is)
{
	uint64_t random = 88172645463325252u;

	for (int round = 0; round < 20000; round++) {
		struct ws_parser parser = { 0 };
		struct ws_event event;
		char bytes[40];
		size_t at = 0;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (char)random;
		}
		bytes[0] = (char)(bytes[0] & (char)0x8f);
		bytes[1] = (char)(bytes[1] | (char)MASKED);
		while (at < sizeof(bytes)) {
			ssize_t n = ws_frame_next(&parser, bytes + at, sizeof(bytes) - at,
						  &event);

			if (n <= 0)
				break;
			cr_assert_leq((size_t)n, sizeof(bytes) - at);
			at += (size_t)n;
		}
	}
}
