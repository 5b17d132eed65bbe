/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MessagePack hub protocol: decoding all nine types and what is wrong with them, and
 * the exact bytes of what is written.
 */
#include "proto/wire/hub_msgpack.h"

#include <criterion/criterion.h>

/* Bytes of a literal; NULs count. */
#define B(literal) slice_make((literal), sizeof(literal) - 1)

static struct arena arena;
static struct buf out;
static struct hub_message message;
static const char *reason;

static void setup(void)
{
	arena_init(&arena);
	buf_init(&out);
}

static void teardown(void)
{
	arena_fini(&arena);
	buf_fini(&out);
}

TestSuite(hub_msgpack, .init = setup, .fini = teardown);

/* Decodes from memory of exactly that size, kept in the arena. */
static enum err decode(struct slice bytes)
{
	char *exact = arena_alloc(&arena, bytes.len);

	memcpy(exact, bytes.ptr, bytes.len);
	return hub_msgpack_decode(slice_make(exact, bytes.len), &arena, &message,
				  &reason);
}

static void expect_ok(struct slice bytes, enum hub_message_type type)
{
	cr_assert_eq(decode(bytes), OK, "%s", reason);
	cr_assert_null(reason);
	cr_assert_eq(message.type, type);
}

static void expect_malformed(struct slice bytes, const char *why)
{
	cr_assert_eq(decode(bytes), ERR_MALFORMED, "%s", why);
	cr_assert_str_eq(reason, why);
}

static bool is_bytes(struct slice s, struct slice expected)
{
	return slice_equal(s, expected);
}

/* ---- decoding what is right */

Test(hub_msgpack, decodes_the_contracts_examples)
{
	expect_ok(B("\x96\x01\x80\xc0\xa6method\x91\x2a\x90"), HUB_MESSAGE_INVOCATION);
	cr_assert_not(message.has_invocation_id);
	cr_assert(is_bytes(message.target, B("method")));
	cr_assert(is_bytes(message.arguments, B("\x91\x2a")));
	cr_assert_eq(message.headers.len, 0);
	cr_assert_eq(message.stream_ids_n, 0);
	expect_ok(B("\x95\x03\x80\xa3xyz\x01\xa5"
		    "Error"),
		  HUB_MESSAGE_COMPLETION);
	cr_assert(message.has_error && !message.has_result);
	cr_assert(is_bytes(message.error, B("Error")));
	cr_assert(is_bytes(message.invocation_id, B("xyz")));
	expect_ok(B("\x94\x03\x80\xa3xyz\x02"), HUB_MESSAGE_COMPLETION);
	cr_assert_not(message.has_error || message.has_result);
	expect_ok(B("\x95\x03\x80\xa3xyz\x03\x2a"), HUB_MESSAGE_COMPLETION);
	cr_assert(message.has_result && !message.has_error);
	cr_assert(is_bytes(message.payload, B("\x2a")));
	expect_ok(B("\x93\x05\x80\xa3xyz"), HUB_MESSAGE_CANCEL_INVOCATION);
	cr_assert(is_bytes(message.invocation_id, B("xyz")));
	expect_ok(B("\x92\x08\xcc\x24"), HUB_MESSAGE_ACK);
	cr_assert_eq(message.sequence_id, 36);
	expect_ok(B("\x92\x09\xcc\x13"), HUB_MESSAGE_SEQUENCE);
	cr_assert_eq(message.sequence_id, 19);
	expect_ok(B("\x91\x06"), HUB_MESSAGE_PING);
}

Test(hub_msgpack, decodes_every_member)
{
	expect_ok(B("\x96\x04\x82\xa1h\xa1v\xa1i\xa0\xa2"
		    "17\xa1T\x92\xc0\x81\xa1"
		    "a\x90\x92\xa1"
		    "1\xa0"),
		  HUB_MESSAGE_STREAM_INVOCATION);
	cr_assert(message.has_invocation_id);
	cr_assert(is_bytes(message.headers, B("\x82\xa1h\xa1v\xa1i\xa0")));
	cr_assert(is_bytes(message.invocation_id, B("17")));
	cr_assert(is_bytes(message.arguments, B("\x92\xc0\x81\xa1"
						"a\x90")));
	cr_assert_eq(message.stream_ids_n, 2);
	cr_assert(is_bytes(message.stream_ids[0], B("1")));
	cr_assert_eq(message.stream_ids[1].len, 0);
	expect_ok(B("\x94\x02\x80\xa1\x31\xc0"), HUB_MESSAGE_STREAM_ITEM);
	cr_assert(is_bytes(message.payload, B("\xc0")));
}

