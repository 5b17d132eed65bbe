/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all hub protocols have in common: the table, one message of every type and set of
 * members through encode, cut and decode of each, and from each protocol to the other.
 */
#include "proto/wire/hub_codec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define IDS_N 3
#define FRAME_MAX 32768
#define LUCKY_ROUNDS 4000

static const struct hub_codec *json;
static const struct hub_codec *msgpack;
static struct arena arena;
static struct buf out;

static void setup(void)
{
	json = hub_codec(HUB_PROTOCOL_JSON);
	msgpack = hub_codec(HUB_PROTOCOL_MSGPACK);
	arena_init(&arena);
	buf_init(&out);
}

static void teardown(void)
{
	arena_fini(&arena);
	buf_fini(&out);
}

TestSuite(hub_codec, .init = setup, .fini = teardown);

Test(hub_codec, finds_protocols_by_number_and_name)
{
	cr_assert(json->protocol == HUB_PROTOCOL_JSON && json->is_text);
	cr_assert(msgpack->protocol == HUB_PROTOCOL_MSGPACK && !msgpack->is_text);
	cr_assert_eq(hub_codec_named(SLICE("json")), json);
	cr_assert_eq(hub_codec_named(SLICE("messagepack")), msgpack);
	cr_assert_null(hub_codec_named(SLICE("Json")));
	cr_assert_null(hub_codec_named(SLICE("jso")));
	cr_assert_null(hub_codec_named(SLICE("")));
	cr_assert_null(hub_codec((enum hub_protocol)0));
	cr_assert_null(hub_codec((enum hub_protocol)3));
}

/* ---- every type with every set of members */

#define WITH_ID 1u
#define WITH_HEADERS 2u
#define WITH_STREAMS 4u
#define WITH_RESULT 8u
#define WITH_ERROR 16u
#define WITH_RECONNECT 32u

/* What a type may have, and what it must. */
static const struct {
	enum hub_message_type type;
	unsigned may;
	unsigned must;
} types[] = {
	{ HUB_MESSAGE_INVOCATION, WITH_ID | WITH_HEADERS | WITH_STREAMS, 0 },
	{ HUB_MESSAGE_STREAM_ITEM, WITH_ID | WITH_HEADERS, WITH_ID },
	{ HUB_MESSAGE_COMPLETION, WITH_ID | WITH_HEADERS | WITH_RESULT | WITH_ERROR,
	  WITH_ID },
	{ HUB_MESSAGE_STREAM_INVOCATION, WITH_ID | WITH_HEADERS | WITH_STREAMS, WITH_ID },
	{ HUB_MESSAGE_CANCEL_INVOCATION, WITH_ID | WITH_HEADERS, WITH_ID },
	{ HUB_MESSAGE_PING, 0, 0 },
	{ HUB_MESSAGE_CLOSE, WITH_ERROR | WITH_RECONNECT, 0 },
	{ HUB_MESSAGE_ACK, 0, 0 },
	{ HUB_MESSAGE_SEQUENCE, 0, 0 },
};

static const struct slice ids[IDS_N] = { { "2", 1 }, { "", 0 }, { "\"\xc3\xbc", 3 } };

static bool has_call(enum hub_message_type type)
{
	return type <= HUB_MESSAGE_CANCEL_INVOCATION;
}

static bool has_target(enum hub_message_type type)
{
	return type == HUB_MESSAGE_INVOCATION || type == HUB_MESSAGE_STREAM_INVOCATION;
}

static struct slice raw(const struct hub_codec *codec, const char *text)
{
	struct buf bytes = BUF_INIT;
	struct value *value;
	struct slice copy;

	cr_assert_eq(value_decode_json(slice_from_str(text), &arena, &value), OK);
	codec->encode_value(&bytes, value);
	copy = arena_dup(&arena, buf_slice(&bytes));
	buf_fini(&bytes);
	return copy;
}

