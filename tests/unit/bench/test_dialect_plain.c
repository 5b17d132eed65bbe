/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of SignalR's receivers, passed on by servers that do not know them.
 */
#include <criterion/criterion.h>

#include "bench/dialect.h"
#include "bench/payload.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_codec.h"

#define MESSAGE "{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"abc\"]}\x1e"

static struct hearing heard;

static ssize_t hear(struct slice bytes)
{
	struct arena arena = ARENA_INIT;
	struct buf reply = BUF_INIT;
	ssize_t n = dialect_plain.hear(bytes, true, &arena, &heard, &reply);

	cr_assert_eq(reply.len, 0);
	buf_fini(&reply);
	arena_fini(&arena);
	return n;
}

Test(dialect_plain, says_nothing_first)
{
	cr_assert_null(dialect_plain.greet);
	cr_assert_not(dialect_plain.has_greeting || dialect_plain.is_negotiated ||
		      dialect_plain.has_results || dialect_plain.has_pings);
}

Test(dialect_plain, has_one_word)
{
	struct buf out = BUF_INIT;

	for (int verb = 0; verb < VERBS; verb++) {
		struct saying saying = { .verb = (enum verb)verb,
					 .payload = SLICE("abc") };

		cr_assert_eq(dialect_plain.say(&out, &saying), verb == VERB_BROADCAST);
	}
	cr_assert(slice_equal(buf_slice(&out), SLICE(MESSAGE)));
	buf_fini(&out);
}

/* Equal bytes are what makes the comparison fair. */
Test(dialect_plain, says_what_a_hub_would_send)
{
	struct saying saying = { .verb = VERB_BROADCAST, .payload = SLICE("abc") };
	struct buf hub = BUF_INIT;
	struct buf out = BUF_INIT;

	hub_encode_invocation(hub_codec(HUB_PROTOCOL_JSON), &hub, SLICE_NONE,
			      SLICE("Receive"), SLICE("[\"abc\"]"));
	cr_assert(dialect_plain.say(&out, &saying));
	cr_assert(slice_equal(buf_slice(&out), buf_slice(&hub)));
	buf_fini(&hub);
	buf_fini(&out);
}

Test(dialect_plain, hears_the_first_of_two)
{
	cr_assert_eq(hear(SLICE(MESSAGE MESSAGE)), sizeof(MESSAGE) - 1);
	cr_assert_eq(heard.heard, HEARD_MESSAGE);
	cr_assert(slice_equal(heard.payload, SLICE("abc")));
}

Test(dialect_plain, waits_for_the_end)
{
	for (size_t len = 0; len < sizeof(MESSAGE) - 1; len++)
		cr_assert_eq(hear(slice_make(MESSAGE, len)), 0);
}

Test(dialect_plain, refuses_foreign_messages)
{
	static const char *const foreign[] = {
		"\x1e",
		"{}\x1e",
		"{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"\x1e",
		"{\"type\":1,\"target\":\"receive\",\"arguments\":[\"abc\"]}\x1e",
		"{\"type\":1,\"target\":\"Receive\",\"arguments\":[\"abc\"],\"a\":1}\x1e",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_assert_eq(hear(slice_from_str(foreign[i])), ERR_MALFORMED, "%zu", i);
}

static ssize_t hear_payload_of(size_t size, bool has_end)
{
	struct buf bytes = BUF_INIT;
	struct saying saying = { .verb = VERB_BROADCAST };
	char *payload = mem_alloc(size);
	ssize_t n;

	memset(payload, '.', size);
	saying.payload = slice_make(payload, size);
	cr_assert(dialect_plain.say(&bytes, &saying));
	if (!has_end)
		bytes.len--;
	n = hear(buf_slice(&bytes));
	cr_assert(n <= 0 || (size_t)n == bytes.len);
	mem_free(payload);
	buf_fini(&bytes);
	return n;
}

Test(dialect_plain, knows_the_longest)
{
	cr_assert_gt(hear_payload_of(PAYLOAD_BYTES_MAX, true), 0);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX + 1, true), ERR_MALFORMED);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX, false), 0);
	cr_assert_eq(hear_payload_of(PAYLOAD_BYTES_MAX + 1, false), ERR_MALFORMED);
}