Test(hub_msgpack, invocations_have_five_elements_or_more)
{
	expect_ok(B("\x95\x01\x80\xc0\xa1T\x90"), HUB_MESSAGE_INVOCATION);
	expect_ok(B("\x95\x04\x80\xa1\x31\xa1T\x90"), HUB_MESSAGE_STREAM_INVOCATION);
	expect_ok(B("\x97\x01\x80\xc0\xa1T\x90\x90\x81\xc0\xc0"), HUB_MESSAGE_INVOCATION);
	cr_assert(is_bytes(message.arguments, B("\x90")));
}

Test(hub_msgpack, more_elements_than_known_are_skipped)
{
	expect_ok(B("\x95\x02\x80\xa1\x31\x05\x92\x01\x02"), HUB_MESSAGE_STREAM_ITEM);
	expect_ok(B("\x95\x03\x80\xa1\x31\x02\xd4\x05!"), HUB_MESSAGE_COMPLETION);
	cr_assert_not(message.has_result);
	expect_ok(B("\x96\x03\x80\xa1\x31\x03\x07\x08"), HUB_MESSAGE_COMPLETION);
	cr_assert(is_bytes(message.payload, B("\x07")));
	expect_ok(B("\x94\x05\x80\xa1\x31\xc0"), HUB_MESSAGE_CANCEL_INVOCATION);
	expect_ok(B("\x92\x06\xc3"), HUB_MESSAGE_PING);
	expect_ok(B("\x94\x07\xc0\xc2\x01"), HUB_MESSAGE_CLOSE);
	expect_ok(B("\x93\x08\x01\x02"), HUB_MESSAGE_ACK);
}

Test(hub_msgpack, decodes_close_of_any_length)
{
	expect_ok(B("\x91\x07"), HUB_MESSAGE_CLOSE);
	cr_assert_not(message.has_error || message.allow_reconnect);
	expect_ok(B("\x92\x07\xc0"), HUB_MESSAGE_CLOSE);
	cr_assert_not(message.has_error || message.allow_reconnect);
	expect_ok(B("\x92\x07\xa0"), HUB_MESSAGE_CLOSE);
	cr_assert(message.has_error);
	expect_ok(B("\x93\x07\xa1"
		    "e\xc3"),
		  HUB_MESSAGE_CLOSE);
	cr_assert(message.has_error && message.allow_reconnect);
	cr_assert(is_bytes(message.error, B("e")));
	expect_ok(B("\x93\x07\xc0\xc2"), HUB_MESSAGE_CLOSE);
	cr_assert_not(message.allow_reconnect);
}

Test(hub_msgpack, an_empty_or_nil_id_is_none)
{
	expect_ok(B("\x95\x01\x80\xa0\xa1T\x90"), HUB_MESSAGE_INVOCATION);
	cr_assert_not(message.has_invocation_id);
	cr_assert_eq(message.invocation_id.len, 0);
	expect_ok(B("\x95\x01\x80\xa1\x31\xa1T\x90"), HUB_MESSAGE_INVOCATION);
	cr_assert(message.has_invocation_id);
}