static struct hub_message make(const struct hub_codec *codec, enum hub_message_type type,
			       unsigned with)
{
	struct hub_message message = { .type = type };

	message.has_invocation_id = (with & WITH_ID) != 0;
	if (message.has_invocation_id)
		message.invocation_id = SLICE("i\n1");
	if ((with & WITH_HEADERS) != 0)
		message.headers = raw(codec, "{\"h\":\"v\",\"\":\"\"}");
	if (has_target(type)) {
		message.target = SLICE("T\xc3\xbc\x1e");
		message.arguments = raw(codec, "[1,-2.5,{\"a\":[null,true]},\"s\"]");
	}
	if ((with & WITH_STREAMS) != 0) {
		message.stream_ids = ids;
		message.stream_ids_n = IDS_N;
	}
	message.has_result = (with & WITH_RESULT) != 0;
	if (message.has_result || type == HUB_MESSAGE_STREAM_ITEM)
		message.payload = raw(codec, "{\"x\":[]}");
	message.has_error = (with & WITH_ERROR) != 0;
	if (message.has_error)
		message.error = SLICE("e\"");
	message.allow_reconnect = (with & WITH_RECONNECT) != 0;
	if (type >= HUB_MESSAGE_ACK)
		message.sequence_id = INT64_MAX;
	return message;
}

static void expect_equal(const struct hub_message *a, const struct hub_message *b)
{
	cr_assert_eq(a->type, b->type);
	cr_assert_eq(a->has_invocation_id, b->has_invocation_id);
	cr_assert_eq(a->has_result, b->has_result);
	cr_assert_eq(a->has_error, b->has_error);
	cr_assert_eq(a->allow_reconnect, b->allow_reconnect);
	cr_assert(slice_equal(a->invocation_id, b->invocation_id));
	cr_assert(slice_equal(a->target, b->target));
	cr_assert(slice_equal(a->arguments, b->arguments));
	cr_assert(slice_equal(a->headers, b->headers));
	cr_assert(slice_equal(a->payload, b->payload));
	cr_assert(slice_equal(a->error, b->error));
	cr_assert_eq(a->sequence_id, b->sequence_id);
	cr_assert_eq(a->stream_ids_n, b->stream_ids_n);
	for (size_t i = 0; i < a->stream_ids_n; i++)
		cr_assert(slice_equal(a->stream_ids[i], b->stream_ids[i]));
}

static struct hub_message read_back(const struct hub_codec *codec, struct slice frame)
{
	struct hub_message message;
	struct slice inside;
	const char *reason;

	cr_assert_eq(codec->cut(frame, FRAME_MAX, &inside), (ssize_t)frame.len);
	cr_assert_eq(codec->decode(inside, &arena, &message, &reason), OK, "%s", reason);
	cr_assert_null(reason);
	return message;
}

static void check_split(const struct hub_codec *codec, struct slice frame)
{
	for (size_t len = 0; len < frame.len; len++) {
		struct slice inside;
		char *exact = malloc(len + 1);

		memcpy(exact, frame.ptr, len);
		cr_assert_eq(codec->cut(slice_make(exact, len), frame.len, &inside), 0);
		free(exact);
	}
}

static void check_message(enum hub_message_type type, unsigned with)
{
	const struct hub_codec *const codecs[] = { json, msgpack };

	for (size_t i = 0; i < 2; i++) {
		const struct hub_codec *from = codecs[i];
		const struct hub_codec *to = codecs[1 - i];
		const struct hub_message message = make(from, type, with);
		const struct hub_message other = make(to, type, with);
		struct hub_message decoded;
		struct buf transcoded = BUF_INIT;

		buf_clear(&out);
		from->encode(&out, &message);
		decoded = read_back(from, buf_slice(&out));
		expect_equal(&decoded, &message);
		check_split(from, buf_slice(&out));
		cr_assert_eq(
			hub_transcode(from, buf_slice(&out), to, &arena, &transcoded),
			OK);
		decoded = read_back(to, buf_slice(&transcoded));
		expect_equal(&decoded, &other);
		buf_fini(&transcoded);
		arena_reset(&arena);
	}
}

