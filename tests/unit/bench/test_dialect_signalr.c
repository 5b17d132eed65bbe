/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said, byte for byte in JSON and read back by the codec in MessagePack; what is
 * heard, in both, cut anywhere, plain and in other spellings.
 */
#include "bench/dialect.h"

#include <criterion/criterion.h>

#include "proto/wire/hub_codec.h"

#define RS "\x1e"

static void expect_said(struct saying saying, const char *text)
{
	struct buf out = BUF_INIT;

	cr_assert(dialect_json.say(&out, &saying));
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&out)));
	buf_fini(&out);
}

Test(dialect_signalr, says_in_json)
{
	const struct slice id = SLICE("7");
	const struct slice name = SLICE("a\"b");
	const struct slice payload = SLICE("~pay");

	expect_said((struct saying){ .verb = VERB_ECHO, .id = id, .payload = payload },
		    "{\"type\":1,\"invocationId\":\"7\",\"target\":\"Echo\","
		    "\"arguments\":[\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_BROADCAST, .payload = payload },
		    "{\"type\":1,\"target\":\"Broadcast\",\"arguments\":[\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_SEND_GROUP,
				     .name = name,
				     .payload = payload },
		    "{\"type\":1,\"target\":\"SendToGroup\","
		    "\"arguments\":[\"a\\\"b\",\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_SEND_USER,
				     .name = name,
				     .payload = payload },
		    "{\"type\":1,\"target\":\"SendToUser\","
		    "\"arguments\":[\"a\\\"b\",\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_SEND_CONNECTION,
				     .name = name,
				     .payload = payload },
		    "{\"type\":1,\"target\":\"SendToConnection\","
		    "\"arguments\":[\"a\\\"b\",\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_JOIN, .id = id, .name = name },
		    "{\"type\":1,\"invocationId\":\"7\",\"target\":\"JoinGroup\","
		    "\"arguments\":[\"a\\\"b\"]}" RS);
	expect_said(
		(struct saying){ .verb = VERB_LEAVE, .name = name },
		"{\"type\":1,\"target\":\"LeaveGroup\",\"arguments\":[\"a\\\"b\"]}" RS);
	expect_said(
		(struct saying){ .verb = VERB_STREAM, .id = id, .number = 3, .size = 41 },
		"{\"type\":4,\"invocationId\":\"7\",\"target\":\"Stream\","
		"\"arguments\":[3,41]}" RS);
	expect_said((struct saying){ .verb = VERB_UPLOAD, .id = id },
		    "{\"type\":1,\"invocationId\":\"7\",\"target\":\"Upload\","
		    "\"arguments\":[],\"streamIds\":[\"7\"]}" RS);
	expect_said(
		(struct saying){ .verb = VERB_UPLOAD_ITEM, .id = id, .payload = payload },
		"{\"type\":2,\"invocationId\":\"7\",\"item\":\"~pay\"}" RS);
	expect_said((struct saying){ .verb = VERB_UPLOAD_END, .id = id },
		    "{\"type\":3,\"invocationId\":\"7\"}" RS);
	expect_said(
		(struct saying){
			.verb = VERB_ASK, .id = id, .name = name, .payload = payload },
		"{\"type\":1,\"invocationId\":\"7\",\"target\":\"Ask\","
		"\"arguments\":[\"a\\\"b\",\"~pay\"]}" RS);
	expect_said((struct saying){ .verb = VERB_ANSWER, .id = id, .payload = payload },
		    "{\"type\":3,\"invocationId\":\"7\",\"result\":\"~pay\"}" RS);
	expect_said((struct saying){ .verb = VERB_PING }, "{\"type\":6}" RS);
}

/* Whatever is said in MessagePack is the same message as in JSON, says the transcoder. */
Test(dialect_signalr, says_the_same_in_messagepack)
{
	const struct hub_codec *msgpack = hub_codec(HUB_PROTOCOL_MSGPACK);
	const struct hub_codec *json = hub_codec(HUB_PROTOCOL_JSON);

	for (int verb = 0; verb < VERBS; verb++) {
		const struct saying saying = { .verb = (enum verb)verb,
					       .id = SLICE("7"),
					       .name = SLICE("n"),
					       .payload = SLICE("~pay"),
					       .number = 300,
					       .size = 70000 };
		struct arena arena = ARENA_INIT;
		struct buf in_json = BUF_INIT;
		struct buf in_msgpack = BUF_INIT;
		struct buf transcoded = BUF_INIT;

		cr_assert(dialect_json.say(&in_json, &saying));
		cr_assert(dialect_messagepack.say(&in_msgpack, &saying));
		cr_assert_eq(hub_transcode(msgpack, buf_slice(&in_msgpack), json, &arena,
					   &transcoded),
			     OK);
		cr_assert(slice_equal(buf_slice(&in_json), buf_slice(&transcoded)),
			  "%.*s", SLICE_FMT(buf_slice(&transcoded)));
		buf_fini(&in_json);
		buf_fini(&in_msgpack);
		buf_fini(&transcoded);
		arena_fini(&arena);
	}
}