Test(hub_msgpack, numbers_are_of_any_width)
{
	expect_ok(B("\xdd\x00\x00\x00\x01\xd3\x00\x00\x00\x00\x00\x00\x00\x06"),
		  HUB_MESSAGE_PING);
	expect_ok(B("\xdc\x00\x01\xcd\x00\x06"), HUB_MESSAGE_PING);
	expect_ok(B("\x94\x03\xde\x00\x00\xd9\x01\x31\xce\x00\x00\x00\x02"),
		  HUB_MESSAGE_COMPLETION);
	expect_ok(B("\x92\x08\x00"), HUB_MESSAGE_ACK);
	expect_ok(B("\x92\x08\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), HUB_MESSAGE_ACK);
	cr_assert_eq(message.sequence_id, (uint64_t)INT64_MAX);
	expect_ok(B("\x92\x09\xd2\x00\x00\x00\x07"), HUB_MESSAGE_SEQUENCE);
	cr_assert_eq(message.sequence_id, 7);
}

Test(hub_msgpack, an_unknown_type_is_none_whatever_its_elements)
{
	expect_ok(B("\x91\x0a"), HUB_MESSAGE_NONE);
	expect_ok(B("\x91\x00"), HUB_MESSAGE_NONE);
	expect_ok(B("\x92\xff\xc7\x00\x05"), HUB_MESSAGE_NONE);
	expect_ok(B("\x91\xce\x7f\xff\xff\xff"), HUB_MESSAGE_NONE);
	expect_malformed(B("\x92\x0a\xc1"),
			 "The message is not well-formed MessagePack.");
}

/* ---- decoding what is wrong */

#define TOO_FEW "The message has too few elements."
#define NOT_WELL_FORMED "The message is not well-formed MessagePack."

Test(hub_msgpack, refuses_what_is_not_one_array)
{
	static const char why[] = "The message is not a MessagePack array.";

	expect_malformed(SLICE(""), why);
	expect_malformed(B("\x01"), why);
	expect_malformed(B("\x81\x06\x01"), why);
	expect_malformed(B("\xc1"), why);
	expect_malformed(B("\x92\x06"), why);
	expect_malformed(B("\xdd\xff\xff\xff\xff\x06"), why);
	expect_malformed(B("\x91\x06\xc0"), "The message does not fill its frame.");
	expect_malformed(B("\x90"), TOO_FEW);
}

Test(hub_msgpack, refuses_missing_elements)
{
	expect_malformed(B("\x91\x01"), TOO_FEW);
	expect_malformed(B("\x94\x01\x80\xc0\xa1T"), TOO_FEW);
	expect_malformed(B("\x93\x02\x80\xa1\x31"), TOO_FEW);
	expect_malformed(B("\x93\x03\x80\xa1\x31"), TOO_FEW);
	expect_malformed(B("\x94\x03\x80\xa1\x31\x01"), TOO_FEW);
	expect_malformed(B("\x94\x03\x80\xa1\x31\x03"), TOO_FEW);
	expect_malformed(B("\x94\x04\x80\xa1\x31\xa1T"), TOO_FEW);
	expect_malformed(B("\x92\x05\x80"), TOO_FEW);
	expect_malformed(B("\x91\x08"), TOO_FEW);
	expect_malformed(B("\x91\x09"), TOO_FEW);
}

Test(hub_msgpack, refuses_missing_names)
{
	static const char why[] = "Missing required 'invocationId'.";

	expect_malformed(B("\x94\x02\x80\xc0\x01"), why);
	expect_malformed(B("\x94\x03\x80\xa0\x02"), why);
	expect_malformed(B("\x95\x04\x80\xc0\xa1T\x90"), why);
	expect_malformed(B("\x93\x05\x80\xc0"), why);
	expect_malformed(B("\x95\x01\x80\xc0\xa0\x90"), "Missing required 'target'.");
}

Test(hub_msgpack, refuses_elements_of_the_wrong_kind)
{
	static const char headers[] = "Expected 'headers' to be a map of strings.";
	static const char ids[] = "Expected 'streamIds' to be an array of strings.";
	static const char sequence[] =
		"Expected 'sequenceId' to be a non-negative integer.";
	static const char type[] = "Expected 'type' to be an integer.";

	expect_malformed(B("\x91\xa1\x31"), type);
	expect_malformed(B("\x91\xc0"), type);
	expect_malformed(B("\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), type);
	expect_malformed(B("\x91\xce\x80\x00\x00\x00"), type);
	expect_malformed(B("\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), type);
	expect_malformed(B("\x93\x05\xc0\xa1\x31"), headers);
	expect_malformed(B("\x93\x05\x90\xa1\x31"), headers);
	expect_malformed(B("\x93\x05\x81\xa1h\x01\xa1\x31"), headers);
	expect_malformed(B("\x93\x05\x81\x01\xa1v\xa1\x31"), headers);
	expect_malformed(B("\x93\x05\x82\xa1h\x80\xa1i\xa1v\xa1\x31"), headers);
	expect_malformed(B("\x93\x05\x80\x01"),
			 "Expected 'invocationId' to be a string.");
	expect_malformed(B("\x95\x01\x80\xc4\x00\xa1T\x90"),
			 "Expected 'invocationId' to be a string.");
	expect_malformed(B("\x95\x01\x80\xc0\xc0\x90"),
			 "Expected 'target' to be a string.");
	expect_malformed(B("\x95\x01\x80\xc0\xa1T\x80"),
			 "Expected 'arguments' to be an array.");
	expect_malformed(B("\x95\x01\x80\xc0\xa1T\xc0"),
			 "Expected 'arguments' to be an array.");
	expect_malformed(B("\x96\x01\x80\xc0\xa1T\x90\xc0"), ids);
	expect_malformed(B("\x96\x01\x80\xc0\xa1T\x90\x92\xa1\x31\x02"), ids);
	expect_malformed(B("\x95\x03\x80\xa1\x31\x01\xc0"),
			 "Expected 'error' to be a string.");
	expect_malformed(B("\x92\x07\x01"), "Expected 'error' to be a string.");
	expect_malformed(B("\x93\x07\xc0\xc0"),
			 "Expected 'allowReconnect' to be a boolean.");
	expect_malformed(B("\x92\x08\xff"), sequence);
	expect_malformed(B("\x92\x08\xa1\x31"), sequence);
	expect_malformed(B("\x92\x09\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), sequence);
}

Test(hub_msgpack, refuses_unknown_completion_kinds)
{
	static const char why[] = "The completion's kind is not known.";

	expect_malformed(B("\x95\x03\x80\xa1\x31\x00\x01"), why);
	expect_malformed(B("\x95\x03\x80\xa1\x31\x04\x01"), why);
	expect_malformed(B("\x95\x03\x80\xa1\x31\xff\x01"), why);
	expect_malformed(B("\x95\x03\x80\xa1\x31\xc0\x01"), why);
	expect_malformed(
		B("\x95\x03\x80\xa1\x31\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x01"), why);
}

Test(hub_msgpack, refuses_every_prefix_of_a_message)
{
	static const char bytes[] = "\x97\x01\x81\xa1h\xa1v\xa2"
				    "17\xa1T\x92\xcd\x01\x00\x81\xa1"
				    "a\x90\x91\xa1\x31\xc4\x01\x00";

	for (size_t len = 0; len + 1 < sizeof(bytes); len++)
		cr_assert_eq(decode(slice_make(bytes, len)), ERR_MALFORMED, "%zu", len);
	expect_ok(slice_make(bytes, sizeof(bytes) - 1), HUB_MESSAGE_INVOCATION);
}

Test(hub_msgpack, text_is_utf8_everywhere)
{
	expect_malformed(B("\x95\x01\x80\xc0\xa1\xff\x90"), NOT_WELL_FORMED);
	expect_malformed(B("\x95\x01\x80\xc0\xa1T\x91\xa1\xff"), NOT_WELL_FORMED);
	expect_malformed(B("\x93\x05\x81\xa1\xff\xa0\xa1\x31"), NOT_WELL_FORMED);
	expect_malformed(B("\x94\x02\x80\xa1\x31\x81\xa1\xff\xc0"), NOT_WELL_FORMED);
	expect_malformed(B("\x92\x07\xa1\xff"), NOT_WELL_FORMED);
}

/* Arguments, or else an element from the future, nested so deep. */
static struct slice nested(struct slice head, size_t levels)
{
	buf_clear(&out);
	buf_append_slice(&out, head);
	for (size_t i = 0; i < levels; i++)
		msgpack_write_array(&out, i + 1 < levels ? 1 : 0);
	return buf_slice(&out);
}

Test(hub_msgpack, nests_to_the_limit_and_no_deeper)
{
	const size_t levels = HUB_MSGPACK_DEPTH_MAX - 1; /* the message itself is one */
	const struct slice call = B("\x95\x01\x80\xc0\xa1T");
	const struct slice item = B("\x94\x02\x80\xa1\x31");
	const struct slice ping = B("\x92\x06");
	static const char why[] = "The message is nested too deeply.";

	expect_ok(nested(call, levels), HUB_MESSAGE_INVOCATION);
	expect_malformed(nested(call, levels + 1), why);
	expect_ok(nested(item, levels), HUB_MESSAGE_STREAM_ITEM);
	expect_malformed(nested(item, levels + 1), why);
	expect_ok(nested(ping, levels), HUB_MESSAGE_PING);
	expect_malformed(nested(ping, levels + 1), why);
}

static struct slice invocation_with_ids(size_t n)
{
	buf_clear(&out);
	buf_append_slice(&out, B("\x96\x01\x80\xc0\xa1T\x90"));
	msgpack_write_array(&out, n);
	for (size_t i = 0; i < n; i++)
		msgpack_write_str(&out, SLICE("s"));
	return buf_slice(&out);
}

Test(hub_msgpack, brings_streams_to_the_limit_and_no_more)
{
	expect_ok(invocation_with_ids(HUB_STREAM_IDS_MAX), HUB_MESSAGE_INVOCATION);
	cr_assert_eq(message.stream_ids_n, HUB_STREAM_IDS_MAX);
	cr_assert(is_bytes(message.stream_ids[HUB_STREAM_IDS_MAX - 1], B("s")));
	expect_malformed(invocation_with_ids(HUB_STREAM_IDS_MAX + 1),
			 "Too many 'streamIds'.");
}

Test(hub_msgpack, counts_that_lie_cost_nothing)
{
	static const struct slice lies[] = {
		{ "\x95\x01\xdf\xff\xff\xff\xff\xa0\xa0", 9 },
		{ "\x95\x01\x80\xdb\xff\xff\xff\xff\xa0", 9 },
		{ "\x95\x01\x80\xc0\xa1T\xdd\xff\xff\xff\xff\x01", 12 },
		{ "\x96\x01\x80\xc0\xa1T\x90\xdd\xff\xff\xff\xff\xa0", 13 },
		{ "\x95\x03\x80\xa1\x31\x03\xc6\xff\xff\xff\xff\x00", 12 },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		arena_reset(&arena);
		cr_assert_eq(hub_msgpack_decode(lies[i], &arena, &message, &reason),
			     ERR_MALFORMED);
		cr_assert_eq(arena.used, 0);
	}
}

/* ---- encoding */

static void expect_out(struct slice bytes)
{
	cr_assert(is_bytes(buf_slice(&out), bytes), "%zu bytes", out.len);
	buf_clear(&out);
}

Test(hub_msgpack, encodes_every_member)
{
	const struct slice ids[] = { SLICE("2"), SLICE("3") };
	struct hub_message all = {
		.type = HUB_MESSAGE_INVOCATION,
		.invocation_id = SLICE("1"),
		.target = SLICE("T"),
		.arguments = B("\x91\x05"),
		.stream_ids = ids,
		.stream_ids_n = 2,
		.headers = B("\x81\xa1h\xa1v"),
		.payload = B("\xc0"),
		.error = SLICE("e"),
	};

	hub_msgpack_encode(&out, &all);
	expect_out(B("\x12\x96\x01\x81\xa1h\xa1v\xa1\x31\xa1T\x91\x05\x92\xa1"
		     "2\xa1"
		     "3"));
	all.type = HUB_MESSAGE_STREAM_INVOCATION;
	all.stream_ids_n = 0;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x0e\x96\x04\x81\xa1h\xa1v\xa1\x31\xa1T\x91\x05\x90"));
	all.type = HUB_MESSAGE_STREAM_ITEM;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x0a\x94\x02\x81\xa1h\xa1v\xa1\x31\xc0"));
	all.type = HUB_MESSAGE_COMPLETION;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x0a\x94\x03\x81\xa1h\xa1v\xa1\x31\x02"));
	all.has_result = true;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x0b\x95\x03\x81\xa1h\xa1v\xa1\x31\x03\xc0"));
	all.has_result = false;
	all.has_error = true;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x0c\x95\x03\x81\xa1h\xa1v\xa1\x31\x01\xa1"
		     "e"));
	all.type = HUB_MESSAGE_CANCEL_INVOCATION;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x09\x93\x05\x81\xa1h\xa1v\xa1\x31"));
	all.type = HUB_MESSAGE_CLOSE;
	all.allow_reconnect = true;
	hub_msgpack_encode(&out, &all);
	expect_out(B("\x05\x93\x07\xa1"
		     "e\xc3"));
}
