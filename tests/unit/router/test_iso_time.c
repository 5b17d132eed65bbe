/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as clients write them.
 */
#include "router/hubs/iso_time.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

TestSuite(iso_time, .timeout = 60);

static void expect(const char *text, const char *want)
{
	char out[ISO_TIME_BYTES];
	int64_t unix_ms;

	cr_assert(iso_time_read(slice_from_str(text), &unix_ms), "%s", text);
	iso_time_write(unix_ms, out);
	cr_expect_str_eq(out, want, "%s: %s", text, out);
}

static void expect_none(const char *text)
{
	int64_t unix_ms;

	cr_expect_not(iso_time_read(slice_from_str(text), &unix_ms), "%s", text);
}

Test(iso_time, what_clients_write_becomes_utc_with_milliseconds)
{
	expect("2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.123Z");
	expect("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z");
	expect("2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.100Z");
	expect("2026-11-22T10:00:00.1239999Z", "2026-11-22T10:00:00.123Z");
	expect("2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00.123Z");
	expect("2026-11-22T01:30:00+02:00", "2026-11-21T23:30:00.000Z");
	expect("2026-12-31T23:30:00.5-00:45", "2027-01-01T00:15:00.500Z");
	expect("2024-02-29T12:00:00+00:00", "2024-02-29T12:00:00.000Z");
	expect("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
}

Test(iso_time, the_first_and_the_last)
{
	expect("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z");
	expect("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
	expect_none("0000-12-31T23:59:59Z");
	expect_none("0001-01-01T00:00:00+00:01");
	expect_none("9999-12-31T23:59:59-00:01");
}

Test(iso_time, anything_else_is_none)
{
	static const char *const texts[] = {
		"",
		"now",
		"2026-11-22",
		"2026-11-22T10:00:00",
		"2026-11-22 10:00:00Z",
		"2026-11-22T10:00Z",
		"2026-11-22T10:00:00.Z",
		"2026-11-22T10:00:00.1234567890Z",
		"2026-11-22T10:00:00z",
		"2026-11-22T10:00:00Z ",
		" 2026-11-22T10:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-11-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T10:60:00Z",
		"2026-11-22T10:00:60Z",
		"2026-11-22T10:00:00+24:00",
		"2026-11-22T10:00:00+02",
		"2026-11-22T10:00:00+0200",
		"+026-11-22T10:00:00Z",
		"2026-11-22T10:00:00.-1Z",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_none(texts[i]);
	expect("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z");
}

/* Each day of four centuries, and the libc's opinion of it. */
Test(iso_time, every_day_is_what_libc_says)
{
	for (int64_t day = -25567; day < 146097; day++) { /* from 1900 on */
		const int64_t unix_ms = (day * 86400 + day % 86400) * 1000;
		const time_t seconds = (time_t)(unix_ms / 1000);
		char want[64];
		char out[ISO_TIME_BYTES];
		int64_t back;
		struct tm utc;

		cr_assert_not_null(gmtime_r(&seconds, &utc));
		cr_assert_gt(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &utc),
			     0);
		iso_time_write(unix_ms, out);
		cr_assert_str_eq(out, want, "%s, not %s", out, want);
		cr_assert(iso_time_read(slice_from_str(out), &back));
		cr_assert_eq(back, unix_ms, "%" PRId64, back);
	}
}
