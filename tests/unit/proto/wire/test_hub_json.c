/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON hub protocol: cutting frames at every split, decoding all nine types and what
 * is wrong with them, and the exact bytes of what is written.
 */
#include "proto/wire/hub_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/hub_codec.h"

static const struct hub_codec *json;
static struct arena arena;
static struct buf out;
static struct hub_message message;
static struct slice inside;
static const char *reason;

static void setup(void)
{
	arena_init(&arena);
	buf_init(&out);
	json = hub_codec(HUB_PROTOCOL_JSON);
}

static void teardown(void)
{
	arena_fini(&arena);
	buf_fini(&out);
}

TestSuite(hub_json, .init = setup, .fini = teardown);

/* Decodes from memory of exactly the text's size, kept in the arena. */
static enum err decode(const char *text)
{
	struct slice copy = slice_from_str(text);
	char *exact = arena_alloc(&arena, copy.len);

	memcpy(exact, copy.ptr, copy.len);
	return hub_json_decode(slice_make(exact, copy.len), &arena, &message, &reason);
}

static bool is_text(struct slice s, const char *text)
{
	return slice_equal(s, slice_from_str(text));
}

static void expect_ok(const char *text, enum hub_message_type type)
{
	cr_assert_eq(decode(text), OK, "%s: %s", text, reason);
	cr_assert_null(reason);
	cr_assert_eq(message.type, type, "%s", text);
}

static void expect_malformed(const char *text, const char *why)
{
	cr_assert_eq(decode(text), ERR_MALFORMED, "%s", text);
	cr_assert_str_eq(reason, why, "%s: %s", text, reason);
}

/* ---- cutting */

Test(hub_json, cuts_at_every_split)
{
	static const char text[] = "{\"type\":6}\x1e{\"type\":7}\x1e";
	ssize_t first = 11;

	for (size_t len = 0; len < sizeof(text); len++) {
		char *exact = malloc(len + 1);
		ssize_t expected = len < (size_t)first ? 0 : first;

		memcpy(exact, text, len);
		cr_assert_eq(hub_json_cut(slice_make(exact, len), 100, &inside),
			     expected);
		free(exact);
	}
	cr_assert_eq(hub_json_cut(slice_make(text + first, 11), 100, &inside), 11);
	cr_assert(is_text(inside, "{\"type\":7}"));
}

Test(hub_json, cuts_an_empty_frame)
{
	cr_assert_eq(hub_json_cut(SLICE("\x1e"), 1, &inside), 1);
	cr_assert_eq(hub_json_cut(SLICE_NONE, 1, &inside), 0);
}

Test(hub_json, cuts_at_the_limit_and_refuses_one_more)
{
	struct slice frame = SLICE("{\"type\":6}\x1e");
	struct slice open = slice_make(frame.ptr, frame.len - 1);

	cr_assert_eq(hub_json_cut(frame, frame.len, &inside), (ssize_t)frame.len);
	cr_assert_eq(hub_json_cut(frame, frame.len - 1, &inside), ERR_LIMIT);
	cr_assert_eq(hub_json_cut(open, frame.len, &inside), 0);
	cr_assert_eq(hub_json_cut(open, frame.len - 1, &inside), ERR_LIMIT);
}

/* ---- decoding what is right */

Test(hub_json, decodes_an_invocation)
{
	expect_ok("{\"type\":1,\"invocationId\":\"17\",\"target\":\"Send\",\"arguments\":"
		  "[1, "
		  "{\"a\":[]}],\"headers\":{\"h\":\"v\"},\"streamIds\":[\"1\" , \"2\"]}",
		  HUB_MESSAGE_INVOCATION);
	cr_assert(message.has_invocation_id);
	cr_assert(is_text(message.invocation_id, "17"));
	cr_assert(is_text(message.target, "Send"));
	cr_assert(is_text(message.arguments, "[1, {\"a\":[]}]"));
	cr_assert(is_text(message.headers, "{\"h\":\"v\"}"));
	cr_assert_eq(message.stream_ids_n, 2);
	cr_assert(is_text(message.stream_ids[0], "1"));
	cr_assert(is_text(message.stream_ids[1], "2"));
	cr_assert_not(message.has_result || message.has_error);
}

