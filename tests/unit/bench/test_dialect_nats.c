/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a NATS server, whole, cut anywhere and broken.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "bench/dialect.h"
#include "bench/payload.h"

#define INFO "INFO {\"server_id\":\"X\",\"max_payload\":1048576}\r\n"
#define MSG "MSG bench 1 3\r\nabc\r\n"

static struct hearing heard;
static struct buf reply;

static ssize_t hear(struct slice bytes, bool is_ready)
{
	struct arena arena = ARENA_INIT;
	ssize_t n;

	buf_clear(&reply);
	n = dialect_nats.hear(bytes, is_ready, &arena, &heard, &reply);
	arena_fini(&arena);
	return n;
}

static ssize_t hear_text(const char *text, bool is_ready)
{
	return hear(slice_from_str(text), is_ready);
}

static void fini(void)
{
	buf_fini(&reply);
}

TestSuite(dialect_nats, .fini = fini);

Test(dialect_nats, greets_with_a_subscription_and_a_ping)
{
	struct buf out = BUF_INIT;
	struct slice text;

	dialect_nats.greet(&out);
	text = buf_slice(&out);
	cr_assert(slice_starts_with(text, SLICE("CONNECT {")));
	cr_assert(slice_equal(slice_from(text, text.len - 19),
			      SLICE("SUB bench 1\r\nPING\r\n")));
	buf_append_byte(&out, '\0');
	cr_assert_not_null(strstr(out.ptr, "\"echo\":true"));
	cr_assert(dialect_nats.has_greeting);
	cr_assert_not(dialect_nats.is_negotiated || dialect_nats.has_results);
	buf_fini(&out);
}

Test(dialect_nats, is_ready_with_the_first_pong_only)
{
	cr_assert_eq(hear_text(INFO "PONG\r\n", false), strlen(INFO));
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert_eq(hear_text("PONG\r\n" MSG, false), 6);
	cr_assert_eq(heard.heard, HEARD_READY);
	cr_assert_eq(hear_text("PONG\r\n" MSG, true), 6);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert_eq(hear_text("+OK\r\n", true), 5);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
}

Test(dialect_nats, answers_pings)
{
	cr_assert_eq(hear_text("PING\r\n", true), 6);
	cr_assert_eq(heard.heard, HEARD_NOTHING);
	cr_assert(slice_equal(buf_slice(&reply), SLICE("PONG\r\n")));
}

Test(dialect_nats, tells_what_went_wrong)
{
	cr_assert_eq(hear_text("-ERR 'Slow Consumer'\r\n", true), 22);
	cr_assert_eq(heard.heard, HEARD_CLOSE);
	cr_assert(slice_equal(heard.error, SLICE("'Slow Consumer'")));
	cr_assert_eq(hear_text("-ERR 'no'\r\n", false), 11);
	cr_assert_eq(heard.heard, HEARD_REFUSED);
}

Test(dialect_nats, hears_the_first_of_two)
{
	cr_assert_eq(hear_text(MSG MSG, true), strlen(MSG));
	cr_assert_eq(heard.heard, HEARD_MESSAGE);
	cr_assert(slice_equal(heard.payload, SLICE("abc")));
	cr_assert_eq(hear_text("MSG bench 1 reply.to 2\r\n\r\n\r\n", true), 28);
	cr_assert(slice_equal(heard.payload, SLICE("\r\n")));
	cr_assert_eq(hear_text("MSG bench 1 0\r\n\r\n", true), 17);
	cr_assert_eq(heard.payload.len, 0);
}

Test(dialect_nats, waits_for_the_end)
{
	static const char *const messages[] = { INFO, MSG, "PING\r\n", "-ERR 'a'\r\n" };

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		for (size_t len = 0; len < strlen(messages[i]); len++) {
			cr_assert_eq(hear(slice_make(messages[i], len), true), 0);
			cr_assert_eq(reply.len, 0);
		}
	}
}

Test(dialect_nats, refuses_foreign_lines)
{
	static const char *const foreign[] = {
		"\n",
		"\r\n",
		"PING\n",
		"PINGS\r\n",
		"-ERR\r\n",
		"HTTP/1.1 400\r\n",
		"MSG other 1 3\r\n",
		"MSG bench x\r\n",
		"MSG bench 1 -1\r\n",
		"MSG bench 1 \r\n",
		"MSG bench 1 3\r\nabcd\r\n",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_assert_eq(hear_text(foreign[i], true), ERR_MALFORMED, "%s",
			     foreign[i]);
}

Test(dialect_nats, knows_the_largest_payload)
{
	char line[64];

	snprintf(line, sizeof(line), "MSG bench 1 %u\r\n", PAYLOAD_BYTES_MAX);
	cr_assert_eq(hear_text(line, true), 0);
	snprintf(line, sizeof(line), "MSG bench 1 %u\r\n", PAYLOAD_BYTES_MAX + 1);
	cr_assert_eq(hear_text(line, true), ERR_MALFORMED);
}

static ssize_t hear_info_of(size_t len, const char *end)
{
	struct buf bytes = BUF_INIT;
	char *at = buf_reserve(&bytes, len);
	ssize_t n;

	memset(at, ' ', len);
	memcpy(at, "INFO", 4);
	bytes.len = len - strlen(end);
	buf_append_str(&bytes, end);
	n = hear(buf_slice(&bytes), false);
	buf_fini(&bytes);
	return n;
}

Test(dialect_nats, knows_the_longest_line)
{
	cr_assert_eq(hear_info_of(65536, "\r\n"), 65536);
	cr_assert_eq(hear_info_of(65537, "\r\n"), ERR_MALFORMED);
	cr_assert_eq(hear_info_of(65535, ""), 0);
	cr_assert_eq(hear_info_of(65536, ""), ERR_MALFORMED);
}

Test(dialect_nats, has_one_word)
{
	struct buf out = BUF_INIT;

	for (int verb = 0; verb < VERBS; verb++) {
		struct saying saying = { .verb = (enum verb)verb,
					 .payload = SLICE("abc") };

		cr_assert_eq(dialect_nats.say(&out, &saying), verb == VERB_BROADCAST);
	}
	cr_assert(slice_equal(buf_slice(&out), SLICE("PUB bench 3\r\nabc\r\n")));
	buf_fini(&out);
}
