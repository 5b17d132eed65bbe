/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame parser across frames: fragments, UTF-8 of text, and the bodies of Close.
 */
#include "gateway/ws_frame.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/gateway/ws_kit.h"

/* ---- fragments */

static void fragments(struct buf *stream, unsigned n, bool is_empty)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned opcode = i == 0 ? WS_BINARY : WS_CONTINUATION;

		ws_frame_add(stream, (i + 1 == n ? FIN : 0) | opcode, "x",
			     is_empty ? 0 : 1);
	}
}

Test(ws_message, fragments_at_their_limit)
{
	struct buf stream = BUF_INIT;

	fragments(&stream, WS_FRAGMENTS_MAX, false);
	fragments(&stream, WS_FRAGMENTS_MAX, true);
	ws_expect(&stream, "B1024 B0 ", 0);
}

Test(ws_message, fragments_one_past_their_limit)
{
	struct buf stream = BUF_INIT;
	struct outcome outcome;

	fragments(&stream, WS_FRAGMENTS_MAX + 1, false);
	outcome = ws_parse(buf_slice(&stream), stream.len, stream.len);
	cr_expect_eq(outcome.rc, ERR_LIMIT);
	ws_outcome_fini(&outcome);
	ws_expect(&stream, "", 1008);
}

Test(ws_message, empty_fragments_are_counted)
{
	struct buf stream = BUF_INIT;

	fragments(&stream, WS_FRAGMENTS_MAX + 1, true);
	ws_expect(&stream, "", 1008);
}

/* ---- UTF-8 */

Test(ws_message, text_that_is_utf8)
{
	static const char *const good[] = {
		"\xc2\x80",	    "\xdf\xbf",		"\xe0\xa0\x80",
		"\xe2\x82\xac",	    "\xed\x9f\xbf",	"\xee\x80\x80",
		"\xef\xbf\xbf",	    "\xf0\x90\x80\x80", "\xf1\x80\x80\x80",
		"\xf4\x8f\xbf\xbf", "ab\xc3\xa9z\x7f",
	};
	char log[32];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(log, sizeof(log), "T%zu ", strlen(good[i]));
		ws_expect_one(FIN | WS_TEXT, good[i], strlen(good[i]), log, 0);
	}
}

Test(ws_message, text_that_is_not_utf8)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2z",
		"\xe0\x9f\xbf",
		"\xe0\x80\x80",
		"\xe2\x82",
		"\xe2\x28\xa1",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xf0\x9f\x98",
		"\xc3\xa9\xa9",
		"0123456\xff",
		"01234567\xff",
		("0123\xff"
		 "4567"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ws_expect_one(FIN | WS_TEXT, bad[i], strlen(bad[i]), "", 1007);
}

Test(ws_message, a_character_may_span_fragments)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, WS_TEXT, "a\xf0\x9f", 3);
	ws_frame_add(&stream, FIN | WS_PING, "\xff", 1);
	ws_frame_add(&stream, WS_CONTINUATION, "", 0);
	ws_frame_add(&stream, WS_CONTINUATION, "\x98", 1);
	ws_frame_add(&stream, FIN | WS_CONTINUATION, "\x80z", 2);
	ws_expect(&stream, "P1 T6 ", 0);
}

Test(ws_message, a_message_may_not_end_inside_a_character)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, WS_TEXT, "a\xe2\x82", 3);
	ws_frame_add(&stream, FIN | WS_CONTINUATION, "", 0);
	ws_expect(&stream, "", 1007);
}

Test(ws_message, a_bad_byte_fails_before_the_message_ends)
{
	struct buf stream = BUF_INIT;

	ws_frame_head(&stream, FIN | WS_TEXT, 60000);
	buf_append_byte(&stream, (char)('a' ^ ws_mask[0]));
	buf_append_byte(&stream, (char)(0xff ^ ws_mask[1]));
	ws_expect(&stream, "", 1007);
}

Test(ws_message, a_broken_message_does_not_spoil_the_next_binary)
{
	struct buf stream = BUF_INIT;

	ws_frame_add(&stream, FIN | WS_TEXT, "\xc3\xa9", 2);
	ws_frame_add(&stream, FIN | WS_BINARY, "\xc3", 1);
	ws_frame_add(&stream, FIN | WS_TEXT, "ok", 2);
	ws_expect(&stream, "T2 B1 T2 ", 0);
}

/* ---- Close */

Test(ws_message, close_codes_that_may_be_sent)
{
	static const unsigned good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
					 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
	char log[32];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char payload[2] = { (char)(good[i] >> 8), (char)good[i] };

		(void)snprintf(log, sizeof(log), "C%u/0 ", good[i]);
		ws_expect_one(FIN | WS_CLOSE, payload, 2, log, 0);
	}
}

Test(ws_message, close_codes_that_may_not)
{
	static const unsigned bad[] = { 0,    1,    999,  1004, 1005, 1006, 1015,
					1016, 1100, 2000, 2999, 5000, 65535 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char payload[2] = { (char)(bad[i] >> 8), (char)bad[i] };

		ws_expect_one(FIN | WS_CLOSE, payload, 2, "", 1002);
	}
}

Test(ws_message, close_with_half_a_code_is_refused)
{
	ws_expect_one(FIN | WS_CLOSE, "\x03", 1, "", 1002);
}

Test(ws_message, close_reasons_are_utf8)
{
	ws_expect_one(FIN | WS_CLOSE, "\x03\xe8\xc3\xa9", 4, "C1000/2 ", 0);
	ws_expect_one(FIN | WS_CLOSE, "\x03\xe8\xff", 3, "", 1007);
	ws_expect_one(FIN | WS_CLOSE, "\x03\xe8\xc3", 3, "", 1007);
}