Test(hub_json, takes_members_in_any_order)
{
	expect_ok(
		" { \"arguments\" : [ ] , \"x\" : {\"type\":[7]} , \"target\" : \"T\" , "
		"\"type\" : 1 } \n",
		HUB_MESSAGE_INVOCATION);
	cr_assert(is_text(message.arguments, "[ ]"));
	cr_assert_not(message.has_invocation_id);
	cr_assert_eq(message.headers.len, 0);
	cr_assert_eq(message.stream_ids_n, 0);
	expect_ok("{\"result\":5,\"invocationId\":\"1\",\"type\":3}",
		  HUB_MESSAGE_COMPLETION);
	cr_assert(is_text(message.payload, "5"));
}

Test(hub_json, an_empty_or_null_id_is_none)
{
	expect_ok("{\"type\":1,\"invocationId\":null,\"target\":\"T\",\"arguments\":[]}",
		  HUB_MESSAGE_INVOCATION);
	cr_assert_not(message.has_invocation_id);
	cr_assert_eq(message.invocation_id.len, 0);
	expect_ok("{\"type\":1,\"invocationId\":\"\",\"target\":\"T\",\"arguments\":[]}",
		  HUB_MESSAGE_INVOCATION);
	cr_assert_not(message.has_invocation_id);
}

Test(hub_json, the_last_of_equal_members_counts)
{
	expect_ok("{\"type\":6,\"type\":1,\"target\":\"A\",\"target\":\"B\","
		  "\"arguments\":[1],"
		  "\"arguments\":[2],\"invocationId\":\"1\",\"invocationId\":null}",
		  HUB_MESSAGE_INVOCATION);
	cr_assert(is_text(message.target, "B"));
	cr_assert(is_text(message.arguments, "[2]"));
	cr_assert_not(message.has_invocation_id);
}

Test(hub_json, decodes_escapes_in_names_and_texts)
{
	expect_ok("{\"\\u0074ype\":1,\"target\":\"S\\u00e9\\n\",\"arguments\":[\"\\n\"]}",
		  HUB_MESSAGE_INVOCATION);
	cr_assert(is_text(message.target, "S\xc3\xa9\n"));
	cr_assert(is_text(message.arguments, "[\"\\n\"]"));
}

Test(hub_json, member_names_are_case_sensitive)
{
	expect_malformed("{\"Type\":6}", "Missing required property 'type'.");
	expect_malformed("{\"type\":1,\"Target\":\"T\",\"arguments\":[]}",
			 "Missing required property 'target'.");
}

Test(hub_json, decodes_a_stream_item)
{
	expect_ok("{\"type\":2,\"invocationId\":\"1\",\"item\":null}",
		  HUB_MESSAGE_STREAM_ITEM);
	cr_assert(is_text(message.payload, "null"));
	cr_assert(is_text(message.invocation_id, "1"));
}

Test(hub_json, decodes_completions)
{
	expect_ok("{\"type\":3,\"invocationId\":\"1\"}", HUB_MESSAGE_COMPLETION);
	cr_assert_not(message.has_result || message.has_error);
	expect_ok("{\"type\":3,\"invocationId\":\"1\",\"result\":null}",
		  HUB_MESSAGE_COMPLETION);
	cr_assert(message.has_result);
	cr_assert(is_text(message.payload, "null"));
	expect_ok("{\"type\":3,\"invocationId\":\"1\",\"error\":\"\"}",
		  HUB_MESSAGE_COMPLETION);
	cr_assert(message.has_error && !message.has_result);
	expect_ok("{\"type\":3,\"invocationId\":\"1\",\"item\":4}",
		  HUB_MESSAGE_COMPLETION);
	cr_assert_null(message.payload.ptr);
}

Test(hub_json, decodes_stream_invocation_and_cancel)
{
	expect_ok("{\"type\":4,\"invocationId\":\"1\",\"target\":\"T\",\"arguments\":[]}",
		  HUB_MESSAGE_STREAM_INVOCATION);
	expect_ok("{\"type\":5,\"invocationId\":\"1\"}", HUB_MESSAGE_CANCEL_INVOCATION);
	cr_assert(is_text(message.invocation_id, "1"));
}

Test(hub_json, decodes_ping_and_close)
{
	expect_ok("{\"type\":6}", HUB_MESSAGE_PING);
	expect_ok("{\"type\":7}", HUB_MESSAGE_CLOSE);
	cr_assert_not(message.has_error || message.allow_reconnect);
	expect_ok("{\"type\":7,\"error\":\"bye\",\"allowReconnect\":true}",
		  HUB_MESSAGE_CLOSE);
	cr_assert(message.has_error && message.allow_reconnect);
	cr_assert(is_text(message.error, "bye"));
	expect_ok("{\"type\":7,\"allowReconnect\":true,\"allowReconnect\":false}",
		  HUB_MESSAGE_CLOSE);
	cr_assert_not(message.allow_reconnect);
}