Test(hub_codec, every_type_and_set_of_members_comes_back)
{
	size_t messages = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (unsigned with = 0; with < 2 * WITH_RECONNECT; with++) {
			if ((with & ~types[i].may) != 0 ||
			    (with & types[i].must) != types[i].must ||
			    ((with & WITH_RESULT) != 0 && (with & WITH_ERROR) != 0))
				continue;
			check_message(types[i].type, with);
			messages++;
		}
		cr_assert_eq(has_call(types[i].type), (types[i].may & WITH_ID) != 0);
	}
	cr_assert_eq(messages, 8 + 2 + 6 + 4 + 2 + 1 + 4 + 1 + 1);
}

/* ---- the helpers */

static void expect_both(const char *text, struct slice bytes,
			void (*write)(const struct hub_codec *codec))
{
	write(json);
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&out)));
	buf_clear(&out);
	write(msgpack);
	cr_assert(slice_equal(buf_slice(&out), bytes), "%s", text);
	buf_clear(&out);
}

static void write_ping(const struct hub_codec *codec)
{
	hub_encode_ping(codec, &out);
}

static void write_close(const struct hub_codec *codec)
{
	hub_encode_close(codec, &out, SLICE_NONE, false);
}

static void write_close_with_error(const struct hub_codec *codec)
{
	hub_encode_close(codec, &out, SLICE(""), true);
}

static void write_result(const struct hub_codec *codec)
{
	hub_encode_result(codec, &out, SLICE("1"), raw(codec, "7"));
}

static void write_void(const struct hub_codec *codec)
{
	hub_encode_result(codec, &out, SLICE("1"), SLICE_NONE);
}

static void write_error(const struct hub_codec *codec)
{
	hub_encode_error(codec, &out, SLICE("1"), SLICE("e"));
}

static void write_event(const struct hub_codec *codec)
{
	hub_encode_invocation(codec, &out, SLICE_NONE, SLICE("T"), raw(codec, "[]"));
}

static void write_call(const struct hub_codec *codec)
{
	hub_encode_invocation(codec, &out, SLICE("1"), SLICE("T"), raw(codec, "[null]"));
}

static void write_item(const struct hub_codec *codec)
{
	hub_encode_item(codec, &out, SLICE("1"), raw(codec, "null"));
}

static void write_ack(const struct hub_codec *codec)
{
	hub_encode_sequence(codec, &out, HUB_MESSAGE_ACK, 36);
}

static void write_sequence(const struct hub_codec *codec)
{
	hub_encode_sequence(codec, &out, HUB_MESSAGE_SEQUENCE, 0);
}

#define B(literal) slice_make((literal), sizeof(literal) - 1)

Test(hub_codec, the_helpers_write_both_protocols)
{
	expect_both("{\"type\":6}\x1e", B("\x02\x91\x06"), write_ping);
	expect_both("{\"type\":7}\x1e", B("\x04\x93\x07\xc0\xc2"), write_close);
	expect_both("{\"type\":7,\"error\":\"\",\"allowReconnect\":true}\x1e",
		    B("\x04\x93\x07\xa0\xc3"), write_close_with_error);
	expect_both("{\"type\":3,\"invocationId\":\"1\",\"result\":7}\x1e",
		    B("\x07\x95\x03\x80\xa1\x31\x03\x07"), write_result);
	expect_both("{\"type\":3,\"invocationId\":\"1\"}\x1e",
		    B("\x06\x94\x03\x80\xa1\x31\x02"), write_void);
	expect_both("{\"type\":3,\"invocationId\":\"1\",\"error\":\"e\"}\x1e",
		    B("\x08\x95\x03\x80\xa1\x31\x01\xa1"
		      "e"),
		    write_error);
	expect_both("{\"type\":1,\"target\":\"T\",\"arguments\":[]}\x1e",
		    B("\x08\x96\x01\x80\xc0\xa1T\x90\x90"), write_event);
	expect_both("{\"type\":1,\"invocationId\":\"1\",\"target\":\"T\",\"arguments\":["
		    "null]}\x1e",
		    B("\x0a\x96\x01\x80\xa1\x31\xa1T\x91\xc0\x90"), write_call);
	expect_both("{\"type\":2,\"invocationId\":\"1\",\"item\":null}\x1e",
		    B("\x06\x94\x02\x80\xa1\x31\xc0"), write_item);
	expect_both("{\"type\":8,\"sequenceId\":36}\x1e", B("\x03\x92\x08\x24"),
		    write_ack);
	expect_both("{\"type\":9,\"sequenceId\":0}\x1e", B("\x03\x92\x09\x00"),
		    write_sequence);
}