/* ---- hearing */

static struct hearing hear(const struct dialect *dialect, struct slice bytes,
			   bool is_ready)
{
	static struct arena arena;
	struct buf reply = BUF_INIT;
	struct hearing hearing;

	for (size_t n = 0; n < bytes.len; n++)
		cr_assert_eq(dialect->hear(slice_make(bytes.ptr, n), is_ready, &arena,
					   &hearing, &reply),
			     0);
	cr_assert_eq(dialect->hear(bytes, is_ready, &arena, &hearing, &reply),
		     (ssize_t)bytes.len, "%.*s", SLICE_FMT(bytes));
	cr_assert_eq(reply.len, 0);
	return hearing;
}

/* In JSON as given, and in MessagePack as the transcoder puts it. */
static void expect_heard(const char *text, struct hearing expected)
{
	struct arena arena = ARENA_INIT;
	struct buf packed = BUF_INIT;
	struct hearing heard[2];

	heard[0] = hear(&dialect_json, slice_from_str(text), true);
	cr_assert_eq(hub_transcode(hub_codec(HUB_PROTOCOL_JSON), slice_from_str(text),
				   hub_codec(HUB_PROTOCOL_MSGPACK), &arena, &packed),
		     OK);
	heard[1] = hear(&dialect_messagepack, buf_slice(&packed), true);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(heard[i].heard, expected.heard, "%s %d", text, i);
		cr_assert(slice_equal(heard[i].id, expected.id), "%s", text);
		cr_assert(slice_equal(heard[i].payload, expected.payload), "%s: %.*s",
			  text, SLICE_FMT(heard[i].payload));
		cr_assert(slice_equal(heard[i].error, expected.error), "%s", text);
		cr_assert_eq(heard[i].allow_reconnect, expected.allow_reconnect);
	}
	buf_fini(&packed);
	arena_fini(&arena);
}

Test(dialect_signalr, hears_messages_in_any_spelling)
{
	const struct hearing message = { .heard = HEARD_MESSAGE,
					 .payload = SLICE("~abc") };

	expect_heard("{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"~abc\"]}" RS,
		     message);
	expect_heard("{\"target\":\"Receive\",\"type\":1,\"arguments\":[\"~abc\"]}" RS,
		     message);
	expect_heard("{\"type\":1,\"target\":\"receive\",\"arguments\":[\"~abc\"]}" RS,
		     message);
	expect_heard(
		"{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"~a\\u0062c\"]}" RS,
		message);
	expect_heard("{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"~abc\",1]}" RS,
		     message);
	expect_heard("{\"type\":1,\"target\":\"Receive\",\"arguments\":[]}" RS,
		     (struct hearing){ .heard = HEARD_MESSAGE });
}