Test(hub_json, decodes_ack_and_sequence)
{
	expect_ok("{\"type\":8,\"sequenceId\":0}", HUB_MESSAGE_ACK);
	expect_ok("{\"type\":9,\"sequenceId\":9223372036854775807}",
		  HUB_MESSAGE_SEQUENCE);
	cr_assert_eq(message.sequence_id, INT64_MAX);
}

Test(hub_json, an_unknown_type_is_none_whatever_its_members)
{
	expect_ok("{\"type\":10}", HUB_MESSAGE_NONE);
	expect_ok("{\"type\":0}", HUB_MESSAGE_NONE);
	expect_ok("{\"type\":-1}", HUB_MESSAGE_NONE);
	expect_ok("{\"target\":7,\"arguments\":{},\"type\":2147483647}",
		  HUB_MESSAGE_NONE);
}

/* ---- decoding what is wrong */

Test(hub_json, refuses_a_type_that_is_no_integer)
{
	static const char *const values[] = {
		"\"1\"", "null", "1.0",	       "1e0",	      "[1]",
		"true",	 "{}",	 "2147483648", "-2147483649", "99999999999999999999"
	};
	char text[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"type\":%s}", values[i]); /* fits */
		expect_malformed(text, "Expected 'type' to be an integer.");
	}
	expect_malformed("{}", "Missing required property 'type'.");
}

Test(hub_json, refuses_missing_members)
{
	static const struct {
		const char *text;
		const char *name;
	} cases[] = {
		{ "{\"type\":1,\"arguments\":[]}", "target" },
		{ "{\"type\":1,\"target\":\"\",\"arguments\":[]}", "target" },
		{ "{\"type\":1,\"target\":\"T\"}", "arguments" },
		{ "{\"type\":2,\"item\":1}", "invocationId" },
		{ "{\"type\":2,\"invocationId\":\"1\"}", "item" },
		{ "{\"type\":2,\"invocationId\":\"1\",\"result\":1}", "item" },
		{ "{\"type\":3,\"result\":1}", "invocationId" },
		{ "{\"type\":3,\"invocationId\":null}", "invocationId" },
		{ "{\"type\":3,\"invocationId\":\"\"}", "invocationId" },
		{ "{\"type\":4,\"target\":\"T\",\"arguments\":[]}", "invocationId" },
		{ "{\"type\":4,\"invocationId\":\"1\",\"arguments\":[]}", "target" },
		{ "{\"type\":4,\"invocationId\":\"1\",\"target\":\"T\"}", "arguments" },
		{ "{\"type\":5}", "invocationId" },
		{ "{\"type\":8}", "sequenceId" },
		{ "{\"type\":9}", "sequenceId" },
	};
	char why[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(why, sizeof(why), "Missing required property '%s'.",
			       cases[i].name); /* fits */
		expect_malformed(cases[i].text, why);
	}
}

Test(hub_json, refuses_members_of_the_wrong_kind)
{
	expect_malformed("{\"type\":1,\"target\":1,\"arguments\":[]}",
			 "Expected 'target' to be of type String.");
	expect_malformed("{\"type\":1,\"target\":\"T\",\"arguments\":{}}",
			 "Expected 'arguments' to be of type Array.");
	expect_malformed("{\"arguments\":null,\"type\":1,\"target\":\"T\"}",
			 "Expected 'arguments' to be of type Array.");
	expect_malformed("{\"type\":5,\"invocationId\":1}",
			 "Expected 'invocationId' to be of type String.");
	expect_malformed("{\"type\":7,\"error\":null}",
			 "Expected 'error' to be of type String.");
	expect_malformed("{\"type\":7,\"allowReconnect\":1}",
			 "Expected 'allowReconnect' to be of type Boolean.");
	expect_malformed("{\"type\":6,\"headers\":[]}",
			 "Expected 'headers' to be of type Object.");
	expect_malformed("{\"type\":6,\"streamIds\":\"1\"}",
			 "Expected 'streamIds' to be an array of strings.");
	expect_malformed("{\"type\":6,\"streamIds\":[\"1\",2]}",
			 "Expected 'streamIds' to be an array of strings.");
	expect_malformed("{\"type\":8,\"sequenceId\":\"1\"}",
			 "Expected 'sequenceId' to be a non-negative integer.");
	expect_malformed("{\"type\":8,\"sequenceId\":-1}",
			 "Expected 'sequenceId' to be a non-negative integer.");
	expect_malformed("{\"type\":8,\"sequenceId\":9223372036854775808}",
			 "Expected 'sequenceId' to be a non-negative integer.");
}