/* ---- transcoding */

/* The argument `bytes` of an event as JSON, and what that is in MessagePack again. */
static void expect_argument(struct slice bytes, const char *text, struct slice again)
{
	struct buf frame = BUF_INIT;
	struct hub_message message;
	struct slice arguments = SLICE_NONE;

	buf_append_byte(&frame, '\x91');
	buf_append_slice(&frame, bytes);
	arguments = arena_dup(&arena, buf_slice(&frame));
	buf_clear(&frame);
	buf_clear(&out);
	hub_encode_invocation(msgpack, &frame, SLICE_NONE, SLICE("T"), arguments);
	cr_assert_eq(hub_transcode(msgpack, buf_slice(&frame), json, &arena, &out), OK);
	message = read_back(json, buf_slice(&out));
	cr_assert(slice_equal(message.arguments, arena_printf(&arena, "[%s]", text)),
		  "%.*s is not [%s]", SLICE_FMT(message.arguments), text);
	buf_clear(&frame);
	cr_assert_eq(hub_transcode(json, buf_slice(&out), msgpack, &arena, &frame), OK);
	message = read_back(msgpack, buf_slice(&frame));
	cr_assert(slice_equal(slice_from(message.arguments, 1), again), "%s", text);
	buf_fini(&frame);
}

