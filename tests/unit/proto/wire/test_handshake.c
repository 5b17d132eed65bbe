/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake: what is accepted, and the exact error texts clients know.
 */
#include "proto/wire/handshake.h"

#include <criterion/criterion.h>

#define UNEXPECTED "An unexpected error occurred during connection handshake."

static struct arena arena;
static struct buf out;
static struct handshake handshake;
static struct slice error;
static const char *detail;

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

TestSuite(handshake, .init = setup, .fini = teardown);

static enum err decode(const char *text)
{
	return handshake_decode(slice_from_str(text), &arena, &handshake, &error,
				&detail);
}

static void expect_version(const char *text, int64_t version)
{
	cr_assert_eq(decode(text), OK, "%s", text);
	cr_assert_null(error.ptr);
	cr_assert_null(detail);
	cr_assert_eq(handshake.protocol, HUB_PROTOCOL_JSON);
	cr_assert_eq(handshake.version, version);
}

static void expect_error(const char *text, enum err rc, const char *expected)
{
	cr_assert_eq(decode(text), rc, "%s", text);
	cr_assert(slice_equal(error, slice_from_str(expected)), "%.*s", SLICE_FMT(error));
}

Test(handshake, accepts_versions_up_to_two)
{
	expect_version("{\"protocol\":\"json\",\"version\":1}", 1);
	expect_version("{\"protocol\":\"json\",\"version\":2}", 2);
	expect_version("{\"protocol\":\"json\",\"version\":0}", 0);
	expect_version("{\"protocol\":\"json\",\"version\":-1}", -1);
}

Test(handshake, takes_members_in_any_order_and_skips_others)
{
	expect_version(
		" { \"x\" : [ { } ] , \"version\" : 1 , \"\\u0070rotocol\" : \"json\" } ",
		1);
	expect_version(
		"{\"protocol\":\"x\",\"protocol\":\"json\",\"version\":9,\"version\":1}",
		1);
}

Test(handshake, accepts_every_protocol_of_the_table)
{
	cr_assert_eq(decode("{\"protocol\":\"messagepack\",\"version\":2}"), OK);
	cr_assert_eq(handshake.protocol, HUB_PROTOCOL_MSGPACK);
	cr_assert_eq(handshake.version, 2);
}

Test(handshake, refuses_newer_versions)
{
	expect_error(
		"{\"protocol\":\"messagepack\",\"version\":3}", ERR_UNSUPPORTED,
		"The server does not support version 3 of the 'messagepack' protocol.");
	expect_error("{\"protocol\":\"json\",\"version\":3}", ERR_UNSUPPORTED,
		     "The server does not support version 3 of the 'json' protocol.");
	expect_error(
		"{\"protocol\":\"json\",\"version\":2147483647}", ERR_UNSUPPORTED,
		"The server does not support version 2147483647 of the 'json' protocol.");
}

Test(handshake, refuses_other_protocols_by_name)
{
	expect_error("{\"protocol\":\"MessagePack\",\"version\":1}", ERR_UNSUPPORTED,
		     "The protocol 'MessagePack' is not supported.");
	expect_error("{\"protocol\":\"JSON\",\"version\":1}", ERR_UNSUPPORTED,
		     "The protocol 'JSON' is not supported.");
	expect_error("{\"protocol\":\"\",\"version\":9}", ERR_UNSUPPORTED,
		     "The protocol '' is not supported.");
	cr_assert_null(detail);
}

Test(handshake, refuses_malformed_requests_with_one_text)
{
	static const struct {
		const char *text;
		const char *detail;
	} cases[] = {
		{ "", "The handshake is not a JSON object." },
		{ "[]", "The handshake is not a JSON object." },
		{ "{\"protocol\":\"json\",\"version\":1",
		  "The handshake is not a JSON object." },
		{ "{\"protocol\":\"json\",\"version\":1}x",
		  "The handshake is not a JSON object." },
		{ "{\"protocol\":\"json\",\"version\":01}",
		  "The handshake is not a JSON object." },
		{ "{\"protocol\":\"js\\ud800n\",\"version\":1}",
		  "The handshake is not a JSON object." },
		{ "{}", "Missing required property 'protocol'." },
		{ "{\"version\":1}", "Missing required property 'protocol'." },
		{ "{\"protocol\":\"json\"}", "Missing required property 'version'." },
		{ "{\"protocol\":\"json\",\"Version\":1}",
		  "Missing required property 'version'." },
		{ "{\"protocol\":1,\"version\":1}",
		  "Expected 'protocol' to be of type String." },
		{ "{\"protocol\":null,\"version\":1}",
		  "Expected 'protocol' to be of type String." },
		{ "{\"protocol\":\"json\",\"version\":\"1\"}",
		  "Expected 'version' to be an integer." },
		{ "{\"protocol\":\"json\",\"version\":1.0}",
		  "Expected 'version' to be an integer." },
		{ "{\"protocol\":\"json\",\"version\":2147483648}",
		  "Expected 'version' to be an integer." },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_error(cases[i].text, ERR_MALFORMED, UNEXPECTED);
		cr_assert_str_eq(detail, cases[i].detail, "%s", cases[i].text);
	}
}

Test(handshake, a_name_with_a_nul_is_told_whole)
{
	cr_assert_eq(decode("{\"protocol\":\"js\\u0000on\",\"version\":1}"),
		     ERR_UNSUPPORTED);
	cr_assert(slice_equal(error, SLICE("The protocol 'js\0on' is not supported.")));
}

Test(handshake, encodes_responses)
{
	handshake_encode_response(&out, SLICE_NONE);
	cr_assert(slice_equal(buf_slice(&out), SLICE("{}\x1e")));
	buf_clear(&out);
	handshake_encode_response(&out, SLICE("The protocol '\"' is not supported."));
	cr_assert(slice_equal(
		buf_slice(&out),
		SLICE("{\"error\":\"The protocol '\\\"' is not supported.\"}\x1e")));
}