Test(hub_json, refuses_a_completion_with_result_and_error)
{
	static const char why[] =
		"The 'error' and 'result' properties are mutually exclusive.";

	expect_malformed(
		"{\"type\":3,\"invocationId\":\"1\",\"result\":null,\"error\":\"x\"}",
		why);
	expect_malformed(
		"{\"error\":\"\",\"result\":1,\"invocationId\":\"1\",\"type\":3}", why);
}

Test(hub_json, refuses_what_is_not_one_object)
{
	static const char why[] = "The message is not a JSON object.";
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"1",
		"{\"type\":6",
		"{\"type\":6}}",
		"{\"type\":6} {}",
		"{\"type\":6,}",
		"{\"type\":6 \"x\":1}",
		"{\"type\" 6}",
		"{\"type\":6,\"x\":\"\xff\"}",
		"{\"type\":6,\"x\":\"\\ud800\"}",
		"{\"type\":6,\"x\":[01]}",
		"{\"type\":6,\"invocationId\":nul}",
		"{\"type\":6,\"allowReconnect\":tru}",
		"{\"type\":6,\"streamIds\":[}",
		"{\"type\":6,\"sequenceId\":}",
		"{\"type\":}",
		"\xef\xbb\xbf{\"type\":6}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_malformed(texts[i], why);
}

Test(hub_json, refuses_every_prefix_of_a_message)
{
	static const char text[] =
		"{\"type\":1,\"invocationId\":\"1\",\"target\":\"T\","
		"\"streamIds\":[\"1\"],\"headers\":{\"a\":\"b\"},"
		"\"allowReconnect\":true,\"sequenceId\":1,\"error\":\"e\","
		"\"arguments\":[1,\"\\u00e9\"],\"item\":1.5}";
	char copy[sizeof(text)] = "";

	for (size_t len = 0; len + 1 < sizeof(text); len++) {
		memcpy(copy, text, len);
		cr_assert_eq(decode(copy), ERR_MALFORMED, "%s", copy);
	}
	cr_assert_eq(decode(text), OK);
}

/* `n` empty ids, in a member that is said twice. */
static void invocation_with_ids(char *text, size_t n)
{
	strcpy(text,
	       "{\"type\":4,\"invocationId\":\"1\",\"target\":\"T\",\"arguments\":[],"
	       "\"streamIds\":[\"x\"],\"streamIds\":[");
	for (size_t i = 0; i < n; i++)
		strcat(text, i == 0 ? "\"\"" : ",\"\"");
	strcat(text, "]}");
}

Test(hub_json, brings_streams_to_the_limit_and_no_more)
{
	char text[512];

	invocation_with_ids(text, 0);
	expect_ok(text, HUB_MESSAGE_STREAM_INVOCATION);
	cr_assert_eq(message.stream_ids_n, 0);
	invocation_with_ids(text, HUB_STREAM_IDS_MAX);
	expect_ok(text, HUB_MESSAGE_STREAM_INVOCATION);
	cr_assert_eq(message.stream_ids_n, HUB_STREAM_IDS_MAX);
	cr_assert_eq(message.stream_ids[HUB_STREAM_IDS_MAX - 1].len, 0);
	invocation_with_ids(text, HUB_STREAM_IDS_MAX + 1);
	expect_malformed(text, "Too many 'streamIds'.");
}

Test(hub_json, nests_to_the_limit_and_no_deeper)
{
	char text[300] = "{\"type\":1,\"target\":\"T\",\"arguments\":";
	size_t head = strlen(text);
	size_t levels = HUB_JSON_DEPTH_MAX - 1; /* the message itself is one */

	memset(text + head, '[', levels);
	memset(text + head + levels, ']', levels);
	text[head + 2 * levels] = '}';
	expect_ok(text, HUB_MESSAGE_INVOCATION);
	levels++;
	memset(text + head, '[', levels);
	memset(text + head + levels, ']', levels);
	text[head + 2 * levels] = '}';
	expect_malformed(text, "The message is nested too deeply.");
}

/* ---- encoding */

static void expect_out(const char *text)
{
	cr_assert(is_text(buf_slice(&out), text), "%.*s", SLICE_FMT(buf_slice(&out)));
	buf_clear(&out);
}