Test(hub_codec, values_change_protocol_as_documented)
{
	/* Integers of any width become the shortest; beyond int64, doubles. */
	expect_argument(B("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), "5", B("\x05"));
	expect_argument(B("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808",
			B("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"));
	expect_argument(B("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
			"9.223372036854776e+18",
			B("\xcb\x43\xe0\x00\x00\x00\x00\x00\x00"));
	/* A double without a fraction comes back as an integer. */
	expect_argument(B("\xcb\x40\x04\x00\x00\x00\x00\x00\x00"), "2.5",
			B("\xcb\x40\x04\x00\x00\x00\x00\x00\x00"));
	expect_argument(B("\xcb\x40\x08\x00\x00\x00\x00\x00\x00"), "3", B("\x03"));
	expect_argument(B("\xca\x7f\x80\x00\x00"), "null", B("\xc0"));
	/* Binary is base64, and stays text on the way back; so does a timestamp. */
	expect_argument(B("\xc4\x03\x00\xff\x10"), "\"AP8Q\"",
			B("\xa4"
			  "AP8Q"));
	expect_argument(B("\xd6\xff\x00\x00\x00\x00"), "\"1970-01-01T00:00:00Z\"",
			B("\xb4"
			  "1970-01-01T00:00:00Z"));
	expect_argument(B("\x81\x05\xc3"), "{\"5\":true}",
			B("\x81\xa1"
			  "5\xc3"));
}

static void expect_refused(const struct hub_codec *from, struct slice frame, enum err rc)
{
	const struct hub_codec *to = from == json ? msgpack : json;

	buf_clear(&out);
	cr_assert_eq(hub_transcode(from, frame, to, &arena, &out), rc, "%.*s",
		     SLICE_FMT(frame));
	cr_assert_eq(out.len, 0);
}

Test(hub_codec, only_one_whole_frame_is_transcoded)
{
	expect_refused(json, SLICE_NONE, ERR_MALFORMED);
	expect_refused(json, SLICE("{\"type\":6}"), ERR_MALFORMED);
	expect_refused(json, SLICE("{\"type\":6}\x1e{\"type\":6}\x1e"), ERR_MALFORMED);
	expect_refused(json, SLICE("{\"type\":\x1e"), ERR_MALFORMED);
	expect_refused(json, SLICE("{\"type\":10}\x1e"), ERR_MALFORMED);
	expect_refused(msgpack, SLICE_NONE, ERR_MALFORMED);
	expect_refused(msgpack, B("\x02\x91"), ERR_MALFORMED);
	expect_refused(msgpack, B("\x02\x91\x06\x02\x91\x06"), ERR_MALFORMED);
	expect_refused(msgpack, B("\x02\x91\xc1"), ERR_MALFORMED);
	expect_refused(msgpack, B("\x02\x91\x0a"), ERR_MALFORMED);
	expect_refused(msgpack, B("\xff\xff\xff\xff\xff"), ERR_MALFORMED);
}

Test(hub_codec, values_past_their_limits_are_not_transcoded)
{
	struct buf frame = BUF_INIT;

	/* An unknown extension, a year of five digits, headers that are no strings. */
	expect_refused(msgpack, B("\x08\x94\x02\x80\xa1\x31\xd4\x05!"), ERR_MALFORMED);
	expect_refused(msgpack,
		       B("\x14\x94\x02\x80\xa1\x31\xc7\x0c\xff\x00\x00\x00\x00"
			 "\x00\x00\x00\x3a\xff\xf4\x41\x80"),
		       ERR_LIMIT);
	expect_refused(
		json,
		SLICE("{\"type\":5,\"invocationId\":\"1\",\"headers\":{\"h\":1}}\x1e"),
		ERR_MALFORMED);
	buf_append_str(&frame, "{\"type\":1,\"target\":\"T\",\"arguments\":[0");
	for (size_t i = 0; i < VALUE_NODES_MAX; i++)
		buf_append_str(&frame, ",0");
	buf_append_str(&frame, "]}\x1e");
	expect_refused(json, buf_slice(&frame), ERR_LIMIT);
	buf_fini(&frame);
}

Test(hub_codec, empty_headers_are_none)
{
	cr_assert_eq(
		hub_transcode(json,
			      SLICE("{\"type\":5,\"invocationId\":\"1\",\"headers\":{}}"
				    "\x1e"),
			      msgpack, &arena, &out),
		OK);
	cr_assert(slice_equal(buf_slice(&out), B("\x05\x93\x05\x80\xa1\x31")));
	buf_clear(&out);
	cr_assert_eq(
		hub_transcode(json,
			      SLICE("{\"type\":5,\"invocationId\":\"1\",\"headers\":{}}"
				    "\x1e"),
			      json, &arena, &out),
		OK);
	cr_assert(slice_equal(buf_slice(&out),
			      SLICE("{\"type\":5,\"invocationId\":\"1\"}\x1e")));
}

/* ---- luck */

static uint64_t seed;

static uint32_t roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* One byte of a good frame is another: refused, or a message that both protocols carry.
 */
Test(hub_codec, mutants_are_refused_or_carried)
{
	const char *text = getenv("SEED");
	size_t carried = 0;

	seed = text ? strtoull(text, NULL, 0) : 0x5eed;
	(void)fprintf(stderr, "SEED=%#llx\n", (unsigned long long)seed);
	for (int i = 0; i < LUCKY_ROUNDS; i++) {
		const size_t n = roll(sizeof(types) / sizeof(types[0]));
		const struct hub_codec *from = roll(2) ? json : msgpack;
		const struct hub_codec *to = from == json ? msgpack : json;
		const struct hub_message message =
			make(from, types[n].type, types[n].must | WITH_HEADERS);
		struct buf frame = BUF_INIT;
		enum err rc;

		buf_clear(&out);
		from->encode(&frame, &message);
		frame.ptr[roll((uint32_t)frame.len)] = (char)roll(256);
		rc = hub_transcode(from, buf_slice(&frame), to, &arena, &out);
		cr_assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_LIMIT);
		if (rc == OK) {
			(void)read_back(to, buf_slice(&out)); /* it asserts */
			carried++;
		}
		buf_fini(&frame);
		arena_reset(&arena);
	}
	cr_assert_gt(carried, 100);
}