Test(dialect_signalr, hears_the_rest)
{
	const struct slice id = SLICE("7");

	expect_heard("{\"type\":1,\"invocationId\":\"7\",\"target\":\"Answer\","
		     "\"arguments\":[\"q\"]}" RS,
		     (struct hearing){
			     .heard = HEARD_QUESTION, .id = id, .payload = SLICE("q") });
	expect_heard("{\"type\":2,\"invocationId\":\"7\",\"item\":\"0001\"}" RS,
		     (struct hearing){
			     .heard = HEARD_ITEM, .id = id, .payload = SLICE("0001") });
	expect_heard("{\"type\":3,\"invocationId\":\"7\"}" RS,
		     (struct hearing){ .heard = HEARD_RESULT, .id = id });
	expect_heard("{\"type\":3,\"invocationId\":\"7\",\"result\":null}" RS,
		     (struct hearing){ .heard = HEARD_RESULT, .id = id });
	expect_heard("{\"type\":3,\"invocationId\":\"7\",\"result\":\"r\"}" RS,
		     (struct hearing){
			     .heard = HEARD_RESULT, .id = id, .payload = SLICE("r") });
	expect_heard("{\"type\":3,\"invocationId\":\"7\",\"result\":12}" RS,
		     (struct hearing){
			     .heard = HEARD_RESULT, .id = id, .payload = SLICE("12") });
	expect_heard(
		"{\"type\":3,\"invocationId\":\"7\",\"error\":\"no\"}" RS,
		(struct hearing){ .heard = HEARD_ERROR, .id = id, .error = SLICE("no") });
	expect_heard("{\"type\":6}" RS, (struct hearing){ .heard = HEARD_NOTHING });
	expect_heard("{\"type\":1,\"target\":\"Answer\",\"arguments\":[\"~abc\"]}" RS,
		     (struct hearing){ .heard = HEARD_NOTHING });
	expect_heard("{\"type\":1,\"invocationId\":\"7\",\"target\":\"Receive\","
		     "\"arguments\":[\"q\"]}" RS,
		     (struct hearing){ .heard = HEARD_NOTHING });
	expect_heard("{\"type\":7}" RS, (struct hearing){ .heard = HEARD_CLOSE });
	expect_heard("{\"type\":7,\"error\":\"e\",\"allowReconnect\":true}" RS,
		     (struct hearing){ .heard = HEARD_CLOSE,
				       .error = SLICE("e"),
				       .allow_reconnect = true });
}

Test(dialect_signalr, hears_the_greeting_in_json_in_both)
{
	const struct dialect *both[] = { &dialect_json, &dialect_messagepack };

	for (int i = 0; i < 2; i++) {
		struct hearing heard = hear(both[i], SLICE("{}" RS), false);

		cr_assert_eq(heard.heard, HEARD_READY);
		heard = hear(both[i], SLICE("{\"x\":[1],\"error\":\"no\"}" RS), false);
		cr_assert_eq(heard.heard, HEARD_REFUSED);
		cr_assert(slice_equal(heard.error, SLICE("no")));
	}
}

static void expect_malformed(const struct dialect *dialect, struct slice bytes,
			     bool is_ready)
{
	struct arena arena = ARENA_INIT;
	struct buf reply = BUF_INIT;
	struct hearing hearing;

	cr_assert_lt(dialect->hear(bytes, is_ready, &arena, &hearing, &reply), 0, "%.*s",
		     SLICE_FMT(bytes));
	arena_fini(&arena);
}

Test(dialect_signalr, malformed)
{
	expect_malformed(&dialect_json, SLICE("{\"type\":1}" RS), true);
	expect_malformed(&dialect_json, SLICE("Hello" RS), true);
	expect_malformed(&dialect_json, SLICE("[]" RS), false);
	expect_malformed(&dialect_json, SLICE("{\"error\":1}" RS), false);
	expect_malformed(&dialect_json,
			 SLICE("{\"type\":1,\"target\":\"Receive\","
			       "\"arguments\":[\"~abc\"}" RS),
			 true);
	expect_malformed(&dialect_messagepack, SLICE("\x01\xc0"), true);
	expect_malformed(&dialect_messagepack, SLICE("\xff\xff\xff\xff\xff"), true);
}

/* The glance at a plain message must not run into the next one. */
Test(dialect_signalr, one_message_at_a_time)
{
	const struct slice two =
		SLICE("{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"~a\"]}" RS
		      "{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"~b\"]}" RS);
	struct arena arena = ARENA_INIT;
	struct buf reply = BUF_INIT;
	struct hearing hearing;
	ssize_t n = dialect_json.hear(two, true, &arena, &hearing, &reply);

	cr_assert_eq((size_t)n, two.len / 2);
	cr_assert(slice_equal(hearing.payload, SLICE("~a")));
	n = dialect_json.hear(slice_from(two, (size_t)n), true, &arena, &hearing, &reply);
	cr_assert_eq((size_t)n, two.len / 2);
	cr_assert(slice_equal(hearing.payload, SLICE("~b")));
	arena_fini(&arena);
}

Test(dialect_signalr, greets_with_the_protocol)
{
	struct buf out = BUF_INIT;

	dialect_json.greet(&out);
	dialect_messagepack.greet(&out);
	cr_assert(slice_equal(buf_slice(&out),
			      SLICE("{\"protocol\":\"json\",\"version\":1}" RS
				    "{\"protocol\":\"messagepack\",\"version\":1}" RS)));
	buf_fini(&out);
}