Test(hub_json, encodes_invocations)
{
	hub_encode_invocation(json, &out, SLICE_NONE, SLICE("Send"), SLICE("[1,\"a\"]"));
	expect_out("{\"type\":1,\"target\":\"Send\",\"arguments\":[1,\"a\"]}\x1e");
	hub_encode_invocation(json, &out, SLICE("s\"1"), SLICE("S\n"), SLICE("[]"));
	expect_out("{\"type\":1,\"invocationId\":\"s\\\"1\",\"target\":\"S\\n\","
		   "\"arguments\":[]}\x1e");
}

Test(hub_json, encodes_completions)
{
	hub_encode_result(json, &out, SLICE("1"), SLICE("null"));
	expect_out("{\"type\":3,\"invocationId\":\"1\",\"result\":null}\x1e");
	hub_encode_result(json, &out, SLICE("1"), SLICE_NONE);
	expect_out("{\"type\":3,\"invocationId\":\"1\"}\x1e");
	hub_encode_error(json, &out, SLICE("1"), SLICE("no \"x\""));
	expect_out("{\"type\":3,\"invocationId\":\"1\",\"error\":\"no \\\"x\\\"\"}\x1e");
	hub_encode_error(json, &out, SLICE("1"), SLICE(""));
	expect_out("{\"type\":3,\"invocationId\":\"1\",\"error\":\"\"}\x1e");
}

Test(hub_json, encodes_ping_and_close)
{
	hub_encode_ping(json, &out);
	expect_out("{\"type\":6}\x1e");
	hub_encode_close(json, &out, SLICE_NONE, false);
	expect_out("{\"type\":7}\x1e");
	hub_encode_close(json, &out, SLICE("e"), true);
	expect_out("{\"type\":7,\"error\":\"e\",\"allowReconnect\":true}\x1e");
	hub_encode_close(json, &out, SLICE_NONE, true);
	expect_out("{\"type\":7,\"allowReconnect\":true}\x1e");
}

Test(hub_json, encodes_every_member)
{
	const struct slice ids[] = { SLICE("2"), SLICE("\"") };
	struct hub_message all = {
		.type = HUB_MESSAGE_INVOCATION,
		.invocation_id = SLICE("1"),
		.target = SLICE("T"),
		.arguments = SLICE("[1]"),
		.stream_ids = ids,
		.stream_ids_n = 2,
		.headers = SLICE("{\"h\":\"v\"}"),
		.payload = SLICE("5"),
	};

	hub_json_encode(&out, &all);
	expect_out(
		"{\"type\":1,\"headers\":{\"h\":\"v\"},\"invocationId\":\"1\","
		"\"target\":\"T\",\"arguments\":[1],\"streamIds\":[\"2\",\"\\\"\"]}\x1e");
	all.type = HUB_MESSAGE_STREAM_INVOCATION;
	all.stream_ids_n = 1;
	hub_json_encode(&out, &all);
	expect_out("{\"type\":4,\"headers\":{\"h\":\"v\"},\"invocationId\":\"1\","
		   "\"target\":\"T\",\"arguments\":[1],\"streamIds\":[\"2\"]}\x1e");
	all.type = HUB_MESSAGE_STREAM_ITEM;
	hub_json_encode(&out, &all);
	expect_out("{\"type\":2,\"headers\":{\"h\":\"v\"},\"invocationId\":\"1\","
		   "\"item\":5}\x1e");
	all.type = HUB_MESSAGE_COMPLETION;
	hub_json_encode(&out, &all);
	expect_out("{\"type\":3,\"headers\":{\"h\":\"v\"},\"invocationId\":\"1\"}\x1e");
	all.type = HUB_MESSAGE_CANCEL_INVOCATION;
	hub_json_encode(&out, &all);
	expect_out("{\"type\":5,\"headers\":{\"h\":\"v\"},\"invocationId\":\"1\"}\x1e");
}

Test(hub_json, reads_back_what_it_writes)
{
	ssize_t n;

	hub_encode_invocation(json, &out, SLICE("1"), SLICE("\x1e\xc3\xa9"),
			      SLICE("[{}]"));
	n = hub_json_cut(buf_slice(&out), out.len, &inside);
	cr_assert_eq(n, (ssize_t)out.len);
	cr_assert_eq(hub_json_decode(inside, &arena, &message, &reason), OK);
	cr_assert(is_text(message.target, "\x1e\xc3\xa9"));
	cr_assert(is_text(message.arguments, "[{}]"));
}
