/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of JSON objects: commas, numbers, times.
 */
#include "presence/json_put.h"

#include <criterion/criterion.h>
#include <math.h>

static struct buf out;

static void end(void)
{
	buf_fini(&out);
}

TestSuite(json_put, .fini = end);

static void expect(const char *text)
{
	buf_append_byte(&out, '\0');
	cr_expect_str_eq(out.ptr, text);
	buf_clear(&out);
}

Test(json_put, commas_stand_between_members)
{
	buf_append_byte(&out, '{');
	json_put_text(&out, "a", SLICE("x\"y"));
	json_put_number(&out, "b", -7);
	json_put_bool(&out, "c", true);
	json_put_bool(&out, "d", false);
	buf_append_byte(&out, '}');
	expect("{\"a\":\"x\\\"y\",\"b\":-7,\"c\":true,\"d\":false}");
}

Test(json_put, a_count_is_never_negative)
{
	buf_append_byte(&out, '{');
	json_put_count(&out, "a", INT64_MAX);
	json_put_count(&out, "b", (uint64_t)INT64_MAX + 1);
	buf_append_byte(&out, '}');
	expect("{\"a\":9223372036854775807,\"b\":9223372036854775807}");
}

Test(json_put, commas_stand_between_elements)
{
	buf_append_byte(&out, '{');
	json_put_open(&out, "list", '[');
	for (int i = 0; i < 2; i++) {
		json_put_open(&out, NULL, '{');
		json_put_number(&out, "i", i);
		buf_append_byte(&out, '}');
	}
	buf_append_byte(&out, ']');
	json_put_open(&out, "in", '{');
	buf_append_str(&out, "}}");
	expect("{\"list\":[{\"i\":0},{\"i\":1}],\"in\":{}}");
}

Test(json_put, a_text_that_ends_like_an_object_needs_its_comma)
{
	buf_append_byte(&out, '{');
	json_put_text(&out, "a", SLICE("{"));
	json_put_text(&out, "b", SLICE("["));
	expect("{\"a\":\"{\",\"b\":\"[\"");
}

Test(json_put, numbers_that_json_does_not_know_are_null)
{
	buf_append_byte(&out, '{');
	json_put_real(&out, "a", 1.5);
	json_put_real(&out, "b", (double)NAN);
	json_put_real(&out, "c", (double)INFINITY);
	expect("{\"a\":1.500,\"b\":null,\"c\":null");
}

Test(json_put, times_are_taken_to_the_ends_of_their_range)
{
	buf_append_byte(&out, '{');
	json_put_time(&out, "a", 1700000000123);
	json_put_time(&out, "b", -1);
	json_put_time(&out, "c", INT64_MAX);
	expect("{\"a\":\"2023-11-14T22:13:20.123Z\",\"b\":\"1970-01-01T00:00:00.000Z\","
	       "\"c\":\"9999-12-31T23:59:59.999Z\"");
}
