/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of Socket.IO as its server 4.8 sends them over WebSockets, cut by their JSON.
 */
#include <criterion/criterion.h>

#include "bench/dialect.h"
#include "bench/payload.h"
#include "proto/base/mem.h"

#define OPEN                                                                             \
	"0{\"sid\":\"a}b\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":"      \
	"20000}"
#define EVENT "42[\"receive\",\"abc\"]"

static struct hearing heard;
static struct buf reply;

static ssize_t hear(struct slice bytes)
{
	struct arena arena = ARENA_INIT;
	ssize_t n;

	buf_clear(&reply);
	n = dialect_socketio.hear(bytes, false, &arena, &heard, &reply);
	arena_fini(&arena);
	return n;
}

static ssize_t hear_text(const char *text)
{
	return hear(slice_from_str(text));
}

static void fini(void)
{
	buf_fini(&reply);
}

TestSuite(dialect_socketio, .fini = fini);

Test(dialect_socketio, waits_for_the_server_to_open)
{
	cr_assert_null(dialect_socketio.greet);
	cr_assert(dialect_socketio.has_greeting && dialect_socketio.is_text);
	cr_assert_not(dialect_socketio.is_negotiated || dialect_socketio.has_results);
}

Test(dialect_socketio, answers_open_with_connect)
{
	cr_assert_eq(hear_text(OPEN), strlen(OPEN));
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert(slice_equal(buf_slice(&reply), SLICE("40")));
}

Test(dialect_socketio, is_ready_once_connected)
{
	cr_assert_eq(hear_text("40{\"sid\":\"x\"}" EVENT), strlen("40{\"sid\":\"x\"}"));
	cr_assert_eq(heard.heard, HEARD_READY);
	cr_assert_eq(reply.len, 0);
}

Test(dialect_socketio, tells_why_it_was_refused)
{
	const char *text = "44{\"message\":\"no\"}";

	cr_assert_eq(hear_text(text), (ssize_t)strlen(text));
	cr_assert_eq(heard.heard, HEARD_REFUSED);
	cr_assert(slice_equal(heard.error, SLICE("{\"message\":\"no\"}")));
}

Test(dialect_socketio, answers_pings)
{
	cr_assert_eq(hear_text("2"), 1);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert(slice_equal(buf_slice(&reply), SLICE("3")));
}

Test(dialect_socketio, ignores_what_asks_for_nothing)
{
	cr_assert_eq(hear_text("3" EVENT), 1);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert_eq(hear_text("6" EVENT), 1);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert_eq(reply.len, 0);
}

Test(dialect_socketio, hears_the_end)
{
	cr_assert_eq(hear_text("1"), 1);
	cr_assert_eq(heard.heard, HEARD_CLOSE);
	cr_assert_eq(hear_text("41"), 2);
	cr_assert_eq(heard.heard, HEARD_CLOSE);
}

Test(dialect_socketio, hears_the_first_of_two_events)
{
	cr_assert_eq(hear_text(EVENT EVENT), strlen(EVENT));
	cr_assert_eq(heard.heard, HEARD_MESSAGE);
	cr_assert(slice_equal(heard.payload, SLICE("abc")));
}

Test(dialect_socketio, passes_over_events_of_others)
{
	const char *text = "42[\"news\",{\"a\":\"\\\"]}\",\"b\":[1,{}]}]";

	cr_assert_eq(hear_text(text), (ssize_t)strlen(text));
	cr_assert_eq(heard.heard, HEARD_NOTHING);
}

Test(dialect_socketio, waits_for_the_end_of_a_packet)
{
	static const char *const packets[] = {
		OPEN,
		"40{\"sid\":\"x\"}",
		EVENT,
		"44{\"message\":\"no\"}",
		"42[\"news\",{\"a\":\"\\\"]}\",\"b\":[1,{}]}]",
	};

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		for (size_t len = 0; len < strlen(packets[i]); len++) {
			cr_assert_eq(hear(slice_make(packets[i], len)), 0,
				     "%zu bytes of %s", len, packets[i]);
			cr_assert_eq(reply.len, 0);
		}
	}
}

Test(dialect_socketio, refuses_what_is_no_packet)
{
	static const char *const foreign[] = {
		"5",  "7",  "x",   "0x",   "0\"",     "43[]",
		"45", "4x", "401", "42{x", "42/a,[]", "42[\"receive\",\"abc\"}",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_assert_eq(hear_text(foreign[i]), ERR_MALFORMED, "%s", foreign[i]);
}

Test(dialect_socketio, has_one_word)
{
	struct buf out = BUF_INIT;

	for (int verb = 0; verb < VERBS; verb++) {
		struct saying saying = { .verb = (enum verb)verb,
					 .payload = SLICE("abc") };

		cr_assert_eq(dialect_socketio.say(&out, &saying), verb == VERB_BROADCAST);
	}
	cr_assert(slice_equal(buf_slice(&out), SLICE("42[\"broadcast\",\"abc\"]")));
	buf_fini(&out);
}

static ssize_t hear_payload_of(size_t size, const char *end)
{
	struct buf bytes = BUF_INIT;
	char *at;
	ssize_t n;

	buf_append_str(&bytes, "42[\"receive\",\"");
	at = buf_reserve(&bytes, size);
	memset(at, '.', size);
	bytes.len += size;
	buf_append_str(&bytes, end);
	n = hear(buf_slice(&bytes));
	cr_assert(n <= 0 || (size_t)n == bytes.len);
	buf_fini(&bytes);
	return n;
}

Test(dialect_socketio, knows_the_longest)
{
	cr_assert_gt(hear_payload_of(PAYLOAD_BYTES_MAX, "\"]"), 0);
	cr_assert_eq(heard.payload.len, PAYLOAD_BYTES_MAX);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX + 1, "\"]"), ERR_MALFORMED);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX, "\""), 0);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX + 1, "\""), ERR_MALFORMED);
}
