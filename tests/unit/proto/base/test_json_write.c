/* SPDX-License-Identifier: Apache-2.0 */
/* Strings as JSON; test_json.c of wire reads back what is written. */
#include "proto/base/json_write.h"

#include <criterion/criterion.h>

static struct buf out;

static void teardown(void)
{
	buf_fini(&out);
}

TestSuite(json_write, .fini = teardown);

static void expect_written(struct slice text, struct slice json)
{
	buf_clear(&out);
	json_write_string(&out, text);
	cr_assert(slice_equal(buf_slice(&out), json), "%.*s", SLICE_FMT(buf_slice(&out)));
}

Test(json_write, writes_strings)
{
	expect_written(SLICE_NONE, SLICE("\"\""));
	expect_written(SLICE("abc"), SLICE("\"abc\""));
	expect_written(SLICE("\"\\/"), SLICE("\"\\\"\\\\/\""));
	expect_written(SLICE("\b\t\n\v\f\r"), SLICE("\"\\b\\t\\n\\u000b\\f\\r\""));
	expect_written(SLICE("\0\x1e\x1f\x7f"), SLICE("\"\\u0000\\u001e\\u001f\x7f\""));
	expect_written(SLICE("\xc3\xa9\xf0\x9f\x98\x80"),
		       SLICE("\"\xc3\xa9\xf0\x9f\x98\x80\""));
}

Test(json_write, writes_a_replacement_for_what_is_not_utf8)
{
	expect_written(SLICE("a\xff"
			     "b"),
		       SLICE("\"a\xef\xbf\xbd"
			     "b\""));
	expect_written(SLICE("\xc3"), SLICE("\"\xef\xbf\xbd\""));
	expect_written(SLICE("\xed\xa0\x80"),
		       SLICE("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
}
