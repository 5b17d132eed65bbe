/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiate: the version rule, the exact error texts, and the exact answers.
 */
#include "proto/wire/negotiate.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buf out;

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

TestSuite(negotiate, .init = setup, .fini = teardown);

static void expect_version(const char *query, int expected)
{
	struct slice error;
	int version = -1;

	cr_assert_eq(
		negotiate_version(slice_from_str(query), 0, &arena, &version, &error), OK,
		"%s", query);
	cr_assert_eq(version, expected, "%s", query);
	cr_assert_null(error.ptr);
}

static void expect_error(const char *query, int version_min, enum err rc,
			 const char *text)
{
	struct slice error;
	int version;

	cr_assert_eq(negotiate_version(slice_from_str(query), version_min, &arena,
				       &version, &error),
		     rc, "%s", query);
	cr_assert(slice_equal(error, slice_from_str(text)), "%.*s", SLICE_FMT(error));
}

Test(negotiate, version_is_what_was_asked_up_to_ours)
{
	expect_version("", 0);
	expect_version("negotiateVersion=0", 0);
	expect_version("negotiateVersion=1", 1);
	expect_version("negotiateVersion=2", 1);
	expect_version("negotiateVersion=2147483647", 1);
	expect_version("a=b&NEGOTIATEversion=1&useStatefulReconnect=true", 1);
	expect_version("negotiateVersion=%31", 1);
	expect_version("version=9", 0);
}

Test(negotiate, version_must_be_an_integer)
{
	static const char text[] = "The client requested a non-integer protocol version.";

	expect_error("negotiateVersion=", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion=x", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion=1.0", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion=%", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion=2147483648", 0, ERR_MALFORMED, text);
	expect_error("negotiateVersion=99999999999999999999", 0, ERR_MALFORMED, text);
}

Test(negotiate, version_must_not_be_below_the_minimum)
{
	expect_error(
		"negotiateVersion=-1", 0, ERR_UNSUPPORTED,
		"The client requested version '-1', but the server does not support this "
		"version.");
	expect_error(
		"negotiateVersion=0", 1, ERR_UNSUPPORTED,
		"The client requested version '0', but the server does not support this "
		"version.");
	expect_error(
		"", 1, ERR_UNSUPPORTED,
		"The client requested version '0', but the server does not support this "
		"version.");
}

static void expect_answer(const struct negotiate_answer *answer, const char *text)
{
	negotiate_encode(&out, answer);
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&out)));
	buf_clear(&out);
}

Test(negotiate, encodes_version_one)
{
	struct negotiate_answer answer = {
		.version = 1,
		.id = SLICE("id"),
		.token = SLICE("token"),
		.transports =
			TRANSPORT_WEBSOCKETS | TRANSPORT_SSE | TRANSPORT_LONG_POLLING,
	};

	expect_answer(
		&answer,
		"{\"negotiateVersion\":1,\"connectionId\":\"id\",\"connectionToken\":"
		"\"token\",\"availableTransports\":[{\"transport\":\"WebSockets\","
		"\"transferFormats\":[\"Text\",\"Binary\"]},{\"transport\":"
		"\"ServerSentEvents\",\"transferFormats\":[\"Text\"]},{\"transport\":"
		"\"LongPolling\",\"transferFormats\":[\"Text\",\"Binary\"]}]}");
}

Test(negotiate, encodes_statefulness_only_when_granted)
{
	struct negotiate_answer answer = {
		.version = 1,
		.id = SLICE("id"),
		.token = SLICE("token"),
		.is_stateful = true,
	};

	expect_answer(
		&answer,
		"{\"negotiateVersion\":1,\"connectionId\":\"id\",\"connectionToken\":"
		"\"token\",\"useStatefulReconnect\":true,\"availableTransports\":[]}");
}

Test(negotiate, encodes_version_zero_without_a_token)
{
	struct negotiate_answer answer = {
		.version = 0,
		.id = SLICE("id"),
		.token = SLICE("token"),
		.transports = TRANSPORT_LONG_POLLING,
		.is_stateful = true,
	};

	expect_answer(
		&answer,
		"{\"negotiateVersion\":0,\"connectionId\":\"id\",\"availableTransports\":"
		"[{\"transport\":\"LongPolling\",\"transferFormats\":[\"Text\","
		"\"Binary\"]}]}");
}

Test(negotiate, encodes_errors)
{
	negotiate_encode_error(&out, SLICE("no \"way\""));
	cr_assert(slice_equal(buf_slice(&out), SLICE("{\"error\":\"no \\\"way\\\"\"}")));
}

Test(negotiate, encodes_redirects)
{
	negotiate_encode_redirect(&out, SLICE("http://a/b"), SLICE_NONE);
	cr_assert(slice_equal(buf_slice(&out), SLICE("{\"url\":\"http://a/b\"}")));
	buf_clear(&out);
	negotiate_encode_redirect(&out, SLICE("http://a/b"), SLICE("t"));
	cr_assert(slice_equal(buf_slice(&out),
			      SLICE("{\"url\":\"http://a/b\",\"accessToken\":\"t\"}")));
}
