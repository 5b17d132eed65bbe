/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests: what is taken, what is refused, and the limits.
 */
#include "presence/admin_body.h"

#include <criterion/criterion.h>
#include <string.h>

#include "proto/base/buf.h"

static struct arena arena;
static struct buf text;

static void end(void)
{
	arena_fini(&arena);
	buf_fini(&text);
}

TestSuite(admin_body, .fini = end);

static enum err send_of(const char *body, struct admin_send *send)
{
	const char *problem = NULL;
	const enum err rc = admin_body_send(slice_from_str(body), &arena, send, &problem);

	cr_expect_eq(rc == ERR_ARGUMENT, problem != NULL, "%s", body);
	return rc;
}

static void expect_send(const char *body, enum err rc)
{
	struct admin_send send;

	cr_expect_eq(send_of(body, &send), rc, "%s", body);
}

Test(admin_body, a_send_has_target_arguments_and_excluded)
{
	struct admin_send send;

	cr_assert_eq(send_of(" { \"target\" : \"n\\u00f6\" , \"arguments\":[1, "
			     "{\"a\":[]}, null ],"
			     "\"excluded\":[\"c1\",\"c\\n2\"] } ",
			     &send),
		     OK);
	cr_expect(slice_equal(send.target, SLICE("n\xc3\xb6")));
	cr_expect(slice_equal(send.arguments, SLICE("[1, {\"a\":[]}, null ]")));
	cr_assert_eq(send.excluded_n, 2);
	cr_expect(slice_equal(send.excluded[0], SLICE("c1")));
	cr_expect(slice_equal(send.excluded[1], SLICE("c\n2")));
}

Test(admin_body, arguments_may_be_absent)
{
	struct admin_send send;

	cr_assert_eq(send_of("{\"target\":\"x\"}", &send), OK);
	cr_expect(slice_equal(send.arguments, SLICE("[]")));
	cr_expect_eq(send.excluded_n, 0);
}

Test(admin_body, what_is_no_json_is_malformed)
{
	expect_send("", ERR_MALFORMED);
	expect_send("{", ERR_MALFORMED);
	expect_send("{\"target\":\"x\"", ERR_MALFORMED);
	expect_send("{\"target\":\"x\"}}", ERR_MALFORMED);
	expect_send("{\"target\":\"x\"} x", ERR_MALFORMED);
	expect_send("{\"target\":\"x\",}", ERR_MALFORMED);
	expect_send("{'target':'x'}", ERR_MALFORMED);
	expect_send("{\"target\":\"x\",\"arguments\":[01]}", ERR_MALFORMED);
	expect_send("{\"target\":\"\xff\"}", ERR_MALFORMED);
	expect_send("\xef\xbb\xbf{\"target\":\"x\"}", ERR_MALFORMED);
}

Test(admin_body, another_json_is_refused)
{
	expect_send("[]", ERR_ARGUMENT);
	expect_send("null", ERR_ARGUMENT);
	expect_send("\"x\"", ERR_ARGUMENT);
	expect_send("{}", ERR_ARGUMENT);
	expect_send("{\"target\":\"\"}", ERR_ARGUMENT);
	expect_send("{\"target\":1}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"target\":\"y\"}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"arguments\":{}}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"arguments\":[],\"arguments\":[]}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"excluded\":\"c1\"}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"excluded\":[1]}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"excluded\":[\"\"]}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"excluded\":[],\"excluded\":[]}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"Arguments\":[]}", ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"more\":1}", ERR_ARGUMENT);
}

/* {"target":"x...x"} */
static const char *target_of(size_t len)
{
	buf_clear(&text);
	buf_append_str(&text, "{\"target\":\"");
	for (size_t i = 0; i < len; i++)
		buf_append_byte(&text, 'x');
	buf_append(&text, "\"}", 3);
	return text.ptr;
}

Test(admin_body, a_target_has_its_limit)
{
	expect_send(target_of(ADMIN_TARGET_BYTES_MAX), OK);
	expect_send(target_of(ADMIN_TARGET_BYTES_MAX + 1), ERR_ARGUMENT);
}

/* {"target":"x","<key>":[1,1,1]} */
static const char *array_of(const char *key, const char *element, size_t n)
{
	buf_clear(&text);
	buf_appendf(&text, "{\"target\":\"x\",\"%s\":[", key);
	for (size_t i = 0; i < n; i++)
		buf_appendf(&text, "%s%s", i > 0 ? "," : "", element);
	buf_append(&text, "]}", 3);
	return text.ptr;
}

Test(admin_body, excluded_has_its_limit)
{
	expect_send(array_of("excluded", "\"c\"", ADMIN_EXCLUDED_MAX), OK);
	expect_send(array_of("excluded", "\"c\"", ADMIN_EXCLUDED_MAX + 1), ERR_ARGUMENT);
}

/* What hubs could not read either, and clients of MessagePack would get as nothing. */
Test(admin_body, arguments_have_their_limits)
{
	expect_send(array_of("arguments", "1", 65535), OK);
	expect_send(array_of("arguments", "1", 65536), ERR_ARGUMENT);
	expect_send("{\"target\":\"x\",\"arguments\":[1e999]}", ERR_ARGUMENT);
	buf_clear(&text);
	buf_append_str(&text, "{\"target\":\"x\",\"arguments\":");
	for (int i = 0; i < 70; i++)
		buf_append_byte(&text, '[');
	for (int i = 0; i < 70; i++)
		buf_append_byte(&text, ']');
	buf_append(&text, "}", 2);
	expect_send(text.ptr, ERR_MALFORMED);
}

static enum err reason_of(const char *body, struct admin_reason *reason)
{
	const char *problem = NULL;

	return admin_body_reason(slice_from_str(body), &arena, reason, &problem);
}

Test(admin_body, a_reason_may_be_absent)
{
	struct admin_reason reason;

	cr_assert_eq(reason_of("", &reason), OK);
	cr_expect_eq(reason.reason.len, 0);
	cr_expect_not(reason.allow_reconnect);
	cr_assert_eq(reason_of("{}", &reason), OK);
	cr_assert_eq(reason_of("{\"reason\":\"go\",\"allowReconnect\":true}", &reason),
		     OK);
	cr_expect(slice_equal(reason.reason, SLICE("go")));
	cr_expect(reason.allow_reconnect);
	cr_assert_eq(reason_of("{\"allowReconnect\":false}", &reason), OK);
	cr_expect_not(reason.allow_reconnect);
}

Test(admin_body, another_reason_is_refused)
{
	struct admin_reason reason;

	cr_expect_eq(reason_of(" ", &reason), ERR_MALFORMED);
	cr_expect_eq(reason_of("{\"reason\":\"\"}", &reason), ERR_ARGUMENT);
	cr_expect_eq(reason_of("{\"reason\":null}", &reason), ERR_ARGUMENT);
	cr_expect_eq(reason_of("{\"allowReconnect\":1}", &reason), ERR_ARGUMENT);
	cr_expect_eq(
		reason_of("{\"allowReconnect\":true,\"allowReconnect\":true}", &reason),
		ERR_ARGUMENT);
	cr_expect_eq(reason_of("{\"why\":\"x\"}", &reason), ERR_ARGUMENT);
}
